//! The name of an object.

use std::fmt;

/// The SHA-1 name of an object; shown as 40 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId([u8; 20]);

impl ObjectId {
    /// Parses 40 lower-case hex digits; none for anything else.
    pub fn parse(hex: &[u8]) -> Option<Self> {
        // Lists of refs are mostly ids; without a branch a digit, the compiler reads many digits at a time.
        let hex: &[u8; 40] = hex.try_into().ok()?;
        let is_digit = |byte: &u8| (byte.wrapping_sub(b'0') < 10) | (byte.wrapping_sub(b'a') < 6);
        if !hex.iter().fold(true, |all, byte| all & is_digit(byte)) {
            return None;
        }
        // Source: ASCII, where '0' is 0x30 and 'a' is 0x61.
        let values = hex.map(|byte| (byte & 0x0f) + 9 * (byte >> 6));
        let (pairs, _) = values.as_chunks::<2>();
        let mut id = [0; 20];
        for (byte, [high, low]) in id.iter_mut().zip(pairs) {
            *byte = high << 4 | low;
        }
        Some(Self(id))
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
