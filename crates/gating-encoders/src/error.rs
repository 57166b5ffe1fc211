//! What can go wrong with a model folder or a message.

use std::error;
use std::path::PathBuf;

use burn::tensor::FloatDType;
use gating_devices::DeviceError;

use crate::NetworkKind;
use crate::pooling::Pooling;
use crate::weights::NAMES;

/// What can go wrong with a model folder or a message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such folder.
    #[error("no model folder {}", folder.display())]
    NoFolder {
        /// The folder that was named.
        folder: PathBuf,
    },
    /// The folder lacks a file.
    #[error("model folder {} has no `{file}`", folder.display())]
    NoFile {
        /// The folder.
        folder: PathBuf,
        /// The file it should have.
        file: String,
    },
    /// The folder has no tokenizer.
    #[error(
        "model folder {} has no `tokenizer.json`, `vocab.txt`, or `vocab.json` and `merges.txt`",
        folder.display()
    )]
    NoTokenizer {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder has no weights.
    #[error("model folder {} has no `{}`", folder.display(), NAMES.join("` or `"))]
    NoWeights {
        /// The folder.
        folder: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A JSON file is not JSON, or lacks what it should hold.
    #[error("{} cannot be used", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The network is of a kind that is not known here.
    #[error("expected a model type of {}, found `{found}`", NetworkKind::names())]
    ModelType {
        /// The `model_type` of `config.json`.
        found: String,
    },
    /// A value in `config.json` cannot work.
    #[error("`{key}` of config.json is {found}, expected {expected}")]
    Config {
        /// The key.
        key: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// `modules.json` lists a step that is not known here.
    #[error("modules.json lists `{found}`, expected a Transformer, Pooling and Normalize alone")]
    Module {
        /// The `type` of the module.
        found: String,
    },
    /// `modules.json` leads out of the model folder.
    #[error("modules.json names the folder `{found}`, expected one in the model folder")]
    ModulePath {
        /// The folder.
        found: String,
    },
    /// The pooling is not known here, or there are several.
    #[error("the pooling is {found}, expected one of {}", Pooling::names())]
    Pooling {
        /// The modes or keys in the file of the pooling module.
        found: String,
    },
    /// The weights are not a whole safetensors file.
    #[error("{} is not a whole safetensors file", path.display())]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: safetensors::SafeTensorError,
    },
    /// The weights are no file that `torch.save` wrote, or one that names more than tensors need.
    #[error("{} cannot be read as weights of PyTorch", path.display())]
    Torch {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: gating_arrays::Error,
    },
    /// The weights are something else than tensors by name.
    #[error("{} holds {found}, expected tensors by name", path.display())]
    NotTensors {
        /// The file.
        path: PathBuf,
        /// What it holds.
        found: &'static str,
    },
    /// Two files hold a tensor of one name.
    #[error("{} repeats tensor `{name}` of another file", path.display())]
    RepeatedTensor {
        /// The second file.
        path: PathBuf,
        /// The tensor.
        name: String,
    },
    /// An index names a file outside of its folder.
    #[error("{} names a file `{found}`, expected one in its own folder", path.display())]
    ShardName {
        /// The index.
        path: PathBuf,
        /// The name.
        found: String,
    },
    /// A tensor is not where the index says.
    #[error("{} has tensor `{tensor}` in `{shard}`, which lacks it", path.display())]
    Shard {
        /// The index.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// The file that should hold it.
        shard: String,
    },
    /// The weights lack a tensor.
    #[error("weights lack tensor `{name}`, expected F32 {expected:?}")]
    NoTensor {
        /// The tensor.
        name: String,
        /// The shape it should have.
        expected: Vec<usize>,
    },
    /// A tensor is of another shape or type than `config.json` calls for.
    #[error("tensor `{name}` is {dtype} {found:?}, expected F32 {expected:?}")]
    Tensor {
        /// The tensor.
        name: String,
        /// Its type.
        dtype: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape it should have.
        expected: Vec<usize>,
    },
    /// The weights hold tensors that the network does not have.
    #[error("weights hold {count} tensors that the network does not have, first `{first}`")]
    UnknownTensors {
        /// How many.
        count: usize,
        /// The first of them by name.
        first: String,
    },
    /// `tokenizer.json` is not a tokenizer, or none can be made from a vocabulary.
    #[error("{} is not a tokenizer", path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<dyn error::Error + Send + Sync>,
    },
    /// The template in `tokenizer.json`, which puts special tokens around a message, cannot work.
    #[error("the template has {found}, expected {expected}")]
    Template {
        /// What it should have.
        expected: String,
        /// What it has.
        found: String,
    },
    /// A `precompiled_charsmap` in `tokenizer.json`, by which texts are normalized, cannot work.
    #[error("`precompiled_charsmap` has {found}, expected {expected}")]
    NormalizationTable {
        /// What it should have.
        expected: String,
        /// What it has.
        found: String,
    },
    /// A vocabulary file is none.
    #[error("{}, line {line}: expected {expected}", path.display())]
    Vocabulary {
        /// The file.
        path: PathBuf,
        /// The first line that is wrong, from 1 on.
        line: usize,
        /// What should be there.
        expected: &'static str,
    },
    /// Windows too short for a single token.
    #[error("windows of {found} tokens, expected more than the {special} special tokens")]
    Window {
        /// The window length.
        found: usize,
        /// How many special tokens each window holds.
        special: usize,
    },
    /// The tokenizer made a longer window than it was told to.
    #[error("a window of {found} tokens, expected at most {expected}")]
    LongWindow {
        /// The tokens of the window.
        found: usize,
        /// The most that the network takes.
        expected: usize,
    },
    /// The tokenizer failed on a message.
    #[error("the message cannot be cut into tokens")]
    Tokens {
        /// What the tokenizer says.
        source: Box<dyn error::Error + Send + Sync>,
    },
    /// The tokenizer made a token that the network has no embedding for.
    #[error("token id {found}, expected one below the vocabulary size {vocab_size}")]
    TokenId {
        /// The token id.
        found: u32,
        /// How many the network knows.
        vocab_size: usize,
    },
    /// The network cannot be computed in these numbers on its device.
    #[error("expected numbers that the device computes in, such as F32, found {found:?}")]
    DType {
        /// The numbers.
        found: FloatDType,
    },
    /// The device failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A message without a single token.
    #[error("the message has no tokens, expected at least one")]
    EmptyMessage,
}
