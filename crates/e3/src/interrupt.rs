//! Ctrl-C and SIGTERM: once ends the run cleanly, twice at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;
use crate::printer::error_text;
use crate::screen;

/// Returns a token that the first interrupt cancels; the second one ends the process.
///
/// # Errors
/// When the signals cannot be listened for.
pub(crate) fn watch(hint: String) -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let token = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => {}
            }
            if token.is_cancelled() {
                screen::clear();
                error_text(&format!("interrupted twice: nothing was removed; {hint}\n"));
                end_now();
            }
            error_text(
                "interrupted: ending the current step and keeping what was measured; again to end at once\n",
            );
            token.cancel();
        }
    });
    Ok(stop)
}

#[expect(clippy::exit, reason = "the user asked twice to end at once")]
fn end_now() {
    std::process::exit(i32::from(Exit::Interrupted as u8));
}
