//! The probes of a search: its pattern at another load, and the plan of a run with every probe that it began.

use std::collections::BTreeMap;

use e3_model::{Mix, Plan, Round, Run, Seed, Span, StagePlan, StageRef};

use crate::assign::{self, Assignment};
use crate::load_model;

/// Returns the stage that a probe runs: the pattern at this load, without its search.
///
/// `number` counts the probes of one search from 1, in the order in which they run; each has draws of its own, so that
/// a repeat is no copy. A load is in the unit of the pattern's own: clients, rounded to whole ones and at least 1, or
/// arrivals per second. In the closed model clients get their workers, jobs and starts as those of any stage; in the
/// open one as many may be busy at a time as in the pattern, so that probes differ in nothing but their rate.
pub fn probe(pattern: &StagePlan, load: f64, number: u32) -> StagePlan {
    let seed = pattern.clients.first().map_or(Seed(0), |client| client.seed).fork(u64::from(number));
    let mut stage = StagePlan { search: None, ..pattern.clone() };
    let clients = match (&mut stage.arrivals, &pattern.search) {
        (Some(arrivals), Some(search)) => {
            let factor = load / search.to;
            (arrivals.from, arrivals.to) = (arrivals.from * factor, load);
            arrivals.seed = load_model::arrivals_seed(seed);
            count(pattern)
        }
        _ => assign::whole(load.round()).max(1),
    };
    if pattern.mix == Mix::Clients {
        let weights: Vec<f64> = pattern.jobs.iter().map(|job| job.weight).collect();
        let shares = assign::shares(&weights, clients);
        stage.jobs.iter_mut().zip(shares).for_each(|(job, share)| job.clients = share);
    }
    let shares: Vec<u32> = stage.jobs.iter().map(|job| job.clients).collect();
    let workers = pattern.clients.iter().map(|client| client.worker.0 + 1).max().unwrap_or(1);
    let ramp_up = ramp_up(pattern);
    let assignment = Assignment { clients, workers, mix: pattern.mix, shares: &shares, ramp_up, seed };
    stage.clients = assign::clients(&assignment);
    stage
}

/// Returns the plan with every probe that the run began as a stage of its thread, at the index that its record has.
///
/// Each is a round of its own, in place of the stage whose search it belongs to: that one is never run itself. A record
/// that does not follow on its thread's stages adds nothing, so that its stage is one that the plan does not have.
pub fn with_probes(plan: &Plan, run: &Run) -> Plan {
    let mut whole = plan.clone();
    let mut probes: BTreeMap<StageRef, Vec<StageRef>> = BTreeMap::new();
    for record in &run.stages {
        let Some(told) = &record.probe else { continue };
        let search = StageRef { thread: record.stage.thread, stage: told.search };
        let (Some((_, pattern)), Some(thread)) =
            (plan.stage(search), whole.threads.get_mut(record.stage.thread.index()))
        else {
            continue;
        };
        if pattern.search.is_none() || record.stage.stage.index() != thread.stages.len() {
            continue;
        }
        let earlier = probes.entry(search).or_default();
        let number = u32::try_from(earlier.len()).unwrap_or(u32::MAX).saturating_add(1);
        thread.stages.push(probe(pattern, told.load, number));
        earlier.push(record.stage);
    }
    whole.rounds = plan.rounds.iter().flat_map(|round| rounds(plan, round, &probes)).collect();
    whole
}

/// Returns the round's plain stages as one round, and every probe of its searches as one of its own.
fn rounds(plan: &Plan, round: &Round, probes: &BTreeMap<StageRef, Vec<StageRef>>) -> Vec<Round> {
    let is_search = |stage: &&StageRef| plan.stage(**stage).is_some_and(|(_, stage)| stage.search.is_some());
    let (searches, plain): (Vec<&StageRef>, Vec<&StageRef>) = round.stages.iter().partition(is_search);
    let plain: Vec<StageRef> = plain.into_iter().copied().collect();
    let probes = searches.into_iter().filter_map(|search| probes.get(search)).flatten();
    let probes = probes.map(|probe| vec![*probe]);
    std::iter::once(plain)
        .chain(probes)
        .filter(|stages| !stages.is_empty())
        .map(|stages| Round { stages })
        .collect()
}

/// Returns over how long the pattern's clients start: the shortest time that gives each of them its start.
fn ramp_up(pattern: &StagePlan) -> Span {
    let clients = u64::from(count(pattern));
    let needed = (0_u64..)
        .zip(&pattern.clients)
        .filter(|(place, _)| *place > 0)
        .map(|(place, client)| client.start_offset.as_millis().saturating_mul(clients).div_ceil(place));
    Span::from_millis(needed.max().unwrap_or(0))
}

fn count(pattern: &StagePlan) -> u32 {
    u32::try_from(pattern.clients.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use e3_model::{
        Arguments, Arrival, ArrivalPlan, ClientId, ClientPlan, Distribution, JobId, JobPlan, SearchPlan,
        Transport, WorkerId,
    };

    use super::*;

    fn pattern(clients: u32, workers: u32, mix: Mix, ramp_up: Span) -> StagePlan {
        let weights = [0.7, 0.3];
        let shares = if mix == Mix::Clients { assign::shares(&weights, clients) } else { vec![0, 0] };
        let job = |(weight, clients): (f64, &u32)| JobPlan {
            script: "web.Status".into(),
            ops: Vec::new(),
            weight,
            scale: 1.0,
            clients: *clients,
            arguments: Arguments::new(),
        };
        let assignment = Assignment { clients, workers, mix, shares: &shares, ramp_up, seed: Seed(7) };
        StagePlan {
            duration: Span::from_secs(10),
            operations: None,
            warm_up: Span::from_secs(2),
            grace: Span::from_secs(5),
            think_time: Distribution::NONE,
            mix,
            workload: "w".into(),
            jobs: weights.into_iter().zip(&shares).map(job).collect(),
            arrivals: None,
            transport: Transport::default(),
            faults: Vec::new(),
            search: Some(SearchPlan {
                slo: Vec::new(),
                from: 1.0,
                to: f64::from(clients),
                precision: 0.1,
                probes: 12,
                repeats: 2,
            }),
            clients: assign::clients(&assignment),
        }
    }

    fn open(rate: f64, ramp: Span) -> StagePlan {
        let from = if ramp == Span::ZERO { rate } else { 0.0 };
        let mut pattern = pattern(50, 2, Mix::Ops, Span::ZERO);
        pattern.arrivals =
            Some(ArrivalPlan { arrival: Arrival::Poisson, from, to: rate, ramp, seed: Seed(3) });
        pattern.search.as_mut().unwrap().to = rate;
        pattern
    }

    #[test]
    fn a_probe_at_the_patterns_load_differs_from_it_in_nothing_but_its_draws() {
        for ramp_up in [0, 1, 7, 999, 60_001] {
            let pattern = pattern(13, 3, Mix::Clients, Span::from_millis(ramp_up));
            let mut probe = probe(&pattern, 13.0, 1);
            for (own, client) in pattern.clients.iter().zip(&mut probe.clients) {
                assert_ne!(own.seed, client.seed);
                client.seed = own.seed;
            }
            assert_eq!(StagePlan { search: pattern.search.clone(), ..probe }, pattern, "{ramp_up} ms");
        }
    }

    #[test]
    fn clients_of_a_smaller_load_have_their_shares_workers_and_starts() {
        let pattern = pattern(64, 3, Mix::Clients, Span::from_millis(6_400));
        let probe = probe(&pattern, 10.0, 4);
        let shares: Vec<u32> = probe.jobs.iter().map(|job| job.clients).collect();
        assert_eq!(shares, [7, 3]);
        let of = |is: &dyn Fn(&ClientPlan) -> bool| probe.clients.iter().filter(|client| is(client)).count();
        assert_eq!([0, 1].map(|job| of(&|client| client.job == Some(JobId(job)))), [7, 3]);
        assert_eq!([0, 1, 2].map(|worker| of(&|client| client.worker == WorkerId(worker))), [4, 3, 3]);
        let starts: Vec<u64> = probe.clients.iter().map(|client| client.start_offset.as_millis()).collect();
        assert_eq!(starts, (0..10).map(|client| client * 640).collect::<Vec<_>>());
        assert_eq!(probe.clients.last().unwrap().client, ClientId(9));
        assert_eq!(probe.search, None);
    }

    #[test]
    fn an_open_probe_has_another_rate_and_the_same_clients() {
        for (ramp, from) in [(Span::ZERO, 5.0), (Span::from_secs(2), 0.0)] {
            let pattern = open(20.0, ramp);
            let probe = probe(&pattern, 5.0, 2);
            let arrivals = probe.arrivals.unwrap();
            assert!(
                (arrivals.from - from).abs() < 1e-12 && (arrivals.to - 5.0).abs() < 1e-12,
                "{arrivals:?}"
            );
            assert_eq!((arrivals.ramp, arrivals.arrival), (ramp, Arrival::Poisson));
            assert_eq!(probe.clients.len(), 50);
            assert!(probe.clients.iter().all(|client| client.job.is_none()));
        }
    }

    #[test]
    fn every_probe_has_draws_of_its_own_and_always_the_same() {
        for pattern in [pattern(8, 2, Mix::Clients, Span::ZERO), open(20.0, Span::ZERO)] {
            let seeds: std::collections::BTreeSet<Seed> = (1..=12)
                .map(|number| probe(&pattern, 4.0, number))
                .flat_map(|probe| {
                    let arrivals = probe.arrivals.map(|arrivals| arrivals.seed);
                    probe.clients.into_iter().map(|client| client.seed).chain(arrivals).collect::<Vec<_>>()
                })
                .collect();
            let of_one = probe(&pattern, 4.0, 1);
            let each = of_one.clients.len() + usize::from(of_one.arrivals.is_some());
            assert_eq!(seeds.len(), 12 * each);
            assert_eq!(of_one, probe(&pattern, 4.0, 1));
        }
    }

    #[test]
    fn a_load_that_rounds_to_no_client_is_one_client() {
        assert_eq!(probe(&pattern(8, 2, Mix::Clients, Span::ZERO), 0.2, 1).clients.len(), 1);
    }
}
