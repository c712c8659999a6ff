//! `web.Audit`: an administrator reads the audit log.

use std::sync::Arc;

use async_trait::async_trait;
use e3_bitbucket::{AuditLog, path};
use e3_model::{Need, OpId, Protocol, ScriptDescriptor};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting, Stopped};

use super::ask::Ask;
use super::browser::Browser;
use super::listing::draw_text;
use crate::setting::administrator;

/// Reads the audit events of a random repository, or of the server where repositories have none of their own.
pub(crate) struct Audit;

const NAME: &str = "web.Audit";
const LOGIN: OpId = OpId(0);
const LIST_PROJECTS: OpId = OpId(1);
const LIST_REPOSITORIES: OpId = OpId(2);
const AUDIT_EVENTS: OpId = OpId(3);
const REPOSITORY_AUDIT_EVENTS: OpId = OpId(4);

impl Script for Audit {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            NAME,
            "Reads audit events by REST in an administrator's session: those of a random repository before 8.0, the \
             newest of the server since.",
            Protocol::Http,
            &[
                ("Login", "the login page, then its submission; once a session"),
                ("ListProjects", "REST: the first 50 projects"),
                ("ListRepositories", "REST: a project's first 50 repositories"),
                (
                    "AuditEvents",
                    "REST: the server's newest 25 audit events, since 8.0; a server that does not have them is asked once",
                ),
                (
                    "RepositoryAuditEvents",
                    "REST: a repository's first page of audit events, before 8.0 or where the server's are not there",
                ),
            ],
        )
        .needing(&[Need::Admin])
    }

    fn client(
        &self,
        setting: &Arc<Setting>,
        _: &mut ClientContext,
    ) -> Result<Box<dyn ScriptClient>, ScriptError> {
        let browser = Browser::open(NAME, setting, Some(administrator(NAME, setting)?))?;
        let log = browser.dialect().audit_log();
        Ok(Box::new(Client { browser, log }))
    }
}

struct Client {
    browser: Browser,
    /// Where the log is read, as far as is known.
    log: AuditLog,
}

#[async_trait]
impl ScriptClient for Client {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        self.browser.log_in(context, LOGIN).await?;
        let projects = self.browser.rest(context, LIST_PROJECTS, path::rest_projects(0, PAGE)).await?;
        let Some(key) = draw_text(&projects, "key", context) else { return Ok(()) };
        let list = path::rest_repositories(&key, 0, PAGE);
        let repositories = self.browser.rest(context, LIST_REPOSITORIES, list).await?;
        let Some(slug) = draw_text(&repositories, "slug", context) else { return Ok(()) };
        if self.log == AuditLog::OfServer {
            let events = Ask::rest(path::audit_events(EVENTS)).accepting(&[200, 404]);
            let status = self.browser.ask(context, AUDIT_EVENTS, events, |answer| Ok(answer.status)).await?;
            if status == 200 {
                return Ok(());
            }
            self.log = AuditLog::OfRepository;
        }
        let events = path::repository_audit_events(&key, &slug);
        self.browser.rest(context, REPOSITORY_AUDIT_EVENTS, events).await.map(drop)
    }
}

/// The first E3's page size.
const PAGE: u32 = 50;
/// How many events are read: as many as one page of a repository's own log has by default.
const EVENTS: u32 = 25;
