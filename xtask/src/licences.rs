//! `cargo xtask licences`: every dependency may be shipped, none is banned, all come from a registry.
//!
//! Bans and sources are checked over Cargo.lock, so for every platform; licences over the packages of this platform,
//! which cargo has at hand when the project was built once.

mod expression;

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::cargo_lock::{self, Locked};
use crate::licences::expression::Expression;
use crate::process;
use crate::say::{say, verdict};
use crate::workspace::Workspace;

/// Licences under which code may be part of an Apache-2.0 binary with no duty but to name it.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Exceptions that only take duties away.
const EXCEPTIONS: &[&str] = &["LLVM-exception"];

/// A package that must not come in.
struct Ban {
    name: &'static str,
    reason: &'static str,
    /// The packages that may bring it all the same.
    only_under: &'static [&'static str],
}

const BANS: &[Ban] = &[
    ban("aws-lc-sys", "one TLS, rustls with ring; this one is a long C build"),
    ban("aws-lc-rs", "one TLS, rustls with ring; this one is a long C build"),
    ban("openssl-sys", "one TLS, rustls with ring; the binary must not need the system's OpenSSL"),
    ban("native-tls", "one TLS, rustls with ring; the binary must not need the system's OpenSSL"),
    ban("reqwest", "one HTTP stack, hyper through e3-http, where connections and phases can be seen"),
    ban("ureq", "one HTTP stack, hyper through e3-http"),
    ban("isahc", "one HTTP stack, hyper through e3-http"),
    ban("curl", "one HTTP stack, hyper through e3-http"),
    ban("async-std", "one runtime, tokio"),
    ban("smol", "one runtime, tokio"),
    ban("rusqlite", "one SQL library, sqlx; the two cannot link the same SQLite"),
    ban("git2", "one Git client, e3-git, which drains packs instead of indexing them"),
    Ban {
        name: "chrono",
        reason: "one calendar, the time crate",
        // russh-util takes it for WebAssembly only.
        only_under: &["arrow-array", "arrow-cast", "parquet", "russh-util"],
    },
];

const fn ban(name: &'static str, reason: &'static str) -> Ban {
    Ban { name, reason, only_under: &[] }
}

/// Runs the chore.
///
/// # Errors
/// When Cargo.lock cannot be read or cargo cannot describe the packages.
pub(crate) fn run(workspace: &Workspace, _: &[String]) -> Result<ExitCode> {
    let locked = cargo_lock::packages(&workspace.read("Cargo.lock")?);
    let version = process::output("rustc", &["-vV"]).context("cannot ask rustc for this platform's name")?;
    let host =
        version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc -vV names no host")?;
    let packages = packages(&workspace.metadata(&["--filter-platform", host])?)?;

    let mut problems = licence_problems(&packages);
    problems.extend(source_problems(&locked, &workspace_members(workspace)?));
    problems.extend(ban_problems(&locked));
    say_duplicates(&packages);
    let fine =
        format!("{} packages may be shipped; {} in Cargo.lock, none banned", packages.len(), locked.len());
    Ok(verdict("licences", &problems, &fine))
}

/// A package of this platform and the licence it states.
struct Package {
    name: String,
    version: String,
    licence: Option<String>,
}

fn packages(metadata: &Value) -> Result<Vec<Package>> {
    let read = |package: &Value| {
        let text = |key: &str| Some(package.get(key)?.as_str()?.to_owned());
        Some(Package { name: text("name")?, version: text("version")?, licence: text("license") })
    };
    let packages = metadata.get("packages").and_then(Value::as_array);
    packages
        .and_then(|packages| packages.iter().map(read).collect())
        .context("cargo metadata has another shape")
}

fn workspace_members(workspace: &Workspace) -> Result<BTreeSet<String>> {
    let members = packages(&workspace.metadata(&["--no-deps", "--offline"])?)?;
    Ok(members.into_iter().map(|package| package.name).collect())
}

fn licence_problems(packages: &[Package]) -> Vec<String> {
    let problem = |package: &Package| {
        let (name, version) = (&package.name, &package.version);
        let Some(licence) = &package.licence else {
            return Some(format!("{name} {version} states no licence expression"));
        };
        match Expression::parse(licence) {
            Err(why) => Some(format!(
                "{name} {version} states the licence {licence:?}, which is no expression: {why}"
            )),
            Ok(expression) if expression.is_satisfied(ALLOWED, EXCEPTIONS) => None,
            Ok(_) => Some(format!(
                "{name} {version} is under {licence}, which xtask/src/licences.rs does not allow"
            )),
        }
    };
    packages.iter().filter_map(problem).collect()
}

fn source_problems(locked: &[Locked], members: &BTreeSet<String>) -> Vec<String> {
    let problem = |package: &Locked| match &package.source {
        None if members.contains(&package.name) => None,
        None => Some(format!("{} is a path outside the workspace; a clone alone must build", package.name)),
        Some(source) if source.starts_with("registry+") || source.starts_with("sparse+") => None,
        Some(source) => {
            Some(format!("{} comes from {source}; only registry packages may be used", package.name))
        }
    };
    locked.iter().filter_map(problem).collect()
}

fn ban_problems(locked: &[Locked]) -> Vec<String> {
    let mut problems = Vec::new();
    for ban in BANS.iter().filter(|ban| locked.iter().any(|package| package.name == ban.name)) {
        let users = locked.iter().filter(|package| package.dependencies.iter().any(|name| name == ban.name));
        let wrong: Vec<&str> = users
            .map(|package| package.name.as_str())
            .filter(|name| !ban.only_under.contains(name))
            .collect();
        if !wrong.is_empty() {
            problems.push(format!(
                "{} is banned ({}) and comes with {}",
                ban.name,
                ban.reason,
                wrong.join(", ")
            ));
        }
    }
    problems
}

fn say_duplicates(packages: &[Package]) {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages {
        versions.entry(&package.name).or_default().insert(&package.version);
    }
    for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
        let list: Vec<&str> = versions.iter().copied().collect();
        say(format!("note: {name} is built in {} versions: {}", list.len(), list.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(licence: Option<&str>) -> Package {
        Package { name: "a".to_owned(), version: "1.0.0".to_owned(), licence: licence.map(str::to_owned) }
    }

    fn locked(name: &str, source: Option<&str>, dependencies: &[&str]) -> Locked {
        Locked {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            source: source.map(str::to_owned),
            dependencies: dependencies.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn a_package_must_state_an_allowed_licence() {
        for (licence, problems) in [
            (Some("MIT OR Apache-2.0"), 0),
            (Some("(MIT OR Apache-2.0) AND Unicode-3.0"), 0),
            (Some("AGPL-3.0-only"), 1),
            (Some("see LICENSE"), 1),
            (None, 1),
        ] {
            assert_eq!(licence_problems(&[package(licence)]).len(), problems, "{licence:?}");
        }
    }

    #[test]
    fn packages_come_from_a_registry() {
        let members = BTreeSet::from(["e3".to_owned()]);
        for (name, source, problems) in [
            ("e3", None, 0),
            ("elsewhere", None, 1),
            ("a", Some("registry+https://example.org/index"), 0),
            ("a", Some("git+https://example.org/a.git#0123"), 1),
        ] {
            assert_eq!(
                source_problems(&[locked(name, source, &[])], &members).len(),
                problems,
                "{name} {source:?}"
            );
        }
    }

    #[test]
    fn bans_say_who_brings_the_package() {
        let registry = Some("registry+https://example.org/index");
        let tree = [locked("tls", registry, &["openssl-sys"]), locked("openssl-sys", registry, &[])];
        let problems = ban_problems(&tree);
        assert!(problems.len() == 1 && problems[0].ends_with("comes with tls"), "{problems:?}");
        let under_arrow = [locked("arrow-array", registry, &["chrono"]), locked("chrono", registry, &[])];
        assert!(ban_problems(&under_arrow).is_empty());
        let elsewhere = [locked("e3-home", None, &["chrono"]), locked("chrono", registry, &[])];
        assert_eq!(ban_problems(&elsewhere).len(), 1);
    }
}
