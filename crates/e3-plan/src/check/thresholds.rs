//! Every threshold says something that can be judged.

use super::Rule;
use crate::context::{Context, EXPERIMENT};
use crate::report::{Place, Report};
use crate::threshold::{self, Fault};

pub(super) const RULE: Rule = Rule { name: "threshold", check };

fn check(context: &Context<'_>, report: &mut Report) {
    for (position, text) in context.experiment.thresholds.iter().enumerate() {
        let place = |fault: &Fault| Place::within(EXPERIMENT, format!("/thresholds/{position}"), fault.at);
        let found = match threshold::read(context, text) {
            Ok(understood) => {
                let Some(concern) = understood.concern else { continue };
                (report.warning(place(&concern), concern.message.clone()), concern.hint)
            }
            // Which scripts and ops there are is not known then.
            Err(fault) if fault.of_target && !context.knows_all_jobs() => continue,
            Err(fault) => (report.error(place(&fault), fault.message.clone()), fault.hint),
        };
        if let (found, Some(hint)) = found {
            found.hint(hint);
        }
    }
}
