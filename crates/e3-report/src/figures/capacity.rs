//! Capacity: what each condition of a search came to at the loads that were probed.

use e3_model::{Analysis, ProbePoint, SearchAnalysis, Statistic, Threshold, ThresholdState, quantity};

use super::latency::latency_tick;
use crate::chart::{Frame, Hit, Line, Picture, Place, Scale, Svg};
use crate::figure::{Caption, Figure, LegendItem, number_of, stamps_of, thread_class};
use crate::model::Model;
use crate::searches::{probe_words, shown, stages_of};
use crate::table::{Cell, Table};

/// Returns the charts of a search, one per condition, in the conditions' order.
pub(crate) fn capacity(analysis: &Analysis, search: &SearchAnalysis) -> Vec<Figure> {
    let one = |(index, condition)| figure(analysis, search, (index, condition));
    search.conditions.iter().enumerate().map(one).collect()
}

fn figure(analysis: &Analysis, search: &SearchAnalysis, (index, condition): (usize, &Threshold)) -> Figure {
    let title = format!("{} at the loads that were probed: {}", condition.text, search.thread);
    let number = if search.conditions.len() > 1 { format!("-{}", index + 1) } else { String::new() };
    let caption = Caption {
        stem: format!("capacity-{}-{}{number}", search.stage.thread, search.stage.stage),
        population: POPULATION.to_owned(),
        stamps: stamps_of(stages_of(analysis, search)),
        title: title.clone(),
    };
    let legend = KINDS.map(|(state, name)| {
        LegendItem::picture(name, name, &symbol(state, search.stage.thread.index(), (13.0, 6.0)))
    });
    let limit = LegendItem::line("limit", "limit", Line::Dashed);
    let picture = chart(search, (index, condition), &title);
    let legend = legend.into_iter().chain([limit]).collect();
    Figure::new(caption, legend, picture, table(analysis, search))
}

fn chart(search: &SearchAnalysis, (index, condition): (usize, &Threshold), title: &str) -> Picture {
    let mut svg = Svg::new(WIDTH, HEIGHT, title);
    let frame = Frame { left: 62.0, top: 34.0, width: WIDTH - 80.0, height: HEIGHT - 78.0 };
    let (x, y) = scales(search, (index, condition), frame);
    let from = x.at(search.highest_held.unwrap_or(0.0));
    if let Some(broken) = search.lowest_broken {
        svg.rectangle("unmeasured", (from, frame.top), (x.at(broken) - from, frame.height));
    }
    let name = statistic_name(condition.statistic);
    let name = if y.is_log() { format!("{name}, logarithmic") } else { name.to_owned() };
    frame.y_axis(&mut svg, &y, &name, |tick| tick_words(condition.statistic, tick));
    let axis = Model::of(search.level(1.0)).axis();
    frame.x_axis(&mut svg, &x, &x.ticks(), axis, quantity::short);
    limit(&mut svg, condition, (frame, &y));
    marks(&mut svg, search, index, (frame, &x, &y));
    if search.probes.is_empty() {
        frame.remark(&mut svg, "no probe was begun");
    }
    hits(&mut svg, search, (index, condition), (frame, &x));
    svg.finish()
}

fn scales(search: &SearchAnalysis, (index, condition): (usize, &Threshold), frame: Frame) -> (Scale, Scale) {
    let farthest = search.probes.iter().map(|probe| probe.load).fold(0.0, f64::max);
    let x = Scale::linear((0.0, farthest * 1.06), frame.across());
    let values = search.probes.iter().filter_map(|probe| probe.conditions.get(index)?.value);
    let values = values.chain([condition.limit]);
    let (least, most) = values
        .filter(|value| *value > 0.0)
        .fold((f64::INFINITY, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)));
    // What is far beyond the limit must not press together what is near it.
    let is_far = most > least * LINEAR_REACH;
    let y = match condition.statistic {
        Statistic::Rate | Statistic::Errors => Scale::from_zero(most * 1.04, frame.upwards()),
        _ if is_far => Scale::logarithmic((least * 0.9, most * 1.04), frame.upwards()),
        _ => Scale::from_zero(most * 1.04, frame.upwards()),
    };
    (x, y)
}

fn limit(svg: &mut Svg, condition: &Threshold, (frame, y): (Frame, &Scale)) {
    let up = y.at(condition.limit);
    svg.put(format_args!(r#"<g data-series="limit">"#));
    svg.line("line thin neutral dashed", (frame.left, up), (frame.right(), up));
    let words = format!("{} {}", condition.relation.sign(), shown(condition.statistic, condition.limit));
    // Beneath the line where there is no room above it.
    let baseline = if up - frame.top > 16.0 { up - 5.0 } else { up + 14.0 };
    svg.text(frame.left + 4.0, baseline, "start", "tick strong", &words);
    svg.put(format_args!("</g>"));
}

/// Draws every probe, its number beside it where there is room.
fn marks(svg: &mut Svg, search: &SearchAnalysis, index: usize, (frame, x, y): (Frame, &Scale, &Scale)) {
    let place = |probe: &ProbePoint| {
        let seen = probe.conditions.get(index)?;
        // What is not known stands beneath the plot's upper edge, where no value is meant.
        let up = seen.value.map_or(frame.top + 8.0, |value| y.at(value));
        Some((seen.state, (x.at(probe.load), up)))
    };
    let placed: Vec<(ThresholdState, (f64, f64))> = search.probes.iter().filter_map(place).collect();
    for (state, name) in KINDS {
        svg.put(format_args!(r#"<g data-series="{name}">"#));
        for (_, at) in placed.iter().filter(|(own, _)| *own == state) {
            svg.put(format_args!("{}", symbol(state, search.stage.thread.index(), *at)));
        }
        svg.put(format_args!("</g>"));
    }
    let mut taken: Vec<Room> =
        placed.iter().map(|(_, (x, y))| (x - 5.0, y - 5.0, x + 5.0, y + 5.0)).collect();
    for (number, (_, at)) in (1_usize..).zip(&placed) {
        let text = number.to_string();
        let width = 7.0 * number_of(text.len());
        let (corner, own) = label(*at, width, &taken);
        taken.push(own);
        svg.text(corner.0, corner.1, "start", "tick", &text);
    }
}

/// A rectangle: left, top, right, bottom.
type Room = (f64, f64, f64, f64);

/// Returns where a number of that width begins and stands, next to a mark, and the room it takes: the first place that is
/// free; where none is, the first.
fn label((x, y): (f64, f64), width: f64, taken: &[Room]) -> ((f64, f64), Room) {
    let right = x + 8.0;
    let left = x - 8.0 - width;
    let middle = x - width / 2.0;
    let places = [
        (right, y + 4.0),
        (left, y + 4.0),
        (middle, y - 9.0),
        (middle, y + 18.0),
        (right, y - 8.0),
        (left, y - 8.0),
        (right, y + 16.0),
        (left, y + 16.0),
        (middle, y - 22.0),
        (middle, y + 31.0),
        (right + 10.0, y + 4.0),
        (left - 10.0, y + 4.0),
    ];
    let room = |(x, y): (f64, f64)| (x, y - 10.0, x + width, y + 1.0);
    let meets =
        |own: Room, other: &Room| own.0 < other.2 && other.0 < own.2 && own.1 < other.3 && other.1 < own.3;
    let [first, ..] = places;
    let free = places.into_iter().find(|place| !taken.iter().any(|other| meets(room(*place), other)));
    let chosen = free.unwrap_or(first);
    (chosen, room(chosen))
}

/// Returns the mark of a state: a disc that is filled or not, or a cross, so that it needs no colour.
fn symbol(state: ThresholdState, thread: usize, (x, y): (f64, f64)) -> String {
    let (across, up) = (Place(x), Place(y));
    match state {
        ThresholdState::Held => {
            format!(r#"<circle class="point {}" cx="{across}" cy="{up}" r="4.5"/>"#, thread_class(thread))
        }
        ThresholdState::Broken => {
            let (left, top) = (Place(x - 4.0), Place(y - 4.0));
            format!(r#"<path class="line failed" d="M{left} {top}l8 8m0-8l-8 8"/>"#)
        }
        ThresholdState::Undecided => {
            format!(r#"<circle class="point hollow neutral" cx="{across}" cy="{up}" r="4"/>"#)
        }
    }
}

fn hits(
    svg: &mut Svg,
    search: &SearchAnalysis,
    (index, condition): (usize, &Threshold),
    (frame, x): (Frame, &Scale),
) {
    let mut loads: Vec<f64> = search.probes.iter().map(|probe| probe.load).collect();
    loads.sort_by(f64::total_cmp);
    loads.dedup();
    for (position, load) in loads.iter().enumerate() {
        let place = x.at(*load);
        let before = position.checked_sub(1).and_then(|before| loads.get(before));
        let from = before.map_or(frame.left, |before| place.midpoint(x.at(*before)));
        let to = loads.get(position + 1).map_or(frame.right(), |after| place.midpoint(x.at(*after)));
        let here = (1..).zip(&search.probes).filter(|(_, probe)| probe.load.total_cmp(load).is_eq());
        let lines = here.map(|(number, probe)| {
            let seen = probe.conditions.get(index).and_then(|own| own.value);
            let seen = seen.map_or_else(|| "not known".to_owned(), |value| shown(condition.statistic, value));
            let class = thread_class(search.stage.thread.index());
            (class, format!("probe {number}: {seen}; {}", probe_words(probe.verdict).name))
        });
        let heading = search.level(*load).to_string();
        frame.hit(svg, &Hit { span: (from, to), guide: place, heading, lines: lines.collect() });
    }
}

fn table(analysis: &Analysis, search: &SearchAnalysis) -> Table {
    let mut table = Table::with_head(["probe", "stage", "load", "ops/s"]);
    for condition in &search.conditions {
        table.head.push(format!("{}, {}", condition.text, unit(condition.statistic)));
    }
    table.head.extend(["verdict", "reason"].map(str::to_owned));
    for (number, probe) in (1_u64..).zip(&search.probes) {
        let rate = stages_of(analysis, search).find(|stage| stage.stage.stage == probe.stage);
        let rate = rate.map_or_else(|| Cell::none("no stage"), |stage| Cell::number(stage.total.rate_per_s));
        let mut row = vec![Cell::count(number), Cell::of(probe.stage.to_string())];
        row.extend([Cell::of(search.level(probe.load).to_string()).with_raw(probe.load), rate]);
        for (condition, seen) in search.conditions.iter().zip(&probe.conditions) {
            row.push(seen.value.map_or_else(
                || Cell::none(seen.detail.clone()),
                |value| Cell::of(shown(condition.statistic, value)).with_raw(value),
            ));
        }
        row.extend([Cell::of(probe_words(probe.verdict).name), Cell::of(probe.reason.clone())]);
        table.rows.push(row);
    }
    table
}

fn statistic_name(statistic: Statistic) -> &'static str {
    match statistic {
        Statistic::P50 => "median latency",
        Statistic::P90 => "90th percentile of latency",
        Statistic::P95 => "95th percentile of latency",
        Statistic::P99 => "99th percentile of latency",
        Statistic::P999 => "99.9th percentile of latency",
        Statistic::Mean => "mean latency",
        Statistic::Max => "largest latency",
        Statistic::Rate => "successful ops per second",
        Statistic::Errors => "failures over ops that ended",
    }
}

fn unit(statistic: Statistic) -> &'static str {
    match statistic {
        Statistic::Rate => "ops/s",
        Statistic::Errors => "0 to 1",
        _ => "ms",
    }
}

fn tick_words(statistic: Statistic, tick: f64) -> String {
    match statistic {
        Statistic::Rate => quantity::short(tick),
        Statistic::Errors => format!("{} %", quantity::short(100.0 * tick)),
        _ => latency_tick(tick),
    }
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 300.0;
const LINEAR_REACH: f64 = 4.0;
const KINDS: [(ThresholdState, &str); 3] = [
    (ThresholdState::Held, "held"),
    (ThresholdState::Broken, "broken"),
    (ThresholdState::Undecided, "undecided"),
];
const POPULATION: &str = "One mark per probe, by how it came out for this condition; numbers: the order in which they ran. Shaded: from the highest load that held to the lowest above it that did not, where the limit lies. A mark on the upper edge: what was seen is not known.";
