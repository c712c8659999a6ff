//! Where each value and key of a document begins.

use std::collections::HashMap;

use jsonc_parser::ast::{ObjectProp, Value};
use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, ParseOptions};

use crate::pointer;

/// The shape of a document, with the byte at which each part begins.
#[derive(Debug)]
pub(crate) struct Tree(Node);

/// A key that an object has more than once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Duplicate {
    /// The member.
    pub(crate) pointer: String,
    /// Where the key stands again.
    pub(crate) again: usize,
    /// Where it stands first.
    pub(crate) first: usize,
}

#[derive(Debug)]
struct Node {
    start: usize,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Leaf,
    Array(Vec<Node>),
    Object { members: Vec<Member>, by_key: HashMap<String, usize> },
}

#[derive(Debug)]
struct Member {
    key: String,
    key_start: usize,
    value: Node,
}

impl Tree {
    /// Returns the tree of a text that is known to be JSON and not deeply nested; none if it is not after all.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let parsed = jsonc_parser::parse_to_ast(text, &CollectOptions::default(), &STRICT).ok()?;
        Some(Self(node(&parsed.value?)))
    }

    /// Returns where the value begins.
    pub(crate) fn value(&self, pointer: &str) -> Option<usize> {
        self.find(pointer).map(|node| node.start)
    }

    /// Returns where the key of a member begins.
    pub(crate) fn key(&self, pointer: &str) -> Option<usize> {
        let (parent, key) = pointer::split(pointer)?;
        self.find(parent)?.member(&key).map(|member| member.key_start)
    }

    /// Returns every key that its object has already had, in the order of the text.
    pub(crate) fn duplicates(&self) -> Vec<Duplicate> {
        let mut found = Vec::new();
        self.0.duplicates("", &mut found);
        found
    }

    fn find(&self, pointer: &str) -> Option<&Node> {
        pointer::tokens(pointer).try_fold(&self.0, |node, token| node.child(&token))
    }
}

impl Node {
    fn child(&self, token: &str) -> Option<&Self> {
        match &self.content {
            Content::Leaf => None,
            Content::Array(entries) => entries.get(token.parse::<usize>().ok()?),
            Content::Object { .. } => self.member(token).map(|member| &member.value),
        }
    }

    fn member(&self, key: &str) -> Option<&Member> {
        match &self.content {
            Content::Object { members, by_key } => members.get(*by_key.get(key)?),
            _ => None,
        }
    }

    fn duplicates(&self, pointer: &str, found: &mut Vec<Duplicate>) {
        match &self.content {
            Content::Leaf => {}
            Content::Array(entries) => {
                for (index, entry) in entries.iter().enumerate() {
                    entry.duplicates(&pointer::join(pointer, index), found);
                }
            }
            Content::Object { members, .. } => {
                let mut seen: HashMap<&str, usize> = HashMap::with_capacity(members.len());
                for member in members {
                    let pointer = pointer::join(pointer, &member.key);
                    if let Some(&first) = seen.get(member.key.as_str()) {
                        found.push(Duplicate { pointer: pointer.clone(), again: member.key_start, first });
                    } else {
                        seen.insert(&member.key, member.key_start);
                    }
                    member.value.duplicates(&pointer, found);
                }
            }
        }
    }
}

fn node(value: &Value<'_>) -> Node {
    let content = match value {
        Value::Array(array) => Content::Array(array.elements.iter().map(node).collect()),
        Value::Object(object) => {
            let members: Vec<Member> = object.properties.iter().map(member).collect();
            let by_key =
                members.iter().enumerate().map(|(index, member)| (member.key.clone(), index)).collect();
            Content::Object { members, by_key }
        }
        _ => Content::Leaf,
    };
    Node { start: value.start(), content }
}

fn member(property: &ObjectProp<'_>) -> Member {
    Member {
        key: property.name.as_str().to_owned(),
        key_start: property.name.start(),
        value: node(&property.value),
    }
}

/// Plain JSON and nothing else.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_values_and_keys() {
        let text = r#"{"a": [1, {"b/c": "ü"}], "d": {}}"#;
        let tree = Tree::of(text).unwrap();
        for (pointer, value, key) in [
            ("", "{\"a\"", None),
            ("/a", "[1", Some("\"a\"")),
            ("/a/0", "1,", None),
            ("/a/1/b~1c", "\"ü\"", Some("\"b/c\"")),
            ("/d", "{}", Some("\"d\"")),
        ] {
            assert!(text[tree.value(pointer).unwrap()..].starts_with(value), "{pointer}");
            assert_eq!(
                tree.key(pointer).map(|start| &text[start..start + key.unwrap().len()]),
                key,
                "{pointer}"
            );
        }
        for nowhere in ["/x", "/a/2", "/a/x", "/a/0/0", "/d/"] {
            assert_eq!((tree.value(nowhere), tree.key(nowhere)), (None, None), "{nowhere}");
        }
    }

    #[test]
    fn finds_keys_that_stand_twice() {
        let text = r#"[{"a": 1, "b": {"c": 1, "c": 2}, "a": 3}]"#;
        let found = Tree::of(text).unwrap().duplicates();
        let pointers: Vec<_> = found.iter().map(|duplicate| duplicate.pointer.as_str()).collect();
        assert_eq!(pointers, ["/0/b/c", "/0/a"]);
        assert!(found.iter().all(|duplicate| duplicate.first < duplicate.again));
        assert!(text[found[1].again..].starts_with("\"a\": 3"));
    }
}
