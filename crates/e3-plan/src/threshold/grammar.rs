//! The form of a threshold: `STATISTIC[(SCRIPT[/OP])] RELATION NUMBER UNIT`, with spaces wherever one likes.

use e3_model::{Relation, Statistic};

use super::Fault;
use crate::words;

/// A threshold as it was written, its parts with the bytes at which they begin.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Written<'a> {
    pub(super) statistic: Statistic,
    /// Which ops are judged; none for all together.
    pub(super) target: Option<Target<'a>>,
    pub(super) relation: Relation,
    pub(super) relation_at: usize,
    /// Finite, 0 or more.
    pub(super) number: f64,
    pub(super) number_at: usize,
    /// Empty where none was written.
    pub(super) unit: &'a str,
    pub(super) unit_at: usize,
}

/// The ops that a threshold judges, as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target<'a> {
    pub(super) script: &'a str,
    pub(super) script_at: usize,
    pub(super) op: Option<&'a str>,
    pub(super) op_at: usize,
}

/// Every statistic by its name.
pub(super) const STATISTICS: [(&str, Statistic); 9] = [
    ("p50", Statistic::P50),
    ("p90", Statistic::P90),
    ("p95", Statistic::P95),
    ("p99", Statistic::P99),
    ("p99.9", Statistic::P999),
    ("mean", Statistic::Mean),
    ("max", Statistic::Max),
    ("rate", Statistic::Rate),
    ("errors", Statistic::Errors),
];

/// What people also call them.
const OTHER_NAMES: [(&str, &str); 8] = [
    ("median", "p50"),
    ("p999", "p99.9"),
    ("p100", "max"),
    ("avg", "mean"),
    ("average", "mean"),
    ("throughput", "rate"),
    ("error", "errors"),
    ("error_rate", "errors"),
];

/// Reads the form of a threshold.
pub(super) fn parse(text: &str) -> Result<Written<'_>, Fault> {
    let mut cursor = Cursor { text, at: 0 };
    cursor.skip_spaces();
    if cursor.rest().is_empty() {
        return Err(Fault::new(0, "the threshold is empty").hint(EXAMPLE));
    }
    let statistic = statistic(&mut cursor)?;
    cursor.skip_spaces();
    let target = if cursor.take("(") { Some(target(&mut cursor)?) } else { None };
    cursor.skip_spaces();
    let relation_at = cursor.at;
    let relation = relation(&mut cursor)?;
    cursor.skip_spaces();
    let number_at = cursor.at;
    let number = number(&mut cursor)?;
    cursor.skip_spaces();
    let unit_at = cursor.at;
    let unit = cursor.word(|c| c.is_alphabetic() || "%/".contains(c));
    cursor.skip_spaces();
    if !cursor.rest().is_empty() {
        let more = words::quoted(cursor.rest());
        let fault = Fault::new(cursor.at, format!("nothing may follow the limit, but {more} does"));
        return Err(fault.hint("a threshold is one condition; give several as several entries of the list"));
    }
    Ok(Written { statistic, target, relation, relation_at, number, number_at, unit, unit_at })
}

fn statistic(cursor: &mut Cursor<'_>) -> Result<Statistic, Fault> {
    let at = cursor.at;
    let name = cursor.word(|c| c.is_alphanumeric() || "._-".contains(c));
    if let Some((_, statistic)) = STATISTICS.iter().find(|(known, _)| *known == name) {
        return Ok(*statistic);
    }
    let names = STATISTICS.map(|(name, _)| name);
    let fault = if name.is_empty() {
        Fault::new(at, "a threshold begins with a statistic")
    } else {
        Fault::new(at, format!("there is no statistic {}", words::quoted(name)))
    };
    let lower = name.to_lowercase();
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == lower).map(|(_, meant)| *meant);
    let is_percentile =
        name.strip_prefix(['p', 'P']).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let similar = if is_percentile {
        names.into_iter().find(|known| *known == lower)
    } else {
        words::meant(name, names)
    };
    Err(match other.or(similar) {
        Some(meant) => fault.hint(words::did_you_mean(meant)),
        None => fault.hint(format!("statistics are {}", names.join(", "))),
    })
}

/// Reads what stands between the parentheses, of which the first has been read.
fn target<'a>(cursor: &mut Cursor<'a>) -> Result<Target<'a>, Fault> {
    let begin = cursor.at;
    let inner = cursor.word(|c| c != ')');
    if !cursor.take(")") {
        return Err(Fault::new(begin - 1, "this parenthesis is never closed").hint(EXAMPLE));
    }
    let (script, op) = match inner.split_once('/') {
        Some((script, op)) => (script, Some((op, begin + script.len() + 1))),
        None => (inner, None),
    };
    let trimmed = |part: &'a str, at: usize| (part.trim(), at + part.len() - part.trim_start().len());
    let (script, script_at) = trimmed(script, begin);
    if script.is_empty() {
        let fault = Fault::new(script_at, "the parentheses name no script");
        return Err(fault.hint(
            "name one, such as p99(GitCloneOverSsh), or leave the parentheses out to judge all ops together",
        ));
    }
    let (op, op_at) = op.map_or((None, cursor.at), |(op, at)| {
        let (op, at) = trimmed(op, at);
        (Some(op), at)
    });
    if op == Some("") {
        let fault = Fault::new(op_at, "no op follows the \"/\"");
        return Err(fault.hint("name one, or leave the \"/\" out"));
    }
    Ok(Target { script, script_at, op, op_at })
}

fn relation(cursor: &mut Cursor<'_>) -> Result<Relation, Fault> {
    let at = cursor.at;
    let sign = cursor.word(|c| "<>=≤≥!".contains(c));
    let relation = match sign {
        "<" => Relation::Below,
        "<=" => Relation::AtMost,
        ">" => Relation::Above,
        ">=" => Relation::AtLeast,
        _ => {
            let found = match cursor.rest() {
                _ if !sign.is_empty() => format!("{} is no relation", words::quoted(sign)),
                "" => "the threshold ends before its relation".to_owned(),
                rest => format!("a relation must stand where {} does", words::quoted(rest)),
            };
            let hint = match sign {
                "=<" | "≤" => words::did_you_mean("<="),
                "=>" | "≥" => words::did_you_mean(">="),
                _ => "relations are <, <=, > and >=".to_owned(),
            };
            return Err(Fault::new(at, found).hint(hint));
        }
    };
    Ok(relation)
}

fn number(cursor: &mut Cursor<'_>) -> Result<f64, Fault> {
    let at = cursor.at;
    if cursor.rest().starts_with('-') {
        return Err(Fault::new(at, "the limit is negative, and nothing that is measured is"));
    }
    let digits = cursor.word(|c| c.is_ascii_digit() || ".,".contains(c));
    match digits.parse::<f64>() {
        Ok(number) if number.is_finite() && !digits.contains(',') => Ok(number),
        _ if digits.is_empty() => Err(Fault::new(at, "a number must follow the relation").hint(EXAMPLE)),
        _ => Err(Fault::new(at, format!("{} is no number", words::quoted(digits)))
            .hint("write digits with at most one decimal point, such as 1500 or 0.5")),
    }
}

/// A place in a text.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_spaces(&mut self) {
        self.word(char::is_whitespace);
    }

    /// Reads on as long as the characters are of a kind.
    fn word(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// Reads a text if it is the next.
    fn take(&mut self, text: &str) -> bool {
        let is_next = self.rest().starts_with(text);
        self.at += if is_next { text.len() } else { 0 };
        is_next
    }
}

const EXAMPLE: &str = "write it like \"p99(GitCloneOverSsh) < 2s\", \"rate > 10/s\" or \"errors < 1%\"";
