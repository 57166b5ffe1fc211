//! Everything a gating model knows, in one file that is whole or not there.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use gating_metagraph::{Metagraph, Uid};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::head::check_num_uids;
use crate::rows::RowValues;
use crate::{CheckpointError, Error, GateConfig, GradientMode};

/// The version of the format that is written and read.
pub(crate) const VERSION: u32 = 1;

/// The file in a checkpoint folder.
const FILE: &str = "checkpoint.safetensors";
/// The same file while it is being written.
const PARTIAL: &str = "checkpoint.safetensors.partial";
/// Locked by the process that may write.
const LOCK: &str = "lock";
/// The entry of the safetensors metadata that holds the [`Envelope`].
const KEY: &str = "gating-checkpoint";

/// Everything a gating model knows but its encoder: taken by
/// [`Gate::checkpoint`](crate::Gate::checkpoint), given back by
/// [`Gate::restore`](crate::Gate::restore).
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// What the writer wants to find again, such as where the encoder came from.
    pub notes: BTreeMap<String, String>,
    pub(crate) encoder_id: String,
    pub(crate) config: GateConfig,
    pub(crate) step: u64,
    pub(crate) metagraph: Option<Metagraph>,
    pub(crate) resyncs: u64,
    pub(crate) head: RowValues,
    pub(crate) velocity: RowValues,
    pub(crate) gradient: Option<RowValues>,
}

/// What the metadata of the file holds: the checksum covers the text of `state` and all tensors.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    version: u32,
    blake3: String,
    state: Box<RawValue>,
}

/// What every version of the format begins with.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct State {
    encoder: String,
    /// How many rows there are, and how many there were at first.
    num_uids: usize,
    first_num_uids: usize,
    hidden_size: usize,
    learning_rate: f64,
    momentum: f64,
    gradient: String,
    identity: String,
    seed: u64,
    step: u64,
    resyncs: u64,
    metagraph: Option<Box<RawValue>>,
    notes: BTreeMap<String, String>,
}

impl Checkpoint {
    /// The id of the encoder that its head was learned with.
    #[must_use]
    pub fn encoder_id(&self) -> &str {
        &self.encoder_id
    }

    /// The settings that learning began with; the head may have grown since.
    #[must_use]
    pub fn config(&self) -> &GateConfig {
        &self.config
    }

    /// The same state with other settings to go on with.
    ///
    /// # Errors
    ///
    /// When a setting is out of range, or one differs that cannot change: the first number of
    /// uids, the gradient mode and the seed.
    pub fn with_config(self, config: GateConfig) -> Result<Self, Error> {
        config.check()?;
        let stored = self.config;
        let fixed = [
            ("num_uids", stored.num_uids.to_string(), config.num_uids.to_string()),
            ("gradient", stored.gradient.to_string(), config.gradient.to_string()),
            ("seed", stored.seed.to_string(), config.seed.to_string()),
        ];
        match fixed.into_iter().find(|(_, expected, found)| expected != found) {
            Some((name, expected, found)) => Err(Error::FixedSetting { name, expected, found }),
            None => Ok(Self { config, ..self }),
        }
    }

    /// How many steps were learned.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Whose the rows are, if that was ever said.
    #[must_use]
    pub fn metagraph(&self) -> Option<&Metagraph> {
        self.metagraph.as_ref()
    }

    /// How many uids its head scores.
    #[must_use]
    pub fn num_uids(&self) -> usize {
        self.head.bias.len()
    }

    /// How many numbers the embeddings of its encoder have.
    #[must_use]
    pub fn hidden_size(&self) -> usize {
        self.head.weight.len() / self.head.bias.len()
    }

    /// The weights of its head, row after row: `[num_uids * hidden_size]`.
    #[must_use]
    pub fn weight(&self) -> &[f32] {
        &self.head.weight
    }

    /// The biases of its head: `[num_uids]`.
    #[must_use]
    pub fn bias(&self) -> &[f32] {
        &self.head.bias
    }

    /// Whether a uid has the same row in both, to the bit: weights, bias, velocity and gradient.
    #[must_use]
    pub fn has_same_row(&self, other: &Self, uid: Uid) -> bool {
        self.row_bits(uid).is_some_and(|bits| Some(bits) == other.row_bits(uid))
    }

    fn row_bits(&self, uid: Uid) -> Option<Vec<u32>> {
        let (index, size) = (uid.index(), self.hidden_size());
        let mut bits = Vec::new();
        for rows in [Some(&self.head), Some(&self.velocity), self.gradient.as_ref()] {
            let Some(rows) = rows else { continue };
            let row = rows.weight.get(index * size..(index + 1) * size)?;
            bits.extend(row.iter().chain([&rows.bias[index]]).map(|value| value.to_bits()));
        }
        Some(bits)
    }

    /// Reads the checkpoint in a folder, and checks every bit of it.
    ///
    /// # Errors
    ///
    /// When there is none, or it cannot be read, or is damaged.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(FILE);
        let bytes = fs::read(&path).map_err(|source| match source.kind() {
            ErrorKind::NotFound => Error::NoCheckpoint { folder: folder.to_owned() },
            _ => Error::CheckpointFile { path: path.clone(), source },
        })?;
        Self::from_bytes(&bytes).map_err(|source| Error::Checkpoint { path, source })
    }

    fn to_bytes(&self) -> Result<Vec<u8>, CheckpointError> {
        let state = serde_json::value::to_raw_value(&self.state()?)?;
        let tensors = self.tensors();
        let data = tensors.iter().map(|(_, _, values)| to_le_bytes(values)).collect::<Vec<_>>();
        let blake3 = checksum(state.get(), data.iter().map(Vec::as_slice));
        let envelope = serde_json::to_string(&Envelope { version: VERSION, blake3, state })?;
        let views = tensors.iter().zip(&data).map(|((name, shape, _), data)| {
            Ok((*name, TensorView::new(Dtype::F32, shape.clone(), data)?))
        });
        let views = views.collect::<Result<Vec<_>, CheckpointError>>()?;
        let metadata = HashMap::from([(KEY.to_owned(), envelope)]);
        Ok(safetensors::serialize(views, Some(metadata))?)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let (_, metadata) = SafeTensors::read_metadata(bytes)?;
        let envelope = metadata.metadata().as_ref().and_then(|entries| entries.get(KEY));
        let envelope = envelope.ok_or(CheckpointError::NoState { key: KEY })?;
        let Version { version } = serde_json::from_str(envelope)?;
        if version != VERSION {
            return Err(CheckpointError::Version { expected: VERSION, found: version });
        }
        let Envelope { blake3: expected, state: text, .. } = serde_json::from_str(envelope)?;
        let state: State = serde_json::from_str(text.get())?;
        let tensors = SafeTensors::deserialize(bytes)?;
        let shapes = state.tensor_shapes()?;
        let data = shapes.iter().map(|(name, shape)| tensor_bytes(&tensors, name, shape));
        let data = data.collect::<Result<Vec<_>, _>>()?;
        let found = checksum(text.get(), data.iter().copied());
        if found != expected {
            return Err(CheckpointError::Checksum { expected, found });
        }
        state.into_checkpoint(&data)
    }

    fn state(&self) -> Result<State, CheckpointError> {
        let metagraph = self.metagraph.as_ref().map(Metagraph::to_json);
        Ok(State {
            encoder: self.encoder_id.clone(),
            num_uids: self.num_uids(),
            first_num_uids: self.config.num_uids,
            hidden_size: self.hidden_size(),
            learning_rate: self.config.learning_rate,
            momentum: self.config.momentum,
            gradient: self.config.gradient.to_string(),
            identity: self.config.identity.to_string(),
            seed: self.config.seed,
            step: self.step,
            resyncs: self.resyncs,
            metagraph: metagraph.map(RawValue::from_string).transpose()?,
            notes: self.notes.clone(),
        })
    }

    /// The tensors with their names and shapes, in the order in which the checksum takes them.
    fn tensors(&self) -> Vec<(&'static str, Vec<usize>, &[f32])> {
        let columns = [Some(&self.head), Some(&self.velocity), self.gradient.as_ref()];
        let named = NAMES.into_iter().zip(columns);
        let present = named.filter_map(|(names, rows)| rows.map(|rows| (names, rows)));
        let shape = vec![self.num_uids(), self.hidden_size()];
        present
            .flat_map(|([weight, bias], rows)| {
                [
                    (weight, shape.clone(), rows.weight.as_slice()),
                    (bias, shape[..1].to_vec(), rows.bias.as_slice()),
                ]
            })
            .collect()
    }
}

/// The names of the tensors: the head's as PyTorch has them, then what learning keeps.
const NAMES: [[&str; 2]; 3] = [
    ["weight", "bias"],
    ["velocity.weight", "velocity.bias"],
    ["gradient.weight", "gradient.bias"],
];

impl State {
    fn config(&self) -> Result<GateConfig, CheckpointError> {
        let config = || {
            let config = GateConfig {
                num_uids: self.first_num_uids,
                learning_rate: self.learning_rate,
                momentum: self.momentum,
                gradient: self.gradient.parse()?,
                identity: self.identity.parse()?,
                seed: self.seed,
            };
            check_num_uids(self.num_uids)?;
            config.check().map(|()| config)
        };
        config().map_err(|error| CheckpointError::Config(Box::new(error)))
    }

    fn tensor_shapes(&self) -> Result<Vec<(&'static str, Vec<usize>)>, CheckpointError> {
        let columns = match self.config()?.gradient {
            GradientMode::Accumulate => &NAMES[..],
            GradientMode::PerStep => &NAMES[..2],
        };
        let shapes = |&[weight, bias]: &[&'static str; 2]| {
            [(weight, vec![self.num_uids, self.hidden_size]), (bias, vec![self.num_uids])]
        };
        Ok(columns.iter().flat_map(shapes).collect())
    }

    fn into_checkpoint(self, data: &[&[u8]]) -> Result<Checkpoint, CheckpointError> {
        let mut columns = data
            .chunks(2)
            .map(|pair| RowValues { weight: from_le_bytes(pair[0]), bias: from_le_bytes(pair[1]) });
        let mut column = || columns.next().expect("the names always call for these two");
        let metagraph = self.metagraph.as_ref().map(|json| Metagraph::from_json(json.get()));
        Ok(Checkpoint {
            config: self.config()?,
            step: self.step,
            resyncs: self.resyncs,
            metagraph: metagraph.transpose()?,
            notes: self.notes,
            encoder_id: self.encoder,
            head: column(),
            velocity: column(),
            gradient: columns.next(),
        })
    }
}

/// The bytes of a tensor of known name and shape.
fn tensor_bytes<'a>(
    tensors: &SafeTensors<'a>,
    name: &str,
    shape: &[usize],
) -> Result<&'a [u8], CheckpointError> {
    let wrong = |found: String| CheckpointError::Tensor {
        name: name.to_owned(),
        expected: shape.to_vec(),
        found,
    };
    let tensor = tensors.tensor(name).map_err(|_| wrong("none".to_owned()))?;
    if tensor.dtype() != Dtype::F32 || tensor.shape() != shape {
        return Err(wrong(format!("{:?} {:?}", tensor.dtype(), tensor.shape())));
    }
    Ok(tensor.data())
}

fn checksum<'a>(state: &str, tensors: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(state.as_bytes());
    for data in tensors {
        hasher.update(data);
    }
    hasher.finalize().to_hex().to_string()
}

fn to_le_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn from_le_bytes(bytes: &[u8]) -> Vec<f32> {
    let (values, _) = bytes.as_chunks::<4>();
    values.iter().map(|value| f32::from_le_bytes(*value)).collect()
}

/// A folder that this process alone writes checkpoints to, until it is dropped.
#[derive(Debug)]
pub struct CheckpointFolder {
    path: PathBuf,
    /// Holds the lock; the system lets go of it however the process ends.
    _lock: File,
}

impl CheckpointFolder {
    /// Opens a folder for writing, and makes it if there is none.
    ///
    /// # Errors
    ///
    /// When another process has it open, or the folder cannot be made or written to.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = |source| Error::CheckpointFile { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(file)?;
        let lock = File::create(path.join(LOCK)).map_err(file)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                Err(Error::CheckpointInUse { folder: path.to_owned() })
            }
            Err(TryLockError::Error(source)) => Err(file(source)),
        }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the checkpoint in the folder, or nothing where none was written yet.
    ///
    /// # Errors
    ///
    /// As [`Checkpoint::read`], but for a folder without a checkpoint.
    pub fn read(&self) -> Result<Option<Checkpoint>, Error> {
        match Checkpoint::read(&self.path) {
            Ok(checkpoint) => Ok(Some(checkpoint)),
            Err(Error::NoCheckpoint { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a checkpoint in place of the one before. Whatever interrupts it, the folder holds
    /// one or the other, whole.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written to; the checkpoint before is untouched then.
    pub fn write(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let path = self.path.join(FILE);
        let unusable = |source| Error::Checkpoint { path: path.clone(), source };
        let bytes = checkpoint.to_bytes().map_err(unusable)?;
        self.replace(&path, &bytes).map_err(|source| Error::CheckpointFile { path, source })
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // One writer holds the lock, so that the name can be fixed: what an interrupted write
        // left behind is written over, and never piles up.
        let partial = self.path.join(PARTIAL);
        let mut file = File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)?;
        sync_folder(&self.path)
    }
}

/// Makes a rename last through a loss of power.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Folders cannot be synced there, and renames last as they are.
#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}
