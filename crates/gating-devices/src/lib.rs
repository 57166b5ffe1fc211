//! The devices that encoders run on, by the names that a setting has for them.
//!
//! A device that was asked for is opened, or an error says why it cannot be had: it is not compiled
//! in, has no driver, is not there, or cannot compute what it is for. Nothing falls back to another.
//! [`choose`] takes the fastest that is there, and says which and why.
//!
//! Burn and the libraries below it panic where a device fails while it works; [`guarded`] makes an
//! error of that.
//!
//! `examples/gating-devices` in the repository is a program with this crate alone.
//!
//! ```
//! # #[cfg(feature = "flex")] {
//! use gating_devices::{DeviceName, open};
//!
//! let opened = open("cpu".parse()?)?;
//! assert_eq!(opened.name, DeviceName::Cpu);
//! assert!(!opened.about.name.is_empty());
//! # }
//! # Ok::<(), gating_devices::DeviceError>(())
//! ```

mod about;
#[cfg(feature = "wgpu")]
mod adapters;
mod choice;
#[cfg(feature = "cuda")]
mod cuda;
mod error;
#[cfg(feature = "flex")]
mod flex;
mod guard;
#[cfg(feature = "libtorch")]
mod libtorch;
mod memory;
mod name;
#[cfg(any(feature = "cuda", feature = "libtorch"))]
mod nvidia;
mod open;

pub use about::About;
pub use choice::{Choice, choose};
pub use error::DeviceError;
pub use guard::{guarded, is_guarded};
pub use name::{DeviceFamily, DeviceName};
pub use open::{Opened, found, open};
