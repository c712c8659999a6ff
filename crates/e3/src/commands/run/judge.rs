//! How the probes of a search come out: by the numbers of the analysis, so that the report says the same.

use async_trait::async_trait;
use e3_fleet::Judge;
use e3_home::RunDir;
use e3_model::{Plan, ProbeVerdict, Run, StageRef, Threshold, with_causes};

/// Judges the probes of a run by their samples.
pub(super) struct Numbers<'a> {
    pub(super) run: &'a RunDir,
}

#[async_trait]
impl Judge for Numbers<'_> {
    async fn judge(
        &self,
        probe: StageRef,
        plan: &Plan,
        run: &Run,
        slo: &[Threshold],
    ) -> Result<(ProbeVerdict, String), String> {
        let (directory, plan, run, slo) = (self.run.clone(), plan.clone(), run.clone(), slo.to_vec());
        // It reads every sample of the stage, while workers still say that they are there.
        let judged = tokio::task::spawn_blocking(move || {
            e3_results::judge_probe(&directory, &plan, &run, probe, &slo)
        });
        judged.await.map_err(|error| error.to_string())?.map_err(|error| with_causes(&error))
    }
}
