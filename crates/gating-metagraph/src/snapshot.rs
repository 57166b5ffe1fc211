//! The JSON form of a metagraph: versioned, one object, uids in order.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Axon, Error, Metagraph, Neuron, Rao, replace_file};

const FORMAT: &str = "gating-metagraph";
const VERSION: u32 = 1;

/// What every version of the format begins with.
#[derive(Deserialize)]
struct Header {
    format: String,
    version: u32,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Snapshot {
    format: String,
    version: u32,
    netuid: u16,
    block: u64,
    neurons: Vec<NeuronRecord>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct NeuronRecord {
    uid: u16,
    hotkey: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    axon: Option<AxonRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    validator_permit: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stake_rao: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    registered_at: Option<u64>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct AxonRecord {
    ip: IpAddr,
    port: u16,
}

impl Metagraph {
    /// The snapshot as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let neurons = self.neurons().map(|(uid, neuron)| NeuronRecord {
            uid: uid.get(),
            hotkey: neuron.hotkey.to_string(),
            axon: neuron.axon.map(|Axon { ip, port }| AxonRecord { ip, port }),
            validator_permit: neuron.validator_permit,
            stake_rao: neuron.stake.map(|Rao(stake)| stake),
            registered_at: neuron.registered_at,
        });
        let snapshot = Snapshot {
            format: FORMAT.to_owned(),
            version: VERSION,
            netuid: self.netuid(),
            block: self.block(),
            neurons: neurons.collect(),
        };
        serde_json::to_string(&snapshot)
            .expect("a snapshot has string keys and finite numbers only")
    }

    /// Reads a snapshot from JSON.
    ///
    /// # Errors
    ///
    /// When the text is not JSON, is another document or version, lacks a field or has an unknown
    /// one, when uids have a gap, or a hotkey is wrong or repeated.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        let header: Header = serde_json::from_str(json)?;
        if header.format != FORMAT {
            return Err(Error::Format { expected: FORMAT, found: header.format });
        }
        if header.version != VERSION {
            return Err(Error::Version { expected: VERSION, found: header.version });
        }
        let snapshot: Snapshot = serde_json::from_str(json)?;
        let neurons = snapshot.neurons.into_iter().enumerate();
        let neurons = neurons.map(|(index, record)| record.into_neuron(index));
        Self::new(snapshot.netuid, snapshot.block, neurons.collect::<Result<_, _>>()?)
    }

    /// Writes the snapshot as a JSON file, whole or not at all.
    ///
    /// # Errors
    ///
    /// When the file cannot be written; a file that was there before is untouched then.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let file = |source| Error::File { path: path.to_owned(), source };
        replace_file(path, self.to_json().as_bytes()).map_err(file)
    }

    /// Reads a snapshot from a JSON file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, and as [`Metagraph::from_json`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let file = |source| Error::File { path: path.to_owned(), source };
        Self::from_json(&fs::read_to_string(path).map_err(file)?)
    }
}

impl NeuronRecord {
    fn into_neuron(self, index: usize) -> Result<Neuron, Error> {
        let uid = self.uid;
        if usize::from(uid) != index {
            return Err(Error::UidOrder { expected: index, found: uid });
        }
        Ok(Neuron {
            hotkey: self.hotkey.parse().map_err(|source| Error::Hotkey { uid, source })?,
            axon: self.axon.map(|AxonRecord { ip, port }| Axon { ip, port }),
            validator_permit: self.validator_permit,
            stake: self.stake_rao.map(Rao),
            registered_at: self.registered_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hotkey;

    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

    fn metagraph() -> Metagraph {
        let full = Neuron {
            hotkey: ALICE.parse().expect("a known account is valid"),
            axon: Some(Axon { ip: IpAddr::from([203, 0, 113, 7]), port: 8091 }),
            validator_permit: Some(false),
            stake: Some(Rao(u64::MAX)),
            registered_at: Some(6_488_208),
        };
        let neurons = vec![full, Neuron::new(Hotkey::new([9; 32]))];
        Metagraph::new(1, 6_521_772, neurons).expect("the keys differ")
    }

    #[test]
    fn a_snapshot_round_trips() {
        let metagraph = metagraph();
        let read = Metagraph::from_json(&metagraph.to_json()).expect("we wrote it");
        assert_eq!(read, metagraph);
    }

    #[test]
    fn a_file_round_trips() {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let path = folder.path().join("metagraph.json");
        let metagraph = metagraph();
        fs::write(&path, "another file").expect("the folder can be written to");
        metagraph.write(&path).expect("the folder can be written to");
        assert_eq!(Metagraph::read(&path).expect("we wrote it"), metagraph);
    }

    #[test]
    fn a_file_in_a_missing_folder_is_named() {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let path = folder.path().join("missing").join("metagraph.json");
        let expected = format!("cannot access {}", path.display());
        let error = metagraph().write(&path).expect_err("the folder is missing");
        assert_eq!(error.to_string(), expected);
        let error = Metagraph::read(&path).expect_err("the folder is missing");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn wrong_snapshots_say_what_is_wrong() {
        let neuron = |uid: u32, hotkey: &str| format!(r#"{{"uid":{uid},"hotkey":"{hotkey}"}}"#);
        let snapshot = |head: &str, neurons: &str| {
            format!(r#"{{{head},"netuid":1,"block":2,"neurons":[{neurons}]}}"#)
        };
        let head = r#""format":"gating-metagraph","version":1"#;
        check("", "this is not a metagraph snapshot");
        check("[]", "this is not a metagraph snapshot");
        check(
            r#"{"format":"other","version":1}"#,
            "expected format `gating-metagraph`, found `other`",
        );
        check(
            r#"{"format":"gating-metagraph","version":2}"#,
            "expected version 1 of the snapshot format, found 2",
        );
        check(&snapshot(head, &neuron(1, ALICE)), "expected uid 0 next, found uid 1");
        check(&snapshot(head, &neuron(0, "5Grw")), "uid 0 has no valid hotkey");
        check(&snapshot(&format!(r#"{head},"blocks":1"#), ""), "this is not a metagraph snapshot");
        let twice = [neuron(0, ALICE), neuron(1, ALICE)].join(",");
        check(&snapshot(head, &twice), &format!("hotkey {ALICE} holds uid 0 and uid 1"));
    }

    fn check(json: &str, expected: &str) {
        let error = Metagraph::from_json(json).expect_err("the snapshot is wrong");
        assert_eq!(error.to_string(), expected);
    }
}
