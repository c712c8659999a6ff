//! The refs of the repositories that were asked for lately.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Refs;
use super::disk::Stamps;

/// What is kept, bounded by the number of refs.
#[derive(Default)]
pub(super) struct Kept {
    repositories: HashMap<PathBuf, Arc<One>>,
    weight: usize,
}

/// A repository's refs, and by what they can be recognised.
pub(super) struct One {
    pub(super) refs: Arc<Refs>,
    pub(super) stamps: Stamps,
}

impl Kept {
    pub(super) fn find(&self, path: &Path) -> Option<Arc<One>> {
        self.repositories.get(path).cloned()
    }

    /// Keeps refs if later changes will show.
    pub(super) fn keep(&mut self, path: PathBuf, refs: &Arc<Refs>, stamps: Stamps) {
        if let Some(before) = self.repositories.remove(&path) {
            self.weight = self.weight.saturating_sub(weight(&before.refs));
        }
        let weight = weight(refs);
        if !stamps.settled || weight > MOST {
            return;
        }
        if self.weight + weight > MOST {
            // Those that are asked for often are soon here again.
            self.repositories.clear();
            self.weight = 0;
        }
        self.weight += weight;
        self.repositories.insert(path, Arc::new(One { refs: Arc::clone(refs), stamps }));
    }
}

fn weight(refs: &Refs) -> usize {
    refs.list.len() + BASE
}

/// In refs, of some 300 bytes with the path of each.
const MOST: usize = 200_000;
/// What a repository weighs without any.
const BASE: usize = 10;
