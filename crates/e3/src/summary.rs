//! What the terminal says of an analysis: the answer, the most telling numbers, the searches, the thresholds, where the
//! report lies.

use std::fmt::Write as _;
use std::path::Path;

use e3_model::{Analysis, LoadLevel, ProbePoint, ProbeVerdict, SearchAnalysis, ThresholdState};

use crate::printer::several;
use crate::terminal::Style;
use crate::text;

/// Returns an analysis in a few lines, none wider than so many columns unless it is a path.
pub(crate) fn summary(analysis: &Analysis, report: &Path, columns: usize, style: Style) -> String {
    let mut out = String::from("\n");
    answer(&mut out, analysis, columns, style);
    headlines(&mut out, analysis, columns, style);
    for search in &analysis.searches {
        probes(&mut out, search, columns, style);
    }
    thresholds(&mut out, analysis, columns, style);
    let _ = writeln!(out, "\nreport: {}", report.display());
    out
}

fn answer(out: &mut String, analysis: &Analysis, columns: usize, style: Style) {
    let answer = &analysis.answer;
    if answer.text.is_empty() {
        return;
    }
    for line in text::wrap(&answer.text, columns, 0).lines() {
        let _ = writeln!(out, "{}", style.bold(line));
    }
    if !answer.confidence.is_empty() {
        let _ = writeln!(out, "{}", text::wrap(&answer.confidence, columns, 0));
    }
    out.push('\n');
}

fn headlines(out: &mut String, analysis: &Analysis, columns: usize, style: Style) {
    let widest = analysis.headlines.iter().map(|headline| text::columns(&headline.label)).max().unwrap_or(0);
    // Where the labels would leave too little room for the details, these stand below them.
    let indent = if widest + 2 + NARROWEST_DETAIL <= columns { widest + 2 } else { 2 };
    for headline in &analysis.headlines {
        let _ = writeln!(out, "{}  {}", text::left(&headline.label, widest), style.bold(&headline.value));
        let detail = text::wrap(&headline.detail, columns.saturating_sub(indent), indent);
        let _ = writeln!(out, "{:indent$}{detail}", "");
    }
}

/// The loads of a search by how its probes came out, each group in the order in which they ran; what was found is among
/// the most telling numbers.
fn probes(out: &mut String, search: &SearchAnalysis, columns: usize, style: Style) {
    let heading = format!(
        "{} of “{}”: {}",
        several(search.probes.len(), "probe"),
        text::one_line(&search.thread),
        text::one_line(&search.slo.join(" and "))
    );
    let _ = writeln!(out, "\n{}", text::wrap(&heading, columns, 0));
    let kinds: [(Option<ProbeVerdict>, &str, Look); 4] = [
        (Some(ProbeVerdict::Held), "held", Style::good),
        (Some(ProbeVerdict::Broken), "broken", Style::bad),
        (Some(ProbeVerdict::Undecided), "undecided", Style::warning),
        (None, "not ended", Style::warning),
    ];
    for (verdict, word, look) in kinds {
        let loads: Vec<String> = search
            .probes
            .iter()
            .filter(|probe: &&ProbePoint| probe.verdict == verdict)
            .map(|probe| search.level(probe.load).to_string())
            .collect();
        if !loads.is_empty() {
            let loads = text::wrap(&loads.join(", "), columns.saturating_sub(DETAIL), DETAIL);
            let _ = writeln!(out, "  {}  {loads}", look(style, &format!("{word:<9}")));
        }
    }
}

fn thresholds(out: &mut String, analysis: &Analysis, columns: usize, style: Style) {
    let results = &analysis.thresholds;
    if results.is_empty() {
        return;
    }
    let counted = STATES.iter().filter_map(|(state, word)| {
        let count = results.iter().filter(|result| result.state == *state).count();
        (count > 0).then(|| format!("{count} {word}"))
    });
    let counted = counted.collect::<Vec<_>>().join(", ");
    let _ = writeln!(out, "\n{}: {counted}", several(results.len(), "threshold"));
    for (state, word) in STATES {
        let look = match state {
            ThresholdState::Held => Style::good,
            ThresholdState::Broken => Style::bad,
            ThresholdState::Undecided => Style::warning,
        };
        let mut last = None;
        for result in results.iter().filter(|result| result.state == state) {
            if last.replace(&result.threshold) != Some(&result.threshold) {
                let word = look(style, &format!("{word:<9}"));
                let _ = writeln!(out, "  {word}  {}", text::one_line(&result.threshold));
            }
            let detail = format!(
                "“{}” at {}: {}",
                text::one_line(&result.thread),
                analysis.load_of(result.stage).unwrap_or(LoadLevel::Clients(result.clients)),
                result.detail
            );
            let detail = text::wrap(&detail, columns.saturating_sub(DETAIL), DETAIL);
            let _ = writeln!(out, "{:DETAIL$}{detail}", "");
        }
    }
}

/// What needs a look comes first.
const STATES: [(ThresholdState, &str); 3] = [
    (ThresholdState::Broken, "broken"),
    (ThresholdState::Undecided, "undecided"),
    (ThresholdState::Held, "held"),
];
/// How a word looks.
type Look = fn(Style, &str) -> String;
const NARROWEST_DETAIL: usize = 40;
/// Where the details of thresholds begin.
const DETAIL: usize = 13;

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
