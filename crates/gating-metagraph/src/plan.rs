//! Where the row of every uid comes from when a network has changed.

use crate::{Change, Error, Identity, Metagraph, Uid};

/// Where the row of every uid of a metagraph comes from, and why.
///
/// A row is whatever belongs to one uid: weights, bias, velocity, a moving average. The plan
/// says the same for all of them, so that no two columns can disagree.
///
/// ```
/// use gating_metagraph::{Hotkey, Identity, Metagraph, Neuron, ResyncPlan};
///
/// let network = |block, keys: [u8; 2]| {
///     let neurons = keys.map(|key| Neuron::new(Hotkey::new([key; 32])));
///     Metagraph::new(1, block, neurons.to_vec())
/// };
/// // Hotkey 2 moved to uid 0, and hotkey 3 is new at uid 1.
/// let (previous, now) = (network(5, [1, 2])?, network(6, [2, 3])?);
/// let plan = ResyncPlan::between(&previous, &now, Identity::Hotkey, 2)?;
/// assert_eq!(plan.apply(&[0.25, 0.5], |_| 0.0)?, [0.5, 0.0]);
/// assert_eq!((plan.changed(), plan.saved()), (2, 1));
/// # Ok::<(), gating_metagraph::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResyncPlan {
    rows: Vec<PlannedRow>,
    removed: Vec<Uid>,
    num_rows: usize,
}

/// Where the row of one uid comes from, and why.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct PlannedRow {
    /// Where the row comes from.
    pub source: RowSource,
    /// What happened to the uid.
    pub change: Change,
}

/// Where a row comes from.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum RowSource {
    /// It stays with its uid, bit for bit.
    Keep,
    /// It is the row that another uid had, bit for bit.
    From(Uid),
    /// It begins anew.
    Fresh,
}

impl ResyncPlan {
    /// Plans what becomes of `num_rows` rows that belong to the first uids of `previous`, or to
    /// all of them and to nobody.
    ///
    /// # Errors
    ///
    /// When the two metagraphs are known to be of different subnets.
    pub fn between(
        previous: &Metagraph,
        metagraph: &Metagraph,
        identity: Identity,
        num_rows: usize,
    ) -> Result<Self, Error> {
        previous.subnet().check_same(metagraph.subnet())?;
        let row = |(uid, neuron)| {
            let change = Change::of(previous, metagraph, uid, neuron);
            PlannedRow { source: source(uid, change, identity, num_rows), change }
        };
        let gone = previous.neurons().skip(metagraph.num_uids());
        Ok(Self {
            rows: metagraph.neurons().map(row).collect(),
            removed: gone.map(|(uid, _)| uid).collect(),
            num_rows,
        })
    }

    /// Every uid of the newer metagraph in order, with where its row comes from.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (Uid, PlannedRow)> {
        // A metagraph has no more neurons than `Uid` can number.
        self.rows.iter().enumerate().map(|(index, row)| (Uid::new(index as u16), *row))
    }

    /// The uids that only the previous metagraph had, in order.
    #[must_use]
    pub fn removed(&self) -> &[Uid] {
        &self.removed
    }

    /// Whether every uid keeps its row and none was removed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.rows.iter().all(|row| row.source == RowSource::Keep)
    }

    /// How many uids have another hotkey than before; none before counts as another.
    #[must_use]
    pub fn changed(&self) -> usize {
        self.rows.iter().filter(|row| row.change.is_of_hotkey()).count()
    }

    /// How many of the changed uids have a row that was learned before: all of them would begin
    /// anew in the reference.
    #[must_use]
    pub fn saved(&self) -> usize {
        let saved = |row: &&PlannedRow| row.change.is_of_hotkey() && row.source != RowSource::Fresh;
        self.rows.iter().filter(saved).count()
    }

    /// The rows of one column as they are after the resync: one for each uid of the newer
    /// metagraph. Every column of the same rows can be given, one after another; none is changed.
    ///
    /// # Errors
    ///
    /// When the column has another number of rows than was planned for.
    pub fn apply<T: Clone>(
        &self,
        column: &[T],
        mut fresh: impl FnMut(Uid) -> T,
    ) -> Result<Vec<T>, Error> {
        if column.len() != self.num_rows {
            return Err(Error::NumRows { expected: self.num_rows, found: column.len() });
        }
        let row = |(uid, row): (Uid, PlannedRow)| match row.source {
            RowSource::Keep => column[uid.index()].clone(),
            RowSource::From(from) => column[from.index()].clone(),
            RowSource::Fresh => fresh(uid),
        };
        Ok(self.rows().map(row).collect())
    }
}

/// Where the row of a uid comes from under a policy, as far as there are rows.
fn source(uid: Uid, change: Change, identity: Identity, num_rows: usize) -> RowSource {
    let has_a_row = |uid: Uid| uid.index() < num_rows;
    match (change, identity) {
        (Change::Same | Change::Reregistered, _) | (Change::Swapped, Identity::HotkeyOrSwap)
            if has_a_row(uid) =>
        {
            RowSource::Keep
        }
        (Change::Moved { from }, Identity::Hotkey | Identity::HotkeyOrSwap) if has_a_row(from) => {
            RowSource::From(from)
        }
        _ => RowSource::Fresh,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Hotkey, Neuron};

    /// A subnet whose uids are held by these keys, each registered at the block beside it.
    fn metagraph(neurons: &[(u8, u64)]) -> Metagraph {
        let neuron = |&(key, block)| Neuron {
            registered_at: Some(block),
            ..Neuron::new(Hotkey::new([key; 32]))
        };
        Metagraph::new(1, 0, neurons.iter().map(neuron).collect()).expect("the keys differ")
    }

    /// Applies the plan to the digits of the rows; `f` is a fresh one.
    fn check(now: &[(u8, u64)], rows: &str, identity: Identity, expected: &str) {
        let previous = metagraph(&[(1, 10), (2, 20), (3, 30)]);
        let now = metagraph(now);
        let column: Vec<char> = rows.chars().collect();
        let plan = ResyncPlan::between(&previous, &now, identity, column.len());
        let plan = plan.expect("both are of subnet 1");
        let applied = plan.apply(&column, |_| 'f').expect("the rows were counted");
        assert_eq!(applied.into_iter().collect::<String>(), expected, "{identity} {now:?}");
    }

    #[test]
    fn each_policy_keeps_what_it_promises() {
        // Key 3 moved to uid 1, uid 0 exchanged its key, uid 2 has a newcomer.
        let now = [(7, 10), (3, 40), (8, 50)];
        check(&now, "012", Identity::Uid, "fff");
        check(&now, "012", Identity::Hotkey, "f2f");
        check(&now, "012", Identity::HotkeyOrSwap, "02f");
        // Key 1 left and came back.
        let now = [(1, 60), (2, 20), (3, 30)];
        for identity in [Identity::Uid, Identity::Hotkey, Identity::HotkeyOrSwap] {
            check(&now, "012", identity, "012");
        }
    }

    #[test]
    fn a_network_grows_and_shrinks() {
        let grown = [(1, 10), (2, 20), (3, 30), (4, 40)];
        check(&grown, "012", Identity::Uid, "012f");
        // A row that belonged to nobody is nobody's to keep.
        check(&grown, "0123", Identity::Hotkey, "012f");
        check(&grown[..1], "012", Identity::Uid, "0");
        check(&[], "012", Identity::Uid, "");
    }

    #[test]
    fn a_trim_packs_the_survivors_to_the_left() {
        let trimmed = [(1, 10), (3, 30)];
        check(&trimmed, "012", Identity::Uid, "0f");
        check(&trimmed, "012", Identity::Hotkey, "02");
        check(&trimmed, "012", Identity::HotkeyOrSwap, "02");
    }

    #[test]
    fn who_had_no_row_gets_a_fresh_one() {
        let same = [(1, 10), (2, 20), (3, 30)];
        check(&same, "01", Identity::HotkeyOrSwap, "01f");
        check(&[(3, 30), (1, 10), (2, 20)], "01", Identity::Hotkey, "f01");
    }

    #[test]
    fn a_plan_counts_what_it_saves() {
        let previous = metagraph(&[(1, 10), (2, 20), (3, 30)]);
        let now = metagraph(&[(7, 10), (3, 40)]);
        let count = |identity| {
            let plan = ResyncPlan::between(&previous, &now, identity, 3).expect("one subnet");
            assert_eq!(plan.removed(), [Uid::new(2)]);
            assert!(!plan.is_empty());
            (plan.changed(), plan.saved())
        };
        assert_eq!(count(Identity::Uid), (2, 0));
        assert_eq!(count(Identity::Hotkey), (2, 1));
        assert_eq!(count(Identity::HotkeyOrSwap), (2, 2));
        let nothing = ResyncPlan::between(&now, &now, Identity::Uid, 2).expect("one subnet");
        assert!(nothing.is_empty());
    }

    #[test]
    fn a_column_of_another_length_is_refused() {
        let same = metagraph(&[(1, 10)]);
        let plan = ResyncPlan::between(&same, &same, Identity::Uid, 1).expect("one subnet");
        let error = plan.apply(&[1, 2], |_| 0).expect_err("two rows");
        assert_eq!(error.to_string(), "expected a column of 1 row, found 2");
    }
}
