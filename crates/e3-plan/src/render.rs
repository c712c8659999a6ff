//! Findings as people read them.

use std::fmt::Write as _;

use e3_model::{Finding, Findings};

/// Returns the findings as text: one paragraph each, with the place in a form that editors and terminals open.
///
/// Empty when there is nothing to say.
pub fn render(findings: &Findings) -> String {
    findings.0.iter().map(paragraph).collect::<Vec<_>>().join("\n")
}

fn paragraph(finding: &Finding) -> String {
    let mut text = format!("{}[{}]: {}\n", finding.severity, finding.rule, finding.message);
    // Writing to a string cannot fail.
    if let Some(location) = &finding.location {
        let _ = writeln!(text, " --> {location}");
    }
    if let Some(hint) = &finding.hint {
        let _ = writeln!(text, "  hint: {hint}");
    }
    text
}
