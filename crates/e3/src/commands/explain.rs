//! `e3 explain`: what an exit code, a word or a finding means, and what to do about it.

mod codes;
mod glossary;
mod properties;
mod rules;
mod statistics;

use std::fmt::Write as _;

use serde_json::json;

use crate::app::App;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::{data_json, data_text};
use crate::terminal::Style;
use crate::text;

/// Something that can be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// What it is: an exit code, a word, a finding.
    kind: &'static str,
    /// What it is asked for by; the first is its title.
    names: Vec<String>,
    /// What it means.
    meaning: String,
    /// What to do about it; none where there is nothing to do.
    advice: Option<&'static str>,
}

pub(crate) fn perform(app: &App, subject: &str) -> Result<Exit, Failure> {
    let entries = entries();
    if subject.trim().is_empty() {
        if app.json {
            data_json(&entries.iter().map(Entry::json).collect::<Vec<_>>())?;
        } else {
            data_text(&list(&entries, app.columns, app.style))?;
        }
        return Ok(Exit::Success);
    }
    let found = find(&entries, subject);
    if found.is_empty() {
        let names = entries.iter().flat_map(|entry| &entry.names).map(String::as_str);
        let hint = text::meant(subject.trim(), names).map_or_else(
            || "`e3 explain` lists what there is".to_owned(),
            |meant| format!("did you mean {meant:?}?"),
        );
        return Err(Failure::new(Exit::Usage, anyhow::anyhow!("there is nothing to say about {subject:?}"))
            .hint(hint));
    }
    if app.json {
        data_json(&found.iter().map(|entry| entry.json()).collect::<Vec<_>>())?;
    } else {
        let shown: Vec<_> = found.iter().map(|entry| entry.shown(app.columns, app.style)).collect();
        data_text(&shown.join("\n"))?;
    }
    Ok(Exit::Success)
}

fn entries() -> Vec<Entry> {
    let mut entries = codes::entries();
    entries.extend(glossary::entries());
    entries.extend(statistics::entries());
    entries.extend(rules::entries());
    entries.extend(properties::entries());
    entries
}

/// Returns every entry of that name, whatever its case and whether its words are joined; a word and a finding may share one.
fn find<'a>(entries: &'a [Entry], subject: &str) -> Vec<&'a Entry> {
    let wanted = plain(subject);
    entries.iter().filter(|entry| entry.names.iter().any(|name| plain(name) == wanted)).collect()
}

/// A finding is shown as `error[weights]`, a code in running text as `code 3`.
fn plain(name: &str) -> String {
    let name = name.trim().to_lowercase();
    let name =
        name.strip_suffix(']').and_then(|name| name.split_once('[')).map_or(name.as_str(), |(_, rule)| rule);
    let name = name.strip_prefix("exit code ").or_else(|| name.strip_prefix("code ")).unwrap_or(name);
    name.replace(['-', '_', ' ', '`'], "")
}

fn list(entries: &[Entry], columns: usize, style: Style) -> String {
    let mut out = String::new();
    let mut kinds: Vec<&str> = Vec::new();
    for entry in entries {
        if !kinds.contains(&entry.kind) {
            kinds.push(entry.kind);
        }
    }
    for kind in kinds {
        let names = entries.iter().filter(|entry| entry.kind == kind).filter_map(|entry| entry.names.first());
        let names = names.map(String::as_str).collect::<Vec<_>>().join(", ");
        let _ =
            writeln!(out, "{}\n  {}\n", style.bold(kind), text::wrap(&names, columns.saturating_sub(2), 2));
    }
    out.push_str("`e3 explain WORD` explains one of them.\n");
    out
}

impl Entry {
    fn json(&self) -> serde_json::Value {
        json!({"kind": self.kind, "names": self.names, "meaning": self.meaning, "advice": self.advice})
    }

    fn shown(&self, columns: usize, style: Style) -> String {
        let title = self.names.first().map(String::as_str).unwrap_or_default();
        let mut out = format!("{} {}\n", style.bold(title), style.dim(&format!("({})", self.kind)));
        let _ = writeln!(out, "  {}", text::wrap(&self.meaning, columns.saturating_sub(2), 2));
        if let Some(advice) = self.advice {
            let _ = writeln!(out, "\n  {}", text::wrap(advice, columns.saturating_sub(2), 2));
        }
        out
    }
}

#[cfg(test)]
#[path = "explain/tests.rs"]
mod tests;
