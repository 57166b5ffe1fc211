//! Checkpoints: round trips, going on, and damaged files.

use std::error::Error as _;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use gating_core::{
    BaseGatingModel, Checkpoint, CheckpointFolder, Error, Gate, GateConfig, GradientMode, Rewards,
};

use crate::fixture::{Numbers, gate_with, metagraph, uids};

const FILE: &str = "checkpoint-00000001.safetensors";

fn learned(gradient: GradientMode) -> Gate<Numbers> {
    let config = GateConfig { num_uids: 5, learning_rate: 0.5, gradient, ..GateConfig::default() };
    let gate = gate_with(config);
    gate.attach(&metagraph(7, [1, 2, 3, 4, 5])).expect("the first metagraph");
    step(&gate, 3);
    gate.follow(&metagraph(8, [1, 9, 3, 4, 5])).expect("a newer metagraph");
    step(&gate, 3);
    gate
}

fn step(gate: &Gate<Numbers>, steps: usize) {
    for _ in 0..steps {
        let scores = gate.forward("1 0 0.5").expect("3 numbers");
        let rewards = Rewards::new(uids([0, 1, 3]), vec![0.0, 1.0, 0.25]).expect("3 uids");
        gate.backward(&scores, &rewards).expect("the uids have scores");
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("there is a folder for temporary files")
}

fn write(path: &Path, checkpoint: &Checkpoint) {
    let folder = CheckpointFolder::open(path).expect("nobody else writes there");
    folder.write(checkpoint).expect("the folder can be written to");
}

#[test]
fn a_restored_model_goes_on_exactly() {
    for gradient in [GradientMode::Accumulate, GradientMode::PerStep] {
        let (folder, gate) = (folder(), learned(gradient));
        let mut checkpoint = gate.checkpoint().expect("the CPU does not fail");
        checkpoint.notes.insert("why".to_owned(), "a \"test\"".to_owned());
        let checkpoint = checkpoint.with_progress("day.log: 1200 lines");
        write(folder.path(), &checkpoint);
        let read = Checkpoint::read(folder.path()).expect("it was just written");
        assert_eq!(read, checkpoint);

        let restored = Gate::restore(Numbers::new(3), read).expect("the same encoder");
        for gate in [&gate, &restored] {
            step(gate, 4);
            gate.follow(&metagraph(9, [6, 9, 3, 4, 5, 7])).expect("a newer metagraph");
            step(gate, 4);
        }
        let [expected, found] = [&gate, &restored].map(|gate| gate.checkpoint());
        assert_eq!(found.expect("no device error"), expected.expect("no device error"));
    }
}

#[test]
fn another_encoder_is_refused() {
    let checkpoint = learned(GradientMode::Accumulate).checkpoint().expect("no device error");
    let other = Numbers::new(3).with_id("letters");
    let error = Gate::restore(other, checkpoint).expect_err("another encoder");
    assert_eq!(
        error.to_string(),
        "the checkpoint was taken with encoder `numbers`, found `letters`"
    );
}

#[test]
fn one_process_writes_at_a_time() {
    let folder = folder();
    let first = CheckpointFolder::open(folder.path()).expect("nobody else writes there");
    let second = CheckpointFolder::open(folder.path());
    assert!(matches!(second, Err(Error::CheckpointInUse { .. })), "{second:?}");
    drop(first);
    assert!(CheckpointFolder::open(folder.path()).is_ok());
}

/// In a folder that was mistyped, it may be somebody's.
#[test]
fn a_file_named_lock_keeps_its_content() {
    let folder = folder();
    let lock = folder.path().join("lock");
    std::fs::write(&lock, "theirs").expect("the folder can be written to");
    CheckpointFolder::open(folder.path()).expect("nobody else writes there");
    assert_eq!(std::fs::read(&lock).expect("it is there"), b"theirs");
}

#[test]
fn a_folder_without_a_checkpoint_says_so() {
    let folder = folder();
    let missing = Checkpoint::read(&folder.path().join("missing"));
    assert!(matches!(missing, Err(Error::NoCheckpoint { .. })), "{missing:?}");
    let empty = CheckpointFolder::open(folder.path()).and_then(|folder| folder.read());
    assert!(matches!(empty, Ok(None)), "{empty:?}");
}

/// Cut anywhere, or with any bit of any byte flipped, a checkpoint is refused or unchanged.
#[test]
fn damage_is_always_found() {
    let folder = folder();
    let checkpoint = learned(GradientMode::Accumulate).checkpoint().expect("no device error");
    write(folder.path(), &checkpoint);
    let path = folder.path().join(FILE);
    let whole = fs::read(&path).expect("it was just written");
    let read = |bytes: &[u8]| {
        fs::write(&path, bytes).expect("the folder can be written to");
        Checkpoint::read(folder.path())
    };
    for length in 0..whole.len() {
        assert!(read(&whole[..length]).is_err(), "cut at {length}");
    }
    for index in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[index] ^= 1 << (index % 8);
        if let Ok(found) = read(&damaged) {
            assert_eq!(found, checkpoint, "byte {index}");
        }
    }
}

#[test]
fn each_kind_of_damage_has_its_own_message() {
    let folder = folder();
    let checkpoint = learned(GradientMode::PerStep).checkpoint().expect("no device error");
    write(folder.path(), &checkpoint);
    let path = folder.path().join(FILE);
    let whole = fs::read(&path).expect("it was just written");
    let check = |bytes: &[u8], expected: &str| {
        fs::write(&path, bytes).expect("the folder can be written to");
        let error = Checkpoint::read(folder.path()).expect_err("the file is damaged");
        assert!(error.to_string().ends_with("cannot be used"), "{error}");
        let source = error.source().expect("it says why").to_string();
        assert!(source.contains(expected), "{source}");
    };
    let replace = |from: &str, to: &str| {
        let at = whole.windows(from.len()).position(|window| window == from.as_bytes());
        let at = at.unwrap_or_else(|| panic!("the file holds {from}"));
        [&whole[..at], to.as_bytes(), &whole[at + from.len()..]].concat()
    };
    check(&whole[..whole.len() / 2], "it is not a whole safetensors file");
    check(&whole[..20], "it is not a whole safetensors file");
    check(&replace("gating-checkpoint", "gating-checkpaint"), "without `gating-checkpoint`");
    check(&replace("version\\\":2", "version\\\":3"), "expected version 2 of the format, found 3");
    check(&replace("\\\"step\\\":6", "\\\"step\\\":7"), "expected checksum");
    check(&replace("\\\"momentum\\\":0", "\\\"momentum\\\":7"), "its settings cannot work");
    check(
        &replace("\"velocity.bias\"", "\"velocitY.bias\""),
        "tensor `velocity.bias` should be F32 [5]",
    );
    check(&replace("\\\"notes\\\"", "\\\"nodes\\\""), "its state is not what version 2");
    let mut last = whole.clone();
    *last.last_mut().expect("the file is not empty") ^= 1;
    check(&last, "expected checksum");
}

/// The names in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("it can be listed").file_name();
    let mut names: Vec<String> =
        entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn the_last_checkpoints_are_kept_and_the_newest_is_read() {
    let (folder, gate) = (folder(), learned(GradientMode::PerStep));
    let writer = CheckpointFolder::open(folder.path()).expect("nobody else writes there");
    let writer = writer.keep(NonZeroUsize::new(2).expect("2 is not 0"));
    for _ in 0..4 {
        step(&gate, 1);
        writer.write(&gate.checkpoint().expect("no device error")).expect("it can be written to");
    }
    let expected =
        ["checkpoint-00000003.safetensors", "checkpoint-00000004.safetensors", "latest", "lock"];
    assert_eq!(names(folder.path()), expected);
    let newest = Checkpoint::read(folder.path()).expect("it was just written");
    assert_eq!(newest, gate.checkpoint().expect("no device error"));
}

/// What is newer than the pointer says was never finished.
#[test]
fn the_pointer_decides_what_is_newest() {
    let (folder, gate) = (folder(), learned(GradientMode::PerStep));
    let mut checkpoints = Vec::new();
    for _ in 0..2 {
        step(&gate, 1);
        checkpoints.push(gate.checkpoint().expect("no device error"));
        write(folder.path(), checkpoints.last().expect("there is one"));
    }
    let point_to = |text: &str| {
        fs::write(folder.path().join("latest"), text).expect("the folder can be written to");
    };
    point_to("checkpoint-00000001.safetensors\n");
    assert_eq!(Checkpoint::read(folder.path()).expect("it is whole"), checkpoints[0]);
    write(folder.path(), &checkpoints[0]);
    let second = fs::read(folder.path().join("checkpoint-00000002.safetensors"));
    assert_eq!(second.expect("it is there"), fs::read(folder.path().join(FILE)).expect("so is it"));

    let check = |expected: &str| {
        let error = Checkpoint::read(folder.path()).expect_err("the pointer is wrong");
        assert_eq!(error.source().expect("it says why").to_string(), expected);
    };
    point_to("checkpoint-2.safetensors");
    check("expected the name of a checkpoint, found `checkpoint-2.safetensors`");
    point_to("../elsewhere\n");
    check("expected the name of a checkpoint, found `../elsewhere\\n`");
    point_to("checkpoint-00000007.safetensors\n");
    check("it is not there, but `latest` names it");
    fs::remove_file(folder.path().join("latest")).expect("the folder can be written to");
    check("it is not there, but checkpoints are, 2 in number");
    fs::remove_file(folder.path().join(FILE)).expect("the folder can be written to");
    check("it is not there, but checkpoints are, 1 in number");
}

/// A first write that ended before the pointer was there has left a whole checkpoint.
#[test]
fn the_first_checkpoint_needs_no_pointer() {
    let (folder, gate) = (folder(), learned(GradientMode::PerStep));
    let checkpoint = gate.checkpoint().expect("no device error");
    write(folder.path(), &checkpoint);
    fs::remove_file(folder.path().join("latest")).expect("the folder can be written to");
    assert_eq!(Checkpoint::read(folder.path()).expect("it is whole"), checkpoint);
}
