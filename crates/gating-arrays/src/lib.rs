//! The files of PyTorch and NumPy, read and written without executing anything in them.
//!
//! Both write pickles, which are programs: who runs one runs whatever its writer chose. [`read`]
//! runs none. It knows the few functions that make tensors and arrays, takes objects of the
//! classes that its caller names as plain fields, and refuses everything else by name.
//!
//! It takes the two formats of `torch.save`, the raw pickles of `pickle.dump` with arrays inside,
//! and `.npz` and `.npy`. Arrays stay where they lie in the bytes, which may be a memory map,
//! until somebody asks for their values. [`write_state_dict`] and [`write_npz`] write files that
//! `torch.load(weights_only=True)` and `numpy.load` take.
//!
//! `examples/gating-arrays` in the repository is a program with this crate alone.
//!
//! ```
//! use gating_arrays::{Array, read, write_state_dict};
//!
//! let bias = Array::from_f32(&[2], &[0.5, -1.0])?;
//! let file = write_state_dict(&[("bias", &bias)])?;
//!
//! let state = read(&file, &[])?;
//! let bias = state.get("bias").and_then(|bias| bias.as_array()).expect("it was written");
//! assert_eq!(bias.to_f32()?, [0.5, -1.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod archive;
mod array;
mod buffer;
mod cursor;
mod dtype;
mod error;
mod npy;
mod pickle;
mod read;
mod torch;
mod value;
mod write;

pub use array::Array;
pub use buffer::Buffer;
pub use dtype::Dtype;
pub use error::{ArrayError, EntryError, Error, PickleError};
pub use read::read;
pub use value::{Object, Value};
pub use write::{write_npz, write_state_dict};
