//! The command line: types only.

mod arguments;
mod help;
mod overview;

pub(crate) use arguments::{
    BalanceArguments, ColourChoice, CompareArguments, ExperimentArgument, ExplainArguments, GithostCommand,
    Global, InitArguments, ListArguments, ListKind, NewCommand, NewExperimentArguments, NewWorkloadArguments,
    RunArgument, SchemaArguments, ServeArguments, Shell, StatusArguments, ValidateArguments,
};
pub(crate) use overview::{command, first_page};

use clap::{Parser, Subcommand};

/// Finds out how a Git hosting system behaves under load, how far it scales, and which configuration is better.
#[derive(Debug, Parser)]
#[command(
    name = "e3",
    version,
    long_about = help::ABOUT,
    after_help = help::MORE,
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    /// None shows the first page.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What e3 is to do, in the order of work.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a home for experiments, with an example to begin from
    #[command(long_about = help::INIT, after_long_help = help::INIT_EXAMPLES)]
    Init(InitArguments),
    /// Write a new experiment or workload, valid from the start
    #[command(subcommand, long_about = help::NEW)]
    New(NewCommand),
    /// Look whether this machine is fit for experiments
    #[command(long_about = help::DOCTOR, after_long_help = help::DOCTOR_EXAMPLES)]
    Doctor,
    /// List experiments, workloads, snapshots, scripts and runs
    #[command(after_long_help = help::LIST_EXAMPLES)]
    List(ListArguments),
    /// Say what an exit code, a word or a finding means
    #[command(long_about = help::EXPLAIN, after_long_help = help::EXPLAIN_EXAMPLES)]
    Explain(ExplainArguments),
    /// Check an experiment and show what would be done
    #[command(long_about = help::VALIDATE, after_long_help = help::VALIDATE_EXAMPLES)]
    Validate(ValidateArguments),
    /// Run an experiment from beginning to end
    #[command(long_about = help::ORCHESTRATE, after_long_help = help::ORCHESTRATE_EXAMPLES)]
    Orchestrate(ExperimentArgument),
    /// Set up an experiment's systems under test, with data
    #[command(long_about = help::PROVISION, after_long_help = help::PROVISION_EXAMPLES)]
    Provision(ExperimentArgument),
    /// Run the stages of a provisioned run
    #[command(long_about = help::RUN, after_long_help = help::RUN_EXAMPLES)]
    Run(RunArgument),
    /// Collect the samples and logs of a run
    #[command(long_about = help::GATHER)]
    Gather(RunArgument),
    /// Compute the numbers of a gathered run, write its report
    #[command(long_about = help::ANALYZE, after_long_help = help::ANALYZE_EXAMPLES)]
    Analyze(RunArgument),
    /// Write the report of an analysed run again
    #[command(long_about = help::REPORT, after_long_help = help::REPORT_EXAMPLES)]
    Report(RunArgument),
    /// Remove what was set up for a run; its data stay
    #[command(long_about = help::DEPROVISION, after_long_help = help::DEPROVISION_EXAMPLES)]
    Deprovision(RunArgument),
    /// Show how far a run has come, and what to do next
    #[command(long_about = help::STATUS, after_long_help = help::STATUS_EXAMPLES)]
    Status(StatusArguments),
    /// Compare a run with an earlier one
    #[command(long_about = help::COMPARE, after_long_help = help::COMPARE_EXAMPLES)]
    Compare(CompareArguments),
    /// Serve Git repositories with E3's own hosting server
    #[command(subcommand, long_about = help::GITHOST)]
    Githost(GithostCommand),
    /// Put one script's load on a system that is there
    #[command(long_about = crate::commands::LOAD_ABOUT, after_long_help = crate::commands::LOAD_EXAMPLES)]
    Load(Box<crate::commands::LoadArguments>),
    /// Print the JSON Schema of a document
    #[command(long_about = help::SCHEMA, after_long_help = help::SCHEMA_EXAMPLES)]
    Schema(SchemaArguments),
    /// Print completions for a shell
    #[command(long_about = help::COMPLETIONS, after_long_help = help::COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
}

#[cfg(test)]
#[path = "cli/tests.rs"]
mod tests;
