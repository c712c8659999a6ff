//! The frame of a plot: its axes, its grid, and the areas that answer to the pointer.

use super::{Place, Scale, Svg, escape};

/// The area of a plot within its picture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// A part of a plot that says its numbers when pointed at.
#[derive(Debug)]
pub(crate) struct Hit {
    /// From where to where it reaches, across.
    pub(crate) span: (f64, f64),
    /// Where its guide line stands.
    pub(crate) guide: f64,
    /// What it says: a heading, then one line per series.
    pub(crate) heading: String,
    /// The class of each line's colour, and the line.
    pub(crate) lines: Vec<(String, String)>,
}

impl Frame {
    pub(crate) fn right(&self) -> f64 {
        self.left + self.width
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// Returns the places of an upright scale, from the bottom to the top.
    pub(crate) fn upwards(&self) -> (f64, f64) {
        (self.bottom(), self.top)
    }

    /// Returns the places of a lying scale, from left to right.
    pub(crate) fn across(&self) -> (f64, f64) {
        (self.left, self.right())
    }

    /// Draws the grid with its numbers on the left, and the axis' name above them.
    pub(crate) fn y_axis(&self, svg: &mut Svg, scale: &Scale, name: &str, shown: impl Fn(f64) -> String) {
        let places: Vec<(f64, f64)> = scale.ticks().into_iter().map(|tick| (tick, scale.at(tick))).collect();
        let (left, right) = (Place(self.left), Place(self.right()));
        let rules: String = places.iter().map(|(_, y)| format!("M{left} {}H{right}", Place(*y))).collect();
        svg.put(format_args!(r#"<path class="rules" d="{rules}"/>"#));
        let texts: Vec<(f64, f64, String)> =
            places.iter().map(|(tick, y)| (self.left - 7.0, y + 4.0, shown(*tick))).collect();
        svg.texts("end", &texts);
        svg.text(4.0, self.top - 17.0, "start", "axis", name);
    }

    /// Draws the lower axis with its numbers, and the axis' name below them.
    pub(crate) fn x_axis(
        &self,
        svg: &mut Svg,
        scale: &Scale,
        ticks: &[f64],
        name: &str,
        shown: impl Fn(f64) -> String,
    ) {
        let (left, right, bottom) = (Place(self.left), Place(self.right()), self.bottom());
        let mut lines = format!("M{left} {}H{right}", Place(bottom));
        let mut texts = Vec::new();
        let mut free_from = f64::NEG_INFINITY;
        for tick in ticks {
            let (x, text) = (scale.at(*tick), shown(*tick));
            let half = 4.0 * number_of(text.chars().count()) + 3.0;
            lines.push_str(&format!("M{} {}v4", Place(x), Place(bottom)));
            if x - half >= free_from {
                texts.push((x, bottom + 17.0, text));
                free_from = x + half;
            }
        }
        svg.put(format_args!(r#"<path class="base" d="{lines}"/>"#));
        svg.texts("middle", &texts);
        svg.text(self.right(), self.bottom() + 34.0, "end", "axis", name);
    }

    /// Says in the middle of an empty plot why it is empty.
    pub(crate) fn remark(&self, svg: &mut Svg, text: &str) {
        let (x, y) = (self.left.midpoint(self.right()), self.top.midpoint(self.bottom()));
        svg.text(x, y, "middle", "remark", text);
    }

    /// Draws an area that says its numbers when pointed at.
    pub(crate) fn hit(&self, svg: &mut Svg, hit: &Hit) {
        let (from, to) = hit.span;
        let classes: Vec<&str> = hit.lines.iter().map(|(class, _)| class.as_str()).collect();
        let lines: String =
            hit.lines.iter().map(|(_, line)| format!("\n{}", escape(&one_line(line)))).collect();
        svg.put(format_args!(r#"<g class="hit" data-classes="{}">"#, escape(&classes.join(" "))));
        svg.line("guide", (hit.guide, self.top), (hit.guide, self.bottom()));
        svg.rectangle("area", (from, self.top), (to - from, self.height));
        svg.put(format_args!("<title>{}{lines}</title></g>", escape(&one_line(&hit.heading))));
    }
}

/// A line feed in a name would begin another line of what is said.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

fn number_of(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}
