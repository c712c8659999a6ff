//! The shape of JSON: which members, of which kinds, where; learnt from samples, compared with an answer.
//!
//! Values are not compared, except those that are enumerations. Of several recordings the first, which is the newest,
//! says what must be there, and all of them together say what may be there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::difference::{Difference, below, ends_as};

/// What samples of one place have in common, and what they vary in.
#[derive(Debug, Default)]
pub(super) struct Shape {
    kinds: BTreeSet<Kind>,
    members: BTreeMap<String, Member>,
    items: Option<Box<Shape>>,
    /// Whether no sample is an empty array.
    filled: bool,
    /// The values that are no objects or arrays, as JSON.
    values: BTreeSet<String>,
}

#[derive(Debug)]
struct Member {
    shape: Shape,
    /// Whether every sample has it.
    always: bool,
}

/// A kind of JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

impl Shape {
    /// Learns the shape of samples.
    pub(super) fn of(samples: &[&Value]) -> Self {
        let mut shape = Self { filled: true, ..Self::default() };
        let mut found: BTreeMap<&String, Vec<&Value>> = BTreeMap::new();
        let mut items: Vec<&Value> = Vec::new();
        let mut objects = 0;
        for sample in samples {
            shape.kinds.insert(Kind::of(sample));
            match sample {
                Value::Object(members) => {
                    objects += 1;
                    for (name, value) in members {
                        found.entry(name).or_default().push(value);
                    }
                }
                Value::Array(values) => {
                    shape.filled &= !values.is_empty();
                    items.extend(values);
                }
                scalar => {
                    shape.values.insert(scalar.to_string());
                }
            }
        }
        shape.members = found
            .into_iter()
            .map(|(name, values)| {
                (name.clone(), Member { shape: Self::of(&values), always: values.len() == objects })
            })
            .collect();
        shape.items = (!items.is_empty()).then(|| Box::new(Self::of(&items)));
        shape
    }

    /// Returns where an answer differs from recordings, the newest of them first; nothing if there are none.
    pub(super) fn differences(recordings: &[Vec<Value>], answer: &Value) -> Vec<Difference> {
        let mut found = Vec::new();
        if let Some(first) = recordings.first() {
            let must = Self::of(&first.iter().collect::<Vec<_>>());
            let may = Self::of(&recordings.iter().flatten().collect::<Vec<_>>());
            compare(Some(&must), &may, ("", answer), &mut found);
        }
        found
    }
}

impl Kind {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.is_f64() => Self::Number,
            Value::Number(_) => Self::Integer,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Number => "a fraction",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

fn compare(must: Option<&Shape>, may: &Shape, (at, answer): (&str, &Value), found: &mut Vec<Difference>) {
    let kind = Kind::of(answer);
    let whole = kind == Kind::Integer && may.kinds.contains(&Kind::Number);
    if !may.kinds.contains(&kind) && !whole {
        let recorded: Vec<&str> = may.kinds.iter().map(|kind| kind.word()).collect();
        found.push(Difference::new(at, format!("is {}, recorded is {}", kind.word(), recorded.join(" or "))));
        return;
    }
    match answer {
        Value::Object(members) => {
            for (name, value) in members {
                match may.members.get(name) {
                    Some(member) => {
                        let must = must.and_then(|must| must.members.get(name)).map(|member| &member.shape);
                        compare(must, &member.shape, (&below(at, name), value), found);
                    }
                    None => found.push(Difference::new(below(at, name), "is not in the recordings")),
                }
            }
            let required =
                must.into_iter().flat_map(|must| &must.members).filter(|(_, member)| member.always);
            let missing = required.filter(|(name, _)| !members.contains_key(*name));
            found.extend(
                missing
                    .map(|(name, _)| Difference::new(below(at, name), "is missing; the recordings have it")),
            );
        }
        Value::Array(values) => {
            if values.is_empty() && must.is_some_and(|must| must.filled && must.items.is_some()) {
                found.push(Difference::new(
                    at,
                    "is empty, so its items cannot be compared with the recorded ones",
                ));
            }
            let must = must.and_then(|must| must.items.as_deref());
            for (number, value) in values.iter().enumerate() {
                if let Some(items) = &may.items {
                    compare(must, items, (&below(at, &number.to_string()), value), found);
                }
            }
        }
        scalar => {
            let one_of = ENUMERATIONS.iter().any(|tail| ends_as(at, tail));
            if one_of && !may.values.contains(&scalar.to_string()) {
                let recorded = may.values.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
                found.push(Difference::new(at, format!("is {scalar}, recorded is {recorded}")));
            }
        }
    }
}

/// Returns what is wrong with a page's own numbers; nothing for what is no page.
///
/// Source: recorded pages; `nextPageStart` is absent, or null, on the last one.
pub(super) fn page_differences(answer: &Value) -> Vec<Difference> {
    let Some(last) = answer.get("isLastPage").and_then(Value::as_bool) else { return Vec::new() };
    let number = |name: &str| answer.get(name).and_then(Value::as_u64);
    let mut found = Vec::new();
    let next = answer.get("nextPageStart").filter(|next| !next.is_null());
    match (last, next) {
        (true, Some(_)) => {
            found.push(Difference::new("/nextPageStart", "is there although isLastPage is true"));
        }
        (false, None) => {
            found.push(Difference::new("/nextPageStart", "is missing although isLastPage is false"));
        }
        _ => {}
    }
    if let (Some(next), Some(start)) = (next.and_then(Value::as_u64), number("start"))
        && next <= start
    {
        found.push(Difference::new("/nextPageStart", "does not lie behind start"));
    }
    // A file's page has lines.
    let rows = answer
        .get("values")
        .or(answer.get("lines"))
        .and_then(Value::as_array)
        .map(|values| values.len() as u64);
    if rows != number("size") {
        found.push(Difference::new("/size", "is not the number of values"));
    }
    if rows > number("limit") {
        found.push(Difference::new("/limit", "is smaller than the number of values"));
    }
    found
}

/// Members, by how their pointers end, that hold one of a few words.
const ENUMERATIONS: &[&str] = &["type", "state", "scmId", "exceptionName", "clone/*/name"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn differences(recordings: &[&[Value]], answer: &Value) -> Vec<String> {
        let recordings: Vec<Vec<Value>> = recordings.iter().map(|samples| samples.to_vec()).collect();
        Shape::differences(&recordings, answer).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn values_are_free_but_shapes_are_not() {
        let recorded = json!({"id": 1, "name": "a", "links": {"self": [{"href": "x"}]}});
        for (answer, expected) in [
            (json!({"id": 7, "name": "b", "links": {"self": [{"href": "y"}, {"href": "z"}]}}), vec![]),
            (
                json!({"id": "7", "name": "b", "links": {"self": [{"href": "y"}]}}),
                vec!["/id: is a string, recorded is an integer"],
            ),
            (
                json!({"id": 7.5, "name": "b", "links": {"self": [{"href": "y"}]}}),
                vec!["/id: is a fraction, recorded is an integer"],
            ),
            (
                json!({"id": 7, "links": {"self": [{"href": "y"}]}}),
                vec!["/name: is missing; the recordings have it"],
            ),
            (
                json!({"id": 7, "name": "b", "links": {"self": [{"href": "y", "rel": 1}]}}),
                vec!["/links/self/0/rel: is not in the recordings"],
            ),
            (
                json!({"id": 7, "name": "b", "links": {"self": []}}),
                vec!["/links/self: is empty, so its items cannot be compared with the recorded ones"],
            ),
            (json!([]), vec!["/: is an array, recorded is an object"]),
        ] {
            assert_eq!(differences(&[std::slice::from_ref(&recorded)], &answer), expected, "{answer}");
        }
    }

    #[test]
    fn the_newest_recording_says_what_must_be_and_all_say_what_may_be() {
        let new =
            [json!({"id": 1, "archived": false}), json!({"id": 2, "archived": true, "description": "d"})];
        let old = [json!({"id": 1, "avatar": null})];
        let check = |answer: Value| differences(&[&new, &old], &answer);
        assert_eq!(check(json!({"id": 3, "archived": true})), Vec::<String>::new());
        assert_eq!(
            check(json!({"id": 3, "archived": true, "description": "d", "avatar": null})),
            Vec::<String>::new()
        );
        assert_eq!(check(json!({"id": 3})), ["/archived: is missing; the recordings have it"]);
        assert_eq!(
            check(json!({"id": 3, "archived": true, "avatar": 1})),
            ["/avatar: is an integer, recorded is null"]
        );
        assert_eq!(differences(&[], &json!({"any": "thing"})), Vec::<String>::new());
    }

    #[test]
    fn enumerations_are_compared_by_value() {
        let recorded = [json!({"type": "NORMAL", "title": "a"}), json!({"type": "PERSONAL", "title": "b"})];
        assert_eq!(
            differences(&[&recorded], &json!({"type": "PERSONAL", "title": "c"})),
            Vec::<String>::new()
        );
        assert_eq!(
            differences(&[&recorded], &json!({"type": "OTHER", "title": "c"})),
            ["/type: is \"OTHER\", recorded is \"NORMAL\", \"PERSONAL\""]
        );
    }

    #[test]
    fn pages_agree_with_themselves() {
        for (page, wrong) in [
            (json!({"size": 1, "limit": 25, "isLastPage": true, "values": [1], "start": 0}), ""),
            (
                json!({"size": 0, "limit": 25, "isLastPage": true, "values": [], "start": 0, "nextPageStart": null}),
                "",
            ),
            (
                json!({"size": 1, "limit": 1, "isLastPage": false, "values": [1], "start": 0, "nextPageStart": 2}),
                "",
            ),
            (
                json!({"size": 1, "limit": 1, "isLastPage": false, "values": [1], "start": 0}),
                "/nextPageStart",
            ),
            (
                json!({"size": 1, "limit": 1, "isLastPage": true, "values": [1], "start": 0, "nextPageStart": 1}),
                "/nextPageStart",
            ),
            (
                json!({"size": 1, "limit": 1, "isLastPage": false, "values": [1], "start": 4, "nextPageStart": 4}),
                "/nextPageStart",
            ),
            (json!({"size": 2, "limit": 2, "isLastPage": true, "values": [1], "start": 0}), "/size"),
            (json!({"size": 2, "limit": 1, "isLastPage": true, "values": [1, 2], "start": 0}), "/limit"),
            (json!({"id": 1}), ""),
        ] {
            let found = page_differences(&page);
            let pointers: Vec<&str> = found.iter().map(|difference| difference.pointer.as_str()).collect();
            assert_eq!(pointers.join(" "), wrong, "{page}");
        }
    }
}
