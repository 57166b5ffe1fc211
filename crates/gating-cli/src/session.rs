//! A gating model with its state: in memory, or in a checkpoint folder that is read and written.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use gating_core::{
    CachedEncoder, Checkpoint, CheckpointFolder, Embedding, EncodeError, Encoder, Error, Gate,
    GateConfig, Head,
};

use crate::cache::CacheReport;
use crate::device::dtype;
use crate::failure::{Failure, Kind};
use crate::models::{self, Located, Pooling};
use crate::output::Output;
use crate::settings::{Key, Settings};

/// The notes in a checkpoint by which its encoder is found again.
const MODEL_NAME: &str = "gating.model_name";
const CUSTOM: &str = "neuron.use_custom_gating_model";
/// The note of who made all that a checkpoint holds. It is gone once somebody else goes on with it.
pub(crate) const MADE_BY: &str = "made_by";

/// A gating model with its state.
pub(crate) struct Session {
    /// The encoder is shared with the thread that encodes ahead.
    pub(crate) gate: Gate<Arc<CachedEncoder<Arc<dyn Encoder>>>>,
    /// Where the state is written to; none where it lives in memory alone.
    folder: Option<CheckpointFolder>,
    /// What is written beside the state.
    pub(crate) notes: BTreeMap<String, String>,
    /// Where a log that is learned from stopped; kept as it is until it is set anew.
    pub(crate) progress: Option<String>,
    /// Whether the last save on the way failed, which was said then.
    is_unsaved: bool,
}

impl Session {
    /// Opens a model for scoring: a checkpoint is read, and nothing is ever written.
    pub(crate) fn for_reading(
        settings: &Settings,
        folder: Option<&Path>,
        device: &Device,
        output: &Output,
    ) -> Result<Self, Failure> {
        let checkpoint = match folder {
            Some(folder) => Some(Checkpoint::read(folder)?),
            None => {
                output.warning("without --checkpoint the head is fresh, and its scores random");
                None
            }
        };
        Self::open(settings, checkpoint, None, device, output)
    }

    /// Opens a model for learning: this process alone may write to its checkpoint until the end.
    pub(crate) fn for_writing(
        settings: &Settings,
        device: &Device,
        output: &Output,
    ) -> Result<Self, Failure> {
        let Some(path) = &settings.checkpoint else {
            output.warning("without --checkpoint what is learned is gone at the end");
            return Self::open(settings, None, None, device, output);
        };
        if path.exists() {
            let folder = CheckpointFolder::open(path)?;
            let checkpoint = folder.read()?;
            if checkpoint.is_none() {
                note_new(path, output);
            }
            return Self::open(settings, checkpoint, Some(folder), device, output);
        }
        note_new(path, output);
        // The folder is made last: a model that cannot be loaded leaves none behind.
        let session = Self::open(settings, None, None, device, output)?;
        let folder = CheckpointFolder::open(path)?;
        match folder.read()? {
            Some(_) => Err(Error::CheckpointInUse { folder: path.clone() }.into()),
            None => Ok(Self { folder: Some(folder), ..session }),
        }
    }

    /// Opens a checkpoint that must be there, for work on its rows alone: no encoder is loaded.
    pub(crate) fn for_rows(
        folder: &Path,
        settings: &Settings,
        device: &Device,
        output: &Output,
    ) -> Result<Self, Failure> {
        // Before the folder is opened, which would make one that was mistyped.
        Checkpoint::read(folder)?;
        if settings.given(MODEL_NAME).is_some() {
            return Self::for_writing(settings, device, output);
        }
        let folder = CheckpointFolder::open(folder)?;
        let checkpoint = Checkpoint::read(folder.path())?;
        let checkpoint = adjust(checkpoint, settings, output)?;
        let encoder: Arc<dyn Encoder> = Arc::new(NotLoaded {
            id: checkpoint.encoder_id().to_owned(),
            hidden_size: checkpoint.hidden_size(),
            device: device.clone(),
        });
        let (notes, progress) = (kept_notes(&checkpoint), checkpoint.progress.clone());
        let gate = Gate::restore(cached(encoder, settings), checkpoint)?;
        Ok(Self { gate, folder: Some(folder), notes, progress, is_unsaved: false })
    }

    /// A model that begins anew on an encoder at hand.
    pub(crate) fn begin(
        settings: &Settings,
        located: &Located,
        encoder: Arc<dyn Encoder>,
        folder: CheckpointFolder,
    ) -> Result<Self, Failure> {
        let mut notes = BTreeMap::new();
        note(&mut notes, located, settings.pooling());
        let gate = Gate::new(cached(encoder, settings), settings.gate)?;
        Ok(Self { gate, folder: Some(folder), notes, progress: None, is_unsaved: false })
    }

    /// The checkpoint of a model that goes on from a head that was learned elsewhere, with the
    /// encoder of the settings.
    pub(crate) fn import(
        settings: &Settings,
        head: Head,
        device: &Device,
        output: &Output,
    ) -> Result<Checkpoint, Failure> {
        let located = models::locate(&settings.model_name)?;
        let pooling = settings.pooling();
        models::warn_of_pooling(&located, pooling, output)?;
        let encoder = models::load(&located, pooling, (device, dtype(settings)))?;
        let mut checkpoint = Gate::with_head(encoder, settings.gate, head)?.checkpoint()?;
        note(&mut checkpoint.notes, &located, pooling);
        Ok(checkpoint)
    }

    /// What the cache of embeddings was good for; none where it is off.
    pub(crate) fn cache(&self) -> Option<CacheReport> {
        let encoder = self.gate.encoder();
        (encoder.max_bytes() > 0).then(|| encoder.counts().into())
    }

    /// Says what the cache of embeddings was good for, to those who want to know.
    pub(crate) fn tell_cache(&self, output: &Output) {
        if let Some(cache) = self.cache() {
            output.detail(format_args!("embeddings: {cache}"));
        }
    }

    /// Writes the state to its folder, if it has one.
    pub(crate) fn save(&self) -> Result<(), Failure> {
        if let Some(folder) = &self.folder {
            let mut checkpoint = self.gate.checkpoint()?;
            checkpoint.notes.clone_from(&self.notes);
            checkpoint.progress.clone_from(&self.progress);
            folder.write(&checkpoint)?;
        }
        Ok(())
    }

    /// Writes the state while work goes on, and says whether it did. Where the folder cannot be
    /// written to, the state stays in memory until the next save, and the first time that is told.
    pub(crate) fn save_on_the_way(&mut self, output: &Output) -> Result<bool, Failure> {
        match self.save() {
            Err(failure) if failure.kind == Kind::Checkpoint => {
                if !self.is_unsaved {
                    let line = failure.line();
                    output.warning(format_args!("{line}; going on without a save"));
                }
                self.is_unsaved = true;
            }
            saved => {
                saved?;
                self.is_unsaved = false;
            }
        }
        Ok(!self.is_unsaved)
    }

    /// Whether what is learned is written anywhere.
    pub(crate) fn has_folder(&self) -> bool {
        self.folder.is_some()
    }

    fn open(
        settings: &Settings,
        checkpoint: Option<Checkpoint>,
        folder: Option<CheckpointFolder>,
        device: &Device,
        output: &Output,
    ) -> Result<Self, Failure> {
        let mut notes = checkpoint.as_ref().map(kept_notes).unwrap_or_default();
        let progress = checkpoint.as_ref().and_then(|checkpoint| checkpoint.progress.clone());
        let known = model_name(settings, checkpoint.as_ref());
        let model_name = known.unwrap_or(&settings.model_name);
        let pooling = match (settings.given(CUSTOM), notes.get(CUSTOM).map(String::as_str)) {
            (None, Some("true")) => Pooling::Mean,
            (None, Some(_)) => Pooling::LastToken,
            _ => settings.pooling(),
        };
        let located = models::locate(model_name).map_err(|failure| match known {
            Some(_) => failure,
            None => failure.hint(format!(
                "{model_name} is the default: name another with --gating.model_name, or fetch it with \
                 `gating model pull {model_name}`"
            )),
        })?;
        // Who goes on with a checkpoint cannot choose.
        if checkpoint.is_none() {
            models::warn_of_pooling(&located, pooling, output)?;
        }
        let encoder = models::load(&located, pooling, (device, dtype(settings)))?;
        output.detail(format_args!("encoder: {}", encoder.id()));
        let encoder = cached(encoder, settings);
        let gate = match checkpoint {
            Some(checkpoint) => Gate::restore(encoder, adjust(checkpoint, settings, output)?)?,
            None => Gate::new(encoder, settings.gate)?,
        };
        note(&mut notes, &located, pooling);
        Ok(Self { gate, folder, notes, progress, is_unsaved: false })
    }
}

/// Says that there is nothing to go on from: the folder may have been mistyped.
fn note_new(path: &Path, output: &Output) {
    output.note(format_args!("there is no checkpoint in {} yet: beginning one", path.display()));
}

/// The encoder with the embeddings that the settings let it keep.
fn cached(encoder: Arc<dyn Encoder>, settings: &Settings) -> Arc<CachedEncoder<Arc<dyn Encoder>>> {
    Arc::new(CachedEncoder::new(encoder, settings.cache_bytes))
}

/// Stands in for the encoder of a checkpoint where no message is encoded.
struct NotLoaded {
    id: String,
    hidden_size: usize,
    device: Device,
}

impl Encoder for NotLoaded {
    fn id(&self) -> &str {
        &self.id
    }

    fn hidden_size(&self) -> usize {
        self.hidden_size
    }

    fn device(&self) -> &Device {
        &self.device
    }

    fn encode_batch(&self, _messages: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
        Err(EncodeError::new("the encoder is not loaded"))
    }
}

/// The notes that hold for whoever goes on with a checkpoint.
fn kept_notes(checkpoint: &Checkpoint) -> BTreeMap<String, String> {
    let mut notes = checkpoint.notes.clone();
    notes.remove(MADE_BY);
    notes
}

/// The model that work on a checkpoint, or a new one, would load: the one that the settings name, or
/// that the checkpoint knows. None where only the default would be left.
pub(crate) fn model_name<'a>(
    settings: &'a Settings,
    checkpoint: Option<&'a Checkpoint>,
) -> Option<&'a str> {
    let known = || checkpoint?.notes.get(MODEL_NAME).map(String::as_str);
    settings.given(MODEL_NAME).map(|_| settings.model_name.as_str()).or_else(known)
}

/// Notes by what the encoder is found again.
fn note(notes: &mut BTreeMap<String, String>, located: &Located, pooling: Pooling) {
    let custom = (pooling == Pooling::Mean).to_string();
    notes.insert(MODEL_NAME.to_owned(), located.name.clone());
    notes.insert(CUSTOM.to_owned(), custom);
}

/// A checkpoint with the settings that were given anew, if they can change.
fn adjust(
    checkpoint: Checkpoint,
    settings: &Settings,
    output: &Output,
) -> Result<Checkpoint, Failure> {
    let stored = *checkpoint.config();
    let mut config = settings.gate_over(stored);
    // What the head has grown to is what `gating config show` shows.
    if config.num_uids == checkpoint.num_uids() {
        config.num_uids = stored.num_uids;
    }
    let checkpoint = checkpoint.with_config(config).map_err(|error| refuse(error, settings))?;
    let texts = |config: &GateConfig| {
        let GateConfig { learning_rate, momentum, identity, .. } = config;
        [learning_rate.to_string(), momentum.to_string(), identity.to_string()]
    };
    let names = ["gating.learning_rate", "gating.momentum", "gating.identity"];
    for (name, (before, now)) in names.iter().zip(texts(&stored).iter().zip(texts(&config))) {
        if *before != now {
            output.note(format_args!("`{name}` is {now} here, and {before} in the checkpoint"));
        }
    }
    Ok(checkpoint)
}

/// Says where a setting comes from that cannot change any more.
pub(crate) fn refuse(error: Error, settings: &Settings) -> Failure {
    let Error::FixedSetting { name, .. } = error else { return error.into() };
    let is_meant = |key: &Key| key.name.rsplit('.').next() == Some(name);
    let meant = settings.entries().find(|(key, _)| is_meant(key));
    let failure = Failure::from(error);
    match meant {
        Some((key, Some(entry))) => failure.hint(format!(
            "`{}` comes from {}: leave it out there, or begin a new checkpoint",
            key.name, entry.source
        )),
        _ => failure,
    }
}
