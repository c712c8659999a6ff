//! A script of one's own, whole: what it is, what its clients do, and how it is tried without a system under test.
//!
//! `cargo run -p e3-scripts --example hello_script` asks a loopback server three times and prints the samples.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use e3_bitbucket::path;
use e3_http::{BaseUrl, HttpSession, Request};
use e3_model::{
    ClientId, JobId, Need, OpId, Outcome, Protocol, Sample, ScriptDescriptor, Secret, Seed, Snapshot,
};
use e3_testkit::{Loopback, answer};
use e3_workload::{
    Account, ClientContext, DrawnRepository, Failure, Instant, Load, Measured, RepositoryDraw, Script,
    ScriptClient, ScriptError, Seat, Setting, Stopped, check_descriptor, sample_channel,
};
use tokio_util::sync::CancellationToken;

// ANCHOR: script
/// Lists the branches of a repository, drawn by weight, by REST.
struct ListBranches;

const NAME: &str = "rest.ListBranches";
const LIST_BRANCHES: OpId = OpId(0);

impl Script for ListBranches {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            NAME,
            "Lists the first 25 branches of a repository, drawn by weight, with a user's password.",
            Protocol::Http,
            &[("ListBranches", "REST: a repository's first 25 branches")],
        )
        .needing(&[Need::HttpUser, Need::Repository])
    }

    fn client(
        &self,
        setting: &Arc<Setting>,
        _: &mut ClientContext,
    ) -> Result<Box<dyn ScriptClient>, ScriptError> {
        let script = || NAME.to_owned();
        if setting.repositories.is_empty() {
            return Err(ScriptError::NoRepository { script: script() });
        }
        let user = setting.users.first().ok_or_else(|| ScriptError::NoUser { script: script() })?;
        let base = BaseUrl::parse(&setting.url).map_err(|error| ScriptError::Url {
            script: script(),
            url: setting.url.clone(),
            reason: error.to_string(),
        })?;
        let http = HttpSession::new(base).with_basic(&user.name, &user.password);
        Ok(Box::new(Client { http, setting: Arc::clone(setting) }))
    }
}
// ANCHOR_END: script

// ANCHOR: client
/// One client: its connection stays open from iteration to iteration, as a browser's would.
struct Client {
    http: HttpSession,
    setting: Arc<Setting>,
}

#[async_trait]
impl ScriptClient for Client {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        // Drawn before the op, and from the context: preparation is outside the clock, and the same seed draws the same.
        let Some(repository) = self.setting.repositories.draw(context.random()).cloned() else {
            return Ok(());
        };
        context.op(LIST_BRANCHES, list_branches(&mut self.http, &repository)).await
    }
}

/// Asks once; what the op was worth is measured on the way, and an answer without branches is a failure.
async fn list_branches(
    http: &mut HttpSession,
    repository: &DrawnRepository,
) -> Result<((), Measured), Failure> {
    let request = Request::get(path::rest_branches(&repository.project, &repository.slug, 0, 25));
    let answer =
        http.send(request).await.map_err(|error| Failure::new(error.outcome(), error.to_string()))?;
    let measured = Measured {
        first_byte: Some(answer.first_byte),
        bytes_in: Some(answer.bytes_in),
        bytes_out: Some(answer.bytes_out),
        ..Measured::default()
    };
    let failed = |outcome, what: String| Err(Failure::new(outcome, what).measured(measured));
    match answer.status {
        200 => {}
        status @ 400..=499 => return failed(Outcome::Http4xx, format!("status {status}")),
        status => return failed(Outcome::Http5xx, format!("status {status}")),
    }
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if body.get("values").is_none_or(|values| !values.is_array()) {
        return failed(Outcome::Protocol, "the answer lists no branches".to_owned());
    }
    Ok(((), measured))
}
// ANCHOR_END: client

// ANCHOR: try
/// Runs three iterations of one client against a server that answers like this.
async fn try_it(status: u16, body: &'static str) -> Result<Vec<Sample>, Box<dyn std::error::Error>> {
    let server = Loopback::serve(move |_| async move { answer(status, &[], body) }).await;
    let setting = Arc::new(setting(server.url())?);
    let (sink, mut samples) = sample_channel(100);
    let seat = Seat {
        client: ClientId(0),
        seed: Seed(1),
        op_timeout: setting.transport.op_timeout.to_duration(),
        samples: sink,
    };
    let mut context = ClientContext::new(seat, JobId(0), ListBranches.descriptor().ops, 0);
    let mut client = ListBranches.client(&setting, &mut context)?;
    let origin = Instant::now();
    context.begin_stage(Load {
        origin,
        end: origin + Duration::from_secs(60),
        stop: CancellationToken::new(),
    });
    for iteration in 0..3 {
        context.begin_iteration(iteration, None);
        // A failed op is a sample already; it ends its iteration, not its client.
        let _ = client.iterate(&mut context).await;
    }
    Ok(std::iter::from_fn(|| samples.try_recv().ok()).collect())
}

/// Returns what clients know of a system with one user and one repository.
fn setting(url: String) -> Result<Setting, serde_json::Error> {
    let snapshot: Snapshot = serde_json::from_str(
        r#"{"projects": [{"name": "P", "repos": [{"name": "r", "weight": 1}]}], "users": []}"#,
    )?;
    let account =
        |name: &str| Account { name: name.to_owned(), password: Secret::new("secret"), private_key: None };
    Ok(Setting {
        users: vec![account("ada")],
        repositories: RepositoryDraw::of(&snapshot),
        transport: e3_model::Transport {
            op_timeout: e3_model::Span::from_secs(5),
            ..e3_model::Transport::default()
        },
        ..Setting::at(url, account("admin"))
    })
}
// ANCHOR_END: try

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example prints")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("faults of the descriptor: {:?}", check_descriptor(&ListBranches.descriptor()));
    for sample in try_it(200, r#"{"values": []}"#).await? {
        println!(
            "{} in {} µs, {} bytes",
            sample.outcome.name(),
            sample.latency_ns() / 1_000,
            sample.bytes_in.unwrap_or(0)
        );
    }
    Ok(())
}

// ANCHOR: test
#[cfg(test)]
mod tests {
    use e3_workload::check_needs;

    use super::*;

    #[test]
    fn the_descriptor_conforms() {
        assert_eq!(check_descriptor(&ListBranches.descriptor()), Vec::<String>::new());
    }

    #[test]
    fn it_needs_what_it_says_and_nothing_else() {
        let complete = setting("http://127.0.0.1:1".to_owned()).unwrap();
        assert_eq!(check_needs(&ListBranches, &complete, &Arc::default()), Vec::<String>::new());
    }

    #[tokio::test]
    async fn every_answer_is_a_sample() {
        for (status, body, outcome, why) in [
            (200, r#"{"values": []}"#, Outcome::Ok, "no branch is an answer as well"),
            (200, "<html>", Outcome::Protocol, "a page is no list"),
            (404, "{}", Outcome::Http4xx, "no such repository"),
            (503, "", Outcome::Http5xx, "the server is busy"),
        ] {
            let samples = try_it(status, body).await.unwrap();
            assert_eq!(
                samples.iter().map(|sample| sample.outcome).collect::<Vec<_>>(),
                [outcome; 3],
                "{why}"
            );
        }
    }
}
// ANCHOR_END: test
