//! An encoder on a device that is chosen while running.
#![expect(clippy::print_stdout, reason = "it shows what it found")]

use gating_devices::open;
use gating_encoders::{Encoder, ModelFiles, SentenceEncoder};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::args().nth(1).unwrap_or("cpu".to_owned());
    let opened = open(name.parse()?)?;
    println!("{}: {:?}", opened.name, opened.about);
    let encoder = SentenceEncoder::load(&ModelFiles::open("all-MiniLM-L6-v2")?, &opened.device)?;
    println!("{} numbers", encoder.encode("How do I poach an egg?")?.hidden_size());
    Ok(())
}
