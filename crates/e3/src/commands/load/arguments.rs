//! The flags of `e3 load`.

use std::path::PathBuf;

use clap::Args;
use e3_model::{Arrival, Connections, GitClient, HttpVersion, Rate, Span, Verify};

use super::choices;

#[derive(Debug, Args)]
pub(crate) struct LoadArguments {
    /// What clients do (see `e3 list scripts`)
    #[arg(short, long, value_name = "NAME")]
    pub(crate) script: String,
    /// The system's address.
    // Not as documentation, where the example would be taken for a link.
    #[arg(
        short,
        long,
        value_name = "URL",
        help = "The system, such as https://git.example.com; for http.Request the very URL that is asked for"
    )]
    pub(crate) url: String,
    /// How many clients run at once, each with its own connection; 1 if nothing is said
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) clients: Option<u32>,
    /// How long the load is held, such as 30s or 5m; 10s if nothing is said, at most 1h with --operations
    #[arg(short, long, value_name = "TIME")]
    pub(crate) duration: Option<Span>,
    /// End after exactly so many ops over all clients
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=9_007_199_254_740_991))]
    pub(crate) operations: Option<u64>,
    /// How much of the beginning is left out of the numbers
    #[arg(long, value_name = "TIME", default_value = "0")]
    pub(crate) warm_up: Span,
    /// How long clients take to start, or an open load takes to reach its rate
    #[arg(long, value_name = "TIME", default_value = "0")]
    pub(crate) ramp_up: Span,
    /// How long a client waits between two iterations; not at all if nothing is said
    #[arg(long, value_name = "TIME")]
    pub(crate) think_time: Option<Span>,
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
    #[command(flatten)]
    pub(crate) open: OpenLoad,
    #[command(flatten)]
    pub(crate) ways: Ways,
}

/// The flags of the open model.
#[derive(Debug, Args)]
#[command(next_help_heading = "Open load: starts that wait for no answer")]
pub(crate) struct OpenLoad {
    /// How many iterations start per second, instead of --clients: 20, or 10..200 for a ramp over --ramp-up or all the time
    #[arg(long, value_name = "RATE", value_parser = choices::rate)]
    pub(crate) rate: Option<Rate>,
    /// How the starts are spaced: evenly if nothing is said, or at random as independent people arrive
    #[arg(long, value_name = "HOW", value_parser = choices::one_of(choices::ARRIVALS))]
    pub(crate) arrival: Option<Arrival>,
    /// The most clients that may be busy at a time; ten seconds' worth of the rate, 16 to 4096, if nothing is said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) max_clients: Option<u32>,
}

/// The flags for how clients talk.
#[derive(Debug, Args)]
#[command(next_help_heading = "How clients talk")]
pub(crate) struct Ways {
    /// How long one op may take before it counts as timed out; 5m if nothing is said
    #[arg(long, value_name = "TIME")]
    pub(crate) timeout: Option<Span>,
    /// How long connections live; web and HTTP clients keep theirs and Git clients do not, if nothing is said
    #[arg(long, value_name = "HOW", value_parser = choices::one_of(choices::CONNECTIONS))]
    pub(crate) connections: Option<Connections>,
    /// The version of HTTP; 1.1 if nothing is said
    #[arg(long, value_name = "VERSION", value_parser = choices::one_of(choices::VERSIONS))]
    pub(crate) http: Option<HttpVersion>,
    /// The file with the certificates, in PEM, that the server's certificate must lead to; otherwise those of this machine
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Which packs have their checksum verified: every one if nothing is said, or 1 in 16
    #[arg(long, value_name = "WHICH", value_parser = choices::one_of(choices::VERIFICATIONS))]
    pub(crate) verify: Option<Verify>,
    /// Which Git client the scm scripts use: e3's own if nothing is said, or the real git
    #[arg(long, value_name = "WHICH", value_parser = choices::one_of(choices::GIT_CLIENTS))]
    pub(crate) git_client: Option<GitClient>,
}

pub(crate) const ABOUT: &str = "\
Puts the load of one script on a system that is there already: a Bitbucket, a githost, or with http.Request and http.Sequence \
any HTTP server. Nothing is set up and nothing removed. It is a run like every other one, with a directory, samples and a \
report; a summary, or with --json the numbers, goes to stdout.

With --clients so many ask at once, and each waits for its answer before it asks again: the closed model. With --rate so many \
start per second, whatever the answers do: the open model, where latency counts from when a start was due, so that a stall \
shows in full. When all --max-clients are busy, what is due begins late, and the summary says so.";
pub(crate) const EXAMPLES: &str = "\
Examples:
  e3 load -s http.Request -u http://127.0.0.1:8080/x -c 8 -n 1000
  e3 load -s http.Request -u http://127.0.0.1:8080/x -d 30s \\
      --arg method=POST --arg body_file=body.json --arg expect=201
  e3 load -s http.Request -u http://127.0.0.1:8080/x -d 1m --rate 200 --arrival poisson
  e3 load -s http.Request -u https://127.0.0.1:8443/x -d 5m --rate 10..500 \\
      --max-clients 1000 --timeout 5s --http 2 --ca ca.pem
  e3 load -s http.Sequence -u http://127.0.0.1:8080 --arg steps=steps.json
  e3 load -s scm.GitCloneOverHttp -u http://127.0.0.1:7990 \\
      --repo PROJ/widgets --username ada --password-file secret
  e3 load -s scm.GitLsRemoteSsh -u http://127.0.0.1:7990 --repo PROJ/widgets \\
      --ssh-url ssh://127.0.0.1:7999 --ssh-key ~/.ssh/id_ed25519";
