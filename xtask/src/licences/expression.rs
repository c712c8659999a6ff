//! A licence expression as a package states it, and whether a list of licences satisfies it.

use std::fmt;

/// A licence expression.
///
/// Source: SPDX specification 2.3, annex D; `/` for `OR` is cargo's deprecated form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expression {
    /// One licence, with its exception if there is one.
    Licence { id: String, exception: Option<String> },
    /// All of them apply.
    All(Vec<Expression>),
    /// One of them may be chosen.
    Any(Vec<Expression>),
}

/// Says why a text is no licence expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed(String);

impl Expression {
    /// Returns the expression that a text states.
    ///
    /// # Errors
    /// When the text is no licence expression.
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        let spaced = text.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
        let mut parser = Parser { tokens: spaced.split_whitespace().peekable() };
        let expression = parser.any()?;
        match parser.tokens.next() {
            None => Ok(expression),
            Some(token) => Err(Malformed(format!("unexpected {token:?}"))),
        }
    }

    /// Returns whether these licences, and these exceptions to them, satisfy the expression.
    pub(crate) fn is_satisfied(&self, licences: &[&str], exceptions: &[&str]) -> bool {
        match self {
            Self::Licence { id, exception } => {
                // A trailing plus allows later versions too, so the licence itself is enough.
                licences.contains(&id.trim_end_matches('+'))
                    && exception.as_deref().is_none_or(|exception| exceptions.contains(&exception))
            }
            Self::All(parts) => parts.iter().all(|part| part.is_satisfied(licences, exceptions)),
            Self::Any(parts) => parts.iter().any(|part| part.is_satisfied(licences, exceptions)),
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `WITH` binds tighter than `AND`, and `AND` tighter than `OR`.
struct Parser<'a> {
    tokens: std::iter::Peekable<std::str::SplitWhitespace<'a>>,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Expression, Malformed> {
        let mut parts = vec![self.all()?];
        while self.tokens.next_if_eq(&"OR").is_some() {
            parts.push(self.all()?);
        }
        Ok(single_or(parts, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression, Malformed> {
        let mut parts = vec![self.licence()?];
        while self.tokens.next_if_eq(&"AND").is_some() {
            parts.push(self.licence()?);
        }
        Ok(single_or(parts, Expression::All))
    }

    fn licence(&mut self) -> Result<Expression, Malformed> {
        if self.tokens.next_if_eq(&"(").is_some() {
            let inner = self.any()?;
            return match self.tokens.next() {
                Some(")") => Ok(inner),
                _ => Err(Malformed("a parenthesis is not closed".to_owned())),
            };
        }
        let id = self.id()?;
        let exception = if self.tokens.next_if_eq(&"WITH").is_some() { Some(self.id()?) } else { None };
        Ok(Expression::Licence { id, exception })
    }

    fn id(&mut self) -> Result<String, Malformed> {
        match self.tokens.next() {
            Some(token) if !["OR", "AND", "WITH", "(", ")"].contains(&token) => Ok(token.to_owned()),
            Some(token) => Err(Malformed(format!("expected a licence, found {token:?}"))),
            None => Err(Malformed("expected a licence, found the end".to_owned())),
        }
    }
}

fn single_or(mut parts: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.len() {
        1 => parts.remove(0),
        _ => many(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_expressions() {
        for (text, satisfied, why) in [
            ("MIT", true, "allowed"),
            ("GPL-3.0-only", false, "not allowed"),
            ("GPL-3.0-only OR MIT", true, "one is enough"),
            ("GPL-3.0-only AND MIT", false, "both apply"),
            ("MIT/Apache-2.0", true, "cargo's old form"),
            ("Apache-2.0 / GPL-2.0", true, "with spaces too"),
            ("(MIT OR GPL-2.0) AND Apache-2.0", true, "parentheses"),
            ("MIT OR GPL-2.0 AND GPL-3.0", true, "AND binds tighter than OR"),
            ("(MIT OR GPL-2.0) AND GPL-3.0", false, "unless parentheses say otherwise"),
            ("Apache-2.0 WITH LLVM-exception", true, "an allowed exception"),
            ("Apache-2.0 WITH Strange-exception", false, "another one"),
            ("GPL-3.0-only WITH LLVM-exception OR MIT", true, "WITH binds tightest"),
            ("Apache-2.0+", true, "or later"),
            ("mit", false, "identifiers are exact"),
        ] {
            let expression = Expression::parse(text).unwrap();
            assert_eq!(
                expression.is_satisfied(&["MIT", "Apache-2.0"], &["LLVM-exception"]),
                satisfied,
                "{text}: {why}"
            );
        }
    }

    #[test]
    fn refuses_what_is_no_expression() {
        for text in [
            "",
            "OR",
            "MIT OR",
            "MIT Apache-2.0",
            "(MIT",
            "MIT)",
            "MIT WITH",
            "MIT AND OR BSD-3-Clause",
            "()",
        ] {
            assert!(Expression::parse(text).is_err(), "{text:?}");
        }
    }
}
