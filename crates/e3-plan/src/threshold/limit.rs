//! The limit of a threshold: in the unit that its statistic has, and within what can be measured.

use e3_model::{Relation, Statistic};

use super::Fault;
use super::grammar::Written;
use crate::words;

/// Units with the factor that makes them the unit of the model, the most usual first.
type Units = &'static [(&'static str, f64)];

/// Milliseconds.
const TIMES: Units = &[("ms", 1.0), ("s", 1e3), ("min", 6e4), ("m", 6e4), ("h", 3.6e6)];
/// Ops per second.
const RATES: Units = &[("/s", 1.0), ("ops/s", 1.0), ("op/s", 1.0)];
/// A share of 0 to 1.
const SHARES: Units = &[("%", 0.01)];

/// Returns the limit: milliseconds for latencies, ops per second for a rate, 0 to 1 for errors.
pub(super) fn limit(written: &Written<'_>) -> Result<f64, Fault> {
    let (units, what, highest) = match written.statistic {
        Statistic::Rate => (RATES, "a rate has the unit \"/s\" or \"ops/s\"", 1e9),
        Statistic::Errors => (SHARES, "errors are a share of all ops and have the unit \"%\"", 1.0),
        _ => (TIMES, "a latency has the unit \"ms\", \"s\" or \"min\"", LONGEST_MS),
    };
    let Some((_, factor)) = units.iter().find(|(unit, _)| *unit == written.unit) else {
        let found = match written.unit {
            "" => "the limit has no unit".to_owned(),
            unit => format!("{} is no unit of it", words::quoted(unit)),
        };
        return Err(Fault::new(written.unit_at, format!("{found}: {what}")));
    };
    // Dividing keeps 1 % the number that 0.01 is.
    let limit = if *factor < 1.0 { written.number / (1.0 / factor) } else { written.number * factor };
    if limit > highest {
        let most = match written.statistic {
            Statistic::Rate => "1,000,000,000 ops/s",
            Statistic::Errors => "100 %",
            _ => "24 h",
        };
        return Err(Fault::new(
            written.number_at,
            format!("the limit is out of range: it is at most {most}"),
        ));
    }
    match (written.statistic, written.relation) {
        (_, Relation::Below) if limit == 0.0 => Err(never(written, "nothing is below 0")),
        (Statistic::Errors, Relation::Above) if limit >= 1.0 => {
            Err(never(written, "no share is above 100 %"))
        }
        (Statistic::Rate | Statistic::Errors, _) => Ok(limit),
        (_, _) if limit == 0.0 => Err(Fault::new(written.number_at, "a limit of a latency is above 0")),
        _ => Ok(limit),
    }
}

fn never(written: &Written<'_>, why: &str) -> Fault {
    Fault::new(written.number_at, format!("this threshold can never hold: {why}"))
}

/// A day; an op is given up long before.
const LONGEST_MS: f64 = 86_400_000.0;
