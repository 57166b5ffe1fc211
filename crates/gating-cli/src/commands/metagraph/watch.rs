//! `gating metagraph watch`: what changes in a network, and a checkpoint that keeps up with it.

mod changes;
mod keeper;

use std::path::Path;
use std::sync::mpsc::{self, Sender};

use gating_metagraph::chain::{Event, FollowConfig, Follower, Problem, Watcher};
use serde::Serialize;

use super::diff::{self, Side};
use super::known;
use crate::args::WatchArgs;
use crate::commands::node;
use crate::failure::{Failure, causes};
use crate::interrupt::{Interrupt, TICK};
use crate::output::{Output, age, counted, seconds};
use crate::settings::Settings;
use keeper::Keeper;

/// A result with the name of the event that it tells of.
#[derive(Serialize)]
struct Told<T> {
    event: &'static str,
    #[serde(flatten)]
    what: T,
}

pub(super) fn run(args: &WatchArgs, settings: &Settings, output: &Output) -> Result<(), Failure> {
    let folder = settings.checkpoint.as_deref();
    let shrink = args.shrink.shrink();
    let keeper = folder.map(|folder| Keeper::new(folder, shrink, settings, output));
    let mut keeper = keeper.transpose()?;
    let interrupt = Interrupt::listen()?;
    let (sender, events) = mpsc::channel();
    let watcher = watch(args, settings, sender)?;
    let mut told = 0;
    while !interrupt.is_asked() {
        let Ok(event) = events.recv_timeout(TICK) else { continue };
        told += u64::from(tell(&event, &watcher, output)?);
        if let Some(keeper) = &mut keeper {
            keeper.follow(&event, output)?;
        }
        let is_past = |until| block_of(&event).is_some_and(|block| block >= until);
        if args.until_block.is_some_and(is_past) || args.events.is_some_and(|events| told >= events)
        {
            break;
        }
    }
    keeper.map_or(Ok(()), |keeper| keeper.finish(output))
}

fn watch(args: &WatchArgs, settings: &Settings, sender: Sender<Event>) -> Result<Watcher, Failure> {
    let config = FollowConfig {
        blocks: args.every,
        refresh_blocks: args.refresh,
        shrink: args.shrink.shrink(),
        ..FollowConfig::default()
    };
    let client = node::client(args.node.network.clone(), 0, settings);
    let follower = Follower::new(client, settings.netuid, config);
    let on_event = move |event| drop(sender.send(event));
    Watcher::spawn(follower, on_event).map_err(|error| Failure::file(Path::new("a thread"), error))
}

/// Prints a result, or says something on stderr; whether it was a result.
fn tell(event: &Event, watcher: &Watcher, output: &Output) -> Result<bool, Failure> {
    match event {
        Event::First { metagraph } => {
            let told = Told { event: "first", what: Side::new(metagraph) };
            output.result(&told, |_| {
                let (netuid, block) = (known(metagraph.netuid()), known(metagraph.block()));
                let uids = counted(metagraph.num_uids(), "uid");
                format!("block {block}: subnet {netuid} has {uids}")
            })?;
            return Ok(true);
        }
        Event::Changed { previous, metagraph, diff } => {
            let what = diff::Line::new(previous, metagraph, diff);
            let told = Told { event: "changed", what };
            output.result(&told, |_| changes::text(previous, metagraph, diff))?;
            return Ok(true);
        }
        Event::Connected { endpoint } => output.detail(format_args!("connected to {endpoint}")),
        Event::Unchanged { block } => output.detail(format_args!("block {block}: unchanged")),
        Event::Refused { block, reason } => {
            let kept = kept(watcher);
            output.warning(format_args!("block {block} is not taken: {reason}{kept}"));
        }
        Event::Failed { error, retry_in } => {
            let wait = match (&*error.problem, retry_in.is_zero()) {
                (Problem::NoSubnet { .. }, _) => "; it is looked for again".to_owned(),
                (_, true) => String::new(),
                (_, false) => format!("; next try in {}", seconds(*retry_in)),
            };
            output.warning(format_args!("{}{wait}{}", with_causes(error), kept(watcher)));
        }
        _ => {}
    }
    Ok(false)
}

/// Which metagraph holds meanwhile, and how old it is.
fn kept(watcher: &Watcher) -> String {
    watcher.current().map_or_else(String::new, |current| {
        let age = age(current.age());
        format!("; the metagraph of block {} is kept, {age} old", current.block)
    })
}

fn with_causes(error: &dyn std::error::Error) -> String {
    [vec![error.to_string()], causes(error)].concat().join(": ")
}

fn block_of(event: &Event) -> Option<u64> {
    match event {
        Event::First { metagraph } | Event::Changed { metagraph, .. } => metagraph.block(),
        Event::Unchanged { block } | Event::Refused { block, .. } => Some(*block),
        _ => None,
    }
}
