//! Which series share a panel: those of one group and unit, the same at every stage, so that stages can be compared.

use e3_model::{Analysis, MetricSeries};

use crate::figure::slug;

/// A panel: series that are drawn over one axis.
#[derive(Debug)]
pub(crate) struct Panel {
    /// Its part of a figure's name.
    pub(crate) stem: String,
    pub(crate) title: String,
    pub(crate) unit: String,
    /// The largest value of any stage, which its axis has to hold.
    pub(crate) most: f64,
    /// Whether its values say something: they are the group's largest, and they change.
    pub(crate) is_telling: bool,
    pub(crate) parts: Vec<Part>,
}

/// One series of a panel.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) label: String,
    key: Key,
}

/// What tells a series from every other of its stage: source, subject, name, unit.
type Key = (String, String, String, String);

impl Part {
    /// Returns whether a stage's series is this one.
    pub(crate) fn is(&self, series: &MetricSeries) -> bool {
        let (source, subject, name, unit) = &self.key;
        (&series.source, &series.subject, &series.name, &series.unit) == (source, subject, name, unit)
    }
}

/// Returns the panels of all stages: the machine's, then those of processes, then the products', each by group.
pub(crate) fn panels(analysis: &Analysis) -> Vec<Panel> {
    let mut groups: Vec<(Group, Vec<Known>)> = Vec::new();
    for series in known(analysis) {
        let group = Group::of(&series);
        match groups.iter_mut().find(|(other, _)| *other == group) {
            Some((_, members)) => members.push(series),
            None => groups.push((group, vec![series])),
        }
    }
    let mut groups: Vec<(Group, Vec<Known>)> = groups.into_iter().flat_map(split).collect();
    groups
        .sort_by_key(|(group, _)| (group.rank(), group.name.clone(), group.part.clone(), group.unit.clone()));
    let mut panels: Vec<Panel> = groups.into_iter().flat_map(|(group, own)| drawn(&group, own)).collect();
    let mut stems: Vec<String> = Vec::new();
    for panel in &mut panels {
        while stems.contains(&panel.stem) {
            panel.stem.push_str("-2");
        }
        stems.push(panel.stem.clone());
    }
    panels
}

/// A series over all stages.
#[derive(Debug)]
struct Known {
    key: Key,
    least: f64,
    most: f64,
}

/// What the series of a panel have in common.
#[derive(Debug, Clone, PartialEq)]
struct Group {
    is_machine: bool,
    source: String,
    name: String,
    /// The part after the slash, where that is common, too.
    part: Option<String>,
    unit: String,
}

impl Group {
    fn of(series: &Known) -> Self {
        let (source, subject, name, unit) = &series.key;
        let group = name.split_once('/').map_or(name.as_str(), |(group, _)| group);
        Self {
            is_machine: subject == MACHINE,
            source: source.clone(),
            name: group.to_owned(),
            part: None,
            unit: unit.clone(),
        }
    }

    /// Returns where the group stands: the machine before processes, and these before what products tell.
    fn rank(&self) -> (bool, bool, usize) {
        let place = FIRST.iter().position(|name| self.name.contains(name)).unwrap_or(FIRST.len());
        (self.source != "proc", !self.is_machine, place)
    }

    fn title(&self) -> String {
        match (&self.part, self.is_machine) {
            (Some(part), _) => format!("{}: {part}", self.name),
            (None, true) => format!("machine: {}", self.name),
            (None, false) => self.name.clone(),
        }
    }
}

/// Returns every series of every stage once, with its extent over all stages, in the order in which they come.
fn known(analysis: &Analysis) -> Vec<Known> {
    let mut known: Vec<Known> = Vec::new();
    let stages = analysis.threads.iter().flat_map(|thread| &thread.stages);
    for series in stages.flat_map(|stage| &stage.metrics) {
        let MetricSeries { source, subject, name, unit, .. } = series;
        let key = (source.clone(), subject.clone(), name.clone(), unit.clone());
        let values = || series.values.iter().flatten().copied().filter(|value| value.is_finite());
        let (least, most) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
        match known.iter_mut().find(|one| one.key == key) {
            Some(one) => (one.least, one.most) = (one.least.min(least), one.most.max(most)),
            None => known.push(Known { key, least, most }),
        }
    }
    known
}

/// Splits what processes and products tell by part, so that a panel compares the subjects in one respect.
fn split((group, members): (Group, Vec<Known>)) -> Vec<(Group, Vec<Known>)> {
    if group.is_machine {
        return vec![(group, members)];
    }
    let mut groups: Vec<(Group, Vec<Known>)> = Vec::new();
    for series in members {
        let part = Some(part_of(&series.key.2).to_owned());
        match groups.iter_mut().find(|(other, _)| other.part == part) {
            Some((_, own)) => own.push(series),
            None => groups.push((Group { part, ..group.clone() }, vec![series])),
        }
    }
    groups
}

/// Returns the panels of a group: the largest series first, no more than can be told apart in each.
fn drawn(group: &Group, mut members: Vec<Known>) -> Vec<Panel> {
    members.sort_by(|one, other| {
        let quiet = |series: &Known| series.most <= series.least;
        quiet(one).cmp(&quiet(other)).then(other.most.total_cmp(&one.most))
    });
    let most = members.iter().map(|series| series.most).fold(0.0, f64::max);
    let charts = members.len().div_ceil(SERIES_PER_PANEL);
    let chart = |(index, own): (usize, &[Known])| {
        let number = if charts > 1 { format!(" ({} of {charts})", index + 1) } else { String::new() };
        let label = |series: &Known| {
            let (_, subject, name, _) = &series.key;
            if group.is_machine { part_of(name).to_owned() } else { subject.clone() }
        };
        let title = format!("{}{number}", group.title());
        Panel {
            stem: slug(&format!("{} {} {title}", group.source, group.unit.replace('%', "percent"))),
            title,
            unit: group.unit.clone(),
            most: if index == 0 { most } else { own.iter().map(|series| series.most).fold(0.0, f64::max) },
            is_telling: index == 0 && own.iter().any(|series| series.most > series.least),
            parts: own.iter().map(|series| Part { label: label(series), key: series.key.clone() }).collect(),
        }
    };
    members.chunks(SERIES_PER_PANEL).enumerate().map(chart).collect()
}

fn part_of(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, part)| part)
}

const MACHINE: &str = "machine";
/// What one looks at first, by a word in the group's name.
const FIRST: [&str; 7] = ["cpu", "load", "process", "memory", "disk", "network", "http"];
/// More lines than these cannot be told apart.
const SERIES_PER_PANEL: usize = 6;
