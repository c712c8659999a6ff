//! Thresholds as people write them, such as `p99(GitCloneOverSsh) < 2s`: what they say, and whether it makes sense.

mod grammar;
mod limit;
mod target;

use e3_model::{Relation, Statistic, Threshold};

use crate::context::Context;
use crate::words;
use grammar::Written;

/// What is wrong with a threshold, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The byte of the text at which it is.
    pub(crate) at: usize,
    /// What was found, and what is allowed.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    /// Whether it is that the experiment has no such script or op.
    pub(crate) of_target: bool,
}

/// A threshold that makes sense for an experiment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Understood {
    /// The threshold.
    pub(crate) threshold: Threshold,
    /// Why its author may have meant something else; a warning.
    pub(crate) concern: Option<Fault>,
}

impl Fault {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), hint: None, of_target: false }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Reads a threshold of an experiment.
///
/// # Errors
/// The first thing that is wrong with it: its form, its limit, or a script or op that the experiment does not have.
pub(crate) fn read(context: &Context<'_>, text: &str) -> Result<Understood, Fault> {
    let written = grammar::parse(text)?;
    let limit = limit::limit(&written)?;
    let target = written.target.as_ref().map(|target| target::resolve(context, target)).transpose();
    let target = target.map_err(|fault| Fault { of_target: true, ..fault })?;
    let concern = concern(&written);
    let (statistic, relation) = (written.statistic, written.relation);
    Ok(Understood {
        threshold: Threshold { text: text.to_owned(), statistic, target, relation, limit },
        concern,
    })
}

/// Returns what is odd about a threshold that asks for slowness, errors or little throughput.
fn concern(written: &Written<'_>) -> Option<Fault> {
    let asks_for_more = matches!(written.relation, Relation::Above | Relation::AtLeast);
    let (wants_more, what) = match written.statistic {
        Statistic::Rate => (true, "the system does little"),
        Statistic::Errors => (false, "many ops fail"),
        _ => (false, "the system is slow"),
    };
    let sign = written.relation.sign();
    (asks_for_more != wants_more).then(|| {
        let turned = if asks_for_more { sign.replace('>', "<") } else { sign.replace('<', ">") };
        Fault::new(written.relation_at, format!("with {sign:?} this threshold holds only if {what}"))
            .hint(words::did_you_mean(&turned))
    })
}
