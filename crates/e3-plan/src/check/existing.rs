//! A system that is there already cannot be named in a file yet, only on the command line of `e3 load`.

use e3_model::ProviderName;

use super::Rule;
use crate::context::{Context, EXPERIMENT};
use crate::report::{Place, Report};

pub(super) const RULE: Rule = Rule { name: "existing", check };

fn check(context: &Context<'_>, report: &mut Report) {
    for (position, placement) in context.placements.iter().enumerate() {
        for (part, chosen) in [("instance", &placement.instance), ("worker", &placement.worker)] {
            if chosen.provider == ProviderName::Existing {
                let place = Place::value(EXPERIMENT, format!("/threads/{position}/{part}/provider"));
                report
                    .error(
                        place,
                        "this version of e3 cannot run an experiment on a system that is there already",
                    )
                    .hint("`e3 load --url URL` puts one load on such a system; see `e3 load --help`");
            }
        }
    }
}
