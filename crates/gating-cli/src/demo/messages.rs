//! Messages over a dozen topics, written for this project.

use std::collections::BTreeSet;

/// `topic<TAB>message`, those of a topic together.
const DATA: &str = include_str!("../../data/messages.tsv");

/// A message, and what it is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    /// The place of the topic among all topics in the order of the alphabet.
    pub(super) topic: usize,
    pub(super) text: &'static str,
}

/// All messages in the order of the file.
pub(super) fn all() -> Vec<Message> {
    let topics: Vec<&str> = names().into_iter().collect();
    let message = |(name, text): (&str, &'static str)| Message {
        topic: topics.binary_search(&name).expect("the names come from the same lines"),
        text,
    };
    lines().map(message).collect()
}

/// How many topics there are.
pub(super) fn topics() -> usize {
    names().len()
}

fn names() -> BTreeSet<&'static str> {
    lines().map(|(topic, _)| topic).collect()
}

fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    DATA.lines().filter_map(|line| line.split_once('\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_has_as_many_messages() {
        let all = all();
        assert_eq!((topics(), all.len()), (12, 432));
        for topic in 0..topics() {
            assert_eq!(all.iter().filter(|message| message.topic == topic).count(), 36);
        }
    }

    #[test]
    fn no_message_stands_twice() {
        let texts: BTreeSet<&str> = all().iter().map(|message| message.text).collect();
        assert_eq!(texts.len(), all().len());
    }
}
