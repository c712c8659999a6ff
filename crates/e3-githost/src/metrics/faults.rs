//! What was done to requests on purpose.

use super::text::Text;
use crate::faults::Faults;

/// Returns the counts of every effect that was felt; nothing on a node that was never disturbed.
pub(super) fn text(faults: &Faults) -> String {
    let injected = faults.injected();
    let mut text = Text::default();
    if injected.is_empty() {
        return text.into_string();
    }
    let help = "How often a fault was felt: by a request that failed (error), was cut off (cut), took longer (latency), \
                was held by a stall (stall), waited for its turn (wait) or was answered slowly (slow).";
    let mut family = text.family("e3_githost_faults_injected_total", "counter", help);
    for (kind, route, count) in injected {
        family.sample(&[("kind", kind), ("route", &route)], count);
    }
    text.into_string()
}
