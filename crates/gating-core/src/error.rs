//! What can go wrong with a gating model.

use std::path::PathBuf;

use gating_devices::DeviceError;
use gating_metagraph::{ParseIdentityError, Uid};

use crate::EncodeError;

/// What can go wrong with a gating model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A head without uids, or with more than can be numbered.
    #[error("expected 1 to {} uids, found {found}", Uid::COUNT)]
    NumUids {
        /// How many were asked for.
        found: usize,
    },
    /// Embeddings without numbers.
    #[error("embeddings have no numbers, expected a hidden size of 1 or more")]
    NoHiddenSize,
    /// A learning rate that cannot work.
    #[error("expected a learning rate of 0 or more, found {found}")]
    LearningRate {
        /// What was asked for.
        found: f64,
    },
    /// A momentum that cannot work.
    #[error("expected a momentum of at least 0 and below 1, found {found}")]
    Momentum {
        /// What was asked for.
        found: f64,
    },
    /// No gradient mode has this name.
    #[error("expected gradient mode `accumulate` or `per-step`, found `{found}`")]
    GradientMode {
        /// The name that was given.
        found: String,
    },
    /// No identity policy has this name.
    #[error(transparent)]
    Identity(#[from] ParseIdentityError),
    /// More uids to ask than can be asked.
    #[error("expected at least {expected} available uids, found {found}")]
    TooFewUids {
        /// How many should be asked.
        expected: usize,
        /// How many can be.
        found: usize,
    },
    /// Rewards of nobody.
    #[error("expected the reward of at least one uid, found none")]
    NoRewards,
    /// Not one reward for each uid.
    #[error("{uids} uids but {rewards} rewards, expected one reward a uid")]
    RewardsLength {
        /// How many uids were given.
        uids: usize,
        /// How many rewards were given.
        rewards: usize,
    },
    /// Two rewards for one uid.
    #[error("uid {uid} is repeated, expected each uid once")]
    RepeatedUid {
        /// The uid.
        uid: Uid,
    },
    /// A reward that is no number.
    #[error("the reward of uid {uid} is {found}, expected a finite number")]
    RewardNotFinite {
        /// Whose reward it is.
        uid: Uid,
        /// The reward.
        found: f32,
    },
    /// A uid that the head does not score.
    #[error(
        "uid {uid} is out of range, expected one of the {num_uids} uids from 0 to {}",
        num_uids - 1
    )]
    UidOutOfRange {
        /// The uid.
        uid: Uid,
        /// How many are scored.
        num_uids: usize,
    },
    /// A score that is no number: the weights or the embedding have overflowed.
    #[error("the score of uid {uid} is {found}, expected a finite number")]
    ScoreNotFinite {
        /// Whose score it is.
        uid: usize,
        /// The score.
        found: f32,
    },
    /// What was scored is not what would learn: a resync came between.
    #[error("uid {uid} was scored before its row was replaced, expected newer scores")]
    ReplacedRow {
        /// The first such uid.
        uid: Uid,
    },
    /// An embedding that does not fit the head.
    #[error("expected an embedding of {expected} numbers, found {found}")]
    HiddenSize {
        /// What the head was made for.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// Weights that do not divide into rows.
    #[error("{weights} weights are no whole rows of {num_uids} uids")]
    HeadShape {
        /// How many weights there are.
        weights: usize,
        /// How many biases there are.
        num_uids: usize,
    },
    /// A row of the head, or of what learning keeps beside it, with a number that is none.
    #[error("the row of uid {uid} holds {found}, expected finite numbers")]
    WeightNotFinite {
        /// Whose row it is.
        uid: usize,
        /// The number.
        found: f32,
    },
    /// Nobody said whose the rows are.
    #[error("the rows belong to no metagraph yet")]
    NotAttached,
    /// It is known already whose the rows are.
    #[error("the rows belong to the metagraph at {} already", block_name(*block))]
    Attached {
        /// The block of that metagraph, if it is known.
        block: Option<u64>,
    },
    /// The metagraph to resync from is not the one that the rows belong to.
    #[error(
        "the rows belong to the metagraph at {}, but the previous metagraph is at {} and has \
         another hotkey at uid {uid}",
        block_name(*expected),
        block_name(*found)
    )]
    OtherMetagraph {
        /// The block of the metagraph that the rows belong to, if it is known.
        expected: Option<u64>,
        /// The block of the previous metagraph, if it is known.
        found: Option<u64>,
        /// The first uid that differs.
        uid: Uid,
    },
    /// More uids than rows that could be theirs.
    #[error("the metagraph has {found} uids, expected at most one for each of the {expected} rows")]
    TooManyUids {
        /// How many rows there are.
        expected: usize,
        /// How many uids there are.
        found: usize,
    },
    /// A metagraph without uids: it would end in a fresh row for everybody.
    #[error("the metagraph has no uids, expected at least one")]
    EmptyMetagraph,
    /// A resync back in time.
    #[error("expected a metagraph at block {expected} or later, found block {found}")]
    OlderMetagraph {
        /// The block of the metagraph that the rows belong to.
        expected: u64,
        /// The block of the metagraph that was given.
        found: u64,
    },
    /// A checkpoint goes on with the encoder that it was taken with, and no other.
    #[error("the checkpoint was taken with encoder `{expected}`, found `{found}`")]
    OtherEncoder {
        /// The encoder of the checkpoint.
        expected: String,
        /// The encoder that was given.
        found: String,
    },
    /// A setting that cannot change while learning goes on.
    #[error("learning began with `{name}` {expected}, which cannot change to {found}")]
    FixedSetting {
        /// The setting.
        name: &'static str,
        /// What learning began with.
        expected: String,
        /// What was asked for.
        found: String,
    },
    /// A folder that holds no checkpoint.
    #[error("no checkpoint in {}", folder.display())]
    NoCheckpoint {
        /// The folder.
        folder: PathBuf,
    },
    /// A checkpoint that another process is writing to.
    #[error("another process uses the checkpoint in {}", folder.display())]
    CheckpointInUse {
        /// The folder.
        folder: PathBuf,
    },
    /// A folder that was there when it was opened for writing.
    #[error("the checkpoint folder {} was removed or replaced while it was in use", folder.display())]
    CheckpointFolderGone {
        /// The folder.
        folder: PathBuf,
    },
    /// A folder with checkpoints that are all damaged.
    #[error("none of the {found} checkpoints in {} is whole", folder.display())]
    NoWholeCheckpoint {
        /// The folder.
        folder: PathBuf,
        /// How many there are.
        found: usize,
    },
    /// A file or folder of a checkpoint cannot be read or written.
    #[error("cannot access the checkpoint at {}", path.display())]
    CheckpointFile {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A checkpoint that is damaged or written by another program.
    #[error("the checkpoint at {} cannot be used", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: CheckpointError,
    },
    /// A file cannot be read or written.
    #[error("cannot access {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file of another program that holds no head.
    #[error("the head in {} cannot be used", path.display())]
    HeadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: HeadFileError,
    },
    /// The encoder has no embedding for a message.
    #[error("the message cannot be encoded")]
    Encode(#[from] EncodeError),
    /// A metagraph does not fit.
    #[error("the metagraph cannot be used")]
    Metagraph(#[from] gating_metagraph::Error),
    /// The device failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

/// A block in words.
fn block_name(block: Option<u64>) -> String {
    block.map_or_else(|| "an unknown block".to_owned(), |block| format!("block {block}"))
}

/// What is wrong with a file of a checkpoint folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The newest checkpoint is gone.
    #[error("it is not there, but `latest` names it")]
    Missing,
    /// There are checkpoints, but nothing says which is the newest.
    #[error("it is not there, but checkpoints are, {found} in number")]
    NoPointer {
        /// How many checkpoints there are.
        found: usize,
    },
    /// What should name the newest checkpoint names none.
    #[error("expected the name of a checkpoint, found `{}`", found.escape_debug())]
    Pointer {
        /// What it holds.
        found: String,
    },
    /// It is not a whole safetensors file.
    #[error("it is not a whole safetensors file")]
    Safetensors(#[from] safetensors::SafeTensorError),
    /// It is a safetensors file without the state of a gating model.
    #[error("it is a safetensors file, but without `{key}` in its metadata")]
    NoState {
        /// What the metadata lacks.
        key: &'static str,
    },
    /// Its state is not the JSON it should be.
    #[error("its state is not what version {} of the format says", crate::checkpoint::VERSION)]
    Json(#[from] serde_json::Error),
    /// It was written by a newer program.
    #[error("expected version {expected} of the format, found {found}")]
    Version {
        /// The version that can be read.
        expected: u32,
        /// The version of the file.
        found: u32,
    },
    /// A bit of it has changed.
    #[error("expected checksum {expected}, found {found}")]
    Checksum {
        /// The checksum that it says it has.
        expected: String,
        /// The checksum that it has.
        found: String,
    },
    /// A tensor is not the one that the state calls for.
    #[error("tensor `{name}` should be F32 {expected:?}, found {found}")]
    Tensor {
        /// The tensor.
        name: String,
        /// The shape it should have.
        expected: Vec<usize>,
        /// What it is.
        found: String,
    },
    /// A setting in it is out of range.
    #[error("its settings cannot work")]
    Config(#[source] Box<Error>),
    /// The metagraph in it is wrong.
    #[error("its metagraph cannot be used")]
    Metagraph(#[from] gating_metagraph::Error),
}

/// What is wrong with a file that should hold a head.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HeadFileError {
    /// It is no whole file of PyTorch, or names more than tensors need.
    #[error("it cannot be read as a file of PyTorch")]
    Torch(#[from] gating_arrays::Error),
    /// It is not a whole safetensors file, nor one of PyTorch.
    #[error("it is not a whole safetensors file")]
    Safetensors(#[from] safetensors::SafeTensorError),
    /// It is something else than tensors by name.
    #[error("it holds {found}, expected tensors by name")]
    NotTensors {
        /// What it holds.
        found: &'static str,
    },
    /// It lacks a tensor.
    #[error("it has no tensor `{name}`")]
    NoTensor {
        /// The tensor.
        name: &'static str,
    },
    /// It holds more than a head.
    #[error("it has a tensor `{name}`, expected `weight` and `bias` alone")]
    UnknownTensor {
        /// The tensor.
        name: String,
    },
    /// A tensor holds no floats, or such as an f32 cannot hold.
    #[error("tensor `{name}` is {found}, expected F32, F16 or BF16")]
    Dtype {
        /// The tensor.
        name: String,
        /// Its type.
        found: String,
    },
    /// The tensors are no rows and biases.
    #[error(
        "`weight` is {weight:?} and `bias` {bias:?}, expected [num_uids, hidden_size] and [num_uids]"
    )]
    Shapes {
        /// The shape of the weights.
        weight: Vec<usize>,
        /// The shape of the biases.
        bias: Vec<usize>,
    },
    /// Its numbers are no head.
    #[error("its numbers cannot be used")]
    Head(#[from] Box<Error>),
}
