//! The flags of `e3 load`.

use std::path::PathBuf;

use clap::Args;
use e3_model::Span;

#[derive(Debug, Args)]
pub(crate) struct LoadArguments {
    /// What clients do (see `e3 list scripts`)
    #[arg(short, long, value_name = "NAME")]
    pub(crate) script: String,
    /// The system, such as http://127.0.0.1:7990; for http.Request the very URL that is asked for
    #[arg(short, long, value_name = "URL")]
    pub(crate) url: String,
    /// How many clients run at once, each with its own connection
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) clients: u32,
    /// How long the load is held, such as 30s or 5m; 10s if nothing is said, at most 1h with --operations
    #[arg(short, long, value_name = "TIME")]
    pub(crate) duration: Option<Span>,
    /// End after exactly so many ops over all clients
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=9_007_199_254_740_991))]
    pub(crate) operations: Option<u64>,
    /// How much of the beginning is left out of the numbers
    #[arg(long, value_name = "TIME", default_value = "0")]
    pub(crate) warm_up: Span,
    /// How long a client waits between two iterations
    #[arg(long, value_name = "TIME", default_value = "0")]
    pub(crate) think_time: Span,
    /// A condition that decides the exit code, such as "p99 < 200ms" or "errors < 1%"; may be given several times
    #[arg(long = "threshold", value_name = "CONDITION")]
    pub(crate) thresholds: Vec<String>,
    /// The seed of every draw
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(0..=9_007_199_254_740_991))]
    pub(crate) seed: u64,
    /// What the script is told, such as method=POST; may be given several times
    #[arg(long = "arg", value_name = "KEY=VALUE")]
    pub(crate) told: Vec<String>,
    /// A repository to work on; may be given several times, each is drawn as often as the others
    #[arg(long = "repo", value_name = "PROJECT/SLUG")]
    pub(crate) repositories: Vec<String>,
    /// The user whom clients log in as
    #[arg(long, value_name = "NAME")]
    pub(crate) username: Option<String>,
    /// The file whose first line is the user's password; $E3_PASSWORD holds it otherwise
    #[arg(long, value_name = "FILE", requires = "username")]
    pub(crate) password_file: Option<PathBuf>,
    /// The password itself, which other users of this machine can see
    #[arg(
        long,
        value_name = "PASSWORD",
        hide = true,
        requires = "username",
        conflicts_with = "password_file"
    )]
    pub(crate) password: Option<String>,
    /// Where Git over SSH is served, ssh://HOST:PORT
    #[arg(long, value_name = "URL")]
    pub(crate) ssh_url: Option<String>,
    /// The user's private SSH key, without passphrase
    #[arg(long, value_name = "FILE")]
    pub(crate) ssh_key: Option<PathBuf>,
    /// The SSH server's public key or a file that holds it; otherwise ~/.ssh/known_hosts must know it
    #[arg(long, value_name = "KEY|FILE")]
    pub(crate) ssh_host_key: Option<String>,
}

pub(crate) const ABOUT: &str = "\
Puts the load of one script on a system that is there already: a Bitbucket, a githost, or with http.Request and http.Sequence \
any HTTP server. Nothing is set up and nothing removed. It is a run like every other one, with a directory, samples and a \
report; a summary, or with --json the numbers, goes to stdout.";
pub(crate) const EXAMPLES: &str = "\
Examples:
  e3 load -s http.Request -u http://127.0.0.1:8080/x -c 8 -n 1000
  e3 load -s http.Request -u http://127.0.0.1:8080/x -d 30s \\
      --arg method=POST --arg body_file=body.json --arg expect=201
  e3 load -s http.Sequence -u http://127.0.0.1:8080 --arg steps=steps.json
  e3 load -s scm.GitCloneOverHttp -u http://127.0.0.1:7990 \\
      --repo PROJ/widgets --username ada --password-file secret
  e3 load -s scm.GitLsRemoteSsh -u http://127.0.0.1:7990 --repo PROJ/widgets \\
      --ssh-url ssh://127.0.0.1:7999 --ssh-key ~/.ssh/id_ed25519";
