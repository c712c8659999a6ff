//! What can go wrong with a report.

/// Says why a report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A template does not fit what it is given.
    #[error("cannot render the report page")]
    Template(#[from] minijinja::Error),
}
