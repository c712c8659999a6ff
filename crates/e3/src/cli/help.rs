//! What the help of each command says beyond its arguments, for somebody who sees E3 for the first time.

use crate::exit::Exit;

/// Returns the end of `e3 --help`.
pub(super) fn after_long(columns: usize) -> String {
    format!("{WORDS}\n\n{}\n\n{MORE}", Exit::help(columns))
}

pub(super) const ABOUT: &str = "\
Finds out, with evidence, how a Git hosting system behaves under load, how far it scales, and which configuration is better.

An experiment is a JSON file: the systems that are compared, and the load that each gets. E3 sets the systems up, loads \
them with data, lets clients clone, browse and push, records every operation, computes the numbers, writes a report, and \
removes what it set up. `e3 orchestrate -e quickstart` does all of that on this machine, in less than a minute.";

const WORDS: &str = "\
Words:
  experiment  a question about performance, as a JSON file
  thread      one of the systems that are compared, with its load
  stage       a load level that is held for a time
  workload    what clients do, and in which shares
  snapshot    what data a system under test has
  run         one execution of an experiment, and its directory";

pub(super) const MORE: &str =
    "`e3 COMMAND --help` says more, with examples; `e3 explain` has exit codes and words.";

pub(super) const INIT: &str = "\
Makes a home: a directory for experiments, workloads, snapshots, instances and runs, with a README and an experiment that is \
ready to run.

A home is not needed to begin with: the library's experiments work without one. It is where your own files lie. Nothing \
that exists is overwritten.";
pub(super) const INIT_EXAMPLES: &str = "\
Examples:
  e3 init                    makes ./e3-home, which e3 then finds
  e3 init ~/perf/e3-home     makes it there; E3_HOME names it";

pub(super) const NEW: &str = "\
Writes a new experiment or workload into the home. What is written is valid and can be run as it is; the first thing to \
edit is named. A file that exists is not overwritten.";
pub(super) const NEW_EXPERIMENT: &str = "\
Writes experiments/NAME.json into the home: an experiment on this machine that compares githost with one node, two nodes \
and so on, or a copy of another experiment.";
pub(super) const NEW_EXPERIMENT_EXAMPLES: &str = "\
Examples:
  e3 new experiment nodes
  e3 new experiment one --threads 1 --clients 1,2,4,8,16,32
  e3 new experiment open --rates 5,10,20,40
  e3 new experiment mine --from quickstart";
pub(super) const NEW_WORKLOAD: &str = "\
Writes workloads/NAME.json into the home, as a copy of another workload. An experiment names it as \"workload\": \"NAME\"; \
`e3 list scripts` shows what else clients can do.";
pub(super) const NEW_WORKLOAD_EXAMPLES: &str = "\
Examples:
  e3 new workload builds
  e3 new workload builds --from smoke";

pub(super) const DOCTOR: &str = "\
Looks whether this machine is fit for experiments: git, ports, disk, limits, CPUs and memory, the clock, and what earlier \
runs may have left standing. Every line says ok, warning or problem, and what to do. The exit code is 1 if there is a \
problem, else 0; warnings do not count.";
pub(super) const DOCTOR_EXAMPLES: &str = "\
Examples:
  e3 doctor
  e3 doctor --json";

pub(super) const LIST_EXAMPLES: &str = "\
Examples:
  e3 list                    everything
  e3 list experiments        what `e3 orchestrate -e` can run
  e3 list runs               what was run, the newest last";

pub(super) const EXPLAIN: &str = "\
Says what an exit code, a word of the glossary, a word of statistics, or the rule of a finding means, and what to do about \
it. What is mistyped is guessed.";
pub(super) const EXPLAIN_EXAMPLES: &str = "\
Examples:
  e3 explain 32              the exit code
  e3 explain co-located      the word
  e3 explain weights         the finding error[weights]
  e3 explain                 the list of all";

pub(super) const VALIDATE: &str = "\
Checks an experiment with its workload and snapshot, and plans it. Every mistake is shown at once, with line, column, what \
is allowed and a hint. Works offline and sets nothing up; the exit code is 10 when there is an error.";
pub(super) const VALIDATE_EXAMPLES: &str = "\
Examples:
  e3 validate -e quickstart --explain
  e3 validate -e ./mine.json
  e3 validate -e ./mine.json --json | jq .findings";

pub(super) const ORCHESTRATE: &str = "\
Runs an experiment from beginning to end: validate, provision, run, gather, analyze, report, deprovision. Nothing stays \
behind but the run's directory, whatever happens on the way.

Ctrl-C once ends the current stage, keeps and analyses what was measured, and removes what was set up; twice ends at once, \
and `e3 deprovision` removes it later.";
pub(super) const ORCHESTRATE_EXAMPLES: &str = "\
Examples:
  e3 orchestrate -e smoke              seconds: does it work here?
  e3 orchestrate -e quickstart         less than a minute: a report
  e3 orchestrate -e ./mine.json        your own
  e3 orchestrate -e mine --json -q     in a pipeline: exit code 3 when
                                       a threshold does not hold";

pub(super) const PROVISION: &str = "\
Plans an experiment, sets up its systems under test, and loads their data. Prints the run's name, which the next commands \
ask for. The systems stand until `e3 deprovision`.";
pub(super) const PROVISION_EXAMPLES: &str = "\
Examples:
  run=$(e3 provision -e quickstart)
  e3 run -r $run && e3 gather -r $run && e3 analyze -r $run
  e3 deprovision -r $run";

pub(super) const RUN: &str = "\
Runs the stages of a provisioned run, round by round. On a terminal each running thread has a line with its clients, the \
time left, throughput, errors and latency of the last seconds; elsewhere a plain line now and then.

Ctrl-C once ends the current stage and keeps what was measured; twice ends at once.";
pub(super) const RUN_EXAMPLES: &str = "\
Examples:
  e3 run -r RUN
  e3 status -r RUN           from another terminal, meanwhile";

pub(super) const GATHER: &str = "\
Collects the samples, metrics and logs of a run, also of one that was interrupted or killed, and lists them with their \
hashes in results.json.";

pub(super) const ANALYZE: &str = "\
Computes every number from the samples, writes analysis.json and the report, and shows the most telling of them. The same \
results give the same numbers, byte by byte. The exit code is 32 when a stage cannot be believed, else 3 when a threshold \
is broken or undecided.";
pub(super) const ANALYZE_EXAMPLES: &str = "\
Examples:
  e3 analyze -r RUN
  e3 analyze -r RUN --json | jq .answer";

pub(super) const REPORT: &str = "\
Writes the report of an analysed run again, without computing anything: index.html, which is readable offline, summary.md, \
ops.csv, every chart as SVG with its numbers as CSV, and junit.xml if the experiment has thresholds. The exit code is that \
of `e3 analyze`.";
pub(super) const REPORT_EXAMPLES: &str = "\
Examples:
  e3 report -r RUN
  e3 report -r ./a-colleagues-run/";

pub(super) const DEPROVISION: &str = "\
Removes everything that was set up for a run, also after a crash or a power failure: it needs nothing but the run's \
journal. May be repeated. The run's documents, samples and report stay.";
pub(super) const DEPROVISION_EXAMPLES: &str = "\
Examples:
  e3 deprovision -r RUN
  e3 status -r RUN           shows what still stands";

pub(super) const STATUS: &str = "\
Shows how far a run has come: which phases are done, how each stage ended, what still stands and whether it answers, and \
which command comes next. Changes nothing and waits for nobody, so a run can be watched while it is under way.";
pub(super) const STATUS_EXAMPLES: &str = "\
Examples:
  e3 status                  the newest run
  e3 status -r RUN
  e3 status --json | jq .phase";

pub(super) const COMPARE: &str = "\
Compares an analysed run with an earlier one, thread by thread and load by load: both values, the effect with its interval, \
and a verdict, better, worse or no evidence, with the reason. The exit code does not depend on the verdict.";
pub(super) const COMPARE_EXAMPLES: &str = "\
Examples:
  e3 compare BASELINE RUN
  e3 compare BASELINE RUN --json | jq '.comparisons[].verdict'";

pub(super) const GITHOST: &str = "\
E3's own Git hosting server: smart HTTP and SSH, with Bitbucket's login, pages and REST calls that E3's scripts use. The \
provider `local` starts it by itself; these commands run it alone.";
pub(super) const SERVE_EXAMPLES: &str = "\
Examples:
  echo secret > password
  e3 githost serve --home ./host --admin-password-file password";
pub(super) const BALANCE_EXAMPLES: &str = "\
Examples:
  e3 githost balance --http 127.0.0.1:7000 \\
      --node http://127.0.0.1:7990 --node http://127.0.0.1:7991";

pub(super) const FAULTS: &str = "\
Shows how githost nodes are disturbed on purpose, and switches it: for requests that begin from then on, until it is \
switched again or the node is started again. Flags make one fault, a file as many as it lists, and both replace what \
there was. An experiment does the same by the `faults` of a stage.";
pub(super) const FAULTS_EXAMPLES: &str = "\
Examples:
  e3 githost faults --url http://127.0.0.1:7990 --route fetch --latency 200ms
  e3 githost faults --url http://127.0.0.1:7990 --error-rate 0.1 --status 503
  e3 githost faults --url http://127.0.0.1:7990 --set faults.json
  e3 githost faults --url http://127.0.0.1:7990 --clear";

pub(super) const SCHEMA: &str = "\
Prints the JSON Schema of one of E3's documents, for an editor or another program; without a name, the list of documents.";
pub(super) const SCHEMA_EXAMPLES: &str = "\
Examples:
  e3 schema                                 the list
  e3 schema experiment > experiment.schema.json";

pub(super) const COMPLETIONS: &str = "Prints a script that lets a shell complete e3's commands and flags.";
pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  e3 completions bash > ~/.local/share/bash-completion/completions/e3
  e3 completions zsh > \"${fpath[1]}/_e3\"
  e3 completions fish > ~/.config/fish/completions/e3.fish";

/// What `e3` alone shows, before the list of commands.
pub(super) const FIRST_PAGE: &str = "\
E3 finds out how a Git hosting system behaves under load, and which configuration is better.

  e3 doctor                      is this machine fit for it?
  e3 orchestrate -e quickstart   one node against two, in less than a minute
  e3 init                        a home for your own experiments
  e3 new experiment NAME         the first of them
  e3 status                      how far the newest run has come
";
