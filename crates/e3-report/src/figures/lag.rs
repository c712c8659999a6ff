//! How late clients began that waited for a time: the scheduling lag of one stage, in classes.

use e3_model::{Analysis, Honesty, LagBucket, quantity};

use super::latency::latency_tick;
use super::stages::{Own, all_stages};
use crate::chart::{Frame, Hit, Picture, Scale, Svg};
use crate::figure::{Caption, Figure, as_f64, stage_name, stamps_of, thread_class};
use crate::table::{Cell, Table};

/// Returns the chart of one stage's scheduling lag; none where no lag was counted. All stages share the lower axis.
pub(crate) fn scheduling_lag(analysis: &Analysis, own: Own<'_>) -> Option<Figure> {
    let buckets = &own.stage.honesty.scheduling_lag;
    let all: u64 = buckets.iter().map(|bucket| bucket.count).sum();
    if all == 0 {
        return None;
    }
    let title = format!("Scheduling lag: {}", stage_name(own.name, own.stage));
    let caption = Caption {
        stem: format!("{}-scheduling-lag", own.stem()),
        population: format!(
            "How late clients began that waited for a time, the end of a think time or a scheduled start: {} waits, warm-up included, in classes of which each is twice as long as the one before. Waiting for a free client is no lag. Dashed: the limit of the 99th percentile.",
            quantity::count(all)
        ),
        stamps: stamps_of([own.stage]),
        title: title.clone(),
    };
    let picture = chart(analysis, own, all, &title);
    Some(Figure::new(caption, Vec::new(), picture, table(buckets, all)))
}

fn chart(analysis: &Analysis, own: Own<'_>, all: u64, title: &str) -> Picture {
    let mut svg = Svg::new(720.0, 214.0, title);
    let frame = Frame { left: 58.0, top: 34.0, width: 644.0, height: 134.0 };
    let ends = all_stages(analysis).into_iter().flat_map(|own| &own.stage.honesty.scheduling_lag);
    let ends = ends.map(|bucket| milliseconds(bucket.up_to_us));
    let limit = Honesty::SCHEDULING_LAG_LIMIT_MS;
    let (least, most) = ends.fold((limit, limit), |(least, most), end| (least.min(end / 2.0), most.max(end)));
    let x = Scale::logarithmic((least, most), frame.across());
    let part = |bucket: &LagBucket| 100.0 * as_f64(bucket.count) / as_f64(all);
    let buckets = &own.stage.honesty.scheduling_lag;
    let y = Scale::from_zero(buckets.iter().map(part).fold(0.0, f64::max), frame.upwards());
    frame.y_axis(&mut svg, &y, "share of the waits, in %", quantity::short);
    let class = thread_class(own.thread);
    for bucket in buckets {
        let (from, to) = ends_of(bucket);
        let (left, right, top) = (x.at(from), x.at(to), y.at(part(bucket)));
        // One wait of a million has to be seen, too.
        let top = top.min(frame.bottom() - 1.5);
        svg.rectangle(
            &format!("bar {class}"),
            (left + 0.5, top),
            ((right - left - 1.0).max(1.0), frame.bottom() - top),
        );
    }
    svg.line("limit dashed", (x.at(limit), frame.top), (x.at(limit), frame.bottom()));
    frame.x_axis(&mut svg, &x, &x.ticks(), "scheduling lag, logarithmic", latency_tick);
    for bucket in buckets {
        let (from, to) = ends_of(bucket);
        let line =
            format!("{} waits, {}", quantity::count(bucket.count), quantity::percent(part(bucket) / 100.0));
        let span = (x.at(from), x.at(to));
        let heading = words(bucket);
        let guide = span.0.midpoint(span.1);
        frame.hit(&mut svg, &Hit { span, guide, heading, lines: vec![(class.clone(), line)] });
    }
    svg.finish()
}

/// Returns a class's ends in milliseconds; the first one's lower end is drawn as that of the others.
fn ends_of(bucket: &LagBucket) -> (f64, f64) {
    let to = milliseconds(bucket.up_to_us.max(1));
    (to / 2.0, to)
}

fn words(bucket: &LagBucket) -> String {
    let (from, to) = ends_of(bucket);
    if bucket.up_to_us <= 1 {
        return format!("up to {}", quantity::latency(to));
    }
    format!("{} to {}", quantity::latency(from), quantity::latency(to))
}

fn table(buckets: &[LagBucket], all: u64) -> Table {
    let mut table = Table::with_head(["up to ms", "waits", "share"]);
    table.rows.extend(buckets.iter().map(|bucket| {
        vec![
            Cell::number(milliseconds(bucket.up_to_us)),
            Cell::count(bucket.count),
            Cell::share(as_f64(bucket.count) / as_f64(all)),
        ]
    }));
    table
}

fn milliseconds(microseconds: u64) -> f64 {
    as_f64(microseconds) / 1000.0
}
