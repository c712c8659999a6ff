//! How a node keeps itself from being overwhelmed: tickets for git, and a rate of requests for each user.
//!
//! As Bitbucket: a hosting operation (clone, fetch, push) takes a hosting ticket for as long as git runs for it, a short
//! command of REST and pages takes a command ticket, a ref advertisement one of its own. Who finds none waits in line, for
//! a bounded time. Nothing here knows of HTTP or SSH.

mod adaptive;
mod cpu;
mod rate;
mod tickets;

use std::sync::Arc;

use e3_model::{ServerProperties, TicketStrategy};
use tokio_util::task::AbortOnDropHandle;

use crate::GithostError;
use crate::limits::Limits;

use adaptive::Controller;
use tickets::Rules;

pub(crate) use rate::Rates;
pub(crate) use tickets::{Busy, Ticket, Tickets};

/// The tickets and rates of one node.
pub(crate) struct Throttle {
    /// For clones, fetches and pushes.
    pub(crate) hosting: Arc<Tickets>,
    /// For short commands.
    pub(crate) command: Arc<Tickets>,
    /// For ref advertisements; the same as those for hosting, if the properties say so.
    pub(crate) refs: Arc<Tickets>,
    /// How much each user may ask; none sets no bound.
    pub(crate) rates: Option<Rates>,
    controller: Option<Controller>,
}

impl Throttle {
    /// Makes what the properties say; what they leave open follows from the limits.
    ///
    /// # Errors
    /// If the least adaptive limit is above the most on this machine.
    pub(crate) fn new(properties: &ServerProperties, limits: &Limits) -> Result<Self, GithostError> {
        let cpus = cpu::count();
        let patience =
            |timeout: Option<e3_model::Span>| timeout.map_or(limits.git_wait(), e3_model::Span::to_duration);
        let tickets = |what, limit, timeout| {
            Arc::new(Tickets::new(Rules { what, limit, queue: limits.git_queue, timeout: patience(timeout) }))
        };
        let controller = match properties.hosting.strategy {
            Some(TicketStrategy::Adaptive(rules)) => Some(Controller::new(&rules, cpus)?),
            _ => None,
        };
        let limit = match (&controller, properties.hosting.strategy) {
            (Some(controller), _) => controller.tickets(),
            (None, Some(TicketStrategy::Fixed(count))) => count.tickets(cpus),
            (None, _) => limits.git_processes,
        };
        let hosting = tickets(HOSTING, limit, properties.hosting.timeout);
        let command = properties.command;
        let command = tickets(
            COMMAND,
            command.limit.map_or(limits.git_processes, |limit| limit.tickets(cpus)),
            command.timeout,
        );
        let refs = properties.refs;
        let refs = if properties.refs_take_hosting {
            Arc::clone(&hosting)
        } else {
            let each = refs.limit.unwrap_or(e3_model::TicketCount::per_cpu(8.0));
            tickets(REFS, each.tickets(cpus), refs.timeout)
        };
        Ok(Self { hosting, command, refs, rates: properties.rate_limit.map(Rates::new), controller })
    }

    /// Lets the limit of hosting tickets follow the machine's load for as long as this is kept; none if it is fixed.
    pub(crate) fn follow_load(&self) -> Option<AbortOnDropHandle<()>> {
        let controller = self.controller.clone()?;
        let following = controller.follow(Arc::clone(&self.hosting));
        Some(AbortOnDropHandle::new(tokio::spawn(following)))
    }

    /// Returns each kind of tickets once, in the order in which they are told.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &Tickets> {
        let refs = (!Arc::ptr_eq(&self.refs, &self.hosting)).then_some(&*self.refs);
        [&*self.hosting, &*self.command].into_iter().chain(refs)
    }
}

/// Source: Bitbucket's names of the throttled resources.
pub(crate) const HOSTING: &str = "scm-hosting";
const COMMAND: &str = "scm-command";
const REFS: &str = "scm-refs";
