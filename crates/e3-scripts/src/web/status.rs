//! `web.Status`: asks for the status, as a load balancer does.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use e3_bitbucket::path;
use e3_model::{OpId, Protocol, ScriptDescriptor};
use e3_workload::{ClientContext, Script, ScriptClient, ScriptError, Setting, Stopped};

use super::browser::Browser;

/// Asks for the status without logging in.
pub(crate) struct Status;

const NAME: &str = "web.Status";
const STATUS: OpId = OpId(0);

impl Script for Status {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(
            NAME,
            "Asks for the status without logging in, then waits half a second.",
            Protocol::Http,
            &[("Status", "the status resource")],
        )
    }

    fn client(
        &self,
        setting: &Arc<Setting>,
        _: &mut ClientContext,
    ) -> Result<Box<dyn ScriptClient>, ScriptError> {
        Ok(Box::new(Client { browser: Browser::open(NAME, setting, None)? }))
    }
}

struct Client {
    browser: Browser,
}

#[async_trait]
impl ScriptClient for Client {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        self.browser.rest(context, STATUS, path::status()).await?;
        context.pause(PAUSE).await
    }
}

/// The first E3's pause after each call.
const PAUSE: Duration = Duration::from_millis(500);
