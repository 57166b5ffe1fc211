//! The files of a tokenizer in a model folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::class::Class;
use super::document::{Vocabulary, document};
use super::settings::Settings;
use crate::files::{json, read};
use crate::{Error, NetworkKind};

const TOKENIZER: &str = "tokenizer.json";
const WORD_PIECES: &str = "vocab.txt";
const BYTE_PAIRS: &str = "vocab.json";
const MERGES: &str = "merges.txt";

/// The files of which a folder must have one, or all of one line, to have a tokenizer.
pub(crate) const ANY: [&[&str]; 3] = [&[TOKENIZER], &[WORD_PIECES], &[BYTE_PAIRS, MERGES]];

/// A tokenizer as `tokenizer.json` has it, and the file that it comes from.
#[derive(Debug)]
pub(crate) struct TokenizerSource {
    pub(crate) path: PathBuf,
    /// What the file holds, or what is made of it.
    pub(crate) bytes: Vec<u8>,
}

impl TokenizerSource {
    /// Reads `tokenizer.json` from a model folder, or makes it from the files of a vocabulary.
    pub(crate) fn read(
        folder: &Path,
        settings: &Settings,
        network: NetworkKind,
    ) -> Result<Self, Error> {
        let path = folder.join(TOKENIZER);
        if path.is_file() {
            return Ok(Self { bytes: read(&path)?, path });
        }
        let class = Class::of(settings, network);
        let class = class.ok_or_else(|| missing(folder, TOKENIZER))?;
        let (path, vocabulary) = match class {
            Class::Bert | Class::Mpnet => word_pieces(folder)?,
            Class::Gpt2 | Class::Roberta => byte_pairs(folder)?,
        };
        Ok(Self { bytes: document(class, settings, vocabulary), path })
    }
}

fn missing(folder: &Path, file: &str) -> Error {
    Error::NoFile { folder: folder.to_owned(), file: file.to_owned() }
}

fn required(folder: &Path, file: &str) -> Result<PathBuf, Error> {
    let path = folder.join(file);
    if path.is_file() { Ok(path) } else { Err(missing(folder, file)) }
}

/// Reads a vocabulary of one piece a line; where one is repeated, the last line counts.
fn word_pieces(folder: &Path) -> Result<(PathBuf, Vocabulary), Error> {
    let path = required(folder, WORD_PIECES)?;
    let lines = read_text(&path)?;
    let pieces = lines.lines().map(|line| line.trim_end().to_owned()).zip(0..);
    Ok((path, Vocabulary { ids: pieces.collect(), merges: Vec::new() }))
}

/// Reads a vocabulary of pieces by id, and the pairs that are joined, one a line.
fn byte_pairs(folder: &Path) -> Result<(PathBuf, Vocabulary), Error> {
    let (path, merges) = (required(folder, BYTE_PAIRS)?, required(folder, MERGES)?);
    let ids: BTreeMap<String, u32> = json(&path)?;
    let text = read_text(&merges)?;
    let lines = text.lines().enumerate();
    // The first line is the version of the format.
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with("#version"));
    let pair = |(index, line): (usize, &str)| match line.split_once(' ') {
        Some((left, right)) if !right.contains(' ') => Ok((left.to_owned(), right.to_owned())),
        _ => Err(wrong_line(&merges, index + 1, "two pieces")),
    };
    let pairs = lines.map(pair).collect::<Result<_, _>>()?;
    Ok((path, Vocabulary { ids, merges: pairs }))
}

fn read_text(path: &Path) -> Result<String, Error> {
    String::from_utf8(read(path)?).map_err(|error| {
        let (good, _) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        wrong_line(path, line, "UTF-8")
    })
}

fn wrong_line(path: &Path, line: usize, expected: &'static str) -> Error {
    Error::Vocabulary { path: path.to_owned(), line, expected }
}
