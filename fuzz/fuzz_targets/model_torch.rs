//! Weights as `torch.save` writes them.

#![no_main]

use gating_fuzz::model::with_file;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    with_file("pytorch_model.bin", bytes);
});
