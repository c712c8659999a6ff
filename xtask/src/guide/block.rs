//! Fenced blocks of a page, and what is to be done with each.
//!
//! The words behind the fence say it, separated by commas: `console` blocks are run command by command, unless they are
//! `not-run`; `sh,run` blocks are run as a script; a `json` block names the document that it is (`json,experiment`), or
//! that it is a `part` of one. `exit=3` names another exit code than 0 (`exit=0/32` allows both, and what is shown belongs
//! to the first), `name=N` puts a document into the page's home under that name.

use super::pages::Page;

/// A fenced block.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// The page and the line of the fence, as `PAGE:LINE`.
    pub(super) place: String,
    /// The first word behind the fence.
    pub(super) language: String,
    /// The other words.
    words: Vec<String>,
    /// What stands between the fences.
    pub(super) text: String,
}

impl Block {
    /// Returns whether a word stands behind the fence.
    pub(super) fn has(&self, word: &str) -> bool {
        self.words.iter().any(|own| own == word)
    }

    /// Returns the value of a word of the form `key=value`.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        self.words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    /// Returns the exit codes that are right, 0 unless the page says otherwise.
    pub(super) fn exits(&self) -> Vec<i32> {
        let codes = self.value("exit").unwrap_or("0");
        codes.split('/').filter_map(|code| code.parse().ok()).collect()
    }

    /// Returns whether the block is but a place for another file.
    pub(super) fn is_included(&self) -> bool {
        self.text.contains("{{#")
    }
}

/// Returns a page's fenced blocks, in order.
pub(super) fn blocks(page: &Page) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    // The fence that is open, such as "```"; only the same one closes it.
    let mut open: Option<String> = None;
    for (index, line) in page.text.lines().enumerate() {
        let fence: String = line.chars().take_while(|c| *c == '`').collect();
        match (&open, blocks.last_mut()) {
            (Some(fence), _) if line.trim_end() == fence => open = None,
            (Some(_), Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            _ if fence.len() >= 3 => {
                let mut words =
                    line.trim_start_matches('`').trim().split(',').map(|word| word.trim().to_owned());
                let place = format!("{}:{}", page.path, index + 1);
                let language = words.next().unwrap_or_default();
                blocks.push(Block { place, language, words: words.collect(), text: String::new() });
                open = Some(fence);
            }
            _ => {}
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_behind_the_fence_say_what_is_done() {
        let text = "# Page\n\n```json,experiment,name=mine,exit=10\n{}\n```\n\ntext\n\n````text\n```\ninner\n```\n````\n```sh,exit=0/32\ntrue\n```\n";
        let blocks = blocks(&Page { path: "page.md".to_owned(), text: text.to_owned() });
        let [first, second, third] = &blocks[..] else { panic!("{blocks:?}") };
        assert_eq!((first.place.as_str(), first.language.as_str()), ("page.md:3", "json"));
        assert!(first.has("experiment") && !first.has("part"));
        assert_eq!((first.value("name"), first.exits()), (Some("mine"), vec![10]));
        assert_eq!(first.text, "{}\n");
        assert_eq!((second.text.as_str(), second.exits()), ("```\ninner\n```\n", vec![0]));
        assert_eq!(third.exits(), [0, 32]);
    }
}
