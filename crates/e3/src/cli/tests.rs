//! The command line's definition, and every help text as it is read.

use clap::CommandFactory as _;

use super::*;

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

/// Returns the help of a command and of those below it, short and long.
fn pages(command: &mut clap::Command, path: &str, out: &mut String) {
    for (flag, help) in [("-h", command.render_help()), ("--help", command.render_long_help())] {
        // What a person reads has no spaces at the ends of lines.
        let text: String = help.to_string().lines().map(|line| format!("{}\n", line.trim_end())).collect();
        out.push_str(&format!("$ {path} {flag}\n{text}\n"));
    }
    for sub in command.get_subcommands_mut().filter(|sub| sub.get_name() != "help") {
        let path = format!("{path} {}", sub.get_name());
        pages(sub, &path, out);
    }
}

fn all_pages(columns: usize) -> String {
    let mut command = command(columns);
    command.build();
    let mut out = String::new();
    pages(&mut command, "e3", &mut out);
    out
}

#[test]
fn help_in_80_columns() {
    insta::assert_snapshot!(all_pages(80));
}

#[test]
fn help_in_100_columns() {
    insta::assert_snapshot!(all_pages(100));
}

#[test]
fn no_help_is_wider_than_its_columns() {
    for columns in [60, 80, 100, 200] {
        for line in all_pages(columns).lines().filter(|line| !line.starts_with("Usage:")) {
            assert!(crate::text::columns(line) <= columns, "{columns}: {line}");
        }
    }
}

#[test]
fn the_first_page_names_every_command() {
    let page = first_page(80);
    insta::assert_snapshot!(page);
    for command in Cli::command().get_subcommands() {
        let named = page.lines().any(|line| line.split_whitespace().next() == Some(command.get_name()));
        assert!(named, "{} in {page}", command.get_name());
    }
}

#[test]
fn every_command_says_what_it_does_in_a_line() {
    for command in Cli::command().get_subcommands() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!((10..=62).contains(&about.len()), "{}: {about:?}", command.get_name());
    }
}
