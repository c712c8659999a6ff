//! What the page's template is given: words, numbers as text, and charts as SVG.

use e3_model::{Analysis, Headline, quantity};
use serde::Serialize;

use crate::arms::{ThreadWords, arms, common_properties};
use crate::comparisons::{ComparedLoad, VerdictWords, compared};
use crate::figure::{Figure, LegendItem, doubt};
use crate::figures::{
    distributions, effects, errors, latency, latency_by_op, legend_by_op, mix, order, over_time, throughput,
};
use crate::honesty::{HonestySection, honesty, honesty_sections};
use crate::model::Model;
use crate::operations::{HEAD, LoadTable, load_tables};
use crate::searches::{SearchWords, searches};
use crate::sections::{ThreadSection, sections};
use crate::stamps::{StampWords, stamps};
use crate::table::Table;
use crate::talk::talk;
use crate::thresholds::{ThresholdWords, thresholds};

/// Everything on the page.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    experiment: String,
    run: String,
    started: String,
    /// What was to be found out; the experiment's name where its author did not say.
    question: String,
    /// How many threads, stages and ops there are.
    extent: String,
    answer: AnswerWords,
    headlines: Vec<Headline>,
    stamps: Vec<StampWords>,
    threads: Vec<ThreadWords>,
    /// The lines of `bitbucket.properties` that all threads share.
    properties: Vec<String>,
    /// What each load model that occurs can show.
    models: Vec<ModelWords>,
    /// How clients talked to their systems.
    talk: String,
    throughput: Vec<Figure>,
    searches: Vec<SearchWords>,
    effects: Vec<Figure>,
    compared: Vec<ComparedLoad>,
    thresholds: Vec<ThresholdWords>,
    latency: Vec<Figure>,
    latency_by_op: Vec<Figure>,
    /// The ops beyond the first ones.
    latency_by_more: Vec<Figure>,
    legend_by_op: Vec<LegendItem>,
    over_time: Vec<Figure>,
    distributions: Vec<Figure>,
    operations_head: Vec<(&'static str, &'static str)>,
    operations: Vec<LoadTable>,
    errors: Option<Figure>,
    mix: Vec<Figure>,
    sections: Vec<ThreadSection>,
    order: Figure,
    honesty: Table,
    honesty_by_stage: Vec<HonestySection>,
    has_doubt: bool,
    provenance: String,
}

/// The answer to the question.
#[derive(Debug, Serialize)]
struct AnswerWords {
    /// Empty where the analysis gives none.
    text: String,
    confidence: String,
    verdict: Option<VerdictWords>,
}

/// A load model in words.
#[derive(Debug, Serialize)]
struct ModelWords {
    name: &'static str,
    note: &'static str,
}

impl Page {
    /// Returns the page of an analysis.
    pub(crate) fn of(analysis: &Analysis) -> Self {
        let mut latency_by_op = latency_by_op(analysis);
        let latency_by_more = latency_by_op.split_off(latency_by_op.len().min(FIRST_OPS));
        let stages = || analysis.threads.iter().flat_map(|thread| &thread.stages);
        Self {
            experiment: analysis.experiment.clone(),
            run: analysis.run.clone(),
            started: started(&analysis.started_at),
            question: analysis.description.clone().unwrap_or_else(|| analysis.experiment.clone()),
            extent: extent(analysis),
            answer: answer(analysis),
            headlines: analysis.headlines.iter().map(tied).collect(),
            stamps: stamps(analysis).into_iter().map(bound).collect(),
            threads: arms(analysis),
            properties: common_properties(analysis),
            models: Model::all(analysis).into_iter().map(model).collect(),
            talk: talk(analysis).unwrap_or_else(|| DIFFERS.to_owned()),
            throughput: throughput(analysis),
            searches: searches(analysis),
            effects: effects(analysis),
            compared: compared(analysis),
            thresholds: thresholds(analysis),
            latency: latency(analysis),
            latency_by_op,
            latency_by_more,
            legend_by_op: legend_by_op(analysis),
            over_time: over_time(analysis),
            distributions: distributions(analysis),
            operations_head: HEAD.to_vec(),
            operations: load_tables(analysis),
            errors: errors(analysis),
            mix: mix(analysis),
            sections: sections(analysis),
            order: order(analysis),
            honesty: honesty(analysis),
            honesty_by_stage: honesty_sections(analysis),
            has_doubt: stages().any(|stage| doubt(stage).is_some()),
            provenance: provenance(analysis),
        }
        .with_unique_stems()
    }

    /// Returns every figure, in the order of the page.
    pub(crate) fn figures(&self) -> Vec<&Figure> {
        let searches = self.searches.iter().flat_map(|search| &search.figures);
        let all = [
            &self.effects,
            &self.latency,
            &self.latency_by_op,
            &self.latency_by_more,
            &self.over_time,
            &self.distributions,
        ];
        self.throughput
            .iter()
            .chain(searches)
            .chain(all.into_iter().flatten())
            .chain(&self.errors)
            .chain(&self.mix)
            .chain(self.sections.iter().flat_map(ThreadSection::figures))
            .chain([&self.order])
            .chain(self.honesty_by_stage.iter().flat_map(HonestySection::figures))
            .collect()
    }

    /// Two names that differ only in what a file's name cannot hold get a number each.
    fn with_unique_stems(mut self) -> Self {
        let mut taken: Vec<String> = Vec::new();
        let (by_op, more) = (&mut self.latency_by_op, &mut self.latency_by_more);
        let by_load = self.over_time.iter_mut().chain(&mut self.distributions);
        for figure in by_op.iter_mut().chain(more).chain(&mut self.mix).chain(by_load) {
            let stem = figure.stem.clone();
            let mut number = 2;
            while taken.contains(&figure.stem) {
                figure.stem = format!("{stem}-{number}");
                number += 1;
            }
            taken.push(figure.stem.clone());
        }
        self
    }
}

/// Returns the answer; where the analysis has none, what can be said without one.
fn answer(analysis: &Analysis) -> AnswerWords {
    let answer = &analysis.answer;
    let measured =
        analysis.threads.iter().flat_map(|thread| &thread.stages).any(|stage| stage.total.count > 0);
    let (text, confidence) = match (answer.text.is_empty(), measured, analysis.threads.len()) {
        (false, _, _) => (tie(&answer.text), tie(&answer.confidence)),
        (true, false, _) => ("No op ended in the measured part of any stage.".to_owned(), String::new()),
        (true, true, 0 | 1) => (
            "There is one thread, so there is nothing to compare; these are its numbers.".to_owned(),
            String::new(),
        ),
        (true, true, _) => (
            "This analysis does not compare its threads; their numbers stand side by side.".to_owned(),
            String::new(),
        ),
    };
    AnswerWords { text, confidence, verdict: answer.verdict.map(VerdictWords::of) }
}

/// Keeps units on the line of their numbers.
fn tie(text: &str) -> String {
    [" %", " ops/s", " ms"]
        .iter()
        .fold(text.to_owned(), |text, unit| text.replace(unit, &format!("\u{a0}{}", unit.trim_start())))
}

/// Returns a headline whose units stay on the line of their numbers.
fn tied(headline: &Headline) -> Headline {
    Headline { label: headline.label.clone(), value: tie(&headline.value), detail: tie(&headline.detail) }
}

/// Returns a stamp whose units stay on the line of their numbers.
fn bound(mut stamp: StampWords) -> StampWords {
    stamp.stages.iter_mut().for_each(|stage| *stage = tie(stage));
    stamp
}

fn model(model: Model) -> ModelWords {
    ModelWords { name: model.name(), note: model.note() }
}

/// Returns an RFC 3339 stamp as people read it: to the second, with a space and the zone's name.
fn started(stamp: &str) -> String {
    let plain = stamp.strip_suffix('Z').map(|stamp| stamp.split('.').next().unwrap_or(stamp));
    plain.map_or_else(|| stamp.to_owned(), |stamp| format!("{} UTC", stamp.replace('T', " ")))
}

pub(crate) fn extent(analysis: &Analysis) -> String {
    let stages = || analysis.threads.iter().flat_map(|thread| &thread.stages);
    let ops: u64 = stages().map(|stage| stage.total.count).sum();
    let plural =
        |count: usize, word: &str| if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") };
    format!(
        "{}, {}, {} measured ops",
        plural(analysis.threads.len(), "thread"),
        plural(stages().count(), "stage"),
        quantity::count(ops)
    )
}

fn provenance(analysis: &Analysis) -> String {
    let header = &analysis.header;
    let parent = header.parent.as_ref().map_or_else(String::new, |parent| {
        format!(", made from {} with SHA-256 {}", parent.file, parent.sha256)
    });
    format!("{} version {}{parent}", header.format, header.version)
}

const DIFFERS: &str = "Not the same at every stage: see stage by stage.";
/// So many ops have their charts in sight; the others are folded.
const FIRST_OPS: usize = 12;
