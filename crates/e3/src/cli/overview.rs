//! The list of commands in the order of work, as `e3`, `e3 -h` and `e3 --help` show it.

use std::fmt::Write as _;

use clap::CommandFactory as _;

use super::{Cli, help};
use crate::text;

/// Returns the command line's definition, whose help is written for so many columns.
pub(crate) fn command(columns: usize) -> clap::Command {
    let command = Cli::command().term_width(columns).after_long_help(help::after_long(columns));
    let overview = overview(&command, columns);
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{overview}Options:\n{{options}}{{after-help}}"
    );
    command.help_template(template)
}

/// Returns what `e3` without arguments shows.
pub(crate) fn first_page(columns: usize) -> String {
    let overview = overview(&Cli::command(), columns);
    let more = text::wrap(help::MORE, columns, 0);
    format!("{}\n{overview}{more}\n", help::FIRST_PAGE)
}

/// Returns the commands by group, each with what it does; one that no group names is among the tools.
fn overview(command: &clap::Command, columns: usize) -> String {
    let mut out = String::new();
    for (title, names) in GROUPS {
        let _ = writeln!(out, "{title}:");
        let listed = command.get_subcommands().filter(|sub| group_of(sub.get_name()) == *title);
        let mut listed: Vec<_> = listed.collect();
        listed.sort_by_key(|sub| names.iter().position(|name| *name == sub.get_name()));
        for sub in listed {
            let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
            let about = text::wrap(&about, columns.saturating_sub(NAME_COLUMNS), NAME_COLUMNS);
            let _ = writeln!(out, "  {:<width$}{about}", sub.get_name(), width = NAME_COLUMNS - 2);
        }
        out.push('\n');
    }
    out
}

fn group_of(name: &str) -> &'static str {
    GROUPS.iter().find(|(_, names)| names.contains(&name)).map_or(TOOLS, |(title, _)| title)
}

const GROUPS: &[(&str, &[&str])] = &[
    ("Begin", &["doctor", "init", "new", "list", "explain"]),
    ("Experiment", &["validate", "orchestrate", "status", "compare"]),
    ("Step by step", &["provision", "run", "gather", "analyze", "report", "deprovision"]),
    (TOOLS, &["load", "githost", "schema", "completions"]),
];
const TOOLS: &str = "Tools";
const NAME_COLUMNS: usize = 15;
