//! One row of the tables.

use serde_json::{Value, json};

/// An operation, and what it answers when all goes well.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operation {
    pub(super) method: &'static str,
    /// Below `/rest`, with the names of its parameters in braces.
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    /// Besides those of pages.
    pub(super) query: &'static [Query],
    /// The schema of the body that is read.
    pub(super) body: Option<&'static str>,
    pub(super) status: u16,
    pub(super) answer: Body,
    /// Further statuses of success, which say nothing more.
    pub(super) also: &'static [u16],
    /// Further statuses of refusal.
    pub(super) failures: &'static [u16],
    /// Whether nobody need sign in.
    pub(super) is_public: bool,
}

/// A parameter of the query.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query {
    pub(super) name: &'static str,
    kind: Kind,
    pub(super) is_required: bool,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Number,
    Flag,
    OneOf(&'static [&'static str]),
}

/// What is in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    Nothing,
    /// A file as it is.
    Raw,
    One(&'static str),
    List(&'static str),
    /// A page of these.
    Page(&'static str),
    /// A schema that is a page itself.
    Paged(&'static str),
}

pub(super) const fn get(path: &'static str, summary: &'static str, answer: Body) -> Operation {
    Operation {
        method: "get",
        path,
        summary,
        query: &[],
        body: None,
        status: 200,
        answer,
        also: &[],
        failures: &[],
        is_public: false,
    }
}

pub(super) const fn post(path: &'static str, summary: &'static str, answer: Body) -> Operation {
    Operation { method: "post", ..get(path, summary, answer) }
}

pub(super) const fn put(path: &'static str, summary: &'static str, answer: Body) -> Operation {
    Operation { method: "put", ..get(path, summary, answer) }
}

pub(super) const fn delete(path: &'static str, summary: &'static str) -> Operation {
    Operation { method: "delete", status: 204, ..get(path, summary, Body::Nothing) }
}

impl Operation {
    pub(super) const fn query(self, query: &'static [Query]) -> Self {
        Self { query, ..self }
    }

    pub(super) const fn body(self, name: &'static str) -> Self {
        Self { body: Some(name), ..self }
    }

    pub(super) const fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(super) const fn or(self, also: &'static [u16]) -> Self {
        Self { also, ..self }
    }

    pub(super) const fn fails(self, failures: &'static [u16]) -> Self {
        Self { failures, ..self }
    }

    pub(super) const fn public(self) -> Self {
        Self { is_public: true, ..self }
    }

    /// Returns whether the query or the body names something that may not be there.
    pub(super) fn names_something(&self) -> bool {
        self.body.is_some() || !self.query.is_empty()
    }

    pub(super) fn has_query(&self) -> bool {
        !self.query.is_empty()
            || matches!(self.answer, Body::Page(_) | Body::Paged(_))
            || self.path.contains('{')
    }
}

impl Query {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, is_required: false }
    }

    pub(super) const fn text(name: &'static str) -> Self {
        Self::new(name, Kind::Text)
    }

    pub(super) const fn number(name: &'static str) -> Self {
        Self::new(name, Kind::Number)
    }

    pub(super) const fn flag(name: &'static str) -> Self {
        Self::new(name, Kind::Flag)
    }

    pub(super) const fn one_of(name: &'static str, words: &'static [&'static str]) -> Self {
        Self::new(name, Kind::OneOf(words))
    }

    pub(super) const fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    pub(super) fn schema(&self) -> Value {
        match self.kind {
            Kind::Text => json!({"type": "string"}),
            Kind::Number => json!({"type": "integer", "minimum": i32::from(self.name == "limit")}),
            Kind::Flag => json!({"type": "boolean"}),
            Kind::OneOf(words) => json!({"type": "string", "enum": words}),
        }
    }
}

impl Body {
    pub(super) fn schema(self) -> Option<Value> {
        let schema = |name: &str| match name {
            "string" => json!({"type": "string"}),
            name => json!({"$ref": format!("#/components/schemas/{name}")}),
        };
        match self {
            Self::Nothing | Self::Raw => None,
            Self::One(name) | Self::Paged(name) => Some(schema(name)),
            Self::List(name) => Some(json!({"type": "array", "items": schema(name)})),
            Self::Page(name) => Some(super::schemas::page_of(&schema(name))),
        }
    }
}
