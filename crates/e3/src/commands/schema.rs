//! `e3 schema`: prints the JSON Schema of a document.

use std::fmt::Write as _;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::{data_json, data_text};

pub(crate) fn perform(name: Option<&str>, json: bool) -> Result<Exit, Failure> {
    let schemas = e3_model::schemas();
    let names: Vec<_> = schemas.iter().map(|(name, _)| *name).collect();
    let Some(name) = name else {
        if json {
            data_json(&names)?;
        } else {
            let text = names.iter().fold(String::new(), |mut text, name| {
                let _ = writeln!(text, "{name}");
                text
            });
            data_text(&text)?;
        }
        return Ok(Exit::Success);
    };
    let schema = schemas.iter().find(|(known, _)| *known == name).map(|(_, schema)| schema);
    let Some(schema) = schema else {
        return Err(Failure::new(Exit::Usage, anyhow::anyhow!("there is no document {name:?}"))
            .hint(format!("one of: {}", names.join(", "))));
    };
    data_json(schema)?;
    Ok(Exit::Success)
}
