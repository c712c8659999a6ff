//! What the pages show is done: commands are run, documents are validated, outputs are compared by their shape.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::block::{Block, blocks};
use super::home::{Ended, PageHome};
use super::pages::Page;
use super::session::{Step, steps, with_runs};
use super::shape;
use crate::say::say;

/// What came of the pages' examples.
#[derive(Default)]
pub(super) struct Examples {
    /// How many commands and scripts were run.
    pub(super) commands: usize,
    /// How many documents were validated.
    pub(super) documents: usize,
    /// What is wrong, one sentence each.
    pub(super) problems: Vec<String>,
}

/// Does what the pages show, page by page.
///
/// # Errors
/// When a file cannot be read or written, or a command cannot be started.
pub(super) fn run(e3: &Path, pages: &[Page]) -> Result<Examples> {
    let cache = tempfile::tempdir().context("cannot make a directory for datasets")?;
    let mut examples = Examples::default();
    for page in pages {
        let (begun, before) = (Instant::now(), examples.commands + examples.documents);
        let home = PageHome::make(e3, cache.path())?;
        for block in &blocks(page) {
            examples.look_at(&home, block)?;
        }
        let done = examples.commands + examples.documents - before;
        if done > 0 {
            say(format!("examples: {} {done} done in {:.1} s", page.path, begun.elapsed().as_secs_f64()));
        }
    }
    Ok(examples)
}

impl Examples {
    fn look_at(&mut self, home: &PageHome, block: &Block) -> Result<()> {
        if block.is_included() || block.has("not-run") {
            return Ok(());
        }
        match block.language.as_str() {
            "json" => self.document(home, block),
            "console" => steps(&block.text).iter().try_for_each(|step| self.step(home, block, step)),
            "sh" if block.has("run") => {
                let ended = home.run(&block.text)?;
                self.commands += 1;
                self.judge(block, "the script", &ended);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn step(&mut self, home: &PageHome, block: &Block, step: &Step<'_>) -> Result<()> {
        let ended = home.run(&with_runs(&step.command, &home.runs()))?;
        self.commands += 1;
        let right = self.judge(block, &format!("`{}`", step.command), &ended);
        // A page shows what is printed with the first of the codes; with another one it may be something else.
        if !right || ended.code != block.exits().first().copied() {
            return Ok(());
        }
        if let Some(line) = shape::missing(&step.shown, &ended.output) {
            self.problems.push(format!(
                "{}: `{}` does not print, at that place, a line of the shape\n    {line}\n  but\n{}",
                block.place,
                step.command,
                indented(&ended.output)
            ));
        }
        Ok(())
    }

    /// Notes an exit code that is not the right one; returns whether it is.
    fn judge(&mut self, block: &Block, what: &str, ended: &Ended) -> bool {
        let right = ended.code.is_some_and(|code| block.exits().contains(&code));
        if !right {
            self.problems.push(format!(
                "{}: {what} ended with {:?}, not {:?}:\n{}",
                block.place,
                ended.code,
                block.exits(),
                indented(&ended.output)
            ));
        }
        right
    }

    fn document(&mut self, home: &PageHome, block: &Block) -> Result<()> {
        let place = &block.place;
        self.documents += 1;
        let Some(value) = parsed(block) else {
            self.problems.push(format!("{place}: this is no JSON"));
            return Ok(());
        };
        if block.has("part") {
            return Ok(());
        }
        let Some((kind, schema)) = e3_model::schemas().into_iter().find(|(name, _)| block.has(name)) else {
            self.problems
                .push(format!("{place}: say which document this is, as in `json,experiment`, or `part`"));
            return Ok(());
        };
        let file = home.put(kind, block.value("name").unwrap_or("unnamed"), &block.text)?;
        if kind == "experiment" {
            let ended = home.run(&format!("e3 validate -e '{}'", file.display()))?;
            self.judge(block, "the experiment", &ended);
            return Ok(());
        }
        let validator = jsonschema::validator_for(&schema).map_err(|error| anyhow::anyhow!("{error}"))?;
        self.problems.extend(validator.iter_errors(&value).map(|error| format!("{place}: {error}")));
        Ok(())
    }
}

/// Returns a block's JSON; a part of a document may be the inside of an object.
fn parsed(block: &Block) -> Option<Value> {
    let whole = serde_json::from_str(&block.text).ok();
    whole.or_else(|| serde_json::from_str(&format!("{{{}}}", block.text)).ok().filter(|_| block.has("part")))
}

/// Returns the end of an output, indented.
fn indented(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    let end = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default();
    end.iter().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

/// How much of an output a problem shows.
const LINES: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn examples(text: &str) -> Examples {
        let page = Page { path: "page.md".to_owned(), text: text.to_owned() };
        run(Path::new("/nowhere/e3"), &[page]).unwrap()
    }

    #[test]
    fn a_command_is_run_and_its_output_compared() {
        let fine = examples(
            "```console,exit=3\n$ echo took 17 ms; exit 3\ntook 1.2 s\n```\n```console,not-run\n$ false\n```\n```sh,run\ntrue\n```\n```sh\nfalse\n```\n",
        );
        assert_eq!((fine.commands, fine.problems), (2, Vec::<String>::new()));
        let other = examples("```console,exit=0/32\n$ echo busy; exit 32\nfine\n```\n");
        assert_eq!(other.problems, Vec::<String>::new(), "what is shown belongs to code 0");
        let wrong = examples("```console\n$ echo took 17 ms\ntook 17 kg\n$ exit 4\n```\n");
        assert_eq!(wrong.problems.len(), 2, "{:?}", wrong.problems);
        assert!(
            wrong.problems[0].starts_with("page.md:1: `echo took 17 ms` does not print"),
            "{:?}",
            wrong.problems
        );
        assert!(wrong.problems[1].contains("ended with Some(4), not [0]"), "{:?}", wrong.problems);
    }

    #[test]
    fn a_document_is_validated_by_its_schema() {
        let fine = examples(
            "```json,workload\n[{\"script\": \"web.Status\", \"weight\": 1}]\n```\n```json,part\n\"seed\": 7\n```\n",
        );
        assert_eq!((fine.documents, fine.problems), (2, Vec::<String>::new()));
        let wrong = examples(
            "```json,workload\n[{\"script\": \"web.Status\"}]\n```\n```json\n{}\n```\n```json,part\n{\n```\n",
        );
        assert_eq!(wrong.problems.len(), 3, "{:?}", wrong.problems);
    }
}
