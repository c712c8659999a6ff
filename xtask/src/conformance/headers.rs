//! Headers of recorded answers, compared with those of an answer.

use std::collections::BTreeSet;

use http::HeaderMap;

use super::difference::Difference;

/// Returns where an answer's headers differ from recorded ones: names and their values.
pub(super) fn differences(recorded: &[(String, Vec<String>)], answer: &HeaderMap) -> Vec<Difference> {
    let mut found = Vec::new();
    for (name, values) in recorded {
        let name = name.to_ascii_lowercase();
        let rule = RULES.iter().find(|(ruled, _)| *ruled == name).map_or(Rule::Present, |(_, rule)| *rule);
        let given: Vec<&str> = answer.get_all(&name).iter().filter_map(|value| value.to_str().ok()).collect();
        let place = format!("header {name}");
        if rule == Rule::Free {
            continue;
        }
        if given.is_empty() {
            found.push(Difference::new(place, "is missing; the recordings have it"));
            continue;
        }
        let right = match rule {
            Rule::Free | Rule::Present => true,
            Rule::Same => given.iter().eq(values.iter()),
            Rule::Covers => {
                let (given, values) =
                    (words(given.iter().copied()), words(values.iter().map(String::as_str)));
                given.is_superset(&values)
            }
            Rule::Number => given.iter().all(|value| value.bytes().all(|byte| byte.is_ascii_digit())),
            Rule::RequestId => given.iter().all(|value| is_request_id(value)),
        };
        if !right {
            found.push(Difference::new(
                place,
                format!("is {:?}, recorded is {:?}", given.join(" | "), values.join(" | ")),
            ));
        }
    }
    found
}

/// What a recorded header asks of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Nothing.
    Free,
    /// To be there: what has no rule of its own.
    Present,
    /// To have these values, in this order.
    Same,
    /// To have at least these words.
    Covers,
    /// To be a number.
    Number,
    /// To be `@` and four parts between `x`.
    RequestId,
}

const RULES: &[(&str, Rule)] = &[
    ("cache-control", Rule::Same),
    ("content-type", Rule::Same),
    ("pragma", Rule::Same),
    ("x-content-type-options", Rule::Same),
    ("vary", Rule::Covers),
    ("x-auserid", Rule::Number),
    ("x-arequestid", Rule::RequestId),
    // The licence's number: up to version 7, and there is no licence here.
    ("x-asen", Rule::Free),
    // The connection's own.
    ("connection", Rule::Free),
    ("content-length", Rule::Free),
    ("date", Rule::Free),
    ("server", Rule::Free),
    ("transfer-encoding", Rule::Free),
];

fn words<'a>(values: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    values.flat_map(|value| value.split(',')).map(|word| word.trim().to_ascii_lowercase()).collect()
}

/// Whether a text is `@NODExMINUTExCOUNTxCONCURRENT`, the last three being numbers.
fn is_request_id(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('@') else { return false };
    let mut parts = rest.rsplitn(4, 'x');
    let numbers =
        parts.by_ref().take(3).filter(|part| !part.is_empty() && part.parse::<u64>().is_ok()).count();
    numbers == 3 && parts.next().is_some_and(|node| !node.is_empty())
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn compares_by_rule() {
        let of = |name: &'static str, value: &'static str| {
            HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))])
        };
        for (name, recorded, given, same) in [
            ("Pragma", "no-cache", of("pragma", "no-cache"), true),
            ("Pragma", "no-cache", of("pragma", "private"), false),
            ("Vary", "X-AUSERNAME,Accept-Encoding", of("vary", "accept-encoding, x-ausername,cookie"), true),
            ("Vary", "X-AUSERNAME,Accept-Encoding", of("vary", "accept-encoding"), false),
            ("X-Auserid", "7", of("x-auserid", "1"), true),
            ("X-Auserid", "7", of("x-auserid", "ada"), false),
            ("X-Ausername", "ada", of("x-ausername", "grace"), true),
            ("X-Ausername", "ada", of("x-auserid", "1"), false),
            ("X-Asen", "SEN-1", HeaderMap::new(), true),
            ("X-Arequestid", "@ABCx1x2x3", of("x-arequestid", "@1x647x12x0"), true),
            ("X-Arequestid", "@ABCx1x2x3", of("x-arequestid", "647x12x0"), false),
        ] {
            let found = differences(&[(name.to_owned(), vec![recorded.to_owned()])], &given);
            assert_eq!(found.is_empty(), same, "{name}: {found:?}");
        }
    }

    #[test]
    fn the_order_of_values_counts() {
        let recorded = [("Cache-Control".to_owned(), vec!["private".to_owned(), "no-cache".to_owned()])];
        let mut given = HeaderMap::new();
        given.append("cache-control", HeaderValue::from_static("no-cache"));
        given.append("cache-control", HeaderValue::from_static("private"));
        assert_eq!(differences(&recorded, &given).len(), 1);
    }
}
