//! Every command with its flags, as `e3 COMMAND --help` shows them.

use std::path::Path;

use anyhow::{Result, bail};

/// Returns the flags that every command has, then one section a command, in the order of `e3 --help`; commands of a command
/// follow it.
///
/// # Errors
/// When e3 cannot be asked, or shows no commands.
pub(super) fn list(e3: &Path) -> Result<String> {
    let mut text = String::new();
    append(e3, &[], &mut text)?;
    if text.is_empty() {
        bail!("`e3 --help` shows no commands");
    }
    let (_, everywhere) = apart(&super::printed(e3, &["--help"])?);
    Ok(format!(
        "## Everywhere\n\nEvery command has these flags as well.\n\n```text\n{everywhere}\n```\n\n{text}"
    ))
}

fn append(e3: &Path, command: &[&str], text: &mut String) -> Result<()> {
    let help = super::printed(e3, &[command, &["--help"]].concat())?;
    if !command.is_empty() {
        text.push_str(&format!("## e3 {}\n\n```text\n{}\n```\n\n", command.join(" "), apart(&help).0));
    }
    for name in names(&help) {
        append(e3, &[command, &[name]].concat(), text)?;
    }
    Ok(())
}

/// Returns a help without the flags that every command has, and these flags.
fn apart(help: &str) -> (String, String) {
    let (mut own, mut everywhere) = (Vec::new(), Vec::new());
    let mut is_own = true;
    for line in help.trim_end().lines().map(str::trim_end) {
        // A section goes on to the next line that is not indented.
        if !line.is_empty() && !line.starts_with(' ') {
            is_own = line != EVERYWHERE;
        }
        if is_own {
            own.push(line);
        } else if line != EVERYWHERE {
            everywhere.push(line);
        }
    }
    (own.join("\n").trim_end().to_owned(), everywhere.join("\n").trim_end().to_owned())
}

/// The heading of the flags that every command has.
const EVERYWHERE: &str = "Everywhere:";

/// Returns the names of the commands that a help lists, in groups or not, in its order.
///
/// Groups of commands come before the arguments; a summary that goes on over several lines is indented more deeply.
fn names(help: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut lists_commands = false;
    for line in help.lines() {
        if let Some(title) = line.strip_suffix(':').filter(|title| !title.starts_with(' ')) {
            if ARGUMENTS.contains(&title) {
                break;
            }
            lists_commands = true;
            continue;
        }
        let entry = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '));
        let name = entry.and_then(|entry| entry.split_whitespace().next());
        names.extend(name.filter(|name| lists_commands && *name != "help"));
    }
    names
}

/// The headings below which a help lists arguments, not commands.
const ARGUMENTS: &[&str] = &["Arguments", "Options", "Everywhere"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_a_line_of_its_own() {
        let help = "Finds out.\n\nUsage: e3\n\nBegin:\n  run      Run the stages of a\n           provisioned run\n\nTools:\n  githost  Serve\n  help     Print\n\nOptions:\n  -q  Quiet\n\nWords:\n  stage  a level\n";
        assert_eq!(names(help), ["run", "githost"]);
        assert!(
            names("Usage: e3 run [OPTIONS]\n\nArguments:\n  NAME  it\n\nOptions:\n  -q  Quiet\n").is_empty()
        );
    }

    #[test]
    fn what_every_command_has_is_shown_once() {
        let help = "Usage: e3 run\n\nOptions:\n  -r  The run\n\nEverywhere:\n  -q  Quiet\n\n      More.\n\nExamples:\n  e3 run\n";
        let (own, everywhere) = apart(help);
        assert_eq!(own, "Usage: e3 run\n\nOptions:\n  -r  The run\n\nExamples:\n  e3 run");
        assert_eq!(everywhere, "  -q  Quiet\n\n      More.");
    }
}
