//! Asks the participants in turn, round after round, so that a drift of the clock hits all alike.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::machine;
use super::participant::{Answer, Participant, Peer};
use super::rows::{Case, Kind, Row};
use super::setup::Stage;
use crate::{files, workspace};

/// For how long a participant repeats a case, once a round.
const SECONDS: f64 = 0.3;

/// What a participant waits before it is asked: until the threads of the one before, which look for
/// more work for a while, sleep.
const PAUSE: Duration = Duration::from_millis(100);

/// What was measured for a row.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) row: Row,
    /// For each participant and each case, the seconds of every round.
    pub(super) seconds: BTreeMap<Peer, Vec<Vec<f64>>>,
    /// How far each participant's numbers are from PyTorch's.
    pub(super) differences: BTreeMap<Peer, f64>,
}

impl Measured {
    /// The seconds of every round for the first case; none for one who does not take part.
    pub(super) fn of(&self, peer: Peer) -> &[f64] {
        self.seconds.get(&peer).and_then(|cases| cases.first()).map_or(&[], Vec::as_slice)
    }
}

/// What the participants said.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Names and versions of what was compared.
    pub(super) versions: Vec<(String, String)>,
    pub(super) measured: Vec<Measured>,
}

/// Those who are running, started when they are first asked.
struct Running<'a> {
    stage: &'a dyn Stage,
    participants: BTreeMap<Peer, Participant>,
}

impl Running<'_> {
    fn get(&mut self, peer: Peer) -> Result<&mut Participant> {
        if !self.participants.contains_key(&peer) {
            self.participants.insert(peer, self.stage.start(peer)?);
        }
        Ok(self.participants.get_mut(&peer).expect("it was started above"))
    }

    fn ask(&mut self, peer: Peer, case: &Case, seconds: Option<f64>) -> Result<Answer> {
        match case {
            Case::Start { message } => {
                let command = self.stage.first_score(peer, message);
                first_line(&mut command.context("here, no process is timed from its start")?)
            }
            _ => self.get(peer)?.ask(&case.request(seconds)),
        }
    }
}

/// Checks every row once and then measures it in every round. The tellers are asked for versions.
pub(super) fn run(
    stage: &dyn Stage,
    tellers: &[Peer],
    rows: Vec<Row>,
    rounds: usize,
) -> Result<Outcome> {
    let mut running = Running { stage, participants: BTreeMap::new() };
    let mut versions = Vec::new();
    for peer in tellers {
        versions.extend(running.get(*peer)?.versions()?);
    }
    let lock = files::read_text(&workspace::root().join("Cargo.lock"))?;
    versions.extend(machine::locked(&lock, "burn").map(|version| ("burn".to_owned(), version)));
    let check = |row| check(&mut running, row);
    let mut measured: Vec<Measured> = rows.into_iter().map(check).collect::<Result<_>>()?;
    for round in 0..rounds {
        for row in &mut measured {
            measure(&mut running, row, round)?;
            println!("round {} of {rounds}, {}", round + 1, summary(row));
        }
    }
    Ok(Outcome { versions, measured })
}

/// Runs every case of a row once, which loads and warms what it needs, and compares what came out.
fn check(running: &mut Running<'_>, row: Row) -> Result<Measured> {
    let (mut seconds, mut differences) = (BTreeMap::new(), BTreeMap::new());
    for &peer in &row.peers {
        seconds.insert(peer, vec![Vec::new(); row.cases.len()]);
    }
    for case in &row.cases {
        let mut expected = None;
        for &peer in &row.peers {
            let answer = running.ask(peer, case, None)?;
            check_tokens(&row, case, peer, &answer)?;
            let Some(values) = answer.values else { continue };
            let expected = expected.get_or_insert_with(|| values.clone());
            let found = difference(expected, &values).with_context(|| {
                format!("{peer} and others differ in how many numbers they give")
            })?;
            ensure!(
                found <= row.tolerance,
                "{}: {peer} differs from {} by {found:.1e} of the largest number, expected at most \
                 {:.0e}",
                row.name,
                row.peers[0],
                row.tolerance
            );
            let worst = differences.entry(peer).or_insert(0.0);
            *worst = found.max(*worst);
        }
    }
    let measured = Measured { row, seconds, differences };
    println!("checked {}", differences_line(&measured));
    Ok(measured)
}

/// How far each participant is from PyTorch, in one line.
fn differences_line(measured: &Measured) -> String {
    let cell = |(peer, difference): (&Peer, &f64)| format!(", {peer} differs by {difference:.1e}");
    let cells: Vec<String> = measured.differences.iter().map(cell).collect();
    format!("{}{}", measured.row.name, cells.concat())
}

/// Refuses an answer for another number of tokens than the row is about.
fn check_tokens(row: &Row, case: &Case, peer: Peer, answer: &Answer) -> Result<()> {
    let is_first = row.cases.first().is_some_and(|first| std::ptr::eq(first, case));
    let expected = match row.kind {
        Kind::Encode { tokens, .. } | Kind::Gpu { tokens, .. } => tokens,
        Kind::Mixed { tokens, .. } if is_first => tokens,
        Kind::Mixed { single, .. } => single,
        _ => return Ok(()),
    };
    let found = answer.tokens.unwrap_or(expected as u64);
    ensure!(found == expected as u64, "{}: {peer} took {found} tokens, not {expected}", row.name);
    Ok(())
}

/// The largest difference as a share of the largest expected number; none for lists of other
/// lengths, or that hold no number.
fn difference(expected: &[f64], found: &[f64]) -> Option<f64> {
    let largest = expected.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let apart = |(expected, found): (&f64, &f64)| (expected - found).abs() / largest;
    let same = expected.len() == found.len() && largest > 0.0;
    let apart = expected.iter().zip(found).map(apart);
    same.then(|| apart.fold(0.0, f64::max))
}

/// Asks every participant of a row once; another one begins in each round.
fn measure(running: &mut Running<'_>, measured: &mut Measured, round: usize) -> Result<()> {
    let peers = measured.row.peers.clone();
    for turn in 0..peers.len() {
        let peer = peers[(turn + round) % peers.len()];
        thread::sleep(PAUSE);
        for (index, case) in measured.row.cases.iter().enumerate() {
            let answer = running.ask(peer, case, Some(SECONDS))?;
            let cases = measured.seconds.get_mut(&peer).expect("every peer got its lists above");
            cases[index].push(answer.median);
        }
    }
    Ok(())
}

/// The last round of a row in one line.
fn summary(measured: &Measured) -> String {
    let last = |peer: &Peer| measured.of(*peer).last().copied();
    let cell = |peer| Some(format!("{peer} {:.2} ms", last(peer)? * 1e3));
    let cells: Vec<String> = measured.row.peers.iter().filter_map(cell).collect();
    format!("{}: {}", measured.row.name, cells.join(", "))
}

/// The seconds from the start of a process to the first line that it prints.
fn first_line(command: &mut Command) -> Result<Answer> {
    let start = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take().expect("stdout was piped above");
    let mut stdout = BufReader::new(stdout);
    let mut line = String::new();
    let read = stdout.read_line(&mut line);
    let median = start.elapsed().as_secs_f64();
    // It may have more to say, which nobody waits for on a full pipe.
    let rest = std::io::copy(&mut stdout, &mut std::io::sink());
    let status = child.wait()?;
    read.and(rest.map(|_| 0))?;
    ensure!(status.success() && !line.is_empty(), "{command:?} ended with {status}");
    Ok(Answer { median, tokens: None, values: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_shares_of_the_largest_number() {
        let check = |expected: &[f64], found: &[f64], share: Option<f64>| {
            assert_eq!(difference(expected, found), share, "{found:?} for {expected:?}");
        };
        check(&[1.0, -2.0], &[1.0, -2.0], Some(0.0));
        check(&[1.0, -2.0], &[1.5, -2.0], Some(0.25));
        check(&[1.0, -2.0], &[1.0], None);
        check(&[0.0], &[0.0], None);
    }

    #[cfg(unix)]
    #[test]
    fn a_process_is_timed_to_its_first_line() {
        let answer = first_line(Command::new("sh").args(["-c", "echo 0.5; echo more"]));
        assert!(answer.expect("sh echoes").median > 0.0);
        let error = first_line(Command::new("sh").args(["-c", "exit 3"]));
        assert!(error.expect_err("it prints nothing").to_string().ends_with("exit status: 3"));
    }
}
