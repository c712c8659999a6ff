//! `cargo xtask tools`: finds what the tests need, and installs what is missing where it can.
//!
//! Says what it found or does. On Debian and its kin, root gets missing packages by apt-get; everyone else gets the
//! command to type. cargo-nextest is built from source by cargo itself; Python's packages go into the user's cache.

mod python;

pub(crate) use python::ensure_list as ensure_python;
pub(crate) use python::program as python_program;

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Result, bail};

use crate::process;
use crate::say::say;
use crate::workspace::Workspace;

/// The cargo-nextest that is installed when there is none.
const NEXTEST_VERSION: &str = "0.9.143";
/// The oldest cargo-nextest that reads .config/nextest.toml.
const NEXTEST_MINIMUM: Version = Version(0, 9, 100);
/// Programs of a distribution's packages. The oldest git that githost and the tests work with is Debian 12's.
const PROGRAMS: &[Program] = &[
    Program { name: "git", version: "--version", packages: "git", minimum: Version(2, 39, 0) },
    Program { name: "cc", version: "--version", packages: "gcc libc6-dev", minimum: Version(0, 0, 0) },
    Program { name: "ssh", version: "-V", packages: "openssh-client", minimum: Version(0, 0, 0) },
    Program { name: "sshd", version: "-V", packages: "openssh-server", minimum: Version(0, 0, 0) },
    Program { name: "chromium", version: "--version", packages: "chromium", minimum: Version(0, 0, 0) },
    Program {
        name: "chromedriver",
        version: "--version",
        packages: "chromium-driver",
        minimum: Version(115, 0, 0),
    },
    Program { name: "faketime", version: "--version", packages: "faketime", minimum: Version(0, 0, 0) },
];

/// What githost is measured beside, and Git clients are tested against.
const WEB_SERVER: &[Program] = &[
    Program { name: "nginx", version: "-v", packages: "nginx-light", minimum: Version(0, 0, 0) },
    Program { name: "fcgiwrap", version: "-h", packages: "fcgiwrap", minimum: Version(0, 0, 0) },
];

/// A program that a distribution's package brings along.
struct Program {
    name: &'static str,
    /// The argument that makes it say its version.
    version: &'static str,
    packages: &'static str,
    minimum: Version,
}

/// Runs the chore.
///
/// # Errors
/// When something is missing and cannot be installed.
pub(crate) fn run(workspace: &Workspace, _: &[String]) -> Result<ExitCode> {
    ensure(workspace)?;
    Ok(ExitCode::SUCCESS)
}

/// Finds or installs a web server that runs git's http-backend.
///
/// # Errors
/// When it is missing and cannot be installed; the error says what to type.
pub(crate) fn ensure_web_server() -> Result<()> {
    WEB_SERVER.iter().try_for_each(ensure_program)
}

/// Finds or installs a compiler for C++, in which libFuzzer is written.
///
/// # Errors
/// When it is missing and cannot be installed; the error says what to type.
pub(crate) fn ensure_cpp_compiler() -> Result<()> {
    ensure_program(&Program { name: "c++", version: "--version", packages: "g++", minimum: Version(0, 0, 0) })
}

/// Finds or installs everything that the tests need.
///
/// # Errors
/// When something is missing and cannot be installed; the error says what to type.
pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    for program in PROGRAMS.iter().chain(WEB_SERVER) {
        ensure_program(program)?;
    }
    python::ensure(workspace)?;
    ensure_nextest(workspace)
}

/// A version as far as it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32, u32);

impl Version {
    /// Returns the first version in a text such as `git version 2.39.5 (Apple)` or `OpenSSH_9.2p1`.
    fn find(text: &str) -> Option<Self> {
        text.split(|c: char| c.is_whitespace() || "()_,/".contains(c)).find_map(|word| {
            let mut parts =
                word.split('.').map(|part| part.split(['-', 'p']).next().unwrap_or(part).parse().ok());
            Some(Self(parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)))
        })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// Finds a program, or installs its packages where this user may.
fn ensure_program(program: &Program) -> Result<()> {
    let Program { name, packages, minimum, .. } = program;
    let before = find(program);
    if let Some(version) = before.filter(|version| version >= minimum) {
        say(format!("found {name} {version}"));
        return Ok(());
    }
    let lack = match before {
        Some(version) => format!("{name} {version} is older than {minimum}"),
        None => format!("{name} is not installed"),
    };
    if let Remedy::Tell(what) = remedy(packages, Path::new("/usr/bin/apt-get").exists(), is_root()) {
        bail!("{lack}; {what}");
    }
    say(format!("{lack}; installing it"));
    process::run(Command::new("apt-get").args(["update", "--quiet"]))?;
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive").args([
        "install",
        "--quiet",
        "--yes",
        "--no-install-recommends",
    ]);
    process::run(install.args(packages.split(' ')))?;
    match find(program) {
        Some(version) if version >= *minimum => Ok(()),
        _ => bail!("{lack}, and `apt-get install {packages}` did not change that"),
    }
}

/// Returns a program's version, or none when it cannot be started.
fn find(program: &Program) -> Option<Version> {
    // What only root runs lies where other users do not look.
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/local/sbin:/usr/sbin");
    let asked =
        Command::new(program.name).arg(program.version).env("PATH", path).stdin(Stdio::null()).output();
    let output = asked.ok()?;
    let said = [output.stdout, output.stderr].concat();
    Version::find(&String::from_utf8_lossy(&said))
}

/// What is done about a missing package.
#[derive(Debug, PartialEq, Eq)]
enum Remedy {
    /// It is installed by apt-get.
    Install,
    /// Someone with the right to do so is told how.
    Tell(String),
}

fn remedy(packages: &str, apt: bool, root: bool) -> Remedy {
    match (apt, root) {
        (true, true) => Remedy::Install,
        (true, false) => Remedy::Tell(format!("run: sudo apt-get install {packages}")),
        (false, _) => Remedy::Tell(format!("install {packages} with your system's package manager")),
    }
}

fn ensure_nextest(workspace: &Workspace) -> Result<()> {
    let found = || {
        let output = process::cargo(&workspace.root).args(["nextest", "--version"]).output().ok()?;
        Version::find(&String::from_utf8_lossy(&output.stdout)).filter(|_| output.status.success())
    };
    if let Some(version) = found().filter(|version| *version >= NEXTEST_MINIMUM) {
        say(format!("found cargo-nextest {version}"));
        return Ok(());
    }
    say(format!(
        "cargo-nextest {NEXTEST_MINIMUM} or newer is not installed; building {NEXTEST_VERSION}, which takes minutes"
    ));
    // Without its self-update, the one part that would talk to the network at run time.
    let mut install = process::cargo(&workspace.root);
    install.args(["install", "cargo-nextest", "--locked", "--version", NEXTEST_VERSION]);
    process::run(install.args(["--no-default-features", "--features", "default-no-update"]))?;
    match found() {
        Some(version) if version >= NEXTEST_MINIMUM => Ok(()),
        _ => bail!("cargo-nextest could not be installed; see https://nexte.st for other ways"),
    }
}

fn is_root() -> bool {
    process::output("id", &["-u"]).is_some_and(|user| user.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_versions() {
        for (text, version) in [
            ("git version 2.39.5", Some(Version(2, 39, 5))),
            ("git version 2.50.1 (Apple Git-155)", Some(Version(2, 50, 1))),
            ("git version 2.53.0.windows.1", Some(Version(2, 53, 0))),
            ("cc (Debian 12.2.0-14+deb12u1) 12.2.0", Some(Version(12, 2, 0))),
            ("cargo-nextest 0.9.143 (60fa45f63 2026-08-04)", Some(Version(0, 9, 143))),
            ("OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026", Some(Version(9, 2, 0))),
            ("unknown option -- V\nOpenSSH_8.9p1 Ubuntu-3, OpenSSL 3.0.2", Some(Version(8, 9, 0))),
            ("Chromium 156.0.8078.108 built on Debian GNU/Linux 12 (bookworm)", Some(Version(156, 0, 8078))),
            ("ChromeDriver 156.0.8078.108 (59d06b0e-refs/heads/8078@{#3})", Some(Version(156, 0, 8078))),
            ("Python 3.11.7", Some(Version(3, 11, 7))),
            ("no version here", None),
        ] {
            assert_eq!(Version::find(text), version, "{text}");
        }
        assert!(Version(2, 100, 0) > Version(2, 39, 0), "numbers, not text");
    }

    #[test]
    fn only_root_on_debian_gets_packages_installed() {
        assert_eq!(remedy("git", true, true), Remedy::Install);
        for (apt, root, told) in [(true, false, "sudo apt-get install git"), (false, true, "package manager")]
        {
            assert!(matches!(remedy("git", apt, root), Remedy::Tell(what) if what.contains(told)), "{told}");
        }
    }

    #[test]
    fn what_is_there_is_not_installed() {
        let git = Program {
            name: "git",
            version: "--version",
            packages: "no-such-package",
            minimum: Version(1, 0, 0),
        };
        ensure_program(&git).unwrap();
    }
}
