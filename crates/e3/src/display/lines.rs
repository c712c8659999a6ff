//! The lines of the display: a function of the state, the terminal's size and the time.

use std::time::Duration;

use e3_model::quantity;

use super::state::{Running, State, latency, span};
use crate::screen::Line;
use crate::terminal::{Size, Style};
use crate::text;

/// Returns a line per running thread, then one about the whole run; none wider than the terminal, and fewer than it has
/// rows.
pub(super) fn lines(state: &State, size: Size, now: Duration, style: Style) -> Vec<Line> {
    if state.is_over() {
        return Vec::new();
    }
    // The last column stays free: some terminals break a line that reaches it.
    let columns = size.columns.saturating_sub(1);
    let room = size.rows.saturating_sub(2).max(1);
    let widths = Widths::of(&state.running, columns, now);
    let mut rows: Vec<Row> = state.running.iter().map(|running| thread(running, &widths, now)).collect();
    // They stand below each other: what one of them must leave out, all leave out.
    let kept = rows.iter().map(|row| row.kept(columns)).min().unwrap_or(0);
    rows.iter_mut().for_each(|row| row.fields.retain(|field| field.rank <= kept));
    let (_, stages) = state.stages();
    if stages > 1 || state.searches() {
        rows.push(whole(state, now));
    }
    let hidden = (rows.len()).saturating_sub(room);
    if hidden > 0 {
        // The line about the whole run stays: it is the last one.
        let at = rows.len().saturating_sub(hidden + 2);
        rows.splice(at..=at + hidden, [more(hidden + 1)]);
    }
    rows.into_iter().map(|row| row.fit(columns, style)).collect()
}

/// How wide the figures of all threads are that differ in width.
struct Widths {
    name: usize,
    load: usize,
    left: usize,
    errors: usize,
}

impl Widths {
    fn of(running: &[Running], columns: usize, now: Duration) -> Self {
        let widest = |width: &dyn Fn(&Running) -> usize| running.iter().map(width).max().unwrap_or(0);
        Self {
            name: widest(&|running| text::columns(&running.thread))
                .clamp(SHORTEST_NAME, (columns / 4).clamp(SHORTEST_NAME, LONGEST_NAME)),
            load: widest(&|running| text::columns(&running.load(now))),
            left: widest(&|running| text::columns(&span(running.duration()))) + " left".len(),
            errors: widest(&|running| text::columns(&errors(running))).max(ERRORS),
        }
    }
}

fn errors(running: &Running) -> String {
    format!("{} {}", quantity::count(running.errors), if running.errors == 1 { "error" } else { "errors" })
}

/// A line before it is fitted.
struct Row {
    fields: Vec<Field>,
}

/// One figure of a line.
struct Field {
    text: String,
    look: Look,
    /// Fields of a higher rank are left out first when there is no room.
    rank: u8,
}

/// How a field looks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Plain,
    Bold,
    Bad,
    Dim,
    /// What is left of the line, as a bar for a share of 0 to 1 in thousandths.
    Bar(u16),
}

fn thread(running: &Running, widths: &Widths, now: Duration) -> Row {
    let recent = running.recent.unwrap_or_default();
    let rate =
        if running.recent.is_some() { quantity::rate(recent.rate_per_s) } else { "– ops/s".to_owned() };
    let errors = errors(running);
    let name = text::left(&text::shortened(&running.thread, widths.name), widths.name);
    let left = if running.is_ending(now) {
        "ending".to_owned()
    } else {
        format!("{} left", span(running.left(now)))
    };
    let (position, of) = running.place;
    let of_digits = of.to_string().len();
    let probe = running.probe.map_or_else(String::new, |probe| format!(" probe {:>2}", probe.number));
    Row {
        fields: vec![
            Field::new(name, Look::Bold, 0),
            Field::new(format!("{position:>of_digits$}/{of}{probe}"), Look::Dim, 6),
            Field::new(text::right(&running.load(now), widths.load), Look::Plain, 5),
            Field::new(String::new(), Look::Bar(thousandths(running.done(now))), 7),
            Field::new(text::right(&left, widths.left), Look::Plain, 2),
            Field::new(text::right(&rate, RATE), Look::Bold, 0),
            Field::new(
                text::right(&errors, widths.errors),
                if running.errors > 0 { Look::Bad } else { Look::Plain },
                1,
            ),
            Field::new(format!("p50 {}", text::right(&latency(recent.p50_ms), LATENCY)), Look::Plain, 4),
            Field::new(format!("p99 {}", text::right(&latency(recent.p99_ms), LATENCY)), Look::Plain, 3),
        ],
    }
}

fn whole(state: &State, now: Duration) -> Row {
    let (ended, of) = state.stages();
    let left = if ended == of {
        "done".to_owned()
    } else {
        format!("{} {} left", state.about(), span(state.left(now)))
    };
    Row {
        fields: vec![
            Field::new("run".to_owned(), Look::Dim, 0),
            Field::new(format!("{ended} of {of} stages done"), Look::Dim, 1),
            Field::new(String::new(), Look::Bar(thousandths(state.done(now))), 2),
            Field::new(left, Look::Dim, 0),
        ],
    }
}

fn more(hidden: usize) -> Row {
    Row { fields: vec![Field::new(format!("… and {hidden} more threads"), Look::Dim, 0)] }
}

impl Field {
    fn new(text: String, look: Look, rank: u8) -> Self {
        Self { text, look, rank }
    }

    fn columns(&self) -> usize {
        if matches!(self.look, Look::Bar(_)) { SHORTEST_BAR } else { text::columns(&self.text) }
    }

    fn shown(&self, bar: usize, style: Style) -> String {
        match self.look {
            Look::Plain => self.text.clone(),
            Look::Bold => style.bold(&self.text),
            Look::Bad => style.bad(&self.text),
            Look::Dim => style.dim(&self.text),
            Look::Bar(share) => {
                let full = (usize::from(share) * bar / 1000).min(bar);
                format!("{}{}", FULL.repeat(full), style.dim(&EMPTY.repeat(bar - full)))
            }
        }
    }
}

impl Row {
    /// Returns the highest rank that can stay if the line is to fit.
    fn kept(&self, columns: usize) -> u8 {
        let ranks = (0..=self.fields.iter().map(|field| field.rank).max().unwrap_or(0)).rev();
        ranks.into_iter().find(|rank| self.columns_to(*rank) <= columns).unwrap_or(0)
    }

    /// Leaves out what does not fit, gives the bar what is left, and cuts what is still too long.
    fn fit(mut self, columns: usize, style: Style) -> Line {
        let kept = self.kept(columns);
        self.fields.retain(|field| field.rank <= kept);
        if self.columns() > columns {
            let whole = self.fields.iter().map(|field| field.text.as_str()).collect::<Vec<_>>().join("  ");
            let cut = text::shortened(&whole, columns);
            return Line { columns: text::columns(&cut), shown: cut };
        }
        let bar = (SHORTEST_BAR + columns - self.columns()).min(LONGEST_BAR);
        let has_bar = self.fields.iter().any(|field| matches!(field.look, Look::Bar(_)));
        let taken = self.columns() + if has_bar { bar - SHORTEST_BAR } else { 0 };
        let shown: Vec<_> = self.fields.iter().map(|field| field.shown(bar, style)).collect();
        Line { shown: shown.join("  "), columns: taken }
    }

    fn columns(&self) -> usize {
        self.columns_to(u8::MAX)
    }

    fn columns_to(&self, rank: u8) -> usize {
        let kept = self.fields.iter().filter(|field| field.rank <= rank).map(|field| field.columns() + 2);
        kept.sum::<usize>().saturating_sub(2)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 to 1000")]
fn thousandths(share: f64) -> u16 {
    (share.clamp(0.0, 1.0) * 1000.0) as u16
}

const FULL: &str = "━";
const EMPTY: &str = "─";
const SHORTEST_BAR: usize = 6;
const LONGEST_BAR: usize = 40;
const SHORTEST_NAME: usize = 3;
const LONGEST_NAME: usize = 24;
/// Columns of figures that come and go, so that nothing jumps: `12,300 ops/s`, `0 errors`, `3.10 ms`.
const RATE: usize = 12;
const ERRORS: usize = 8;
const LATENCY: usize = 7;

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
