//! The project's chores: `cargo xtask CHORE`.
//!
//! Each chore is one file and one line in `CHORES`. A chore reads the working tree, says on stderr what it does, and
//! returns an exit code: 0 when all is well, 1 when it has something to say, or what the tool it ran returned.

mod bench;
mod binary;
mod cargo_lock;
mod ci;
mod conformance;
mod doctests;
mod fuzz;
mod guide;
mod layers;
mod licences;
mod map;
mod process;
mod say;
mod schemas;
mod sizes;
mod soak;
mod source;
mod test;
mod tools;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::say::say;
use crate::workspace::Workspace;

/// A chore as `cargo xtask` knows it.
struct Chore {
    name: &'static str,
    arguments: &'static str,
    summary: &'static str,
    run: fn(&Workspace, &[String]) -> Result<ExitCode>,
}

const CHORES: &[Chore] = &[
    Chore {
        name: "test",
        arguments: "[--release] [FILTER...]",
        summary: "Find or install what the tests need, then run all of them, or those that FILTER names",
        run: test::run,
    },
    Chore {
        name: "ci",
        arguments: "",
        summary: "Everything a change must pass, cheapest first",
        run: ci::run,
    },
    Chore {
        name: "layers",
        arguments: "",
        summary: "A crate depends on smaller rows only",
        run: layers::run,
    },
    Chore { name: "map", arguments: "", summary: "The pages name only what exists", run: map::run },
    Chore {
        name: "sizes",
        arguments: "",
        summary: "Lengths of files and functions, names, and what must not be left in the source",
        run: sizes::run,
    },
    Chore {
        name: "licences",
        arguments: "",
        summary: "Licences, bans and sources of every dependency; needs no network",
        run: licences::run,
    },
    Chore {
        name: "schemas",
        arguments: "[--check]",
        summary: "Write schemas/*.json from the document types, or check that they are up to date",
        run: schemas::run,
    },
    Chore {
        name: "guide",
        arguments: "[--check] [--e3 PATH]",
        summary: "Write the generated parts of the user guide, build it into target/guide, follow its links, run its examples",
        run: guide::run,
    },
    Chore {
        name: "conformance",
        arguments: "",
        summary: "githost answers as real servers were recorded to; reads E3_TEST_DATA",
        run: conformance::run,
    },
    Chore {
        name: "soak",
        arguments: "[FLAG VALUE...]",
        summary: "40 clients of all scripts for two minutes: nothing fails, grows or is left; --clients N --seconds N --e3 PATH",
        run: soak::run,
    },
    Chore {
        name: "schemathesis",
        arguments: "[SECONDS]",
        summary: "githost answers as its own OpenAPI document says, whatever is asked for a minute",
        run: conformance::schemathesis::run,
    },
    Chore {
        name: "bench",
        arguments: "githost [FLAG VALUE...]",
        summary: "githost beside nginx with git-http-backend; --seconds N --rounds N --e3 PATH",
        run: bench::run,
    },
    Chore {
        name: "fuzz",
        arguments: "[TARGET...] [--seconds N]",
        summary: "What reads bytes from a server is fed with what coverage suggests, 5 s a target",
        run: fuzz::run,
    },
    Chore { name: "tools", arguments: "", summary: "Find or install what the tests need", run: tools::run },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    dispatch(&arguments).unwrap_or_else(|error| {
        say(format!("error: {error}"));
        for cause in error.chain().skip(1) {
            say(format!("caused by: {cause}"));
        }
        ExitCode::FAILURE
    })
}

fn dispatch(arguments: &[String]) -> Result<ExitCode> {
    let Some((name, rest)) = arguments.split_first() else {
        say(help());
        return Ok(ExitCode::FAILURE);
    };
    if ["help", "--help", "-h"].contains(&name.as_str()) {
        say(help());
        return Ok(ExitCode::SUCCESS);
    }
    let Some(chore) = CHORES.iter().find(|chore| chore.name == name) else {
        bail!("there is no chore {name:?}; `cargo xtask help` lists them");
    };
    if rest.iter().any(|argument| argument == "--help" || argument == "-h") {
        say(format!("{}\n\nUsage: cargo xtask {} {}", chore.summary, chore.name, chore.arguments));
        return Ok(ExitCode::SUCCESS);
    }
    if chore.arguments.is_empty() && !rest.is_empty() {
        bail!("`cargo xtask {name}` takes no arguments, but got {rest:?}");
    }
    (chore.run)(&Workspace::locate()?, rest)
}

fn help() -> String {
    let mut text = String::from("Usage: cargo xtask CHORE\n\nChores:\n");
    for chore in CHORES {
        text.push_str(&format!("  {:<11} {:<24} {}\n", chore.name, chore.arguments, chore.summary));
    }
    text
}
