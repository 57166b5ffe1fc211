//! The content of a model folder.

use crate::network::NetworkConfig;
use crate::place::Place;
use crate::tokenization::{Settings, Tokenization, TokenizerSource};
use crate::transformer::Transformer;
use crate::weights::WeightFiles;
use crate::{Error, ModelFiles};

/// The content of a model folder; the weights stay on the disk until they are asked for.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) config: NetworkConfig,
    /// How many tokens a window has at most.
    window: usize,
    tokenizer: TokenizerSource,
    weights: WeightFiles,
}

impl Contents {
    pub(crate) fn read(files: &ModelFiles) -> Result<Self, Error> {
        let config = NetworkConfig::read(files)?;
        let settings = Settings::read(files.folder())?;
        let max_positions = config.limits().max_positions;
        Ok(Self {
            // Where the repository says more than the network has positions for, the reference
            // crashes on a message of that length.
            window: settings.max_length().map_or(max_positions, |limit| limit.min(max_positions)),
            tokenizer: TokenizerSource::read(files.folder(), &settings, config.kind())?,
            config,
            weights: files.weights()?,
        })
    }

    /// 16 hex digits of a hash of all that decides the embeddings. Keys of the configuration that
    /// the network does not read, and how its text is laid out, change nothing.
    pub(crate) fn fingerprint(&self) -> Result<String, Error> {
        let settings = serde_json::to_vec(&(&self.config, self.window));
        let settings = settings.expect("a configuration has only texts, numbers and lists");
        let mut hasher = blake3::Hasher::new();
        self.weights.hash(&mut hasher)?;
        for part in [&self.tokenizer.bytes, &settings] {
            // With its length, no part can pass for the begin of the next.
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        Ok(hasher.finalize().to_hex()[..16].to_owned())
    }

    pub(crate) fn network(&self, place: &Place) -> Result<Transformer, Error> {
        self.config.load(&self.weights, place)
    }

    pub(crate) fn tokenization(&self) -> Result<Tokenization, Error> {
        Tokenization::new(&self.tokenizer, self.window)
    }
}
