//! Reads what lines mean together.

use std::collections::BTreeMap;

use super::known::{
    COMMAND_LIMIT, COMMAND_TIMEOUT, FETCH_CACHE, FIXED_LIMIT, GIT, GROWTH, HOSTING_TIMEOUT, INTERVAL,
    LIMIT_MAX, LIMIT_MIN, OLD_GIT, OLD_LIMIT, OLD_TARGET_CPU, RATE_CAPACITY, RATE_FILL, RATE_LIMITING,
    REFS_CACHE, REFS_LIMIT, REFS_TAKE_HOSTING, REFS_TIMEOUT, STRATEGY, TARGET_CPU,
};
use super::{
    AdaptiveTickets, HostingTickets, MOST_TICKETS, PROPERTIES, PropertyDescriptor, PropertyFault,
    PropertyForm, RateLimit, ServerProperties, TicketCount, TicketRules, TicketStrategy, WrongProperty,
};
use crate::Span;

impl ServerProperties {
    /// Reads what these lines, by name, mean together.
    ///
    /// # Errors
    /// Every line that is unknown, not of its form, without effect beside the others, or that contradicts one of them, in
    /// the order of their names.
    pub fn read(lines: &BTreeMap<String, String>) -> Result<Self, Vec<PropertyFault>> {
        let mut reading = Reading { lines, faults: Vec::new() };
        reading.look_for_unknown();
        let rate_limit = reading.rate_limit();
        let properties = Self {
            hosting: HostingTickets {
                strategy: reading.strategy(),
                timeout: reading.seconds(HOSTING_TIMEOUT),
            },
            command: reading.rules(COMMAND_LIMIT, COMMAND_TIMEOUT),
            refs: reading.rules(REFS_LIMIT, REFS_TIMEOUT),
            refs_take_hosting: reading.switch(REFS_TAKE_HOSTING).unwrap_or(false),
            fetch_cache: reading.switch(FETCH_CACHE).unwrap_or(false),
            refs_uncached: reading.switch(REFS_CACHE) == Some(false),
            rate_limit,
            git: reading.git(),
        };
        if properties.refs_take_hosting {
            let why = format!("{REFS_TAKE_HOSTING} lets ref advertisements take hosting tickets");
            reading.without_effect(&[REFS_LIMIT, REFS_TIMEOUT], &why);
        }
        let mut faults = reading.faults;
        if faults.is_empty() {
            return Ok(properties);
        }
        faults.sort_by(|one, other| one.name.cmp(&other.name));
        Err(faults)
    }
}

impl PropertyDescriptor {
    /// Returns the property of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        PROPERTIES.iter().find(|known| known.name == name)
    }
}

/// Lines that are being read, and what is wrong with them so far.
struct Reading<'a> {
    lines: &'a BTreeMap<String, String>,
    faults: Vec<PropertyFault>,
}

impl<'a> Reading<'a> {
    fn look_for_unknown(&mut self) {
        for name in self.lines.keys().filter(|name| PropertyDescriptor::find(name).is_none()) {
            self.faults.push(PropertyFault { name: name.clone(), wrong: WrongProperty::Unknown });
        }
    }

    fn strategy(&mut self) -> Option<TicketStrategy> {
        const ADAPTIVE: [&str; 6] = [LIMIT_MIN, LIMIT_MAX, INTERVAL, GROWTH, TARGET_CPU, OLD_TARGET_CPU];
        const FIXED: [&str; 2] = [FIXED_LIMIT, OLD_LIMIT];
        let given = |names: &[&str]| names.iter().any(|name| self.lines.contains_key(*name));
        let (adaptive, fixed) = (given(&ADAPTIVE), given(&FIXED));
        let named = self.value(STRATEGY, PropertyForm::Strategy, |text| match text {
            "fixed" => Some(true),
            "adaptive" => Some(false),
            _ => None,
        });
        let limit = self.either([FIXED_LIMIT, OLD_LIMIT], Self::tickets);
        let rules = self.adaptive();
        if self.lines.contains_key(STRATEGY) && named.is_none() {
            return None;
        }
        match named {
            Some(true) => self.without_effect(&ADAPTIVE, &format!("{STRATEGY} is \"fixed\"")),
            Some(false) => self.without_effect(&FIXED, &format!("{STRATEGY} is \"adaptive\"")),
            None if adaptive && fixed => {
                let why = format!("the strategy is \"adaptive\" unless {STRATEGY} says otherwise");
                self.without_effect(&FIXED, &why);
            }
            None => {}
        }
        match (named, adaptive, fixed) {
            (Some(true), ..) | (None, false, true) => {
                Some(TicketStrategy::Fixed(limit.unwrap_or(TicketCount::per_cpu(1.5))))
            }
            (Some(false), ..) | (None, true, _) => Some(TicketStrategy::Adaptive(rules)),
            (None, false, false) => None,
        }
    }

    fn adaptive(&mut self) -> AdaptiveTickets {
        let min = self.tickets(LIMIT_MIN).unwrap_or(TicketCount::per_cpu(1.0));
        let max = self.tickets(LIMIT_MAX).unwrap_or(TicketCount::per_cpu(12.0));
        // One that is for each CPU and one that is not can only be compared where the machine is known.
        if min.per_cpu == max.per_cpu && min.number > max.number {
            let text =
                format!("{LIMIT_MIN} is more than {LIMIT_MAX}; without a line they are 1*cpu and 12*cpu");
            let given = if self.lines.contains_key(LIMIT_MIN) { LIMIT_MIN } else { LIMIT_MAX };
            self.contradiction(given, text);
        }
        AdaptiveTickets {
            min,
            max,
            interval: self.seconds(INTERVAL).unwrap_or(Span::from_secs(2)),
            growth: self.number(GROWTH).unwrap_or(1.0),
            target: self.either([TARGET_CPU, OLD_TARGET_CPU], Self::share).unwrap_or(0.75),
        }
    }

    fn rules(&mut self, limit: &'static str, timeout: &'static str) -> TicketRules {
        TicketRules { limit: self.tickets(limit), timeout: self.seconds(timeout) }
    }

    fn rate_limit(&mut self) -> Option<RateLimit> {
        let is_on = self.switch(RATE_LIMITING) == Some(true);
        let capacity = self.number(RATE_CAPACITY);
        let fill_rate = self.number(RATE_FILL);
        if !is_on {
            self.without_effect(&[RATE_CAPACITY, RATE_FILL], &format!("{RATE_LIMITING} is not \"true\""));
            return None;
        }
        if capacity.is_some_and(|capacity| capacity < 1.0) {
            self.contradiction(RATE_CAPACITY, "a bucket that holds less than 1 lets nothing pass".to_owned());
        }
        Some(RateLimit { capacity: capacity.unwrap_or(60.0), fill_rate: fill_rate.unwrap_or(5.0) })
    }

    fn git(&mut self) -> Option<String> {
        self.either([GIT, OLD_GIT], |reading, name| {
            let program = |text: &str| text.starts_with('/').then(|| text.to_owned());
            reading.value(name, PropertyForm::Program, program)
        })
    }

    /// Reads one of two names of the same; both at once contradict each other.
    fn either<T>(
        &mut self,
        [name, old]: [&'static str; 2],
        read: impl Fn(&mut Self, &'static str) -> Option<T>,
    ) -> Option<T> {
        if self.lines.contains_key(name) && self.lines.contains_key(old) {
            self.contradiction(old, format!("it is another name of {name}, which is given, too"));
        }
        let (one, other) = (read(self, name), read(self, old));
        one.or(other)
    }

    fn tickets(&mut self, name: &'static str) -> Option<TicketCount> {
        self.value(name, PropertyForm::Tickets, tickets)
    }

    fn switch(&mut self, name: &'static str) -> Option<bool> {
        self.value(name, PropertyForm::Switch, |text| text.parse().ok())
    }

    fn seconds(&mut self, name: &'static str) -> Option<Span> {
        self.value(name, PropertyForm::Seconds, |text| {
            let seconds = positive(text, 86_400.0)?;
            // Not shorter than a document's spans can be.
            (seconds >= 0.001).then(|| format!("{seconds}s").parse().ok())?
        })
    }

    fn number(&mut self, name: &'static str) -> Option<f64> {
        self.value(name, PropertyForm::Number, |text| positive(text, f64::from(MOST_TICKETS)))
    }

    fn share(&mut self, name: &'static str) -> Option<f64> {
        self.value(name, PropertyForm::Share, |text| positive(text, 1.0))
    }

    /// Reads a value, or notes that it is not of its form.
    fn value<T>(
        &mut self,
        name: &'static str,
        allowed: PropertyForm,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Option<T> {
        let found = self.lines.get(name)?;
        let value = read(found);
        if value.is_none() {
            self.fault(name, WrongProperty::Value { found: found.clone(), allowed });
        }
        value
    }

    /// Notes which of these are given, for nothing.
    fn without_effect(&mut self, names: &[&str], why: &str) {
        for name in names.iter().filter(|name| self.lines.contains_key(**name)) {
            self.fault(name, WrongProperty::NoEffect(why.to_owned()));
        }
    }

    fn contradiction(&mut self, name: &str, text: String) {
        self.fault(name, WrongProperty::Contradiction(text));
    }

    /// Notes what is wrong with a line; what was said of it first counts.
    fn fault(&mut self, name: &str, wrong: WrongProperty) {
        if self.faults.iter().all(|fault| fault.name != name) {
            self.faults.push(PropertyFault { name: name.to_owned(), wrong });
        }
    }
}

/// Reads `16`, `1.5*cpu`, `cpu*2` or `cpu`.
fn tickets(text: &str) -> Option<TicketCount> {
    let text = text.to_ascii_lowercase();
    let factors: Vec<&str> = text.split('*').map(str::trim).collect();
    let most = f64::from(MOST_TICKETS);
    match factors.as_slice() {
        ["cpu"] => Some(TicketCount::per_cpu(1.0)),
        ["cpu", number] | [number, "cpu"] => Some(TicketCount::per_cpu(positive(number, most)?)),
        [number] => {
            let number = positive(number, most)?;
            (number >= 1.0 && number.fract() == 0.0).then(|| TicketCount::of(number))
        }
        _ => None,
    }
}

/// Reads a decimal number, more than 0, at most so much.
fn positive(text: &str, most: f64) -> Option<f64> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = if is_plain { text.parse().ok()? } else { return None };
    (number > 0.0 && number <= most).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Result<ServerProperties, Vec<String>> {
        let lines = lines.iter().map(|line| super::super::property_line(line).unwrap()).collect();
        ServerProperties::read(&lines)
            .map_err(|faults| faults.iter().map(|fault| format!("{}: {fault}", fault.name)).collect())
    }

    #[test]
    fn the_first_e3s_lines_are_understood() {
        let properties = read(&[
            "plugin.bitbucket-git.throttle.ref.advertisement=false",
            "plugin.bitbucket-scm-cache.upload-pack.enabled=false",
            "throttle.resource.scm-hosting.strategy=adaptive",
            "throttle.resource.scm-hosting.adaptive.limit.min=8",
            "throttle.resource.scm-hosting.adaptive.limit.max=100",
            "throttle.resource.scm-hosting.adaptive.interval=2",
            "throttle.resource.scm-hosting.adaptive.growth.max=1.0",
            "throttle.resource.scm-hosting.adaptive.target.cpu=0.8",
        ])
        .unwrap();
        let expected = TicketStrategy::Adaptive(AdaptiveTickets {
            min: TicketCount::of(8.0),
            max: TicketCount::of(100.0),
            interval: Span::from_secs(2),
            growth: 1.0,
            target: 0.8,
        });
        assert_eq!(properties.hosting.strategy, Some(expected));
        assert_eq!(properties, ServerProperties { hosting: properties.hosting, ..Default::default() });
    }

    #[test]
    fn a_strategy_follows_from_what_is_given() {
        let fixed = |count| Some(TicketStrategy::Fixed(count));
        let strategy = |lines: &[&str]| read(lines).unwrap().hosting.strategy;
        assert_eq!(strategy(&[]), None);
        assert_eq!(strategy(&["throttle.resource.scm-hosting.timeout=9"]), None);
        assert_eq!(strategy(&["throttle.resource.scm-hosting=5"]), fixed(TicketCount::of(5.0)));
        let named = strategy(&["throttle.resource.scm-hosting.strategy=fixed"]);
        assert_eq!(named, fixed(TicketCount::per_cpu(1.5)));
        let target = strategy(&["throttle.resource.scm-hosting.adaptive.cpu.target=0.9"]);
        let Some(TicketStrategy::Adaptive(rules)) = target else { panic!("{target:?}") };
        assert_eq!((rules.target, rules.min.tickets(4), rules.max.tickets(4)), (0.9, 4, 48));
    }

    #[test]
    fn tickets_are_counted_by_the_cpus() {
        for (text, cpus, expected) in
            [("16", 2, 16), ("1.5*cpu", 3, 4), ("cpu", 8, 8), ("cpu*2", 8, 16), ("0.1 * CPU", 2, 1)]
        {
            assert_eq!(tickets(text).map(|count| count.tickets(cpus)), Some(expected), "{text}");
        }
        for text in ["", "0", "-1", "1.5", "1*2*cpu", "1*gpu", "cpu*cpu", "1e3", "nan", "9999999"] {
            assert_eq!(tickets(text), None, "{text}");
        }
    }

    #[test]
    fn every_wrong_line_is_named_with_why() {
        let faults = read(&[
            "throttle.resource.scm-hosting.stategy=fixed",
            "throttle.resource.scm-hosting.timeout=never",
            "feature.rate.limiting=yes",
            "plugin.bitbucket-git.path.executable=git",
        ])
        .unwrap_err();
        assert_eq!(
            faults,
            [
                "feature.rate.limiting: \"yes\" is not \"true\" or \"false\"",
                "plugin.bitbucket-git.path.executable: \"git\" is not the absolute path of a program",
                "throttle.resource.scm-hosting.stategy: githost does not know the property, so it would change nothing",
                "throttle.resource.scm-hosting.timeout: \"never\" is not a number of seconds, more than 0, at most 86400",
            ]
        );
    }

    #[test]
    fn a_line_that_others_leave_without_effect_is_wrong() {
        let fixed = "throttle.resource.scm-hosting.strategy=fixed";
        let adaptive = "throttle.resource.scm-hosting.strategy=adaptive";
        for (lines, name) in [
            (vec![fixed, "throttle.resource.scm-hosting.adaptive.interval=2"], INTERVAL),
            (vec![adaptive, "throttle.resource.scm-hosting.fixed.limit=2"], FIXED_LIMIT),
            (
                vec![
                    "throttle.resource.scm-hosting.fixed.limit=2",
                    "throttle.resource.scm-hosting.adaptive.interval=2",
                ],
                FIXED_LIMIT,
            ),
            (
                vec![fixed, "throttle.resource.scm-hosting.fixed.limit=2", "throttle.resource.scm-hosting=2"],
                OLD_LIMIT,
            ),
            (
                vec![
                    "throttle.resource.scm-hosting.adaptive.limit.min=9",
                    "throttle.resource.scm-hosting.adaptive.limit.max=8",
                ],
                LIMIT_MIN,
            ),
            (
                vec!["plugin.bitbucket-git.throttle.ref.advertisement=true", "throttle.resource.scm-refs=2"],
                REFS_LIMIT,
            ),
            (vec!["throttle.resource.scm-hosting.adaptive.limit.max=0.5*cpu"], LIMIT_MAX),
            (vec!["githost.rate.limiting.capacity=2"], RATE_CAPACITY),
            (vec!["feature.rate.limiting=true", "githost.rate.limiting.capacity=0.5"], RATE_CAPACITY),
        ] {
            let faults = read(&lines).unwrap_err();
            assert!(
                faults.len() == 1 && faults[0].starts_with(&format!("{name}: ")),
                "{lines:?}: {faults:?}"
            );
        }
    }

    #[test]
    fn every_property_is_read_and_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = PROPERTIES.iter().map(|known| known.name).collect();
        assert_eq!(names.len(), PROPERTIES.len());
        for known in PROPERTIES {
            let faults = read(&[&format!("{}=?", known.name)]).unwrap_err();
            assert!(faults.iter().any(|fault| fault.contains("\"?\" is not")), "{}: {faults:?}", known.name);
        }
    }
}
