//! Where a repository's files lie, and what each of them holds.

use std::collections::BTreeSet;

use crate::draw::Draw;
use crate::text::Kind;
use crate::words::{NOUNS, QUALITIES, VERBS};

/// One file's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FilePath {
    /// The path from the root.
    pub(crate) path: String,
    /// What it holds.
    pub(crate) kind: Kind,
}

/// Hands out the files of one repository, in the order in which its commits add them.
#[derive(Debug)]
pub(crate) struct Tree {
    language: Language,
    /// Folders under `src/`; the last one is still being filled.
    modules: Vec<String>,
    files: usize,
    taken: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy)]
struct Language {
    kind: Kind,
    extension: &'static str,
    /// The file that says how to build.
    build: (&'static str, Kind),
}

impl Tree {
    /// Returns an empty tree in a drawn language.
    pub(crate) fn new(draw: &mut Draw) -> Self {
        let position = draw.below(LANGUAGES.len());
        let language = LANGUAGES.get(position).copied().unwrap_or(RUST);
        Self { language, modules: Vec::new(), files: 0, taken: BTreeSet::new() }
    }

    /// Returns a file that the tree does not have yet; the first ones are those that every project starts with.
    pub(crate) fn add(&mut self, draw: &mut Draw) -> FilePath {
        let language = self.language;
        let first = match self.files {
            0 => Some(("README.md".to_owned(), Kind::Prose)),
            1 => Some((language.build.0.to_owned(), language.build.1)),
            2 => Some((format!("src/main.{}", language.extension), language.kind)),
            3 => Some(("docs/index.md".to_owned(), Kind::Prose)),
            4 => Some((format!("tests/smoke.{}", language.extension), language.kind)),
            _ => None,
        };
        self.files += 1;
        let (path, kind) = match first {
            Some((path, kind)) => {
                self.taken.insert(path.clone());
                (path, kind)
            }
            None => self.later(draw),
        };
        FilePath { path, kind }
    }

    /// Returns a place for a binary file of so many bytes that the tree does not have yet.
    pub(crate) fn add_asset(&mut self, bytes: u32, draw: &mut Draw) -> FilePath {
        let extension = draw.pick(&["jar", "pdf", "tar.gz", "zip"]);
        let stem = format!("assets/{}-{}", draw.pick(&QUALITIES), draw.pick(&NOUNS));
        FilePath { path: self.free(&stem, extension), kind: Kind::Asset(bytes) }
    }

    fn later(&mut self, draw: &mut Draw) -> (String, Kind) {
        let Language { kind, extension, .. } = self.language;
        let (folder, stem, extension, kind) = match draw.below(100) {
            0..72 => {
                let folder = self.source_folder(draw);
                (folder, format!("{}_{}", draw.pick(&VERBS), draw.pick(&NOUNS)), extension, kind)
            }
            72..82 => {
                ("tests".to_owned(), format!("{}_{}", draw.pick(&NOUNS), draw.pick(&VERBS)), extension, kind)
            }
            82..91 => (
                "docs".to_owned(),
                format!("{}-{}", draw.pick(&QUALITIES), draw.pick(&NOUNS)),
                "md",
                Kind::Prose,
            ),
            91..96 => ("config".to_owned(), draw.pick(&NOUNS).to_owned(), "yml", Kind::Settings),
            _ => ("docs/images".to_owned(), draw.pick(&NOUNS).to_owned(), "png", Kind::Image),
        };
        (self.free(&format!("{folder}/{stem}"), extension), kind)
    }

    /// Takes the first of `stem.extension`, `stem2.extension` and so on that is not taken.
    fn free(&mut self, stem: &str, extension: &str) -> String {
        let plain = format!("{stem}.{extension}");
        let numbered = (2_u32..).map(|number| format!("{stem}{number}.{extension}"));
        let free = std::iter::once(plain).chain(numbered).find(|path| !self.taken.contains(path));
        let path = free.unwrap_or_default();
        self.taken.insert(path.clone());
        path
    }

    /// Returns `src` while the project is small, then one of its modules; there is a new one for about every ten files.
    fn source_folder(&mut self, draw: &mut Draw) -> String {
        if self.files < FILES_WITHOUT_MODULES {
            return "src".to_owned();
        }
        if self.modules.len() * FILES_PER_MODULE <= self.files - FILES_WITHOUT_MODULES {
            let name = draw.pick(&NOUNS).to_owned();
            if !self.modules.contains(&name) {
                self.modules.push(name);
            }
        }
        let position = draw.below(self.modules.len());
        self.modules.get(position).map_or_else(|| "src".to_owned(), |module| format!("src/{module}"))
    }
}

const RUST: Language = Language { kind: Kind::Rust, extension: "rs", build: ("build.yml", Kind::Settings) };
const LANGUAGES: [Language; 3] = [
    RUST,
    Language { kind: Kind::Python, extension: "py", build: ("setup.py", Kind::Python) },
    Language { kind: Kind::Java, extension: "java", build: ("build.yml", Kind::Settings) },
];
const FILES_PER_MODULE: usize = 12;
const FILES_WITHOUT_MODULES: usize = 16;

#[cfg(test)]
mod tests {
    use e3_model::Seed;

    use super::*;

    #[test]
    fn paths_are_unique_and_none_is_a_folder_of_another() {
        let mut draw = Draw::of(Seed(3), 0);
        let mut tree = Tree::new(&mut draw);
        let mut paths: Vec<String> = (0..2000).map(|_| tree.add(&mut draw).path).collect();
        paths.extend((0..1000).map(|_| tree.add_asset(1, &mut draw).path));
        let unique: BTreeSet<&String> = paths.iter().collect();
        assert_eq!(unique.len(), 3000);
        let folders: BTreeSet<&str> = paths
            .iter()
            .flat_map(|path| path.match_indices('/').map(|(at, _)| path.get(..at).unwrap_or_default()))
            .collect();
        assert!(paths.iter().all(|path| !folders.contains(path.as_str()) && !path.is_empty()));
        assert_eq!(paths[0], "README.md");
        for folder in ["src", "docs", "tests", "docs/images", "config", "assets"] {
            assert!(folders.contains(folder), "{folder}");
        }
    }
}
