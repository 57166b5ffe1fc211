//! Disks that fail: what was learned is told, and what was saved before stays as it is.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use gating_core::Checkpoint;
use serde_json::{Value, json};

use crate::fixture::{Place, Run, place};

const LEARN: [&str; 7] = ["learn", "--message", "hi", "--uids", "1,2", "--rewards", "0,1"];
const STATE: [&str; 4] = ["--checkpoint", "state", "--format", "json"];

/// Events in lines, the last of them bad where that is wanted.
fn log(events: usize, is_last_bad: bool) -> String {
    let event = |index: usize| {
        let uids = [index % 8, (index + 3) % 8];
        format!("{}\n", json!({"prompt": "who can prove it", "uids": uids, "rewards": [0.5, 0.25]}))
    };
    let bad = if is_last_bad { "no event\n" } else { "" };
    (0..events).map(event).collect::<String>() + bad
}

/// A place with a checkpoint of one step.
fn begun() -> Place {
    let place = place();
    assert_eq!(place.run_tiny(&[&LEARN[..], &STATE].concat()).code, Some(0));
    place
}

/// What the next checkpoint is written to, before it gets its name.
fn partial(place: &Place) -> PathBuf {
    place.path().join("state/partial")
}

/// The step of the checkpoint, and the bytes of its file.
fn saved(place: &Place) -> (u64, Vec<u8>) {
    let state = place.path().join("state");
    let latest = fs::read_to_string(state.join("latest")).expect("it was written");
    let bytes = fs::read(state.join(latest.trim_end())).expect("it was written");
    (Checkpoint::read(&state).expect("it is whole").step(), bytes)
}

/// Checks that a command failed to save and said so, and that nothing it found was changed.
fn check_unsaved(place: &Place, run: &Run, before: &(u64, Vec<u8>), cause: &str) {
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!(run.error()["kind"], json!("checkpoint"), "{run:?}");
    let causes = run.error()["causes"].to_string();
    assert!(causes.contains(cause), "{cause}: {causes}");
    assert!(saved(place) == *before, "the checkpoint is what it was");
    let verify = place.run(&["checkpoint", "verify", "state"]);
    assert_eq!(verify.code, Some(0), "{verify:?}");
}

fn replay(place: &Place, log: &str, more: &[&str]) -> Run {
    place.run(&[&["replay", log][..], &STATE, more].concat())
}

/// The lines of steps, and the summary behind them.
fn steps(run: &Run) -> (usize, Value) {
    let last = run.stdout.lines().last().expect("there is a summary");
    let summary: Value = serde_json::from_str(last).expect("every line of stdout is JSON");
    (run.stdout.lines().count() - 1, summary["summary"].clone())
}

/// Linux has a file that no byte fits into.
#[cfg(target_os = "linux")]
fn fill_disk(place: &Place) {
    symlink("/dev/full", partial(place)).expect("the folder is ours");
}

#[cfg(target_os = "linux")]
#[test]
fn a_step_for_which_there_is_no_space_can_be_taken_again() {
    let place = begun();
    let before = saved(&place);
    fill_disk(&place);
    let run = place.run(&[&LEARN[..], &STATE].concat());
    check_unsaved(&place, &run, &before, "No space left on device");
    assert!(!partial(&place).exists(), "what could not be finished takes no space");
    let again = &place.run(&[&LEARN[..], &STATE].concat()).json()[0];
    assert_eq!((&again["step"], saved(&place).0), (&json!(2), 2));
}

#[cfg(target_os = "linux")]
#[test]
fn a_replay_goes_on_until_there_is_space_again() {
    let (place, whole) = (begun(), begun());
    let log = log(20, false);
    let [path, other] = [&place, &whole].map(|place| place.write("plain.jsonl", &log));
    fill_disk(&place);
    let run = replay(&place, &path, &["--save-every", "5"]);
    assert_eq!((run.code, run.stderr.matches("No space left on device").count()), (Some(0), 1));
    assert!(run.stderr.contains("going on without a save"), "{run:?}");
    assert_eq!(replay(&whole, &other, &[]).code, Some(0));
    let [found, expected] =
        [&place, &whole].map(|place| Checkpoint::read(&place.path().join("state")));
    let (found, expected) = (found.expect("it is whole"), expected.expect("it is whole"));
    assert_eq!(found.step(), 21);
    assert!((0..8u16).all(|uid| found.has_same_row(&expected, uid.into())));
}

/// What cannot be saved at the end is told, whatever else there is to tell.
#[test]
fn a_replay_that_cannot_save_reports_what_it_learned() {
    let place = begun();
    let before = saved(&place);
    fs::create_dir(partial(&place)).expect("the folder is ours");
    let path = place.write("plain.jsonl", &log(20, false));
    let run = replay(&place, &path, &["--save-every", "5"]);
    check_unsaved(&place, &run, &before, "directory");
    let (count, summary) = steps(&run);
    assert_eq!((count, &summary["steps"]), (20, &json!(20)), "{run:?}");
    let warnings = run.stderr.matches("going on without a save").count();
    assert_eq!(warnings, 1, "it is said once: {run:?}");

    let path = place.write("bad.jsonl", &log(20, true));
    let run = replay(&place, &path, &["--strict"]);
    assert_eq!((run.code, run.error()["kind"].clone()), (Some(1), json!("input")), "{run:?}");
    assert!(run.stderr.contains("what was learned is not saved: cannot access"), "{run:?}");
    assert!(saved(&place) == before);
}

/// Makes a folder read-only, or any other mode; false where this user may write all the same.
fn set_mode(folder: &Path, mode: u32) -> bool {
    fs::set_permissions(folder, fs::Permissions::from_mode(mode)).expect("the folder is ours");
    let probe = folder.join("probe");
    let is_writable = fs::write(&probe, "").is_ok();
    let _ = fs::remove_file(probe);
    !is_writable
}

#[test]
fn a_read_only_folder_is_told_and_can_be_read() {
    let place = begun();
    let (before, state) = (saved(&place), place.path().join("state"));
    if set_mode(&state, 0o555) {
        let run = place.run(&[&LEARN[..], &STATE].concat());
        check_unsaved(&place, &run, &before, "ermission denied");
        let path = place.write("plain.jsonl", &log(20, false));
        let run = replay(&place, &path, &["--save-every", "5"]);
        check_unsaved(&place, &run, &before, "ermission denied");
        assert_eq!(steps(&run).0, 20, "{run:?}");
        for command in [&["score", "hi"][..], &["checkpoint", "show"]] {
            assert_eq!(place.run(&[command, &STATE].concat()).code, Some(0), "{command:?}");
        }
    } else {
        eprintln!("nothing is read-only for this user: the folder stays as it is");
    }
    set_mode(&state, 0o755);
}
