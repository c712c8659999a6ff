//! Metrics of one stage: a panel per group, all on the time axis of the stage's latency.

mod panels;
mod units;

pub(crate) use panels::{Panel, panels};

use e3_model::{MetricSeries, StageAnalysis, quantity};

use super::stages::Own;
use super::timeline::{seconds, shade, whole};
use crate::chart::{Frame, Line, MARKS, Picture, Scale, Svg, TimeAxis};
use crate::figure::{Caption, Figure, LegendItem, number_of, stamps_of};
use crate::table::{Cell, Table};
use units::{axis_name, shown, tick};

/// Returns the figure of a panel at one stage; none where the stage has none of its series.
pub(crate) fn metrics(panel: &Panel, own: Own<'_>) -> Option<Figure> {
    let series = own_series(panel, own.stage);
    if series.is_empty() {
        return None;
    }
    let steps: Vec<String> = distinct(series.iter().map(|(_, _, one)| quantity::short(one.step_s)));
    let sources: Vec<String> = distinct(series.iter().map(|(_, _, one)| one.source.clone()));
    let caption = Caption {
        stem: format!("{}-metrics-{}", own.stem(), panel.stem),
        title: panel.title.clone(),
        population: format!("By {}; one value for each {} s.", sources.join(", "), steps.join(" or ")),
        stamps: stamps_of([own.stage]),
    };
    let legend = series.iter().map(|(index, label, one)| {
        let item =
            LegendItem::coloured(&format!("m{index}"), label, (&format!("c{}", index % MARKS), line(*index)));
        item.with_value(one.mean.map_or_else(|| "–".to_owned(), |mean| shown(mean, &panel.unit)))
    });
    let figure = Figure::new(caption, legend.collect(), chart(panel, own, &series), summary(&series));
    Some(figure.with_all(values(&series)))
}

/// Returns the values of a stage's figures as JSON, for the page's script: by figure, by series. It is safe within a
/// script element.
pub(crate) fn values_json(panels: &[(&Panel, &Figure)], stage: &StageAnalysis) -> String {
    let text = |text: &str| {
        let mut out = String::from("\"");
        for character in text.chars() {
            match character {
                '"' | '\\' => out.extend(['\\', character]),
                '<' | '>' | '&' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
                control if control.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(control))),
                other => out.push(other),
            }
        }
        out.push('"');
        out
    };
    let figures = panels.iter().map(|(panel, figure)| {
        let series = own_series(panel, stage).into_iter().map(|(_, _, one)| {
            let values: Vec<String> = one.values.iter().map(|value| plain(*value, "null")).collect();
            let names = [&one.source, &one.subject, &one.name].map(|name| text(name)).join(",");
            format!("[{names},{},[{}]]", one.step_s, values.join(","))
        });
        let series: Vec<String> = series.collect();
        format!("{}:{{\"unit\":{},\"series\":[{}]}}", text(&figure.stem), text(&panel.unit), series.join(","))
    });
    format!("{{{}}}", figures.collect::<Vec<_>>().join(","))
}

/// A panel's series that a stage has: its place among the panel's, its label, itself.
type OwnSeries<'a> = (usize, &'a str, &'a MetricSeries);

fn own_series<'a>(panel: &'a Panel, stage: &'a StageAnalysis) -> Vec<OwnSeries<'a>> {
    let parts = panel.parts.iter().enumerate();
    parts
        .filter_map(|(index, part)| {
            let series = stage.metrics.iter().find(|series| part.is(series))?;
            Some((index, part.label.as_str(), series))
        })
        .collect()
}

fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.sort();
    names.dedup();
    names
}

fn line(index: usize) -> Line {
    match index % 4 {
        0 => Line::Solid,
        1 => Line::Dashed,
        2 => Line::DashDotted,
        _ => Line::Dotted,
    }
}

fn chart(panel: &Panel, own: Own<'_>, series: &[OwnSeries<'_>]) -> Picture {
    let mut svg = Svg::new(WIDTH, 176.0, &format!("{} over time", panel.title));
    let frame = Frame { left: 58.0, top: 28.0, width: WIDTH - 68.0, height: 106.0 };
    let seconds = seconds(own.stage);
    let x = Scale::linear((0.0, seconds), frame.across());
    let y = Scale::from_zero(panel.most, frame.upwards());
    svg.time(TimeAxis {
        left: frame.left,
        right: frame.right(),
        top: frame.top,
        bottom: frame.bottom(),
        seconds,
    });
    shade(&mut svg, &[frame], &x, own.stage);
    frame.y_axis(&mut svg, &y, axis_name(&panel.unit), |value| tick(value, &panel.unit));
    for (index, _, one) in series {
        let places = one.values.iter().enumerate().map(|(step, value)| {
            let at = (number_of(step) + 0.5) * one.step_s;
            Some((x.at(at), y.at((*value)?)))
        });
        svg.put(format_args!(
            r#"<g data-series="m{index}"><path class="line thin c{} {}" d="{}"/></g>"#,
            index % MARKS,
            line(*index).class(),
            compact(places)
        ));
    }
    frame.x_axis(&mut svg, &x, &whole(&x), "s", quantity::short);
    svg.finish()
}

/// Returns the path through points in tenths, each relative to the one before: half as long as an absolute one.
fn compact(points: impl Iterator<Item = Option<(f64, f64)>>) -> String {
    let mut path = String::new();
    let mut before: Option<(f64, f64)> = None;
    for point in points {
        let Some((x, y)) = point else {
            before = None;
            continue;
        };
        let (x, y) = ((x * 10.0).round(), (y * 10.0).round());
        match before {
            Some((from, up)) => {
                path.push_str(&format!("l{} {}", (x - from) / 10.0, (y - up) / 10.0));
            }
            // A line of no length has round ends, so that a point between two gaps is seen.
            None => path.push_str(&format!("M{} {}h0", x / 10.0, y / 10.0)),
        }
        before = Some((x, y));
    }
    path
}

fn summary(series: &[OwnSeries<'_>]) -> Table {
    let mut table = Table::with_head(["series", "unit", "mean, measured", "largest, measured"]);
    let none = || Cell::none("no reading in the measured window");
    for (_, label, one) in series {
        table.rows.push(vec![
            Cell::of(*label),
            Cell::of(unit_word(&one.unit)),
            one.mean.map_or_else(none, Cell::number),
            one.max.map_or_else(none, Cell::number),
        ]);
    }
    table
}

fn unit_word(unit: &str) -> &str {
    if unit.is_empty() { "number" } else { unit }
}

fn values(series: &[OwnSeries<'_>]) -> Table {
    let mut table = Table::with_head(["source", "subject", "name", "unit", "second", "value"]);
    for (_, _, one) in series {
        for (step, value) in one.values.iter().enumerate() {
            table.rows.push(vec![
                Cell::of(&one.source),
                Cell::of(&one.subject),
                Cell::of(&one.name),
                Cell::of(&one.unit),
                Cell::of((number_of(step) * one.step_s).to_string()),
                Cell::of(plain(*value, "")),
            ]);
        }
    }
    table
}

/// Returns a value to six digits.
fn plain(value: Option<f64>, none: &str) -> String {
    let Some(value) = value.filter(|value| value.is_finite()) else { return none.to_owned() };
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    rounded.to_string()
}

const WIDTH: f64 = 360.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compact_path_does_not_drift_and_shows_lone_points() {
        let points = [Some((0.04, 10.0)), Some((1.13, 9.96)), None, Some((3.0, 4.0))];
        assert_eq!(compact(points.into_iter()), "M0 10h0l1.1 0M3 4h0");
        assert_eq!(plain(Some(1.0 / 3.0), ""), "0.333333");
        assert_eq!(plain(None, "null"), "null");
        assert_eq!(plain(Some(f64::NAN), "null"), "null");
    }
}
