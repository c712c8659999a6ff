//! The stage that the flags ask for, as an experiment's file would have it.

use e3_model::{Arrival, Distribution, ExperimentStage, Load, OfferedRate, Rate, RateRamp, Span};

use super::arguments::LoadArguments;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::several;

/// Returns the stage.
///
/// # Errors
/// When flags of the closed and of the open model are mixed.
pub(super) fn stage(arguments: &LoadArguments) -> Result<ExperimentStage, Failure> {
    check(arguments)?;
    let LoadArguments { open, ways, .. } = arguments;
    let duration = arguments.duration.unwrap_or(match arguments.operations {
        Some(_) => COUNTED,
        None => TIMED,
    });
    Ok(ExperimentStage {
        clients: open.rate.is_none().then(|| arguments.clients.unwrap_or(1)),
        rate: open.rate,
        max_clients: open.max_clients,
        operations: arguments.operations,
        arrival: open.arrival,
        search: None,
        repeat: None,
        faults: Vec::new(),
        load: Load {
            duration: Some(duration),
            workload: None,
            ramp_up: Some(arguments.ramp_up),
            warm_up: Some(arguments.warm_up),
            think_time: arguments.think_time.map(Distribution::Constant),
            mix: None,
            op_timeout: ways.timeout,
            connections: ways.connections,
            http: ways.http,
            verify: ways.verify,
        },
    })
}

/// Returns the load as people say it, such as `8 clients` or `20/s (Poisson)`.
pub(super) fn load_in_words(stage: &ExperimentStage) -> String {
    let arrival = stage.arrival.unwrap_or(Arrival::Constant);
    match stage.rate {
        None => several(usize::try_from(stage.clients.unwrap_or(0)).unwrap_or(usize::MAX), "client"),
        Some(Rate::Held(to)) => OfferedRate { arrival, from: to, to, ramp: Span::ZERO }.to_string(),
        Some(Rate::Ramp(RateRamp { from, to })) => {
            let ramp = stage.load.duration.unwrap_or_default();
            OfferedRate { arrival, from, to, ramp }.to_string()
        }
    }
}

fn check(arguments: &LoadArguments) -> Result<(), Failure> {
    let open = &arguments.open;
    let mixed = match (open.rate, arguments.clients, arguments.think_time) {
        (Some(_), Some(_), _) => Some((
            "--clients and --rate are two kinds of load",
            "keep --clients for so many at once, or --rate for so many starts per second; --max-clients bounds how many of \
             these are busy at a time",
        )),
        (Some(_), None, Some(_)) => Some((
            "--think-time means nothing with --rate: iterations start when they are due",
            "take it out, or give --clients instead of --rate",
        )),
        (None, ..) if open.max_clients.is_some() => Some((
            "--max-clients is for an open load, and there is no --rate",
            "add --rate, such as --rate 20, or say --clients",
        )),
        (None, ..) if open.arrival.is_some() => {
            Some(("--arrival is for an open load, and there is no --rate", "add --rate, such as --rate 20"))
        }
        _ => None,
    };
    match mixed {
        Some((what, hint)) => Err(Failure::new(Exit::Usage, anyhow::anyhow!("{what}")).hint(hint)),
        None => Ok(()),
    }
}

/// How long a load is held that nothing else bounds.
const TIMED: Span = Span::from_secs(10);
/// How long a load is held at most that a count bounds.
const COUNTED: Span = Span::from_secs(3600);
