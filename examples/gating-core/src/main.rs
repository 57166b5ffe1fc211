//! Learns whom to ask with an encoder of its own, and goes on from a checkpoint.
//!
//! `gating-core` is the only crate of ours here. Its feature `flex` compiles the CPU in, where embeddings lie; without
//! any device the layer that scores, the head, can still be made and given to other programs.

use std::error::Error;
use std::path::Path;
use std::{env, fs, process};

use burn::tensor::Device;
use gating_core::{
    BaseGatingModel, Checkpoint, CheckpointFolder, Embedding, EncodeError, Encoder, Gate,
    GateConfig, GradientMode, Head, HeadConfig, HeadFormat, Rewards, Uid, UidSampler,
};

/// How many numbers an embedding has here.
const SIZE: usize = 64;

/// How many can be asked, and how many are asked for one message.
const UIDS: u16 = 8;
const ASKED: usize = 4;

/// Messages, and who answers them well: the uids with this remainder by two.
const MESSAGES: [(&str, u16); 6] = [
    ("How long does an egg boil?", 0),
    ("Which pan is best for an omelette?", 0),
    ("Can I bake bread without yeast?", 0),
    ("How far away is the moon?", 1),
    ("Which planet is the hottest?", 1),
    ("Why does a star shine?", 1),
];

/// Counts the words of a message in `SIZE` places, and gives the counts length 1.
struct Words(Device);

impl Encoder for Words {
    fn id(&self) -> &str {
        "words in 64 places, version 1"
    }

    fn hidden_size(&self) -> usize {
        SIZE
    }

    fn device(&self) -> &Device {
        &self.0
    }

    fn encode_batch(&self, messages: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
        let encode = |message: &&str| Embedding::from_slice(&counts(message), &self.0);
        Ok(messages.iter().map(encode).collect())
    }
}

fn counts(message: &str) -> [f32; SIZE] {
    let mut counts = [0.0; SIZE];
    let words = message.split(|letter: char| !letter.is_alphanumeric());
    for word in words.filter(|word| !word.is_empty()) {
        counts[place(&word.to_lowercase())] += 1.0;
    }
    let length = counts.iter().map(|count: &f32| count * count).sum::<f32>().sqrt();
    counts.map(|count| if length > 0.0 { count / length } else { 0.0 })
}

/// The hash FNV-1a, which is the same on every machine: so must be what an encoder makes.
fn place(word: &str) -> usize {
    let mix = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    (word.bytes().fold(0xcbf2_9ce4_8422_2325, mix) % SIZE as u64) as usize
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::temp_dir().join(format!("gating-core-example-{}", process::id()));
    fs::create_dir_all(&folder)?;
    give_a_head(&folder.join("head.pth"))?;
    match cpu() {
        Some(device) => learn(&device, &folder.join("state"))?,
        None => println!("no device is compiled in, so that nothing is learned"),
    }
    Ok(fs::remove_dir_all(folder)?)
}

/// The CPU, where it is compiled in.
fn cpu() -> Option<Device> {
    #[cfg(feature = "flex")]
    return Some(Device::flex());
    #[cfg(not(feature = "flex"))]
    None
}

/// A head is one linear layer, in a file that `torch.load` reads and `torch.nn.Linear` takes.
fn give_a_head(path: &Path) -> Result<(), Box<dyn Error>> {
    let head = HeadConfig { num_uids: UIDS.into(), hidden_size: SIZE, seed: 1 }.init()?;
    head.write(path, HeadFormat::Torch)?;
    assert_eq!(Head::read(path)?, head);
    println!("a head of {} uids went through {}", head.num_uids(), path.display());
    Ok(())
}

fn learn(device: &Device, folder: &Path) -> Result<(), Box<dyn Error>> {
    let words = || Words(device.clone());
    // As training loops learn, and with a rate for so few who are asked.
    let (gradient, learning_rate) = (GradientMode::PerStep, 1.0);
    let num_uids = UIDS.into();
    let config = GateConfig { num_uids, gradient, learning_rate, ..GateConfig::default() };
    let gate = Gate::new(words(), config)?;
    let mut sampler = UidSampler::new(1);
    for (message, good) in MESSAGES.iter().cycle().take(300) {
        // Who is asked, and what each earned: in a network, what the answers were worth.
        let uids = sampler.sample((0..UIDS).map(Uid::new), &[], ASKED)?;
        let earned = uids.iter().map(|uid| if uid.get() % 2 == *good { 0.9 } else { 0.1 });
        let rewards = Rewards::new(uids.clone(), earned.collect())?;
        gate.backward(&gate.forward(message)?, &rewards)?;
    }

    CheckpointFolder::open(folder)?.write(&gate.checkpoint()?)?;
    let restored = Gate::restore(words(), Checkpoint::read(folder)?)?;
    assert_eq!((restored.step(), restored.head()), (300, gate.head()));

    // Nothing was learned from these messages, but from some of their words.
    for (message, good) in [("Is an egg in an omelette?", 0), ("Is the moon a planet?", 1)] {
        let best = restored.forward(message)?.top(ASKED);
        println!("{message} Ask {best:?}");
        assert!(best.iter().all(|(uid, _)| uid.get() % 2 == good), "expected those of {good}");
    }
    Ok(())
}
