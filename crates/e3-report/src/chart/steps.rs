//! Outlines of histograms: a step per bucket, down to the ground where a bucket is missing.

use super::Place;

/// One bucket of an outline, in places.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) top: f64,
}

/// Returns the outline of buckets, which ascend, above a ground; none for no buckets.
pub(crate) fn steps(buckets: impl Iterator<Item = Step>, ground: f64) -> String {
    let mut path = String::new();
    let ground = Place(ground);
    let mut end: Option<f64> = None;
    for Step { from, to, top } in buckets {
        let (left, right, top) = (Place(from), Place(to), Place(top));
        match end {
            // Neighbours share an edge, but for rounding.
            Some(end) if from - end < 0.3 => path.push_str(&format!("V{top}H{right}")),
            Some(_) => path.push_str(&format!("V{ground}M{left} {ground}V{top}H{right}")),
            None => path.push_str(&format!("M{left} {ground}V{top}H{right}")),
        }
        end = Some(to);
    }
    if end.is_some() {
        path.push_str(&format!("V{ground}"));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_bucket_takes_the_outline_to_the_ground() {
        let step = |from: f64, top: f64| Step { from, to: from + 10.0, top };
        let outline = steps([step(0.0, 5.0), step(10.0, 3.0), step(30.0, 8.0)].into_iter(), 9.0);
        assert_eq!(outline, "M0 9V5H10V3H20V9M30 9V8H40V9");
        assert_eq!(steps([].into_iter(), 9.0), "");
    }
}
