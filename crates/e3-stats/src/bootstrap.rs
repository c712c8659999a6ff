//! Percentiles of latencies that depend on each other: a block bootstrap over time.

use crate::block::{as_f64, block_length, expansion, longest, whole};
use crate::random::Random;
use crate::{Draws, Quantile, REPLICATES, SLOTS, nearest_rank};

/// A value, and the slot of its stage's measured window in which it belongs, see [`crate::slot_of`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slotted {
    /// The value, such as a latency in nanoseconds.
    pub value: u64,
    /// The slot, below [`SLOTS`].
    pub slot: u16,
}

/// The values of one stage.
#[derive(Debug, Clone, Copy)]
pub struct StageValues<'a> {
    /// Ascending.
    pub values: &'a [Slotted],
    /// Where the draws of blocks begin.
    pub seed: u64,
}

/// Returns what is known of percentiles of the values of some like stages together; none for a percentile that too few
/// values speak for, see [`Quantile::is_supported`], where values that depend on each other count as so many independent
/// ones as say as much: of latencies that drift through all of a stage, hardly any.
///
/// The values that lie beyond the observed percentile are counted in every slot. Each replicate draws blocks of slots, and
/// so a share of values beyond; by as much as that misses the nominal share, the true percentile's rank may miss the
/// observed one's. The draw is the value of that rank. This inverts a test of the share, and so holds for the 99th
/// percentile of few values, too, where percentiles of replicates themselves are known to be biased. It costs the same for
/// any number of values. Blocks are drawn within each stage.
///
/// Source: D. N. Politis, J. P. Romano: A Circular Block-Resampling Procedure for Stationary Data, 1992, for the blocks;
/// R. S. Woodruff: Confidence Intervals for Medians and Other Position Measures, Journal of the American Statistical
/// Association 47 (1952), and C. A. Francisco, W. A. Fuller: Quantile Estimation with a Complex Survey Design, The Annals
/// of Statistics 19 (1991), for the inversion.
pub fn percentile_draws<const N: usize>(
    stages: &[StageValues<'_>],
    quantiles: [Quantile; N],
) -> [Option<Draws>; N] {
    let mut values: Vec<u64> =
        stages.iter().flat_map(|stage| stage.values.iter().map(|own| own.value)).collect();
    if stages.len() > 1 {
        values.sort_unstable();
    }
    let targets: Vec<Target> =
        quantiles.iter().filter_map(|quantile| Target::of(&values, *quantile)).collect();
    let tables: Vec<Table> = stages.iter().map(|stage| Table::of(stage, &targets)).collect();
    let deviations = deviations(&tables, &targets);
    // The percentile in the middle shows best how much values depend on each other, the rarest ones show least.
    let dispersion = targets
        .iter()
        .zip(&deviations)
        .map(|(target, own)| target.dispersion(own, values.len()))
        .fold(1.0, f64::max);
    let found: Vec<(Quantile, Option<Draws>)> = targets
        .iter()
        .zip(deviations)
        .map(|(target, deviations)| {
            let is_enough = as_f64(values.len()) * target.beyond / dispersion >= ENOUGH;
            let draws = deviations.into_iter().map(|deviation| target.ln_draw(&values, deviation)).collect();
            (target.quantile, Draws::new(target.estimate(), draws).filter(|_| is_enough))
        })
        .collect();
    quantiles
        .map(|quantile| found.iter().find(|(own, _)| *own == quantile).and_then(|(_, draws)| draws.clone()))
}

/// A percentile that is looked for.
struct Target {
    quantile: Quantile,
    value: u64,
    /// How much each value that equals the percentile counts as beyond it, so that the shares come out as nominal.
    tie: f64,
    /// The nominal share beyond.
    beyond: f64,
}

impl Target {
    fn of(values: &[u64], quantile: Quantile) -> Option<Self> {
        let count = u64::try_from(values.len()).ok().filter(|count| quantile.is_supported(*count))?;
        let value = nearest_rank(values, quantile)?;
        let up_to = values.partition_point(|own| *own <= value);
        let ties = up_to - values.partition_point(|own| *own < value);
        let beyond = 1.0 - quantile.share();
        let above = as_f64(values.len() - up_to);
        let tie = (beyond * crate::interval::as_f64(count) - above) / as_f64(ties);
        Some(Self { quantile, value, tie: tie.clamp(0.0, 1.0), beyond })
    }

    fn estimate(&self) -> f64 {
        crate::interval::as_f64(self.value.max(1))
    }

    /// Returns how many times larger the variance of the share beyond is than that of as many independent values.
    fn dispersion(&self, deviations: &[f64], count: usize) -> f64 {
        let variance = deviations.iter().map(|own| own * own).sum::<f64>() / as_f64(deviations.len());
        variance * as_f64(count) / (self.beyond * (1.0 - self.beyond))
    }

    fn weight(&self, value: u64) -> f64 {
        match value.cmp(&self.value) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => self.tie,
            std::cmp::Ordering::Less => 0.0,
        }
    }

    /// Returns the logarithm of the value beyond which a share lies that is off by `deviation`: halfway in rank between
    /// the last value that is within and the first that is beyond.
    fn ln_draw(&self, values: &[u64], deviation: f64) -> f64 {
        let count = as_f64(values.len());
        let position = count - count * (self.beyond + deviation) - 0.5;
        if position < 0.0 {
            return f64::NEG_INFINITY;
        }
        let ln = |index: usize| values.get(index).map(|value| crate::interval::as_f64((*value).max(1)).ln());
        let floor = position.floor();
        let index = floor_index(floor);
        let (Some(low), Some(high)) = (ln(index), ln(index + 1)) else { return f64::INFINITY };
        low + (position - floor) * (high - low)
    }
}

/// One stage's values counted by slot.
struct Table {
    /// For every slot, how many values start a block there, and how many of these lie beyond each target.
    blocks: Vec<Vec<f64>>,
    /// How many blocks make a stage.
    count: usize,
    /// How many blocks of that length there are.
    independent: f64,
    /// By how much the drawn blocks are longer than the stage.
    excess: f64,
    seed: u64,
}

impl Table {
    fn of(stage: &StageValues<'_>, targets: &[Target]) -> Self {
        let mut slots = vec![vec![0.0; targets.len() + 1]; SLOTS];
        for own in stage.values {
            let Some(slot) = slots.get_mut(usize::from(own.slot).min(SLOTS - 1)) else { continue };
            let weights = targets.iter().map(|target| target.weight(own.value));
            for (cell, weight) in slot.iter_mut().zip(std::iter::once(1.0).chain(weights)) {
                *cell += weight;
            }
        }
        let wanted = targets
            .iter()
            .enumerate()
            .map(|(position, target)| whole(LONGER * block_length(&scores(&slots, position, target.beyond))));
        let length = wanted.max().unwrap_or(1).clamp(1, longest(SLOTS));
        let count = SLOTS.div_ceil(length);
        Self {
            blocks: sums(&slots, length),
            count,
            independent: as_f64(SLOTS) / as_f64(length),
            excess: as_f64(count * length) / as_f64(SLOTS),
            seed: stage.seed,
        }
    }
}

/// Returns by how much each slot has more values beyond than its share: what the blocks must hold together.
fn scores(slots: &[Vec<f64>], position: usize, beyond: f64) -> Vec<f64> {
    let score = |slot: &Vec<f64>| match (slot.get(position + 1), slot.first()) {
        (Some(own), Some(all)) => own - beyond * all,
        _ => 0.0,
    };
    slots.iter().map(score).collect()
}

/// Returns the sums over the blocks that start in each slot; the last slot is followed by the first.
fn sums(slots: &[Vec<f64>], length: usize) -> Vec<Vec<f64>> {
    (0..slots.len())
        .map(|start| {
            let mut sum = vec![0.0; slots.first().map_or(0, Vec::len)];
            for slot in slots.iter().cycle().skip(start).take(length) {
                sum.iter_mut().zip(slot).for_each(|(cell, own)| *cell += own);
            }
            sum
        })
        .collect()
}

/// Returns, for each target, by how much the share beyond misses the nominal one in each replicate.
fn deviations(tables: &[Table], targets: &[Target]) -> Vec<Vec<f64>> {
    let mut found = vec![Vec::with_capacity(REPLICATES); targets.len()];
    let mut random: Vec<Random> = tables.iter().map(|table| Random::new(table.seed)).collect();
    let independent: f64 = tables.iter().map(|table| table.independent - 1.0).sum::<f64>() + 1.0;
    let excess = tables.iter().map(|table| table.excess).sum::<f64>() / as_f64(tables.len().max(1));
    let factor = expansion(independent) * excess.sqrt();
    while found.first().is_some_and(|draws: &Vec<f64>| draws.len() < REPLICATES) {
        let sum = replicate(tables, &mut random, targets.len());
        let (all, beyond) = (sum.first().copied().unwrap_or_default(), sum.get(1..).unwrap_or(&[]));
        // Blocks without any value say nothing of shares.
        if all > 0.0 {
            for ((draws, own), target) in found.iter_mut().zip(beyond).zip(targets) {
                draws.push(factor * (own / all - target.beyond));
            }
        }
    }
    found
}

/// Returns how many values the drawn blocks of all stages hold, and how many of these lie beyond each target.
fn replicate(tables: &[Table], random: &mut [Random], targets: usize) -> Vec<f64> {
    let bound = u32::try_from(SLOTS).unwrap_or(1);
    let mut sum = vec![0.0; targets + 1];
    for (table, random) in tables.iter().zip(random) {
        for _ in 0..table.count {
            let start = usize::try_from(random.below(bound)).unwrap_or(0);
            let block = table.blocks.get(start).map_or(&[][..], Vec::as_slice);
            sum.iter_mut().zip(block).for_each(|(cell, own)| *cell += own);
        }
    }
    sum
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 0, at most the values")]
fn floor_index(floor: f64) -> usize {
    floor as usize
}

/// The rule of [`block_length`] minimises the error of a variance. An interval holds the truth more often with longer blocks;
/// much longer ones are too few.
const LONGER: f64 = 1.5;
/// As in [`Quantile::is_supported`].
const ENOUGH: f64 = 5.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slot_of;

    fn slotted(values: impl IntoIterator<Item = u64>) -> Vec<Slotted> {
        let values: Vec<u64> = values.into_iter().collect();
        let count = values.len() as u64;
        let mut slotted: Vec<Slotted> =
            (0..).zip(values).map(|(at, value)| Slotted { value, slot: slot_of(at, 0..count) }).collect();
        slotted.sort_unstable();
        slotted
    }

    /// Whole numbers from 1,000 to 1,999, in no order that repeats.
    fn scattered(count: usize) -> Vec<Slotted> {
        let mut random = Random::new(9);
        slotted((0..count).map(|_| 1_000 + u64::from(random.below(1_000))))
    }

    fn draws(values: &[Slotted], seed: u64) -> Option<Draws> {
        let [draws] = percentile_draws(&[StageValues { values, seed }], [Quantile::P50]);
        draws
    }

    #[test]
    fn the_same_seed_gives_the_same_draws_and_another_seed_others() {
        let values = scattered(2_000);
        assert_eq!(draws(&values, 3), draws(&values, 3));
        assert_ne!(draws(&values, 3), draws(&values, 4));
        let found = draws(&values, 3).unwrap();
        // A share of 2,000 independent values is known to within 1.96 × √(0.25 ÷ 2,000): 2.2 % of them, or 22.
        let (estimate, interval) = (found.estimate(), found.interval().unwrap());
        for half in [estimate - interval.low, interval.high - estimate] {
            assert!((17.0..28.0).contains(&half), "{estimate}, {interval:?}");
        }
    }

    #[test]
    fn no_interval_where_nothing_can_be_known() {
        let rising = slotted((0..2000).map(|n| 1_000 + n));
        assert_eq!(draws(&rising, 3), None, "latencies that drift all the time");
        assert_eq!(draws(&slotted([5; 9]), 3), None, "too few for a median");
        assert_eq!(draws(&[], 3), None);
    }

    #[test]
    fn equal_values_have_an_interval_of_no_width() {
        let interval = draws(&slotted([1_000; 500]), 3).unwrap().interval().unwrap();
        assert!((interval.low - 1_000.0).abs() < 1e-6 && (interval.high - 1_000.0).abs() < 1e-6);
        let zero = draws(&slotted([0; 500]), 3).unwrap();
        assert!((zero.estimate() - 1.0).abs() < 1e-9, "no latency is shorter than what a clock can tell");
    }

    #[test]
    fn two_stages_say_more_than_one() {
        let values = scattered(1_000);
        let stage = |seed| StageValues { values: &values, seed };
        let [one] = percentile_draws(&[stage(1)], [Quantile::P50]);
        let [two] = percentile_draws(&[stage(1), stage(2)], [Quantile::P50]);
        let narrower = two.unwrap().log_variance().unwrap() / one.unwrap().log_variance().unwrap();
        assert!((0.35..0.7).contains(&narrower), "{narrower}");
    }
}
