//! How often the truth lies within the intervals: simulated stages of which the truth is known.

use crate::random::Random;
use crate::{Draws, Quantile, SLOTS, Slotted, StageValues, percentile_draws, slot_of};

/// A stage's latencies with the instant, as a share of the window, in which the iteration began that they belong to.
type Stage = Vec<(f64, f64)>;

#[expect(clippy::cast_precision_loss, reason = "53 bits")]
fn uniform(random: &mut Random) -> f64 {
    ((random.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// Source: G. E. P. Box, M. E. Muller: A Note on the Generation of Random Normal Deviates (1958).
fn normal(random: &mut Random) -> f64 {
    (-2.0 * uniform(random).ln()).sqrt() * (std::f64::consts::TAU * uniform(random)).cos()
}

fn independent(random: &mut Random) -> Stage {
    (0..1500).map(|_| (uniform(random), (0.8 * normal(random)).exp())).collect()
}

/// Each op keeps 0.8 of the deviation of the one before.
fn correlated(random: &mut Random) -> Stage {
    let mut last = normal(random);
    (0..1500)
        .map(|n| {
            last = 0.8 * last + 0.6 * normal(random);
            (f64::from(n) / 1500.0, (0.8 * last).exp())
        })
        .collect()
}

/// Sixteen clients for 5 s, as those of the quickstart, whose iterations have 1 op or 31, all on the same repository: slow
/// or fast together.
fn bursts(random: &mut Random) -> Stage {
    let mut stage = Stage::new();
    for _ in 0..16 {
        let mut at = -1.0 - uniform(random);
        while at < 5.0 {
            let began = at.max(0.0) / 5.0;
            let (ops, repository) = (if uniform(random) < 0.2 { 31 } else { 1 }, 0.5 * normal(random));
            for _ in 0..ops {
                let latency = 0.008 * (repository + 0.5 * normal(random)).exp();
                if (0.0..5.0).contains(&at) {
                    stage.push((began, latency));
                }
                at += latency;
            }
            at -= 0.15 * uniform(random).ln();
        }
    }
    stage
}

/// Latencies of an open stage: arrivals at random to two servers that are busy for half of the time, counted from when each
/// was due, so that those of a busy period are long together.
fn queued(random: &mut Random) -> Stage {
    let (mut stage, mut free, mut due) = (Stage::new(), [0.0_f64; 2], -100.0);
    while due < 6000.0 {
        due -= uniform(random).ln();
        free.sort_by(f64::total_cmp);
        free[0] = free[0].max(due) - uniform(random).ln();
        if (0.0..6000.0).contains(&due) {
            stage.push((due / 6000.0, (free[0] - due) / 1000.0));
        }
    }
    stage
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "nanoseconds of some seconds")]
fn slotted(stage: &Stage) -> Vec<Slotted> {
    let slot = |at: f64| slot_of((at * 1e9) as u64, 0..1_000_000_000);
    let mut values: Vec<Slotted> = stage
        .iter()
        .map(|(at, latency)| Slotted { value: (latency * 1e9) as u64, slot: slot(*at) })
        .collect();
    values.sort_unstable();
    values
}

/// Asserts for each percentile that of the stages that got an interval, a share of 0.9 at least got one that holds the
/// truth; and that of pairs of stages, which are alike, a share of 0.07 at most is told to differ.
fn covers(make: fn(&mut Random) -> Stage) {
    const QUANTILES: [Quantile; 2] = [Quantile::P50, Quantile::P95];
    let mut random = Random::new(42);
    let mut pool: Vec<u64> =
        (0..300).flat_map(|_| slotted(&make(&mut random)).into_iter().map(|own| own.value)).collect();
    pool.sort_unstable();
    let mut found: [Vec<Draws>; 2] = [Vec::new(), Vec::new()];
    for seed in 0..STAGES {
        let values = slotted(&make(&mut random));
        let draws = percentile_draws(&[StageValues { values: &values, seed }], QUANTILES);
        found.iter_mut().zip(draws).for_each(|(found, draws)| found.extend(draws));
    }
    for (quantile, found) in QUANTILES.into_iter().zip(found) {
        #[expect(clippy::cast_precision_loss, reason = "nanoseconds of some seconds")]
        let truth = crate::nearest_rank(&pool, quantile).unwrap() as f64;
        let holds =
            |draws: &&Draws| draws.interval().is_some_and(|own| own.low <= truth && truth <= own.high);
        let held = found.iter().filter(holds).count();
        assert!(found.len() * 10 >= usize::try_from(STAGES).unwrap() * 9, "{quantile:?}: {}", found.len());
        assert!(held * 10 >= found.len() * 9, "{quantile:?}: {held} of {}", found.len());
        let differ = |pair: &&[Draws]| pair[0].over(&pair[1]).p_value <= 0.05;
        let (pairs, told) = (found.len() - 1, found.windows(2).filter(differ).count());
        assert!(told * 100 <= pairs * 7, "{quantile:?}: {told} of {pairs} pairs");
    }
}

#[test]
fn independent_latencies_are_covered() {
    covers(independent);
}

#[test]
fn latencies_that_follow_each_other_are_covered() {
    covers(correlated);
}

#[test]
fn iterations_of_1_or_31_ops_are_covered() {
    covers(bursts);
}

#[test]
fn latencies_of_arrivals_at_random_are_covered() {
    covers(queued);
}

#[test]
fn a_slow_second_widens_the_interval_of_a_count() {
    // A server that is twice as fast in some tenths of the window as in others, at random.
    let mut random = Random::new(3);
    let mut counts = vec![0; SLOTS];
    for tenth in counts.chunks_mut(SLOTS / 10) {
        let speed = if uniform(&mut random) < 0.5 { 10 } else { 20 };
        tenth.fill(speed);
    }
    assert!(crate::block_dispersion(&counts) > 10.0, "{}", crate::block_dispersion(&counts));
}

const STAGES: u64 = 400;
