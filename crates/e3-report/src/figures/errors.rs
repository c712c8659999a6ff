//! Failures by kind, stage by stage.

use e3_model::{Analysis, StageAnalysis, quantity};

use super::stages::{Own, by_load};
use crate::chart::{Frame, MARKS, Picture, Scale, Svg, escape, shorten};
use crate::figure::{
    Caption, Figure, LegendItem, as_f64, doubt, ends_cells, number_of, stage_name, stamps_of,
};
use crate::table::{Cell, Table};

/// Returns the chart of all stages' failures by kind; none where no op failed.
pub(crate) fn errors(analysis: &Analysis) -> Option<Figure> {
    let own: Vec<Own<'_>> = by_load(analysis).into_iter().flat_map(|(_, own)| own).collect();
    let kinds = kinds(&own);
    if kinds.is_empty() {
        return None;
    }
    let title = "Failures by kind, by load and thread".to_owned();
    let legend = kinds
        .iter()
        .enumerate()
        .map(|(index, kind)| LegendItem::area(&format!("e{index}"), kind, &class(index)));
    let caption = Caption {
        stem: "errors".to_owned(),
        title: title.clone(),
        population: "Failures over all ops that ended, in the measured window; ops that the stage’s end cut off count as neither.".to_owned(),
        stamps: stamps_of(own.iter().map(|own| own.stage)),
    };
    Some(Figure::new(caption, legend.collect(), chart(&own, &kinds, &title), table(&own, &kinds)))
}

fn kinds(own: &[Own<'_>]) -> Vec<String> {
    let mut kinds: Vec<String> = own.iter().flat_map(|own| own.stage.total.errors.keys().cloned()).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

fn class(kind: usize) -> String {
    format!("c{}", kind % MARKS)
}

fn chart(own: &[Own<'_>], kinds: &[String], title: &str) -> Picture {
    let height = ROW * number_of(own.len());
    let frame = Frame { left: 236.0, top: 8.0, width: 416.0, height };
    let mut svg = Svg::new(720.0, height + 54.0, title);
    let most = own.iter().filter_map(|own| own.stage.total.error_rate).fold(0.0, f64::max);
    let x = Scale::from_zero(100.0 * most, frame.across());
    for tick in x.ticks() {
        svg.line("grid", (x.at(tick), frame.top), (x.at(tick), frame.bottom()));
    }
    for (index, one) in own.iter().enumerate() {
        let row = Frame { top: frame.top + ROW * number_of(index), height: ROW, ..frame };
        bar(&mut svg, *one, kinds, (row, &x));
    }
    frame.x_axis(&mut svg, &x, &x.ticks(), "share of the ops that ended, in %", quantity::short);
    svg.finish()
}

fn bar(svg: &mut Svg, own: Own<'_>, kinds: &[String], (row, x): (Frame, &Scale)) {
    let middle = row.top + ROW / 2.0;
    let ends = format!(", {}", own.stage.load());
    let name = format!("{}{ends}", shorten(own.name, 34_usize.saturating_sub(ends.chars().count())));
    svg.text(row.left - 10.0, middle + 4.0, "end", "tick", &name);
    let total = &own.stage.total;
    let mut failed = 0;
    let mut said = Vec::new();
    for (index, kind) in kinds.iter().enumerate() {
        let Some(count) = total.errors.get(kind) else { continue };
        let place = |count: u64| x.at(100.0 * as_f64(count) / as_f64(total.count.max(1)));
        let (from, to) = (place(failed), place(failed + count));
        failed += count;
        svg.put(format_args!(r#"<g data-series="e{index}">"#));
        svg.rectangle(&format!("part {}", class(index)), (from, middle - 9.0), (to - from, 18.0));
        if to - from > 9.0 * number_of(count.to_string().len()) + 4.0 {
            svg.text(from.midpoint(to), middle + 4.0, "middle", "inside", &quantity::count(*count));
        }
        svg.put(format_args!("</g>"));
        said.push((class(index), format!("{kind}: {}", quantity::count(*count))));
    }
    let rate = total.error_rate.map_or_else(|| "nothing ended".to_owned(), quantity::percent);
    let end = x.at(100.0 * as_f64(failed) / as_f64(total.count.max(1)));
    svg.text(end + 6.0, middle + 4.0, "start", "tick", &rate);
    let heading = format!(
        "{}: {} of {} ops failed, {rate}",
        stage_name(own.name, own.stage),
        quantity::count(failed),
        quantity::count(total.count)
    );
    let classes: Vec<&str> = said.iter().map(|(class, _)| class.as_str()).collect();
    let lines: String = said.iter().map(|(_, line)| format!("\n{}", escape(&one_line(line)))).collect();
    svg.put(format_args!(r#"<g class="hit row" data-classes="{}">"#, classes.join(" ")));
    svg.rectangle("area", (4.0, row.top), (row.right() + 60.0, row.height));
    svg.put(format_args!("<title>{}{lines}</title></g>", escape(&one_line(&heading))));
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

fn table(own: &[Own<'_>], kinds: &[String]) -> Table {
    let mut table = Table::with_head(["thread", "load", "ops ended", "failed", "from, 95 %", "to, 95 %"]);
    table.head.extend(kinds.iter().cloned());
    table.head.push("remark".to_owned());
    for Own { name, stage, .. } in own {
        table.rows.push(row(name, stage, kinds));
    }
    table
}

fn row(name: &str, stage: &StageAnalysis, kinds: &[String]) -> Vec<Cell> {
    let total = &stage.total;
    let mut row = vec![Cell::of(name), Cell::of(stage.load().to_string()), Cell::count(total.count)];
    row.push(total.error_rate.map_or_else(|| Cell::none("no op ended"), Cell::share));
    let ends = ends_cells(total.error_rate_interval, "no op ended");
    match total.error_rate_interval {
        Some(interval) => row.extend([Cell::share(interval.low), Cell::share(interval.high)]),
        None => row.extend(ends),
    }
    row.extend(kinds.iter().map(|kind| Cell::count(total.errors.get(kind).copied().unwrap_or(0))));
    row.push(Cell::of(doubt(stage).unwrap_or_default()));
    row
}

const ROW: f64 = 28.0;
