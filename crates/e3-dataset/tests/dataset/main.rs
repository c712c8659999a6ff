//! Generated datasets, looked at with the real git, and loaded into the embedded server.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a step that fails here fails its test"
)]

mod generating;
mod loading;
mod server;

use std::path::Path;
use std::process::Command;

use e3_dataset::Dataset;
use e3_model::{Generate, Seed, Sizes};

/// A recipe of everything, small enough to be made often.
fn small() -> Generate {
    Generate {
        seed: Seed(7),
        projects: 2,
        repositories: 3,
        commits_min: 5,
        commits_max: 60,
        users: 3,
        sizes: Sizes::Even,
        pull_requests: 0,
        assets_mb: 0,
    }
}

/// A recipe with pull requests in every state and a binary file or two.
fn team() -> Generate {
    Generate { commits_min: 60, commits_max: 120, users: 5, pull_requests: 15, assets_mb: 1, ..small() }
}

/// Runs git on a repository and returns what it printed.
fn git(repository: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").arg("--git-dir").arg(repository).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "git {arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Returns the refs of every repository, with the objects they name.
fn refs(dataset: &Dataset) -> Vec<String> {
    dataset.repositories.iter().map(|repository| git(&repository.path, &["show-ref", "--head"])).collect()
}
