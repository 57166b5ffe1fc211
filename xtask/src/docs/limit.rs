//! A command that has to end in time.

#[cfg(unix)]
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// How long it may take until killed processes are gone.
const GRACE: Duration = Duration::from_secs(30);

/// What a command prints until it and all that hold its output have ended; nothing where that was not
/// within the limit: then it was killed with the rest of its group. What it began and sent elsewhere with
/// its output is not waited for.
///
/// Who interrupts this program does not reach the group: what runs in it then goes on without a limit.
pub(super) fn output(command: &mut Command, limit: Duration) -> Result<Option<Output>> {
    // A group of their own, so that they can be killed together.
    #[cfg(unix)]
    command.process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().with_context(|| format!("cannot run {command:?}"))?;
    let group = child.id();
    let (sender, receiver) = mpsc::channel();
    // Nobody listens any more to one that could not be killed.
    thread::spawn(move || sender.send(child.wait_with_output()).ok());
    if let Ok(output) = receiver.recv_timeout(limit) {
        return Ok(Some(output?));
    }
    kill(group)?;
    // Its output ends with the last process that writes to it.
    receiver.recv_timeout(GRACE).with_context(|| format!("{command:?} could not be killed"))??;
    Ok(None)
}

/// Kills a group of processes; it is no error that they have ended meanwhile.
fn kill(group: u32) -> Result<()> {
    let mut kill = Command::new("sh");
    kill.args(["-c", &format!("kill -s KILL -- -{group}")]).stderr(Stdio::null());
    kill.status().context("cannot run `sh` to kill a command")?;
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Option<Output> {
        output(Command::new("sh").args(["-ec", script]), limit).expect("there is a shell")
    }

    #[test]
    fn what_ends_in_time_is_kept() {
        let output = shell("echo out; echo error >&2; exit 3", GRACE).expect("it ends");
        assert_eq!(
            (output.stdout.as_slice(), output.stderr.as_slice()),
            (&b"out\n"[..], &b"error\n"[..])
        );
        assert_eq!(output.status.code(), Some(3));
    }

    /// It returns only when all that hold the output have ended: also what the shell left behind.
    #[test]
    fn what_does_not_end_is_killed_with_all_that_it_began() {
        let limit = Duration::from_millis(50);
        assert_eq!(shell("sleep 600", limit), None);
        assert_eq!(shell("(sleep 600; true) & sleep 600", limit), None);
        assert_eq!(shell("sleep 600 & exit", limit), None);
    }
}
