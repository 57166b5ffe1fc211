//! Arguments of the reference's validators that mean nothing here, and why.
//!
//! They are taken, so that the command line and the file of a validator can be used as they are,
//! and told of, so that nobody waits for what they do there. The names are those of
//! opentensor/validators, opentensor/text-prompting and bittensor 5 and 6 (2023).

/// Settings that mean nothing here for the same reason.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) why: &'static str,
    /// Those that take a value.
    values: &'static [&'static str],
    /// Those that are set by being named.
    flags: &'static [&'static str],
}

pub(crate) const GROUPS: [Group; 11] = [
    Group {
        why: "nothing is sent to Weights & Biases",
        values: &[
            "wandb.entity",
            "wandb.notes",
            "wandb.project_name",
            "wandb.run_step_length",
            "wandb.weights_step_length",
        ],
        flags: &["wandb.off", "wandb.offline", "wandb.track_gating_model"],
    },
    Group {
        why: "no wallet is opened",
        values: &["wallet.hotkey", "wallet.name", "wallet.path", "wallet.reregister"],
        flags: &["wallet._mock"],
    },
    Group {
        why: "nothing is registered, and a node is named to the command that asks it",
        values: &[
            "subtensor.chain_endpoint",
            "subtensor.network",
            "subtensor.register.cuda.TPB",
            "subtensor.register.cuda.dev_id",
            "subtensor.register.num_processes",
            "subtensor.register.update_interval",
        ],
        flags: &[
            "metagraph._mock",
            "subtensor._mock",
            "subtensor.register.cuda.no_cuda",
            "subtensor.register.cuda.use_cuda",
            "subtensor.register.no_output_in_place",
            "subtensor.register.verbose",
        ],
    },
    Group {
        why: "nothing is served",
        values: &[
            "axon.external_ip",
            "axon.external_port",
            "axon.ip",
            "axon.max_workers",
            "axon.maximum_concurrent_rpcs",
            "axon.port",
            "axon.priority.max_workers",
            "axon.priority.maxsize",
        ],
        flags: &["axon_off", "neuron.axon_off"],
    },
    Group {
        why: "notes go to stderr, for which there are -v, -q and --log-format",
        values: &["logging.logging_dir"],
        flags: &["logging.debug", "logging.record_log", "logging.trace"],
    },
    Group {
        why: "nobody is asked: who was is in the log",
        values: &[
            "neuron.answer_sample_size",
            "neuron.answer_timeout",
            "neuron.followup_sample_size",
            "neuron.followup_timeout",
            "neuron.num_concurrent_forwards",
            "neuron.num_followup_steps",
            "neuron.scoring_sample_size",
            "neuron.scoring_timeout",
        ],
        flags: &["neuron.nsfw_filter", "neuron.outsource_scoring"],
    },
    Group {
        why: "rewards are not computed: they are in the log",
        values: &[
            "neuron.reward_path",
            "neuron.reward_shift",
            "reward.dahoas_weight",
            "reward.dpo_weight",
            "reward.prompt_based_weight",
            "reward.reciprocate_weight",
            "reward.rlhf_weight",
        ],
        flags: &[
            "neuron.blacklist_off",
            "neuron.diversity_off",
            "neuron.nsfw_off",
            "neuron.relevance_off",
            "neuron.task_validator_off",
        ],
    },
    Group {
        why: "no weights are set on the chain",
        values: &["neuron.epoch_length_override", "neuron.moving_average_alpha"],
        flags: &["neuron.disable_set_weights"],
    },
    Group {
        why: "the state is kept in --checkpoint, and no log of events is written",
        values: &["neuron.checkpoint_block_length", "neuron.events_retention_size", "neuron.name"],
        flags: &["neuron.disable_log_rewards", "neuron.dont_save_events"],
    },
    Group {
        why: "no versions are compared, and nothing asks before it works",
        values: &[],
        flags: &["no_prompt", "no_version_checking"],
    },
    Group {
        why: "nothing can be replaced by a mock; `gating demo` simulates a network",
        values: &[],
        flags: &[
            "mock",
            "neuron.mock_dataset",
            "neuron.mock_dendrite_pool",
            "neuron.mock_gating_model",
            "neuron.mock_reward_model",
            "neuron.mock_reward_models",
        ],
    },
];

impl Group {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.values.iter().chain(self.flags).copied()
    }

    /// Those of its names for which something holds, in their order.
    pub(crate) fn filter(&self, keep: impl Fn(&str) -> bool) -> Vec<&'static str> {
        self.names().filter(|name| keep(name)).collect()
    }
}

/// Every name, and whether it is set by being named.
pub(crate) fn names() -> impl Iterator<Item = (&'static str, bool)> {
    GROUPS.iter().flat_map(|group| {
        let flags = group.flags.iter().map(|name| (*name, true));
        group.values.iter().map(|name| (*name, false)).chain(flags)
    })
}

pub(crate) fn is_known(name: &str) -> bool {
    names().any(|(known, _)| known == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::KEYS;
    use super::*;

    #[test]
    fn every_name_stands_once_and_is_no_setting() {
        let mut seen = HashSet::new();
        for (name, _) in names() {
            assert!(seen.insert(name), "{name} stands twice");
            assert!(KEYS.iter().all(|key| key.name != name), "{name} means something here");
        }
    }
}
