//! Real git, without the user's configuration.

use std::{
    ffi::OsString,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// Runs real git in one directory, hermetically: cleared environment, no configuration, fixed author and dates.
#[derive(Debug, Clone)]
pub struct Git {
    directory: PathBuf,
}

impl Git {
    /// Returns a git that runs in this directory, which must exist.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Returns the directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Runs git and returns its stdout, without the line break at its end.
    ///
    /// # Panics
    /// If git is not installed or exits with an error.
    pub fn run(&self, arguments: &[&str]) -> String {
        self.run_with_input(arguments, b"")
    }

    /// Runs git with these bytes on stdin and returns its stdout, without the line break at its end.
    ///
    /// # Panics
    /// If git is not installed or exits with an error.
    pub fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> String {
        let output = self.output(arguments, input);
        assert!(
            output.status.success(),
            "git {} in {} ended with {}: {}",
            arguments.join(" "),
            self.directory.display(),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned()
    }

    /// Runs git with these bytes on stdin and returns whatever came of it.
    ///
    /// # Panics
    /// If git is not installed.
    pub fn output(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| missing(&error));
        let mut stdin = child.stdin.take().expect("stdin is piped");
        std::thread::scope(|scope| {
            // A child that does not read its input is free to do so; its exit status tells.
            scope.spawn(move || stdin.write_all(input).ok());
            child.wait_with_output().expect("a child that was started can be waited for")
        })
    }

    /// Returns the command `git` in this directory and environment, for tests that need more than [`Git::run`].
    pub fn command(&self) -> Command {
        let mut command = Command::new("git");
        command.current_dir(&self.directory).env_clear().envs(self.environment());
        command
    }

    /// Returns the environment of every git here: dates are fixed, one thread packs, nothing is asked.
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        let mut environment: Vec<(OsString, OsString)> =
            ENVIRONMENT.iter().map(|(name, value)| (name.into(), value.into())).collect();
        environment.push(("PATH".into(), std::env::var_os("PATH").unwrap_or_default()));
        environment.push(("HOME".into(), self.directory.clone().into_os_string()));
        environment
    }
}

pub(crate) fn missing(error: &std::io::Error) -> ! {
    panic!("this test needs git, which cannot be started ({error}): install it with `apt-get install git`")
}

const ENVIRONMENT: [(&str, &str); 19] = [
    ("LC_ALL", "C"),
    ("TZ", "UTC"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_AUTHOR_NAME", "Ada Author"),
    ("GIT_AUTHOR_EMAIL", "ada@example.com"),
    ("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z"),
    ("GIT_COMMITTER_NAME", "Carl Committer"),
    ("GIT_COMMITTER_EMAIL", "carl@example.com"),
    ("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z"),
    ("GIT_CONFIG_COUNT", "3"),
    ("GIT_CONFIG_KEY_0", "init.defaultBranch"),
    ("GIT_CONFIG_VALUE_0", "main"),
    // Packs of several threads differ from run to run.
    ("GIT_CONFIG_KEY_1", "pack.threads"),
    ("GIT_CONFIG_VALUE_1", "1"),
    // A test must not leave a git behind that still collects garbage.
    ("GIT_CONFIG_KEY_2", "gc.auto"),
    ("GIT_CONFIG_VALUE_2", "0"),
    ("GIT_ADVICE", "0"),
];
