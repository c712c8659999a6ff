//! The job mix: what was asked for, and what was seen.

use e3_model::{Analysis, JobShare, Mix, StageAnalysis, quantity};

use crate::chart::{Frame, Picture, Scale, Svg, escape, mark, shorten};
use crate::figure::{Caption, Figure, LegendItem, number_of, slug, stamps_of, thread_class};
use crate::table::{Cell, Table};

/// Returns one chart per workload, in the order in which the stages name them.
pub(crate) fn mix(analysis: &Analysis) -> Vec<Figure> {
    let mut workloads: Vec<&str> = Vec::new();
    for stage in analysis.threads.iter().flat_map(|thread| &thread.stages) {
        if !workloads.contains(&stage.workload.as_str()) {
            workloads.push(&stage.workload);
        }
    }
    workloads.into_iter().filter_map(|workload| figure(analysis, workload)).collect()
}

/// A stage of the workload and its thread.
type Own<'a> = (usize, &'a str, &'a StageAnalysis);

fn figure(analysis: &Analysis, workload: &str) -> Option<Figure> {
    let own: Vec<Own<'_>> = analysis
        .threads
        .iter()
        .enumerate()
        .flat_map(|(index, thread)| {
            thread.stages.iter().map(move |stage| (index, thread.name.as_str(), stage))
        })
        .filter(|(_, _, stage)| stage.workload == workload)
        .collect();
    let (_, _, first) = own.first()?;
    let population = match first.mix {
        Mix::Ops => {
            "Asked (line): the share of iterations. Seen (marks, one per stage): the share of the iterations that began in the measured window."
        }
        Mix::Clients => {
            "Asked (line): the share of clients. Seen (marks, one per stage): the share of the iterations that began in the measured window; clients whose iterations are short do more of them."
        }
    };
    let title = format!("Jobs of workload {workload}: share asked for and share seen, by thread");
    let picture = chart(&own, &first.jobs, &title);
    let caption = Caption {
        stem: format!("mix-{}", slug(workload)),
        population: format!("{population}{}", agreement(&own)),
        stamps: stamps_of(own.iter().map(|(_, _, stage)| *stage)),
        title,
    };
    Some(Figure::new(caption, threads(&own), picture, table(&own)))
}

/// Returns what the chi-square tests of the stages say together, in a sentence; nothing where none could be made.
fn agreement(own: &[Own<'_>]) -> String {
    let p_values = || own.iter().filter_map(|(_, _, stage)| stage.mix_p_value);
    let Some(least) = p_values().reduce(f64::min) else { return String::new() };
    let least = quantity::number(least);
    match p_values().count() {
        1 => format!(
            " Chi-square test, {MEANING}: p = {least} in the one stage with enough iterations for it."
        ),
        several => {
            format!(
                " Chi-square test, {MEANING}: p is {least} or more in each of the {several} stages with enough iterations for it."
            )
        }
    }
}

fn threads(own: &[Own<'_>]) -> Vec<LegendItem> {
    let mut legend: Vec<LegendItem> = Vec::new();
    for (index, name, _) in own {
        let item = LegendItem::thread(*index, name);
        if !legend.iter().any(|known| known.series == item.series) {
            legend.push(item);
        }
    }
    legend
}

fn chart(own: &[Own<'_>], jobs: &[JobShare], title: &str) -> Picture {
    let height = ROW * number_of(jobs.len());
    let frame = Frame { left: 236.0, top: 10.0, width: 466.0, height };
    let mut svg = Svg::new(720.0, height + 56.0, title);
    let shares = own.iter().flat_map(|(_, _, stage)| &stage.jobs);
    let most = shares.flat_map(|job| [Some(job.weight), job.share]).flatten().fold(0.01, f64::max);
    let x = Scale::from_zero(most * 100.0, frame.across());
    for tick in x.ticks() {
        svg.line("grid", (x.at(tick), frame.top), (x.at(tick), frame.bottom()));
    }
    for (row, job) in jobs.iter().enumerate() {
        let middle = frame.top + ROW * (number_of(row) + 0.5);
        let band = Frame { top: middle - ROW / 2.0, height: ROW, ..frame };
        svg.text(frame.left - 10.0, middle + 4.0, "end", "tick", &shorten(&job.script, 34));
        svg.line(
            "asked",
            (x.at(job.weight * 100.0), band.top + 4.0),
            (x.at(job.weight * 100.0), band.bottom() - 4.0),
        );
        seen(&mut svg, own, row, (&x, middle));
        said(&mut svg, own, row, (job, band));
    }
    frame.x_axis(&mut svg, &x, &x.ticks(), "share of all iterations, in %", quantity::short);
    svg.finish()
}

fn seen(svg: &mut Svg, own: &[Own<'_>], row: usize, (x, middle): (&Scale, f64)) {
    let threads = own.iter().map(|(index, _, _)| *index).max().unwrap_or(0);
    for (index, _, stage) in own {
        let Some(share) = stage.jobs.get(row).and_then(|job| job.share) else { continue };
        let aside = (number_of(*index) - number_of(threads) / 2.0) * 9.0 / number_of(threads.max(1));
        svg.put(format_args!(
            r#"<g data-series="t{index}" class="light">{}</g>"#,
            mark(*index, x.at(share * 100.0), middle + aside, false)
        ));
    }
}

fn said(svg: &mut Svg, own: &[Own<'_>], row: usize, (job, band): (&JobShare, Frame)) {
    let classes: Vec<String> = own.iter().map(|(index, _, _)| thread_class(*index)).collect();
    let lines: String = own
        .iter()
        .filter_map(|(_, name, stage)| {
            let seen = stage.jobs.get(row)?;
            let share = seen.share.map_or_else(|| "nothing seen".to_owned(), quantity::percent);
            let line =
                format!("{name}, {}: {share}, {} iterations", stage.load(), quantity::count(seen.iterations));
            Some(format!("\n{}", escape(&line.replace('\n', " "))))
        })
        .collect();
    svg.put(format_args!(r#"<g class="hit row" data-classes="{}">"#, classes.join(" ")));
    svg.rectangle("area", (4.0, band.top), (band.right() - 4.0, band.height));
    svg.put(format_args!(
        "<title>{}, asked: {}{lines}</title></g>",
        escape(&job.script),
        quantity::percent(job.weight)
    ));
}

fn table(own: &[Own<'_>]) -> Table {
    let mut table =
        Table::with_head(["thread", "load", "job", "asked", "seen", "iterations", "p-value of the stage"]);
    for (_, name, stage) in own {
        for job in &stage.jobs {
            let share = job.share.map_or_else(|| Cell::none("no iteration began"), Cell::share);
            let p_value = stage.mix_p_value.map_or_else(
                || Cell::none("given where shares are of iterations and each job was to be expected at least 5 times"),
                Cell::number,
            );
            table.rows.push(vec![
                Cell::of(*name),
                Cell::of(stage.load().to_string()),
                Cell::of(&job.script),
                Cell::share(job.weight),
                share,
                Cell::count(job.iterations),
                p_value,
            ]);
        }
    }
    table
}

/// Without it, a reader takes a small p of many for a fault of the load.
const MEANING: &str = "p being the chance of shares at least so far from those asked for where each iteration's job is drawn fairly (of twenty fair stages, one has p below 0.05)";
const ROW: f64 = 30.0;
