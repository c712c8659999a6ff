//! Links of the built book: every one leads to a file of the book and to an anchor in it, and nothing asks the network.
//!
//! A link to elsewhere is only looked at, never followed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result};

/// Pages that mdbook makes of the others, with links of its own kind.
const MADE: &[&str] = &["404.html", "print.html", "toc.html"];

/// Says which links lead nowhere.
///
/// # Errors
/// When the book cannot be read.
pub(super) fn problems(book: &Path) -> Result<Vec<String>> {
    let mut pages = BTreeMap::new();
    collect(book, "", &mut pages)?;
    let anchors: BTreeMap<&str, BTreeSet<String>> =
        pages.iter().map(|(path, html)| (path.as_str(), values(html, "id").collect())).collect();
    let exists = |path: &str| book.join(path).is_file();
    let mut problems = Vec::new();
    for (page, html) in pages.iter().filter(|(path, _)| !MADE.contains(&path.as_str())) {
        for link in values(html, "href") {
            problems.extend(problem(page, &link, &anchors, &exists));
        }
        let outside = values(html, "src").filter(|source| source.contains("//"));
        problems.extend(outside.map(|source| format!("{page} asks the network for {source}")));
        if html.contains("{{#") {
            problems.push(format!("{page} includes what is not there"));
        }
    }
    Ok(problems)
}

/// Says what is wrong with one link.
fn problem(
    page: &str,
    link: &str,
    anchors: &BTreeMap<&str, BTreeSet<String>>,
    exists: &impl Fn(&str) -> bool,
) -> Option<String> {
    if let Some((scheme, rest)) = link.split_once(':') {
        let host = rest
            .strip_prefix("//")
            .is_some_and(|rest| rest.contains('.') && !rest.contains(char::is_whitespace));
        let fine = scheme == "https" && host;
        return (!fine).then(|| format!("{page} links to {link}, which is no address"));
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = if path.is_empty() { page.to_owned() } else { resolved(page, path) };
    if !exists(&target) {
        return Some(format!("{page} links to {link}, which does not exist"));
    }
    let known = anchor.is_empty() || anchors.get(target.as_str()).is_none_or(|known| known.contains(anchor));
    (!known).then(|| format!("{page} links to {link}, but there is no such anchor"))
}

/// Returns a path that is relative to a page's folder as one relative to the book.
fn resolved(page: &str, path: &str) -> String {
    let mut names: Vec<&str> = page.split('/').collect();
    names.pop();
    for name in path.split('/') {
        match name {
            "." | "" => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    names.join("/")
}

/// Returns the values of an attribute, outside scripts.
fn values<'a>(html: &'a str, name: &str) -> impl Iterator<Item = String> + 'a {
    let start = format!(" {name}=\"");
    let texts = html.split("<script").enumerate().map(|(index, text)| match text.split_once("</script>") {
        Some((script, after)) if index > 0 => (script.split('>').next().unwrap_or_default(), after),
        _ => ("", text),
    });
    texts.flat_map(move |(tag, text)| {
        let found = [tag, text].into_iter().flat_map(|text| {
            text.split(start.as_str()).skip(1).filter_map(|rest| rest.split('"').next()).collect::<Vec<_>>()
        });
        found.map(|value| value.replace("&amp;", "&")).collect::<Vec<_>>()
    })
}

fn collect(directory: &Path, prefix: &str, pages: &mut BTreeMap<String, String>) -> Result<()> {
    let unreadable = || format!("cannot read {}", directory.display());
    for entry in std::fs::read_dir(directory).with_context(unreadable)? {
        let file = entry.with_context(unreadable)?.path();
        let path = format!("{prefix}{}", file.file_name().unwrap_or_default().to_string_lossy());
        if file.is_dir() {
            collect(&file, &format!("{path}/"), pages)?;
        } else if path.ends_with(".html") {
            let html =
                std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            pages.insert(path, html);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_somewhere_or_are_a_problem() {
        let book = tempfile::tempdir().unwrap();
        std::fs::create_dir(book.path().join("documents")).unwrap();
        let write = |path: &str, html: &str| std::fs::write(book.path().join(path), html).unwrap();
        write(
            "index.html",
            r#"<a href="documents/plan.html#fields">x</a> <a href="https://example.org/a&amp;b">x</a>"#,
        );
        write(
            "documents/plan.html",
            r##"<h2 id="fields">Fields</h2> <a href="../index.html">x</a> <a href="#fields">x</a> <script src="../a.js">' href="nowhere"'</script>"##,
        );
        assert_eq!(problems(book.path()).unwrap(), Vec::<String>::new());
        write(
            "wrong.html",
            r##"<a href="index.html#no">x</a> <a href="no.html">x</a> <a href="http://x">x</a> <img src="https://e.org/a.png"> {{#include x}}"##,
        );
        let problems = problems(book.path()).unwrap();
        assert_eq!(problems.len(), 5, "{problems:?}");
        assert_eq!(problems[0], "wrong.html links to index.html#no, but there is no such anchor");
    }
}
