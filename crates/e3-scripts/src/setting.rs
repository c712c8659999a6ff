//! What scripts take from their setting.

use e3_http::BaseUrl;
use e3_workload::{Account, ClientContext, ScriptError, Setting};
use rand::RngExt as _;

/// Draws one of the users that can log in.
pub(crate) fn draw_account(
    script: &str,
    setting: &Setting,
    context: &mut ClientContext,
) -> Result<Account, ScriptError> {
    draw_among(&setting.users, context)
        .cloned()
        .ok_or_else(|| ScriptError::NoUser { script: script.to_owned() })
}

/// Draws one of several, each as likely as the others; none where there is none.
pub(crate) fn draw_among<'a, T>(among: &'a [T], context: &mut ClientContext) -> Option<&'a T> {
    if among.is_empty() {
        return None;
    }
    among.get(context.random().random_range(0..among.len()))
}

/// Returns the system's base URL in parsed form.
pub(crate) fn parse_base(script: &str, url: &str) -> Result<BaseUrl, ScriptError> {
    BaseUrl::parse(url).map_err(|error| ScriptError::Url {
        script: script.to_owned(),
        url: url.to_owned(),
        reason: error.to_string(),
    })
}
