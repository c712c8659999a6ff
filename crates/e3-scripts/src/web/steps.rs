//! The steps of a body that several scripts share: its ops begin anywhere in a script's list.

use e3_http::Response;
use e3_model::OpId;
use e3_workload::{ClientContext, Stopped};
use serde_json::Value;

use super::ask::Ask;
use super::browser::{Browser, Refusal};

/// A browser and its client's context, in which steps are ops that are counted from a first one.
pub(crate) struct Steps<'a> {
    browser: &'a mut Browser,
    /// The client's context.
    pub(crate) context: &'a mut ClientContext,
    first: OpId,
}

/// A step's place in its body.
pub(crate) type Step = u16;

impl<'a> Steps<'a> {
    /// Returns the steps of a body whose first op is that one.
    pub(crate) fn new(browser: &'a mut Browser, context: &'a mut ClientContext, first: OpId) -> Self {
        Self { browser, context, first }
    }

    /// Returns the op of a step.
    pub(crate) fn op(&self, step: Step) -> OpId {
        OpId(self.first.0.saturating_add(step))
    }

    /// Fetches a page, which must answer 200.
    pub(crate) async fn page(&mut self, step: Step, path: String) -> Result<(), Stopped> {
        self.browser.page(self.context, self.op(step), path).await
    }

    /// Calls REST as the pages' own scripts do; returns the JSON, which must come with status 200.
    pub(crate) async fn rest(&mut self, step: Step, path: String) -> Result<Value, Stopped> {
        self.browser.rest(self.context, self.op(step), path).await
    }

    /// Asks, and reads from the answer what must be in it; the op fails where it is not.
    pub(crate) async fn ask<T: Send>(
        &mut self,
        step: Step,
        ask: Ask,
        read: impl FnOnce(&Response) -> Result<T, String> + Send,
    ) -> Result<T, Stopped> {
        self.browser.ask(self.context, self.op(step), ask, read).await
    }

    /// Asks, and tells apart what the server refused, which is a failed op all the same.
    pub(crate) async fn attempt<T: Send>(
        &mut self,
        step: Step,
        ask: Ask,
        read: impl FnOnce(&Response) -> Result<T, String> + Send,
    ) -> Result<Result<T, Refusal>, Stopped> {
        self.browser.attempt(self.context, self.op(step), ask, read).await
    }
}
