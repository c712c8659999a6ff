//! Which version of the product answers: asked once before each stage, for anyone may ask.

use std::time::Duration;

use e3_bitbucket::Bitbucket;
use e3_home::RunDir;
use e3_http::{BaseUrl, HttpWay, Trust};
use e3_model::{Connections, JobPlan, Plan, ProductVersion, ThreadId, ThreadTopology, with_causes};

/// Returns the version that a thread's system says it has; none where it says none in time, as what is no Bitbucket does.
///
/// A system that gets nothing but plain HTTP is not asked: it would be one request more than its load has.
pub(super) async fn version(run: &RunDir, thread: &ThreadTopology) -> Option<ProductVersion> {
    let plan: Plan = run.read().ok()?;
    if !may_depend_on_version(&plan, thread.thread) {
        return None;
    }
    let asked = ask(&thread.instance.url, thread.instance.ca.as_deref());
    match tokio::time::timeout(BOUND, asked).await {
        Ok(Ok(version)) => version,
        Ok(Err(reason)) => {
            tracing::info!(thread = %thread.thread, reason, "the product does not say its version");
            None
        }
        Err(_) => {
            tracing::info!(thread = %thread.thread, "the product does not say its version in time");
            None
        }
    }
}

/// Returns whether a thread has scripts that are about more than HTTP.
fn may_depend_on_version(plan: &Plan, thread: ThreadId) -> bool {
    let stages = plan.threads.get(thread.index()).map(|thread| thread.stages.as_slice()).unwrap_or_default();
    let is_plain = |job: &JobPlan| job.script.starts_with("http.");
    stages.iter().flat_map(|stage| &stage.jobs).any(|job| !is_plain(job))
}

async fn ask(url: &str, ca: Option<&str>) -> Result<Option<ProductVersion>, String> {
    let base = BaseUrl::parse(url).map_err(|error| with_causes(&error))?;
    let trust = ca.map(Trust::pem).transpose().map_err(|error| with_causes(&error))?;
    let way =
        HttpWay { connections: Connections::PerOp, trust: trust.unwrap_or_default(), ..HttpWay::default() };
    let mut bitbucket = Bitbucket::anonymous(base).with_way(&way);
    let properties = match bitbucket.application_properties().await {
        // Scripts do other calls where the version is not known: one lost answer shall not decide that.
        Err(error) if error.status().is_none() => bitbucket.application_properties().await,
        properties => properties,
    };
    properties.map(|properties| properties.product_version()).map_err(|error| with_causes(&error))
}

/// How long the stage waits for the answer.
const BOUND: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use e3_testkit::{Authority, Loopback, Replay, ReplayFamily, Secure, Speech, Validity, answer};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn every_family_says_its_version_to_anyone() {
        for family in ReplayFamily::ALL {
            let replay = Replay::start(family).await;
            let version = ask(&replay.url(), None).await.unwrap().unwrap();
            assert_eq!(version.to_string(), family.version());
            assert_eq!(replay.calls().len(), 1, "it is asked once");
        }
    }

    #[tokio::test]
    async fn what_is_no_bitbucket_has_no_version() {
        for (status, body) in [
            (200, "<html>"),
            (404, ""),
            (200, r#"{"version": "next"}"#),
            (200, r#"{"version": 7}"#),
            (500, "{}"),
        ] {
            let server = Loopback::serve(move |_| async move { answer(status, &[], body) }).await;
            assert_eq!(ask(&server.url(), None).await.ok().flatten(), None, "{status} {body}");
        }
        let gone = Loopback::serve(|_| async { answer(200, &[], "") }).await.url();
        assert!(ask(&gone, None).await.is_err(), "nobody is there");
        assert!(ask("no URL", None).await.is_err());
    }

    #[tokio::test]
    async fn the_instances_own_certificates_are_trusted() {
        let authority = Authority::new();
        let config = authority.server("127.0.0.1", Validity::Current, &["http/1.1"]);
        let server = Secure::serve(Speech::Tls(config), |_| async {
            answer(200, &[], r#"{"version": "9.4.1", "displayName": "Bitbucket"}"#)
        })
        .await;
        let url = server.https("127.0.0.1");
        let version = ask(&url, Some(authority.pem())).await.unwrap();
        assert_eq!(version, Some(ProductVersion::new(9, 4, 1)));
        assert!(ask(&url, None).await.is_err(), "nobody else vouches for it");
    }
}
