//! Quantities as people read them: three significant digits, thousands separated, the unit beside the number.
//!
//! Everything that shows a measured number to a person shows it through here, so that the same number looks the same in
//! the terminal, in the report and in a pull request.

/// Returns a count in full, such as `1,234`.
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// Returns a number with three significant digits, such as `0.0532`, `5.32`, `53.2` or `53,200`; what is not finite is
/// a dash.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    // Rounding first keeps 9.996 from becoming 10.00: the exponent is that of the rounded number.
    let rounded = format!("{value:.2e}");
    let exponent: i32 = rounded.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    let value: f64 = rounded.parse().unwrap_or(value);
    let decimals = usize::try_from(2 - exponent).unwrap_or(0).min(12);
    grouped(&format!("{value:.decimals$}"))
}

/// Returns a number with at most three significant digits and no more than it needs, such as `0.5`, `20` or `1,500`: for
/// the ticks of an axis.
pub fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    if rounded.is_finite() { grouped(&rounded.to_string()) } else { "–".to_owned() }
}

/// Returns a latency from milliseconds, such as `0.532 ms`, `412 ms` or `1.23 s`.
pub fn latency(milliseconds: f64) -> String {
    if milliseconds >= 999.5 {
        format!("{} s", number(milliseconds / 1000.0))
    } else {
        format!("{} ms", number(milliseconds))
    }
}

/// Returns a throughput, such as `12.3 ops/s`.
pub fn rate(per_second: f64) -> String {
    format!("{} ops/s", number(per_second))
}

/// Returns a share of 0 to 1 as a percentage, such as `12.3 %`.
pub fn percent(share: f64) -> String {
    format!("{} %", number(share * 100.0))
}

/// Returns a number of bytes in decimal units, such as `1.23 MB`.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn bytes(value: u64) -> String {
    let mut rest = value as f64;
    if value < 1000 {
        return format!("{value} B");
    }
    for unit in ["kB", "MB", "GB", "TB", "PB"] {
        rest /= 1000.0;
        if rest < 999.5 {
            return format!("{} {unit}", number(rest));
        }
    }
    format!("{} EB", number(rest / 1000.0))
}

/// Puts a comma between every three digits before the decimal point.
fn grouped(text: &str) -> String {
    let (whole, fraction) =
        text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut out = String::from(sign);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_significant_digits() {
        for (value, shown) in [
            (0.0, "0"),
            (0.000_456_4, "0.000456"),
            (0.05324, "0.0532"),
            (5.3, "5.30"),
            (9.996, "10.0"),
            (99.95, "100"),
            (532.4, "532"),
            (1234.0, "1,230"),
            (-53_249.0, "-53,200"),
            (1e9, "1,000,000,000"),
            (f64::NAN, "–"),
            (f64::INFINITY, "–"),
        ] {
            assert_eq!(number(value), shown, "{value}");
        }
    }

    #[test]
    fn ticks_are_short() {
        for (value, shown) in
            [(0.1 + 0.2, "0.3"), (20.0, "20"), (1500.0, "1,500"), (2.5, "2.5"), (f64::NAN, "–")]
        {
            assert_eq!(short(value), shown);
        }
    }

    #[test]
    fn units_follow_the_size() {
        assert_eq!(latency(0.5321), "0.532 ms");
        assert_eq!(latency(999.4), "999 ms");
        assert_eq!(latency(999.6), "1.00 s");
        assert_eq!(latency(75_210.0), "75.2 s");
        assert_eq!(rate(12.34), "12.3 ops/s");
        assert_eq!(percent(0.1234), "12.3 %");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_234_000), "1.23 MB");
        assert_eq!(bytes(999_900), "1.00 MB");
        assert_eq!(bytes(u64::MAX), "18.4 EB");
    }
}
