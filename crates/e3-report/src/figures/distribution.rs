//! How latencies are distributed: all threads at one load, and the ops of one stage.

use e3_model::{Analysis, Bucket, LoadLevel, OpStatistics, quantity};

use super::latency::{PERCENTILES, latency_tick};
use super::stages::{Own, all_stages, name_among, planned_by_load};
use crate::chart::{Frame, Hit, Line, Picture, Scale, Step, Svg, escape, mark, shorten, steps};
use crate::figure::{
    Caption, Figure, LegendItem, as_f64, load_stem, number_of, stage_name, stamps_of, thread_class,
};
use crate::model::Model;
use crate::table::{Cell, Table};

/// Returns one chart per load, ascending; all share their axes. Loads without a distribution have none.
pub(crate) fn distributions(analysis: &Analysis) -> Vec<Figure> {
    let Some(extent) = extent(all_stages(analysis).iter().map(|own| &own.stage.total)) else {
        return Vec::new();
    };
    let tallest = all_stages(analysis).iter().map(|own| tallest(&own.stage.total)).fold(0.0, f64::max);
    planned_by_load(analysis)
        .into_iter()
        .filter(|(_, own)| own.iter().any(|own| !own.stage.total.distribution.is_empty()))
        .map(|(load, own)| by_thread(load, &own, (extent, tallest)))
        .collect()
}

/// Returns the chart of one stage's ops, a row each; none where none of them has a distribution.
pub(crate) fn distribution_by_op(analysis: &Analysis, own: Own<'_>) -> Option<Figure> {
    let everywhere = all_stages(analysis);
    let extent = extent(everywhere.iter().flat_map(|own| &own.stage.ops))?;
    let mut ops: Vec<&OpStatistics> = own.stage.ops.iter().filter(|op| !op.distribution.is_empty()).collect();
    if ops.is_empty() {
        return None;
    }
    let count = ops.len();
    let mut frequent: Vec<u64> = ops.iter().map(|op| op.ok).collect();
    frequent.sort_unstable_by(|one, other| other.cmp(one));
    let least = frequent.get(MOST_OPS - 1).copied().unwrap_or(0);
    ops.retain(|op| op.ok >= least);
    ops.truncate(MOST_OPS);
    let choice = if count > MOST_OPS {
        format!(" The {MOST_OPS} ops of {count} that succeeded most often.")
    } else {
        String::new()
    };
    let title = format!("Distribution of latency by op: {}", stage_name(own.name, own.stage));
    let legend = PERCENTILES.map(|one| LegendItem::line(one.name, one.name, one.line));
    let caption = Caption {
        stem: format!("{}-distribution", own.stem()),
        population: format!(
            "Successes in the measured window; each row is as high as its fullest bucket. Twenty buckets to each power of ten.{choice}"
        ),
        stamps: stamps_of([own.stage]),
        title: title.clone(),
    };
    let picture = rows(&ops, extent, &thread_class(own.thread), &title);
    let named = ops.iter().map(|op| (format!("{} ({})", op.op, op.script), *op)).collect::<Vec<_>>();
    Some(Figure::new(caption, legend.to_vec(), picture, table(&named)))
}

fn by_thread(load: LoadLevel, own: &[Own<'_>], (extent, tallest): ((f64, f64), f64)) -> Figure {
    let title = format!("Distribution of latency at {load}, by thread");
    let mut svg = Svg::new(720.0, 270.0, &title);
    let frame = Frame { left: 58.0, top: 34.0, width: 644.0, height: 190.0 };
    let x = Scale::logarithmic(extent, frame.across());
    let y = Scale::from_zero(100.0 * tallest, frame.upwards());
    frame.y_axis(&mut svg, &y, "share of the successes, in %", quantity::short);
    for one in own {
        draw(&mut svg, *one, frame, (&x, &y));
    }
    frame.x_axis(&mut svg, &x, &x.ticks(), "latency, logarithmic", latency_tick);
    hits(&mut svg, frame, &x, own);
    let mut legend: Vec<LegendItem> = Vec::new();
    for one in own {
        let item = LegendItem::thread(one.thread, one.name);
        if !legend.iter().any(|known| known.series == item.series) {
            legend.push(item);
        }
    }
    let caption = Caption {
        stem: format!("distribution-{}", load_stem(load)),
        population: format!(
            "Successes of all ops together in the measured window, from the scheduled start to the end. Twenty buckets to each power of ten; the mark is on the fullest. {}",
            Model::of(load).note()
        ),
        stamps: stamps_of(own.iter().map(|own| own.stage)),
        title,
    };
    let named: Vec<(String, &OpStatistics)> =
        own.iter().map(|one| (name_among(*one, own), &one.stage.total)).collect();
    Figure::new(caption, legend, svg.finish(), table(&named))
}

fn draw(svg: &mut Svg, own: Own<'_>, frame: Frame, (x, y): (&Scale, &Scale)) {
    let total = &own.stage.total;
    let buckets = total.distribution.iter().map(|bucket| Step {
        from: x.at(bucket.from_ms),
        to: x.at(bucket.to_ms),
        top: y.at(100.0 * share(bucket, total)),
    });
    let outline = steps(buckets, frame.bottom());
    let class = thread_class(own.thread);
    svg.put(format_args!(
        r#"<g data-series="t{}"><path class="fill {class}" d="{outline}"/><path class="line thin {class} {}" d="{outline}"/>"#,
        own.thread,
        if own.thread.is_multiple_of(2) { Line::Solid } else { Line::Dashed }.class()
    ));
    if let Some(fullest) = fullest(total) {
        let (across, up) = (x.at(middle(fullest)), y.at(100.0 * share(fullest, total)));
        svg.put(format_args!("{}", mark(own.thread, across, up, false)));
    }
    svg.put(format_args!("</g>"));
}

fn hits(svg: &mut Svg, frame: Frame, x: &Scale, own: &[Own<'_>]) {
    for (from, to) in buckets(own.iter().map(|own| &own.stage.total)) {
        let lines = own.iter().map(|one| {
            let total = &one.stage.total;
            let here = total.distribution.iter().find(|bucket| bucket.from_ms.total_cmp(&from).is_eq());
            let (count, part) = here.map_or((0, 0.0), |bucket| (bucket.count, share(bucket, total)));
            let line = format!(
                "{}: {}, {} of {} ops",
                name_among(*one, own),
                quantity::percent(part),
                quantity::count(count),
                quantity::count(total.ok)
            );
            (thread_class(one.thread), line)
        });
        let heading = format!("{} to {}", quantity::latency(from), quantity::latency(to));
        let (span, guide) = ((x.at(from), x.at(to)), x.at((from * to).sqrt()));
        frame.hit(svg, &Hit { span, guide, heading, lines: lines.collect() });
    }
}

fn rows(ops: &[&OpStatistics], extent: (f64, f64), class: &str, title: &str) -> Picture {
    let height = ROW * number_of(ops.len());
    let frame = Frame { left: 190.0, top: 8.0, width: 512.0, height };
    let mut svg = Svg::new(720.0, height + 54.0, title);
    let x = Scale::logarithmic(extent, frame.across());
    for tick in x.ticks() {
        svg.line("grid", (x.at(tick), frame.top), (x.at(tick), frame.bottom()));
    }
    for (index, op) in ops.iter().enumerate() {
        let row = Frame { top: frame.top + ROW * number_of(index), height: ROW, ..frame };
        row_of(&mut svg, op, (row, &x), class);
    }
    frame.x_axis(&mut svg, &x, &x.ticks(), "latency, logarithmic", latency_tick);
    svg.finish()
}

fn row_of(svg: &mut Svg, op: &OpStatistics, (row, x): (Frame, &Scale), class: &str) {
    let tallest = tallest(op);
    let top = |bucket: &Bucket| row.bottom() - (ROW - 6.0) * share(bucket, op) / tallest.max(1e-9);
    let buckets = op.distribution.iter().map(|bucket| Step {
        from: x.at(bucket.from_ms),
        to: x.at(bucket.to_ms),
        top: top(bucket),
    });
    let outline = steps(buckets, row.bottom());
    svg.put(format_args!(r#"<path class="fill strong {class}" d="{outline}"/>"#));
    svg.line("grid", (row.left, row.bottom()), (row.right(), row.bottom()));
    svg.text(row.left - 10.0, row.bottom() - 8.0, "end", "tick", &shorten(&op.op, 26));
    let latency = op.latency.as_ref();
    let mut said = vec![format!("{} successes", quantity::count(op.ok))];
    for one in PERCENTILES {
        let Some(value) = latency.and_then(one.value) else { continue };
        svg.put(format_args!(r#"<g data-series="{}">"#, one.name));
        svg.line(
            &format!("limit {}", one.line.class()),
            (x.at(value), row.top + 5.0),
            (x.at(value), row.bottom()),
        );
        svg.put(format_args!("</g>"));
        said.push(format!("{}: {}", one.name, quantity::latency(value)));
    }
    if let Some(fullest) = fullest(op) {
        said.push(format!(
            "most often {} to {}: {}",
            quantity::latency(fullest.from_ms),
            quantity::latency(fullest.to_ms),
            quantity::percent(share(fullest, op))
        ));
    }
    let classes = vec![class; said.len()].join(" ");
    svg.put(format_args!(r#"<g class="hit row" data-classes="{classes}">"#));
    svg.rectangle("area", (4.0, row.top), (row.right() - 4.0, row.height));
    let said: String = said.iter().map(|line| format!("\n{}", escape(line))).collect();
    let name = format!("{} ({})", op.op, op.script).replace(['\n', '\r'], " ");
    svg.put(format_args!("<title>{}{said}</title></g>", escape(&name)));
}

fn table(named: &[(String, &OpStatistics)]) -> Table {
    let mut table = Table::with_head(["from ms", "to ms"]);
    table.head.extend(named.iter().map(|(name, _)| format!("{name}: successes")));
    for (from, to) in buckets(named.iter().map(|(_, op)| *op)) {
        let mut row = vec![Cell::number(from), Cell::number(to)];
        row.extend(named.iter().map(|(_, op)| {
            let here = op.distribution.iter().find(|bucket| bucket.from_ms.total_cmp(&from).is_eq());
            Cell::count(here.map_or(0, |bucket| bucket.count))
        }));
        table.rows.push(row);
    }
    table
}

/// Returns the buckets that occur, ascending, each once.
fn buckets<'a>(ops: impl Iterator<Item = &'a OpStatistics>) -> Vec<(f64, f64)> {
    let mut buckets: Vec<(f64, f64)> =
        ops.flat_map(|op| &op.distribution).map(|bucket| (bucket.from_ms, bucket.to_ms)).collect();
    buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
    buckets.dedup_by(|one, other| one.0.total_cmp(&other.0).is_eq());
    buckets
}

/// Returns the smallest and the largest edge of all buckets; none where there are none.
fn extent<'a>(ops: impl Iterator<Item = &'a OpStatistics>) -> Option<(f64, f64)> {
    let edges = ops.flat_map(|op| &op.distribution).map(|bucket| (bucket.from_ms, bucket.to_ms));
    edges.reduce(|(least, most), (from, to)| (least.min(from), most.max(to)))
}

/// Returns which part of an op's successes lies in one of its buckets.
fn share(bucket: &Bucket, op: &OpStatistics) -> f64 {
    if op.ok == 0 { 0.0 } else { as_f64(bucket.count) / as_f64(op.ok) }
}

fn tallest(op: &OpStatistics) -> f64 {
    fullest(op).map_or(0.0, |bucket| share(bucket, op))
}

fn fullest(op: &OpStatistics) -> Option<&Bucket> {
    op.distribution.iter().max_by_key(|bucket| bucket.count)
}

/// On a logarithmic axis, a bucket's middle is the geometric one.
fn middle(bucket: &Bucket) -> f64 {
    (bucket.from_ms * bucket.to_ms).sqrt()
}

const ROW: f64 = 34.0;
/// A chart shows no more ops of a stage than this.
const MOST_OPS: usize = 12;
