//! Faults around what Git asks for, where it is worked on: by HTTP one part at a time, over SSH a command with its parts.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;

use super::ahead::while_waiting;
use super::armed::{Asked, Part};
use super::held::{Disturbance, Held, Injected};
use super::pace::Pace;
use crate::git::{Call, Service};

/// How one part of what Git asks for by HTTP is disturbed.
pub(crate) struct GitFaults(Option<Disturbance>);

/// One part of what Git asks for by HTTP that is being worked on, with its slots.
pub(crate) struct GitHeld(Option<Held>);

impl GitFaults {
    /// Draws what will happen to this part of a call.
    pub(crate) fn of(call: &Call, part: Part) -> Self {
        if !call.host.faults.are_on() {
            return Self(None);
        }
        Self(call.host.faults.of(&Asked::Http(part, &path(call))))
    }

    /// Lets happen what does before the work begins that answers the request's body, which is returned unread.
    ///
    /// # Errors
    /// When the request ends here.
    pub(crate) async fn begin(self, body: Body) -> Result<(GitHeld, Body), Injected> {
        let Some(disturbance) = self.0 else { return Ok((GitHeld(None), body)) };
        let (begun, body) = while_waiting(body, disturbance.begin()).await;
        Ok((GitHeld(Some(begun?)), body))
    }

    /// Lets it happen around the work that answers the request's body.
    pub(crate) async fn around<F: Future<Output = Response>>(
        self,
        body: Body,
        work: impl FnOnce(Body) -> F,
    ) -> Response {
        match self.begin(body).await {
            Ok((held, body)) => held.answer(work(body).await).await,
            Err(injected) => injected.response_to_git(),
        }
    }
}

impl GitHeld {
    /// Returns the answer as it leaves.
    pub(crate) async fn answer(self, response: Response) -> Response {
        match self.0 {
            Some(held) => held.answer(response).await,
            None => response,
        }
    }
}

/// How one command over SSH is disturbed.
#[derive(Default)]
pub(crate) struct SshFaults {
    /// By what concerns the whole of it.
    whole: Option<Held>,
    /// By what concerns the part that it is at.
    part: Option<Held>,
    pace: Option<Pace>,
    has_spoken: bool,
}

impl SshFaults {
    /// Begins a command, and with it the question for refs that every command begins with.
    ///
    /// # Errors
    /// When the command ends here.
    pub(crate) async fn begin(call: &Call) -> Result<Self, Injected> {
        let faults = &call.host.faults;
        if !faults.are_on() {
            return Ok(Self::default());
        }
        let whole = begin_of(call, &Asked::Command(&path(call))).await?;
        let part = begin_of(call, &Asked::OfCommand(Part::Refs)).await?;
        let mut begun = Self { whole, part, pace: None, has_spoken: false };
        begun.set_pace();
        Ok(begun)
    }

    /// Gives all slots back while the command waits for a ticket. Whoever has a ticket may wait for a slot, as by HTTP; were
    /// slots kept by those who wait for tickets, each would wait for the other.
    pub(crate) fn rest(&mut self) {
        self.part = None;
        self.whole.iter_mut().for_each(Held::give_back);
    }

    /// Goes on to the pack that the command is for.
    ///
    /// # Errors
    /// When the command ends here.
    pub(crate) async fn go_on(&mut self, call: &Call) -> Result<(), Injected> {
        // What held the part before is over before the wait for the next begins.
        self.part = None;
        if let Some(whole) = &mut self.whole {
            whole.take_back().await;
        }
        self.part = begin_of(call, &Asked::OfCommand(part_of(call.service))).await?;
        self.has_spoken = false;
        self.set_pace();
        Ok(())
    }

    /// Waits until the next piece of what is said may leave, and returns it; none when nothing is left.
    pub(crate) async fn next(&mut self, data: &mut Bytes) -> Option<Bytes> {
        if !std::mem::replace(&mut self.has_spoken, true) {
            for held in [&self.whole, &self.part].into_iter().flatten() {
                held.outlast_stalls().await;
            }
        }
        match &mut self.pace {
            Some(pace) => pace.next(data).await,
            None => (!data.is_empty()).then(|| std::mem::take(data)),
        }
    }

    fn set_pace(&mut self) {
        let slow = [&self.whole, &self.part].into_iter().flatten().filter_map(Held::bytes_per_second);
        self.pace = slow.min().map(Pace::new);
    }
}

async fn begin_of(call: &Call, asked: &Asked<'_>) -> Result<Option<Held>, Injected> {
    match call.host.faults.of(asked) {
        Some(disturbance) => disturbance.begin().await.map(Some),
        None => Ok(None),
    }
}

/// Returns the part that a service's pack is.
pub(crate) fn part_of(service: Service) -> Part {
    match service {
        Service::UploadPack => Part::Fetch,
        Service::ReceivePack => Part::Push,
    }
}

/// Returns the repository's address by HTTP.
fn path(call: &Call) -> String {
    let repository = &call.repository;
    format!("/scm/{}/{}.git", repository.project.project_key, repository.slug)
}
