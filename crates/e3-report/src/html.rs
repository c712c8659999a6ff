//! The HTML page.

use e3_model::Analysis;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use crate::ReportError;
use crate::page::Page;

/// Returns the whole report as one page, which needs no other file and no network.
///
/// # Errors
/// When a template does not fit the page's values, which the tests rule out.
pub fn html(analysis: &Analysis) -> Result<String, ReportError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template(
        "page",
        concat!(include_str!("../templates/parts.html"), include_str!("../templates/page.html")),
    )?;
    let context = minijinja::context! {
        page => Value::from(Serde(Page::of(analysis))),
        chart_style => Value::from_safe_string(crate::chart::CHART_STYLE.trim().to_owned()),
        alone_style => Value::from_safe_string(crate::chart::alone_style().to_owned()),
        style => Value::from_safe_string(include_str!("../templates/style.css").to_owned()),
        script => Value::from_safe_string(include_str!("../templates/script.js").to_owned()),
    };
    Ok(environment.get_template("page")?.render(context)?)
}
