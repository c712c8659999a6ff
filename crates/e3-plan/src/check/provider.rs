//! What a provider cannot use is not silently left out.

use e3_model::ProviderName;

use super::Rule;
use crate::context::{Context, EXPERIMENT};
use crate::report::{Place, Report};

pub(super) const RULE: Rule = Rule { name: "no-effect", check };

fn check(context: &Context<'_>, report: &mut Report) {
    for (position, (thread, placement)) in
        context.experiment.threads.iter().zip(&context.placements).enumerate()
    {
        let (instance, worker) = (&thread.instance, &thread.worker);
        let of_instance = [
            ("template", instance.template.is_some()),
            ("stack", instance.stack.is_some()),
            ("version", instance.version.as_ref().is_some_and(|version| !version.is_null())),
            ("parameters", !instance.parameters.is_empty()),
        ];
        let of_worker = [
            ("template", worker.template.is_some()),
            ("stack", worker.stack.is_some()),
            ("parameters", !worker.parameters.is_empty()),
        ];
        let parts = [
            ("instance", placement.instance.provider, of_instance.as_slice()),
            ("worker", placement.worker.provider, of_worker.as_slice()),
        ];
        for (part, provider, settings) in parts {
            let idle = settings.iter().filter(|(_, is_set)| *is_set && provider == ProviderName::Local);
            for (key, _) in idle {
                let place = Place::key(EXPERIMENT, format!("/threads/{position}/{part}/{key}"));
                report
                    .warning(place, format!("{key:?} has no effect with the provider \"local\""))
                    .hint("take it out, or choose the provider that it is for");
            }
        }
    }
}
