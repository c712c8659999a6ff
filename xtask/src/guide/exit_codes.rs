//! The table of exit codes, as the end of `e3 --help` has it.

use std::path::Path;

use anyhow::{Result, bail};

use super::fields::cell;

/// Returns the table as Markdown, in ascending order.
///
/// # Errors
/// When e3 cannot be asked, or shows no codes.
pub(super) fn table(e3: &Path) -> Result<String> {
    let codes = codes(&super::printed(e3, &["--help"])?);
    if codes.is_empty() {
        bail!("`e3 --help` shows no exit codes");
    }
    let rows = codes.iter().map(|(code, sentence)| format!("| {code} | {} |\n", cell(sentence)));
    Ok(format!("| exit code | meaning |\n|--:|---|\n{}", rows.collect::<String>()))
}

/// Returns each code with its sentence; a sentence may go on over several lines.
fn codes(help: &str) -> Vec<(u8, String)> {
    let mut codes: Vec<(u8, String)> = Vec::new();
    let lines = help.lines().skip_while(|line| *line != "Exit codes:").skip(1);
    for line in lines.take_while(|line| line.starts_with(' ')) {
        let line = line.trim();
        let (first, rest) = line.split_once("  ").unwrap_or(("", line));
        match (first.parse(), codes.last_mut()) {
            (Ok(code), _) => codes.push((code, rest.trim().to_owned())),
            (Err(_), Some((_, sentence))) => sentence.push_str(&format!(" {line}")),
            (Err(_), None) => {}
        }
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_may_be_broken() {
        let help = "Usage: e3\n\nExit codes:\n    0  All is well.\n   32  A stage cannot be believed: a worker was\n       the bottleneck.\n\nMore\n";
        let expected = [
            (0, "All is well.".to_owned()),
            (32, "A stage cannot be believed: a worker was the bottleneck.".to_owned()),
        ];
        assert_eq!(codes(help), expected);
        assert!(codes("Usage: e3\n").is_empty());
    }
}
