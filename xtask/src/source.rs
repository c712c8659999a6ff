//! Rust text as far as the checks need it: code without its comments and literals, and the functions in it.

/// Returns the text with comments and literals blanked: same lines, same width.
pub(crate) fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let before = code.chars().next_back();
        let (opaque, after) = rest.split_at(opaque_length(rest, before).unwrap_or(first.len_utf8()));
        if opaque.len() == first.len_utf8() {
            code.push(first);
        } else {
            code.extend(opaque.chars().map(|c| if c == '\n' { c } else { ' ' }));
        }
        rest = after;
    }
    code
}

/// A function: its name, its first line from 1, and how many lines it takes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// The line of its `fn`, from 1.
    pub(crate) line: usize,
    /// Lines from `fn` to the closing brace, both included.
    pub(crate) lines: usize,
}

/// Returns the functions with a body in some code without comments and literals, in order.
pub(crate) fn functions(code: &str) -> Vec<Function> {
    let mut functions = Vec::new();
    for (line, text) in code.lines().enumerate() {
        let Some(start) = keyword(text, "fn") else { continue };
        let signature = text.get(start..).unwrap_or_default();
        let name: String = signature.chars().take_while(|c| is_word(*c)).collect();
        let before: usize = code.lines().take(line).map(|line| line.len() + 1).sum();
        let body = code.get(before + start..).unwrap_or_default();
        if let Some(lines) = body_lines(body).filter(|_| !name.is_empty()) {
            functions.push(Function { name, line: line + 1, lines });
        }
    }
    functions
}

/// Returns the word after each of some keywords, with its line from 1: `struct Plan` gives `Plan` for `struct`.
pub(crate) fn declared(code: &str, keywords: &[&str]) -> Vec<(String, usize)> {
    let mut names = Vec::new();
    for (line, text) in code.lines().enumerate() {
        for start in keywords.iter().filter_map(|word| keyword(text, word)) {
            let name: String =
                text.get(start..).unwrap_or_default().chars().take_while(|c| is_word(*c)).collect();
            if !name.is_empty() {
                names.push((name, line + 1));
            }
        }
    }
    names
}

/// Returns the length of the comment or literal at the start of `rest`; `before` is the character in front of it.
fn opaque_length(rest: &str, before: Option<char>) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment_length(rest));
    }
    if let Some(inside) = rest.strip_prefix('"') {
        return Some(1 + quoted_length(inside, '"'));
    }
    if let Some(inside) = rest.strip_prefix('\'') {
        return character_length(inside).map(|length| 1 + length);
    }
    if before.is_some_and(is_word) { None } else { raw_string_length(rest) }
}

/// Returns the length of a block comment; they nest.
fn block_comment_length(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(here) = rest.get(at..).filter(|here| !here.is_empty()) {
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// Returns the length up to and with the closing quote, minding backslashes.
fn quoted_length(inside: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    inside.len()
}

/// Returns the length of a character literal after its first quote; none for a lifetime.
fn character_length(inside: &str) -> Option<usize> {
    let first = inside.chars().next()?;
    if first == '\\' {
        return Some(quoted_length(inside, '\''));
    }
    inside.get(first.len_utf8()..)?.starts_with('\'').then(|| first.len_utf8() + 1)
}

/// Returns the length of a raw string: `r"…"`, `br#"…"#`, `cr"…"`; none for anything else, raw identifiers included.
fn raw_string_length(rest: &str) -> Option<usize> {
    let marked = rest.strip_prefix(['b', 'c']).unwrap_or(rest).strip_prefix('r')?;
    let inside = marked.trim_start_matches('#').strip_prefix('"')?;
    let hashes = marked.len() - inside.len() - 1;
    let close = format!("\"{}", "#".repeat(hashes));
    let end = inside.find(&close).map_or(inside.len(), |at| at + close.len());
    Some(rest.len() - inside.len() + end)
}

/// Returns the lines from the start of a signature to the end of its body; none when a `;` ends it.
fn body_lines(signature: &str) -> Option<usize> {
    let (mut lines, mut brackets, mut braces) = (1, 0_usize, 0_usize);
    for c in signature.chars() {
        match c {
            '\n' => lines += 1,
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            ';' if brackets == 0 && braces == 0 => return None,
            '{' => braces += 1,
            '}' if braces == 1 => return Some(lines),
            '}' => braces = braces.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Returns where the word after a keyword starts in a line of code.
fn keyword(line: &str, word: &str) -> Option<usize> {
    line.match_indices(word).find_map(|(at, _)| {
        let before = line.get(..at)?.chars().next_back();
        let after = line.get(at + word.len()..)?.strip_prefix(' ')?;
        (!before.is_some_and(is_word)).then(|| line.len() - after.len())
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked() {
        for (text, hidden, why) in [
            ("let a = 1; // fn x() {", "let a = 1;            ", "line comment"),
            ("a /* b /* c */ d */ e", "a                   e", "block comments nest"),
            (r#"f("a \" // b", c)"#, "f(           , c)", "escaped quote"),
            (r##"f(r#"a " b"#, c)"##, "f(          , c)", "raw string"),
            (r#"f(br"\", c)"#, "f(     , c)", "a raw string knows no backslash"),
            ("let r#type = 1;", "let r#type = 1;", "raw identifier"),
            ("f('\"', '\\'', '{')", "f(   ,     ,    )", "characters"),
            ("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)", "lifetimes"),
            ("\"a\nb\"", "  \n  ", "lines stay"),
        ] {
            assert_eq!(code(text).trim_end(), hidden.trim_end(), "{why}");
        }
    }

    #[test]
    fn measures_functions() {
        let text = "trait T {\n    fn none(&self) -> [u8; 3];\n}\nfn one() {}\n\npub(crate) fn three(a: [u8; 2]) {\n    if a { \"}\" }\n}\n";
        let found = functions(&code(text));
        let of = |name: &str, line, lines| Function { name: name.to_owned(), line, lines };
        assert_eq!(found, [of("one", 4, 1), of("three", 6, 3)]);
    }

    #[test]
    fn finds_declared_names() {
        let text = "pub struct Plan;\nenum Mix {}\n// struct Comment;\nmod span;\nlet structure = 1;";
        let names: Vec<String> =
            declared(&code(text), &["struct", "enum", "mod"]).into_iter().map(|found| found.0).collect();
        assert_eq!(names, ["Plan", "Mix", "span"]);
    }
}
