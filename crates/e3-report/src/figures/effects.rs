//! Effect sizes: how far each thread lies from the baseline, with intervals.

use e3_model::{Analysis, Comparison, Measure, StageAnalysis, StageRef, ThreadId, Verdict};

use crate::chart::{Frame, Picture, Scale, Svg, escape, mark, shorten};
use crate::comparisons::{change, change_ends, measure_name, thread_name, value};
use crate::figure::{Caption, Figure, number_of, stamps_of, thread_class};
use crate::table::{Cell, Table};

/// Returns one chart per thread that is compared, over all ops together; none for a thread without any effect size.
pub(crate) fn effects(analysis: &Analysis) -> Vec<Figure> {
    let mut threads: Vec<ThreadId> = Vec::new();
    for comparison in &analysis.comparisons {
        if !threads.contains(&comparison.thread) {
            threads.push(comparison.thread);
        }
    }
    threads.into_iter().filter_map(|thread| figure(analysis, thread)).collect()
}

fn figure(analysis: &Analysis, thread: ThreadId) -> Option<Figure> {
    let mut own: Vec<&Comparison> = analysis
        .comparisons
        .iter()
        .filter(|one| one.thread == thread && one.script.is_empty() && one.op.is_empty())
        .filter(|one| one.ratio.is_some_and(|ratio| ratio.is_finite() && ratio > 0.0))
        .collect();
    own.sort_by_key(|one| (one.measure, one.load()));
    let baseline = own.first()?.baseline;
    let title = format!(
        "Difference of {} from {}, by measure and load",
        thread_name(analysis, thread),
        thread_name(analysis, baseline)
    );
    let stages = own.iter().flat_map(|one| one.stages.iter().chain(&one.baseline_stages));
    let mut shown: Vec<StageRef> = stages.copied().collect();
    shown.sort();
    shown.dedup();
    let caption = Caption {
        stem: format!("difference-{thread}"),
        title: title.clone(),
        population: "All ops together. Mark: the effect size, this thread’s value over the baseline’s; line: its 95 % interval. Where the line crosses zero, chance may be all there is to the difference. Hollow: no verdict.".to_owned(),
        stamps: stamps_of(shown.iter().filter_map(|stage| find(analysis, *stage))),
    };
    let picture = chart(analysis, &own, &title);
    Some(Figure::new(caption, Vec::new(), picture, table(analysis, &own)))
}

fn find(analysis: &Analysis, stage: StageRef) -> Option<&StageAnalysis> {
    analysis.threads.iter().flat_map(|thread| &thread.stages).find(|own| own.stage == stage)
}

fn chart(analysis: &Analysis, own: &[&Comparison], title: &str) -> Picture {
    let height = ROW * number_of(own.len());
    // Room for the longest load, such as a ramp at random.
    let longest = own.iter().map(|one| label(one).chars().count()).max().unwrap_or(0);
    let left = (LETTER * number_of(longest) + 16.0).clamp(206.0, 300.0);
    let frame = Frame { left, top: 8.0, width: 600.0 - left, height };
    let mut svg = Svg::new(720.0, height + 54.0, title);
    let ends = own.iter().flat_map(|one| {
        let interval = one.ratio_interval.map(|ends| [ends.low, ends.high]);
        one.ratio.into_iter().chain(interval.into_iter().flatten())
    });
    let farthest =
        ends.filter(|end| end.is_finite() && *end > 0.0).map(|end| end.ln().abs()).fold(0.05, f64::max);
    let x = Scale::linear((-farthest * 1.06, farthest * 1.06), frame.across());
    let shares = match farthest {
        near if near < 0.12 => FINE,
        middling if middling < 0.6 => MIDDLING,
        _ => COARSE,
    };
    let ticks: Vec<f64> = shares
        .iter()
        .map(|share| (1.0 + share).ln())
        .filter(|place| place.abs() <= farthest * 1.06)
        .collect();
    for tick in &ticks {
        let class = if *tick == 0.0 { "base" } else { "grid" };
        svg.line(class, (x.at(*tick), frame.top), (x.at(*tick), frame.bottom()));
    }
    for (row, one) in own.iter().enumerate() {
        let middle = frame.top + ROW * (number_of(row) + 0.5);
        effect(&mut svg, one, (frame, middle), &x);
        said(&mut svg, analysis, one, middle);
    }
    frame.x_axis(&mut svg, &x, &ticks, "difference from the baseline, logarithmic", |place| {
        change(place.exp())
    });
    svg.finish()
}

fn label(one: &Comparison) -> String {
    format!("{}, {}", measure_name(one.measure), one.load())
}

fn effect(svg: &mut Svg, one: &Comparison, (frame, middle): (Frame, f64), x: &Scale) {
    svg.text(frame.left - 10.0, middle + 4.0, "end", "tick", &label(one));
    let thread = one.thread.index();
    let place = |ratio: f64| x.at(ratio.max(f64::MIN_POSITIVE).ln());
    if let Some(ends) = one.ratio_interval {
        svg.line(
            &format!("whisker wide {}", thread_class(thread)),
            (place(ends.low), middle),
            (place(ends.high), middle),
        );
    }
    if let Some(ratio) = one.ratio {
        let hollow = matches!(one.verdict, Verdict::NoEvidence | Verdict::Invalid);
        svg.put(format_args!("{}", mark(thread, place(ratio), middle, hollow)));
    }
    let words = format!("{} {}", sign(one.verdict), one.verdict.name());
    svg.text(frame.right() + 10.0, middle + 4.0, "start", "tick", &words);
}

fn said(svg: &mut Svg, analysis: &Analysis, one: &Comparison, middle: f64) {
    let heading = format!("{} at {}: {}", one.measure.name(), one.load(), one.verdict.name());
    let mut lines = vec![
        (one.thread, format!("{}: {}", thread_name(analysis, one.thread), value(one.measure, one.value))),
        (
            one.baseline,
            format!("{}: {}", thread_name(analysis, one.baseline), value(one.measure, one.baseline_value)),
        ),
    ];
    if let Some(ratio) = one.ratio {
        lines.push((one.thread, format!("difference: {}{}", change(ratio), change_ends(one.ratio_interval))));
    }
    if let Some(reason) = &one.reason {
        lines.push((one.thread, shorten(reason, 160)));
    }
    let classes: Vec<String> = lines.iter().map(|(thread, _)| thread_class(thread.index())).collect();
    let lines: String =
        lines.iter().map(|(_, line)| format!("\n{}", escape(&line.replace(['\n', '\r'], " ")))).collect();
    svg.put(format_args!(r#"<g class="hit row" data-classes="{}">"#, classes.join(" ")));
    svg.rectangle("area", (4.0, middle - ROW / 2.0), (712.0, ROW));
    svg.put(format_args!("<title>{}{lines}</title></g>", escape(&heading)));
}

/// Returns a sign beside a verdict, so that it needs no colour.
pub(crate) fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "▲",
        Verdict::Worse => "▼",
        Verdict::NoEvidence => "○",
        Verdict::Invalid => "✕",
    }
}

fn table(analysis: &Analysis, own: &[&Comparison]) -> Table {
    let mut table = Table::with_head([
        "measure",
        "load",
        "unit",
        "thread",
        "value",
        "baseline",
        "baseline’s value",
        "ratio",
        "ratio from, 95 %",
        "ratio to, 95 %",
        "verdict",
        "reason",
    ]);
    let number = |value: Option<f64>| value.map_or_else(|| Cell::none("too few ops to tell"), Cell::number);
    for one in own {
        table.rows.push(vec![
            Cell::of(measure_name(one.measure)),
            Cell::of(one.load().to_string()),
            Cell::of(if one.measure == Measure::Throughput { "ops/s" } else { "ms" }),
            Cell::of(thread_name(analysis, one.thread)),
            number(one.value),
            Cell::of(thread_name(analysis, one.baseline)),
            number(one.baseline_value),
            number(one.ratio),
            number(one.ratio_interval.map(|ends| ends.low)),
            number(one.ratio_interval.map(|ends| ends.high)),
            Cell::of(one.verdict.name()),
            Cell::of(one.reason.clone().unwrap_or_default()),
        ]);
    }
    table
}

const ROW: f64 = 27.0;
/// How wide a letter of a label is, at most on average.
const LETTER: f64 = 6.6;
/// Differences at which an axis has a tick, as shares of the baseline: the finer, the less far it reaches.
const FINE: &[f64] = &[-0.1, -0.05, -0.02, 0.0, 0.02, 0.05, 0.1];
const MIDDLING: &[f64] = &[-0.5, -0.3, -0.2, -0.1, 0.0, 0.1, 0.25, 0.5, 1.0];
const COARSE: &[f64] =
    &[-0.98, -0.95, -0.9, -0.8, -0.65, -0.5, -0.25, 0.0, 0.33, 1.0, 2.0, 4.0, 9.0, 19.0, 49.0];
