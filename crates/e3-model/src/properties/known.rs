//! Every property that a githost knows.

use super::{PropertyDescriptor, PropertyForm};

/// Every property that a githost knows, in the order of its guide.
///
/// Source: names and defaults of Bitbucket's "Configuration properties" (4.11 to 8.x), of BSERV-9303 for adaptive tickets,
/// and of the first E3's own experiments (`adaptive.growth.max`, `throttle.ref.advertisement`, `adaptive.cpu.target`).
pub const PROPERTIES: [PropertyDescriptor; 22] = [
    of(
        STRATEGY,
        PropertyForm::Strategy,
        "\"adaptive\" if a line adaptive.* is given, else \"fixed\"",
        "How many hosting operations (clone, fetch, push) run at once: always as many, or as many as keep the machine as busy as it shall be.",
    ),
    of(
        FIXED_LIMIT,
        PropertyForm::Tickets,
        "1.5*cpu with the strategy \"fixed\"; gitProcesses of limits.json without any line",
        "How many hosting operations run at once with the strategy \"fixed\".",
    ),
    of(OLD_LIMIT, PropertyForm::Tickets, "not set", "The name of the fixed limit before Bitbucket 4.11."),
    of(
        LIMIT_MIN,
        PropertyForm::Tickets,
        "1*cpu",
        "The least hosting operations that may run at once with the strategy \"adaptive\".",
    ),
    of(
        LIMIT_MAX,
        PropertyForm::Tickets,
        "12*cpu",
        "The most hosting operations that may run at once with the strategy \"adaptive\".",
    ),
    of(INTERVAL, PropertyForm::Seconds, "2", "How often the adaptive limit is set anew."),
    of(
        GROWTH,
        PropertyForm::Number,
        "1.0",
        "How far the adaptive limit rises at a time, as a share of what it is: 1.0 lets it double.",
    ),
    of(
        TARGET_CPU,
        PropertyForm::Share,
        "0.75",
        "How busy the adaptive limit keeps the machine, as a share of all its CPUs.",
    ),
    of(
        OLD_TARGET_CPU,
        PropertyForm::Share,
        "not set",
        "Another name of the target, which the first E3 used.",
    ),
    of(
        HOSTING_TIMEOUT,
        PropertyForm::Seconds,
        "300",
        "How long a hosting operation waits for its ticket before it is refused.",
    ),
    of(
        COMMAND_LIMIT,
        PropertyForm::Tickets,
        "gitProcesses of limits.json",
        "How many short git commands for REST and pages run at once.",
    ),
    of(
        COMMAND_TIMEOUT,
        PropertyForm::Seconds,
        "300, within the time limit of the request",
        "How long a command waits for its ticket before its request is refused.",
    ),
    of(REFS_LIMIT, PropertyForm::Tickets, "8*cpu", "How many ref advertisements are worked on at once."),
    of(
        REFS_TIMEOUT,
        PropertyForm::Seconds,
        "300",
        "How long a ref advertisement waits for its ticket before it is refused.",
    ),
    of(
        REFS_TAKE_HOSTING,
        PropertyForm::Switch,
        "false",
        "Whether a ref advertisement takes a hosting ticket instead of one of its own.",
    ),
    of(
        FETCH_CACHE,
        PropertyForm::Switch,
        "false, unlike Bitbucket's",
        "Whether the answer to a fetch is kept for further clients that ask the same of the same refs.",
    ),
    of(
        REFS_CACHE,
        PropertyForm::Switch,
        "true, unlike Bitbucket's",
        "Whether refs are advertised from what is kept; otherwise git is run each time.",
    ),
    of(
        RATE_LIMITING,
        PropertyForm::Switch,
        "false, unlike Bitbucket's",
        "Whether a user who asks too often is refused with 429: REST and Git over HTTP, by password or token.",
    ),
    of(
        RATE_CAPACITY,
        PropertyForm::Number,
        "60",
        "How many requests a user may send at once before the rate limit holds.",
    ),
    of(RATE_FILL, PropertyForm::Number, "5", "How many requests a second a user may send for ever."),
    of(
        GIT,
        PropertyForm::Program,
        "the first git on the PATH",
        "The git program that serves; experiments compare versions of git with it.",
    ),
    of(OLD_GIT, PropertyForm::Program, "not set", "The name of the same in Stash, before Bitbucket 4.0."),
];

const fn of(
    name: &'static str,
    form: PropertyForm,
    default: &'static str,
    sentence: &'static str,
) -> PropertyDescriptor {
    PropertyDescriptor { name, form, default, sentence }
}

pub(super) const STRATEGY: &str = "throttle.resource.scm-hosting.strategy";
pub(super) const FIXED_LIMIT: &str = "throttle.resource.scm-hosting.fixed.limit";
pub(super) const OLD_LIMIT: &str = "throttle.resource.scm-hosting";
pub(super) const LIMIT_MIN: &str = "throttle.resource.scm-hosting.adaptive.limit.min";
pub(super) const LIMIT_MAX: &str = "throttle.resource.scm-hosting.adaptive.limit.max";
pub(super) const INTERVAL: &str = "throttle.resource.scm-hosting.adaptive.interval";
pub(super) const GROWTH: &str = "throttle.resource.scm-hosting.adaptive.growth.max";
pub(super) const TARGET_CPU: &str = "throttle.resource.scm-hosting.adaptive.target.cpu";
pub(super) const OLD_TARGET_CPU: &str = "throttle.resource.scm-hosting.adaptive.cpu.target";
pub(super) const HOSTING_TIMEOUT: &str = "throttle.resource.scm-hosting.timeout";
pub(super) const COMMAND_LIMIT: &str = "throttle.resource.scm-command";
pub(super) const COMMAND_TIMEOUT: &str = "throttle.resource.scm-command.timeout";
pub(super) const REFS_LIMIT: &str = "throttle.resource.scm-refs";
pub(super) const REFS_TIMEOUT: &str = "throttle.resource.scm-refs.timeout";
pub(super) const REFS_TAKE_HOSTING: &str = "plugin.bitbucket-git.throttle.ref.advertisement";
pub(super) const FETCH_CACHE: &str = "plugin.bitbucket-scm-cache.upload-pack.enabled";
pub(super) const REFS_CACHE: &str = "plugin.bitbucket-scm-cache.refs.enabled";
pub(super) const RATE_LIMITING: &str = "feature.rate.limiting";
pub(super) const RATE_CAPACITY: &str = "githost.rate.limiting.capacity";
pub(super) const RATE_FILL: &str = "githost.rate.limiting.fill.rate";
pub(super) const GIT: &str = "plugin.bitbucket-git.path.executable";
pub(super) const OLD_GIT: &str = "plugin.stash-scm-git.path.executable";
