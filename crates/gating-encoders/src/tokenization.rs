//! Messages into windows of token ids.

mod checked;
mod class;
mod document;
mod settings;
mod source;
mod table;

use tokenizers::{Tokenizer, TruncationDirection, TruncationParams, TruncationStrategy};

use crate::Error;
use checked::guarded;

pub(crate) use settings::Settings;
pub(crate) use source::{ANY, TokenizerSource};

/// Cuts messages into windows of token ids as the reference does: special tokens included in each
/// window, no overlap, no padding.
#[derive(Debug)]
pub(crate) struct Tokenization {
    tokenizer: Tokenizer,
    window: usize,
}

impl Tokenization {
    /// Makes windows of at most so many tokens. Blocks for truncation and padding inside a
    /// `tokenizer.json` are overridden, as the reference overrides them.
    pub(crate) fn new(source: &TokenizerSource, window: usize) -> Result<Self, Error> {
        let wrong = |cause| Error::Tokenizer { path: source.path.clone(), source: cause };
        let mut tokenizer = checked::tokenizer(&source.bytes).map_err(wrong)?;
        tokenizer.with_padding(None);
        let special = guarded(|| tokenizer.encode("", true)).map_err(wrong)?.len();
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
        Ok(Self { tokenizer, window })
    }

    /// The windows of a message: at least one, and none of them empty.
    pub(crate) fn windows(&self, message: &str) -> Result<Vec<Vec<u32>>, Error> {
        let encoding = guarded(|| self.tokenizer.encode(message, true));
        let encoding = encoding.map_err(|source| Error::Tokens { source })?;
        if encoding.is_empty() {
            return Err(Error::EmptyMessage);
        }
        let mut windows = vec![encoding.get_ids().to_vec()];
        windows.extend(encoding.get_overflowing().iter().map(|window| window.get_ids().to_vec()));
        match windows.iter().map(Vec::len).max() {
            Some(found) if found > self.window => {
                Err(Error::LongWindow { found, expected: self.window })
            }
            _ => Ok(windows),
        }
    }
}

#[cfg(test)]
mod tests;
