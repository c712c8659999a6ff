//! The lines of `bitbucket.properties` that a githost knows: names, forms, defaults, and what they mean to it.
//!
//! Comes in: lines by name, as an experiment or a file has them. Goes out: [`ServerProperties`], or every line that is
//! wrong. A line that would change nothing is wrong, too: whoever compares two configurations must not compare one with
//! itself. The names are Bitbucket's where it has one; those that begin with `githost.` are not.

mod known;
mod lines;
mod read;

use std::fmt;

use crate::Span;

pub use known::PROPERTIES;
pub use lines::{PropertyLineError, property_line, property_lines};

/// A line that a githost knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PropertyDescriptor {
    /// Its name.
    pub name: &'static str,
    /// What its value looks like.
    pub form: PropertyForm,
    /// What holds without it, for people.
    pub default: &'static str,
    /// What it does, in one sentence.
    pub sentence: &'static str,
}

/// What a property's value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyForm {
    /// `fixed` or `adaptive`.
    Strategy,
    /// A number of tickets; see [`TicketCount`].
    Tickets,
    /// `true` or `false`.
    Switch,
    /// Seconds, more than 0, at most a day.
    Seconds,
    /// A share, more than 0, at most 1.
    Share,
    /// A number above 0, at most 1,000,000.
    Number,
    /// The path of a program.
    Program,
}

/// What all lines together say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ServerProperties {
    /// Tickets for clones, fetches and pushes.
    pub hosting: HostingTickets,
    /// Tickets for the short git commands of REST and pages.
    pub command: TicketRules,
    /// Tickets for ref advertisements.
    pub refs: TicketRules,
    /// Whether a ref advertisement takes a hosting ticket instead of one of its own.
    pub refs_take_hosting: bool,
    /// Whether answers to fetches are kept for further clients that ask the same.
    pub fetch_cache: bool,
    /// Whether refs are left to git each time, instead of being kept.
    pub refs_uncached: bool,
    /// How much each user may ask; none sets no bound.
    pub rate_limit: Option<RateLimit>,
    /// The git that serves; none is the first one on the `PATH`.
    pub git: Option<String>,
}

/// How many operations of a kind run at once, and how long others wait; none is left to the server.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TicketRules {
    /// How many run at once.
    pub limit: Option<TicketCount>,
    /// How long one waits for its turn before it is refused.
    pub timeout: Option<Span>,
}

/// The same for clones, fetches and pushes, whose limit may follow the load.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct HostingTickets {
    /// How the limit is found.
    pub strategy: Option<TicketStrategy>,
    /// How long one waits for its turn before it is refused.
    pub timeout: Option<Span>,
}

/// How many hosting operations run at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TicketStrategy {
    /// Always as many.
    Fixed(TicketCount),
    /// As many as keep the machine as busy as it shall be.
    Adaptive(AdaptiveTickets),
}

/// A limit that follows the machine's load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveTickets {
    /// The least.
    pub min: TicketCount,
    /// The most.
    pub max: TicketCount,
    /// How often the limit is set anew.
    pub interval: Span,
    /// How far it rises at a time, as a share of what it is: 1 lets it double.
    pub growth: f64,
    /// How busy the machine shall be, as a share of all its CPUs.
    pub target: f64,
}

/// A number of tickets, as it stands or for each CPU: `16`, `1.5*cpu`, `cpu`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TicketCount {
    /// How many, or how many for each CPU; more than 0.
    pub number: f64,
    /// Whether it is for each CPU.
    pub per_cpu: bool,
}

/// A bucket of tokens that each user has: a request takes one, and is refused when there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimit {
    /// How many it holds, and begins with.
    pub capacity: f64,
    /// How many are added in a second.
    pub fill_rate: f64,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{wrong}")]
pub struct PropertyFault {
    /// The line's name.
    pub name: String,
    /// What is wrong.
    pub wrong: WrongProperty,
}

/// In which way a line is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongProperty {
    /// There is no property of that name.
    #[error("githost does not know the property, so it would change nothing")]
    Unknown,
    /// The value is not of the property's form.
    #[error("{found:?} is not {allowed}")]
    Value {
        /// What was given.
        found: String,
        /// What it should be.
        allowed: PropertyForm,
    },
    /// Another line keeps it from having an effect.
    #[error("it would change nothing: {0}")]
    NoEffect(String),
    /// It contradicts another line.
    #[error("{0}")]
    Contradiction(String),
}

impl TicketCount {
    /// Returns so many tickets.
    pub const fn of(number: f64) -> Self {
        Self { number, per_cpu: false }
    }

    /// Returns so many tickets for each CPU.
    pub const fn per_cpu(number: f64) -> Self {
        Self { number, per_cpu: true }
    }

    /// Returns the whole number of tickets on a machine of so many CPUs, rounded down, at least 1.
    pub fn tickets(self, cpus: usize) -> usize {
        let cpus = u32::try_from(cpus).unwrap_or(u32::MAX);
        let number = if self.per_cpu { self.number * f64::from(cpus) } else { self.number };
        let whole = number.clamp(1.0, f64::from(MOST_TICKETS));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number from 1 to a million"
        )]
        let whole = whole as usize;
        whole
    }
}

impl fmt::Display for PropertyForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Strategy => "\"fixed\" or \"adaptive\"",
            Self::Tickets => "a number of tickets such as 16 or 1.5*cpu",
            Self::Switch => "\"true\" or \"false\"",
            Self::Seconds => "a number of seconds, more than 0, at most 86400",
            Self::Share => "a share, more than 0, at most 1, such as 0.75",
            Self::Number => "a number, more than 0, at most 1000000",
            Self::Program => "the absolute path of a program",
        })
    }
}

/// The most tickets of a kind.
pub(crate) const MOST_TICKETS: u32 = 1_000_000;
