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
    if setting.users.is_empty() {
        return Err(ScriptError::NoUser { script: script.to_owned() });
    }
    let index = context.random().random_range(0..setting.users.len());
    setting.users.get(index).cloned().ok_or_else(|| ScriptError::NoUser { script: script.to_owned() })
}

/// Returns the system's base URL in parsed form.
pub(crate) fn parse_base(script: &str, url: &str) -> Result<BaseUrl, ScriptError> {
    BaseUrl::parse(url).map_err(|error| ScriptError::Url {
        script: script.to_owned(),
        url: url.to_owned(),
        reason: error.to_string(),
    })
}
