//! The order of the stages in time.

use e3_model::{Analysis, LoadLevel, Order, Span, StageAnalysis, StageOutcome, quantity};

use crate::chart::{Frame, Picture, Scale, Svg, escape, shorten};
use crate::figure::{Caption, Figure, as_f64, doubt, number_of, stamps_of, thread_class};
use crate::model::Model;
use crate::searches::as_probe;
use crate::table::{Cell, Table};

/// Returns the chart of when each thread had its load.
pub(crate) fn order(analysis: &Analysis) -> Figure {
    let title = "Order of the stages: when each thread had its load".to_owned();
    let numbers = match Model::all(analysis).as_slice() {
        [Model::Open] => "arrivals per second",
        [Model::Closed, Model::Open] => "clients, or arrivals per second",
        _ => "clients",
    };
    let population = match analysis.order {
        Order::Interleaved => {
            format!(
                "Interleaved: the threads take turns, so that what changes on the machine over time meets all of them; between its stages a thread has no load. Numbers: {numbers}. Pale: warm-up."
            )
        }
        Order::Parallel => {
            format!(
                "Parallel: all threads at once, each on machines of its own. Numbers: {numbers}. Pale: warm-up."
            )
        }
    };
    let first =
        analysis.threads.iter().flat_map(|thread| &thread.stages).map(|stage| stage.started_unix_ns).min();
    let first = first.unwrap_or(0);
    let picture = chart(analysis, first, &title);
    let caption = Caption {
        stem: "order".to_owned(),
        population,
        stamps: stamps_of(analysis.threads.iter().flat_map(|thread| &thread.stages)),
        title,
    };
    Figure::new(caption, Vec::new(), picture, table(analysis, first))
}

fn chart(analysis: &Analysis, first: u64, title: &str) -> Picture {
    let height = ROW * number_of(analysis.threads.len());
    let frame = Frame { left: 14.0, top: 6.0, width: 692.0, height };
    let mut svg = Svg::new(720.0, height + 52.0, title);
    let stages = analysis.threads.iter().flat_map(|thread| &thread.stages);
    let end = stages.map(|stage| began(stage, first) + seconds(stage.window_end_ms)).fold(1.0, f64::max);
    let (unit, divisor) = if end > 300.0 { ("minutes", 60.0) } else { ("seconds", 1.0) };
    let x = Scale::linear((0.0, end / divisor), frame.across());
    for tick in x.ticks() {
        svg.line("grid", (x.at(tick), frame.top), (x.at(tick), frame.bottom()));
    }
    for (row, thread) in analysis.threads.iter().enumerate() {
        let top = frame.top + ROW * number_of(row);
        svg.text(frame.left, top + 13.0, "start", "tick strong", &shorten(&thread.name, 80));
        for stage in &thread.stages {
            let at = |seconds: f64| x.at(seconds / divisor);
            let probe = as_probe(analysis, stage).map_or_else(String::new, |probe| format!(" ({probe})"));
            bar(&mut svg, (row, &format!("{}{probe}", thread.name), stage), first, (top + 18.0, at));
        }
    }
    frame.x_axis(&mut svg, &x, &x.ticks(), &format!("{unit} since the first stage began"), quantity::short);
    svg.finish()
}

fn bar(
    svg: &mut Svg,
    (row, name, stage): (usize, &str, &StageAnalysis),
    first: u64,
    (top, at): (f64, impl Fn(f64) -> f64),
) {
    let start = began(stage, first);
    let (from, to) = (at(start), at(start + seconds(stage.window_end_ms)));
    let measured = at(start + seconds(stage.window_start_ms));
    let colour = thread_class(row);
    let hollow = if doubt(stage).is_some() { " hollow" } else { "" };
    svg.put(format_args!(r#"<g class="hit row" data-classes="{colour}">"#));
    svg.rectangle(&format!("stage pale {colour}{hollow}"), (from, top), (measured - from, BAR));
    svg.rectangle(&format!("stage {colour}{hollow}"), (measured, top), (to - measured, BAR));
    let label = match stage.load() {
        LoadLevel::Clients(clients) => quantity::count(clients.into()),
        LoadLevel::Arrivals(offered) => offered.to_string(),
    };
    if to - measured > 9.0 * number_of(label.chars().count()) + 6.0 {
        let class = if hollow.is_empty() { "inside" } else { "inside dark" };
        svg.text(measured.midpoint(to), top + 15.0, "middle", class, &label);
    }
    let line = format!("{name}: {}, {}", stage.load(), ended(stage));
    let heading = format!("{} s after the first stage began", quantity::number(start));
    svg.put(format_args!("<title>{heading}\n{}</title></g>", escape(&line.replace('\n', " "))));
}

fn ended(stage: &StageAnalysis) -> String {
    let (ran, planned) = (Span::from_millis(stage.window_end_ms), Span::from_millis(stage.planned_ms));
    match &stage.outcome {
        StageOutcome::Completed => format!("ran its {planned}"),
        StageOutcome::Interrupted => format!("was interrupted after {ran} of {planned}"),
        StageOutcome::Failed { reason } => format!("failed after {ran} of {planned}: {reason}"),
    }
}

fn table(analysis: &Analysis, first: u64) -> Table {
    let head = ["position", "thread", "load", "began after", "warm-up", "measured", "how it ended"];
    let mut stages: Vec<(&str, &StageAnalysis)> = analysis
        .threads
        .iter()
        .flat_map(|thread| thread.stages.iter().map(|stage| (thread.name.as_str(), stage)))
        .collect();
    stages.sort_by_key(|(_, stage)| stage.position);
    let rows = stages.into_iter().map(|(name, stage)| {
        vec![
            Cell::of((stage.position + 1).to_string()),
            Cell::of(name),
            Cell::of(stage.load().to_string()).with_small(as_probe(analysis, stage).unwrap_or_default()),
            Cell::of(format!("{} s", quantity::number(began(stage, first)))),
            Cell::of(Span::from_millis(stage.window_start_ms).to_string()),
            Cell::of(
                Span::from_millis(stage.window_end_ms.saturating_sub(stage.window_start_ms)).to_string(),
            ),
            Cell::of(ended(stage)),
        ]
    });
    Table { rows: rows.collect(), head: head.map(str::to_owned).to_vec() }
}

/// Returns the seconds from the first stage's start to this one's.
fn began(stage: &StageAnalysis, first: u64) -> f64 {
    as_f64(stage.started_unix_ns.saturating_sub(first)) / 1e9
}

fn seconds(milliseconds: u64) -> f64 {
    as_f64(milliseconds) / 1000.0
}

const ROW: f64 = 48.0;
const BAR: f64 = 22.0;
