//! A home of its own for each test, and a look at what is left behind.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use e3_home::{Home, RunDir};

/// The binary with a home of its own, which goes away with the value.
pub(crate) struct E3 {
    directory: tempfile::TempDir,
}

impl E3 {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn home(&self) -> Home {
        Home::at(self.path())
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file into the home.
    pub(crate) fn write(&self, relative: &str, text: &[u8]) -> PathBuf {
        let path = self.path().join(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Returns a command with an environment of its own; generated datasets are shared between tests.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_e3"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("E3_HOME", self.path())
            .env("E3_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("e3-cache"))
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Returns the only run of this home.
    pub(crate) fn only_run(&self) -> RunDir {
        let runs = self.home().runs();
        assert_eq!(runs.len(), 1, "{runs:?}");
        self.home().run(&runs[0].0).unwrap()
    }

    /// Asserts that no process, port, secret or scratch file of this home is left.
    pub(crate) fn assert_nothing_left(&self) {
        assert_eq!(self.processes(), Vec::<String>::new(), "processes are left");
        for folder in ["tmp", "secrets"] {
            let entries: Vec<_> = std::fs::read_dir(self.path().join(folder))
                .map(|entries| entries.flatten().collect())
                .unwrap_or_default();
            assert!(entries.is_empty(), "{folder}: {entries:?}");
        }
    }

    /// Asserts that no password of the only run is in its directory or in any process's arguments.
    pub(crate) fn assert_secrets_are_nowhere(&self) {
        let run = self.only_run();
        let secrets = self.home().read_secrets(run.name()).unwrap();
        let passwords: Vec<&str> = secrets
            .threads
            .iter()
            .flat_map(|thread| thread.users.values().chain([&thread.admin_password]))
            .map(e3_model::Secret::expose)
            .collect();
        assert!(passwords.len() >= 4, "administrators and users of two threads");
        let mut places = files(run.path());
        assert!(places.iter().any(|path| path.ends_with("topology.json")), "{places:?}");
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            places.push(entry.path().join("cmdline"));
        }
        for place in places {
            let bytes = std::fs::read(&place).unwrap_or_default();
            for password in &passwords {
                assert!(!contains(&bytes, password.as_bytes()), "a password is in {}", place.display());
            }
        }
    }

    /// Returns the command line of every process that knows this home.
    pub(crate) fn processes(&self) -> Vec<String> {
        let needle = self.path().as_os_str().as_encoded_bytes();
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let own = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
            if own.is_none() || own == Some(std::process::id()) {
                continue;
            }
            let read = |file: &str| std::fs::read(entry.path().join(file)).unwrap_or_default();
            let (command, environment) = (read("cmdline"), read("environ"));
            if contains(&command, needle) || contains(&environment, needle) {
                found.push(String::from_utf8_lossy(&command).replace('\0', " "));
            }
        }
        found
    }
}

impl Drop for E3 {
    fn drop(&mut self) {
        // A failed test must not leave its servers to the next one.
        for run in self.home().runs() {
            let _ = self.command(&["deprovision", "-r", &run.0, "-q"]).output();
        }
    }
}

/// A command's end.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts the exit code; shows everything when it is another.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {}", self.stdout))
    }
}

/// Waits until something is true; fails with the last status after the bound.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, bound: Duration, mut look: impl FnMut() -> Result<T, String>) -> T {
    let until = Instant::now() + bound;
    loop {
        match look() {
            Ok(value) => return value,
            Err(status) if Instant::now() > until => panic!("waited {bound:?} for {what}: {status}"),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// Returns every file below a directory.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![directory.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let to = if entry.path().is_dir() { &mut folders } else { &mut found };
            to.push(entry.path());
        }
    }
    found
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
