//! What each uid earned, from the event log of a validator.
//!
//! `gating-log` is the only crate of ours here. A log can also be a file as loguru or pandas write it, compressed or not:
//! `EventLog::open` tells which.

use std::collections::BTreeMap;
use std::error::Error;

use gating_log::{EventLog, Record};

const LOG: &str = r#"{"prompt": "How long does an egg boil?", "uids": [3, 8], "rewards": [0.25, 0.75]}
this line was cut by something else
{"prompt": "Why does a star shine?", "uids": [8, 5], "rewards": [0.25, 1.0]}
{"prompt": "Is the moon a pla"#;

fn main() -> Result<(), Box<dyn Error>> {
    let mut log = EventLog::from_reader(LOG.as_bytes())?;
    let mut earned: BTreeMap<u16, Vec<f32>> = BTreeMap::new();
    let (mut bad, mut position) = (0, None);
    for entry in &mut log {
        let entry = entry?;
        match entry.record {
            Record::Event(event) => {
                for (uid, reward) in event.uids.iter().zip(&event.rewards) {
                    earned.entry(uid.get()).or_default().push(*reward);
                }
            }
            Record::Other => {}
            Record::Bad(why) => {
                println!("line {}: {why}", entry.line);
                bad += 1;
            }
            // It may be written on, so that reading goes on before it.
            Record::Unfinished(why) => println!("line {}, so far: {why}", entry.line),
        }
        position = Some(entry.end);
    }
    for (uid, rewards) in &earned {
        let mean = rewards.iter().sum::<f32>() / rewards.len() as f32;
        println!("uid {uid} earned {mean} on average of {}", rewards.len());
    }
    let expected = [(3, vec![0.25]), (5, vec![1.0]), (8, vec![0.75, 0.25])];
    assert_eq!((earned, bad), (expected.into(), 1));

    // Later the line is whole, and what was read is read no more.
    let rest = format!("{LOG}net?\", \"uids\": [5], \"rewards\": [0.5]}}\n");
    let mut log = EventLog::from_reader(std::io::Cursor::new(rest))?;
    log.skip_to(position.ok_or("expected lines")?)?;
    let entry = log.next().ok_or("expected one more line")??;
    println!("line {}: {:?}", entry.line, entry.record);
    assert!(matches!(entry.record, Record::Event(event) if event.rewards == [0.5]));
    Ok(())
}
