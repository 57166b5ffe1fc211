//! A small HTTP/1.1 server, which closes every connection after one answer.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    /// The byte that a range begins with.
    pub(crate) from: Option<usize>,
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// After how many bytes of the body the connection is closed.
    pub(crate) cut: usize,
}

impl Answer {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), cut: usize::MAX }
    }

    /// Sets a header, in place of the one that there may be.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self
    }

    pub(crate) fn with_body(self, body: &[u8]) -> Self {
        Self { body: body.to_vec(), ..self }
    }

    pub(crate) fn cut_after(self, cut: usize) -> Self {
        Self { cut, ..self }
    }
}

/// A request, and how many bytes of a file were sent for it.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) request: Request,
    pub(crate) bytes: usize,
}

type Log = Arc<Mutex<Vec<Served>>>;

/// Answers until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    log: Log,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let log = Log::default();
        let stopped = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (log, stopped) = (log.clone(), stopped.clone());
            let answer = Arc::new(answer);
            move || {
                for stream in listener.incoming() {
                    if stopped.load(Ordering::SeqCst) {
                        return;
                    }
                    let (log, answer) = (log.clone(), answer.clone());
                    thread::spawn(move || serve(&stream.expect("a connection"), &*answer, &log));
                }
            }
        });
        Self { address, log, stopped, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All that was served, in order.
    pub(crate) fn served(&self) -> Vec<Served> {
        self.log.lock().expect("no thread panicked").clone()
    }

    /// What was served for one method and the end of a path.
    pub(crate) fn served_for(&self, method: &str, path: &str) -> Vec<Served> {
        let mut served = self.served();
        served.retain(|Served { request, .. }| {
            request.method == method && request.path.ends_with(path)
        });
        served
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread, so that it sees the flag.
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn serve(stream: &TcpStream, answer: &dyn Fn(&Request) -> Answer, log: &Log) {
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time limit");
    let Some(request) = read_request(stream) else {
        return;
    };
    let answer = answer(&request);
    let sent = if request.method == "HEAD" { 0 } else { answer.body.len().min(answer.cut) };
    // Logged first, so that whoever has the answer finds it in the log.
    log.lock().expect("no thread panicked").push(Served { request, bytes: sent });
    let mut head = format!("HTTP/1.1 {} status\r\nconnection: close\r\n", answer.status);
    let length = ("content-length", answer.body.len().to_string());
    let has_length = answer.headers.iter().any(|(name, _)| *name == "content-length");
    for (name, value) in answer.headers.into_iter().chain((!has_length).then_some(length)) {
        head += &format!("{name}: {value}\r\n");
    }
    let mut stream = stream;
    // The client may have hung up, which it will say itself.
    let _ = stream.write_all(format!("{head}\r\n").as_bytes());
    let _ = stream.write_all(&answer.body[..sent]);
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first = lines.next()?;
    let mut words = first.split(' ').map(str::to_owned);
    let mut request =
        Request { method: words.next()?, path: words.next()?, authorization: None, from: None };
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ")?;
        match name.to_ascii_lowercase().as_str() {
            "authorization" => request.authorization = Some(value.to_owned()),
            "range" => {
                request.from = value.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok();
            }
            _ => {}
        }
    }
    Some(request)
}
