//! What every gating model can do.

use gating_metagraph::Metagraph;

use crate::{Error, Loss, Resync, Rewards, Scores};

/// What every gating model can do: score, learn, and follow its network.
///
/// Object-safe, so that a mock or another model can stand in for a [`Gate`](crate::Gate). Many
/// threads can share one: whoever scores never waits for one who learns, and sees the model as it
/// is before or after a step, never within one.
///
/// Ported from `BaseGatingModel` of `prompting.validators.gating` (opentensor/text-prompting,
/// 2023).
pub trait BaseGatingModel: Send + Sync {
    /// Scores every uid for a message.
    ///
    /// # Errors
    ///
    /// When the encoder has no embedding for the message, or the device fails.
    fn forward(&self, message: &str) -> Result<Scores, Error>;

    /// Learns one step from what the asked uids earned, and returns the loss before the step.
    ///
    /// # Errors
    ///
    /// When a uid has no score or no row, its row was replaced after it was scored, the scores are of
    /// another model, or the device fails that their embedding lies on. Nothing has changed then.
    fn backward(&self, scores: &Scores, rewards: &Rewards) -> Result<Loss, Error>;

    /// Makes the rows of all uids new that changed hands from `previous` to `metagraph`.
    ///
    /// # Errors
    ///
    /// When the two are of different subnets or in the wrong order, or when the rows belong to
    /// neither of them. Nothing has changed then.
    fn resync(&self, previous: &Metagraph, metagraph: &Metagraph) -> Result<Resync, Error>;
}
