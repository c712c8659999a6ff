use e3_model::{ClientId, JobId, OpDescriptor, Outcome, Sample, Seed};
use e3_workload::{Load, Measured, SampleSource, Seat, sample_channel};

use super::*;

const INTERVAL: Duration = Duration::from_secs(5);
const POLL: OpId = OpId(0);

struct Poller {
    ticks: Ticks,
    context: ClientContext,
    samples: SampleSource,
}

impl Poller {
    fn new(client: u32, end: Duration) -> Self {
        let (sink, samples) = sample_channel(1_000);
        let seat = Seat {
            client: ClientId(client),
            seed: Seed(u64::from(client) + 100),
            op_timeout: Duration::from_secs(100),
            samples: sink,
        };
        let ops = vec![OpDescriptor { name: "Poll".into(), summary: "a poll".into() }];
        let mut context = ClientContext::new(seat, JobId(0), ops, 0);
        let ticks = Ticks::new(INTERVAL, &mut context);
        let origin = Instant::now();
        context.begin_stage(Load {
            origin,
            end: origin + end,
            stop: tokio_util::sync::CancellationToken::new(),
        });
        context.begin_iteration(0, None);
        Self { ticks, context, samples }
    }

    /// Polls once; the op takes that long.
    async fn poll(&mut self, takes: Duration) -> Result<(), Stopped> {
        self.ticks.next(&mut self.context).await?;
        let work = async {
            tokio::time::sleep(takes).await;
            Ok(((), Measured::default()))
        };
        let polled = self.context.op(POLL, work).await;
        self.ticks.done(&mut self.context, POLL);
        polled
    }

    fn recorded(&mut self) -> Vec<Sample> {
        std::iter::from_fn(|| self.samples.try_recv().ok()).collect()
    }

    /// Returns each sample's due time after the first tick, its latency and its outcome, in ms.
    fn view(&mut self) -> Vec<(u64, u64, Outcome)> {
        let phase = self.ticks.phase;
        let view =
            |it: Sample| ((it.scheduled_ns - phase) / 1_000_000, it.latency_ns() / 1_000_000, it.outcome);
        self.recorded().into_iter().map(view).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_clients_are_spread_evenly_and_none_drifts() {
    let end = Duration::from_secs(60);
    let pollers: Vec<_> = (0..100).map(|client| Poller::new(client, end)).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for mut poller in pollers {
        tasks.spawn(async move {
            // As slow as it may be without being late, and not the same each time.
            for turn in 0.. {
                if poller.poll(Duration::from_millis(400 * (turn % 12))).await.is_err() {
                    break;
                }
            }
            poller.recorded()
        });
    }
    let mut seconds = [0_u32; 60];
    while let Some(samples) = tasks.join_next().await {
        let samples = samples.unwrap();
        assert_eq!(samples.len(), 12, "one in five seconds");
        for pair in samples.windows(2) {
            assert_eq!(pair[1].scheduled_ns - pair[0].scheduled_ns, 5_000_000_000, "on the dot");
        }
        for sample in samples {
            assert!(sample.started_ns - sample.scheduled_ns < 2_000_000, "{sample:?}");
            seconds[usize::try_from(sample.scheduled_ns / 1_000_000_000).unwrap()] += 1;
        }
    }
    // 20 are each second's share.
    assert!(seconds.iter().all(|polls| (17..=23).contains(polls)), "{seconds:?}");
}

#[tokio::test(start_paused = true)]
async fn some_of_the_clients_are_spread_as_well_as_all() {
    // A job's clients are some of the stage's, next to each other or with others in between.
    for (step, why) in [(1_u32, "neighbours"), (2, "every second"), (3, "every third"), (7, "every seventh")]
    {
        for count in [10_u32, 40, 200] {
            let phases: Vec<u64> = (0..count)
                .map(|client| Poller::new(1_000 + client * step, Duration::from_secs(1)).ticks.phase)
                .collect();
            let mut fifths = [0_u32; 5];
            for phase in phases {
                fifths[usize::try_from(phase / 1_000_000_000).unwrap()] += 1;
            }
            let share = count / 5;
            let most = share + share / 4 + 2;
            assert!(fifths.iter().all(|polls| *polls <= most), "{count} {why}: {fifths:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_stall_delays_shows_it_and_none_is_left_out() {
    let mut poller = Poller::new(3, Duration::from_secs(60));
    let quick = Duration::from_millis(100);
    poller.poll(quick).await.unwrap();
    poller.poll(Duration::from_secs(17)).await.unwrap();
    for _ in 0..5 {
        poller.poll(quick).await.unwrap();
    }
    let ok = Outcome::Ok;
    let expected = [
        (0, 100, ok),
        (5_000, 17_000, ok),
        // Due while the second was under way, which ended at 22 s.
        (10_000, 12_100, ok),
        (15_000, 7_200, ok),
        (20_000, 2_300, ok),
        // In time again.
        (25_000, 100, ok),
        (30_000, 100, ok),
    ];
    assert_eq!(poller.view(), expected);
}

#[tokio::test(start_paused = true)]
async fn what_is_overdue_at_the_end_is_cut_off_there() {
    let mut poller = Poller::new(3, Duration::from_secs(20));
    let phase = Duration::from_nanos(poller.ticks.phase);
    poller.poll(Duration::from_secs(30)).await.unwrap();
    let left = |after: u64| {
        let left = Duration::from_secs(20).saturating_sub(phase + Duration::from_millis(after));
        u64::try_from(left.as_millis()).unwrap()
    };
    let cut = Outcome::Cancelled;
    let mut expected = vec![(0, 30_000, Outcome::Ok)];
    expected.extend([5_000, 10_000, 15_000].map(|due| (due, left(due), cut)));
    assert_eq!(poller.view(), expected);
    assert_eq!(poller.poll(Duration::ZERO).await, Err(Stopped::StageOver));
    assert_eq!(poller.view(), [], "once");
}

#[tokio::test(start_paused = true)]
async fn what_comes_due_while_the_client_does_something_else_passes() {
    let mut poller = Poller::new(3, Duration::from_secs(60));
    let quick = Duration::from_millis(100);
    poller.poll(quick).await.unwrap();
    // Two ticks long it thinks, or does another job.
    tokio::time::sleep(Duration::from_secs(12)).await;
    poller.poll(Duration::from_secs(6)).await.unwrap();
    // One tick is overdue by a second; three more seconds are not the system's.
    tokio::time::sleep(Duration::from_secs(3)).await;
    poller.poll(quick).await.unwrap();
    poller.poll(quick).await.unwrap();
    let ok = Outcome::Ok;
    let view: Vec<_> = poller.view().into_iter().map(|(_, latency, outcome)| (latency, outcome)).collect();
    assert_eq!(view, [(100, ok), (6_000, ok), (1_100, ok), (100, ok)]);
}

#[tokio::test(start_paused = true)]
async fn an_arrival_is_a_poll_at_once() {
    let mut poller = Poller::new(3, Duration::from_secs(60));
    for arrival in 0..3 {
        tokio::time::advance(Duration::from_millis(10)).await;
        let due = Instant::now();
        poller.context.begin_arrival(arrival, Seed(arrival), due);
        assert_eq!(poller.ticks.next(&mut poller.context).await, Ok(None));
        assert_eq!(Instant::now(), due);
    }
}
