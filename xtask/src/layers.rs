//! `cargo xtask layers`: a crate depends only on crates of a smaller row, and a heavy dependency has one room.
//!
//! Reads `cargo metadata` of the workspace alone; says every arrow that points the wrong way.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::say::verdict;
use crate::workspace::Workspace;

/// The rows of the house; ARCHITECTURE.md says what each crate is for.
pub(crate) const ROWS: &[&[&str]] = &[
    &["e3-model"],
    &["e3-plan", "e3-stats", "e3-report", "e3-git-wire"],
    &["e3-workload", "e3-provider", "e3-http"],
    &["e3-home", "e3-node", "e3-git", "e3-bitbucket", "e3-samples"],
    &["e3-scripts", "e3-provider-local", "e3-githost"],
    &["e3-load", "e3-metrics", "e3-dataset"],
    &["e3-provision", "e3-fleet", "e3-results"],
    &["e3"],
    &["e3-testkit", "xtask"],
];

/// What tests of every row may use, so it may itself depend on row 0 only.
const TESTKIT: &str = "e3-testkit";

/// The crates of rows 0 and 1 are functions of values: none of these may be among their dependencies.
const IMPURE: &[&str] =
    &["tokio", "tokio-util", "futures-util", "hyper", "rustix", "procfs", "tempfile", "tracing"];

/// Dependencies that only certain crates may have: heavy ones have one room, and error chains end in the binary.
const ROOMS: &[(&str, &[&str])] = &[
    ("anyhow", &["e3", "xtask"]),
    ("clap", &["e3"]),
    ("axum", &["e3-githost"]),
    ("sqlx", &["e3-githost"]),
    ("argon2", &["e3-githost"]),
    ("arrow-array", &["e3-samples"]),
    ("arrow-ipc", &["e3-samples"]),
    ("arrow-schema", &["e3-samples"]),
    ("parquet", &["e3-samples"]),
    ("jsonschema", &["e3-plan", "xtask"]),
];

/// Runs the chore.
///
/// # Errors
/// When cargo cannot describe the workspace.
pub(crate) fn run(workspace: &Workspace, _: &[String]) -> Result<ExitCode> {
    let crates = crates(&workspace.metadata(&["--no-deps", "--offline"])?)?;
    let fine = format!("{} crates in {} rows, every arrow points down", crates.len(), ROWS.len());
    Ok(verdict("layers", &problems(&crates), &fine))
}

/// A crate of the workspace and what it depends on.
struct Crate {
    name: String,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    name: String,
    /// Whether only tests use it.
    development: bool,
}

fn crates(metadata: &Value) -> Result<Vec<Crate>> {
    let name = |value: &Value| Some(value.get("name")?.as_str()?.to_owned());
    let dependency = |value: &Value| {
        let development = value.get("kind").and_then(Value::as_str) == Some("dev");
        Some(Dependency { name: name(value)?, development })
    };
    let read = |package: &Value| {
        let dependencies = package.get("dependencies")?.as_array()?.iter().map(dependency);
        Some(Crate { name: name(package)?, dependencies: dependencies.collect::<Option<_>>()? })
    };
    let packages = metadata.get("packages").and_then(Value::as_array);
    packages
        .and_then(|packages| packages.iter().map(read).collect())
        .context("cargo metadata has another shape")
}

fn problems(crates: &[Crate]) -> Vec<String> {
    let mut problems = Vec::new();
    for from in crates {
        let Some(row) = row(&from.name) else {
            problems.push(format!(
                "{} has no row; give it one in xtask/src/layers.rs and ARCHITECTURE.md",
                from.name
            ));
            continue;
        };
        problems.extend(from.dependencies.iter().filter_map(|to| problem(&from.name, row, to)));
    }
    problems
}

fn problem(from: &str, row: usize, to: &Dependency) -> Option<String> {
    let name = to.name.as_str();
    if let Some(below) = self::row(name) {
        if to.development && name == TESTKIT {
            return None;
        }
        let ceiling = if from == TESTKIT { 1 } else { row };
        return (below >= ceiling).then(|| {
            let kind = if to.development { "dev-dependency" } else { "dependency" };
            let allowed =
                if ceiling == 1 { "row 0 only".to_owned() } else { format!("rows below {row} only") };
            format!("{from} (row {row}) has the {kind} {name} (row {below}); allowed: {allowed}")
        });
    }
    if to.development {
        return None;
    }
    if row <= 1 && IMPURE.contains(&name) {
        return Some(format!("{from} (row {row}) is pure and must not depend on {name}"));
    }
    let (_, rooms) = ROOMS.iter().find(|(dependency, _)| *dependency == name)?;
    (!rooms.contains(&from))
        .then(|| format!("{from} must not depend on {name}; its room is {}", rooms.join(", ")))
}

fn row(name: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_arrows() {
        for (from, to, development, allowed, why) in [
            ("e3-plan", "e3-model", false, true, "down"),
            ("e3-model", "e3-plan", false, false, "up"),
            ("e3-plan", "e3-stats", false, false, "same row"),
            ("e3-git", "e3-githost", true, false, "tests do not point up either"),
            ("e3-load", "e3-scripts", true, true, "tests may point down"),
            ("e3-git", "e3-testkit", true, true, "tests of every row use the testkit"),
            ("e3-git", "e3-testkit", false, false, "the product does not"),
            ("e3-testkit", "e3-model", false, true, "row 0"),
            ("e3-testkit", "e3-http", false, false, "every room's tests use it"),
            ("e3-plan", "tokio", false, false, "rows 0 and 1 are pure"),
            ("e3-plan", "tempfile", true, true, "their tests need not be"),
            ("e3-http", "tokio", false, true, "row 2 may wait"),
            ("e3-results", "parquet", false, false, "samples have one codec"),
            ("e3-samples", "parquet", false, true, "this one"),
            ("e3-home", "anyhow", false, false, "error chains end in the binary"),
            ("xtask", "anyhow", false, true, "or in a chore"),
        ] {
            let dependencies = vec![Dependency { name: to.to_owned(), development }];
            let found = problems(&[Crate { name: from.to_owned(), dependencies }]);
            assert_eq!(found.is_empty(), allowed, "{from} -> {to}: {why}: {found:?}");
        }
    }

    #[test]
    fn a_crate_without_a_row_is_a_problem() {
        let stray = Crate { name: "e3-stray".to_owned(), dependencies: vec![] };
        assert_eq!(problems(&[stray]).len(), 1);
    }

    #[test]
    fn reads_what_cargo_says() {
        let metadata = serde_json::json!({"packages": [{"name": "e3-plan", "dependencies": [
            {"name": "e3-model", "kind": null}, {"name": "insta", "kind": "dev"}
        ]}]});
        let crates = crates(&metadata).unwrap();
        let kinds: Vec<bool> =
            crates[0].dependencies.iter().map(|dependency| dependency.development).collect();
        assert_eq!(kinds, [false, true]);
        assert!(super::crates(&serde_json::json!({"packages": [{}]})).is_err());
    }
}
