//! `cargo xtask schemas`: schemas/NAME.json says what each document looks like, generated from its type.
//!
//! With `--check` nothing is written: a file that is missing, stale or left over is a problem.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use crate::say::{say, verdict};
use crate::workspace::Workspace;

/// Runs the chore.
///
/// # Errors
/// When an argument is unknown, or a file cannot be read or written.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    let directory = workspace.root.join("schemas");
    let wanted = wanted()?;
    let found = found(&directory)?;
    match arguments {
        [] => {
            write(&directory, &wanted, &found)?;
            Ok(verdict("schemas", &[], &format!("{} documents written to schemas/", wanted.len())))
        }
        [flag] if flag == "--check" => Ok(verdict(
            "schemas",
            &problems(&wanted, &found),
            &format!("{} documents up to date", wanted.len()),
        )),
        other => bail!("`cargo xtask schemas` takes --check or nothing, but got {other:?}"),
    }
}

/// Files by name.
type Files = BTreeMap<String, Vec<u8>>;

fn wanted() -> Result<Files> {
    let file = |(name, schema): (&str, serde_json::Value)| {
        let text =
            e3_model::to_json(&schema).with_context(|| format!("the schema of {name} has no JSON form"))?;
        Ok((format!("{name}.json"), text))
    };
    e3_model::schemas().into_iter().map(file).collect()
}

fn found(directory: &Path) -> Result<Files> {
    let unreadable = || format!("cannot read {}", directory.display());
    std::fs::create_dir_all(directory).with_context(unreadable)?;
    let mut files = Files::new();
    for entry in std::fs::read_dir(directory).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        let text =
            std::fs::read(entry.path()).with_context(|| format!("cannot read {}", entry.path().display()))?;
        files.insert(entry.file_name().to_string_lossy().into_owned(), text);
    }
    Ok(files)
}

fn write(directory: &Path, wanted: &Files, found: &Files) -> Result<()> {
    for name in found.keys().filter(|name| !wanted.contains_key(*name)) {
        std::fs::remove_file(directory.join(name))
            .with_context(|| format!("cannot remove schemas/{name}"))?;
        say(format!("removed schemas/{name}"));
    }
    for (name, text) in wanted.iter().filter(|(name, text)| found.get(*name) != Some(*text)) {
        std::fs::write(directory.join(name), text).with_context(|| format!("cannot write schemas/{name}"))?;
        say(format!("wrote schemas/{name}"));
    }
    Ok(())
}

fn problems(wanted: &Files, found: &Files) -> Vec<String> {
    let left_over = found.keys().filter(|name| !wanted.contains_key(*name));
    let mut problems: Vec<String> =
        left_over.map(|name| format!("schemas/{name} belongs to no document")).collect();
    for (name, text) in wanted {
        match found.get(name) {
            None => problems.push(format!("schemas/{name} is missing")),
            Some(old) if old != text => {
                problems.push(format!("schemas/{name} is stale {}", difference(old, text)));
            }
            Some(_) => {}
        }
    }
    if !problems.is_empty() {
        problems
            .push("run `cargo xtask schemas`, look at the difference, commit it with the change".to_owned());
    }
    problems
}

/// Says where two texts part.
fn difference(old: &[u8], new: &[u8]) -> String {
    let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
    let same = old.lines().zip(new.lines()).take_while(|(old, new)| old == new).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("nothing").trim().to_owned();
    format!("from line {}: it has `{}`, the type says `{}`", same + 1, line(&old), line(&new))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(entries: &[(&str, &str)]) -> Files {
        entries.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn says_what_is_missing_stale_and_left_over() {
        let wanted = files(&[("plan.json", "{\n  1\n}\n"), ("run.json", "{}\n"), ("same.json", "{}\n")]);
        let found = files(&[("plan.json", "{\n  2\n}\n"), ("same.json", "{}\n"), ("old.json", "{}\n")]);
        let problems = problems(&wanted, &found);
        assert_eq!(problems.len(), 4, "{problems:?}");
        assert!(
            problems.contains(
                &"schemas/plan.json is stale from line 2: it has `2`, the type says `1`".to_owned()
            )
        );
        assert!(super::problems(&wanted, &wanted).is_empty());
    }

    #[test]
    fn writing_leaves_nothing_to_check() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("old.json"), "{}").unwrap();
        let wanted = files(&[("plan.json", "{}\n")]);
        write(directory.path(), &wanted, &found(directory.path()).unwrap()).unwrap();
        assert_eq!(found(directory.path()).unwrap(), wanted);
    }
}
