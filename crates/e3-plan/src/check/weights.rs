//! A workload's weights add up to 1.

use super::Rule;
use crate::context::Context;
use crate::report::{Place, Report};
use crate::words;

pub(super) const RULE: Rule = Rule { name: "weights", check };

fn check(context: &Context<'_>, report: &mut Report) {
    for (document, workload) in context.ready_workloads() {
        let sum: f64 = workload.0.iter().map(|job| job.weight).sum();
        if (sum - 1.0).abs() > TOLERANCE {
            let message = format!("the weights add up to {}, not to 1", words::decimal(sum));
            report
                .error(Place::whole(document), message)
                .hint("each weight is a share of the whole: 0.25 is a quarter");
        }
    }
}

/// As much as sums of decimal fractions may be off.
const TOLERANCE: f64 = 1e-6;
