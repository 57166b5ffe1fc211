//! The weights of a network, each tensor taken once by name and shape.

mod files;
mod mapped;
mod slot;

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::Error;
use crate::place::Place;

#[cfg(feature = "hub")]
pub(crate) use files::shards;
pub(crate) use files::{NAMES, WeightFiles};

/// The tensors of a network, on their way to a device.
#[derive(Debug)]
pub(crate) struct Weights<'a> {
    files: &'a WeightFiles,
    /// What stands before every name where a larger model was saved.
    prefix: &'static str,
    /// The tensors that nobody has taken yet.
    left: RefCell<BTreeSet<&'a str>>,
    place: &'a Place,
}

impl<'a> Weights<'a> {
    /// The weights in some files. Names may begin with `prefix`.
    pub(crate) fn new(files: &'a WeightFiles, prefix: &'static str, place: &'a Place) -> Self {
        let names: BTreeSet<&str> = files.slots.keys().map(String::as_str).collect();
        let prefix = if names.iter().any(|name| name.starts_with(prefix)) { prefix } else { "" };
        Self { files, prefix, left: RefCell::new(names), place }
    }

    /// Where the tensors go.
    pub(crate) fn place(&self) -> &Place {
        self.place
    }

    /// Takes a tensor of known shape: its numbers, the last dimension running fastest.
    pub(crate) fn take<const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
    ) -> Result<Vec<f32>, Error> {
        let name = format!("{}{name}", self.prefix);
        let expected = || shape.to_vec();
        let Some((file, slot)) = self.files.slots.get(&name) else {
            return Err(Error::NoTensor { name, expected: expected() });
        };
        let Some(floats) = slot.floats.filter(|_| slot.shape == shape) else {
            let (dtype, found) = (slot.dtype.clone(), slot.shape.clone());
            return Err(Error::Tensor { name, dtype, found, expected: expected() });
        };
        self.left.borrow_mut().remove(name.as_str());
        slot.values(floats, self.files.file(*file))
    }

    /// Refuses tensors that nobody took, unless they are known to be of no use.
    pub(crate) fn finish(self, is_unused: impl Fn(&str) -> bool) -> Result<(), Error> {
        let unused = |name: &&str| is_unused(name.strip_prefix(self.prefix).unwrap_or(name));
        let left = self.left.into_inner();
        let mut unknown = left.into_iter().filter(|name| !unused(name));
        match unknown.next() {
            Some(first) => {
                let first = first.to_owned();
                Err(Error::UnknownTensors { count: 1 + unknown.count(), first })
            }
            None => Ok(()),
        }
    }
}
