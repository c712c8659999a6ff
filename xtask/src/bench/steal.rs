//! What other machines on the same hardware took away while something was measured.

/// Processor time at one moment: what was stolen so far, and how much there was.
#[derive(Clone, Copy)]
pub(super) struct Stolen {
    stolen: f64,
    all: f64,
}

impl Stolen {
    /// Reads both from the system.
    ///
    /// Source: `proc_stat(5)`: the eighth number of the first line, in the same unit as the others.
    pub(super) fn now() -> Self {
        let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        let words = text.lines().next().unwrap_or("").split_whitespace().skip(1);
        let numbers: Vec<f64> = words.filter_map(|word| word.parse().ok()).collect();
        Self { stolen: numbers.get(7).copied().unwrap_or(0.0), all: numbers.iter().take(8).sum() }
    }

    /// Returns what was stolen since, as a sentence.
    pub(super) fn since(self) -> String {
        let now = Self::now();
        let part = (now.stolen - self.stolen) / (now.all - self.all).max(1.0);
        format!("stolen by other machines meanwhile: {:.1} %", 100.0 * part)
    }
}
