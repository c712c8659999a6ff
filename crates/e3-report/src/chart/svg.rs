//! Writing SVG, and the marks that tell threads apart without colour.

use std::fmt::{self, Write as _};

use super::{Line, Picture, TimeAxis};

/// How many colours there are.
pub(crate) const MARKS: usize = 8;

/// An SVG picture that is being written.
#[derive(Debug)]
pub(crate) struct Svg {
    picture: Picture,
}

impl Svg {
    /// Returns an empty picture of that size with a description for those who cannot see it.
    pub(crate) fn new(width: f64, height: f64, description: &str) -> Self {
        let (description, body) = (description.to_owned(), String::new());
        Self { picture: Picture { width, height, description, body, time: None } }
    }

    /// Adds markup; every text in it that comes from a document has to go through [`escape`].
    pub(crate) fn put(&mut self, markup: fmt::Arguments<'_>) {
        let _ = self.picture.body.write_fmt(markup);
    }

    /// Adds a line of text; `anchor` is `start`, `middle` or `end`.
    pub(crate) fn text(&mut self, x: f64, y: f64, anchor: &str, class: &str, text: &str) {
        self.put(format_args!(
            r#"<text x="{}" y="{}" text-anchor="{anchor}" class="{class}">{}</text>"#,
            Place(x),
            Place(y),
            escape(text)
        ));
    }

    /// Adds a straight line.
    pub(crate) fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.put(format_args!(
            r#"<line class="{class}" x1="{}" y1="{}" x2="{}" y2="{}"/>"#,
            Place(x1),
            Place(y1),
            Place(x2),
            Place(y2)
        ));
    }

    /// Adds lines of text beneath or above each other, or side by side, with one anchor.
    pub(crate) fn texts(&mut self, anchor: &str, texts: &[(f64, f64, String)]) {
        self.put(format_args!(r#"<g text-anchor="{anchor}">"#));
        for (x, y, text) in texts {
            self.put(format_args!(r#"<text x="{}" y="{}">{}</text>"#, Place(*x), Place(*y), escape(text)));
        }
        self.put(format_args!("</g>"));
    }

    /// Adds a rectangle, if it has an area.
    pub(crate) fn rectangle(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        if width <= 0.0 || height <= 0.0 {
            return;
        }
        self.put(format_args!(
            r#"<rect class="{class}" x="{}" y="{}" width="{}" height="{}"/>"#,
            Place(x),
            Place(y),
            Place(width),
            Place(height)
        ));
    }

    /// Says where the picture's time axis lies.
    pub(crate) fn time(&mut self, axis: TimeAxis) {
        self.picture.time = Some(axis);
    }

    /// Returns the finished picture.
    pub(crate) fn finish(self) -> Picture {
        self.picture
    }
}

/// A place in a picture, written to a tenth, as short as it can be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place(pub(crate) f64);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Adding 0 makes the negative zero a positive one.
        write!(f, "{}", (self.0 * 10.0).round() / 10.0 + 0.0)
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
    let at = |dx: f64, dy: f64| (Place(x + dx), Place(y + dy));
    // Beyond eight threads, colours return with another shape.
    match (thread + thread / MARKS) % 4 {
        0 => format!(r#"<circle class="{class}" cx="{}" cy="{}" r="4"/>"#, at(0.0, 0.0).0, at(0.0, 0.0).1),
        1 => format!(
            r#"<rect class="{class}" x="{}" y="{}" width="7" height="7"/>"#,
            at(-3.5, -3.5).0,
            at(-3.5, -3.5).1
        ),
        2 => format!(r#"<path class="{class}" d="M{} {}l4.6 8h-9.2z"/>"#, at(0.0, -5.0).0, at(0.0, -5.0).1),
        _ => {
            format!(r#"<path class="{class}" d="M{} {}l5 5l-5 5l-5-5z"/>"#, at(0.0, -5.0).0, at(0.0, -5.0).1)
        }
    }
}

/// Returns the inside of a picture of a line in a legend, 26 wide and 12 high: in the colour of that class, with the
/// mark of a thread where there is one.
pub(crate) fn swatch(colour: &str, line: Line, thread: Option<usize>) -> String {
    let point = thread.map_or_else(String::new, |thread| mark(thread, 13.0, 6.0, false));
    format!(r#"<path class="line {colour} {}" d="M1 6H25"/>{point}"#, line.class())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(escape(r#"<script>"a" & 'b'"#), "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;");
    }

    #[test]
    fn places_are_short() {
        for (place, written) in
            [(58.0, "58"), (112.84, "112.8"), (-0.01, "0"), (-3.55, "-3.6"), (0.1 + 0.2, "0.3")]
        {
            assert_eq!(Place(place).to_string(), written);
        }
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
