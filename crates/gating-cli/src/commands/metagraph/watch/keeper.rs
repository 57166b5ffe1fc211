//! A checkpoint that keeps up with its network.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use gating_core::{Checkpoint, Error};
use gating_metagraph::Metagraph;
use gating_metagraph::chain::{Event, Shrink};

use super::Told;
use crate::commands::resync;
use crate::device;
use crate::failure::Failure;
use crate::output::Output;
use crate::settings::Settings;

/// A checkpoint that keeps up with its network.
pub(super) struct Keeper<'a> {
    folder: &'a Path,
    shrink: Shrink,
    settings: &'a Settings,
    device: Device,
    /// The metagraph that the checkpoint does not follow yet.
    pending: Option<Arc<Metagraph>>,
    /// Whether it did follow one: whatever fails later passes.
    has_followed: bool,
}

impl<'a> Keeper<'a> {
    pub(super) fn new(
        folder: &'a Path,
        shrink: Shrink,
        settings: &'a Settings,
        output: &Output,
    ) -> Result<Self, Failure> {
        Checkpoint::read(folder)?;
        let device = device::choose(settings, output)?;
        Ok(Self { folder, shrink, settings, device, pending: None, has_followed: false })
    }

    /// Resyncs at each change, and later where that fails, such as while somebody else learns.
    pub(super) fn follow(&mut self, event: &Event, output: &Output) -> Result<(), Failure> {
        match event {
            Event::First { metagraph } | Event::Changed { metagraph, .. } => {
                self.pending = Some(Arc::clone(metagraph));
            }
            Event::Unchanged { .. } => {}
            _ => return Ok(()),
        }
        let Some(metagraph) = self.pending.take() else { return Ok(()) };
        match self.resync(&metagraph, output) {
            Ok(line) => {
                self.has_followed = true;
                tell(line, output)
            }
            Err(failure) if self.has_followed || is_passing(&failure) => {
                let why = failure.line();
                output.warning(format_args!("{}: {why}; it is tried again", self.folder.display()));
                self.pending = Some(metagraph);
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }

    /// Resyncs for the last time, where the checkpoint does not follow yet.
    pub(super) fn finish(self, output: &Output) -> Result<(), Failure> {
        let Some(metagraph) = &self.pending else { return Ok(()) };
        match self.resync(metagraph, output) {
            // The rows are ahead of what was seen, which was told.
            Err(failure) if is_older(&failure) => Ok(()),
            resynced => tell(resynced?, output),
        }
    }

    fn resync(&self, metagraph: &Metagraph, output: &Output) -> Result<resync::Line, Failure> {
        let Self { folder, shrink, settings, device, .. } = self;
        resync::resync(folder, metagraph, *shrink, settings, device, output)
    }
}

fn tell(line: resync::Line, output: &Output) -> Result<(), Failure> {
    let told = Told { event: "resync", what: line };
    output.result(&told, |told| resync::text(&told.what))
}

/// Whether a resync that failed may succeed later.
fn is_passing(failure: &Failure) -> bool {
    let is_in_use = matches!(failure.cause::<Error>(), Some(Error::CheckpointInUse { .. }));
    is_in_use || is_older(failure)
}

/// Whether the rows belong to a newer metagraph already.
fn is_older(failure: &Failure) -> bool {
    matches!(failure.cause::<Error>(), Some(Error::OlderMetagraph { .. }))
}
