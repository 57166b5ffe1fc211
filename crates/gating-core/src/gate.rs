//! An encoder, a head and an optimizer, joined to a gating model.

use std::cmp::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};

use gating_metagraph::{Metagraph, ResyncPlan, Uid};

use crate::device_head::{DeviceHead, is_apart};
use crate::learner::Learner;
use crate::optimizer::{Lesson, Sgd};
use crate::published::Published;
use crate::rows::{Rows, fill_uniform};
use crate::{
    BaseGatingModel, Checkpoint, Embedding, Encoder, Error, GateConfig, Head, HeadConfig, Loss,
    Resync, Rewards, Scores, softmax_mse,
};

/// A gating model: an encoder, the head that scores its embeddings, and the state of learning.
///
/// Threads share it: many can score while one learns, and who scores never waits for who learns.
/// See the [crate documentation](crate) for an example.
#[derive(Debug)]
pub struct Gate<E> {
    encoder: E,
    config: GateConfig,
    newest: Published<Snapshot>,
    /// Held by the one thread that learns or resyncs; it alone makes snapshots.
    learner: Mutex<Learner>,
    /// The head that was copied to the encoder's device last.
    on_device: Published<Option<DeviceHead>>,
}

/// The model as its readers see it: between two steps, never within one.
#[derive(Clone, Debug)]
struct Snapshot {
    head: Head,
    step: u64,
    /// How many resyncs changed rows: decides the next fresh rows together with the seed.
    resyncs: u64,
    metagraph: Option<Arc<Metagraph>>,
}

impl<E: Encoder> Gate<E> {
    /// A model that has not learned yet; its head has random rows.
    ///
    /// # Errors
    ///
    /// When a setting is out of range.
    pub fn new(encoder: E, config: GateConfig) -> Result<Self, Error> {
        config.check()?;
        let (num_uids, hidden_size) = (config.num_uids, encoder.hidden_size());
        let head = HeadConfig { num_uids, hidden_size, seed: config.seed }.init()?;
        Self::with_head(encoder, config, head)
    }

    /// A model that goes on from a head learned elsewhere. `config.num_uids` is not used.
    ///
    /// # Errors
    ///
    /// When a setting is out of range, or the head is made for embeddings of another size.
    pub fn with_head(encoder: E, config: GateConfig, head: Head) -> Result<Self, Error> {
        let config = GateConfig { num_uids: head.num_uids(), ..config };
        config.check()?;
        let sgd = Sgd::new(&config, head.num_uids(), head.hidden_size());
        let snapshot = Snapshot { head, step: 0, resyncs: 0, metagraph: None };
        Self::join(encoder, config, snapshot, sgd)
    }

    /// A model that goes on exactly where a checkpoint was taken.
    ///
    /// # Errors
    ///
    /// When the checkpoint was taken with another encoder.
    pub fn restore(encoder: E, checkpoint: Checkpoint) -> Result<Self, Error> {
        if checkpoint.encoder_id != encoder.id() {
            return Err(Error::OtherEncoder {
                expected: checkpoint.encoder_id,
                found: encoder.id().to_owned(),
            });
        }
        let Checkpoint { config, velocity, gradient, .. } = checkpoint;
        let snapshot = Snapshot {
            head: checkpoint.head,
            step: checkpoint.step,
            resyncs: checkpoint.resyncs,
            metagraph: checkpoint.metagraph.map(Arc::new),
        };
        Self::join(encoder, config, snapshot, Sgd::from_rows(&config, velocity, gradient))
    }

    fn join(encoder: E, config: GateConfig, newest: Snapshot, sgd: Sgd) -> Result<Self, Error> {
        newest.head.check_size(encoder.hidden_size())?;
        let learner = Mutex::new(Learner::new(sgd, newest.resyncs));
        let on_device = Published::new(None);
        Ok(Self { encoder, config, newest: Published::new(newest), learner, on_device })
    }

    /// Everything there is to know of this model but its encoder.
    ///
    /// # Errors
    ///
    /// When a number has overflowed: such a state is not worth keeping.
    pub fn checkpoint(&self) -> Result<Checkpoint, Error> {
        let (learner, newest) = self.learner();
        let (velocity, gradient) = (learner.sgd.velocity.clone(), learner.sgd.gradient.clone());
        drop(learner);
        for rows in [Some(newest.head.rows()), Some(&velocity), gradient.as_ref()] {
            rows.map_or(Ok(()), Rows::check)?;
        }
        Ok(Checkpoint {
            encoder_id: self.encoder.id().to_owned(),
            config: self.config,
            step: newest.step,
            resyncs: newest.resyncs,
            metagraph: newest.metagraph.as_deref().cloned(),
            notes: Default::default(),
            progress: None,
            head: newest.head.clone(),
            velocity,
            gradient,
        })
    }

    /// The encoder.
    pub fn encoder(&self) -> &E {
        &self.encoder
    }

    /// The head as it is now: what is learned later does not change it.
    pub fn head(&self) -> Head {
        self.newest.get().head.clone()
    }

    /// The settings that it began with; the head may have grown since.
    pub fn config(&self) -> &GateConfig {
        &self.config
    }

    /// How many steps it has learned.
    pub fn step(&self) -> u64 {
        self.newest.get().step
    }

    /// Whose the rows are, if that was ever said.
    pub fn metagraph(&self) -> Option<Arc<Metagraph>> {
        self.newest.get().metagraph.clone()
    }

    /// Scores every uid for a message that is encoded already.
    ///
    /// # Errors
    ///
    /// When the embedding is of another size, or its device fails.
    pub fn score(&self, embedding: Embedding) -> Result<Scores, Error> {
        let mut scores = self.score_batch(vec![embedding])?;
        Ok(scores.pop().expect("an embedding has its scores"))
    }

    /// Scores every uid for several messages that are encoded already, in their order.
    ///
    /// Each has the scores that [`score`](Self::score) gives it, to the bit. Embeddings are fetched
    /// together, and other threads are asked for help once, which is faster for some hundred uids.
    ///
    /// # Errors
    ///
    /// When one of the embeddings is of another size, its scores are no numbers, or its device fails.
    pub fn score_batch(&self, embeddings: Vec<Embedding>) -> Result<Vec<Scores>, Error> {
        let Snapshot { head, resyncs, .. } = &*self.newest.get();
        embeddings.iter().try_for_each(|it| head.check_size(it.hidden_size()))?;
        Embedding::fetch(&embeddings)?;
        let numbers =
            embeddings.iter().map(|it| it.numbers().cloned()).collect::<Result<_, _>>()?;
        let scored = head.scores(&numbers).into_iter().zip(embeddings);
        scored.map(|(values, it)| Scores::scored(values, it, Some(*resyncs))).collect()
    }

    /// Scores every uid for several messages where they were encoded: embeddings stay on the device,
    /// and scores alone are fetched.
    ///
    /// The head is copied to the encoder's device once, and again after it has changed; the last copy
    /// stays there. A device rounds in an order of its own, so that scores differ from those of
    /// [`score`](Self::score) in the last digits, or in the fourth where it multiplies in TF32; what is
    /// learned from them does too. On the CPU device, where the head lies, this is
    /// [`score_batch`](Self::score_batch).
    ///
    /// # Errors
    ///
    /// When one of the embeddings is of another size, its scores are no numbers, or a device fails.
    pub fn score_on_device(&self, embeddings: Vec<Embedding>) -> Result<Vec<Scores>, Error> {
        if embeddings.is_empty() || !is_apart(self.encoder.device()) {
            return self.score_batch(embeddings);
        }
        let newest = self.newest.get();
        embeddings.iter().try_for_each(|it| newest.head.check_size(it.hidden_size()))?;
        let scored = self.on_device(&newest)?.scores(&embeddings)?.into_iter().zip(embeddings);
        scored.map(|(values, it)| Scores::scored(values, it, Some(newest.resyncs))).collect()
    }

    /// A head on the encoder's device. Nobody waits for a copy that another thread makes.
    fn on_device(&self, newest: &Snapshot) -> Result<DeviceHead, Error> {
        let version = (newest.step, newest.resyncs);
        let kept = self.on_device.get();
        let order = kept.as_ref().as_ref().map(|head| head.version().cmp(&version));
        if let (Some(head), Some(Ordering::Equal)) = (&*kept, order) {
            return Ok(head.clone());
        }
        let is_newest = order != Some(Ordering::Greater);
        drop(kept);
        if is_newest {
            // The older copy makes room first.
            self.on_device.replace(None);
        }
        let head = DeviceHead::new(newest.head.rows(), version, self.encoder.device())?;
        if is_newest {
            self.on_device.replace(Some(head.clone()));
        }
        Ok(head)
    }

    /// Learns one step as [`backward`](BaseGatingModel::backward) does, to the same bit, and faster
    /// where many uids move: as nobody else can read the model meanwhile, its weights
    /// change in place. A [`Head`] that was taken before stays as it is; the first step after that
    /// copies its weights.
    ///
    /// # Errors
    ///
    /// As [`backward`](BaseGatingModel::backward).
    pub fn learn(&mut self, scores: &Scores, rewards: &Rewards) -> Result<Loss, Error> {
        self.learn_in_place(scores, rewards, |sgd, rows, lesson| sgd.step(rows, None, lesson))
            .map(|(loss, ())| loss)
    }

    /// Learns one step as [`learn`](Self::learn) does and then scores the next message as
    /// [`score`](Self::score) does, both to the same bit, in one pass over the rows: for who knows
    /// the next message before the step, as who reads them from a log.
    ///
    /// # Errors
    ///
    /// As [`learn`](Self::learn), and when the next embedding is of another size or its device fails;
    /// then nothing is learned. The scores have an error of their own, as the step that comes before
    /// them is taken whatever they are.
    pub fn learn_and_score(
        &mut self,
        scores: &Scores,
        rewards: &Rewards,
        next: Embedding,
    ) -> Result<(Loss, Result<Scores, Error>), Error> {
        let Snapshot { head, resyncs, .. } = self.newest.get_mut();
        head.check_size(next.hidden_size())?;
        let (resyncs, numbers) = (*resyncs, Arc::clone(next.numbers()?));
        let (loss, values) = self.learn_in_place(scores, rewards, |sgd, rows, lesson| {
            sgd.step_and_score(rows, lesson, &numbers)
        })?;
        Ok((loss, Scores::scored(values, next, Some(resyncs))))
    }

    /// Takes a step in the weights as they lie, once nothing speaks against it.
    fn learn_in_place<T>(
        &mut self,
        scores: &Scores,
        rewards: &Rewards,
        step: impl FnOnce(&mut Sgd, &mut Rows, &Lesson<'_>) -> T,
    ) -> Result<(Loss, T), Error> {
        let (asked, uids) = (scores.select(rewards.uids())?, rewards.uids());
        let (loss, slopes) = softmax_mse(&asked, rewards.values());
        let embedding = scores.embedding().numbers()?;
        let learner = self.learner.get_mut().expect("no thread panics while it learns");
        let newest = self.newest.get_mut();
        newest.head.check_size(embedding.len())?;
        learner.check(uids, scores.generation())?;
        let lesson = Lesson { uids, slopes: &slopes, embedding };
        let outcome = step(&mut learner.sgd, newest.head.rows_mut(), &lesson);
        newest.step += 1;
        Ok((loss, outcome))
    }

    /// Says whose the rows are. They stay as they are, but that the head grows where the
    /// metagraph has more uids, and loses the rows of uids that it does not have.
    ///
    /// # Errors
    ///
    /// When the rows belong to a metagraph already: then they have to be resynced.
    pub fn attach(&self, metagraph: &Metagraph) -> Result<Resync, Error> {
        let (learner, newest) = self.learner();
        match &newest.metagraph {
            Some(attached) => Err(Error::Attached { block: attached.block() }),
            None => self.apply(learner, &newest, metagraph, metagraph),
        }
    }

    /// Resyncs with a newer metagraph than the one that the rows belong to.
    ///
    /// # Errors
    ///
    /// When nobody said whose the rows are, and as [`BaseGatingModel::resync`].
    pub fn follow(&self, metagraph: &Metagraph) -> Result<Resync, Error> {
        let (learner, newest) = self.learner();
        let previous = newest.metagraph.as_deref().ok_or(Error::NotAttached)?;
        self.apply(learner, &newest, previous, metagraph)
    }

    /// The right to make the next snapshot, and the newest one, which nobody else replaces until
    /// it is given back.
    fn learner(&self) -> (MutexGuard<'_, Learner>, Arc<Snapshot>) {
        let learner = self.learner.lock().expect("no thread panics while it learns");
        (learner, self.newest.get())
    }

    /// Makes head and state of learning anew at once, as the change from one metagraph to the
    /// other asks for.
    fn apply(
        &self,
        mut learner: MutexGuard<'_, Learner>,
        newest: &Snapshot,
        previous: &Metagraph,
        metagraph: &Metagraph,
    ) -> Result<Resync, Error> {
        newest.check_order(previous, metagraph)?;
        let num_rows = newest.head.num_uids();
        let plan = ResyncPlan::between(previous, metagraph, self.config.identity, num_rows)?;
        let resync = Resync::new(&plan, previous, metagraph, num_rows)?;
        let mut next = Snapshot { metagraph: Some(Arc::new(metagraph.clone())), ..newest.clone() };
        if resync.kept < num_rows.max(metagraph.num_uids()) {
            next.resyncs += 1;
            let fill = |uid, row: &mut [f32]| self.fill(uid, row, next.resyncs);
            next.head = Head::new(newest.head.rows().resynced(&plan, fill));
            *learner = learner.resynced(&plan, next.resyncs);
        }
        self.newest.replace(next);
        Ok(resync)
    }

    /// A fresh row, as Xavier uniform draws it over a `[1, hidden_size]` matrix: uniform in
    /// `±sqrt(6 / (hidden_size + 1))`.
    fn fill(&self, uid: Uid, row: &mut [f32], resyncs: u64) {
        let bound = (6.0 / (row.len() as f32 + 1.0)).sqrt();
        fill_uniform(row, bound, self.config.seed, resyncs, uid.index());
    }
}

impl Snapshot {
    /// Refuses two metagraphs of which the rows belong to neither, and a step back in time.
    fn check_order(&self, previous: &Metagraph, metagraph: &Metagraph) -> Result<(), Error> {
        if metagraph.num_uids() == 0 {
            return Err(Error::EmptyMetagraph);
        }
        let latest = self.metagraph.as_deref().unwrap_or(previous);
        latest.subnet().check_same(metagraph.subnet())?;
        if let Some((expected, found)) = latest.block().zip(metagraph.block())
            && found < expected
        {
            return Err(Error::OlderMetagraph { expected, found });
        }
        let Some(attached) = &self.metagraph else { return Ok(()) };
        let differs = |(uid, neuron): &(_, &gating_metagraph::Neuron)| {
            previous.hotkey(*uid) != Some(neuron.hotkey)
        };
        match attached.neurons().find(differs) {
            Some((uid, _)) => Err(Error::OtherMetagraph {
                expected: attached.block(),
                found: previous.block(),
                uid,
            }),
            None => Ok(()),
        }
    }
}

impl<E: Encoder> BaseGatingModel for Gate<E> {
    fn forward(&self, message: &str) -> Result<Scores, Error> {
        self.score(self.encoder.encode(message)?)
    }

    fn backward(&self, scores: &Scores, rewards: &Rewards) -> Result<Loss, Error> {
        let (asked, uids) = (scores.select(rewards.uids())?, rewards.uids());
        let (loss, slopes) = softmax_mse(&asked, rewards.values());
        let embedding = scores.embedding().numbers()?;
        let (mut learner, newest) = self.learner();
        newest.head.check_size(embedding.len())?;
        learner.check(uids, scores.generation())?;
        let lesson = Lesson { uids, slopes: &slopes, embedding };
        let head = learner.step(&newest.head, &lesson);
        self.newest.replace(Snapshot { head, step: newest.step + 1, ..(*newest).clone() });
        Ok(loss)
    }

    fn resync(&self, previous: &Metagraph, metagraph: &Metagraph) -> Result<Resync, Error> {
        let (learner, newest) = self.learner();
        // A metagraph that was applied before changes nothing, whatever it was applied after.
        let applied = newest.metagraph.as_deref().filter(|attached| *attached == metagraph);
        self.apply(learner, &newest, applied.unwrap_or(previous), metagraph)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::EncodeError;

    /// Gives every message the same embedding.
    struct One(Device);

    impl Encoder for One {
        fn id(&self) -> &str {
            "one"
        }

        fn hidden_size(&self) -> usize {
            1
        }

        fn device(&self) -> &Device {
            &self.0
        }

        fn encode_batch(&self, messages: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
            Ok(messages.iter().map(|_| Embedding::from_slice(&[1.0], &self.0)).collect())
        }
    }

    /// While a step is being taken, everything but learning goes on as before it.
    #[test]
    fn readers_do_not_wait_for_a_step() {
        let gate = Gate::new(One(Device::flex()), GateConfig::default()).expect("it has defaults");
        let (_step, _) = gate.learner();
        let scores = gate.forward("any").expect("every message has an embedding");
        assert_eq!(scores.num_uids(), gate.head().num_uids());
        assert_eq!((gate.step(), gate.metagraph()), (0, None));
    }

    /// The next head is written where an earlier one was that no reader has any longer.
    #[test]
    fn steps_take_turns_with_few_buffers() {
        let gate = Gate::new(One(Device::flex()), GateConfig::default()).expect("it has defaults");
        let rewards = Rewards::new(vec![Uid::new(0), Uid::new(1)], vec![0.0, 1.0]).expect("2 uids");
        let step = || {
            let scores = gate.forward("any").expect("every message has an embedding");
            gate.backward(&scores, &rewards).expect("the uids have scores");
            gate.head().weight().as_ptr()
        };
        let (first, second) = (step(), step());
        assert_eq!([step(), step()], [first, second]);
        let kept = gate.head();
        let weight = kept.weight().to_vec();
        let (third, fourth) = (step(), step());
        assert!(third == first && ![first, second].contains(&fourth), "a reader has the second");
        assert_eq!([step(), step()], [third, fourth]);
        assert_eq!(kept.weight(), weight);
        drop(kept);
        (0..4).for_each(|_| assert!([first, second, fourth].contains(&step())));
    }

    /// Who has the model alone needs no second buffer, but for what a reader kept.
    #[test]
    fn steps_of_one_alone_stay_in_place() {
        let gate = Gate::new(One(Device::flex()), GateConfig::default());
        let mut gate = gate.expect("it has defaults");
        let rewards = Rewards::new(vec![Uid::new(0), Uid::new(1)], vec![0.0, 1.0]).expect("2 uids");
        let mut step = || {
            let scores = gate.forward("any").expect("every message has an embedding");
            gate.learn(&scores, &rewards).expect("the uids have scores");
            gate.head()
        };
        let place = |head: Head| head.weight().as_ptr();
        let first = place(step());
        assert_eq!([place(step()), place(step())], [first; 2]);
        let kept = step();
        let weight = kept.weight().to_vec();
        let second = place(step());
        assert!(place(kept.clone()) == first && second != first, "a reader has the first");
        assert_eq!([place(step()), place(step())], [second; 2]);
        assert_eq!(kept.weight(), weight);
    }

    /// What cannot be scored is told before the step, and a score that is no number after it.
    #[test]
    fn a_step_is_whole_whatever_is_scored_next() {
        let device = Device::flex();
        let gate = Gate::new(One(device.clone()), GateConfig::default());
        let mut gate = gate.expect("it has defaults");
        let rewards = Rewards::new(vec![Uid::new(0), Uid::new(1)], vec![0.0, 1.0]).expect("2 uids");
        let scores = gate.forward("any").expect("every message has an embedding");
        let before = gate.head();
        let mut learn = |next: &[f32]| {
            let next = Embedding::from_slice(next, &device);
            let learned = gate.learn_and_score(&scores, &rewards, next);
            (gate.step(), learned.map(|(_, next)| next.map(|_| ())), gate.head())
        };
        let error = |result: Result<(), Error>| result.expect_err("it has no score").to_string();
        let (step, learned, head) = learn(&[1.0, 2.0]);
        let refused = error(learned.map(|_| ()));
        assert_eq!((step, refused.as_str()), (0, "expected an embedding of 1 numbers, found 2"));
        assert_eq!(head.weight(), before.weight());
        let (step, learned, head) = learn(&[f32::INFINITY]);
        let scored = error(learned.expect("the step is taken"));
        assert!(step == 1 && scored.contains("inf"), "{step}: {scored}");
        assert_ne!(head.weight(), before.weight());
    }

    /// One that cannot be scored has the batch refused.
    #[test]
    fn a_batch_has_the_scores_of_each_message() {
        let device = Device::flex();
        let gate = Gate::new(One(device.clone()), GateConfig::default());
        let gate = gate.expect("it has defaults");
        let score = |numbers: &[&[f32]]| {
            let embeddings = numbers.iter().map(|it| Embedding::from_slice(it, &device)).collect();
            gate.score_batch(embeddings)
        };
        let batch = score(&[&[1.0], &[-0.3], &[1.0]]).expect("the sizes agree");
        for (found, number) in batch.iter().zip([1.0, -0.3, 1.0]) {
            let alone = gate.score(Embedding::from_slice(&[number], &device));
            assert_eq!(found.values(), alone.expect("the sizes agree").values());
        }
        assert_eq!(batch.len(), 3);
        assert!(score(&[]).expect("nothing is wrong").is_empty());
        let refused = score(&[&[1.0], &[1.0, 2.0]]).expect_err("the sizes differ").to_string();
        assert_eq!(refused, "expected an embedding of 1 numbers, found 2");
        let refused = score(&[&[1.0], &[f32::INFINITY]]).expect_err("it has no score").to_string();
        assert!(refused.contains("inf"), "{refused}");
    }

    /// The copy on a device is of the head as it is, whatever changed it, and is made once for each.
    #[test]
    fn a_copy_of_the_head_follows_it() {
        let config = GateConfig { num_uids: 2, ..GateConfig::default() };
        let device = Device::flex();
        let gate = Gate::new(One(device.clone()), config);
        let mut gate = gate.expect("it has defaults");
        let rewards = Rewards::new(vec![Uid::new(0), Uid::new(1)], vec![0.0, 1.0]).expect("2 uids");
        let metagraph = |block, keys: [u8; 2]| {
            let neuron =
                |key| gating_metagraph::Neuron::new(gating_metagraph::Hotkey::new([key; 32]));
            Metagraph::new(1, block, keys.map(neuron).to_vec()).expect("the keys differ")
        };
        let mut versions = vec![];
        for change in 0..5 {
            let scores = gate.forward("any").expect("every message has an embedding");
            match change {
                0 => {}
                1 => drop(gate.backward(&scores, &rewards).expect("the uids have scores")),
                2 => drop(gate.learn(&scores, &rewards).expect("the uids have scores")),
                3 => drop(gate.attach(&metagraph(5, [1, 2])).expect("nobody has the rows")),
                _ => drop(gate.follow(&metagraph(6, [1, 3])).expect("it is newer")),
            }
            let copy = || gate.on_device(&gate.newest.get()).expect("there is memory");
            let embedding = Embedding::from_slice(&[1.0], &device);
            let found = copy().scores(std::slice::from_ref(&embedding)).expect("the device works");
            // One product and one sum, which round alike everywhere.
            assert_eq!(found, [gate.head().forward(&embedding).expect("the sizes agree")]);
            versions.push(copy().version());
        }
        assert_eq!(versions, [(0, 0), (1, 0), (2, 0), (2, 0), (2, 1)]);
        let kept = gate.on_device.get();
        let older = Snapshot { step: 1, ..(*gate.newest.get()).clone() };
        gate.on_device(&older).expect("there is memory");
        assert!(
            Arc::ptr_eq(&kept, &gate.on_device.get()),
            "an older copy takes no newer one's place"
        );
    }

    /// Also where the last rows are no whole block.
    #[test]
    fn what_is_scored_next_is_the_same_to_the_bit() {
        let device = Device::flex();
        for num_uids in [2, 15, 16, 17, 33] {
            let gate = || {
                let config = GateConfig { num_uids, ..GateConfig::default() };
                Gate::new(One(device.clone()), config).expect("the settings are right")
            };
            let uids = vec![Uid::new(0), Uid::new(num_uids as u16 - 1)];
            let rewards = Rewards::new(uids, vec![0.0, 1.0]).expect("2 uids");
            let next = || Embedding::from_slice(&[-0.3], &device);
            let (mut one, mut other) = (gate(), gate());
            let scores = one.forward("any").expect("every message has an embedding");
            one.learn(&scores, &rewards).expect("the uids have scores");
            let expected = one.score(next()).expect("the sizes agree");
            let learned = other.learn_and_score(&scores, &rewards, next());
            let (_, found) = learned.expect("the uids have scores");
            let bits = |scores: &Scores| scores.values().iter().map(|it| it.to_bits()).collect();
            let (found, expected): (Vec<u32>, Vec<u32>) =
                (bits(&found.expect("the scores are numbers")), bits(&expected));
            assert_eq!(found, expected, "{num_uids}");
        }
    }
}
