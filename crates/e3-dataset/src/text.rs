//! The contents of files: plausible lines, and the edits that commits make to them.

use crate::draw::Draw;
use crate::words::{NOUNS, QUALITIES, VERBS};

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Markdown.
    Prose,
    /// Rust.
    Rust,
    /// Python.
    Python,
    /// Java.
    Java,
    /// YAML.
    Settings,
    /// Noise behind the signature of a PNG image.
    Image,
    /// Noise of so many bytes: a build's product, a document, a large image.
    Asset(u32),
}

/// One file as it is at one time.
#[derive(Debug)]
pub(crate) enum Content {
    Lines { kind: Kind, lines: Vec<String> },
    Bytes(Vec<u8>),
}

impl Content {
    /// Returns a new file.
    pub(crate) fn new(kind: Kind, draw: &mut Draw) -> Self {
        match kind {
            Kind::Image => return Self::Bytes(image(draw)),
            Kind::Asset(length) => return Self::Bytes(noise(length as usize, draw)),
            _ => {}
        }
        let length = match draw.below(32) {
            0 => draw.between(100, MOST_LINES),
            _ => SHORTEST + draw.skewed(100),
        };
        Self::Lines { kind, lines: (0..length).map(|_| line(kind, draw)).collect() }
    }

    /// Changes a few lines in one to three places; an image becomes another one.
    pub(crate) fn edit(&mut self, draw: &mut Draw) {
        match self {
            Self::Bytes(bytes) => *bytes = image(draw),
            Self::Lines { kind, lines } => {
                for _ in 0..=draw.skewed(3) {
                    edit_one_place(*kind, lines, draw);
                }
            }
        }
    }

    /// Appends the file's bytes to `bytes`, which it empties first.
    pub(crate) fn render(&self, bytes: &mut Vec<u8>) {
        bytes.clear();
        match self {
            Self::Bytes(content) => bytes.extend_from_slice(content),
            Self::Lines { lines, .. } => {
                for line in lines {
                    bytes.extend_from_slice(line.as_bytes());
                    bytes.push(b'\n');
                }
            }
        }
    }
}

/// Replaces a line, adds up to four or removes up to three; short files grow more often than long ones.
fn edit_one_place(kind: Kind, lines: &mut Vec<String>, draw: &mut Draw) {
    let position = draw.below(lines.len());
    let new = line(kind, draw);
    let resizes = draw.chance(2, 5);
    if resizes && lines.len() < draw.below(2 * TYPICAL) {
        let more = (0..draw.below(4)).map(|_| line(kind, draw)).collect::<Vec<_>>();
        lines.splice(position..position, std::iter::once(new).chain(more));
    } else if resizes && lines.len() >= SHORTEST + 3 {
        let end = (position + draw.between(1, 3)).min(lines.len());
        lines.drain(position..end);
    } else if let Some(old) = lines.get_mut(position) {
        *old = new;
    }
}

fn line(kind: Kind, draw: &mut Draw) -> String {
    let templates: &[&str] = match kind {
        Kind::Prose => &PROSE,
        Kind::Rust => &RUST,
        Kind::Python => &PYTHON,
        Kind::Java => &JAVA,
        Kind::Settings => &SETTINGS,
        Kind::Image | Kind::Asset(_) => &[],
    };
    fill(draw.pick(templates), draw)
}

/// Returns the template with `@` replaced by a thing, `!` by a verb, `~` by a quality and `%` by a number.
pub(crate) fn fill(template: &str, draw: &mut Draw) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(template.len() * 3);
    for letter in template.chars() {
        match letter {
            '@' => text.push_str(draw.pick(&NOUNS)),
            '!' => text.push_str(draw.pick(&VERBS)),
            '~' => text.push_str(draw.pick(&QUALITIES)),
            '%' => {
                let number = draw.skewed(5000);
                let _ = write!(text, "{number}");
            }
            other => text.push(other),
        }
    }
    text
}

/// Returns bytes that no compression makes smaller, as archives are.
fn noise(length: usize, draw: &mut Draw) -> Vec<u8> {
    let mut bytes = vec![0; length];
    draw.fill(&mut bytes);
    bytes
}

fn image(draw: &mut Draw) -> Vec<u8> {
    let mut bytes = noise(draw.between(400, 4000), draw);
    bytes.splice(..PNG_SIGNATURE.len(), PNG_SIGNATURE);
    bytes
}

/// Source: PNG specification, section 5.2.
const PNG_SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'];
const SHORTEST: usize = 20;
/// Edits bring a file's length near this.
const TYPICAL: usize = 50;
const MOST_LINES: usize = 400;

const PROSE: [&str; 12] = [
    "The ~ @ of each @ is kept until the next @ comes.",
    "Any @ without its ~ @ is an error; ! the @ first.",
    "",
    "## How to ! the ~ @",
    "",
    "- ! the @ before the @ expires",
    "- each ~ @ has at most % @ entries",
    "When the @ is ~, the service will ! it and ! the @ again after % seconds.",
    "",
    "    $ tool ! --@ % --~-@ file.@",
    "See the @ page for what each ~ @ means, and why the @ must not be ~.",
    "The limit is % for each ~ @ and % for all others.",
];

const RUST: [&str; 16] = [
    "    let @ = self.@.!(@, %)?;",
    "    let mut @ = Vec::with_capacity(%);",
    "    if @.len() > % {",
    "        return Err(Error::~(@));",
    "    }",
    "",
    "/// Returns the ~ @ of this @.",
    "pub fn !_@(@: &@, @: u64) -> Result<@> {",
    "    for @ in &self.~_@ {",
    "        @.!_@(@, %);",
    "    }",
    "    // The ~ @ is read once, as the @ may change.",
    "    Ok(@)",
    "}",
    "",
    "    @.!(|@| @.@ > %);",
];

const PYTHON: [&str; 14] = [
    "def !_@(@, ~_@=%):",
    "    \"\"\"Returns the ~ @ of this @.\"\"\"",
    "    if not @.~:",
    "        raise ValueError(\"no ~ @\")",
    "    @ = self.@.!(@, %)",
    "    for @ in !_@(@):",
    "        @[\"@\"] = @.!()",
    "    return @",
    "",
    "",
    "# The ~ @ is read once, as the @ may change.",
    "    with !(@) as @:",
    "        @.!(@, ~=%)",
    "    assert len(@) <= %",
];

const JAVA: [&str; 14] = [
    "    private final Map<String, Long> @ = new HashMap<>(%);",
    "    /** Returns the ~ @ of this @. */",
    "    public long !(final String @, final int @) {",
    "        if (@ > %) {",
    "            throw new IllegalStateException(\"~ @\");",
    "        }",
    "        this.@ = @.!(@);",
    "        return @.!(%);",
    "    }",
    "",
    "        for (final String @ : this.@) {",
    "            @.!(@, %);",
    "        }",
    "        // The ~ @ is read once, as the @ may change.",
];

const SETTINGS: [&str; 8] = [
    "@:",
    "  ~_@: %",
    "  @: \"~-@-%\"",
    "  !_@: true",
    "    @: [%, %, %]",
    "  # The ~ @ wins over the @.",
    "  - @: ~",
    "    ~: %",
];

#[cfg(test)]
mod tests {
    use e3_model::Seed;

    use super::*;

    #[test]
    fn edits_keep_a_file_within_its_bounds() {
        let mut draw = Draw::of(Seed(5), 0);
        for kind in [Kind::Prose, Kind::Rust, Kind::Python, Kind::Java, Kind::Settings] {
            let mut file = Content::new(kind, &mut draw);
            let mut last = Vec::new();
            for _ in 0..2000 {
                file.edit(&mut draw);
                let mut bytes = Vec::new();
                file.render(&mut bytes);
                let lines = bytes.iter().filter(|&&byte| byte == b'\n').count();
                assert!((SHORTEST..=MOST_LINES).contains(&lines), "{kind:?} has {lines} lines");
                last = bytes;
            }
            assert!(std::str::from_utf8(&last).is_ok());
        }
    }

    #[test]
    fn templates_are_filled() {
        let text = fill("a @ of ~ !, %", &mut Draw::of(Seed(5), 0));
        assert!(!text.contains(['@', '~', '!', '%']), "{text}");
    }
}
