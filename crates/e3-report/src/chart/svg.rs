//! Writing SVG, and the marks that tell threads apart without colour.

use std::fmt::{self, Write as _};

use super::Line;

/// How many colours there are.
pub(crate) const MARKS: usize = 8;

/// An SVG picture that is being written.
#[derive(Debug)]
pub(crate) struct Svg {
    text: String,
}

impl Svg {
    /// Returns an empty picture of that size with a description for those who cannot see it.
    pub(crate) fn new(width: f64, height: f64, description: &str) -> Self {
        let mut svg = Self { text: String::new() };
        svg.put(format_args!(
            r#"<svg viewBox="0 0 {width} {height}" role="img" aria-label="{}" preserveAspectRatio="xMidYMid meet">"#,
            escape(description)
        ));
        svg
    }

    /// Adds markup; every text in it that comes from a document has to go through [`escape`].
    pub(crate) fn put(&mut self, markup: fmt::Arguments<'_>) {
        let _ = self.text.write_fmt(markup);
    }

    /// Adds a line of text; `anchor` is `start`, `middle` or `end`.
    pub(crate) fn text(&mut self, x: f64, y: f64, anchor: &str, class: &str, text: &str) {
        self.put(format_args!(
            r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" class="{class}">{}</text>"#,
            escape(text)
        ));
    }

    /// Adds a straight line.
    pub(crate) fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.put(format_args!(
            r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#
        ));
    }

    /// Adds a rectangle; a negative width or height counts as none.
    pub(crate) fn rectangle(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        let (width, height) = (width.max(0.0), height.max(0.0));
        self.put(format_args!(
            r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}"/>"#
        ));
    }

    /// Returns the finished picture.
    pub(crate) fn finish(mut self) -> String {
        self.text.push_str("</svg>");
        self.text
    }
}

/// Returns text as it has to stand in markup, within an element or an attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Returns text of at most so many characters; what is cut off is an ellipsis.
pub(crate) fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// Returns the mark of a thread: its colour and its shape, so that print and colour blindness take nothing away.
pub(crate) fn mark(thread: usize, x: f64, y: f64, hollow: bool) -> String {
    let class = format!("point c{}{}", thread % MARKS, if hollow { " hollow" } else { "" });
    // Beyond eight threads, colours return with another shape.
    match (thread + thread / MARKS) % 4 {
        0 => format!(r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="4"/>"#),
        1 => format!(r#"<rect class="{class}" x="{:.1}" y="{:.1}" width="7" height="7"/>"#, x - 3.5, y - 3.5),
        2 => format!(r#"<path class="{class}" d="M{x:.1} {:.1}l4.6 8h-9.2z"/>"#, y - 5.0),
        _ => format!(r#"<path class="{class}" d="M{x:.1} {:.1}l5 5l-5 5l-5-5z"/>"#, y - 5.0),
    }
}

/// Returns the picture of a line in a legend: in a thread's colour, or in none.
pub(crate) fn swatch(thread: Option<usize>, line: Line, with_mark: bool) -> String {
    let colour = thread.map_or_else(|| "neutral".to_owned(), |thread| format!("c{}", thread % MARKS));
    let point =
        thread.filter(|_| with_mark).map_or_else(String::new, |thread| mark(thread, 13.0, 6.0, false));
    format!(
        r#"<svg class="swatch" viewBox="0 0 26 12" aria-hidden="true"><path class="line {colour} {}" d="M1 6H25"/>{point}</svg>"#,
        line.class()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(escape(r#"<script>"a" & 'b'"#), "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;");
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        assert_eq!(shorten("zwölf Knoten", 6), "zwölf…");
        assert_eq!(shorten("zwölf", 5), "zwölf");
    }

    #[test]
    fn the_first_32_threads_look_different() {
        let looks: std::collections::BTreeSet<String> =
            (0..32).map(|thread| mark(thread, 0.0, 0.0, false)).collect();
        assert_eq!(looks.len(), 32);
    }
}
