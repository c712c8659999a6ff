//! Metrics with their units, as axes and legends show them.

use e3_model::quantity;

/// Returns a value with its unit, such as `45.2 %` or `1.20 MB/s`.
pub(crate) fn shown(value: f64, unit: &str) -> String {
    match unit {
        "bytes" => bytes(value, quantity::number),
        "bytes/s" => format!("{}/s", bytes(value, quantity::number)),
        "1/s" => format!("{}/s", quantity::number(value)),
        "ms" => quantity::latency(value),
        "" => quantity::number(value),
        other => format!("{} {other}", quantity::number(value)),
    }
}

/// Returns a value as an axis shows it; the axis' name has the unit, but for bytes.
pub(crate) fn tick(value: f64, unit: &str) -> String {
    match unit {
        "bytes" | "bytes/s" if value != 0.0 => bytes(value, quantity::short),
        _ => quantity::short(value),
    }
}

/// Returns an axis' name.
pub(crate) fn axis_name(unit: &str) -> &str {
    match unit {
        "%" => "in %",
        "bytes" => "bytes",
        "bytes/s" => "bytes per second",
        "1/s" => "per second",
        "ms" => "in ms",
        "" => "number",
        other => other,
    }
}

fn bytes(value: f64, shown: fn(f64) -> String) -> String {
    let mut rest = value;
    for unit in ["B", "kB", "MB", "GB", "TB"] {
        if rest.abs() < 999.5 {
            return format!("{} {unit}", shown(rest));
        }
        rest /= 1000.0;
    }
    format!("{} PB", shown(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_reads_well() {
        for (value, unit, text) in [
            (45.23, "%", "45.2 %"),
            (1_200_000.0, "bytes/s", "1.20 MB/s"),
            (2e9, "bytes", "2.00 GB"),
            (3.0, "1/s", "3.00/s"),
            (1500.0, "ms", "1.50 s"),
            (2.0, "", "2.00"),
            (7.0, "°C", "7.00 °C"),
        ] {
            assert_eq!(shown(value, unit), text);
        }
        assert_eq!(tick(500_000.0, "bytes"), "500 kB");
        assert_eq!(tick(0.0, "bytes"), "0");
    }
}
