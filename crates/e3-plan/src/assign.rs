//! Gives every client of a stage its worker, job, seed and start.

use std::cmp::Ordering;

use e3_model::{ClientId, ClientPlan, JobId, Mix, Seed, Span, WorkerId};

/// What the clients of a stage are assigned by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Assignment<'a> {
    /// How many clients there are.
    pub(crate) clients: u32,
    /// How many workers run them.
    pub(crate) workers: u32,
    /// What weights are shares of.
    pub(crate) mix: Mix,
    /// The clients of each job; ignored when clients draw their jobs.
    pub(crate) shares: &'a [u32],
    /// Over how long the clients start.
    pub(crate) ramp_up: Span,
    /// The stage's seed.
    pub(crate) seed: Seed,
}

/// Returns how many clients each job gets, by the largest remainder; they add up to `clients`, unless no weight is
/// above 0.
///
/// Each job gets its exact share rounded down; what is left goes to the largest fractions, the first of equal ones.
pub(crate) fn shares(weights: &[f64], clients: u32) -> Vec<u32> {
    let sum: f64 = weights.iter().filter(|weight| **weight > 0.0).sum();
    if sum <= 0.0 || !sum.is_finite() {
        return vec![0; weights.len()];
    }
    let quotas: Vec<f64> = weights.iter().map(|weight| weight.max(0.0) / sum * f64::from(clients)).collect();
    let mut shares: Vec<u32> = quotas.iter().map(|quota| whole(*quota)).collect();
    let given: u32 = shares.iter().sum();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    let remainder = |job: &usize| quotas.get(*job).map_or(0.0, |quota| quota.fract());
    by_remainder.sort_by(|left, right| remainder(right).total_cmp(&remainder(left)));
    let weighted =
        by_remainder.into_iter().filter(|job| weights.get(*job).is_some_and(|weight| *weight > 0.0));
    for job in weighted.take(clients.saturating_sub(given).try_into().unwrap_or(usize::MAX)) {
        if let Some(share) = shares.get_mut(job) {
            *share += 1;
        }
    }
    shares
}

/// Returns every client of a stage, in order.
pub(crate) fn clients(assignment: &Assignment<'_>) -> Vec<ClientPlan> {
    let jobs = match assignment.mix {
        Mix::Ops => vec![None; usize::try_from(assignment.clients).unwrap_or(usize::MAX)],
        Mix::Clients => interleaved(assignment.shares).into_iter().map(Some).collect(),
    };
    let workers = workers_of(&jobs, assignment.workers);
    (0..assignment.clients)
        .zip(jobs)
        .zip(workers)
        .map(|((client, job), worker)| ClientPlan {
            client: ClientId(client),
            worker,
            job,
            seed: assignment.seed.fork(u64::from(client)),
            start_offset: start_offset(client, assignment),
        })
        .collect()
}

/// Returns the job of each client, so that after any number of clients every job has had about its share.
///
/// The k-th of a job's n clients belongs at (k + ½) / n of the way; jobs of equal place come in their order.
fn interleaved(shares: &[u32]) -> Vec<JobId> {
    let mut places: Vec<(u64, u64, u16)> = shares
        .iter()
        .zip(0_u16..)
        .flat_map(|(share, job)| (0..*share).map(move |k| (u64::from(k) * 2 + 1, u64::from(*share), job)))
        .collect();
    places.sort_by(|(left, left_share, left_job), (right, right_share, right_job)| {
        (left * right_share).cmp(&(right * left_share)).then(left_job.cmp(right_job))
    });
    places.into_iter().map(|(_, _, job)| JobId(job)).collect()
}

/// Returns the worker of each client: job by job in turn, so that no worker has more than one client more than another,
/// neither in all nor of one job.
fn workers_of(jobs: &[Option<JobId>], workers: u32) -> Vec<WorkerId> {
    let mut by_job: Vec<usize> = (0..jobs.len()).collect();
    by_job.sort_by(|left, right| match (jobs.get(*left), jobs.get(*right)) {
        (Some(left), Some(right)) => left.cmp(right),
        _ => Ordering::Equal,
    });
    let mut assigned = vec![WorkerId(0); jobs.len()];
    for (client, worker) in by_job.into_iter().zip((0..workers.max(1)).cycle()) {
        if let Some(place) = assigned.get_mut(client) {
            *place = WorkerId(worker);
        }
    }
    assigned
}

/// Returns when a client starts: evenly spread, the first at once.
fn start_offset(client: u32, assignment: &Assignment<'_>) -> Span {
    let spread = u64::from(client) * assignment.ramp_up.as_millis();
    Span::from_millis(spread / u64::from(assignment.clients.max(1)))
}

/// Returns the whole part of a number of clients, within what can be counted.
pub(crate) fn whole(quota: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the number of clients"
    )]
    let whole = quota.floor() as u32;
    whole
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn assignment(mix: Mix, shares: &[u32], workers: u32, ramp_up: Span) -> Vec<ClientPlan> {
        let clients = shares.iter().sum();
        super::clients(&Assignment { clients, workers, mix, shares, ramp_up, seed: Seed(7) })
    }

    #[test]
    fn the_largest_remainders_get_what_is_left() {
        for (weights, clients, expected, why) in [
            (&[0.5, 0.5] as &[f64], 4, &[2_u32, 2] as &[u32], "exact shares"),
            (&[0.5, 0.5], 3, &[2, 1], "of equal remainders the first"),
            (
                &[0.4, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05],
                40,
                &[16, 4, 4, 4, 2, 2, 2, 2, 2, 2],
                "the first E3's mixed workload",
            ),
            (&[0.7, 0.25, 0.05], 4, &[3, 1, 0], "a job too small for a client"),
            (&[0.29, 0.71], 100, &[29, 71], "0.29 × 100 is a hair below 29 in binary"),
            (&[1.0], 1_000_000, &[1_000_000], "one job"),
            (&[0.0, 1.0], 3, &[0, 3], "a job of no weight"),
            (&[0.0], 3, &[0], "no job at all"),
            (&[], 3, &[], "no job at all"),
        ] {
            assert_eq!(shares(weights, clients), expected, "{why}");
        }
    }

    #[test]
    fn jobs_take_turns_and_workers_share_each_job() {
        let clients = assignment(Mix::Clients, &[4, 4], 2, Span::ZERO);
        let jobs: Vec<_> = clients.iter().map(|client| client.job.unwrap().0).collect();
        assert_eq!(jobs, [0, 1, 0, 1, 0, 1, 0, 1]);
        for worker in 0..2 {
            let of_worker = clients.iter().filter(|client| client.worker == WorkerId(worker));
            assert_eq!(of_worker.filter(|client| client.job == Some(JobId(0))).count(), 2, "worker {worker}");
        }
    }

    #[test]
    fn clients_start_evenly_over_the_ramp_up() {
        let offsets: Vec<_> = assignment(Mix::Ops, &[4], 1, Span::from_millis(1000))
            .into_iter()
            .map(|client| client.start_offset.as_millis())
            .collect();
        assert_eq!(offsets, [0, 250, 500, 750]);
    }

    #[test]
    fn clients_that_draw_their_jobs_keep_none() {
        let clients = assignment(Mix::Ops, &[5], 2, Span::ZERO);
        assert!(clients.iter().all(|client| client.job.is_none()));
        assert_eq!(clients.iter().filter(|client| client.worker == WorkerId(0)).count(), 3);
    }

    proptest! {
        #[test]
        fn shares_add_up_and_are_near_their_quota(
            weights in prop::collection::vec(0.0_f64..1.0, 1..40),
            clients in 1_u32..5_000,
        ) {
            let shares = shares(&weights, clients);
            let sum: f64 = weights.iter().sum();
            prop_assume!(sum > 0.0);
            prop_assert_eq!(shares.iter().sum::<u32>(), clients);
            for (weight, share) in weights.iter().zip(&shares) {
                let quota = weight / sum * f64::from(clients);
                prop_assert!((f64::from(*share) - quota).abs() < 1.0 + 1e-6, "{share} for {quota}");
                prop_assert!(*weight > 0.0 || *share == 0);
            }
        }

        #[test]
        fn every_client_has_its_place(
            shares in prop::collection::vec(0_u32..60, 1..12),
            workers in 1_u32..7,
            ramp_up_ms in 0_u64..100_000,
        ) {
            let total: u32 = shares.iter().sum();
            let clients = assignment(Mix::Clients, &shares, workers, Span::from_millis(ramp_up_ms));
            prop_assert_eq!(&clients, &assignment(Mix::Clients, &shares, workers, Span::from_millis(ramp_up_ms)));
            prop_assert_eq!(clients.len(), total as usize);
            let mut of_job: BTreeMap<(usize, u32), u32> = BTreeMap::new();
            let mut of_worker: BTreeMap<u32, u32> = BTreeMap::new();
            for (index, client) in clients.iter().enumerate() {
                prop_assert_eq!(client.client.index(), index);
                prop_assert!(client.start_offset.as_millis() < ramp_up_ms.max(1));
                *of_job.entry((client.job.unwrap().index(), client.worker.0)).or_default() += 1;
                *of_worker.entry(client.worker.0).or_default() += 1;
            }
            for (job, share) in shares.iter().enumerate() {
                let counts: Vec<u32> =
                    (0..workers).map(|worker| of_job.get(&(job, worker)).copied().unwrap_or(0)).collect();
                prop_assert_eq!(counts.iter().sum::<u32>(), *share);
                prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1);
            }
            let counts: Vec<u32> = (0..workers).map(|worker| of_worker.get(&worker).copied().unwrap_or(0)).collect();
            prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1);
            let seeds: std::collections::BTreeSet<_> = clients.iter().map(|client| client.seed).collect();
            prop_assert_eq!(seeds.len(), clients.len());
        }
    }
}
