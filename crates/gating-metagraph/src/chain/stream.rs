//! A TCP stream, encrypted or not, on which nothing waits past a deadline.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::{Arc, LazyLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::endpoint::Endpoint;
use super::stop::Stop;

/// A stream to a node. Past its deadline every read and write would block.
pub(super) enum Stream {
    Plain(Timed),
    Encrypted(Box<StreamOwned<ClientConnection, Timed>>),
}

/// A TCP stream with a deadline.
pub(super) struct Timed {
    tcp: Arc<TcpStream>,
    deadline: Instant,
}

/// The roots of trust that browsers come with.
static TRUST: LazyLock<Arc<ClientConfig>> =
    LazyLock::new(|| trust(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }));

fn trust(roots: RootCertStore) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions();
    let builder = builder.expect("the provider knows the versions that are compiled in");
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

impl Stream {
    /// Connects to a node; `stop` can end every later wait.
    pub(super) fn connect(endpoint: &Endpoint, deadline: Instant, stop: &Stop) -> io::Result<Self> {
        Self::connect_trusting(endpoint, deadline, stop, &TRUST)
    }

    fn connect_trusting(
        endpoint: &Endpoint,
        deadline: Instant,
        stop: &Stop,
        trust: &Arc<ClientConfig>,
    ) -> io::Result<Self> {
        let tcp = Arc::new(connect_any(&resolve(endpoint, deadline)?, deadline)?);
        tcp.set_nodelay(true)?;
        stop.guard(&tcp);
        let timed = Timed { tcp, deadline };
        if !endpoint.is_encrypted() {
            return Ok(Self::Plain(timed));
        }
        let name = ServerName::try_from(endpoint.host().to_owned());
        let name = name.map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))?;
        let session = ClientConnection::new(Arc::clone(trust), name).map_err(io::Error::other)?;
        Ok(Self::Encrypted(Box::new(StreamOwned::new(session, timed))))
    }

    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        match self {
            Self::Plain(timed) => timed.deadline = deadline,
            Self::Encrypted(stream) => stream.sock.deadline = deadline,
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(timed) => timed.read(buffer),
            Self::Encrypted(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(timed) => timed.write(buffer),
            Self::Encrypted(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(timed) => timed.flush(),
            Self::Encrypted(stream) => stream.flush(),
        }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        again(|| {
            self.tcp.set_read_timeout(Some(left(self.deadline, ErrorKind::WouldBlock)?))?;
            (&*self.tcp).read(buffer)
        })
    }
}

impl Write for Timed {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        again(|| {
            self.tcp.set_write_timeout(Some(left(self.deadline, ErrorKind::WouldBlock)?))?;
            (&*self.tcp).write(buffer)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.tcp).flush()
    }
}

/// Goes on after a signal, and calls a timeout by one name: on Windows it has another.
fn again(mut work: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match work() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                return Err(ErrorKind::WouldBlock.into());
            }
            result => return result,
        }
    }
}

/// How long there is until a deadline; the error of that kind where it has passed.
fn left(deadline: Instant, kind: ErrorKind) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(kind.into()) } else { Ok(left) }
}

/// The addresses of a host. The system has no limit for how long it may look a name up: a thread
/// that it does not let go is left behind.
fn resolve(endpoint: &Endpoint, deadline: Instant) -> io::Result<Vec<SocketAddr>> {
    let port = endpoint.port();
    if let Ok(ip) = endpoint.host().parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    let host = endpoint.host().to_owned();
    thread::Builder::new().name("resolve".to_owned()).spawn(move || {
        let addresses = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
        // Nobody is left to hear where the deadline has passed.
        let _ = sender.send(addresses);
    })?;
    let answer = receiver.recv_timeout(left(deadline, ErrorKind::TimedOut)?);
    answer.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

/// A connection to the first address that takes one.
fn connect_any(addresses: &[SocketAddr], deadline: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::new(ErrorKind::NotFound, "the host has no address");
    for (index, address) in addresses.iter().enumerate() {
        // An address that does not answer leaves time for the others.
        let share = left(deadline, ErrorKind::TimedOut)? / (addresses.len() - index) as u32;
        match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
            Ok(tcp) => return Ok(tcp),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use rustls::pki_types::PrivateKeyDer;
    use rustls::{ServerConfig, ServerConnection};

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// A server on the loopback interface that echoes two bytes; where it is, and whom to trust.
    fn server() -> (Endpoint, Arc<ClientConfig>, JoinHandle<io::Result<()>>) {
        let names = vec!["localhost".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("the name is a name");
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).expect("it is a certificate");
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("they are known");
        let builder = builder.with_no_client_auth();
        let config = builder.with_single_cert(vec![made.cert.der().clone()], key);
        let session = ServerConnection::new(Arc::new(config.expect("the key fits")));
        let session = session.expect("the configuration is whole");
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let endpoint = format!("wss://localhost:{port}").parse().expect("it is a URL");
        let thread = thread::spawn(move || {
            let mut stream = StreamOwned::new(session, listener.accept()?.0);
            let mut bytes = [0; 2];
            stream.read_exact(&mut bytes)?;
            stream.write_all(&bytes)?;
            // Until the client hangs up.
            stream.read_to_end(&mut Vec::new()).map(drop)
        });
        (endpoint, trust(roots), thread)
    }

    #[test]
    fn encrypted_streams_carry_bytes_until_their_deadline() {
        let (endpoint, trust, thread) = server();
        let deadline = Instant::now() + MINUTE;
        let stream = Stream::connect_trusting(&endpoint, deadline, &Stop::default(), &trust);
        let mut stream = stream.expect("the server listens");
        stream.write_all(b"ab").and_then(|()| stream.flush()).expect("the server reads");
        let mut bytes = [0; 2];
        stream.read_exact(&mut bytes).expect("the server echoes");
        assert_eq!(bytes, *b"ab");
        stream.set_deadline(Instant::now() + Duration::from_millis(5));
        let error = stream.read(&mut bytes).expect_err("the server is silent");
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        drop(stream);
        // It complains that nobody said goodbye.
        let _: io::Result<()> = thread.join().expect("the server does not panic");
    }

    #[test]
    fn a_certificate_that_nobody_vouches_for_is_refused() {
        let (endpoint, _, thread) = server();
        let stream = Stream::connect(&endpoint, Instant::now() + MINUTE, &Stop::default());
        let mut stream = stream.expect("the server listens");
        let error = stream.write_all(b"ab").and_then(|()| stream.read_exact(&mut [0; 2]));
        let error = error.expect_err("its issuer is unknown").to_string();
        assert!(error.contains("UnknownIssuer"), "{error}");
        drop(stream);
        assert!(thread.join().expect("the server does not panic").is_err());
    }

    #[test]
    fn nothing_waits_past_its_deadline() {
        let past = Instant::now();
        let refused = |url: &str| {
            let endpoint = url.parse().expect("it is a URL");
            let Err(error) = Stream::connect(&endpoint, past, &Stop::default()) else {
                panic!("{url} was connected to")
            };
            assert_eq!(error.kind(), ErrorKind::TimedOut, "{url}");
        };
        refused("ws://127.0.0.1:1");
        refused("ws://localhost:1");
    }
}
