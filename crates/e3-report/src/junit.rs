//! Thresholds as JUnit XML, which every build server shows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use e3_model::{Analysis, SearchAnalysis, StageRef, ThresholdResult, ThresholdState};

use crate::chart::escape;
use crate::searches::stages_of;
use crate::thresholds::{by_text, load_of};

/// Returns one suite per threshold, in the analysis' order, with one case per stage: a broken threshold is a failure, an
/// undecided one an error, since nothing was shown. Capacity searches are a suite of their own, one case each: what was
/// found is its output, and one that found no load at which its conditions hold is skipped, since that is no failure by
/// itself. Without thresholds and searches there are no suites.
///
/// Source: the JUnit schema of Jenkins' xUnit plug-in (jenkins-junit.xsd); times are those of the stages, in seconds.
pub fn junit(analysis: &Analysis) -> String {
    let all: Vec<&ThresholdResult> = analysis.thresholds.iter().collect();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let name = text(&format!("{}: {}", analysis.experiment, analysis.run));
    let _ = writeln!(out, r#"<testsuites name="{name}" {}>"#, counts(analysis, &all, &analysis.searches));
    for (threshold, results) in by_text(analysis) {
        let _ = writeln!(
            out,
            r#"  <testsuite name="{}" {} skipped="0" timestamp="{}">"#,
            text(threshold),
            counts(analysis, &results, &[]),
            began(analysis)
        );
        for result in results {
            case(&mut out, analysis, result);
        }
        out.push_str("  </testsuite>\n");
    }
    searches(&mut out, analysis);
    out.push_str("</testsuites>\n");
    out
}

fn searches(out: &mut String, analysis: &Analysis) {
    if analysis.searches.is_empty() {
        return;
    }
    let skipped = analysis.searches.iter().filter(|search| search.highest_held.is_none()).count();
    let _ = writeln!(
        out,
        r#"  <testsuite name="capacity search" {} skipped="{skipped}" timestamp="{}">"#,
        counts(analysis, &[], &analysis.searches),
        began(analysis)
    );
    for search in &analysis.searches {
        let lasted = stages_of(analysis, search).map(|stage| stage.window_end_ms).sum();
        let name = format!("{}, {} ({})", search.thread, search.slo.join(" and "), search.stage);
        let skipped = if search.highest_held.is_none() { "<skipped/>" } else { "" };
        let _ = writeln!(
            out,
            r#"    <testcase classname="{}" name="{}" time="{}">{skipped}<system-out>{}</system-out></testcase>"#,
            text(&analysis.experiment),
            text(&name),
            seconds(lasted),
            text(&search.sentence)
        );
    }
    out.push_str("  </testsuite>\n");
}

fn began(analysis: &Analysis) -> String {
    text(analysis.started_at.split(['.', 'Z']).next().unwrap_or_default())
}

fn counts(analysis: &Analysis, results: &[&ThresholdResult], searches: &[SearchAnalysis]) -> String {
    let of = |state| results.iter().filter(|result| result.state == state).count();
    // Several thresholds judge the same stage, which took its time once.
    let mut stages: BTreeMap<StageRef, u64> =
        results.iter().map(|result| (result.stage, lasted_ms(analysis, result))).collect();
    let probes = searches.iter().flat_map(|search| stages_of(analysis, search));
    stages.extend(probes.map(|stage| (stage.stage, stage.window_end_ms)));
    format!(
        r#"tests="{}" failures="{}" errors="{}" time="{}""#,
        results.len() + searches.len(),
        of(ThresholdState::Broken),
        of(ThresholdState::Undecided),
        seconds(stages.values().sum())
    )
}

fn case(out: &mut String, analysis: &Analysis, result: &ThresholdResult) {
    let _ = write!(
        out,
        r#"    <testcase classname="{}" name="{}, {} ({})" time="{}""#,
        text(&analysis.experiment),
        text(&result.thread),
        load_of(analysis, result),
        result.stage,
        seconds(lasted_ms(analysis, result))
    );
    let detail = text(&result.detail);
    let (element, kind) = match result.state {
        ThresholdState::Held => {
            out.push_str("/>\n");
            return;
        }
        ThresholdState::Broken => ("failure", "broken"),
        ThresholdState::Undecided => ("error", "undecided"),
    };
    let _ = writeln!(
        out,
        ">\n      <{element} type=\"{kind}\" message=\"{detail}\">{}: {detail}</{element}>\n    </testcase>",
        text(&result.threshold)
    );
}

/// Returns how long the stage ran, in milliseconds; 0 where the analysis has no such stage.
fn lasted_ms(analysis: &Analysis, result: &ThresholdResult) -> u64 {
    let mut stages = analysis.threads.iter().flat_map(|thread| &thread.stages);
    stages.find(|stage| stage.stage == result.stage).map_or(0, |stage| stage.window_end_ms)
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

/// Returns text as XML 1.0 allows it: escaped, on one line, without the characters that no XML may have.
fn text(text: &str) -> String {
    let sound = |character: char| match character {
        '\t' | '\n' | '\r' => ' ',
        '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        control if control.is_control() => '\u{fffd}',
        other => other,
    };
    escape(&text.chars().map(sound).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_breaks_the_xml() {
        assert_eq!(
            text("p99 < 2s & \"x\"\n\u{1}\u{7f}é"),
            "p99 &lt; 2s &amp; &quot;x&quot; \u{fffd}\u{fffd}é"
        );
        assert_eq!(seconds(6_042), "6.042");
    }
}
