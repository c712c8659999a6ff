//! The text exposition format, version 0.0.4, line by line.
//!
//! Source: Prometheus' "Exposition formats", text-based format; its parser in `prometheus/common/expfmt` decides where
//! the page is silent.

use std::collections::{BTreeMap, BTreeSet};

/// What a text says: every sample that is whole, and every mistake. No text is an error as a whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exposition {
    /// The samples in the order of their lines.
    pub samples: Vec<Sample>,
    /// What was wrong, in the order of the lines; a strict reader would refuse a text that has any.
    pub mistakes: Vec<Mistake>,
}

/// One number.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its name, such as `http_request_seconds_sum`.
    pub name: String,
    /// The metric that it belongs to, such as `http_request_seconds`; most often the same.
    pub family: String,
    /// What kind of metric that is.
    pub kind: Kind,
    /// Its labels in the order of their names.
    pub labels: BTreeMap<String, String>,
    /// The number, which may be infinite or none.
    pub value: f64,
}

/// What a number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, until its server begins anew.
    Counter,
    /// Is as it is.
    Gauge,
    /// Cumulative counts by upper bounds, with `_sum` and `_count`.
    Histogram,
    /// Quantiles, with `_sum` and `_count`.
    Summary,
    /// Its server does not tell.
    Untyped,
}

/// A line that a strict reader would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Reads a text.
pub fn parse(text: &str) -> Exposition {
    let mut reader = Reader::default();
    for (line, text) in (1..).zip(text.split('\n')) {
        if let Err(reason) = reader.line(text.strip_suffix('\r').unwrap_or(text)) {
            reader.exposition.mistakes.push(Mistake { line, reason });
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        let line = text.split('\n').count();
        reader.exposition.mistakes.push(Mistake { line, reason: "the last line is not ended" });
    }
    reader.exposition
}

#[derive(Default)]
struct Reader {
    exposition: Exposition,
    kinds: BTreeMap<String, Kind>,
    helped: BTreeSet<String>,
    /// Families that have samples.
    begun: BTreeSet<String>,
    /// The family of the last sample: those of one stand together.
    current: String,
    seen: BTreeSet<(String, BTreeMap<String, String>)>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), &'static str> {
        let line = line.trim_matches(BLANK);
        match line.strip_prefix('#') {
            Some(comment) => self.comment(comment.trim_start_matches(BLANK)),
            None if line.is_empty() => Ok(()),
            None => self.sample(line),
        }
    }

    fn comment(&mut self, comment: &str) -> Result<(), &'static str> {
        let (word, rest) = comment.split_once(BLANK).unwrap_or((comment, ""));
        if word != "TYPE" && word != "HELP" {
            return Ok(());
        }
        let rest = rest.trim_start_matches(BLANK);
        let (name, rest) = rest.split_once(BLANK).unwrap_or((rest, ""));
        if take_name(name, true).is_none_or(|(_, after)| !after.is_empty()) {
            return Err("a comment about no metric");
        }
        if word == "HELP" {
            return if self.helped.insert(name.to_owned()) { Ok(()) } else { Err("a second HELP") };
        }
        let kind = match rest.trim_matches(BLANK) {
            "counter" => Kind::Counter,
            "gauge" => Kind::Gauge,
            "histogram" => Kind::Histogram,
            "summary" => Kind::Summary,
            "untyped" => Kind::Untyped,
            _ => return Err("a TYPE that there is not"),
        };
        if self.begun.contains(name) {
            return Err("a TYPE after samples of its metric");
        }
        if self.kinds.contains_key(name) {
            return Err("a second TYPE");
        }
        self.kinds.insert(name.to_owned(), kind);
        Ok(())
    }

    fn sample(&mut self, line: &str) -> Result<(), &'static str> {
        let (name, rest) = take_name(line, true).ok_or("no name of a metric")?;
        let rest = rest.trim_start_matches(BLANK);
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(rest) => take_labels(rest)?,
            None => (BTreeMap::new(), rest),
        };
        let mut words = rest.split(BLANK).filter(|word| !word.is_empty());
        let value = words.next().ok_or("no value")?;
        let value = parse_value(value).ok_or("a value that is no number")?;
        if words.next().is_some_and(|timestamp| timestamp.parse::<i64>().is_err()) {
            return Err("a timestamp that is no whole number");
        }
        if words.next().is_some() {
            return Err("more than a value and a timestamp");
        }
        let (family, kind) = self.family(name);
        if kind == Kind::Histogram && name.ends_with("_bucket") && !labels.contains_key("le") {
            return Err("a bucket without its bound");
        }
        if !self.seen.insert((name.to_owned(), labels.clone())) {
            return Err("a second sample of the same series");
        }
        let is_apart = family != self.current && !self.begun.insert(family.clone());
        self.current.clone_from(&family);
        self.exposition.samples.push(Sample { name: name.to_owned(), family, kind, labels, value });
        if is_apart { Err("a sample apart from the others of its metric") } else { Ok(()) }
    }

    /// Returns the metric that a sample of this name belongs to.
    fn family(&self, name: &str) -> (String, Kind) {
        if let Some(kind) = self.kinds.get(name) {
            return (name.to_owned(), *kind);
        }
        for suffix in ["_sum", "_count", "_bucket"] {
            let family = name.strip_suffix(suffix).and_then(|family| self.kinds.get_key_value(family));
            if let Some((family, kind)) = family
                && (*kind == Kind::Histogram || *kind == Kind::Summary && suffix != "_bucket")
            {
                return (family.clone(), *kind);
            }
        }
        (name.to_owned(), Kind::Untyped)
    }
}

/// Returns the name that a text begins with, and what follows; of a metric, or else of a label.
fn take_name(text: &str, of_metric: bool) -> Option<(&str, &str)> {
    let is_part = |(index, letter): (usize, char)| {
        letter.is_ascii_alphabetic()
            || letter == '_'
            || of_metric && letter == ':'
            || index > 0 && letter.is_ascii_digit()
    };
    let end = text.char_indices().find(|part| !is_part(*part)).map_or(text.len(), |(index, _)| index);
    text.split_at_checked(end).filter(|(name, _)| !name.is_empty())
}

/// Reads labels up to the closing brace; returns them and what follows it.
fn take_labels(mut rest: &str) -> Result<(BTreeMap<String, String>, &str), &'static str> {
    let mut labels = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches(BLANK);
        if let Some(rest) = rest.strip_prefix('}') {
            return Ok((labels, rest));
        }
        let (name, after) = take_name(rest, false).ok_or("no name of a label")?;
        let after = after.trim_start_matches(BLANK).strip_prefix('=').ok_or("a label without a value")?;
        let after =
            after.trim_start_matches(BLANK).strip_prefix('"').ok_or("a label's value without quotes")?;
        let (value, after) = take_quoted(after)?;
        if labels.insert(name.to_owned(), value).is_some() {
            return Err("a label twice");
        }
        rest = after.trim_start_matches(BLANK);
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.starts_with('}') => {}
            None => return Err("labels without their closing brace"),
        }
    }
}

/// Reads a value up to its closing quote; returns it and what follows.
fn take_quoted(text: &str) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let mut letters = text.chars();
    loop {
        match letters.next().ok_or("a value without its closing quote")? {
            '"' => return Ok((value, letters.as_str())),
            '\\' => match letters.next() {
                Some('\\') => value.push('\\'),
                Some('"') => value.push('"'),
                Some('n') => value.push('\n'),
                _ => return Err("an escape that there is not"),
            },
            letter => value.push(letter),
        }
    }
}

/// Source: Go's `strconv.ParseFloat`, as far as servers write it: decimal, `Inf` and `NaN` with or without a sign.
fn parse_value(text: &str) -> Option<f64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    text.parse().ok().filter(|_| is_plain)
}

/// What separates words.
const BLANK: [char; 2] = [' ', '\t'];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn only(text: &str) -> Sample {
        let exposition = parse(&format!("{text}\n"));
        assert_eq!(exposition.mistakes, [], "{text}");
        assert_eq!(exposition.samples.len(), 1, "{text}");
        exposition.samples.into_iter().next().unwrap()
    }

    #[test]
    fn reads_the_example_of_the_format() {
        // Source: the text-format example of Prometheus' "Exposition formats".
        let text = r#"# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} 1.458255915e9

# Minimalistic line:
metric_without_timestamp_and_labels 12.47

# A weird metric from before the epoch:
something_weird{problem="division by zero"} +Inf -3982045

# A histogram, which has a pretty complex representation in the text format:
# HELP http_request_duration_seconds A histogram of the request duration.
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.05"} 24054
http_request_duration_seconds_bucket{le="+Inf"} 144320
http_request_duration_seconds_sum 53423
http_request_duration_seconds_count 144320

# Finally a summary, which has a complex representation, too:
# HELP rpc_duration_seconds A summary of the RPC duration in seconds.
# TYPE rpc_duration_seconds summary
rpc_duration_seconds{quantile="0.01"} 3102
rpc_duration_seconds_sum 1.7560473e+07
rpc_duration_seconds_count 2693
"#;
        let exposition = parse(text);
        assert_eq!(exposition.mistakes, []);
        let read: Vec<_> = exposition
            .samples
            .iter()
            .map(|sample| (sample.name.as_str(), sample.kind, sample.value))
            .collect();
        assert_eq!(
            read,
            [
                ("http_requests_total", Kind::Counter, 1027.0),
                ("http_requests_total", Kind::Counter, 3.0),
                ("msdos_file_access_time_seconds", Kind::Untyped, 1.458_255_915e9),
                ("metric_without_timestamp_and_labels", Kind::Untyped, 12.47),
                ("something_weird", Kind::Untyped, f64::INFINITY),
                ("http_request_duration_seconds_bucket", Kind::Histogram, 24_054.0),
                ("http_request_duration_seconds_bucket", Kind::Histogram, 144_320.0),
                ("http_request_duration_seconds_sum", Kind::Histogram, 53_423.0),
                ("http_request_duration_seconds_count", Kind::Histogram, 144_320.0),
                ("rpc_duration_seconds", Kind::Summary, 3_102.0),
                ("rpc_duration_seconds_sum", Kind::Summary, 1.756_047_3e7),
                ("rpc_duration_seconds_count", Kind::Summary, 2_693.0),
            ]
        );
        assert_eq!(exposition.samples[0].labels["code"], "200");
        assert_eq!(exposition.samples[2].labels["path"], r"C:\DIR\FILE.TXT");
        assert_eq!(exposition.samples[2].labels["error"], "Cannot find file:\n\"FILE.TXT\"");
        assert_eq!(exposition.samples[8].family, "http_request_duration_seconds");
    }

    #[test]
    fn reads_what_is_unusual_and_allowed() {
        assert!(only("a NaN").value.is_nan());
        assert_eq!(only("a -Inf").value, f64::NEG_INFINITY);
        assert_eq!(only("  a:b_C9 \t { x = \"}\" , } 1e-3").labels["x"], "}");
        assert_eq!(only("a{} 1").labels.len(), 0);
        assert_eq!(only("a{x=\"é,\"}\t-0.5 ").labels["x"], "é,");
        assert_eq!(only("# TYPE a_sum counter\na_sum 1").kind, Kind::Counter);
        assert_eq!(only("# TYPE a gauge\n# odd\na_sum 1\r").kind, Kind::Untyped);
        assert_eq!(parse(""), Exposition::default());
    }

    #[test]
    fn says_what_is_wrong_and_reads_on() {
        for (text, reason) in [
            ("9a 1", "no name of a metric"),
            ("é 1", "no name of a metric"),
            ("a", "no value"),
            ("a x", "a value that is no number"),
            ("a 1 2.5", "a timestamp that is no whole number"),
            ("a 1 2 3", "more than a value and a timestamp"),
            ("a{x=\"1\" 1", "labels without their closing brace"),
            ("a{x=\"1\"", "labels without their closing brace"),
            ("a{x=\"1} 1", "a value without its closing quote"),
            ("a{x=\"\\t\"} 1", "an escape that there is not"),
            ("a{x=1} 1", "a label's value without quotes"),
            ("a{x} 1", "a label without a value"),
            ("a{x:y=\"1\"} 1", "a label without a value"),
            ("a{x=\"1\",x=\"2\"} 1", "a label twice"),
            ("a{,} 1", "no name of a label"),
            ("# TYPE a thing", "a TYPE that there is not"),
            ("# TYPE 9 gauge", "a comment about no metric"),
            ("# TYPE a gauge\n# TYPE a gauge", "a second TYPE"),
            ("# HELP a x\n# HELP a y", "a second HELP"),
            ("a 1\n# TYPE a gauge", "a TYPE after samples of its metric"),
            ("a{x=\"1\"} 1\na{x=\"1\"} 2", "a second sample of the same series"),
            ("a{x=\"1\"} 1\nb 1\na{x=\"2\"} 2", "a sample apart from the others of its metric"),
            ("# TYPE a histogram\na_bucket 1", "a bucket without its bound"),
        ] {
            let line = text.lines().count();
            let exposition = parse(&format!("{text}\nlast 7\n"));
            assert_eq!(exposition.mistakes, [Mistake { line, reason }], "{text}");
            assert_eq!(exposition.samples.last().unwrap().name, "last", "{text}");
        }
        assert_eq!(parse("a 1").mistakes, [Mistake { line: 1, reason: "the last line is not ended" }]);
    }

    fn escaped(value: &str) -> String {
        value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "(\\PC|[\\n\\t\"{}=,#\\\\ ]|TYPE|a|1){0,80}") {
            let exposition = parse(&text);
            prop_assert!(exposition.samples.len() + exposition.mistakes.len() <= 2 * text.split('\n').count() + 1);
        }

        #[test]
        fn what_is_written_by_the_rules_is_read_as_it_was(
            name in "[a-zA-Z_:][a-zA-Z0-9_:]{0,12}",
            labels in prop::collection::btree_map("[a-zA-Z_][a-zA-Z0-9_]{0,6}", "(\\PC|[\\n\"\\\\]){0,8}", 0..4),
            value in any::<f64>(),
        ) {
            let written: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
            let sample = only(&format!("{name}{{{}}} {value:?}", written.join(",")));
            prop_assert_eq!((&sample.name, &sample.labels), (&name, &labels));
            prop_assert!(sample.value == value || sample.value.is_nan() && value.is_nan());
        }
    }
}
