//! Sets up all that a run needs, and removes it again, over any provider.
//!
//! In: a plan, and the providers. Out: the topology of what stands, with its data loaded; later, from the journal alone,
//! the teardown that says what was removed and what is left. Nothing is torn down on failure: whoever called decides,
//! and the journal knows. The caller holds the run's lock throughout, so that no other e3 provisions or removes
//! meanwhile; the lock also outlasts a killed e3 for as long as a child of it has not become its own program yet.
//!
//! This crate knows no provider by name and puts no secret into a run's directory.

mod deprovision;
mod error;
mod event;
mod provision;
mod secrets;
mod stages;

pub use deprovision::deprovision;
pub use error::ProvisionError;
pub use event::ProvisionEvent;
pub use provision::{ProvisionInput, check, provision};
pub use secrets::generate_secrets;
pub use stages::{disturb, probe, reset};
