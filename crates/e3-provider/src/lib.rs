//! The contract between E3 and whoever sets up a system under test, and the journal that both rely on.
//!
//! In: what one thread's system should be. Out: the topology of what stands, and in the journal every resource,
//! written down *before* it is created, so that a teardown finds it whenever and however e3 ended.
//! A provider is one crate that implements [`Provider`] and passes [`conformance`].
//!
//! This crate creates and removes nothing itself.

pub mod conformance;
mod error;
mod journal;
mod ledger;
mod provider;
mod resource;

pub use error::{JournalError, ProviderError, chain};
pub use journal::Journal;
pub use ledger::{Entry, Event, Ledger};
pub use provider::{NodeProbe, Probe, Provider, ProvisionRequest, Removal, RemovalOutcome, Standing};
pub use resource::Resource;
