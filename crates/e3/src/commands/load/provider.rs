//! The provider of systems that are there already.

use async_trait::async_trait;
use e3_model::{InstanceTopology, ProviderName, Reset};
use e3_provider::{
    Journal, Probe, Provider, ProviderError, ProvisionRequest, Removal, RemovalOutcome, Resource, Standing,
};

/// The provider of systems that are there already: it looks after nothing.
pub(crate) struct ExistingProvider;

#[async_trait]
impl Provider for ExistingProvider {
    fn name(&self) -> ProviderName {
        ProviderName::Existing
    }

    async fn check(&self) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn provision(
        &self,
        _: &ProvisionRequest<'_>,
        _: &Journal,
    ) -> Result<InstanceTopology, ProviderError> {
        Err(unsupported("set a system up"))
    }

    async fn keep(&self, _: &Standing<'_>, _: &Journal) -> Result<(), ProviderError> {
        Err(unsupported("keep a system's data"))
    }

    async fn reset(&self, _: &Standing<'_>, _: Reset, _: &Journal) -> Result<(), ProviderError> {
        Err(unsupported("reset a system"))
    }

    /// Returns nothing: what its answers are worth, the load itself shows.
    async fn probe(&self, _: &InstanceTopology) -> Result<Probe, ProviderError> {
        Ok(Probe { nodes: Vec::new() })
    }

    async fn deprovision(&self, resources: &[Resource], _: &Journal) -> Vec<Removal> {
        let left = |resource: &Resource| Removal {
            resource: resource.clone(),
            outcome: RemovalOutcome::Left { reason: "e3 did not set it up".to_owned() },
        };
        resources.iter().map(left).collect()
    }
}

fn unsupported(act: &str) -> ProviderError {
    ProviderError::Unsupported { provider: ProviderName::Existing, act: act.to_owned() }
}
