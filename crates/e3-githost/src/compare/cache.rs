//! The answers that a node remembers, bounded by their size.
//!
//! Two generations: a new or used answer is in the young one; when that is full it becomes the old one, and what was in
//! the old one is forgotten. So whatever is asked for now and then stays, and nothing has to be searched for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::answers::{Answer, Question};

/// The remembered answers of one node.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    generations: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Question, (Answer, usize)>,
    old: HashMap<Question, (Answer, usize)>,
    weight: usize,
}

impl Cache {
    pub(super) fn find(&self, question: &Question) -> Option<Answer> {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((answer, _)) = generations.young.get(question) {
            return Some(answer.clone());
        }
        let (question, (answer, weight)) = generations.old.remove_entry(question)?;
        generations.insert(question, answer.clone(), weight);
        Some(answer)
    }

    /// Remembers an answer of about this many bytes; one that is large alone is not worth it.
    pub(super) fn insert(&self, question: Question, answer: Answer, bytes: usize) {
        let weight = bytes.saturating_add(OVERHEAD);
        if weight > GENERATION / 4 {
            return;
        }
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.insert(question, answer, weight);
    }
}

impl Generations {
    fn insert(&mut self, question: Question, answer: Answer, weight: usize) {
        if self.weight.saturating_add(weight) > GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.weight = 0;
        }
        let before = self.young.insert(question, (answer, weight));
        self.weight =
            self.weight.saturating_add(weight).saturating_sub(before.map_or(0, |(_, weight)| weight));
    }
}

/// Parsed, an answer takes a few times the space of its text.
const GENERATION: usize = 2 << 20;
const OVERHEAD: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn question(number: usize) -> Question {
        Question::MergeBase { repository: 1, one: number.to_string(), other: String::new() }
    }

    fn answer(number: usize) -> Answer {
        Answer::Id(Some(number.to_string()))
    }

    #[test]
    fn what_is_used_stays_and_the_rest_is_forgotten() {
        let cache = Cache::default();
        let size = GENERATION / 16;
        cache.insert(question(0), answer(0), size);
        for number in 1..200 {
            cache.insert(question(number), answer(number), size);
            assert!(cache.find(&question(0)).is_some(), "it is used all the time, after {number}");
        }
        assert!(cache.find(&question(1)).is_none(), "nobody asked for it again");
        let generations = cache.generations.lock().unwrap();
        let kept: usize =
            generations.young.values().chain(generations.old.values()).map(|(_, weight)| weight).sum();
        assert!(kept <= 2 * GENERATION, "{kept}");
    }

    #[test]
    fn one_large_answer_does_not_push_out_the_others() {
        let cache = Cache::default();
        cache.insert(question(1), answer(1), 10);
        cache.insert(question(2), answer(2), GENERATION);
        assert!(cache.find(&question(1)).is_some());
        assert!(cache.find(&question(2)).is_none());
    }
}
