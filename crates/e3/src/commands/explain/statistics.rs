//! The words of statistics that reports use and the glossary leaves to textbooks.

use super::Entry;

/// Returns an entry per word.
pub(super) fn entries() -> Vec<Entry> {
    let entry = |(names, meaning): &(&str, &str)| Entry {
        kind: "statistics",
        names: names.split(", ").map(str::to_owned).collect(),
        meaning: (*meaning).to_owned(),
        advice: None,
    };
    WORDS.iter().map(entry).collect()
}

const WORDS: [(&str, &str); 11] = [
    (
        "baseline",
        "The thread, or in `e3 compare` the run, that the others are compared with; the first thread unless the experiment's \
         `compare` names another.",
    ),
    (
        "effect size, effect, ratio",
        "How large a difference is: the value divided by the baseline's, such as 1.12 for 12 % more. An interval around it \
         says how well it is known; a small effect with a narrow interval is better known than a large one with a wide one.",
    ),
    (
        "better",
        "A verdict: the whole interval around the effect lies on the good side of no difference, so that chance alone does \
         not explain it.",
    ),
    ("worse", "A verdict: the whole interval around the effect lies on the bad side of no difference."),
    (
        "no evidence",
        "A verdict: the interval around the effect includes no difference. It does not say that both are equal; more or \
         longer stages narrow the interval.",
    ),
    (
        "invalid",
        "A verdict: the numbers cannot be compared, since a stage cannot be believed, or error rates differ so much that the \
         latencies are those of different populations.",
    ),
    (
        "bootstrap, block bootstrap",
        "How intervals are found without assuming a distribution: the measured data are drawn again and again with \
         replacement, and the statistic computed each time. Blocks of time are drawn rather than single ops, since ops that \
         are close in time resemble each other. The draws are seeded, so the same results give the same interval.",
    ),
    (
        "undecided",
        "A threshold that could not be judged: too few ops speak for its statistic, or its stage cannot be believed. A gate \
         must not let it pass, so the exit code is 3 as for a broken one.",
    ),
    (
        "threshold",
        "A condition on each stage's numbers, such as \"p99(GitCloneOverSsh) < 2s\". It is held, broken or undecided at each \
         stage that it applies to; the exit code is 3 unless all are held.",
    ),
    (
        "Little's law",
        "Clients = throughput × (latency + think time), on average. It shows how many clients a rate needs (in the open model: \
         rate × latency are busy on average), and that more clients on a saturated system only wait longer.",
    ),
    (
        "saturation, saturated",
        "The load above which throughput hardly grows while latency does: some resource is used up. Percentiles there depend \
         more on the number of clients than on the system.",
    ),
];
