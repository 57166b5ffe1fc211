//! Which events of a log to learn from.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use gating_log::{Event, parse_time};

use super::Why;

/// A place in a log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Moment {
    /// The number of an event in all logs together, from 1.
    Step(u64),
    /// A block of the chain.
    Block(u64),
    /// Seconds since 1970 UTC.
    Time(f64),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let block = text.strip_prefix("block:").map(str::parse);
        match (text.parse(), block, parse_time(text)) {
            (Ok(step), ..) if step > 0 => Ok(Self::Step(step)),
            (_, Some(Ok(block)), _) => Ok(Self::Block(block)),
            (.., Some(time)) => Ok(Self::Time(time)),
            _ => {
                Err("expected a step such as 5000, a block such as block:6521772, or a time such \
                      as 2023-07-01 or 2023-07-01T12:30"
                    .to_owned())
            }
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(step) => write!(f, "step {step}"),
            Self::Block(block) => write!(f, "block {block}"),
            Self::Time(time) => write!(f, "{time} s since 1970"),
        }
    }
}

/// Which events to learn from; all of them where nothing is said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    /// Names of events; one that ends in `*` stands for all that begin so.
    pub(crate) names: Vec<String>,
    /// The first event.
    pub(crate) from: Option<Moment>,
    /// The last event.
    pub(crate) until: Option<Moment>,
}

/// What to do with an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Choice {
    Take,
    LeaveOut(Why),
    /// This event and all later ones are not wanted.
    Stop,
}

impl Selection {
    /// What to do with the event that is number `step` of the logs.
    pub(crate) fn choose(&self, event: &Event, step: u64) -> Choice {
        let compare = |moment: &Moment| match moment {
            Moment::Step(bound) => Ok(step.cmp(bound)),
            Moment::Block(bound) => event.block.map(|block| block.cmp(bound)).ok_or(Why::NoBlock),
            Moment::Time(bound) => event.time.map(|time| time.total_cmp(bound)).ok_or(Why::NoTime),
        };
        // What does not say where it stands ends nothing.
        if let Some(Ok(order)) = self.until.as_ref().map(compare)
            && order.is_gt()
        {
            return Choice::Stop;
        }
        match self.from.as_ref().map(compare) {
            Some(Ok(order)) if order.is_lt() => return Choice::LeaveOut(Why::Before),
            Some(Err(why)) => return Choice::LeaveOut(why),
            _ => {}
        }
        if self.names.is_empty() || event.name.as_ref().is_some_and(|name| self.has(name)) {
            return Choice::Take;
        }
        Choice::LeaveOut(Why::Name)
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|wanted| match wanted.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == wanted,
        })
    }

    /// What decides which events were learned from until some place. Where to stop does not: who
    /// stops later learns from the same events until then.
    pub(crate) fn words(&self) -> BTreeMap<String, String> {
        let mut names = self.names.clone();
        names.sort_unstable();
        names.dedup();
        let mut words = BTreeMap::new();
        if !names.is_empty() {
            words.insert("--name".to_owned(), names.join(", "));
        }
        if let Some(from) = self.from {
            words.insert("--from".to_owned(), from.to_string());
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event {
            prompt: String::new(),
            uids: Vec::new(),
            rewards: Vec::new(),
            name: Some("followup1".to_owned()),
            block: Some(100),
            time: Some(86_400.0),
        }
    }

    #[test]
    fn moments_are_steps_blocks_or_times() {
        let check = |text: &str, expected| assert_eq!(text.parse::<Moment>().ok(), expected);
        check("5000", Some(Moment::Step(5000)));
        check("block:12", Some(Moment::Block(12)));
        check("1970-01-02", Some(Moment::Time(86_400.0)));
        for wrong in ["", "0", "-1", "block:", "block:x", "block 12", "2023-13-01", "soon"] {
            check(wrong, None);
        }
    }

    #[test]
    fn events_are_chosen_by_place_and_name() {
        let check = |from: &str, until: &str, names: &[&str], expected| {
            let moment = |text: &str| (!text.is_empty()).then(|| text.parse().expect("a moment"));
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            let selection = Selection { names, from: moment(from), until: moment(until) };
            assert_eq!(selection.choose(&event(), 7), expected, "{from} {until} {selection:?}");
        };
        check("", "", &[], Choice::Take);
        check("7", "7", &[], Choice::Take);
        check("8", "", &[], Choice::LeaveOut(Why::Before));
        check("", "6", &[], Choice::Stop);
        check("block:100", "block:100", &[], Choice::Take);
        check("block:101", "", &[], Choice::LeaveOut(Why::Before));
        check("", "block:99", &["other"], Choice::Stop);
        check("1970-01-02", "1970-01-02", &[], Choice::Take);
        check("", "1970-01-01T23:59:59", &[], Choice::Stop);
        check("", "", &["answer0", "followup1"], Choice::Take);
        check("", "", &["followup"], Choice::LeaveOut(Why::Name));
        check("", "", &["followup*"], Choice::Take);
    }

    #[test]
    fn what_does_not_say_where_it_stands_is_left_out() {
        let bare = Event { name: None, block: None, time: None, ..event() };
        let block = Selection { from: Some(Moment::Block(1)), ..Selection::default() };
        assert_eq!(block.choose(&bare, 1), Choice::LeaveOut(Why::NoBlock));
        let time = Selection { from: Some(Moment::Time(1.0)), ..Selection::default() };
        assert_eq!(time.choose(&bare, 1), Choice::LeaveOut(Why::NoTime));
        let name = Selection { names: vec!["*".to_owned()], ..Selection::default() };
        assert_eq!(name.choose(&bare, 1), Choice::LeaveOut(Why::Name));
    }

    /// A later run with a later end would not meet it again.
    #[test]
    fn what_does_not_say_where_it_stands_ends_nothing() {
        let bare = Event { block: None, time: None, ..event() };
        for until in [Moment::Block(1), Moment::Time(1.0)] {
            let selection = Selection { until: Some(until), ..Selection::default() };
            assert_eq!(selection.choose(&event(), 1), Choice::Stop);
            assert_eq!(selection.choose(&bare, 1), Choice::Take);
        }
    }
}
