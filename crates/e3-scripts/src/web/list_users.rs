//! `web.ListUsers`: an administrator lists the users.

use std::sync::Arc;

use async_trait::async_trait;
use e3_bitbucket::path;
use e3_model::{Need, OpId, Protocol, ScriptDescriptor};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting, Stopped};

use super::browser::Browser;
use crate::setting::administrator;

/// Lists the users as the administrator.
pub(crate) struct ListUsers;

const NAME: &str = "web.ListUsers";
const LOGIN: OpId = OpId(0);
const LIST_USERS: OpId = OpId(1);

impl Script for ListUsers {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            NAME,
            "Lists the first page of users by REST, in an administrator's session.",
            Protocol::Http,
            &[
                ("Login", "the login page, then its submission; once a session"),
                ("ListUsers", "REST: the first page of users"),
            ],
        )
        .needing(&[Need::Admin])
    }

    fn client(
        &self,
        setting: &Arc<Setting>,
        _: &mut ClientContext,
    ) -> Result<Box<dyn ScriptClient>, ScriptError> {
        Ok(Box::new(Client { browser: Browser::open(NAME, setting, Some(administrator(NAME, setting)?))? }))
    }
}

struct Client {
    browser: Browser,
}

#[async_trait]
impl ScriptClient for Client {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        self.browser.log_in(context, LOGIN).await?;
        self.browser.rest(context, LIST_USERS, path::rest_users(0, PAGE)).await.map(|_| ())
    }
}

/// Bitbucket's default page size.
const PAGE: u32 = 25;
