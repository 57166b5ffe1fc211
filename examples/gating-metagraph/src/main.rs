//! What changed between two snapshots of a subnet, and where the row of each uid comes from.
//!
//! `gating-metagraph` is the only crate here: plain data, no tensors.

use std::error::Error;
use std::path::Path;

use gating_metagraph::{Identity, Metagraph, MetagraphDiff, ResyncPlan, RowSource};

/// Snapshots that `metagraph.save()` of bittensor 9 and 10 wrote; the second is of a later block, in which two hotkeys
/// have exchanged their uids.
const FOLDER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates/gating-metagraph/testdata/saved");

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(FOLDER);
    let previous = Metagraph::read(&folder.join("9-numpy.pt"))?;
    let now = Metagraph::read(&folder.join("10-reversed-numpy.pt"))?;

    let diff = MetagraphDiff::between(&previous, &now)?;
    println!("{} of {} uids changed hands", diff.replaced.len(), now.num_uids());
    assert_eq!((diff.replaced.len(), diff.moved.len()), (2, 2));

    // What was learned about a hotkey follows it to its new uid.
    let plan = ResyncPlan::between(&previous, &now, Identity::Hotkey, previous.num_uids())?;
    for (uid, row) in plan.rows() {
        match row.source {
            RowSource::Keep => println!("uid {uid} keeps its row"),
            RowSource::From(from) => {
                println!("uid {uid} gets the row of uid {from}: {}", row.change)
            }
            RowSource::Fresh => println!("uid {uid} begins anew: {}", row.change),
        }
    }
    // A row is whatever belongs to a uid, such as a moving average of what it earned.
    assert_eq!(plan.apply(&[0.25, 0.75], |_| 0.0)?, [0.75, 0.25]);

    // The default is that of the reference: another hotkey at a uid begins anew there.
    let plan = ResyncPlan::between(&previous, &now, Identity::Uid, previous.num_uids())?;
    assert_eq!(plan.apply(&[0.25, 0.75], |_| 0.0)?, [0.0, 0.0]);
    Ok(())
}
