//! How clients talk is something that they can do, and that does what it says.

use e3_model::{GitClient, Span, Verify};

use super::Rule;
use crate::context::Context;
use crate::report::Report;

pub(super) const RULE: Rule = Rule { name: "transport", check };

fn check(context: &Context<'_>, report: &mut Report) {
    let is_real_git = context.experiment.git_client == Some(GitClient::Git);
    for stage in &context.stages {
        if let Some(op_timeout) = stage.op_timeout().filter(|op_timeout| op_timeout.value == Span::ZERO) {
            report
                .error(op_timeout.place, "\"opTimeout\" is 0, so that every op would time out at once")
                .hint("such as \"30s\"; leave it out for five minutes");
        }
        if let Some(verify) = stage.verify().filter(|verify| is_real_git && verify.value == Verify::Sampled) {
            report
                .warning(
                    verify.place,
                    "\"verify\" has no effect with \"gitClient\": \"git\", which verifies every pack",
                )
                .hint("take it out, or leave the Git client to e3");
        }
    }
}
