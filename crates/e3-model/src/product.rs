//! The version that a product says it has.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A product's version, such as 8.19.2; in order of age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ProductVersion {
    /// The first number.
    pub major: u32,
    /// The second.
    pub minor: u32,
    /// The third; 0 where there is none.
    pub patch: u32,
}

impl ProductVersion {
    /// Returns the version of these numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// Returns the version that a text begins with, such as `8.19.2` or `9.0.0-rc1`; none where it begins otherwise.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.split(|c: char| c != '.' && !c.is_ascii_digit()).next().unwrap_or_default();
        let mut numbers = plain.split('.').map(str::parse);
        let major = numbers.next()?.ok()?;
        let mut next = || numbers.next().and_then(Result::ok).unwrap_or(0);
        Some(Self { major, minor: next(), patch: next() })
    }
}

impl fmt::Display for ProductVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl TryFrom<String> for ProductVersion {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is no version such as 8.19.2"))
    }
}

impl From<ProductVersion> for String {
    fn from(version: ProductVersion) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_real_servers_are_versions_in_order_of_age() {
        for (text, expected, why) in [
            ("7.11.2", Some(ProductVersion::new(7, 11, 2)), "as recorded"),
            ("4.11", Some(ProductVersion::new(4, 11, 0)), "without a patch"),
            ("10.0.0-rc3", Some(ProductVersion::new(10, 0, 0)), "before a release"),
            ("9.4.1+b7", Some(ProductVersion::new(9, 4, 1)), "with a build"),
            ("", None, "nothing"),
            ("unknown", None, "no number"),
            (".4", None, "no first number"),
        ] {
            assert_eq!(ProductVersion::parse(text), expected, "{why}");
        }
        assert!(ProductVersion::new(10, 0, 0) > ProductVersion::new(9, 4, 1));
        let json = serde_json::to_string(&ProductVersion::new(8, 19, 0)).unwrap();
        assert_eq!(json, r#""8.19.0""#);
        assert_eq!(serde_json::from_str::<ProductVersion>(&json).unwrap(), ProductVersion::new(8, 19, 0));
    }
}
