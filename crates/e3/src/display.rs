//! What people see while stages run: on a terminal a line per running thread that is drawn again and again, elsewhere a
//! plain line now and then.
//!
//! Events come in, lines go out. What they say is a function of values, in `state` and `lines`; only this file has a clock.

mod lines;
mod search;
mod state;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use e3_fleet::FleetEvent;
use e3_model::{Plan, Reset, StageOutcome, quantity};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::printer::Printer;
use crate::{screen, terminal};
use state::State;

/// The display of one run; it is gone from the terminal when it is dropped.
pub(crate) struct Display {
    printer: Printer,
    begun: Instant,
    state: Arc<Mutex<State>>,
    /// None where lines cannot be drawn again.
    drawing: Option<JoinHandle<()>>,
}

impl Display {
    /// Begins the display of a plan's stages.
    pub(crate) fn begin(printer: &Printer, plan: &Plan) -> Self {
        let (begun, state) = (Instant::now(), Arc::new(Mutex::new(State::of(plan))));
        let drawing = printer.is_live().then(|| {
            let (state, style) = (Arc::clone(&state), printer.style());
            tokio::spawn(async move {
                let mut tick = tokio::time::interval(FRAME);
                tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
                loop {
                    tick.tick().await;
                    let size = terminal::size_of_stderr().unwrap_or(UNKNOWN);
                    let state = state.lock().unwrap_or_else(PoisonError::into_inner);
                    screen::draw(lines::lines(&state, size, begun.elapsed(), style));
                }
            })
        });
        Self { printer: printer.clone(), begun, state, drawing }
    }

    /// Takes an event into account, and writes a line about it where one is due.
    pub(crate) fn hear(&self, event: &FleetEvent) {
        let (now, live) = (self.begun.elapsed(), self.drawing.is_some());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.hear(event, now);
        let due = match event {
            FleetEvent::Progress { stage, .. } if !live => state.line_due(*stage, now, PLAIN_LINES),
            _ => None,
        };
        drop(state);
        match event {
            FleetEvent::Progress { .. } => {
                if let Some(line) = due {
                    self.printer.progress("run", &line);
                }
            }
            other => self.tell(other),
        }
    }

    fn tell(&self, event: &FleetEvent) {
        match event {
            FleetEvent::SystemReset { thread, reset, seconds, .. } => {
                let done = match reset {
                    Reset::None => return,
                    Reset::Restart => "was restarted",
                    Reset::Restore => "is as it was loaded",
                };
                self.printer.progress("reset", &format!("{thread} {done} after {seconds:.1} s"));
            }
            FleetEvent::StageStarted { stage, thread, clients, duration, position, of, probe, .. } => {
                let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                let (load, length) = (state.load(*stage, *clients), state.length(*stage, *duration));
                drop(state);
                let probe = probe.as_ref().map_or_else(String::new, search::number);
                let text = format!("{position}/{of}  {thread}, {probe}{load} {length} ({stage})");
                self.printer.progress("run", &text);
            }
            FleetEvent::Progress { .. } => {}
            FleetEvent::ProbeJudged { thread, is_open, verdict, reason, state, .. } => {
                self.printer.progress("search", &format!("     {}: {reason}", verdict.name()));
                if state.next.is_none() {
                    self.printer
                        .progress("search", &format!("     {thread}: {}", search::end(state, *is_open)));
                }
            }
            FleetEvent::StageEnded { stage, outcome, ok, errors, max_ms, failures } => {
                let how = match outcome {
                    StageOutcome::Completed => "ended",
                    StageOutcome::Interrupted => "was interrupted",
                    // Why is the last thing that e3 says.
                    StageOutcome::Failed { .. } => "FAILED",
                };
                let (ok, errors, slowest) =
                    (quantity::count(*ok), quantity::count(*errors), quantity::latency(*max_ms));
                let figures = format!("{ok} ops, {errors} errors, slowest {slowest}, warm-up included");
                self.printer.progress("run", &format!("     {how}: {figures}"));
                for note in failures {
                    self.printer.warn(&format!(
                        "{stage}: {} {} failed {} times, first: {}",
                        note.script, note.op, note.count, note.message
                    ));
                }
            }
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Some(drawing) = &self.drawing {
            drawing.abort();
            // A frame that waits for the lock just now must draw nothing any more.
            self.state.lock().unwrap_or_else(PoisonError::into_inner).end();
            screen::clear();
        }
    }
}

/// How often lines are drawn: often enough to look alive, seldom enough to cost nothing.
const FRAME: Duration = Duration::from_millis(250);
/// How often a stage has a line where lines cannot be drawn again, so that the log of a long stage stays alive.
const PLAIN_LINES: Duration = Duration::from_secs(10);
/// The size of a terminal that does not know its own.
const UNKNOWN: terminal::Size = terminal::Size { columns: 80, rows: 24 };
