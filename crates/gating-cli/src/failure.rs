//! Why a command failed, in a form for people and programs.

use std::path::Path;
use std::{io, iter};

use gating_core::{CheckpointError, Error};
use gating_devices::DeviceError;
use gating_metagraph::chain::{self, Problem};

/// What kind of thing went wrong: programs go by it.
///
/// `docs/errors.md` is made of these comments: when it happens, and what to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// An argument is missing, unknown or cannot be, such as a reward that is no number or a uid
    /// given twice; or `replay` is given other logs or another selection than the checkpoint
    /// stopped in.
    ///
    /// `gating help COMMAND`.
    Usage,
    /// A setting is unknown, of the wrong type or out of range; all of them are told at once. Or it is
    /// one that a checkpoint has decided for good.
    ///
    /// `gating config show`, `gating config init`.
    Configuration,
    /// A message without tokens, a uid that the head does not have, a line that is no message; with
    /// `replay --strict` a line that is no event, without it logs of which every event is bad. A head
    /// that cannot be imported; weights that have overflowed.
    ///
    /// The message names it; after an overflow, go back to an earlier checkpoint.
    Input,
    /// A model is not on this machine, or its files are not whole or not of a known network.
    ///
    /// `gating model pull`, `gating model show`, `gating model verify`.
    Model,
    /// There is none, it is damaged, in use, gone, or of another encoder.
    ///
    /// `gating checkpoint verify`.
    Checkpoint,
    /// A file holds no metagraph, or one that is damaged, of another subnet, or older than the one
    /// that the rows belong to; a node does not have the subnet or the block; a network has lost more
    /// than half of its uids.
    ///
    /// `gating metagraph show`; `--netuid`; `--accept-shrink`.
    Metagraph,
    /// A device is not compiled in or not there, cannot compute in `neuron.dtype`, or failed.
    ///
    /// `gating doctor`.
    Device,
    /// A download failed, or no node answered.
    ///
    /// What has arrived of a download is kept: try again; another node with `--network URL`.
    Network,
    /// A file cannot be read or written.
    ///
    /// The message names it.
    File,
    /// A replay was ended by Ctrl-C or SIGTERM; it has saved and reported what it learned.
    ///
    /// The same command goes on, without `--again`.
    Interrupted,
    /// Whoever reads stdout has read enough: nothing is wrong.
    StdoutClosed,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Configuration => "configuration",
            Self::Input => "input",
            Self::Model => "model",
            Self::Checkpoint => "checkpoint",
            Self::Metagraph => "metagraph",
            Self::Device => "device",
            Self::Network => "network",
            Self::File => "file",
            Self::Interrupted => "interrupted",
            Self::StdoutClosed => "stdout_closed",
        }
    }

    /// 2 where the command could not be started as it was given, 1 where its work failed.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Usage | Self::Configuration => 2,
            Self::StdoutClosed => 0,
            _ => 1,
        }
    }
}

/// Why a command failed: what and why, the chain of causes, and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    error: anyhow::Error,
    /// Causes that are no chain, such as several wrong settings.
    causes: Vec<String>,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(kind: Kind, error: anyhow::Error) -> Self {
        Self { kind, error, causes: Vec::new(), hint: None }
    }

    pub(crate) fn causes(self, causes: Vec<String>) -> Self {
        Self { causes, ..self }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// A file or folder that cannot be read or written.
    pub(crate) fn file(path: &Path, error: io::Error) -> Self {
        let what = format!("cannot access {}", path.display());
        Self::new(Kind::File, anyhow::Error::new(error).context(what))
    }

    /// Says first what was being done.
    pub(crate) fn context(self, what: impl std::fmt::Display + Send + Sync + 'static) -> Self {
        Self { error: self.error.context(what), ..self }
    }

    pub(crate) fn message(&self) -> String {
        self.error.to_string()
    }

    /// From the nearest cause to the deepest.
    pub(crate) fn chain(&self) -> Vec<String> {
        let mut chain = causes(self.error.as_ref());
        chain.extend(self.causes.iter().cloned());
        chain.dedup();
        chain
    }

    /// The failure and its causes in one line.
    pub(crate) fn line(&self) -> String {
        [vec![self.message()], self.chain()].concat().join(": ")
    }

    /// What is wrong: each of several causes alone, or the failure as a whole.
    pub(crate) fn problems(&self) -> Vec<String> {
        if self.causes.is_empty() { vec![self.line()] } else { self.causes.clone() }
    }

    /// The error of this type, if that is what failed.
    pub(crate) fn cause<E: std::error::Error + Send + Sync + 'static>(&self) -> Option<&E> {
        self.error.downcast_ref()
    }

    pub(crate) fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

/// The causes of an error, from the nearest to the deepest. What the one before ends with is said
/// already.
pub(crate) fn causes(error: &dyn std::error::Error) -> Vec<String> {
    let errors = iter::successors(Some(error), |error| error.source());
    let mut texts: Vec<String> = errors.map(ToString::to_string).collect();
    texts.dedup_by(|text, before| before == text || before.ends_with(&format!(": {text}")));
    texts.split_off(1)
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::NoCheckpoint { .. }
            | Error::NoWholeCheckpoint { .. }
            | Error::CheckpointInUse { .. }
            | Error::CheckpointFolderGone { .. }
            | Error::CheckpointFile { .. }
            | Error::Checkpoint { .. }
            | Error::OtherEncoder { .. } => Kind::Checkpoint,
            Error::Metagraph(error) => metagraph_kind(error),
            Error::NotAttached
            | Error::EmptyMetagraph
            | Error::TooManyUids { .. }
            | Error::Attached { .. }
            | Error::OtherMetagraph { .. }
            | Error::OlderMetagraph { .. } => Kind::Metagraph,
            _ if device_error(&error).is_some() => Kind::Device,
            Error::File { .. } => Kind::File,
            Error::FixedSetting { .. } => Kind::Configuration,
            _ => Kind::Input,
        };
        let hint = match &error {
            Error::OtherEncoder { .. } => Some(
                "a checkpoint knows its encoder: leave out --gating.model_name and \
                 --neuron.use_custom_gating_model; where the model has changed on its hub since, name \
                 the commit it had: --gating.model_name ORG/NAME@COMMIT",
            ),
            Error::OlderMetagraph { .. } => {
                Some("the rows belong to a newer metagraph already: take one that is not older")
            }
            Error::NoCheckpoint { .. } => Some(
                "name the folder that `gating learn`, `replay`, `demo` or `checkpoint import` made",
            ),
            Error::CheckpointInUse { .. } => Some("wait until it ends, or use another folder"),
            Error::Checkpoint { source: CheckpointError::Version { .. }, .. } => {
                Some("use the version of gating that wrote it, or a newer one")
            }
            Error::Checkpoint { .. } => {
                Some("`gating checkpoint verify FOLDER` says what can be done")
            }
            Error::NoWholeCheckpoint { .. } => {
                Some("restore the folder from a backup, or begin a new one")
            }
            Error::CheckpointFolderGone { .. } => Some("bring the folder back, or begin a new one"),
            Error::ScoreNotFinite { .. } | Error::WeightNotFinite { .. } => Some(
                "the weights have overflowed: go back to an earlier checkpoint and learn with a smaller --gating.learning_rate",
            ),
            _ => device_error(&error).map(DeviceError::advice),
        };
        let failure = Self::new(kind, anyhow::Error::new(error));
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<gating_encoders::Error> for Failure {
    fn from(error: gating_encoders::Error) -> Self {
        match error {
            gating_encoders::Error::Device(error) => error.into(),
            error @ gating_encoders::Error::DType { .. } => {
                Self::new(Kind::Device, anyhow::Error::new(error))
            }
            error @ gating_encoders::Error::File { .. } => {
                Self::new(Kind::File, anyhow::Error::new(error))
            }
            error => Self::new(Kind::Model, anyhow::Error::new(error)),
        }
    }
}

impl From<DeviceError> for Failure {
    fn from(error: DeviceError) -> Self {
        let advice = error.advice();
        let is_missing = !matches!(error, DeviceError::Failed { .. } | DeviceError::Unknown { .. });
        let found: Vec<String> = match is_missing {
            true => gating_devices::found().iter().map(ToString::to_string).collect(),
            false => Vec::new(),
        };
        let failure = Self::new(Kind::Device, anyhow::Error::new(error));
        match found.as_slice() {
            [] => failure.hint(advice),
            names => failure.hint(format!("{advice}; found: {}", names.join(", "))),
        }
    }
}

/// Why the device failed while it encoded, if it did.
fn device_error(error: &Error) -> Option<&DeviceError> {
    match error {
        Error::Device(error) => Some(error),
        Error::Encode(error) => match error.get().downcast_ref() {
            Some(gating_encoders::Error::Device(error)) => Some(error),
            // The cache fetches what the encoder has left on the device.
            _ => device_error(error.get().downcast_ref()?),
        },
        _ => None,
    }
}

impl From<gating_core::EncodeError> for Failure {
    fn from(error: gating_core::EncodeError) -> Self {
        Error::Encode(error).into()
    }
}

impl From<gating_metagraph::Error> for Failure {
    fn from(error: gating_metagraph::Error) -> Self {
        Self::new(metagraph_kind(&error), anyhow::Error::new(error))
    }
}

fn metagraph_kind(error: &gating_metagraph::Error) -> Kind {
    match error {
        gating_metagraph::Error::File { .. } => Kind::File,
        _ => Kind::Metagraph,
    }
}

impl From<chain::Error> for Failure {
    fn from(error: chain::Error) -> Self {
        let kind = match *error.problem {
            Problem::NoSubnet { .. }
            | Problem::NoBlock { .. }
            | Problem::NotFinal { .. }
            | Problem::Decode { .. }
            | Problem::Inconsistent { .. } => Kind::Metagraph,
            _ => Kind::Network,
        };
        let hint = match *error.problem {
            Problem::NoSubnet { .. } => Some("name the subnet with --netuid NUMBER"),
            Problem::Discarded { .. } => Some("ask an archive, such as --network finney does"),
            Problem::RateLimited { .. } | Problem::Status { status: 429, .. } => {
                Some("wait, or ask another node with --network URL")
            }
            Problem::UnknownMethod { .. } => Some("ask a node of subtensor with --network URL"),
            Problem::Unreachable(_) | Problem::Timeout { .. } => {
                Some("name another node: --network URL, or `gating resync URL`")
            }
            _ => None,
        };
        let failure = Self::new(kind, anyhow::Error::new(error));
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Also where the cache meets it, which fetches what the encoder has left on the device.
    #[test]
    fn a_device_that_fails_while_it_encodes_is_told_as_such() {
        let failed = || DeviceError::failed("it was lost");
        let check = |error: gating_core::EncodeError| {
            let failure = Failure::from(error);
            assert_eq!(failure.kind, Kind::Device, "{failure:?}");
            assert!(failure.advice().is_some(), "{failure:?}");
        };
        check(gating_core::EncodeError::new(gating_encoders::Error::Device(failed())));
        check(gating_core::EncodeError::new(Error::Device(failed())));
    }

    #[test]
    fn no_cause_is_told_twice() {
        let check = |inner: &'static str, outer: &'static str, expected: &[&str]| {
            let error = anyhow::anyhow!(inner).context(outer).context("it failed");
            assert_eq!(Failure::new(Kind::Network, error).chain(), expected);
        };
        check("reset", "protocol error: reset", &["protocol error: reset"]);
        check("reset", "reset", &["reset"]);
        check("reset", "not a reset", &["not a reset", "reset"]);
    }
}
