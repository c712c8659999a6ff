//! Brings the stages of all threads into the order in which they run.

use e3_model::{Order, Round, StageId, StageRef, ThreadId};

/// Returns the rounds for threads with so many stages each.
///
/// Interleaved: stage by stage, one thread after another, forward in even stages and backward in odd ones (ABBA), so
/// that a steady drift of the machine does not favour a thread. Parallel: the same stage of all threads at once. A
/// thread that has no more stages drops out.
pub(crate) fn rounds(order: Order, stages: &[u32]) -> Vec<Round> {
    let most = stages.iter().copied().max().unwrap_or(0);
    (0..most).flat_map(|stage| of_stage(order, stage, stages)).collect()
}

fn of_stage(order: Order, stage: u32, stages: &[u32]) -> Vec<Round> {
    let mut threads: Vec<StageRef> = stages
        .iter()
        .zip(0_u32..)
        .filter(|(count, _)| **count > stage)
        .map(|(_, thread)| StageRef { thread: ThreadId(thread), stage: StageId(stage) })
        .collect();
    match order {
        Order::Parallel => vec![Round { stages: threads }],
        Order::Interleaved => {
            if stage % 2 == 1 {
                threads.reverse();
            }
            threads.into_iter().map(|stage| Round { stages: vec![stage] }).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(order: Order, stages: &[u32]) -> String {
        let round = |round: &Round| {
            let stages = round.stages.iter();
            stages
                .map(|it| format!("{}{}", ["A", "B", "C"][it.thread.index()], it.stage.0))
                .collect::<String>()
        };
        rounds(order, stages).iter().map(round).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn interleaved_threads_change_their_order() {
        assert_eq!(shown(Order::Interleaved, &[3, 3]), "A0 B0 B1 A1 A2 B2");
        assert_eq!(shown(Order::Interleaved, &[1, 3, 2]), "A0 B0 C0 C1 B1 B2", "shorter threads drop out");
        assert_eq!(shown(Order::Interleaved, &[]), "");
    }

    #[test]
    fn parallel_threads_run_the_same_stage_at_once() {
        assert_eq!(shown(Order::Parallel, &[2, 2]), "A0B0 A1B1");
        assert_eq!(shown(Order::Parallel, &[1, 3]), "A0B0 B1 B2");
    }

    proptest! {
        #[test]
        fn every_stage_runs_once_and_in_its_threads_order(
            stages in prop::collection::vec(0_u32..20, 0..8),
            interleaved: bool,
        ) {
            let order = if interleaved { Order::Interleaved } else { Order::Parallel };
            let mut next = vec![0_u32; stages.len()];
            for round in rounds(order, &stages) {
                prop_assert!(!round.stages.is_empty());
                for stage in round.stages {
                    let next = &mut next[stage.thread.index()];
                    prop_assert_eq!(stage.stage.0, *next);
                    *next += 1;
                }
            }
            prop_assert_eq!(next, stages);
        }
    }
}
