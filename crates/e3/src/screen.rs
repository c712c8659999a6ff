//! Stderr as a screen: ordinary lines scroll, and below them stands a block of lines that is drawn again and again.
//!
//! The cursor always rests below the block and is never hidden, so that even a killed e3 leaves a usable terminal.
//! There is one stderr in a process, hence one screen; every line for people goes through it.

use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

/// The block that stands at the end of the screen.
#[derive(Debug, Default)]
struct Block {
    lines: Vec<String>,
    /// How many columns each line takes.
    widths: Vec<usize>,
}

/// A line of the block: as it is sent, and as wide as it looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// The text, which may be styled; without a line break.
    pub(crate) shown: String,
    /// How many columns it takes.
    pub(crate) columns: usize,
}

impl Line {
    /// Returns a line without style.
    #[cfg(test)]
    pub(crate) fn plain(text: &str) -> Self {
        Self { shown: text.to_owned(), columns: crate::text::columns(text) }
    }
}

/// Writes lines above the block; a closed stderr is nobody's loss.
pub(crate) fn write(text: &str) {
    let mut block = SCREEN.lock().unwrap_or_else(PoisonError::into_inner);
    let out = above(&mut block, text, columns());
    send(&out);
}

/// Draws the block anew.
pub(crate) fn draw(lines: Vec<Line>) {
    let mut block = SCREEN.lock().unwrap_or_else(PoisonError::into_inner);
    let out = redraw(&mut block, lines, columns());
    send(&out);
}

/// Takes the block away.
pub(crate) fn clear() {
    draw(Vec::new());
}

/// Takes the block away unless somebody is just drawing, as when a panic begins there.
pub(crate) fn clear_if_free() {
    if let Ok(mut block) = SCREEN.try_lock() {
        let out = redraw(&mut block, Vec::new(), columns());
        send(&out);
    }
}

fn send(out: &str) {
    if !out.is_empty() {
        // One write a change: a terminal never shows half of it.
        let _ = io::stderr().write_all(out.as_bytes());
    }
}

fn columns() -> usize {
    crate::terminal::size_of_stderr().map_or(usize::MAX, |size| size.columns)
}

/// Returns what puts lines above the block.
fn above(block: &mut Block, text: &str, columns: usize) -> String {
    if block.lines.is_empty() {
        return text.to_owned();
    }
    let mut out = back(block, columns);
    out.push_str(ERASE_BELOW);
    out.push_str(text);
    if !text.ends_with('\n') {
        out.push('\n');
    }
    for line in &block.lines {
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// Returns what turns the block into another one, line over line, so that nothing flickers.
fn redraw(block: &mut Block, lines: Vec<Line>, columns: usize) -> String {
    if block.lines.is_empty() && lines.is_empty() {
        return String::new();
    }
    let mut out = back(block, columns);
    for line in &lines {
        out.push_str(&line.shown);
        out.push_str(ERASE_LINE);
        out.push('\n');
    }
    out.push_str(ERASE_BELOW);
    block.widths = lines.iter().map(|line| line.columns).collect();
    block.lines = lines.into_iter().map(|line| line.shown).collect();
    out
}

/// Returns what moves the cursor to the block's beginning. A terminal that became narrower since has broken its lines.
fn back(block: &Block, columns: usize) -> String {
    let rows: usize = block.widths.iter().map(|width| width.div_ceil(columns.max(1)).max(1)).sum();
    if rows == 0 { String::new() } else { format!("\r\x1b[{rows}A") }
}

static SCREEN: Mutex<Block> = Mutex::new(Block { lines: Vec::new(), widths: Vec::new() });

/// Source: ECMA-48, 8.3.41 EL and 8.3.39 ED.
const ERASE_LINE: &str = "\x1b[K";
const ERASE_BELOW: &str = "\x1b[J";

#[cfg(test)]
#[path = "screen_tests.rs"]
mod tests;
