//! What learning keeps beside the head that readers see.

use gating_metagraph::{ResyncPlan, RowSource, Uid};

use crate::optimizer::{Lesson, Sgd};
use crate::rows::Rows;
use crate::{Error, Head};

/// One more than a step needs, for the one that a reader has not given back yet.
const MAX_SPARES: usize = 2;

/// What learning keeps beside the head that readers see.
#[derive(Debug)]
pub(crate) struct Learner {
    pub(crate) sgd: Sgd,
    /// Heads before the newest: the next one is written over one that no reader has any longer.
    spares: Vec<Head>,
    /// For every row, how many resyncs had changed rows when it came to its uid.
    born: Vec<u64>,
}

impl Learner {
    /// Goes on with the rows as they are after so many resyncs.
    pub(crate) fn new(sgd: Sgd, generation: u64) -> Self {
        let born = vec![generation; sgd.velocity.num_uids()];
        Self { sgd, spares: Vec::new(), born }
    }

    /// Refuses uids that have no row, or not the one that was scored after so many resyncs.
    pub(crate) fn check(&self, uids: &[Uid], generation: Option<u64>) -> Result<(), Error> {
        let num_uids = self.born.len();
        for &uid in uids {
            match (self.born.get(uid.index()), generation) {
                (None, _) => return Err(Error::UidOutOfRange { uid, num_uids }),
                (Some(&born), Some(scored)) if scored < born => {
                    return Err(Error::ReplacedRow { uid });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The head after one step from this one, which must be the newest and stays as it is.
    pub(crate) fn step(&mut self, head: &Head, lesson: &Lesson<'_>) -> Head {
        let mut next = self.spare().unwrap_or_else(|| head.rows().clone());
        self.sgd.step(&mut next, Some(head.rows()), lesson);
        self.spares.truncate(MAX_SPARES - 1);
        self.spares.push(head.clone());
        Head::new(next)
    }

    /// The rows of an earlier head that no reader has any longer.
    fn spare(&mut self) -> Option<Rows> {
        let free = self.spares.iter().position(Head::is_unshared)?;
        self.spares.swap_remove(free).into_rows()
    }

    /// The same state after the resync that makes it so many.
    pub(crate) fn resynced(&self, plan: &ResyncPlan, generation: u64) -> Self {
        let born = plan.rows().map(|(uid, row)| match row.source {
            RowSource::Keep => self.born[uid.index()],
            RowSource::From(_) | RowSource::Fresh => generation,
        });
        Self { sgd: self.sgd.resynced(plan), spares: Vec::new(), born: born.collect() }
    }
}
