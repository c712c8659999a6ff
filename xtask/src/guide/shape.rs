//! The shape of an output: what stays the same from run to run.
//!
//! Numbers, times and names of runs differ each time; what is written around them must not differ from what a page shows.

/// Says which shown line the output lacks; none when it has all of them, in their order.
///
/// A shown line that ends with `…` needs only its beginning to be there, and one that is `…` stands for any lines.
pub(super) fn missing<'a>(shown: &[&'a str], output: &str) -> Option<&'a str> {
    let mut lines = output.lines().map(shape);
    let mut wanted = shown.iter().filter(|line| !["…", ""].contains(&line.trim()));
    wanted
        .find(|line| {
            let shape = shape(line);
            let there = |line: String| match shape.strip_suffix('…') {
                Some(beginning) => line.starts_with(beginning.trim_end()),
                None => line == shape,
            };
            !lines.any(there)
        })
        .copied()
}

/// Returns a line with every number as `#`, with one unit for each kind of quantity, and single spaces.
fn shape(line: &str) -> String {
    let words: Vec<String> = line.split_whitespace().map(numberless).collect();
    let mut shape = words.join(" ");
    for (unit, one) in UNITS {
        shape = shape.replace(&format!("# {unit}"), &format!("# {one}"));
    }
    shape
}

/// Units that grow with the number, and the one that stands for them.
const UNITS: &[(&str, &str)] = &[("ms", "s"), ("µs", "s"), ("kB", "B"), ("MB", "B"), ("GB", "B")];

/// Returns a word with each number in it, its separators included, as `#`.
fn numberless(word: &str) -> String {
    let mut text = String::new();
    let mut rest = word.chars().peekable();
    while let Some(next) = rest.next() {
        if !next.is_ascii_digit() {
            text.push(next);
            continue;
        }
        text.push('#');
        let mut ahead = rest.clone();
        while let Some(following) = ahead.next() {
            let separates = ".,:-".contains(following) && ahead.peek().is_some_and(char::is_ascii_digit);
            if !following.is_ascii_digit() && !separates {
                break;
            }
            rest = ahead.clone();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_their_units_are_shapes() {
        for (one, other) in [
            ("    1.8 s  run   1/6", "   12.0 s  run  2/6"),
            ("ended: 1,353 ops, slowest 74.3 ms.", "ended: 3 ops, slowest 1.20 s."),
            ("smoke-2026-11-22T22-49-54", "smoke-2025-01-02T03-04-05"),
            ("276 kB of HTML", "1.2 MB of HTML"),
            ("http://127.0.0.1:44083", "http://127.0.0.1:1"),
        ] {
            assert_eq!(shape(one), shape(other));
        }
        assert_eq!(shape("p99 of 3 nodes, thread-001/stage-000"), "p# of # nodes, thread-#/stage-#");
    }

    #[test]
    fn lines_are_found_in_their_order() {
        let output = "0.0 s plan smoke: 2 threads\n0.1 s run 1/4\nended: 5 ops, 0 errors\nreport: /x\n";
        assert_eq!(missing(&["0.2 s  plan  smoke: 9 threads", "…", "report: /x"], output), None);
        assert_eq!(missing(&["ended: 7 ops, …"], output), None);
        assert_eq!(missing(&["report: /x", "0.1 s run 1/4"], output), Some("0.1 s run 1/4"));
        assert_eq!(missing(&["ended: 5 ops, 0 failures"], output), Some("ended: 5 ops, 0 failures"));
    }
}
