//! The columns of a sample file.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, Schema, SchemaRef};

/// A column of a sample file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name; a name that ends in `_ns` is a time in nanoseconds.
    pub name: &'static str,
    /// What it holds.
    pub description: &'static str,
    /// Whether it may be null.
    pub nullable: bool,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    U64,
    U32,
    U16,
    F64,
    Text,
}

/// The columns of every segment and sample file, in order; the files carry the descriptions, too.
pub const COLUMNS: [Column; 17] = [
    column(
        "scheduled_ns",
        Kind::U64,
        "when the op was due, since the stage's start; closed model: when it started",
    ),
    column("started_ns", Kind::U64, "when it started, since the stage's start"),
    nullable(
        "first_byte_ns",
        "when the answer's first byte came, since the stage's start: HTTP's head, Git's pack or refs; null: none came",
    ),
    column("ended_ns", Kind::U64, "when it ended, since the stage's start"),
    nullable(
        "bytes_in",
        "bytes of the answers' bodies, with Git's framing and without HTTP's; of the real git, of a clone's pack; null: unknown",
    ),
    nullable("bytes_out", "bytes of the requests' bodies; null: unknown"),
    column("client", Kind::U32, "the client, from 0 over all workers of the stage"),
    column("iteration", Kind::U32, "the iteration of that client, from 0"),
    column("job", Kind::U16, "the job's position in the workload, from 0"),
    column("script", Kind::Text, "the job's script"),
    column("op", Kind::Text, "the op, one timed act of the script"),
    column(
        "outcome",
        Kind::Text,
        "how it ended: ok, cancelled (the stage ended first), or the kind of failure",
    ),
    column("cache", Kind::Text, "what the server said of its cache: unknown, hit or miss"),
    nullable(
        "advertisement_ns",
        "Git: from the start until capabilities and refs were read; null: no Git op",
    ),
    nullable("negotiation_ns", "Git: sending what is wanted and had; null: no Git op"),
    nullable("server_think_ns", "Git: from the request's last byte to the pack's first; null: no Git op"),
    nullable(
        "transfer_ns",
        "Git: from the pack's first byte until its checksum was verified; null: no Git op",
    ),
];

pub(crate) const fn column(name: &'static str, kind: Kind, description: &'static str) -> Column {
    Column { name, description, nullable: false, kind }
}

const fn nullable(name: &'static str, description: &'static str) -> Column {
    Column { name, description, nullable: true, kind: Kind::U64 }
}

/// Returns the Arrow schema of [`COLUMNS`].
pub(crate) fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema_of(&COLUMNS));
    SCHEMA.clone()
}

/// Returns the Arrow schema of some columns.
pub(crate) fn schema_of(columns: &[Column]) -> SchemaRef {
    let fields = columns.iter().map(|column| {
        let data_type = match column.kind {
            Kind::U64 => DataType::UInt64,
            Kind::U32 => DataType::UInt32,
            Kind::U16 => DataType::UInt16,
            Kind::F64 => DataType::Float64,
            Kind::Text => DataType::Dictionary(Box::new(DataType::UInt16), Box::new(DataType::Utf8)),
        };
        let description = HashMap::from([("description".to_owned(), column.description.to_owned())]);
        Field::new(column.name, data_type, column.nullable).with_metadata(description)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}
