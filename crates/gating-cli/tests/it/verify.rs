//! `gating model verify`, on models that are whole and on damaged ones.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::fixture::{Place, Run, place, tiny};

const FILES: [&str; 4] =
    ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"];

/// Copies a committed model to a folder, and changes a file of it.
fn copy(place: &Place, file: &str, change: impl Fn(&mut Vec<u8>)) -> String {
    let folder = place.path().join("model");
    fs::create_dir_all(&folder).expect("the folder can be written to");
    for name in FILES {
        let mut bytes = fs::read(Path::new(&tiny("tiny-bert")).join(name)).expect("it is there");
        if name == file {
            change(&mut bytes);
        }
        fs::write(folder.join(name), bytes).expect("the folder can be written to");
    }
    folder.to_str().expect("the path is UTF-8").to_owned()
}

fn verify(place: &Place, model: &str) -> Run {
    place.run(&["model", "verify", model, "--format", "json"])
}

#[test]
fn a_whole_model_is_loaded_and_used() {
    let place = place();
    for (name, network, pooling) in
        [("tiny-bert", "bert", "sentence:bert:"), ("tiny-gpt2", "gpt2", "last-token:gpt2:")]
    {
        let line = &verify(&place, &tiny(name)).json()[0];
        assert_eq!((&line["network"], &line["checksums"]), (&json!(network), &json!(0)));
        assert_eq!(line["hidden_size"], json!(if network == "bert" { 32 } else { 36 }));
        let encoder = line["encoder"].as_str().unwrap_or_default();
        assert!(encoder.starts_with(pooling), "{line}");
    }
    let text = place.run(&["model", "verify", &tiny("tiny-bert")]).stdout;
    assert!(text.contains("tiny-bert is whole"), "{text}");
}

#[test]
fn a_damaged_model_says_what_is_wrong() {
    let place = place();
    let check = |file: &str, change: fn(&mut Vec<u8>), expected: &str| {
        let run = verify(&place, &copy(&place, file, change));
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");
        assert_eq!(run.error()["kind"], json!("model"), "{run:?}");
        assert!(run.stderr.contains(expected), "{run:?}");
    };
    let weights = "model.safetensors";
    check(weights, |bytes| bytes.truncate(bytes.len() / 2), "is not a whole safetensors file");
    check("tokenizer.json", |bytes| bytes.truncate(100), "is not a tokenizer");
    // Weights of which every bit is set are no numbers.
    let spoil = |bytes: &mut Vec<u8>| {
        let header = u64::from_le_bytes(bytes[..8].try_into().expect("it has a header"));
        bytes[8 + header as usize..].fill(0xff);
    };
    check(weights, spoil, "an embedding holds NaN, expected finite numbers");
}

/// A model in the cache of hub tools, whose files are links to contents named by their checksums.
#[cfg(unix)]
#[test]
fn what_the_hub_gave_is_compared_with_its_checksums() {
    use std::os::unix::fs::symlink;

    use sha2::{Digest, Sha256};

    let place = place();
    let repo = place.path().join(".cache/huggingface/hub/models--org--name");
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let snapshot = repo.join("snapshots").join(commit);
    for folder in [snapshot.clone(), repo.join("blobs"), repo.join("refs")] {
        fs::create_dir_all(folder).expect("the folder can be written to");
    }
    fs::write(repo.join("refs/main"), commit).expect("the folder can be written to");
    for name in FILES {
        let bytes = fs::read(Path::new(&tiny("tiny-bert")).join(name)).expect("it is there");
        let hash = Sha256::digest(&bytes);
        let etag: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        fs::write(repo.join("blobs").join(&etag), bytes).expect("the folder can be written to");
        let target = Path::new("../../blobs").join(etag);
        symlink(target, snapshot.join(name)).expect("links can be made");
    }
    let line = &verify(&place, "org/name").json()[0];
    assert_eq!((&line["model"], &line["checksums"]), (&json!("org/name"), &json!(4)));
    // One bit of one weight: it loads, and gives another embedding.
    let weights = snapshot.join("model.safetensors");
    let mut bytes = fs::read(&weights).expect("the link leads somewhere");
    *bytes.last_mut().expect("it is not empty") ^= 1;
    fs::write(&weights, bytes).expect("the folder can be written to");
    let run = verify(&place, "org/name");
    let error = run.error();
    assert_eq!((run.code, &error["kind"]), (Some(1), &json!("model")));
    let message = error["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("expected checksum ") && message.contains("/blobs/"), "{error}");
    assert!(error["hint"].as_str().unwrap_or_default().contains("gating model pull"), "{error}");
}
