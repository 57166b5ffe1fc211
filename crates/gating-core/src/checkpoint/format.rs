//! The file of a checkpoint: safetensors, its state and checksum in the metadata.

use std::collections::{BTreeMap, HashMap};

use gating_metagraph::Metagraph;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::head::check_num_uids;
use crate::rows::{Rows, zeros_in_large_pages};
use crate::{Checkpoint, CheckpointError, Error, GateConfig, GradientMode, Head};

/// The version of the format that is written and read.
pub(crate) const VERSION: u32 = 2;

/// The entry of the safetensors metadata that holds the [`Envelope`].
const KEY: &str = "gating-checkpoint";

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
    progress: Option<String>,
}

impl Checkpoint {
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, CheckpointError> {
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

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, CheckpointError> {
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
            progress: self.progress.clone(),
        })
    }

    /// The tensors with their names and shapes, in the order in which the checksum takes them.
    fn tensors(&self) -> Vec<(&'static str, Vec<usize>, &[f32])> {
        let columns = [Some(self.head.rows()), Some(&self.velocity), self.gradient.as_ref()];
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
            if self.hidden_size == 0 {
                return Err(Error::NoHiddenSize);
            }
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
            .map(|pair| Rows { weight: from_le_bytes(pair[0]), bias: from_le_bytes(pair[1]) });
        let mut column = || columns.next().expect("the names always call for these two");
        let metagraph = self.metagraph.as_ref().map(|json| Metagraph::from_json(json.get()));
        Ok(Checkpoint {
            config: self.config()?,
            step: self.step,
            resyncs: self.resyncs,
            metagraph: metagraph.transpose()?,
            notes: self.notes,
            progress: self.progress,
            encoder_id: self.encoder,
            head: Head::new(column()),
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
    let mut numbers = zeros_in_large_pages(values.len());
    for (number, value) in numbers.iter_mut().zip(values) {
        *number = f32::from_le_bytes(*value);
    }
    numbers
}
