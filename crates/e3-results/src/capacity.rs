//! Capacities: what the searches of two arms say of each other, in words.
//!
//! A search ends with a bracket: conditions held at its lower end, and were broken at its upper one. Brackets that overlap
//! are no evidence of a difference; of two that do not, the higher one is the better. Probes that agree confirm an end, not
//! a test, so no chance of error is claimed.

use e3_model::{Answer, SearchAnalysis, SearchEnd, Verdict, quantity};

/// A search and the name under which sentences speak of its arm.
#[derive(Clone, Copy)]
pub(crate) struct Searched<'a> {
    pub(crate) name: &'a str,
    pub(crate) search: &'a SearchAnalysis,
}

/// Returns what the search of an arm says against the same search of the baseline; none where the two asked for different
/// things. `barred` is why no verdict may be given.
pub(crate) fn capacities(own: Searched<'_>, other: Searched<'_>, barred: Option<&str>) -> Option<Answer> {
    if (own.search.is_open, &own.search.slo) != (other.search.is_open, &other.search.slo) {
        return None;
    }
    let invalid = |reason: &str| Answer {
        text: format!("Nothing can be concluded about the capacity of {} and {}.", own.name, other.name),
        confidence: reason.to_owned(),
        verdict: Some(Verdict::Invalid),
    };
    if let Some(open) = [own, other].into_iter().find(|one| !has_answer(one.search)) {
        return Some(invalid(&open.search.sentence));
    }
    if let Some(reason) = barred {
        return Some(invalid(reason));
    }
    let (mine, theirs) = (Bracket::of(own.search), Bracket::of(other.search));
    let verdict = match (mine.low >= theirs.high, theirs.low >= mine.high) {
        (true, _) => Verdict::Better,
        (_, true) => Verdict::Worse,
        _ => Verdict::NoEvidence,
    };
    let text = match verdict {
        Verdict::Better => differs(own, other),
        Verdict::Worse => differs(other, own),
        _ => format!(
            "No difference in capacity between {} and {} could be shown: the limit of the first lies {}, that of the second {}.",
            own.name,
            other.name,
            between(own.search),
            between(other.search)
        ),
    };
    let probes = format!("From {} and {} probes", own.search.probes.len(), other.search.probes.len());
    Some(Answer { text, confidence: format!("{probes}: {RULE}"), verdict: Some(verdict) })
}

/// Returns what one search says, where there is no other to compare it with.
pub(crate) fn capacity(search: &SearchAnalysis) -> Answer {
    let probes = match search.probes.len() {
        0 => return Answer { text: search.sentence.clone(), ..Answer::default() },
        1 => "From 1 probe".to_owned(),
        more => format!("From {more} probes"),
    };
    let apart = search.highest_held.zip(search.lowest_broken).filter(|(held, _)| *held > 0.0);
    let apart = apart.map_or_else(String::new, |(held, broken)| {
        format!(", the upper end {} above the lower", quantity::percent(broken / held - 1.0))
    });
    let confidence = match has_answer(search) {
        true => format!("{probes}: the limit lies {}{apart}. {RULE_ALONE}", between(search)),
        false => format!("{probes}."),
    };
    Answer { text: search.sentence.clone(), confidence, verdict: None }
}

/// Returns the answer with what searches say before it.
///
/// The verdict is that of the first capacity that differs; where none does, that of the rest if that differs, else that of
/// the first capacity.
pub(crate) fn joined(capacities: &[Answer], rest: Answer, caveat: &str) -> Answer {
    let differs = |verdict: Option<Verdict>| matches!(verdict, Some(Verdict::Better | Verdict::Worse));
    let telling = capacities.iter().find(|own| differs(own.verdict)).or(capacities.first());
    let Some(telling) = telling else { return rest };
    let mut texts: Vec<&str> = capacities.iter().take(MOST).map(|own| own.text.as_str()).collect();
    let more = match capacities.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!("{more} more are in the table of searches."),
    };
    texts.extend([more.as_str(), rest.text.as_str()].iter().filter(|text| !text.is_empty()));
    let after = if rest.confidence.is_empty() { caveat.trim_start() } else { rest.confidence.as_str() };
    let confidence = [telling.confidence.as_str(), after].into_iter().filter(|text| !text.is_empty());
    let verdict =
        if differs(rest.verdict) && !differs(telling.verdict) { rest.verdict } else { telling.verdict };
    Answer {
        text: texts.join(" "),
        confidence: confidence.collect::<Vec<_>>().join(" "),
        verdict: verdict.or(rest.verdict),
    }
}

/// Where the limit of an arm lies: at `low` conditions held, at `high` they did not.
struct Bracket {
    low: f64,
    high: f64,
}

impl Bracket {
    fn of(search: &SearchAnalysis) -> Self {
        Self { low: search.highest_held.unwrap_or(0.0), high: search.lowest_broken.unwrap_or(f64::INFINITY) }
    }
}

fn has_answer(search: &SearchAnalysis) -> bool {
    let is_known = search.highest_held.is_some() || search.lowest_broken.is_some();
    is_known && !matches!(search.end, SearchEnd::Undecided | SearchEnd::CutShort)
}

fn differs(better: Searched<'_>, worse: Searched<'_>) -> String {
    let load = |one: Searched<'_>, end: Option<f64>| {
        end.map_or_else(|| "no load".to_owned(), |end| one.search.level(end).to_string())
    };
    format!(
        "{} bears more load than {}: its conditions held at {}, those of {} were broken at {}.",
        better.name,
        worse.name,
        load(better, better.search.highest_held),
        worse.name,
        load(worse, worse.search.lowest_broken)
    )
}

fn between(search: &SearchAnalysis) -> String {
    let level = |load: f64| search.level(load).to_string();
    match (search.highest_held, search.lowest_broken) {
        (Some(held), Some(broken)) => format!("between {} and {}", level(held), level(broken)),
        (Some(held), None) => format!("at {} or above", level(held)),
        (None, Some(broken)) => format!("below {}", level(broken)),
        (None, None) => "nowhere that was probed".to_owned(),
    }
}

const RULE: &str = "brackets that overlap are no evidence; probes that agreed confirm their ends, and no test does, so that chance near a limit is not in it.";
const RULE_ALONE: &str = "Probes that agreed confirm that, and no test does: close to a limit, chance has a part in how a probe comes out.";
/// With more searches than this, the table says it better.
const MOST: usize = 3;
