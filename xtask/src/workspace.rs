//! The working tree: where it is, what cargo says of it, which Rust files it holds.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::process;

/// The working tree.
pub(crate) struct Workspace {
    /// The directory that holds the root Cargo.toml.
    pub(crate) root: PathBuf,
}

/// A Rust file of the working tree.
pub(crate) struct RustFile {
    /// Its path below the root, with `/` between names.
    pub(crate) path: String,
    /// What it holds.
    pub(crate) text: String,
}

impl Workspace {
    /// Returns the working tree around the current directory.
    ///
    /// # Errors
    /// When the current directory is not within a clone of the project.
    pub(crate) fn locate() -> Result<Self> {
        let current = std::env::current_dir().context("cannot tell the current directory")?;
        match current.ancestors().find(|directory| directory.join("xtask/Cargo.toml").is_file()) {
            Some(root) => Ok(Self { root: root.to_owned() }),
            None => bail!("{} is not within a clone of the project", current.display()),
        }
    }

    /// Returns what a file of the tree holds.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn read(&self, path: &str) -> Result<String> {
        std::fs::read_to_string(self.root.join(path)).with_context(|| format!("cannot read {path}"))
    }

    /// Returns what `cargo metadata` says with these arguments, strictly by Cargo.lock.
    ///
    /// # Errors
    /// When cargo cannot say it; the error holds cargo's own words.
    pub(crate) fn metadata(&self, arguments: &[&str]) -> Result<Value> {
        let output = process::cargo(&self.root)
            .args(["metadata", "--format-version", "1", "--locked"])
            .args(arguments)
            .output()
            .context("cannot start cargo metadata")?;
        if !output.status.success() {
            bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        serde_json::from_slice(&output.stdout).context("cargo metadata did not print JSON")
    }

    /// Returns every Rust file of the crates and of xtask, by path.
    ///
    /// # Errors
    /// When a directory or file cannot be read.
    pub(crate) fn rust_files(&self) -> Result<Vec<RustFile>> {
        let mut files = Vec::new();
        for top in ["crates", "xtask"] {
            self.collect_rust_files(&self.root.join(top), &mut files)?;
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    fn collect_rust_files(&self, directory: &Path, files: &mut Vec<RustFile>) -> Result<()> {
        let unreadable = || format!("cannot read {}", directory.display());
        for entry in std::fs::read_dir(directory).with_context(unreadable)? {
            let path = entry.with_context(unreadable)?.path();
            if path.is_dir() {
                if !path.ends_with("target") {
                    self.collect_rust_files(&path, files)?;
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(&self.root).unwrap_or(&path).to_string_lossy().into_owned();
                files.push(RustFile { text: self.read(&relative)?, path: relative });
            }
        }
        Ok(())
    }
}
