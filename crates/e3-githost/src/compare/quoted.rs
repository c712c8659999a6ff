//! Paths as git writes them where a line may hold one: in C's quotes if they have special bytes.

/// Returns the path that a word of git's output stands for. Bytes that are no UTF-8 become replacement characters.
///
/// Source: git's `quote.c`: `\a \b \t \n \v \f \r \" \\` and three octal digits.
pub(super) fn unquote(word: &str) -> String {
    let Some(inner) = word.strip_prefix('"').and_then(|word| word.strip_suffix('"')) else {
        return word.to_owned();
    };
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(digit @ b'0'..=b'3') => {
                let mut value = u32::from(digit - b'0');
                for _ in 0..2 {
                    value =
                        value * 8 + rest.next().map_or(0, |digit| u32::from(digit.wrapping_sub(b'0') & 7));
                }
                bytes.push(u8::try_from(value & 0xff).unwrap_or(b'?'));
            }
            Some(escape) => bytes.push(plain(escape)),
            None => bytes.push(b'\\'),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Returns how git writes the name with a prefix in a patch's first line.
pub(super) fn prefixed(prefix: &str, word: &str) -> String {
    match word.strip_prefix('"') {
        Some(rest) => format!("\"{prefix}{rest}"),
        None => format!("{prefix}{word}"),
    }
}

fn plain(escape: u8) -> u8 {
    match escape {
        b'a' => 7,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_are_taken_off() {
        for (word, path) in [
            ("plain/path.txt", "plain/path.txt"),
            ("\"tab\\there\"", "tab\there"),
            ("\"\\303\\244 \\\"x\\\" \\\\\"", "ä \"x\" \\"),
            ("\"line\\ndiff --git a/x b/x\"", "line\ndiff --git a/x b/x"),
            ("\"", "\""),
        ] {
            assert_eq!(unquote(word), path, "{word}");
        }
        assert_eq!(prefixed("a/", "x"), "a/x");
        assert_eq!(prefixed("a/", "\"x\\n\""), "\"a/x\\n\"");
    }

    proptest! {
        #[test]
        fn no_word_breaks_it(word in any::<String>()) {
            let _ = unquote(&word);
            let _ = unquote(&format!("\"{word}\""));
            let _ = unquote(&format!("\"\\{word}\""));
        }
    }
}
