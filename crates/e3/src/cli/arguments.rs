//! The arguments of every command.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::help;

/// Flags that every command understands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Where experiments, workloads, snapshots and runs lie
    ///
    /// The default is $E3_HOME, else ./e3-home if it exists, else e3 in the user's data directory.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Write machine-readable JSON to stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Show the log as well; twice shows its details
    ///
    /// The lines are those of the run's e3.log; how much that file holds is up to the environment's E3_LOG.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Write no progress, only warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// When to use colours: auto, always or never
    ///
    /// `auto` uses them on a terminal, unless the environment's NO_COLOR is set.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        hide_possible_values = true
    )]
    pub(crate) color: ColourChoice,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ColourChoice {
    /// On a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// The directory; --home, else $E3_HOME, else ./e3-home, when left out
    #[arg(value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
}

/// What is to be written anew.
#[derive(Debug, Subcommand)]
pub(crate) enum NewCommand {
    /// Write experiments/NAME.json
    #[command(long_about = help::NEW_EXPERIMENT, after_long_help = help::NEW_EXPERIMENT_EXAMPLES)]
    Experiment(NewExperimentArguments),
    /// Write workloads/NAME.json
    #[command(long_about = help::NEW_WORKLOAD, after_long_help = help::NEW_WORKLOAD_EXAMPLES)]
    Workload(NewWorkloadArguments),
}

#[derive(Debug, Args)]
pub(crate) struct NewExperimentArguments {
    /// The experiment's name
    pub(crate) name: String,
    /// Copy another experiment (see `e3 list experiments`)
    #[arg(long, value_name = "EXPERIMENT", conflicts_with_all = ["threads", "clients", "rates", "duration", "workload"])]
    pub(crate) from: Option<String>,
    /// How many systems to compare; the first has one node, the second two, and so on
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=4))]
    pub(crate) threads: u8,
    /// The loads as clients that each wait for their answers, one stage each
    #[arg(long, value_name = "N,N,…", value_delimiter = ',', default_values_t = [4, 8, 16], value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) clients: Vec<u32>,
    /// The loads as iterations per second that start whatever the answers do, one stage each, instead of --clients
    #[arg(long, value_name = "RATE,RATE,…", value_delimiter = ',', conflicts_with = "clients")]
    pub(crate) rates: Vec<f64>,
    /// How long each stage lasts, such as 90s or 10m
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub(crate) duration: String,
    /// What clients do (see `e3 list workloads`)
    #[arg(long, value_name = "WORKLOAD", default_value = "quickstart")]
    pub(crate) workload: String,
}

#[derive(Debug, Args)]
pub(crate) struct NewWorkloadArguments {
    /// The workload's name
    pub(crate) name: String,
    /// Copy another workload (see `e3 list workloads`)
    #[arg(long, value_name = "WORKLOAD", default_value = "quickstart")]
    pub(crate) from: String,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// An exit code, a word, or a finding's rule; the list of all, when left out
    #[arg(value_name = "CODE|TERM")]
    pub(crate) subject: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ExperimentArgument {
    /// The experiment: a name (see `e3 list experiments`) or a file
    #[arg(short, long, value_name = "NAME|FILE")]
    pub(crate) experiment: String,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArguments {
    #[command(flatten)]
    pub(crate) experiment: ExperimentArgument,
    /// Show the plan as a person reads it: who runs what, where, when
    #[arg(long)]
    pub(crate) explain: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgument {
    /// The run: its name (see `e3 list runs`) or its directory
    #[arg(short, long, value_name = "RUN")]
    pub(crate) run: String,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// The run: its name or its directory; the newest, when left out
    #[arg(short, long, value_name = "RUN")]
    pub(crate) run: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArguments {
    /// The earlier run: its name or its directory
    pub(crate) baseline: String,
    /// The run that is compared with it
    pub(crate) run: String,
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// What to list; everything, when left out
    #[arg(value_enum)]
    pub(crate) what: Option<ListKind>,
}

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListKind {
    /// Experiments by name
    Experiments,
    /// Workloads by name
    Workloads,
    /// Snapshots by name
    Snapshots,
    /// Instances by name
    Instances,
    /// Scripts with what they do
    Scripts,
    /// Runs, the newest last
    Runs,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArguments {
    /// The document; the list of all, when left out
    pub(crate) name: Option<String>,
}

/// A shell that e3 has completions for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// Bash
    Bash,
    /// Zsh
    Zsh,
    /// Fish
    Fish,
}

/// What githost is to do.
#[derive(Debug, Subcommand)]
pub(crate) enum GithostCommand {
    /// Serve Git repositories, their web pages and Bitbucket's REST
    ///
    /// One JSON line on stdout says when it is ready, and where.
    #[command(after_long_help = help::SERVE_EXAMPLES)]
    Serve(ServeArguments),
    /// Spread requests round-robin over nodes that answer
    #[command(after_long_help = help::BALANCE_EXAMPLES)]
    Balance(BalanceArguments),
    /// Disturb running nodes on purpose, to rehearse an experiment
    #[command(long_about = help::FAULTS, after_long_help = help::FAULTS_EXAMPLES)]
    Faults(Box<crate::commands::FaultsArguments>),
}

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Where repositories and metadata are kept; nodes of one server share it
    #[arg(long, value_name = "DIR")]
    pub(crate) home: PathBuf,
    /// Where HTTP listens; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7990")]
    pub(crate) http: SocketAddr,
    /// Where SSH listens; port 0 takes a free one, left out no SSH is served
    #[arg(long, value_name = "ADDR")]
    pub(crate) ssh: Option<SocketAddr>,
    /// The file that holds the administrator's password
    #[arg(long, value_name = "F")]
    pub(crate) admin_password_file: PathBuf,
    /// The metadata's database, sqlite:PATH; the default lies in the home
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// The node's name among its peers
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) node: String,
    /// A file of lines for bitbucket.properties; each goes before the home's config/bitbucket.properties
    #[arg(long, value_name = "F")]
    pub(crate) properties: Option<PathBuf>,
    /// A line for bitbucket.properties, which goes before those of files; may be given several times
    #[arg(long = "property", value_name = "NAME=VALUE", value_parser = property)]
    pub(crate) property: Vec<(String, String)>,
}

/// Reads a line for bitbucket.properties.
fn property(line: &str) -> Result<(String, String), e3_model::PropertyLineError> {
    e3_model::property_line(line)
}

#[derive(Debug, Args)]
pub(crate) struct BalanceArguments {
    /// Where HTTP listens; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7990")]
    pub(crate) http: SocketAddr,
    /// Where SSH listens; port 0 takes a free one, left out no SSH is passed on
    #[arg(long, value_name = "ADDR", requires = "ssh_nodes")]
    pub(crate) ssh: Option<SocketAddr>,
    /// A node's base URL; may be given several times
    #[arg(long = "node", value_name = "URL", required = true)]
    pub(crate) nodes: Vec<String>,
    /// Where a node serves SSH, ssh://HOST:PORT; as often as --node, in the same order
    #[arg(long = "ssh-node", value_name = "URL", requires = "ssh")]
    pub(crate) ssh_nodes: Vec<String>,
}
