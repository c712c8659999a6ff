//! The name of an object.

use std::fmt;

/// The SHA-1 name of an object; shown as 40 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId([u8; 20]);

impl ObjectId {
    /// Parses 40 lower-case hex digits; none for anything else.
    pub fn parse(hex: &[u8]) -> Option<Self> {
        let mut id = [0; 20];
        let (pairs, rest) = hex.as_chunks::<2>();
        if pairs.len() != id.len() || !rest.is_empty() {
            return None;
        }
        let value = |digit: u8| VALUES.get(usize::from(digit)).copied().unwrap_or(NO_DIGIT);
        let mut seen = 0;
        for (byte, [high, low]) in id.iter_mut().zip(pairs) {
            let (high, low) = (value(*high), value(*low));
            seen |= high | low;
            *byte = high << 4 | low;
        }
        (seen < NO_DIGIT).then_some(Self(id))
    }

    /// The id of no object: what a new branch pointed to before, and a deleted one afterwards.
    pub const ZERO: Self = Self([0; 20]);

    /// Returns the id of these bytes.
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// Returns the id's bytes, as a tree holds them.
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// Returns whether this is the id of no object, as a server with no refs sends it.
    pub fn is_zero(self) -> bool {
        self.0 == [0; 20]
    }
}

/// The value of each byte as a hex digit in lower case; 16 for what is none.
///
/// Lists of refs are mostly ids, and a table reads a digit in one step where a comparison takes several.
const VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let digits = *b"0123456789abcdef";
    let mut value = 0;
    while value < digits.len() {
        #[expect(
            clippy::indexing_slicing,
            clippy::cast_possible_truncation,
            reason = "evaluated by the compiler"
        )]
        {
            values[digits[value] as usize] = value as u8;
        }
        value += 1;
    }
    values
};
const NO_DIGIT: u8 = 16;

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_forty_lower_case_digits() {
        let hex = "85040fff6e688f9148600929555048056b27bb97";
        assert_eq!(ObjectId::parse(hex.as_bytes()).unwrap().to_string(), hex);
        assert!(ObjectId::parse(&[b'0'; 40]).unwrap().is_zero());
        for bad in [
            "",
            "85040f",
            &hex.to_uppercase(),
            &format!("{hex}0"),
            &format!("{hex}00"),
            &hex.replace('8', "g"),
        ] {
            assert_eq!(ObjectId::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
