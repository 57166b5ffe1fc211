//! What the asked uids earned.

use std::collections::HashSet;

use gating_metagraph::Uid;

use crate::Error;

/// What the asked uids earned for a message: uids unique, values finite, at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct Rewards {
    uids: Vec<Uid>,
    values: Vec<f32>,
}

impl Rewards {
    /// The uids that were asked and, in the same order, what each earned.
    ///
    /// # Errors
    ///
    /// When there are none, when the two differ in length, when a uid is repeated, or a value is
    /// not a finite number.
    pub fn new(uids: Vec<Uid>, values: Vec<f32>) -> Result<Self, Error> {
        if uids.len() != values.len() {
            return Err(Error::RewardsLength { uids: uids.len(), rewards: values.len() });
        }
        if uids.is_empty() {
            return Err(Error::NoRewards);
        }
        let mut seen = HashSet::with_capacity(uids.len());
        for (&uid, &value) in uids.iter().zip(&values) {
            if !seen.insert(uid) {
                return Err(Error::RepeatedUid { uid });
            }
            if !value.is_finite() {
                return Err(Error::RewardNotFinite { uid, found: value });
            }
        }
        Ok(Self { uids, values })
    }

    /// Who was asked.
    #[must_use]
    pub fn uids(&self) -> &[Uid] {
        &self.uids
    }

    /// What each of [`Rewards::uids`] earned.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_rewards_say_what_is_wrong() {
        check(&[], &[], "expected the reward of at least one uid, found none");
        check(&[1, 2], &[0.5], "2 uids but 1 rewards, expected one reward a uid");
        check(&[3, 1, 3], &[0.1, 0.2, 0.3], "uid 3 is repeated, expected each uid once");
        check(&[4, 5], &[0.1, f32::NAN], "the reward of uid 5 is NaN, expected a finite number");
        check(&[4], &[f32::INFINITY], "the reward of uid 4 is inf, expected a finite number");
    }

    fn check(uids: &[u16], values: &[f32], expected: &str) {
        let uids = uids.iter().copied().map(Uid::new).collect();
        let error = Rewards::new(uids, values.to_vec()).expect_err("the rewards are wrong");
        assert_eq!(error.to_string(), expected);
    }
}
