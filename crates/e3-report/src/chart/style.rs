//! How charts look: the page's style sheet, and the same without variables for a chart that stands alone.

use std::fmt::Write as _;
use std::sync::LazyLock;

/// The style sheet of charts within a page, with the colours of a light ground as variables.
pub(crate) const CHART_STYLE: &str = include_str!("../../templates/chart.css");

/// Returns the style sheet of a chart that stands alone: without variables, which few programs but browsers know.
pub(crate) fn alone_style() -> &'static str {
    static STYLE: LazyLock<String> = LazyLock::new(|| resolved(CHART_STYLE));
    &STYLE
}

/// Resolves variables; a rule with the colour of a series becomes one rule for each colour.
fn resolved(style: &str) -> String {
    let mut variables: Vec<(&str, &str)> = Vec::new();
    let mut colours: Vec<(&str, String)> = Vec::new();
    let mut out = String::new();
    for rule in style.split('}') {
        let Some((selector, body)) = rule.split_once('{') else { continue };
        let (selector, body) = (selector.trim(), body.trim().trim_end_matches(';'));
        if selector == ":root" {
            let pairs = body.split(';').filter_map(|pair| pair.split_once(':'));
            variables.extend(pairs.map(|(name, value)| (name.trim(), value.trim())));
        } else if let Some(value) = body.strip_prefix("--c:") {
            colours.push((selector, with_values(value.trim(), &variables)));
        } else if body.contains("var(--c)") {
            for (class, colour) in &colours {
                let body = with_values(&body.replace("var(--c)", colour), &variables);
                let _ = write!(out, "{selector}{class}{{{body}}}");
            }
        } else {
            let _ = write!(out, "{selector}{{{}}}", with_values(body, &variables));
        }
    }
    out
}

fn with_values(text: &str, variables: &[(&str, &str)]) -> String {
    variables.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("var({name})"), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_variable_is_left() {
        let style = resolved(
            ":root { --a: red; --k: blue }\n.c0 { --c: var(--k) }\n.line { stroke: var(--c); fill: none }\n.x { fill: var(--a) }",
        );
        assert_eq!(style, ".line.c0{stroke: blue; fill: none}.x{fill: red}");
        let style = alone_style();
        assert!(!style.contains("var(") && !style.contains("--") && style.contains(".line.c7{"), "{style}");
        assert!(!style.contains(['<', '&']), "it stands in XML as it is");
    }
}
