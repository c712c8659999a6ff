//! The command line: types only.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Finds out how a Git hosting system behaves under load, how far it scales, and which configuration is better.
#[derive(Debug, Parser)]
#[command(name = "e3", version, max_term_width = 100, after_help = crate::exit::Exit::help(), disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command understands.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Where experiments, workloads, snapshots and runs lie
    ///
    /// The default is $E3_HOME, else ./e3-home if it exists, else e3 in the user's data directory.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Write machine-readable JSON to stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Write no progress
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// What e3 is to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run an experiment from beginning to end: validate, provision, run, gather, analyze, deprovision
    Orchestrate(ExperimentArgument),
    /// Check an experiment and show what would be done
    Validate(ValidateArguments),
    /// Plan an experiment, set up its systems under test and load their data
    Provision(ExperimentArgument),
    /// Run the stages of a provisioned run
    Run(RunArgument),
    /// Collect the samples and logs of a run
    Gather(RunArgument),
    /// Compute the numbers of a gathered run and write its report
    Analyze(RunArgument),
    /// Write the report of an analysed run again
    Report(RunArgument),
    /// Remove everything that was set up for a run; its data stay
    Deprovision(RunArgument),
    /// List experiments, workloads, snapshots, scripts or runs
    List(ListArguments),
    /// Print the JSON Schema of a document
    Schema(SchemaArguments),
    /// The embedded Git hosting server
    #[command(subcommand)]
    Githost(GithostCommand),
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
pub(crate) struct ListArguments {
    /// What to list; everything, when left out
    #[arg(value_enum)]
    pub(crate) what: Option<ListKind>,
}

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ListKind {
    /// Experiments by name.
    Experiments,
    /// Workloads by name.
    Workloads,
    /// Snapshots by name.
    Snapshots,
    /// Instances by name.
    Instances,
    /// Scripts with their ops.
    Scripts,
    /// Runs, the newest last.
    Runs,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArguments {
    /// The document; the list of all, when left out
    pub(crate) name: Option<String>,
}

/// What githost is to do.
#[derive(Debug, Subcommand)]
pub(crate) enum GithostCommand {
    /// Serve Git repositories, their web pages and Bitbucket's REST; one JSON line on stdout says when it is ready
    Serve(ServeArguments),
    /// Spread requests round-robin over nodes that answer
    Balance(BalanceArguments),
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
