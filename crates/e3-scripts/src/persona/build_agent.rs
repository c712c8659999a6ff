//! `persona.SshBuildAgent`, `persona.HttpBuildAgent`: a build agent that polls, and now and then clones.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use e3_model::{ArgumentFault, ArgumentForm, Arguments, Need, OpDescriptor, OpId, ScriptDescriptor, Span};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting, Stopped};
use rand::RngExt as _;

use super::spans::span;
use super::ticks::{Ticks, nanoseconds, part, spread};
use crate::scm::{Repositories, Transport};

/// Polls a random repository at every tick, and clones it at some of them.
pub(crate) struct BuildAgent(pub(crate) Transport);

const LS_REMOTE: OpId = OpId(0);
const CLONE: OpId = OpId(1);

impl BuildAgent {
    fn name(&self) -> &'static str {
        match self.0 {
            Transport::Ssh => "persona.SshBuildAgent",
            Transport::Http | Transport::HttpDirect => "persona.HttpBuildAgent",
        }
    }
}

impl Script for BuildAgent {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            self.name(),
            &format!(
                "Lists the refs of a repository, drawn by weight, at every tick of its own, and clones it at some of them, \
                 {}; a tick that is late counts from when it was due. In the open model an arrival is one poll, and a \
                 drawn part of them clone.",
                self.0.words()
            ),
            self.0.protocol(),
            &[
                ("LsRemote", "from when the poll was due until the last ref is read"),
                ("Clone", "from connecting until the pack's checksum is verified"),
            ],
        )
        .needing(&self.0.needs(Need::Repository))
        .argument(
            "poll",
            ArgumentForm::Text,
            Some("5s"),
            "How long from one poll to the next; the clients' polls are spread over this time.",
        )
        .argument(
            "cloneEvery",
            ArgumentForm::Text,
            Some("30s"),
            "How long from one clone to the next, no shorter than \"poll\"; a clone follows the first poll since it is due.",
        )
    }

    fn ops(&self, arguments: &Arguments) -> Result<Vec<OpDescriptor>, Vec<ArgumentFault>> {
        Pace::of(arguments).map(|_| self.descriptor().ops)
    }

    fn client(
        &self,
        setting: &Arc<Setting>,
        context: &mut ClientContext,
    ) -> Result<Box<dyn ScriptClient>, ScriptError> {
        let pace = Pace::of(context.arguments()).map_err(|faults| ScriptError::Arguments {
            script: self.name().to_owned(),
            reason: faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("; "),
        })?;
        let repositories = Repositories::prepare(self.name(), self.0, setting, context)?;
        let ticks = Ticks::new(pace.poll, context);
        let clone_every = nanoseconds(pace.clone_every);
        let offset = part(clone_every, spread(context.client().0, ROOT_OF_TWO));
        Ok(Box::new(Client { repositories, ticks, clones: Clones { every: clone_every, offset } }))
    }
}

/// How often an agent does what.
#[derive(Debug, PartialEq, Eq)]
struct Pace {
    poll: Duration,
    clone_every: Duration,
}

impl Pace {
    fn of(arguments: &Arguments) -> Result<Self, Vec<ArgumentFault>> {
        let poll = span(arguments, "poll", POLL);
        let clone_every = span(arguments, "cloneEvery", CLONE_EVERY);
        match (poll, clone_every) {
            (Ok(poll), Ok(clone_every)) if clone_every < poll => Err(vec![ArgumentFault::new(
                "/cloneEvery",
                "\"cloneEvery\" is shorter than \"poll\", but an agent clones after a poll",
            )]),
            (Ok(poll), Ok(clone_every)) => Ok(Self { poll, clone_every }),
            (poll, clone_every) => Err([poll.err(), clone_every.err()].into_iter().flatten().collect()),
        }
    }
}

struct Client {
    repositories: Repositories,
    ticks: Ticks,
    clones: Clones,
}

#[async_trait]
impl ScriptClient for Client {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        let tick = self.ticks.next(context).await?;
        let worked = self.work(context, tick).await;
        self.ticks.done(context, LS_REMOTE);
        worked
    }
}

impl Client {
    async fn work(&mut self, context: &mut ClientContext, tick: Option<u64>) -> Result<(), Stopped> {
        let Some((_, repository)) = self.repositories.draw(context) else { return Ok(()) };
        let interval = self.ticks.interval_ns();
        let clones = match tick {
            Some(tick) => self.clones.is_due(self.ticks.due_ns(tick), interval),
            None => context.random().random_range(0..self.clones.every) < interval,
        };
        let client = &self.repositories.client;
        client.ls_remote(context, LS_REMOTE, &repository).await?;
        if clones {
            client.clone_repository(context, CLONE, &repository).await?;
        }
        Ok(())
    }
}

/// When a client's clones are due, in nanoseconds; spread over the time from one to the next.
#[derive(Debug)]
struct Clones {
    every: u64,
    offset: u64,
}

impl Clones {
    /// Returns whether a clone came due in the interval before a poll.
    fn is_due(&self, poll: u64, interval: u64) -> bool {
        let now = poll.saturating_add(self.offset).saturating_add(self.every);
        now.checked_div(self.every) != now.saturating_sub(interval).checked_div(self.every)
    }
}

/// The first E3's pace.
const POLL: Span = Span::from_secs(5);
const CLONE_EVERY: Span = Span::from_secs(30);
/// The fractional part of the square root of two, 0.414…, of 2^64: by it clones are spread, independently of polls.
const ROOT_OF_TWO: u64 = 0x6A09_E667_F3BC_C908;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn clones_are_as_many_as_they_should_and_spread() {
        let second = 1_000_000_000;
        for (poll, every, polls, clones) in
            [(5, 30, 60, 10), (5, 5, 10, 10), (4, 30, 150, 20), (7, 10, 100, 70)]
        {
            let mut at = vec![0_u32; polls];
            for client in 0..100 {
                let every = every * second;
                let offset = part(every, spread(client, ROOT_OF_TWO));
                let due: Vec<_> = (0..polls)
                    .filter(|tick| {
                        let at = (u64::try_from(*tick).unwrap() * poll + u64::from(client % 4)) * second;
                        Clones { every, offset }.is_due(at, poll * second)
                    })
                    .collect();
                assert!(due.len().abs_diff(clones) <= 1, "{poll} {every}: {due:?}");
                due.into_iter().for_each(|tick| at[tick] += 1);
            }
            let share = f64::from(100) * clones as f64 / polls as f64;
            assert!(
                at.iter().all(|clones| f64::from(*clones) <= share * 1.2 + 2.0),
                "{poll} {every}: {at:?}"
            );
        }
    }

    #[test]
    fn a_pace_is_possible_or_says_why_not() {
        for (given, faults) in [
            (json!({}), 0),
            (json!({"poll": "30s"}), 0),
            (json!({"poll": "31s"}), 1),
            (json!({"poll": "x", "cloneEvery": 0}), 2),
        ] {
            let arguments: Arguments = serde_json::from_value(given.clone()).unwrap();
            assert_eq!(Pace::of(&arguments).err().map_or(0, |faults| faults.len()), faults, "{given}");
        }
    }
}
