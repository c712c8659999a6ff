//! How far a run has come: a function of its plan, the events so far, and the time since the display began.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use e3_fleet::{FleetEvent, Probing, Recent};
use e3_model::{ArrivalPlan, Plan, Span, StageRef, quantity};

use crate::printer::several;

/// How far a run has come.
#[derive(Debug)]
pub(super) struct State {
    rounds: Vec<Round>,
    /// The stages that run now, in the order in which they started.
    pub(super) running: Vec<Running>,
    /// The plan's stages that have ended, and its searches.
    ended: BTreeSet<StageRef>,
    /// How many probes of each search have ended.
    probed: BTreeMap<StageRef, u32>,
    /// The time between rounds so far, and how many times there was one.
    between: (Duration, u32),
    /// When the last stage ended.
    last_end: Option<Duration>,
    over: bool,
}

/// Stages that run at the same time.
#[derive(Debug)]
struct Round {
    stages: Vec<Planned>,
}

/// A stage as the plan has it.
#[derive(Debug)]
struct Planned {
    stage: StageRef,
    duration: Duration,
    /// After how many ops it ends, where a count ends it.
    operations: Option<u64>,
    /// How often it is probed at most, where it is a search.
    probes: Option<u32>,
}

/// A stage that runs.
#[derive(Debug)]
pub(super) struct Running {
    stage: StageRef,
    /// The thread's name.
    pub(super) thread: String,
    /// Its position among all stages, from 1, and how many there are.
    pub(super) place: (usize, usize),
    /// Which probe it is; none for a stage of the plan.
    pub(super) probe: Option<Probing>,
    /// Its clients.
    clients: u32,
    /// Failures so far.
    pub(super) errors: u64,
    /// How it has gone lately; none before the first samples.
    pub(super) recent: Option<Recent>,
    ok: u64,
    started: Duration,
    duration: Duration,
    operations: Option<u64>,
    arrivals: Option<ArrivalPlan>,
    last_line: Duration,
}

impl State {
    /// Returns the state before the first stage.
    pub(super) fn of(plan: &Plan) -> Self {
        let rounds = plan.rounds.iter().map(|round| {
            let planned = |stage: &StageRef| {
                let (_, planned) = plan.stage(*stage)?;
                Some(Planned {
                    stage: *stage,
                    duration: planned.duration.to_duration(),
                    operations: planned.operations,
                    probes: planned.search.as_ref().map(|search| search.probes),
                })
            };
            Round { stages: round.stages.iter().filter_map(planned).collect() }
        });
        Self::before(rounds.collect())
    }

    fn before(rounds: Vec<Round>) -> Self {
        Self {
            rounds,
            running: Vec::new(),
            ended: BTreeSet::new(),
            probed: BTreeMap::new(),
            between: (Duration::ZERO, 0),
            last_end: None,
            over: false,
        }
    }

    /// Ends the display: from now on there is nothing to show.
    pub(super) fn end(&mut self) {
        self.over = true;
    }

    /// Returns how long a running stage holds its load, in words: `for 6 s`, or `for 500 ops, at most 1 h`.
    pub(super) fn length(&self, stage: StageRef, duration: Span) -> String {
        match self.runs(stage).and_then(|running| running.operations) {
            Some(operations) => format!("for {} ops, at most {duration}", quantity::count(operations)),
            None => format!("for {duration}"),
        }
    }

    /// Returns the load of a running stage in words: `16 clients`, or `20/s (Poisson) by at most 200 clients`.
    pub(super) fn load(&self, stage: StageRef, clients: u32) -> String {
        let clients = several(usize::try_from(clients).unwrap_or(usize::MAX), "client");
        match self.runs(stage).and_then(|running| running.arrivals.as_ref()) {
            Some(arrivals) => format!("{arrivals} by at most {clients}"),
            None => clients,
        }
    }

    /// Returns whether the display has ended.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Takes an event into account.
    pub(super) fn hear(&mut self, event: &FleetEvent, now: Duration) {
        match event {
            FleetEvent::StageStarted { stage, thread, clients, arrivals, duration, position, of, probe } => {
                if let (true, Some(ended)) = (self.running.is_empty(), self.last_end) {
                    self.between.0 += now.saturating_sub(ended);
                    self.between.1 += 1;
                }
                let mut planned = self.rounds.iter().flat_map(|round| &round.stages);
                let planned = planned.find(|planned| planned.stage == *stage);
                self.running.push(Running {
                    stage: *stage,
                    thread: crate::text::one_line(thread),
                    place: (*position, *of),
                    probe: *probe,
                    clients: *clients,
                    errors: 0,
                    recent: None,
                    ok: 0,
                    started: now,
                    duration: duration.to_duration(),
                    operations: planned.and_then(|planned| planned.operations),
                    arrivals: arrivals.clone(),
                    last_line: now,
                });
            }
            FleetEvent::Progress { stage, ok, errors, recent, .. } => {
                if let Some(running) = self.running.iter_mut().find(|running| running.stage == *stage) {
                    (running.ok, running.errors, running.recent) = (*ok, *errors, Some(*recent));
                }
            }
            FleetEvent::StageEnded { stage, .. } => {
                let probe = self.runs(*stage).and_then(|running| running.probe);
                self.running.retain(|running| running.stage != *stage);
                match probe {
                    Some(probe) => *self.probed.entry(probe.search).or_default() += 1,
                    None => drop(self.ended.insert(*stage)),
                }
                self.last_end = Some(now);
            }
            FleetEvent::ProbeJudged { search, state, .. } if state.next.is_none() => {
                self.ended.insert(*search);
            }
            FleetEvent::SystemReset { .. } | FleetEvent::ProbeJudged { .. } => {}
        }
    }

    /// Returns a plain line about a stage, if it has had none for so long.
    pub(super) fn line_due(&mut self, stage: StageRef, now: Duration, every: Duration) -> Option<String> {
        let (run_left, about) = (self.left(now), self.about());
        let several = self.running.len() > 1;
        let last_round = self.stages().1 <= 1 && !self.searches();
        let running = self.running.iter_mut().find(|running| running.stage == stage)?;
        if now < running.last_line + every || running.elapsed(now) >= running.duration {
            return None;
        }
        running.last_line = now;
        let who = if several { format!("{}: ", running.thread) } else { String::new() };
        let recent = running.recent.unwrap_or_default();
        let whole =
            if last_round { String::new() } else { format!(", {about} {} of the run", span(run_left)) };
        Some(format!(
            "     {who}{}, {} errors, p50 {}, p99 {}; {} left{whole}",
            quantity::rate(recent.rate_per_s),
            quantity::count(running.errors),
            latency(recent.p50_ms),
            latency(recent.p99_ms),
            span(running.left(now)),
        ))
    }

    /// Returns how many stages have ended, and how many there are.
    pub(super) fn stages(&self) -> (usize, usize) {
        (self.ended.len(), self.rounds.iter().map(|round| round.stages.len()).sum())
    }

    /// Returns the share of the run's time that is over, 0 to 1.
    pub(super) fn done(&self, now: Duration) -> f64 {
        let whole: Duration = self.rounds.iter().map(Round::length).sum();
        let left: Duration = self.rounds.iter().map(|round| self.left_of(round, now)).sum();
        if whole.is_zero() { 0.0 } else { 1.0 - (left.as_secs_f64() / whole.as_secs_f64()).clamp(0.0, 1.0) }
    }

    /// Returns about how long the stages will still take: their own time, and as much between them as there was so far.
    pub(super) fn left(&self, now: Duration) -> Duration {
        let stages: Duration = self.rounds.iter().map(|round| self.left_of(round, now)).sum();
        let pauses = |round: &Round| round.stages.iter().map(|planned| self.to_begin(planned)).max();
        let to_come: u32 = self.rounds.iter().filter_map(pauses).sum();
        let (time, times) = self.between;
        stages + (time / times.max(1)) * to_come
    }

    /// Returns whether the plan has a search that goes on or is to come.
    pub(super) fn searches(&self) -> bool {
        let mut planned = self.rounds.iter().flat_map(|round| &round.stages);
        planned.any(|planned| planned.probes.is_some() && !self.ended.contains(&planned.stage))
    }

    /// Returns what to say before the time that is left: nobody knows how many probes a search takes.
    pub(super) fn about(&self) -> &'static str {
        if self.searches() { "at most" } else { "about" }
    }

    fn left_of(&self, round: &Round, now: Duration) -> Duration {
        let left = round.stages.iter().map(|planned| {
            let running = self.run_of(planned).map_or(Duration::ZERO, |running| running.left(now));
            running + planned.duration * self.to_begin(planned)
        });
        left.max().unwrap_or_default()
    }

    /// Returns how many times a stage of the plan is still to begin: a search once for each probe that it may have.
    fn to_begin(&self, planned: &Planned) -> u32 {
        if self.ended.contains(&planned.stage) {
            return 0;
        }
        let begun =
            self.probed.get(&planned.stage).copied().unwrap_or(0) + u32::from(self.run_of(planned).is_some());
        planned.probes.unwrap_or(1).saturating_sub(begun)
    }

    /// Returns a stage of the plan while it runs, or the probe that runs of a search.
    fn run_of(&self, planned: &Planned) -> Option<&Running> {
        self.running.iter().find(|running| {
            running.stage == planned.stage || running.probe.is_some_and(|probe| probe.search == planned.stage)
        })
    }

    fn runs(&self, stage: StageRef) -> Option<&Running> {
        self.running.iter().find(|running| running.stage == stage)
    }
}

impl Round {
    fn length(&self) -> Duration {
        let length = |planned: &Planned| planned.duration * planned.probes.unwrap_or(1);
        self.stages.iter().map(length).max().unwrap_or_default()
    }
}

impl Running {
    /// Returns the load that the stage has now: its clients, or the rate at which its plan has iterations start.
    pub(super) fn load(&self, now: Duration) -> String {
        match &self.arrivals {
            Some(arrivals) => {
                format!("target {}/s", quantity::number(arrivals.rate_at(self.elapsed(now).as_secs_f64())))
            }
            None => format!("{} clients", self.clients),
        }
    }

    /// Returns the share of the stage that is over, 0 to 1: of its time, or of its ops where their number ends it first.
    pub(super) fn done(&self, now: Duration) -> f64 {
        let time = if self.duration.is_zero() {
            1.0
        } else {
            self.elapsed(now).as_secs_f64() / self.duration.as_secs_f64()
        };
        let count = self.operations.map_or(0.0, |of| ratio(self.ok + self.errors, of));
        time.max(count).clamp(0.0, 1.0)
    }

    /// Returns how long the stage still takes, going on as it did.
    pub(super) fn left(&self, now: Duration) -> Duration {
        let elapsed = self.elapsed(now);
        let by_time = self.duration.saturating_sub(elapsed);
        let count = self.operations.map_or(0.0, |of| ratio(self.ok + self.errors, of)).min(1.0);
        if count <= 0.0 {
            return by_time;
        }
        by_time.min(elapsed.mul_f64((1.0 - count) / count))
    }

    /// Returns whether the stage's time is over, and only ops that are under way may end.
    pub(super) fn is_ending(&self, now: Duration) -> bool {
        self.left(now).is_zero()
    }

    /// Returns how long the stage was meant to last.
    pub(super) fn duration(&self) -> Duration {
        self.duration
    }

    fn elapsed(&self, now: Duration) -> Duration {
        now.saturating_sub(self.started)
    }
}

#[cfg(test)]
impl State {
    /// Returns the state before the first of these rounds: stages, how many seconds each lasts, and after how many ops
    /// it ends.
    pub(super) fn of_rounds(rounds: Vec<Vec<(StageRef, u64, Option<u64>)>>) -> Self {
        let planned = |(stage, seconds, operations)| Planned {
            stage,
            duration: Duration::from_secs(seconds),
            operations,
            probes: None,
        };
        let rounds =
            rounds.into_iter().map(|stages| Round { stages: stages.into_iter().map(planned).collect() });
        Self::before(rounds.collect())
    }

    /// Makes every stage a search with so many probes at most.
    pub(super) fn with_searches(mut self, probes: u32) -> Self {
        let planned = self.rounds.iter_mut().flat_map(|round| &mut round.stages);
        planned.for_each(|planned| planned.probes = Some(probes));
        self
    }
}

/// Returns a span of time in whole seconds, such as `7 s`, `4 min 10 s` or `1 h 20 min`.
pub(super) fn span(of: Duration) -> String {
    // Rounded up, so that nothing is said to take no time while it still runs.
    let seconds = of.as_secs() + u64::from(of.subsec_nanos() > 0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Returns a latency, or a dash where there is none.
pub(super) fn latency(milliseconds: Option<f64>) -> String {
    milliseconds.map_or_else(|| "–".to_owned(), quantity::latency)
}

#[expect(clippy::cast_precision_loss, reason = "a share for the display")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}
