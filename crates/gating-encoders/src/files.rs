//! The files of a pretrained model in one folder.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::contents::Contents;
use crate::weights::{self, WeightFiles};
use crate::{Error, NetworkKind, tokenization};

const CONFIG: &str = "config.json";

/// A folder that holds a pretrained model as `transformers` saves it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ModelFiles {
    folder: PathBuf,
}

impl ModelFiles {
    /// Opens a folder with `config.json`, a tokenizer and weights. `tokenizer_config.json` is read
    /// if it is there.
    ///
    /// The tokenizer is `tokenizer.json`, or made from `vocab.txt`, or from `vocab.json` and
    /// `merges.txt`. The weights are the first of `model.safetensors`,
    /// `model.safetensors.index.json`, `pytorch_model.bin` and `pytorch_model.bin.index.json` that
    /// is there.
    ///
    /// # Errors
    ///
    /// When there is no such folder, or it lacks one of the three.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let folder = folder.into();
        if !folder.is_dir() {
            return Err(Error::NoFolder { folder });
        }
        let has = |file: &&str| folder.join(file).is_file();
        if !has(&CONFIG) {
            return Err(Error::NoFile { folder, file: CONFIG.to_owned() });
        }
        if !tokenization::ANY.iter().any(|files| files.iter().all(has)) {
            return Err(Error::NoTokenizer { folder });
        }
        if !weights::NAMES.iter().any(has) {
            return Err(Error::NoWeights { folder });
        }
        Ok(Self { folder })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Which network the folder holds.
    ///
    /// # Errors
    ///
    /// When `config.json` cannot be read or names a network that is not known here.
    pub fn kind(&self) -> Result<NetworkKind, Error> {
        #[derive(serde::Deserialize)]
        struct ModelType {
            model_type: String,
        }
        self.config::<ModelType>()?.model_type.parse()
    }

    /// What decides the embeddings, as 16 hex digits: a hash of the weights, the tokenizer and
    /// those settings that count.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or the settings are not those of a network that is known here.
    pub fn fingerprint(&self) -> Result<String, Error> {
        Contents::read(self)?.fingerprint()
    }

    /// The settings of the network.
    pub(crate) fn config<T: DeserializeOwned>(&self) -> Result<T, Error> {
        json(&self.folder.join(CONFIG))
    }

    /// The weights, still on the disk.
    pub(crate) fn weights(&self) -> Result<WeightFiles, Error> {
        WeightFiles::open(&self.folder)
    }

    /// A file of JSON that need not be there.
    pub(crate) fn optional<T: DeserializeOwned>(&self, file: &str) -> Result<Option<T>, Error> {
        optional_json(&self.folder.join(file))
    }
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::File { path: path.to_owned(), source })
}

/// Reads a file of JSON.
pub(crate) fn json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    serde_json::from_slice(&read(path)?)
        .map_err(|source| Error::Json { path: path.to_owned(), source })
}

/// Reads a file of JSON, if there is one.
pub(crate) fn optional_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    if path.is_file() { json(path).map(Some) } else { Ok(None) }
}
