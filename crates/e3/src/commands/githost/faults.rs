//! `e3 githost faults`: shows and switches how githost nodes are disturbed on purpose.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use e3_model::{Distribution, Fault, Secret, Span, Stall};
use e3_provider::ProviderError;
use e3_provider_local::FaultSwitch;
use serde::Serialize;

use super::password;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::{data_json, data_text};

#[derive(Debug, Args)]
pub(crate) struct FaultsArguments {
    /// A node's own base URL; once for each node of a system
    #[arg(long = "url", value_name = "URL", required = true)]
    urls: Vec<String>,
    /// The administrator
    #[arg(long, value_name = "NAME", default_value = "admin")]
    user: String,
    /// The file that holds the password; else $E3_PASSWORD
    #[arg(long, value_name = "F")]
    password_file: Option<PathBuf>,
    /// A JSON list of faults; - reads stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["one", "clear"])]
    set: Option<PathBuf>,
    /// Take every fault away
    #[arg(long, conflicts_with = "one")]
    clear: bool,
    #[command(flatten)]
    one: OneFault,
}

/// One fault, by flags.
#[derive(Debug, Args)]
#[group(id = "one", multiple = true)]
struct OneFault {
    /// rest, web, git, fetch, push, refs or /a/path; else all
    #[arg(long, value_name = "ROUTE")]
    route: Option<String>,
    /// How much longer each request takes
    #[arg(long, value_name = "TIME")]
    latency: Option<Span>,
    /// For how long none is answered, from now on
    #[arg(long, value_name = "TIME")]
    stall: Option<Span>,
    /// How often the stall begins again
    #[arg(long, value_name = "TIME", requires = "stall")]
    every: Option<Span>,
    /// The share that fails, 0 to 1
    #[arg(long, value_name = "SHARE")]
    error_rate: Option<f64>,
    /// The status of those that fail; else 500
    #[arg(long, value_name = "CODE")]
    status: Option<u16>,
    /// The share that is cut off, 0 to 1
    #[arg(long, value_name = "SHARE")]
    drop_rate: Option<f64>,
    /// How fast an answer leaves at most
    #[arg(long, value_name = "N")]
    bytes_per_second: Option<u64>,
    /// How many are worked on at once
    #[arg(long, value_name = "N")]
    slots: Option<u32>,
}

/// A node, and how it is disturbed.
#[derive(Serialize)]
struct Disturbed<'a> {
    url: &'a str,
    faults: Vec<Fault>,
}

pub(super) async fn perform(arguments: &FaultsArguments, json: bool) -> Result<Exit, Failure> {
    let wanted = wanted(arguments)?;
    let secret = secret(arguments.password_file.as_deref())?;
    let switches = arguments.urls.iter().map(|url| FaultSwitch::of(url, url, &arguments.user, &secret));
    let mut switches = switches.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    if let Some(faults) = &wanted {
        FaultSwitch::set_all(&mut switches, faults).await.map_err(failed)?;
    }
    let mut nodes = Vec::new();
    for (url, switch) in arguments.urls.iter().zip(&mut switches) {
        nodes.push(Disturbed { url, faults: switch.list().await.map_err(failed)? });
    }
    if json {
        data_json(&nodes)?;
    } else {
        data_text(&shown(&nodes))?;
    }
    Ok(Exit::Success)
}

/// Returns what is to be switched on; none when nothing is to be changed.
fn wanted(arguments: &FaultsArguments) -> Result<Option<Vec<Fault>>, Failure> {
    let faults = match &arguments.set {
        Some(file) => read(file)?,
        None if arguments.clear => return Ok(Some(Vec::new())),
        None => match Fault::from(&arguments.one) {
            fault if fault == Fault::default() => return Ok(None),
            fault => vec![fault],
        },
    };
    let problems = faults.iter().enumerate().flat_map(|(position, fault)| {
        fault
            .problems()
            .into_iter()
            .map(move |problem| format!("fault {}: {}", position + 1, problem.message))
    });
    let problems: Vec<String> = problems.collect();
    if problems.is_empty() { Ok(Some(faults)) } else { Err(usage(anyhow::anyhow!(problems.join("; ")))) }
}

fn read(file: &Path) -> Result<Vec<Fault>, Failure> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(file).map(|read| text = read)
    };
    let shown = file.display();
    read.with_context(|| format!("the faults cannot be read from {shown}")).map_err(usage)?;
    serde_json::from_str(&text).with_context(|| format!("{shown} is no list of faults")).map_err(usage)
}

impl From<&OneFault> for Fault {
    fn from(one: &OneFault) -> Self {
        Self {
            route: one.route.clone(),
            latency: one.latency.map(Distribution::Constant),
            stall: one.stall.map(|length| Stall { after: Span::ZERO, length, every: one.every }),
            error_rate: one.error_rate,
            status: one.status,
            drop_rate: one.drop_rate,
            bytes_per_second: one.bytes_per_second,
            slots: one.slots,
        }
    }
}

fn secret(file: Option<&Path>) -> Result<Secret, Failure> {
    if let Some(file) = file {
        return password(file);
    }
    let set = std::env::var(VARIABLE).ok().filter(|password| !password.is_empty());
    set.map(Secret::new).ok_or_else(|| {
        usage(anyhow::anyhow!("the administrator's password is not given"))
            .hint(format!("--password-file FILE names the file that holds it, or ${VARIABLE} has it"))
    })
}

fn usage(error: anyhow::Error) -> Failure {
    Failure::new(Exit::Usage, error)
}

fn failed(error: ProviderError) -> Failure {
    Failure::new(Exit::Failure, error)
}

fn shown(nodes: &[Disturbed<'_>]) -> String {
    let lines = nodes.iter().flat_map(|node| {
        let none = node.faults.is_empty().then(|| format!("{}  nothing\n", node.url));
        none.into_iter().chain(node.faults.iter().map(|fault| format!("{}  {fault}\n", node.url)))
    });
    lines.collect()
}

const VARIABLE: &str = "E3_PASSWORD";

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: FaultsArguments,
    }

    fn wanted_by(line: &str) -> Result<Option<Vec<Fault>>, String> {
        let words = ["faults", "--url", "http://a"].into_iter().chain(line.split_whitespace());
        let line = Line::try_parse_from(words).map_err(|error| error.kind().to_string())?;
        wanted(&line.arguments).map_err(|failure| failure.error.to_string())
    }

    #[test]
    fn flags_make_one_fault_and_none_change_nothing() {
        assert_eq!(wanted_by(""), Ok(None));
        assert_eq!(wanted_by("--clear"), Ok(Some(Vec::new())));
        let fault: Fault = serde_json::from_str(
            r#"{"route": "fetch", "latency": 200, "stall": {"for": "2s", "every": "1m"}, "errorRate": 0.1, "status": 503,
                "dropRate": 0.5, "bytesPerSecond": 4096, "slots": 4}"#,
        )
        .unwrap();
        let flags = "--route fetch --latency 200ms --stall 2s --every 1m --error-rate 0.1 --status 503 \
                     --drop-rate 0.5 --bytes-per-second 4096 --slots 4";
        assert_eq!(wanted_by(flags), Ok(Some(vec![fault])));
    }

    #[test]
    fn what_cannot_be_is_said_before_anybody_is_asked() {
        assert_eq!(
            wanted_by("--route fetsh --error-rate 2"),
            Err("fault 1: there is no route \"fetsh\"; fault 1: \"errorRate\" is 2; it is a share, from 0 to 1".to_owned())
        );
        for line in ["--clear --latency 5", "--set a --latency 5", "--set a --clear", "--every 5"] {
            assert!(wanted_by(line).is_err_and(|error| !error.contains("fault")), "{line}");
        }
    }
}
