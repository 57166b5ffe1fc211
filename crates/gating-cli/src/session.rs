//! A gating model with its state: in memory, or in a checkpoint folder that is read and written.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::Device;
use gating_core::{
    Checkpoint, CheckpointFolder, Embedding, EncodeError, Encoder, Gate, GateConfig,
};

use crate::failure::{Failure, Kind};
use crate::models::{self, Located};
use crate::output::Output;
use crate::settings::{Given, Settings};

/// The notes in a checkpoint by which its encoder is found again.
const MODEL_NAME: &str = "gating.model_name";
const CUSTOM: &str = "neuron.use_custom_gating_model";

/// A gating model with its state.
pub(crate) struct Session {
    pub(crate) gate: Gate<Box<dyn Encoder>>,
    /// Where the state is written to; none where it lives in memory alone.
    folder: Option<CheckpointFolder>,
    /// What is written beside the state.
    pub(crate) notes: BTreeMap<String, String>,
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
        let folder = CheckpointFolder::open(path)?;
        let checkpoint = folder.read()?;
        Self::open(settings, checkpoint, Some(folder), device, output)
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
        let folder = CheckpointFolder::open(folder)?;
        let mut checkpoint = Checkpoint::read(folder.path())?;
        checkpoint.config = adjust(checkpoint.config, settings, output)?;
        let encoder: Box<dyn Encoder> = Box::new(NotLoaded {
            id: checkpoint.encoder_id.clone(),
            hidden_size: checkpoint.hidden_size(),
            device: device.clone(),
        });
        let notes = checkpoint.notes.clone();
        Ok(Self { gate: Gate::restore(encoder, checkpoint)?, folder: Some(folder), notes })
    }

    /// A model that begins anew on an encoder at hand.
    pub(crate) fn begin(
        settings: &Settings,
        located: &Located,
        encoder: Box<dyn Encoder>,
        folder: CheckpointFolder,
    ) -> Result<Self, Failure> {
        let notes = notes(located, settings.use_custom_gating_model);
        Ok(Self { gate: Gate::new(encoder, settings.gate)?, folder: Some(folder), notes })
    }

    /// Writes the state to its folder, if it has one.
    pub(crate) fn save(&self) -> Result<(), Failure> {
        if let Some(folder) = &self.folder {
            let mut checkpoint = self.gate.checkpoint()?;
            checkpoint.notes.clone_from(&self.notes);
            folder.write(&checkpoint)?;
        }
        Ok(())
    }

    fn open(
        settings: &Settings,
        checkpoint: Option<Checkpoint>,
        folder: Option<CheckpointFolder>,
        device: &Device,
        output: &Output,
    ) -> Result<Self, Failure> {
        let note =
            |name: &str| checkpoint.as_ref().and_then(|checkpoint| checkpoint.notes.get(name));
        let model_name = match (settings.given(MODEL_NAME), note(MODEL_NAME)) {
            (None, Some(name)) => name,
            _ => &settings.model_name,
        };
        let sentence = match (settings.given(CUSTOM), note(CUSTOM)) {
            (None, Some(custom)) => custom == "true",
            _ => settings.use_custom_gating_model,
        };
        let config = match &checkpoint {
            Some(checkpoint) => adjust(checkpoint.config, settings, output)?,
            None => settings.gate,
        };
        let located = models::locate(model_name)?;
        let encoder = models::load(&located, sentence, device, output)?;
        output.detail(format_args!("encoder: {}", encoder.id()));
        let gate = match checkpoint {
            Some(mut checkpoint) => {
                checkpoint.config = config;
                Gate::restore(encoder, checkpoint)?
            }
            None => Gate::new(encoder, config)?,
        };
        Ok(Self { gate, folder, notes: notes(&located, sentence) })
    }
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

fn notes(located: &Located, sentence: bool) -> BTreeMap<String, String> {
    let name = (MODEL_NAME.to_owned(), located.name.clone());
    [name, (CUSTOM.to_owned(), sentence.to_string())].into()
}

/// The settings of a checkpoint, but for those given anew that can change while learning goes on.
fn adjust(stored: GateConfig, settings: &Settings, output: &Output) -> Result<GateConfig, Failure> {
    let given = settings.gate;
    let fixed = [
        ("gating.num_uids", given.num_uids == stored.num_uids, stored.num_uids.to_string()),
        ("gating.gradient", given.gradient == stored.gradient, stored.gradient.to_string()),
        ("seed", given.seed == stored.seed, stored.seed.to_string()),
    ];
    let differs = |(name, same, _): &&(&str, bool, String)| !same && settings.given(name).is_some();
    if let Some((name, _, stored)) = fixed.iter().find(differs) {
        let message =
            format!("the checkpoint was begun with `{name}` {stored}, which cannot change");
        return Err(Failure::new(Kind::Configuration, anyhow::Error::msg(message))
            .hint("leave the setting out, or begin a new checkpoint"));
    }
    let mut config = stored;
    let changes = [
        ("gating.learning_rate", given.learning_rate == stored.learning_rate),
        ("gating.momentum", given.momentum == stored.momentum),
        ("gating.identity", given.identity == stored.identity),
    ];
    for (name, same) in changes {
        let Some(Given { text, .. }) = settings.given(name).filter(|_| !same) else {
            continue;
        };
        output.note(format_args!("`{name}` changes to {text} from here on"));
        match name {
            "gating.learning_rate" => config.learning_rate = given.learning_rate,
            "gating.momentum" => config.momentum = given.momentum,
            _ => config.identity = given.identity,
        }
    }
    Ok(config)
}
