//! The outline of a dataset: projects, slugs, sizes, weights and users, before there is any content.

use e3_model::{Generate, User};

use crate::draw::Draw;
use crate::spread::sizes;
use crate::words::{DOMAINS, FIRST_NAMES, LAST_NAMES, PARTS, PROJECTS};

/// The outline of a dataset.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The projects' keys, in the snapshot's order.
    pub(crate) projects: Vec<String>,
    /// The repositories, project by project in the snapshot's order.
    pub(crate) repositories: Vec<Place>,
    /// The users, in the snapshot's order.
    pub(crate) users: Vec<User>,
}

/// One repository of the outline.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    /// The key of its project.
    pub(crate) project: String,
    /// Its slug, unique in the whole dataset.
    pub(crate) slug: String,
    /// How many commits it gets, over all branches.
    pub(crate) commits: u32,
    /// How many pull requests it gets.
    pub(crate) pull_requests: u32,
    /// How many bytes of binary files it gets.
    pub(crate) asset_bytes: u64,
    /// Its weight; all of the layout add up to exactly 1 in order.
    pub(crate) weight: f64,
}

impl Layout {
    /// Returns the outline that the recipe asks for.
    pub(crate) fn of(recipe: &Generate) -> Self {
        let mut draw = Draw::of(recipe.seed, LAYOUT_LANE);
        let projects: Vec<String> = (0..recipe.projects).map(project_key).collect();
        let slugs = combinations(&DOMAINS, &PARTS, '-', recipe.repositories, &mut draw);
        let mut sizes = sizes(recipe.sizes, recipe.commits_min, recipe.commits_max, recipe.repositories);
        draw.shuffle(&mut sizes);
        let mut repositories: Vec<(usize, Place)> = slugs
            .into_iter()
            .zip(sizes)
            .zip((0..projects.len()).cycle())
            .map(|((slug, commits), project)| {
                let key = projects.get(project).cloned().unwrap_or_default();
                (
                    project,
                    Place { project: key, slug, commits, pull_requests: 0, asset_bytes: 0, weight: 0.0 },
                )
            })
            .collect();
        repositories.sort_by_key(|(project, _)| *project);
        let mut repositories: Vec<Place> = repositories.into_iter().map(|(_, place)| place).collect();
        weigh(&mut repositories);
        deal(&mut repositories, recipe);
        let users = combinations(&FIRST_NAMES, &LAST_NAMES, '.', recipe.users, &mut draw)
            .into_iter()
            .map(|username| User { username, ..User::default() })
            .collect();
        Self { projects, repositories, users }
    }
}

/// Returns the name for people of `alpha`, `ada.lovell` or `order-service`: each word with a capital.
pub(crate) fn spoken(name: &str) -> String {
    let words = name.split(['.', '-']).map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters.map(|letter| letter.to_ascii_lowercase())).collect::<String>()
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Returns the e-mail address of a user.
pub(crate) fn address(username: &str) -> String {
    format!("{username}@example.com")
}

/// Returns the key of the project at a position: `ALPHA` to `ZULU`, then `ALPHA2` and on.
fn project_key(position: u32) -> String {
    let (round, within) = (position as usize / PROJECTS.len(), position as usize % PROJECTS.len());
    let word = PROJECTS.get(within).copied().unwrap_or_default();
    if round == 0 { word.to_owned() } else { format!("{word}{}", round + 1) }
}

/// Returns `count` different names of two words each; more than there are pairs get a number.
fn combinations(first: &[&str], last: &[&str], glue: char, count: u32, draw: &mut Draw) -> Vec<String> {
    let mut pairs: Vec<String> =
        first.iter().flat_map(|first| last.iter().map(move |last| format!("{first}{glue}{last}"))).collect();
    draw.shuffle(&mut pairs);
    let rounds = std::iter::once(String::new()).chain((2_u32..).map(|round| round.to_string()));
    rounds
        .flat_map(|round| pairs.iter().map(move |pair| format!("{pair}{round}")).collect::<Vec<_>>())
        .take(count as usize)
        .collect()
}

/// Deals binary files in proportion to commits, and pull requests half evenly, half in that proportion.
fn deal(places: &mut [Place], recipe: &Generate) {
    let all: u64 = places.iter().map(|place| u64::from(place.commits)).sum();
    let repositories = places.len() as u64;
    let evenly = u64::from(recipe.pull_requests) / 2;
    let by_size = u64::from(recipe.pull_requests) - evenly;
    let bytes = u64::from(recipe.assets_mb) * 1_000_000;
    let mut before = 0;
    for (place, position) in places.iter_mut().zip(0..) {
        let after = before + u64::from(place.commits);
        // What goes up to here, less what went up to the one before: so all of it goes, whatever is rounded.
        let sized = |amount: u64| part(amount, after, all) - part(amount, before, all);
        let even = part(evenly, position + 1, repositories) - part(evenly, position, repositories);
        place.asset_bytes = sized(bytes);
        place.pull_requests = u32::try_from(even + sized(by_size)).unwrap_or(u32::MAX);
        before = after;
    }
}

/// Returns `amount * share / of`, rounded down.
fn part(amount: u64, share: u64, of: u64) -> u64 {
    let product = u128::from(amount) * u128::from(share) / u128::from(of.max(1));
    u64::try_from(product).unwrap_or(u64::MAX)
}

/// Gives all the same weight, and the last what is left, so that they add up to exactly 1.
fn weigh(places: &mut [Place]) {
    let Some((last, others)) = places.split_last_mut() else { return };
    let share = 1.0 / (others.len() as f64 + 1.0);
    let mut sum = 0.0;
    for place in others {
        place.weight = share;
        sum += share;
    }
    last.weight = 1.0 - sum;
}

/// The lane of the outline's draws; repositories draw from the lanes that follow.
const LAYOUT_LANE: u64 = 0;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use e3_model::{Seed, Sizes};

    use super::*;

    fn recipe(projects: u32, repositories: u32, users: u32) -> Generate {
        Generate {
            seed: Seed(1),
            projects,
            repositories,
            commits_min: 50,
            commits_max: 1000,
            users,
            sizes: Sizes::Even,
            pull_requests: 0,
            assets_mb: 0,
        }
    }

    #[test]
    fn pull_requests_and_assets_are_dealt_by_size_and_none_is_lost() {
        let recipe = Generate { pull_requests: 64, assets_mb: 45, ..recipe(4, 16, 20) };
        let layout = Layout::of(&recipe);
        let all = |of: fn(&Place) -> u64| layout.repositories.iter().map(of).sum::<u64>();
        assert_eq!(all(|place| u64::from(place.pull_requests)), 64);
        assert_eq!(all(|place| place.asset_bytes), 45_000_000);
        let by_size = |of: fn(&Place) -> u64| {
            let mut places: Vec<_> = layout.repositories.iter().collect();
            places.sort_by_key(|place| place.commits);
            places.into_iter().map(of).collect::<Vec<_>>()
        };
        let dealt = by_size(|place| place.pull_requests.into());
        assert!(dealt.iter().all(|&count| (2..=10).contains(&count)), "{dealt:?}");
        assert!(dealt.first() < dealt.last(), "{dealt:?}");
        assert!(by_size(|place| place.asset_bytes).is_sorted());
        assert!(
            Layout::of(&Generate { pull_requests: 3, ..recipe })
                .repositories
                .iter()
                .any(|place| place.pull_requests == 0)
        );
    }

    #[test]
    fn weights_add_up_to_exactly_one() {
        for repositories in [1, 2, 3, 7, 8, 10, 49, 1000] {
            let layout = Layout::of(&recipe(3, repositories, 1));
            let sum: f64 = layout.repositories.iter().map(|place| place.weight).sum();
            assert!(sum == 1.0, "{repositories} weights add up to {sum}");
            assert!(layout.repositories.iter().all(|place| place.weight > 0.0));
        }
    }

    #[test]
    fn names_are_unique_and_readable_beyond_the_word_lists() {
        let layout = Layout::of(&recipe(60, 2000, 5000));
        let unique = |names: Vec<&str>| names.iter().copied().collect::<BTreeSet<_>>().len();
        assert_eq!(unique(layout.projects.iter().map(String::as_str).collect()), 60);
        assert_eq!(unique(layout.repositories.iter().map(|place| place.slug.as_str()).collect()), 2000);
        assert_eq!(unique(layout.users.iter().map(|user| user.username.as_str()).collect()), 5000);
        assert_eq!(layout.projects.get(26).map(String::as_str), Some("ALPHA2"));
        for place in &layout.repositories {
            assert!(
                place
                    .slug
                    .chars()
                    .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
            );
        }
    }

    #[test]
    fn repositories_are_dealt_round_the_projects() {
        let layout = Layout::of(&recipe(3, 8, 1));
        let per_project: Vec<_> = layout
            .projects
            .iter()
            .map(|key| layout.repositories.iter().filter(|place| place.project == *key).count())
            .collect();
        assert_eq!(per_project, [3, 3, 2]);
    }

    #[test]
    fn the_librarys_dataset_of_the_first_e3_has_its_shape() {
        let snapshot = include_str!("../../e3-home/library/snapshots/e3-small.json");
        let snapshot: e3_model::Snapshot = serde_json::from_str(snapshot).unwrap();
        let layout = Layout::of(&snapshot.generate.unwrap());
        assert_eq!((layout.projects.len(), layout.repositories.len(), layout.users.len()), (6, 10, 200));
        for project in &layout.projects {
            assert!(layout.repositories.iter().any(|place| place.project == *project), "{project} is empty");
        }
        for place in &layout.repositories {
            // Source: the first E3's snapshot gives each of its repositories a tenth.
            assert!((place.weight - 0.1).abs() < 1e-9, "{place:?}");
            // Of three at least one stays open, for those who read and review.
            assert!(place.pull_requests >= 3, "{place:?}");
        }
    }

    #[test]
    fn names_for_people() {
        assert_eq!(spoken("ada.lovell"), "Ada Lovell");
        assert_eq!(spoken("ALPHA"), "Alpha");
        assert_eq!(spoken("order-service2"), "Order Service2");
    }
}
