//! Analyses to render: the fixed one beside the tests, and others made from it.

use e3_model::{
    Analysis, MetricSeries, StageAnalysis, StageId, ThreadId, ThresholdResult, ThresholdState, Verdict,
    from_json,
};

/// Two threads at three loads, co-located, one stage client-bound, with comparisons, metrics and thresholds.
pub(crate) fn analysis() -> Analysis {
    let mut analysis: Analysis =
        from_json(include_bytes!("../analysis.json")).expect("the fixture is an analysis");
    analysis.thresholds = thresholds(&analysis);
    analysis
}

/// Two threads under an open load, made by simulated queues: one node falls behind at 200/s, one ramp is client-bound.
pub(crate) fn open_model() -> Analysis {
    from_json(include_bytes!("../open-model.json")).expect("the fixture is an analysis")
}

/// The threads of [`analysis`], each with the open stages of [`open_model`] after its closed ones.
pub(crate) fn both_models() -> Analysis {
    let (mut analysis, open) = (analysis(), open_model());
    let first = |thread: &e3_model::ThreadAnalysis| u32::try_from(thread.stages.len()).unwrap();
    let moved = |stage: e3_model::StageRef| e3_model::StageRef { stage: StageId(stage.stage.0 + 3), ..stage };
    for (thread, more) in analysis.threads.iter_mut().zip(open.threads) {
        assert_eq!((thread.name.as_str(), first(thread)), (more.name.as_str(), 3));
        thread.stages.extend(more.stages.into_iter().map(|mut stage| {
            (stage.stage, stage.position) = (moved(stage.stage), stage.position + 6);
            stage
        }));
    }
    analysis.comparisons.extend(open.comparisons.into_iter().map(|mut one| {
        one.stages.iter_mut().chain(&mut one.baseline_stages).for_each(|stage| *stage = moved(*stage));
        one
    }));
    analysis.stamps = [analysis.stamps, open.stamps].concat();
    analysis.stamps.sort_unstable();
    analysis.stamps.dedup();
    analysis
}

/// Three thresholds of which each state comes up.
fn thresholds(analysis: &Analysis) -> Vec<ThresholdResult> {
    let clone = |stage: &StageAnalysis| {
        let op = stage.ops.iter().find(|op| op.op == "clone")?;
        op.latency.as_ref()?.p95_ms
    };
    let p99 = |stage: &StageAnalysis| stage.total.latency.as_ref()?.p99_ms;
    let errors = |stage: &StageAnalysis| stage.total.error_rate;
    let mut results = Vec::new();
    results.extend(judged(analysis, "p95(scm.GitCloneOverHttp) < 900ms", 900.0, clone));
    results.extend(judged(analysis, "p99 < 2s", 2000.0, p99));
    results.extend(judged(analysis, "errors < 10%", 0.1, errors));
    results
}

fn judged(
    analysis: &Analysis,
    text: &str,
    limit: f64,
    of: impl Fn(&StageAnalysis) -> Option<f64>,
) -> Vec<ThresholdResult> {
    let mut results = Vec::new();
    for thread in &analysis.threads {
        for stage in &thread.stages {
            let value = of(stage);
            let state = match value {
                None => ThresholdState::Undecided,
                Some(value) if value < limit => ThresholdState::Held,
                Some(_) => ThresholdState::Broken,
            };
            results.push(ThresholdResult {
                threshold: text.to_owned(),
                thread: thread.name.clone(),
                stage: stage.stage,
                clients: stage.clients,
                value,
                limit,
                state,
                detail: value.map_or_else(
                    || format!("too few of {} successes to tell", stage.total.ok),
                    |value| format!("{value:.3}, of {} successes", stage.total.ok),
                ),
            });
        }
    }
    results
}

/// One thread alone, with nothing to compare.
pub(crate) fn one_thread() -> Analysis {
    let mut analysis = analysis();
    analysis.threads.truncate(1);
    analysis.comparisons.clear();
    analysis.thresholds.clear();
    analysis.answer = e3_model::Answer::default();
    analysis
}

/// Stages that ran, in which nothing happened, and of which no metrics are known.
pub(crate) fn zero_ops() -> Analysis {
    let mut analysis = analysis();
    analysis.answer = e3_model::Answer::default();
    analysis.headlines.clear();
    analysis.comparisons.clear();
    analysis.thresholds.clear();
    for stage in analysis.threads.iter_mut().flat_map(|thread| &mut thread.stages) {
        stage.metrics.clear();
        for op in stage.ops.iter_mut().chain([&mut stage.total]) {
            (op.count, op.ok, op.rate_per_s, op.bytes_in) = (0, 0, 0.0, Some(0));
            (op.rate_interval, op.error_rate, op.error_rate_interval, op.latency) = (None, None, None, None);
            op.errors.clear();
            op.distribution.clear();
        }
        for point in &mut stage.timeline {
            (point.ok, point.errors) = (0, 0);
            (point.p50_ms, point.p95_ms, point.p99_ms, point.max_ms) = (None, None, None, None);
        }
        for job in &mut stage.jobs {
            (job.iterations, job.share) = (0, None);
        }
    }
    analysis
}

/// Eight threads with long names and twenty stages each, without metrics.
pub(crate) fn large() -> Analysis {
    let mut analysis = analysis();
    let two = analysis.threads.clone();
    analysis.threads.clear();
    for thread in 0..8_u32 {
        let mut arm = two[thread as usize % 2].clone();
        arm.name =
            format!("Data Center {thread} with four nodes, a file server and two mirrors, cold caches");
        let stages = arm.stages.clone();
        arm.stages = (0..20_u32)
            .map(|number| {
                let mut stage = stages[number as usize % 3].clone();
                (stage.stage.thread, stage.stage.stage) = (ThreadId(thread), StageId(number));
                (stage.clients, stage.position) = ((number + 1) * 8, number * 8 + thread);
                let factor = f64::from(number + 1) * (1.0 + f64::from(thread) / 10.0);
                stage.total.rate_per_s = 40.0 * factor.sqrt();
                stage.total.rate_interval = None;
                stage.metrics.clear();
                stage
            })
            .collect();
        analysis.threads.push(arm);
    }
    let first = analysis.comparisons.clone();
    analysis.comparisons = (1..8)
        .flat_map(|thread| {
            first
                .iter()
                .take(8)
                .cloned()
                .map(move |one| e3_model::Comparison { thread: ThreadId(thread), ..one })
        })
        .collect();
    analysis.comparisons.iter_mut().for_each(|one| one.clients = 8);
    analysis.comparisons[0].verdict = Verdict::Worse;
    analysis.thresholds.clear();
    analysis
}

/// Each stage with this many series of this many values.
pub(crate) fn with_metrics(series: usize, values: usize) -> Analysis {
    let mut analysis = analysis();
    for stage in analysis.threads.iter_mut().flat_map(|thread| &mut thread.stages) {
        let one = |number: usize| MetricSeries {
            source: if number.is_multiple_of(3) { "proc" } else { "prometheus" }.to_owned(),
            subject: if number.is_multiple_of(3) {
                "machine".to_owned()
            } else {
                format!("node-{}", number % 2 + 1)
            },
            name: format!("group-{}/part-{number}", number % 20),
            unit: ["%", "bytes", "bytes/s", "1/s", "ms", ""][number % 6].to_owned(),
            step_s: 20.0 / values.max(1) as f64,
            values: (0..values)
                .map(|step| (step % 17 != 3).then(|| (number * 1000 + step * step * 37 % 991) as f64 / 7.0))
                .collect(),
            mean: Some(number as f64 * 140.0),
            max: Some(number as f64 * 150.0),
        };
        stage.metrics = (0..series).map(one).collect();
    }
    analysis
}

/// Each stage with this many ops, and each of them compared.
pub(crate) fn with_ops(count: usize) -> Analysis {
    let mut analysis = with_metrics(80, 7);
    let name =
        |number: usize| (format!("web.BrowseProjects{}", number / 8), format!("ListRepositories{number}"));
    for stage in analysis.threads.iter_mut().flat_map(|thread| &mut thread.stages) {
        let four = stage.ops.clone();
        stage.timeline.truncate(7);
        stage.ops = (0..count)
            .map(|number| {
                let (script, op) = name(number);
                e3_model::OpStatistics { script, op, ..four[number % 4].clone() }
            })
            .collect();
    }
    let (total, ops): (Vec<_>, Vec<_>) =
        analysis.comparisons.into_iter().partition(|one| one.script.is_empty());
    let own = |number: usize| {
        let some =
            ops.iter().filter(move |one| one.op == ["clone", "ls-remote", "log in", "dashboard"][number % 4]);
        some.cloned().map(move |one| {
            let (script, op) = name(number);
            e3_model::Comparison { script, op, ..one }
        })
    };
    analysis.comparisons = total.into_iter().chain((0..count).flat_map(own)).collect();
    analysis
}

/// Every name and text is markup in one language or another.
pub(crate) fn hostile() -> Analysis {
    let mut analysis = analysis();
    analysis.searches = crate::searched::searched().searches;
    let hostile = "</title><script>alert(\"1\")</script>\n'&amp; | `x` <img src=x>";
    analysis.experiment = hostile.to_owned();
    analysis.run = hostile.to_owned();
    analysis.description = Some(hostile.to_owned());
    analysis.headlines[0].detail = hostile.to_owned();
    (analysis.answer.text, analysis.answer.confidence) = (hostile.to_owned(), hostile.to_owned());
    for one in &mut analysis.comparisons {
        one.reason = Some(hostile.to_owned());
    }
    for one in &mut analysis.thresholds {
        (one.threshold, one.thread, one.detail) =
            (hostile.to_owned(), hostile.to_owned(), hostile.to_owned());
    }
    for search in &mut analysis.searches {
        (search.thread, search.sentence) = (hostile.to_owned(), hostile.to_owned());
        search.slo.push(hostile.to_owned());
        search.conditions[0].text = hostile.to_owned();
        search.probes[0].reason = hostile.to_owned();
    }
    for thread in &mut analysis.threads {
        thread.name = hostile.to_owned();
        thread.properties.insert(hostile.to_owned(), hostile.to_owned());
        thread.instance = hostile.to_owned();
        for stage in &mut thread.stages {
            stage.workload = hostile.to_owned();
            stage.outcome = e3_model::StageOutcome::Failed { reason: hostile.to_owned() };
            for op in stage.ops.iter_mut().chain([&mut stage.total]) {
                op.errors.insert(hostile.to_owned(), 1);
            }
            for op in &mut stage.ops {
                op.op = hostile.to_owned();
                op.script = hostile.to_owned();
            }
            for job in &mut stage.jobs {
                job.script = hostile.to_owned();
            }
            for series in &mut stage.metrics {
                series.subject = hostile.to_owned();
                series.name = format!("{hostile}/{}", series.name);
                series.unit = hostile.to_owned();
            }
        }
    }
    analysis
}
