//! A finished chart: within the page, where the page says what it shows, and alone, where it has to say so itself.

use super::{alone_style, escape, shorten};

/// A chart that was drawn.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// What it shows, for those who cannot see it.
    pub(crate) description: String,
    pub(crate) body: String,
    /// Where its time axis lies, for charts whose guides move together.
    pub(crate) time: Option<TimeAxis>,
}

/// A time axis within a picture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeAxis {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
    /// How many seconds it covers, from 0.
    pub(crate) seconds: f64,
}

/// What a picture says when it stands alone.
#[derive(Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) title: &'a str,
    /// What each line or mark means: its picture's inside, 26 wide and 12 high, and its name.
    pub(crate) legend: Vec<(&'a str, &'a str)>,
    /// Population, stamps, remarks.
    pub(crate) notes: Vec<&'a str>,
}

impl Picture {
    /// Returns the picture as an element of a page. What it says when alone is in it, unseen, so that a saved copy has it.
    pub(crate) fn within_page(&self, around: &Surroundings<'_>) -> String {
        let Self { width, height, body, .. } = self;
        let (alone, top, whole) = self.alone(around);
        let time = self.time.map_or_else(String::new, |axis| {
            format!(
                r#" data-time="{} {} {} {} {}""#,
                axis.left, axis.right, axis.top, axis.bottom, axis.seconds
            )
        });
        format!(
            r#"<svg viewBox="0 0 {width} {height}" role="img" aria-label="{}" data-alone="0 {top} {width} {whole}"{time}>{body}{alone}</svg>"#,
            escape(&self.description),
        )
    }

    /// Returns the picture as a file of its own, on a light ground, with its title, legend and notes.
    pub(crate) fn standalone(&self, around: &Surroundings<'_>) -> String {
        let Self { width, body, .. } = self;
        let (alone, top, whole) = self.alone(around);
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 {top} {width} {whole}" width="{width}" height="{whole}" role="img" aria-label="{}"><style>{}</style><rect class="ground" x="0" y="{top}" width="{width}" height="{whole}"/>{body}{}</svg>"#,
            escape(&self.description),
            alone_style(),
            alone.replacen(r#"class="alone""#, r#"class="shown""#, 1),
        ) + "\n"
    }

    /// Returns what is written around the picture, where that begins above it, and how high all of it is.
    fn alone(&self, around: &Surroundings<'_>) -> (String, f64, f64) {
        let mut out = String::new();
        let letters = |size: f64| letters(self.width - 2.0 * MARGIN, size);
        let title = wrapped(around.title, letters(14.0));
        let rows = self.legend_rows(&around.legend);
        let above = MARGIN + TITLE_LINE * lines(title.len()) + LEGEND_LINE * lines(rows.len()) + 4.0;
        let mut y = -above + MARGIN;
        for line in &title {
            y += TITLE_LINE;
            text(&mut out, (MARGIN, y - 4.0), "title", line);
        }
        for row in rows {
            y += LEGEND_LINE;
            for (x, swatch, name) in row {
                out.push_str(&format!(r#"<g transform="translate({x:.0} {:.0})">{swatch}</g>"#, y - 14.0));
                text(&mut out, (x + 32.0, y - 4.0), "", &name);
            }
        }
        let mut y = self.height + 4.0;
        for line in around.notes.iter().flat_map(|note| wrapped(note, letters(11.0))) {
            y += NOTE_LINE;
            text(&mut out, (MARGIN, y), "remark", &line);
        }
        let whole = (above + y + MARGIN).round();
        (format!(r#"<g class="alone">{out}</g>"#), -above.round(), whole)
    }

    fn legend_rows<'a>(&self, items: &[(&'a str, &'a str)]) -> Vec<Vec<(f64, &'a str, String)>> {
        let mut rows: Vec<Vec<(f64, &str, String)>> = Vec::new();
        let mut x = f64::INFINITY;
        for (swatch, name) in items {
            let name = shorten(name, LONGEST_NAME);
            let width = 50.0 + 6.6 * lines(name.chars().count());
            if x + width > self.width {
                rows.push(Vec::new());
                x = MARGIN;
            }
            if let Some(row) = rows.last_mut() {
                row.push((x, swatch, name));
            }
            x += width;
        }
        rows
    }
}

fn text(out: &mut String, (x, y): (f64, f64), class: &str, text: &str) {
    let class = if class.is_empty() { String::new() } else { format!(r#" class="{class}""#) };
    out.push_str(&format!(r#"<text x="{x:.0}" y="{y:.0}"{class}>{}</text>"#, escape(text)));
}

/// Returns how many letters of that size fit; they are about half as wide as high.
fn letters(width: f64, size: f64) -> usize {
    let most = width / (size * 0.56);
    (1_u32..400).take_while(|count| f64::from(*count) <= most).count().max(12)
}

/// Returns a text in lines of at most so many letters, broken between words where there are any.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = shorten(word, most);
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

fn lines(count: usize) -> f64 {
    u32::try_from(count).map_or(0.0, f64::from)
}

const MARGIN: f64 = 14.0;
const TITLE_LINE: f64 = 19.0;
const LEGEND_LINE: f64 = 18.0;
const NOTE_LINE: f64 = 15.0;
const LONGEST_NAME: usize = 44;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable word", 6), ["unbre…", "word"]);
        assert_eq!(wrapped("", 6), Vec::<String>::new());
    }

    #[test]
    fn alone_it_says_what_it_shows() {
        let picture = Picture {
            width: 300.0,
            height: 100.0,
            description: "a < b".to_owned(),
            body: "<path/>".to_owned(),
            time: None,
        };
        let around = Surroundings {
            title: "A title & more",
            legend: vec![("<path/>", "first"), ("<path/>", "second")],
            notes: vec!["Of 12 ops."],
        };
        let alone = picture.standalone(&around);
        for part in ["xmlns=", "A title &amp; more", "first", "second", "Of 12 ops.", "a &lt; b", "<style>"] {
            assert!(alone.contains(part), "{part} in {alone}");
        }
        assert!(!alone.contains("class=\"alone\""), "which a page hides");
        assert!(picture.within_page(&around).starts_with(r#"<svg viewBox="0 0 300 100""#));
    }
}
