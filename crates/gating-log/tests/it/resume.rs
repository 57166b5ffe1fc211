//! Reading that goes on where it stopped.

use std::fs;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gating_log::{EventLog, Position, Record};

use crate::fixture::{describe, event, log, read};

const TABLE: &str =
    "prompt,uids,rewards\none,[1],[2]\n\"two\nlines\",[1],[2]\nthree,[1],[2]\nbad\n";

/// Stops behind every entry, and reads the rest with another reader.
fn check(text: &str, count: usize) {
    let whole: Vec<_> = log(text).map(|entry| entry.expect("it can be read")).collect();
    assert_eq!(whole.len(), count);
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let path = folder.path().join("log");
    fs::write(&path, text).expect("the folder can be written to");
    let (ends, all): (Vec<Position>, Vec<String>) =
        whole.into_iter().map(|entry| (entry.end, describe(entry.record))).unzip();
    let starts = [Position::default()].into_iter().chain(ends);
    for (index, start) in starts.enumerate() {
        let (mut stream, mut file) = (log(text), EventLog::open(&path).expect("it was written"));
        stream.skip_to(start).expect("it is as long as it was");
        file.skip_to(start).expect("it is as long as it was");
        assert_eq!(read(stream), all[index..], "from entry {index} of a stream");
        assert_eq!(read(file), all[index..], "from entry {index} of a file");
    }
}

#[test]
fn the_rest_is_the_same_from_everywhere() {
    let text = [&event("one"), "noise\n", "\n", &event("two"), &event("three")].concat();
    check(&text, 4);
    check(TABLE, 4);
    let long: String = (0..200).map(|index| event(&format!("prompt {index}"))).collect();
    check(&long, 200);
}

#[test]
fn lines_are_counted_on() {
    let mut rest = log(TABLE);
    let entry = rest.nth(1).expect("there are more").expect("it can be read");
    assert_eq!((entry.line, entry.end), (3, Position { offset: 52, lines: 4 }));
    let mut again = log(TABLE);
    again.skip_to(entry.end).expect("it is as long as it was");
    assert_eq!(again.next().and_then(Result::ok).map(|entry| entry.line), Some(5));
}

#[test]
fn an_unfinished_line_is_read_again_when_it_is_whole() {
    let (one, two) = (event("one"), event("two"));
    let earlier = format!("{one}{}", &two[..20]);
    let last = log(earlier.as_str()).last().expect("there are lines").expect("it can be read");
    assert!(matches!(last.record, Record::Unfinished(_)), "{last:?}");
    let mut later = log([one, two, event("three")].concat());
    let fingerprint = log(earlier).fingerprint();
    assert!(later.has(&fingerprint).expect("it can be read"));
    later.skip_to(last.end).expect("it has grown");
    assert_eq!(read(later), ["two", "three"]);
}

#[test]
fn a_log_is_known_by_its_start() {
    let long: String = (0..500).map(|index| event(&format!("prompt {index}"))).collect();
    let first = log(long.as_str()).fingerprint();
    assert_eq!(first.length, 4096);
    let has = |text: String| log(text).has(&first).expect("it can be read");
    assert!(has(format!("{long}{}", event("more"))));
    assert!(!has(long[1..].to_owned()));
    assert!(!has(long[..4000].to_owned()), "it was cut");
    let error = log(event("one")).skip_to(Position { offset: 1000, lines: 9 });
    let error = error.expect_err("it is shorter").to_string();
    assert_eq!(error, "expected at least 1000 bytes, found 58");
}

/// A pipe that gives one line at a time, and fails where another is asked for too early.
struct Pipe {
    lines: Vec<String>,
    given: usize,
    allowed: Arc<AtomicUsize>,
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(line) = self.lines.get_mut(self.given) else { return Ok(0) };
        if self.given >= self.allowed.load(Ordering::Relaxed) {
            return Err(io::Error::other("nobody would write this line yet"));
        }
        let count = line.as_bytes().read(buffer)?;
        line.drain(..count);
        self.given += usize::from(line.is_empty());
        Ok(count)
    }
}

/// Who writes a line may wait for an answer to it.
#[test]
fn a_pipe_is_read_no_further_than_asked_for() {
    let lines: Vec<String> = (0..200).map(|index| event(&format!("prompt {index}"))).collect();
    let allowed = Arc::new(AtomicUsize::new(1));
    let pipe = || Pipe { lines: lines.clone(), given: 0, allowed: Arc::clone(&allowed) };
    let mut log = EventLog::from_reader(pipe()).expect("the first line is there");
    let fingerprint = log.fingerprint();
    assert_eq!(fingerprint.length, lines[0].len() as u64);
    for index in 0..200 {
        allowed.store(index + 1, Ordering::Relaxed);
        let entry = log.next().expect("there are more").expect("no later line is asked for");
        assert_eq!(describe(entry.record), format!("prompt {index}"));
    }
    assert!(log.next().is_none());

    // The longer start of a pipe that came at once is waited for.
    let whole = self::log(lines.concat()).fingerprint();
    assert_eq!(whole.length, 4096);
    for known in [&fingerprint, &whole] {
        let mut log = EventLog::from_reader(pipe()).expect("the first line is there");
        assert!(log.has(known).expect("it can be read"), "{known:?}");
        assert_eq!(read(log).len(), 200);
        let mut rest = EventLog::from_reader(pipe()).expect("the first line is there");
        assert!(rest.has(known).expect("it can be read"), "{known:?}");
        let offset = lines[..150].iter().map(String::len).sum::<usize>() as u64;
        rest.skip_to(Position { offset, lines: 150 }).expect("it is as long");
        assert_eq!(read(rest)[0], "prompt 150");
    }
}
