//! `e3 doctor`: looks whether this machine is fit for experiments.

mod checks;
mod machine;

use std::fmt::Write as _;

use serde::Serialize;

use crate::app::App;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::{data_json, data_text};
use crate::terminal::Style;
use crate::text;

/// What one look has found.
#[derive(Debug, Serialize)]
struct Check {
    /// What was looked at.
    name: &'static str,
    state: State,
    /// What was found.
    detail: String,
    /// What to do, where there is something.
    hint: Option<String>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// As it should be.
    Ok,
    /// Experiments run, but not as well as they could.
    Warning,
    /// Experiments cannot run.
    Problem,
}

pub(crate) async fn perform(app: &App) -> Result<Exit, Failure> {
    let checks = checks::all(app).await;
    let exit =
        if checks.iter().any(|check| check.state == State::Problem) { Exit::Failure } else { Exit::Success };
    if app.json {
        data_json(&checks)?;
    } else {
        data_text(&rendered(&checks, app.columns, app.style))?;
    }
    Ok(exit)
}

impl Check {
    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, state: State::Ok, detail: detail.into(), hint: None }
    }

    fn warning(name: &'static str, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { name, state: State::Warning, detail: detail.into(), hint: Some(hint.into()) }
    }

    fn problem(name: &'static str, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { name, state: State::Problem, detail: detail.into(), hint: Some(hint.into()) }
    }
}

fn rendered(checks: &[Check], columns: usize, style: Style) -> String {
    let name = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let indent = STATE + name + 4;
    let room = columns.saturating_sub(indent).max(20);
    let mut out = String::new();
    for check in checks {
        let state = match check.state {
            State::Ok => style.good(&text::left("ok", STATE)),
            State::Warning => style.warning(&text::left("warning", STATE)),
            State::Problem => style.bad(&text::left("problem", STATE)),
        };
        let _ = writeln!(out, "{state}  {:name$}  {}", check.name, text::wrap(&check.detail, room, indent));
        if let Some(hint) = &check.hint {
            let hint = text::wrap(&format!("hint: {hint}"), room, indent);
            let _ = writeln!(out, "{:indent$}{hint}", "");
        }
    }
    let count = |state| checks.iter().filter(|check| check.state == state).count();
    let verdict = match (count(State::Problem), count(State::Warning)) {
        (0, 0) => "This machine is fit for experiments.".to_owned(),
        (0, warnings) => format!("Experiments run here; {warnings} of {} checks warn.", checks.len()),
        (problems, _) => {
            format!("Experiments do not run here: {problems} of {} checks found a problem.", checks.len())
        }
    };
    let _ = writeln!(out, "\n{verdict}");
    out
}

/// The width of `problem` and `warning`.
const STATE: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_stand_below_what_they_are_about() {
        let checks = [
            Check::ok("git", "git version 2.39.5"),
            Check::warning(
                "open files",
                "256 at once",
                "raise the hard limit (`ulimit -Hn`) in /etc/security/limits.conf",
            ),
        ];
        let shown = rendered(&checks, 50, Style::PLAIN);
        assert_eq!(
            shown,
            "ok       git         git version 2.39.5\n\
             warning  open files  256 at once\n\
             \x20                    hint: raise the hard limit\n\
             \x20                    (`ulimit -Hn`) in\n\
             \x20                    /etc/security/limits.conf\n\
             \nExperiments run here; 1 of 2 checks warn.\n"
        );
    }
}
