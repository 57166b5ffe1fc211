//! Reads and writes files of PyTorch and NumPy, and refuses one that would run something.
//!
//! `gating-arrays` is the only crate here.

use std::error::Error;
use std::fs;

use gating_arrays::{Array, PickleError, read, write_npz, write_state_dict};

/// What `torch.save` made of the state of a `torch.nn.Linear(2, 2)`: all weights are 1, all biases 2.
const SAVED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../crates/gating-arrays/testdata/files/torch-without-checksums.pt"
);

/// A pickle that calls `os.system("ls")` where Python loads it.
const HOSTILE: &[u8] = b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.";

fn main() -> Result<(), Box<dyn Error>> {
    // The arrays stay in `bytes`, which may be a map of the file, until their values are asked for.
    let bytes = fs::read(SAVED)?;
    let state = read(&bytes, &[])?;
    for (name, value) in state.as_dict().ok_or("expected a dictionary")? {
        let (name, array) = name.as_text().zip(value.as_array()).ok_or("expected an array")?;
        println!("{name}: {:?} {:?} {:?}", array.dtype(), array.shape(), array.to_f32()?);
    }
    let weight = state.get("weight").and_then(|value| value.as_array()).ok_or("no weight")?;
    assert_eq!((weight.shape(), weight.to_f32()?), (&[2, 2][..], vec![1.0; 4]));

    let halved: Vec<f32> = weight.to_f32()?.iter().map(|value| value / 2.0).collect();
    let halved = Array::from_f32(weight.shape(), &halved)?;
    // For `torch.load(weights_only=True)`, and for `numpy.load`.
    for file in [write_state_dict(&[("weight", &halved)])?, write_npz(&[("weight", &halved)])?] {
        assert_eq!(
            read(&file, &[])?.get("weight").and_then(|value| value.as_array()),
            Some(&halved)
        );
    }

    let error = read(HOSTILE, &[]).expect_err("it names a function that makes no array");
    let cause = error.source().and_then(|source| source.downcast_ref::<PickleError>());
    println!("{error}: {}", cause.ok_or("expected a reason")?);
    assert!(matches!(cause, Some(PickleError::Global { name }) if name == "os.system"));
    Ok(())
}
