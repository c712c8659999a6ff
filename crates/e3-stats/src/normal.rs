//! Quantiles of the standard normal and of Student's distribution.

use crate::gamma::ln_gamma;

/// Returns the standard normal quantile of a share between 0 and 1; infinite at both ends.
///
/// Source: M. J. Wichura: Algorithm AS 241, Applied Statistics 37 (1988), PPND16: about 16 digits.
pub(crate) fn normal_quantile(share: f64) -> f64 {
    let q = share - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(&CENTRE, r) / polynomial(&CENTRE_BELOW, r);
    }
    let tail = if q < 0.0 { share } else { 1.0 - share };
    if tail <= 0.0 {
        return f64::INFINITY.copysign(q);
    }
    let r = (-tail.ln()).sqrt();
    let far = if r <= 5.0 {
        polynomial(&NEAR, r - 1.6) / polynomial(&NEAR_BELOW, r - 1.6)
    } else {
        polynomial(&FAR, r - 5.0) / polynomial(&FAR_BELOW, r - 5.0)
    };
    far.copysign(q)
}

/// Returns the quantile of Student's distribution for a share from 0.5 up to 1 and degrees of freedom of at least 1.
pub(crate) fn student_quantile(share: f64, degrees: f64) -> f64 {
    let tail = 2.0 * (1.0 - share);
    let (mut low, mut high) = (0.0, 1.0);
    while two_tails(high, degrees) > tail && high < 1e9 {
        high *= 2.0;
    }
    for _ in 0..70 {
        let middle = f64::midpoint(low, high);
        if two_tails(middle, degrees) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// Returns the chance that a Student variable lies farther from 0 than `t`.
///
/// Source: M. Abramowitz, I. A. Stegun: Handbook of Mathematical Functions, 26.7.1 with 26.5.27.
fn two_tails(t: f64, degrees: f64) -> f64 {
    incomplete_beta(degrees / 2.0, 0.5, degrees / (degrees + t * t))
}

/// Returns the regularised incomplete beta function.
///
/// Source: W. H. Press et al.: Numerical Recipes, 3rd edition, section 6.4: Lentz' continued fraction.
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x) / a
    } else {
        1.0 - front * beta_fraction(b, a, 1.0 - x) / b
    }
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut h = d;
    for step in 1..STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut factor = 1.0;
        for numerator in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + numerator * d);
            c = away_from_zero(1.0 + numerator / c);
            factor = d * c;
            h *= factor;
        }
        if (factor - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    h
}

fn away_from_zero(value: f64) -> f64 {
    if value.abs() < TINY { TINY } else { value }
}

fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

const STEPS: u32 = 1_000;
const TINY: f64 = 1e-300;
const CENTRE: [f64; 8] = [
    3.387_132_872_796_366_5,
    133.141_667_891_784_38,
    1_971.590_950_306_551_3,
    13_731.693_765_509_46,
    45_921.953_931_549_87,
    67_265.770_927_008_7,
    33_430.575_583_588_13,
    2_509.080_928_730_122_7,
];
const CENTRE_BELOW: [f64; 8] = [
    1.0,
    42.313_330_701_600_91,
    687.187_007_492_057_9,
    5_394.196_021_424_751,
    21_213.794_301_586_597,
    39_307.895_800_092_71,
    28_729.085_735_721_943,
    5_226.495_278_852_545,
];
const NEAR: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    0.241_780_725_177_450_6,
    0.022_723_844_989_269_184,
    0.000_774_545_014_278_341_4,
];
const NEAR_BELOW: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    0.689_767_334_985_1,
    0.148_103_976_427_480_08,
    0.015_198_666_563_616_457,
    0.000_547_593_808_499_534_5,
    1.050_750_071_644_416_9e-9,
];
const FAR: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    0.296_560_571_828_504_87,
    0.026_532_189_526_576_124,
    0.001_242_660_947_388_078_4,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const FAR_BELOW: [f64; 8] = [
    1.0,
    0.599_832_206_555_888,
    0.136_929_880_922_735_8,
    0.014_875_361_290_850_615,
    0.000_786_869_131_145_613_2,
    1.846_318_317_510_054_7e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_quantiles_agree_with_scipy() {
        // Source: scipy 1.17.1, `norm.ppf`.
        for (share, expected) in NORMAL {
            let found = normal_quantile(share);
            assert!((found - expected).abs() <= 1e-14 * expected.abs().max(1.0), "{share}: {found}");
        }
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
    }

    #[test]
    fn student_quantiles_agree_with_scipy() {
        // Source: scipy 1.17.1, `t.ppf(share, degrees)`.
        for (share, degrees, expected) in STUDENT {
            let found = student_quantile(share, degrees);
            assert!((found / expected - 1.0).abs() < 1e-9, "{share}, {degrees}: {found}");
        }
    }

    const NORMAL: [(f64, f64); 7] = [
        (1e-9, -5.997_807_015_007_686_5),
        (0.001, -3.090_232_306_167_813),
        (0.05, -1.644_853_626_951_472_9),
        (0.5, 0.0),
        (0.6, 0.253_347_103_135_799_7),
        (0.975, 1.959_963_984_540_054),
        (0.999, 3.090_232_306_167_813),
    ];
    const STUDENT: [(f64, f64, f64); 7] = [
        (0.975, 1.0, 12.706_204_736_174_694),
        (0.975, 2.0, 4.302_652_729_749_462),
        (0.975, 4.5, 2.658_912_347_204_403_4),
        (0.975, 9.0, 2.262_157_162_798_205),
        (0.975, 120.0, 1.979_930_405_082_440_2),
        (0.995, 30.0, 2.749_995_653_567_225_4),
        (0.6, 7.0, 0.263_166_861_352_022_9),
    ];
}
