//! `cargo xtask conformance`: githost answers as real servers were recorded to, and as their interface is described.
//!
//! Starts one node, makes a small world in it, asks every row of the table, and holds each answer first against the
//! recordings, then against the OpenAPI description; where the two disagree the recordings win. The recordings are other
//! people's and lie outside of the project: where they are absent nothing is checked, and the chore says so; where
//! `E3_TEST_DATA` names a place without them, it fails. What githost serves and the description has must be a row.

mod coverage;
mod description;
mod difference;
mod headers;
mod judge;
mod operation;
mod operations;
mod recordings;
pub(crate) mod schemathesis;
mod server;
mod shape;
mod world;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail};

use self::description::Description;
use self::difference::{Difference, lines};
use self::judge::{Evidence, Verdict, judge, without_known};
use self::operation::{Described, Operation};
use self::operations::TABLE;
use self::recordings::Recordings;
use self::server::Server;
use self::world::{NAMES, World};
use crate::say::say;
use crate::tools;
use crate::workspace::Workspace;

/// Runs the chore.
///
/// # Errors
/// When the server cannot be built, started or stopped, or a row names evidence that is not there.
pub(crate) fn run(workspace: &Workspace, _: &[String]) -> Result<ExitCode> {
    run_with(workspace, std::env::var_os(VARIABLE).filter(|value| !value.is_empty()))
}

fn run_with(workspace: &Workspace, variable: Option<OsString>) -> Result<ExitCode> {
    let is_asked_for = variable.is_some();
    let data = data(workspace, variable);
    let fixtures = data.join("bitbucket/fixtures");
    if !fixtures.is_dir() && is_asked_for {
        bail!("{VARIABLE} is {}, which has no bitbucket/fixtures", data.display());
    }
    if !fixtures.is_dir() {
        say(format!("conformance: skipped, no recordings at {}; set {VARIABLE}", fixtures.display()));
        return Ok(ExitCode::SUCCESS);
    }
    let evidence = Evidence {
        recordings: Recordings::open(&fixtures)?,
        description: Description::read(&data.join("bitbucket/openapi/bitbucket-dc-9.4.openapi.json"))?,
    };
    tools::ensure(workspace)?;
    let e3 = server::build(workspace)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (judged, missing) = runtime.context("cannot start a runtime")?.block_on(check(&e3, &evidence))?;
    Ok(report(&judged, &missing))
}

/// Returns the folder of test data: what the variable says, else the one beside the project.
fn data(workspace: &Workspace, variable: Option<OsString>) -> PathBuf {
    let beside = || workspace.root.join("../shared/data");
    variable.map_or_else(beside, PathBuf::from)
}

/// A row and what was found about its answer.
type Judged = (&'static Operation, Verdict);

/// Asks all rows of a server of its own; returns also which operations have no row.
async fn check(e3: &Path, evidence: &Evidence) -> Result<(Vec<Judged>, Vec<String>)> {
    let server = Server::start(e3).await?;
    let judged = ask_all(&server, evidence).await;
    let log = server.log();
    let stopped = server.stop().await;
    let judged = judged.with_context(|| format!("the checks broke off; githost's log ends:\n{log}"))?;
    stopped.map(|()| judged)
}

async fn ask_all(server: &Server, evidence: &Evidence) -> Result<(Vec<Judged>, Vec<String>)> {
    let mut world = World::make(server).await.context("cannot make what the rows need")?;
    let mut judged = Vec::new();
    for operation in TABLE.iter().copied().flatten() {
        let mut verdict = ask(&mut world, operation, evidence).await.with_context(|| operation.title())?;
        without_known(operation, &mut verdict);
        judged.push((operation, verdict));
    }
    let own = world.own_description().await?;
    Ok((judged, coverage::without_row(&own, evidence.description.document(), TABLE)))
}

/// Asks one row by both names of the interface's version.
async fn ask(world: &mut World, operation: &Operation, evidence: &Evidence) -> Result<Verdict> {
    let target = operation.target(NAMES).map_err(|name| anyhow!("{{{name}}} stands for nothing"))?;
    let answer = world.ask(operation, &target).await?;
    let mut verdict = judge(operation, &answer, evidence)?;
    if operation.method == "GET" && target.contains(LATEST) {
        let again = world.ask(operation, &target.replacen(LATEST, "/api/1.0/", 1)).await?;
        if (again.status, &again.body) != (answer.status, &answer.body) {
            let what = "is another one by /api/1.0/ than by /api/latest/";
            verdict.differences.push(Difference::new("body", what));
        }
    }
    Ok(verdict)
}

/// Says one line for each row and each operation without one, and the count.
fn report(judged: &[Judged], missing: &[String]) -> ExitCode {
    for (operation, verdict) in judged {
        let title = operation.title();
        if verdict.differences.is_empty() {
            let known = if verdict.known == 0 {
                String::new()
            } else {
                format!(" ({} known to differ)", verdict.known)
            };
            let described = match operation.described {
                Described::Wrongly(how) => format!(" (described wrongly: {how})"),
                _ => String::new(),
            };
            say(format!("ok       {title}{known}{described}"));
            continue;
        }
        say(format!("differs  {title}"));
        for line in lines(&verdict.differences) {
            say(format!("           {line}"));
        }
    }
    for operation in missing {
        say(format!("no row   {operation}, which is served and described"));
    }
    let count = |fits: fn(&Verdict) -> bool| judged.iter().filter(|(_, verdict)| fits(verdict)).count();
    let differing = count(|verdict| !verdict.differences.is_empty());
    say(format!(
        "conformance: {} requests, {} held against recordings and {} against the description; {} ok, {differing} differ",
        judged.len(),
        count(|verdict| verdict.by_recordings),
        count(|verdict| verdict.by_description),
        judged.len() - differing,
    ));
    if differing == 0 && missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

const VARIABLE: &str = "E3_TEST_DATA";
const LATEST: &str = "/api/latest/";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::operation::get;

    #[test]
    fn one_difference_fails_the_chore() {
        const OPERATION: Operation = get("/api/latest/projects");
        let judged = |differences| (&OPERATION, Verdict { differences, ..Verdict::default() });
        assert_eq!(report(&[judged(vec![])], &[]), ExitCode::SUCCESS);
        let wrong = judged(vec![Difference::new("/size", "is missing")]);
        assert_eq!(report(&[judged(vec![]), wrong], &[]), ExitCode::FAILURE);
        assert_eq!(report(&[judged(vec![])], &["GET /x".to_owned()]), ExitCode::FAILURE);
    }

    #[test]
    fn every_row_has_a_target_and_a_title_of_its_own() {
        let mut titles: Vec<String> = Vec::new();
        for operation in TABLE.iter().copied().flatten() {
            operation.target(NAMES).unwrap();
            let title = operation.title();
            assert!(!titles.contains(&title), "{title} is there twice");
            titles.push(title);
        }
        assert!(titles.len() > 50);
    }

    #[test]
    fn without_recordings_the_chore_is_skipped_unless_they_were_asked_for() {
        let directory = tempfile::tempdir().unwrap();
        let workspace = Workspace { root: directory.path().join("project") };
        let beside = data(&workspace, None);
        assert!(beside.ends_with("project/../shared/data"), "{}", beside.display());
        assert_eq!(run_with(&workspace, None).unwrap(), ExitCode::SUCCESS);
        let wrong = run_with(&workspace, Some("/nowhere".into())).unwrap_err();
        assert_eq!(wrong.to_string(), "E3_TEST_DATA is /nowhere, which has no bitbucket/fixtures");
        assert_eq!(data(&workspace, Some("/elsewhere".into())), Path::new("/elsewhere"));
    }
}
