//! Collects what was found, and brings it into the order in which it should be read.

use e3_model::{Finding, Findings, Location, Severity};

use crate::document::Document;
use crate::pointer;

/// Everything found so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    found: Vec<Found>,
    rule: &'static str,
    /// Findings beyond what is worth wording.
    uncounted: usize,
}

/// What a finding speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    document: usize,
    pointer: String,
    at: At,
}

/// One finding, before its line and column are known.
#[derive(Debug)]
pub(crate) struct Found {
    severity: Severity,
    rule: &'static str,
    place: Place,
    message: String,
    hint: Option<String>,
    /// Whether it speaks of what the document means, and so depends on values that may have been dropped.
    meaning: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// The value's first character.
    Value,
    /// The member's key.
    Key,
    /// A byte of the text.
    Offset(usize),
    /// A byte of the text that is the value, as it is once escapes are resolved.
    Within(usize),
    /// The document as a whole.
    Whole,
    /// An object in which one of these keys is missing.
    Missing(&'static [&'static str]),
}

impl Place {
    /// Returns the place of a value in one of the documents.
    pub(crate) fn value(document: usize, pointer: impl Into<String>) -> Self {
        Self { document, pointer: pointer.into(), at: At::Value }
    }

    /// Returns the place of a member's key.
    pub(crate) fn key(document: usize, pointer: impl Into<String>) -> Self {
        Self { document, pointer: pointer.into(), at: At::Key }
    }

    /// Returns the place of a byte of the text.
    pub(crate) fn offset(document: usize, pointer: impl Into<String>, offset: usize) -> Self {
        Self { document, pointer: pointer.into(), at: At::Offset(offset) }
    }

    /// Returns the place of a byte of a value that is a text, counted without its quotation mark and its escapes.
    pub(crate) fn within(document: usize, pointer: impl Into<String>, byte: usize) -> Self {
        Self { document, pointer: pointer.into(), at: At::Within(byte) }
    }

    /// Returns the place of an object that lacks one of these keys. Nothing is said there when one of them was given, at
    /// the object or at the top, but could not be used.
    pub(crate) fn missing(
        document: usize,
        pointer: impl Into<String>,
        keys: &'static [&'static str],
    ) -> Self {
        Self { document, pointer: pointer.into(), at: At::Missing(keys) }
    }

    /// Returns the place of a document as a whole. Nothing is said there when any part of it could not be used.
    pub(crate) fn whole(document: usize) -> Self {
        Self { document, pointer: String::new(), at: At::Whole }
    }

    /// Returns the byte at which the place begins; the document's first when its shape is not known.
    fn start(&self, document: &Document<'_>) -> usize {
        match self.at {
            At::Offset(offset) => offset,
            At::Key => document.key_start(&self.pointer),
            At::Within(byte) => document.text_start(&self.pointer, byte),
            At::Value | At::Whole | At::Missing(_) => document.value_start(&self.pointer),
        }
    }

    /// Returns whether another finding already says that what this one speaks of cannot be used.
    fn is_damaged(&self, document: &Document<'_>) -> bool {
        let of_more = match self.at {
            At::Whole => document.has_damage(),
            At::Missing(keys) => keys.iter().any(|key| {
                document.is_damaged(&pointer::join(&self.pointer, key))
                    || document.is_damaged(&pointer::join("", key))
            }),
            _ => false,
        };
        of_more || pointer::and_ancestors(&self.pointer).any(|pointer| document.is_damaged(pointer))
    }
}

impl Found {
    /// Adds what to do about it.
    pub(crate) fn hint(&mut self, hint: impl Into<String>) {
        self.hint = Some(hint.into());
    }
}

impl Report {
    /// Adds an error of a named rule about the form of a document.
    pub(crate) fn form(
        &mut self,
        rule: &'static str,
        place: Place,
        message: impl Into<String>,
    ) -> &mut Found {
        self.push(Severity::Error, rule, place, message.into(), false)
    }

    /// Adds an error of the rule that is being checked.
    pub(crate) fn error(&mut self, place: Place, message: impl Into<String>) -> &mut Found {
        self.push(Severity::Error, self.rule, place, message.into(), true)
    }

    /// Adds a warning of the rule that is being checked.
    pub(crate) fn warning(&mut self, place: Place, message: impl Into<String>) -> &mut Found {
        self.push(Severity::Warning, self.rule, place, message.into(), true)
    }

    /// Names the rule whose errors and warnings follow.
    pub(crate) fn begin(&mut self, rule: &'static str) {
        self.rule = rule;
    }

    /// Counts errors that are not worth words of their own.
    pub(crate) fn also(&mut self, uncounted: usize) {
        self.uncounted += uncounted;
    }

    /// Returns whether there is an error so far.
    pub(crate) fn has_errors(&self) -> bool {
        self.found.iter().any(|found| found.severity == Severity::Error)
    }

    /// Returns the findings in the order of the documents and of their text, each once, the first [`MOST`] of them.
    pub(crate) fn finish(mut self, documents: &[Document<'_>]) -> Findings {
        let document = |found: &Found| documents.get(found.place.document);
        self.found
            .retain(|found| !(found.meaning && document(found).is_some_and(|it| found.place.is_damaged(it))));
        let mut keyed: Vec<(usize, Found)> = self
            .found
            .into_iter()
            .map(|found| (documents.get(found.place.document).map_or(0, |it| found.place.start(it)), found))
            .collect();
        keyed.sort_by(|(left_start, left), (right_start, right)| {
            let key = |start: usize, found: &Found| (found.place.document, start, found.severity, found.rule);
            key(*left_start, left)
                .cmp(&key(*right_start, right))
                .then_with(|| left.place.pointer.cmp(&right.place.pointer))
                .then_with(|| left.message.cmp(&right.message))
        });
        keyed.dedup_by(|(_, right), (_, left)| {
            left.rule == right.rule && left.place == right.place && left.message == right.message
        });
        let hidden = keyed.split_off(keyed.len().min(MOST));
        let mut findings: Vec<Finding> =
            keyed.into_iter().map(|(start, found)| located(start, found, documents)).collect();
        findings.extend(rest(&hidden, self.uncounted));
        Findings(findings)
    }

    fn push(
        &mut self,
        severity: Severity,
        rule: &'static str,
        place: Place,
        message: String,
        meaning: bool,
    ) -> &mut Found {
        self.found.push(Found { severity, rule, place, message, hint: None, meaning });
        let last = self.found.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "the entry was pushed in the line above")]
        &mut self.found[last]
    }
}

fn located(start: usize, found: Found, documents: &[Document<'_>]) -> Finding {
    Finding {
        severity: found.severity,
        rule: found.rule.to_owned(),
        pointer: found.place.pointer,
        location: documents.get(found.place.document).map(|document| document.location(start)),
        message: found.message,
        hint: found.hint,
    }
}

/// Returns the finding that stands for those that are not shown.
fn rest(hidden: &[(usize, Found)], uncounted: usize) -> Option<Finding> {
    let more = hidden.len() + uncounted;
    let errors = uncounted > 0 || hidden.iter().any(|(_, found)| found.severity == Severity::Error);
    (more > 0).then(|| Finding {
        severity: if errors { Severity::Error } else { Severity::Warning },
        rule: "more".to_owned(),
        pointer: String::new(),
        location: None::<Location>,
        message: format!("and {more} more findings"),
        hint: Some("mend what is shown and validate again".to_owned()),
    })
}

/// How many findings are shown at most.
pub(crate) const MOST: usize = 200;
