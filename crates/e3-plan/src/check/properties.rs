//! The lines of `bitbucket.properties` are lines, and a githost's take effect.
//!
//! On a githost an unknown one is an error: an experiment that compares two configurations must not compare one with itself.
//! Of a real Bitbucket nobody knows all of them, so there only the form counts.

use std::collections::BTreeMap;

use e3_model::{
    InstanceSpec, PROPERTIES, PropertyDescriptor, PropertyFault, ProviderName, ServerProperties,
    WrongProperty, property_line,
};

use super::Rule;
use crate::context::{Context, EXPERIMENT};
use crate::report::{Place, Report};
use crate::{pointer, words};

pub(super) const RULE: Rule = Rule { name: "property", check };

/// Returns an instance's lines by name; what is no line is left out, because a finding says so.
pub(crate) fn of(instance: &InstanceSpec) -> BTreeMap<String, String> {
    instance.properties.iter().filter_map(|line| property_line(line).ok()).collect()
}

fn check(context: &Context<'_>, report: &mut Report) {
    for (position, (thread, placement)) in
        context.experiment.threads.iter().zip(&context.placements).enumerate()
    {
        let at = format!("/threads/{position}/instance/properties");
        let places = check_lines(&at, &thread.instance.properties, report);
        if placement.instance.provider != ProviderName::Local {
            continue;
        }
        for fault in ServerProperties::read(&of(&thread.instance)).err().into_iter().flatten() {
            let place = places.get(&fault.name).cloned().unwrap_or_else(|| Place::value(EXPERIMENT, &at));
            say(place, &fault, report);
        }
    }
}

/// Checks that each is a line, once; returns where each is.
fn check_lines(at: &str, lines: &[String], report: &mut Report) -> BTreeMap<String, Place> {
    let mut places = BTreeMap::new();
    for (position, line) in lines.iter().enumerate() {
        let place = Place::value(EXPERIMENT, pointer::join(at, position));
        match property_line(line) {
            Ok((name, _)) if places.contains_key(&name) => {
                report.error(place, format!("the property {} is given twice", words::quoted(&name)));
            }
            Ok((name, _)) => {
                places.insert(name, place);
            }
            Err(error) => {
                report.error(place, error.to_string());
            }
        }
    }
    places
}

fn say(place: Place, fault: &PropertyFault, report: &mut Report) {
    let found = report.error(place, format!("{}: {fault}", words::quoted(&fault.name)));
    match &fault.wrong {
        WrongProperty::Unknown => {
            let meant = words::meant(&fault.name, PROPERTIES.iter().map(|known| known.name));
            found.hint(meant.map_or_else(
                || "take it out; `e3 explain` lists those that a githost knows".to_owned(),
                words::did_you_mean,
            ));
        }
        WrongProperty::Value { .. } => {
            if let Some(known) = PropertyDescriptor::find(&fault.name) {
                found.hint(format!("{} Without it: {}.", known.sentence, known.default));
            }
        }
        WrongProperty::NoEffect(_) => found.hint("take it out, or the other"),
        WrongProperty::Contradiction(_) => {}
    }
}
