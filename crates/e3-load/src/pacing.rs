//! Draws that pace a client: which job comes next, and how long it thinks.

use std::time::Duration;

use e3_model::{Distribution, JobId, JobPlan, Seed, Shape};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Exp, LogNormal};

/// Draws jobs by their weights.
#[derive(Debug, Clone, PartialEq)]
pub struct JobDraw {
    cumulative: Vec<f64>,
}

impl JobDraw {
    /// Returns the draw over a stage's jobs.
    pub fn of(jobs: &[JobPlan]) -> Self {
        let mut sum = 0.0;
        let cumulative = jobs
            .iter()
            .map(|job| {
                sum += job.weight;
                sum
            })
            .collect();
        Self { cumulative }
    }

    /// Returns a job, drawn by weight; the first when there is only one.
    pub fn draw(&self, random: &mut ChaCha8Rng) -> JobId {
        self.at(random.random())
    }

    /// Returns the job of an arrival, drawn by weight from the arrival's seed alone.
    pub fn of_arrival(&self, arrival: Seed) -> JobId {
        #[expect(clippy::cast_precision_loss, reason = "a forked seed has 53 bits, as many as a double")]
        let point = arrival.fork(JOB_LANE).0 as f64 / (1_u64 << 53) as f64;
        self.at(point)
    }

    /// Returns the job at a point between 0 and 1 of all weights.
    fn at(&self, point: f64) -> JobId {
        let point = point * self.cumulative.last().copied().unwrap_or(0.0);
        let index = self.cumulative.partition_point(|cumulative| *cumulative <= point);
        JobId(u16::try_from(index.min(self.cumulative.len().saturating_sub(1))).unwrap_or(0))
    }
}

/// Returns a think time drawn from its distribution; at most 100 times the mean, so that no draw outlives a stage.
pub fn think(distribution: &Distribution, random: &mut ChaCha8Rng) -> Duration {
    let mean = distribution.mean().to_duration();
    let shape = match distribution {
        Distribution::Constant(_) => return mean,
        Distribution::Shaped(shape) => shape,
    };
    let seconds = mean.as_secs_f64();
    if seconds <= 0.0 {
        return Duration::ZERO;
    }
    let drawn = match shape {
        Shape::Constant { .. } => seconds,
        Shape::Exponential { .. } => Exp::new(1.0 / seconds).map_or(seconds, |exp| exp.sample(random)),
        // Source: the mean of a log-normal variable is exp(mu + sigma^2 / 2), so mu = ln(mean) - sigma^2 / 2.
        Shape::LogNormal { sigma, .. } => LogNormal::new(seconds.ln() - sigma * sigma / 2.0, *sigma)
            .map_or(seconds, |log_normal| log_normal.sample(random)),
    };
    Duration::from_secs_f64(drawn.clamp(0.0, seconds * 100.0))
}

/// The lane of an arrival's job; what its iteration draws comes from the seed itself.
const JOB_LANE: u64 = 0;

#[cfg(test)]
mod tests {
    use e3_model::Span;
    use rand::SeedableRng;

    use super::*;

    fn job(weight: f64) -> JobPlan {
        JobPlan {
            script: "web.Status".into(),
            ops: vec![],
            weight,
            scale: 1.0,
            clients: 0,
            arguments: e3_model::Arguments::new(),
        }
    }

    #[test]
    fn jobs_are_drawn_by_weight() {
        let draw = JobDraw::of(&[job(0.2), job(0.5), job(0.3)]);
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let mut counts = [0_i32; 3];
        for _ in 0..20_000 {
            counts[draw.draw(&mut random).index()] += 1;
        }
        for (count, expected) in counts.into_iter().zip([4_000, 10_000, 6_000]) {
            // Six standard deviations of the widest binomial are 424.
            assert!((count - expected).abs() < 424, "{counts:?}");
        }
    }

    #[test]
    fn the_jobs_of_arrivals_are_drawn_by_weight_and_follow_from_their_seeds() {
        let draw = JobDraw::of(&[job(0.2), job(0.5), job(0.3)]);
        let jobs = |plan: u64| (0..20_000).map(move |index| Seed(plan).fork(index));
        let mut counts = [0_i32; 3];
        jobs(5).for_each(|seed| counts[draw.of_arrival(seed).index()] += 1);
        for (count, expected) in counts.into_iter().zip([4_000, 10_000, 6_000]) {
            assert!((count - expected).abs() < 424, "{counts:?}");
        }
        let other =
            jobs(6).zip(jobs(5)).filter(|(six, five)| draw.of_arrival(*six) != draw.of_arrival(*five));
        // 1 − (0.2² + 0.5² + 0.3²) = 0.62 of 20,000; six standard deviations are 412.
        assert!((11_988..12_812).contains(&other.count()));
    }

    #[test]
    fn think_times_have_their_shape() {
        let mean = Span::from_millis(800);
        // The share of think times below some multiples of the mean, from each distribution's own formula.
        let exponential = |x: f64| 1.0 - (-x).exp();
        for (shape, multiple, share, why) in [
            (Shape::Exponential { mean }, 0.5, exponential(0.5), "exponential, below half of the mean"),
            (Shape::Exponential { mean }, 1.0, exponential(1.0), "exponential, below the mean"),
            (Shape::Exponential { mean }, 3.0, exponential(3.0), "exponential, the tail"),
            // The median is mean × exp(−sigma² / 2); one sigma above it lie 15.87 %, two below it 2.28 %.
            (Shape::LogNormal { mean, sigma: 0.8 }, (-0.32_f64).exp(), 0.5, "log-normal, below the median"),
            (Shape::LogNormal { mean, sigma: 0.8 }, 0.48_f64.exp(), 0.841_345, "log-normal, one sigma above"),
            (Shape::LogNormal { mean, sigma: 0.8 }, (-1.92_f64).exp(), 0.022_750, "log-normal, two below"),
            (Shape::LogNormal { mean, sigma: 0.0 }, 1.001, 1.0, "log-normal without spread is constant"),
            (Shape::Constant { mean }, 0.999, 0.0, "constant, never shorter"),
        ] {
            let mut random = ChaCha8Rng::seed_from_u64(11);
            let limit = Duration::from_secs_f64(0.8 * multiple);
            let drawn = (0..40_000).filter(|_| think(&Distribution::Shaped(shape), &mut random) <= limit);
            let seen = f64::from(u32::try_from(drawn.count()).unwrap()) / 40_000.0;
            // Six standard deviations of the widest share are 0.015.
            assert!((seen - share).abs() < 0.015, "{why}: {seen}");
        }
    }

    #[test]
    fn think_times_have_their_mean() {
        let mean = Span::from_millis(800);
        for shape in
            [Shape::Exponential { mean }, Shape::LogNormal { mean, sigma: 0.8 }, Shape::Constant { mean }]
        {
            let mut random = ChaCha8Rng::seed_from_u64(9);
            let distribution = Distribution::Shaped(shape);
            let total: Duration = (0..40_000).map(|_| think(&distribution, &mut random)).sum();
            let seen = total.as_secs_f64() / 40_000.0;
            // The standard error is at most 0.8 / 200 s = 4 ms; six of them are 24 ms.
            assert!((seen - 0.8).abs() < 0.024, "{shape:?}: {seen}");
        }
        let mut random = ChaCha8Rng::seed_from_u64(9);
        assert_eq!(think(&Distribution::NONE, &mut random), Duration::ZERO);
    }

    #[test]
    fn same_seed_same_sequence() {
        let draw = JobDraw::of(&[job(0.5), job(0.5)]);
        let sequence = |seed| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            (0..64).map(|_| draw.draw(&mut random).0).collect::<Vec<_>>()
        };
        assert_eq!(sequence(1), sequence(1));
        assert_ne!(sequence(1), sequence(2));
    }
}
