//! Reads one document: syntax, duplicate keys, schema, types; and knows where its values stand.

use std::borrow::Cow;
use std::collections::HashSet;

use e3_model::Location;
use serde::de::DeserializeOwned;
use serde_json::{Number, Value};

use crate::format::Format;
use crate::report::{Place, Report};
use crate::tree::Tree;
use crate::{pointer, syntax, violation};

/// A document's text and shape.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    file: String,
    text: Cow<'a, str>,
    tree: Option<Tree>,
    /// Pointers of values that could not be used.
    damaged: HashSet<String>,
}

impl<'a> Document<'a> {
    /// Reads a document into its type; none when not enough of it can be used. Whatever is wrong with its form goes
    /// into the report, under the given position of the document.
    pub(crate) fn read<T: DeserializeOwned>(
        position: usize,
        file: String,
        text: Cow<'a, str>,
        format: &Format,
        report: &mut Report,
    ) -> (Self, Option<T>) {
        let mut document = Self { file, text, tree: None, damaged: HashSet::new() };
        let Some(mut value) = syntax::parse(position, &document.text, report) else {
            document.damaged.insert(String::new());
            return (document, None);
        };
        let values = count(&value);
        if values > format.most_values {
            let message = format!(
                "the document has {values} values; {} has at most {}",
                format.article_and_name, format.most_values
            );
            report.form("too-large", Place::value(position, ""), message);
            document.damaged.insert(String::new());
            return (document, None);
        }
        document.tree = Tree::of(&document.text);
        document.report_duplicates(position, report);
        document.check_schema(position, &mut value, format, report);
        let typed = document.typed(position, value, report);
        (document, typed)
    }

    /// Returns what stands for a document that is no file.
    pub(crate) fn none(file: &str) -> Self {
        Self { file: file.to_owned(), text: Cow::Borrowed(""), tree: None, damaged: HashSet::new() }
    }

    /// Returns the place of a byte of the text; a byte within a character counts as that character.
    pub(crate) fn location(&self, offset: usize) -> Location {
        let before = self.text.get(..self.text.floor_char_boundary(offset)).unwrap_or("");
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.get(line_start..).unwrap_or("").chars().count() + 1;
        let number = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
        Location { file: self.file.clone(), line: number(line), column: number(column) }
    }

    /// Returns the byte at which a value begins, or the value that should hold it.
    pub(crate) fn value_start(&self, pointer: &str) -> usize {
        let tree = self.tree.as_ref();
        pointer::and_ancestors(pointer).find_map(|pointer| tree?.value(pointer)).unwrap_or(0)
    }

    /// Returns what findings call the document's file.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// Returns the byte at which a byte of a text is written, be it with escapes before it or not.
    pub(crate) fn text_start(&self, pointer: &str, byte: usize) -> usize {
        let start = self.value_start(pointer);
        let Some(written) = self.text.get(start..).and_then(|rest| rest.strip_prefix('"')) else {
            return start;
        };
        start + 1 + syntax::written_length(written, byte)
    }

    /// Returns the byte at which a member's key begins.
    pub(crate) fn key_start(&self, pointer: &str) -> usize {
        let key = self.tree.as_ref().and_then(|tree| tree.key(pointer));
        key.unwrap_or_else(|| self.value_start(pointer))
    }

    /// Returns whether the value could not be used.
    pub(crate) fn is_damaged(&self, pointer: &str) -> bool {
        self.damaged.contains(pointer)
    }

    /// Returns whether any value could not be used.
    pub(crate) fn has_damage(&self) -> bool {
        !self.damaged.is_empty()
    }

    fn report_duplicates(&self, position: usize, report: &mut Report) {
        for duplicate in self.tree.iter().flat_map(Tree::duplicates) {
            let key = pointer::split(&duplicate.pointer).map_or_else(String::new, |(_, key)| key);
            let first = self.location(duplicate.first);
            let message = format!("the key {} stands twice in the same object", crate::words::quoted(&key));
            let place = Place::offset(position, duplicate.pointer, duplicate.again);
            let hint =
                format!("it stands first in line {}, column {}; keep one of them", first.line, first.column);
            report.form("duplicate-key", place, message).hint(hint);
        }
    }

    /// Reports what the schema does not allow, and takes it out of the value, so that the rest can be looked at.
    fn check_schema(&mut self, position: usize, value: &mut Value, format: &Format, report: &mut Report) {
        let (violations, more) = violation::all(format, value);
        report.also(more);
        for violation in violations {
            let place = if violation.is_key {
                Place::key(position, violation.pointer.as_str())
            } else {
                Place::value(position, violation.pointer.as_str())
            };
            let found = report.form(violation.rule, place, violation.message);
            if let Some(hint) = violation.hint {
                found.hint(hint);
            }
            take_out(value, &violation.pointer, &format.placeholder);
            self.damaged.insert(violation.pointer);
            self.damaged.extend(violation.meant);
        }
        if self.has_damage() {
            self.take_out_what_depends(value, format);
        }
    }

    /// Takes out what cannot be used without what was taken out before.
    fn take_out_what_depends(&mut self, value: &mut Value, format: &Format) {
        for _ in 0..LEVELS {
            let errors = format.validator.iter_errors(value).take(violation::MOST);
            let pointers: Vec<String> =
                errors.map(|error| error.instance_path().as_str().to_owned()).collect();
            if pointers.is_empty() {
                return;
            }
            for pointer in pointers {
                take_out(value, &pointer, &format.placeholder);
                self.damaged.insert(pointer);
            }
        }
    }

    fn typed<T: DeserializeOwned>(
        &mut self,
        position: usize,
        mut value: Value,
        report: &mut Report,
    ) -> Option<T> {
        make_integers(&mut value);
        match serde_json::from_value(value) {
            Ok(typed) => Some(typed),
            Err(error) => {
                // What was taken out may have been needed; then there is a finding for it already.
                if self.damaged.is_empty() {
                    report.form("wrong-type", Place::value(position, ""), error.to_string());
                }
                self.damaged.insert(String::new());
                None
            }
        }
    }
}

fn count(value: &Value) -> usize {
    match value {
        Value::Array(entries) => entries.iter().map(count).sum::<usize>() + 1,
        Value::Object(members) => members.values().map(count).sum::<usize>() + 1,
        _ => 1,
    }
}

/// Removes a member; puts the placeholder for an entry, so that those after it keep their positions.
fn take_out(value: &mut Value, pointer: &str, placeholder: &Value) {
    let Some((parent, token)) = pointer::split(pointer) else { return };
    match value.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            members.remove(&token);
        }
        Some(Value::Array(entries)) => {
            if let Some(entry) = token.parse::<usize>().ok().and_then(|index| entries.get_mut(index)) {
                let is_text =
                    matches!(pointer::split(parent), Some((_, key)) if TEXT_LISTS.contains(&key.as_str()));
                *entry = if is_text { Value::String(String::new()) } else { placeholder.clone() };
            }
        }
        _ => {}
    }
}

/// Writes whole numbers such as `6e3` and `4.0` as integers, since JSON makes no difference.
fn make_integers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(whole) = number.as_f64().filter(|_| number.is_f64()).and_then(as_integer) {
                *number = whole;
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(make_integers),
        Value::Object(members) => members.values_mut().for_each(make_integers),
        _ => {}
    }
}

fn as_integer(number: f64) -> Option<Number> {
    #[expect(clippy::cast_possible_truncation, reason = "whole and within 53 bits, so exact")]
    (number.fract() == 0.0 && number.abs() <= EXACT).then(|| Number::from(number as i64))
}

/// The lists whose entries are texts.
const TEXT_LISTS: &[&str] = &["properties", "thresholds", "sources", "slo", "ClusterNodes"];
/// How deep values hang on each other.
const LEVELS: usize = 4;
/// The largest double up to which every whole number is exact.
const EXACT: f64 = 9_007_199_254_740_991.0;
