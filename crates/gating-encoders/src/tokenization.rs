//! Messages into windows of token ids.

use std::path::Path;

use serde::Deserialize;
use tokenizers::{Tokenizer, TruncationDirection, TruncationParams, TruncationStrategy};

use crate::{Error, ModelFiles};

/// Cuts messages into windows of token ids as the reference does: special tokens included in each
/// window, no overlap, no padding.
#[derive(Debug)]
pub(crate) struct Tokenization {
    tokenizer: Tokenizer,
}

#[derive(Deserialize)]
struct TokenizerConfig {
    /// `transformers` writes 1e30 for a tokenizer without a limit.
    model_max_length: Option<f64>,
}

/// The window length of a network that has embeddings for `max_positions` positions:
/// `model_max_length` of `tokenizer_config.json`, and never more than the network has positions
/// for, where the reference crashes.
pub(crate) fn window(files: &ModelFiles, max_positions: usize) -> Result<usize, Error> {
    let limit = files.tokenizer_config::<TokenizerConfig>()?.model_max_length;
    Ok(limit.map_or(max_positions, |limit| max_positions.min(limit as usize)))
}

impl Tokenization {
    /// Takes the bytes of a tokenizer file. Blocks for truncation and padding inside it are
    /// overridden, as the reference overrides them.
    pub(crate) fn new(path: &Path, bytes: &[u8], window: usize) -> Result<Self, Error> {
        let wrong = |source| Error::Tokenizer { path: path.to_owned(), source };
        let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(wrong)?;
        tokenizer.with_padding(None);
        let special = tokenizer.encode("", true).map_err(wrong)?.len();
        if window <= special {
            return Err(Error::Window { found: window, special });
        }
        let truncation = TruncationParams {
            direction: TruncationDirection::Right,
            max_length: window,
            strategy: TruncationStrategy::LongestFirst,
            stride: 0,
        };
        tokenizer.with_truncation(Some(truncation)).map_err(wrong)?;
        Ok(Self { tokenizer })
    }

    /// The windows of a message: at least one, and none of them empty.
    pub(crate) fn windows(&self, message: &str) -> Result<Vec<Vec<u32>>, Error> {
        let encoding = self.tokenizer.encode(message, true);
        let encoding = encoding.map_err(|source| Error::Tokens { source })?;
        if encoding.is_empty() {
            return Err(Error::EmptyMessage);
        }
        let mut windows = vec![encoding.get_ids().to_vec()];
        windows.extend(encoding.get_overflowing().iter().map(|window| window.get_ids().to_vec()));
        Ok(windows)
    }
}
