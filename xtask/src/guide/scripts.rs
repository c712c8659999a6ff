//! The list of scripts with their ops, as e3 itself has it.

use std::path::Path;

use anyhow::{Context as _, Result};
use e3_model::{ArgumentForm, ScriptDescriptor};
use serde::Deserialize;

use super::fields::cell;

/// What `e3 list scripts --json` prints.
#[derive(Deserialize)]
struct Catalogue {
    scripts: Vec<ScriptDescriptor>,
}

/// Returns the list as Markdown: one section a script, by name.
///
/// # Errors
/// When e3 cannot be asked.
pub(super) fn list(e3: &Path) -> Result<String> {
    let printed = super::printed(e3, &["list", "scripts", "--json"])?;
    let catalogue: Catalogue =
        serde_json::from_str(&printed).context("the list of scripts has another shape")?;
    Ok(catalogue.scripts.iter().map(section).collect())
}

fn section(script: &ScriptDescriptor) -> String {
    let mut text = format!("### {}\n\n{}\n\n", script.name, script.summary);
    if !script.ops.is_empty() {
        text.push_str("| op | what is timed |\n|---|---|\n");
    }
    for op in &script.ops {
        text.push_str(&format!("| {} | {} |\n", op.name, cell(&op.summary)));
    }
    text + &arguments(script) + "\n"
}

/// Returns what a job may tell the script; nothing for the scripts that need not be told anything.
fn arguments(script: &ScriptDescriptor) -> String {
    let rows = script.arguments.iter().map(|argument| {
        let mark = if argument.required { " (required)" } else { "" };
        let default =
            argument.default.as_ref().map_or_else(String::new, |value| format!(" Default: `{value}`."));
        let meaning = cell(format!("{}{default}", argument.summary));
        format!("| `{}`{mark} | {} | {meaning} |\n", argument.name, form(argument.form))
    });
    let mut text = rows.collect::<String>();
    if let Some(others) = &script.other_arguments {
        text.push_str(&format!("| any other | | {} |\n", cell(others)));
    }
    if text.is_empty() { text } else { format!("\n| argument | form | meaning |\n|---|---|---|\n{text}") }
}

fn form(form: ArgumentForm) -> &'static str {
    match form {
        ArgumentForm::Text => "text",
        ArgumentForm::Texts => "text, or a list of texts",
        ArgumentForm::Json => "text, or any JSON",
        ArgumentForm::File => "path of a file",
        ArgumentForm::JsonOrFile => "JSON, or the path of a file that holds it",
    }
}

#[cfg(test)]
mod tests {
    use e3_model::Protocol;

    use super::*;

    #[test]
    fn a_script_is_a_section_with_its_ops() {
        let script = ScriptDescriptor::new(
            "web.Status",
            "Asks.",
            Protocol::Http,
            &[("Status", "the answer | all of it")],
        );
        assert_eq!(
            section(&script),
            "### web.Status\n\nAsks.\n\n| op | what is timed |\n|---|---|\n| Status | the answer \\| all of it |\n\n"
        );
    }

    #[test]
    fn what_a_script_may_be_told_follows_its_ops() {
        let script =
            ScriptDescriptor::new("http.Request", "Asks.", Protocol::Http, &[("Request", "the answer")])
                .required_argument("path", ArgumentForm::Text, "Where.")
                .argument("method", ArgumentForm::Text, Some("GET"), "How.")
                .with_other_arguments("Headers.");
        let section = section(&script);
        assert!(
            section.ends_with(
                "| Request | the answer |\n\n| argument | form | meaning |\n|---|---|---|\n| `path` (required) | text | Where. |\n| `method` | text | How. Default: `GET`. |\n| any other | | Headers. |\n\n"
            ),
            "{section}"
        );
    }
}
