//! The history of a repository: which commit, by whom, on which branch, touches which files.
//!
//! A file's versions form one chain over all branches: while a branch is open, no other touches its files, so that
//! a merge is the main line's tree with the branch's files in it, and never a conflict.

use std::collections::BTreeMap;

use crate::draw::Draw;
use crate::text::{Kind, fill};
use crate::tree::{FilePath, Tree};

/// The whole history of one repository.
#[derive(Debug)]
pub(crate) struct History {
    /// The files, in the order in which they came.
    pub(crate) files: Vec<File>,
    /// The commits, oldest first; parents come before their children.
    pub(crate) commits: Vec<Commit>,
    /// The branches that are left: the main line, those of the pull requests in their order, and others.
    pub(crate) branches: Vec<Tip>,
    /// How many of the branches, after the main line, are those of pull requests.
    pub(crate) pull_requests: usize,
    /// The annotated tags, oldest first.
    pub(crate) tags: Vec<Tip>,
    /// The light tags, oldest first.
    pub(crate) light_tags: Vec<Tip>,
}

/// What a history shall be like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish<'a> {
    /// How many commits over all branches.
    pub(crate) commits: u32,
    /// How many authors, at least one.
    pub(crate) authors: usize,
    /// The prefix of issue numbers.
    pub(crate) issues: &'a str,
    /// How many branches for pull requests; a history of few commits has fewer.
    pub(crate) pull_requests: u32,
    /// The sizes of binary files, in the order in which they come.
    pub(crate) assets: &'a [u32],
}

/// One file, over all branches.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) kind: Kind,
    /// How many versions there are of it; at least one.
    pub(crate) versions: u32,
    /// The last commit that changed it on the main line; none while it is on another branch only.
    on_main_since: Option<usize>,
    /// Whether an unmerged branch has changed it.
    aside: bool,
    /// The position of its folder.
    folder: usize,
}

/// One commit.
#[derive(Debug)]
pub(crate) struct Commit {
    /// The branch it is made on.
    pub(crate) lane: Lane,
    /// Where the branch starts, if this is its first commit.
    pub(crate) from: Option<Start>,
    /// Whether it merges the topic branch.
    pub(crate) merges: bool,
    /// The files it sets, with their versions; one entry per file.
    pub(crate) touches: Vec<Touch>,
    /// The author's position among the authors.
    pub(crate) author: usize,
    /// Seconds since 1970, UTC.
    pub(crate) seconds: u64,
    /// The message.
    pub(crate) message: String,
}

/// A branch while it grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// The main line.
    Main,
    /// The one branch that will be merged.
    Topic,
    /// One that stays unmerged.
    Side {
        /// Its position among [`History::branches`].
        branch: usize,
        /// The position of the commit where it starts.
        base: usize,
    },
}

/// Where a branch starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// At the main line's newest commit.
    Main,
    /// At the commit of this position.
    Commit(usize),
}

/// A file as a commit sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Touch {
    /// The file's position.
    pub(crate) file: usize,
    /// The version, from 0.
    pub(crate) version: u32,
}

/// A branch or tag: its short name and the position of its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tip {
    pub(crate) name: String,
    pub(crate) commit: usize,
}

impl History {
    /// Plans the history; the same wish and draws give the same one.
    pub(crate) fn plan(wish: Wish<'_>, draw: Draw) -> Self {
        let commits = wish.commits as usize;
        let pull_requests = (wish.pull_requests as usize).min(commits / COMMITS_PER_REQUEST);
        let mut planner = Planner::new(wish, draw);
        let sides = planner.side_lengths(commits, pull_requests);
        planner.main_line(commits - sides.iter().sum::<usize>());
        let main = Tip { name: MAIN.to_owned(), commit: planner.main.last().copied().unwrap_or_default() };
        let mut branches = vec![main];
        let tags = planner.tags();
        for length in sides {
            let tip = planner.side(branches.len(), length);
            branches.push(tip);
        }
        if let Some(newest) = tags.last().filter(|_| commits >= 100) {
            branches.push(Tip { name: newest.name.replacen('v', "release/", 1), commit: newest.commit });
        }
        let light_tags = planner.light_tags();
        Self { files: planner.files, commits: planner.commits, branches, pull_requests, tags, light_tags }
    }
}

struct Planner<'a> {
    draw: Draw,
    tree: Tree,
    files: Vec<File>,
    /// The positions of the files that commits may change.
    texts: Vec<usize>,
    /// The sizes of the binary files.
    assets: &'a [u32],
    /// How many of them there are already.
    placed: usize,
    /// How many commits the main line has when all of them are there.
    last_asset: usize,
    /// Each folder with the positions of its files, in the order in which they came.
    folders: Vec<(String, Vec<usize>)>,
    commits: Vec<Commit>,
    /// The positions of the main line's commits.
    main: Vec<usize>,
    topic: Option<Topic>,
    authors: usize,
    issues: &'a str,
    issue: usize,
    seconds: u64,
    step: usize,
}

struct Topic {
    name: String,
    /// How many commits it still gets before it is merged.
    left: usize,
    /// Its files with their newest versions.
    files: BTreeMap<usize, u32>,
}

impl<'a> Planner<'a> {
    fn new(wish: Wish<'a>, mut draw: Draw) -> Self {
        let tree = Tree::new(&mut draw);
        let commits = wish.commits as usize;
        Self {
            draw,
            tree,
            files: Vec::new(),
            texts: Vec::new(),
            assets: wish.assets,
            placed: 0,
            last_asset: 1,
            folders: Vec::new(),
            commits: Vec::with_capacity(commits),
            main: Vec::with_capacity(commits),
            topic: None,
            authors: wish.authors.max(1),
            issues: wish.issues,
            issue: 0,
            seconds: FIRST_SECOND,
            step: SPAN_SECONDS / commits.max(1),
        }
    }

    /// Returns the lengths of the branches that stay unmerged: those of pull requests, then none in small repositories
    /// and up to twelve in large ones.
    fn side_lengths(&mut self, commits: usize, pull_requests: usize) -> Vec<usize> {
        let others = if commits < 20 { 0 } else { (1 + commits / 100).min(12) };
        (0..pull_requests + others).map(|_| self.draw.between(1, 3)).collect()
    }

    fn main_line(&mut self, commits: usize) {
        // The last commit may be a merge, which brings no new file.
        self.last_asset = commits.saturating_sub(1).max(1);
        while self.commits.len() < commits {
            let remaining = commits - self.commits.len();
            match self.topic.as_ref().map(|topic| topic.left) {
                None if remaining >= 6 && self.main.len() >= 8 && self.draw.chance(1, 20) => {
                    let left = self.draw.between(1, (remaining - 1).min(5));
                    let name = self.branch_name();
                    self.topic = Some(Topic { name, left, files: BTreeMap::new() });
                    self.commit(Lane::Topic, Some(Start::Main));
                }
                None => self.commit(Lane::Main, None),
                Some(left) if remaining > left + 1 && self.draw.chance(1, 3) => self.commit(Lane::Main, None),
                Some(0) => self.merge(),
                Some(_) => self.commit(Lane::Topic, None),
            }
        }
    }

    /// Makes a branch that stays unmerged, and returns its tip; it starts at one of the last commits of the main line.
    fn side(&mut self, branch: usize, length: usize) -> Tip {
        let back = self.draw.below(self.main.len().min(10));
        let base = self
            .main
            .len()
            .checked_sub(back + 1)
            .and_then(|at| self.main.get(at))
            .copied()
            .unwrap_or_default();
        let name = self.branch_name();
        for round in 0..length {
            self.commit(Lane::Side { branch, base }, (round == 0).then_some(Start::Commit(base)));
        }
        Tip { name, commit: self.commits.len() - 1 }
    }

    fn tags(&self) -> Vec<Tip> {
        let count = (self.main.len() / 25).min(20);
        let at = |round: usize| self.main.get((round + 1) * self.main.len() / (count + 1)).copied();
        (0..count)
            .filter_map(|round| Some(Tip { name: format!("v0.{}.0", round + 1), commit: at(round)? }))
            .collect()
    }

    /// Names commits at even distances, as builds do.
    fn light_tags(&self) -> Vec<Tip> {
        let count = (self.main.len() / 40).min(15);
        let at = |round: usize| self.main.get((2 * round + 1) * self.main.len() / (2 * count)).copied();
        (0..count)
            .filter_map(|round| Some(Tip { name: format!("build-{}", round + 1), commit: at(round)? }))
            .collect()
    }

    fn commit(&mut self, lane: Lane, from: Option<Start>) {
        let mut touches = self.touches(lane);
        self.add_assets(lane, &mut touches);
        match lane {
            Lane::Main => self.main.push(self.commits.len()),
            Lane::Topic => {
                if let Some(topic) = &mut self.topic {
                    topic.left -= 1;
                    topic.files.extend(touches.iter().map(|touch| (touch.file, touch.version)));
                }
            }
            Lane::Side { .. } => {}
        }
        let message = self.message();
        self.push(Commit { lane, from, merges: false, touches, author: 0, seconds: 0, message });
    }

    fn merge(&mut self) {
        let Some(topic) = self.topic.take() else { return };
        let position = self.commits.len();
        let touches: Vec<Touch> =
            topic.files.iter().map(|(&file, &version)| Touch { file, version }).collect();
        for touch in &touches {
            if let Some(file) = self.files.get_mut(touch.file) {
                file.on_main_since = Some(position);
            }
        }
        self.main.push(position);
        let message = format!("Merge branch '{}' into {MAIN}\n", topic.name);
        self.push(Commit {
            lane: Lane::Main,
            from: None,
            merges: true,
            touches,
            author: 0,
            seconds: 0,
            message,
        });
    }

    fn push(&mut self, commit: Commit) {
        self.seconds += (self.step / 2 + self.draw.below(self.step)) as u64 + 1;
        let author = self.draw.skewed(self.authors);
        self.commits.push(Commit { author, seconds: self.seconds, ..commit });
    }

    /// Adds the binary files that are due: they come evenly over the main line and what is merged into it.
    fn add_assets(&mut self, lane: Lane, touches: &mut Vec<Touch>) {
        if matches!(lane, Lane::Side { .. }) {
            return;
        }
        let due = ((self.commits.len() + 1) * self.assets.len() / self.last_asset).min(self.assets.len());
        while let Some(&bytes) = self.assets.get(self.placed).filter(|_| self.placed < due) {
            let place = self.tree.add_asset(bytes, &mut self.draw);
            let file = self.place(place);
            touches.push(self.touch(file, lane));
            self.placed += 1;
        }
    }

    /// Draws the one to five files of a commit; the first commit and about every sixth after it add a file.
    fn touches(&mut self, lane: Lane) -> Vec<Touch> {
        let count = if self.commits.is_empty() { FIRST_FILES } else { touched_files(&mut self.draw) };
        let wanted = (FIRST_FILES + self.commits.len() / COMMITS_PER_FILE).min(MOST_FILES);
        let mut chosen: Vec<usize> = Vec::with_capacity(count);
        for _ in 0..count {
            let known = if self.texts.len() < wanted { None } else { self.known_file(lane, &chosen) };
            match known {
                Some(file) => chosen.push(file),
                None if chosen.is_empty() || self.commits.is_empty() => chosen.push(self.new_file()),
                None => {}
            }
        }
        chosen.sort_unstable();
        chosen.into_iter().map(|file| self.touch(file, lane)).collect()
    }

    /// Draws a file that the branch may change, most often beside the one chosen first; none when a few draws find none.
    fn known_file(&mut self, lane: Lane, chosen: &[usize]) -> Option<usize> {
        let beside = chosen.first().and_then(|&first| self.files.get(first)).map(|file| file.folder);
        (0..8).find_map(|_| {
            let position = match beside.and_then(|folder| self.folders.get(folder)) {
                Some((_, files)) if self.draw.chance(7, 8) => *files.get(self.draw.below(files.len()))?,
                _ => self.hot_file(),
            };
            let file = self.files.get(position)?;
            let of_topic = self.topic.as_ref().is_some_and(|topic| topic.files.contains_key(&position));
            let free = match lane {
                Lane::Main => !of_topic,
                Lane::Topic => of_topic || file.on_main_since.is_some(),
                Lane::Side { base, .. } => {
                    !file.aside && file.on_main_since.is_some_and(|since| since <= base)
                }
            };
            (free && !chosen.contains(&position)).then_some(position)
        })
    }

    /// Draws a file; those that came first are where most of the work is.
    fn hot_file(&mut self) -> usize {
        let position = self.draw.skewed(self.texts.len());
        let position = if self.draw.chance(1, 2) { self.draw.skewed(position + 1) } else { position };
        self.texts.get(position).copied().unwrap_or_default()
    }

    fn new_file(&mut self) -> usize {
        let place = self.tree.add(&mut self.draw);
        let position = self.place(place);
        self.texts.push(position);
        position
    }

    fn place(&mut self, FilePath { path, kind }: FilePath) -> usize {
        let position = self.files.len();
        let name = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let folder = self.folders.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.folders.push((name.to_owned(), Vec::new()));
            self.folders.len() - 1
        });
        if let Some((_, files)) = self.folders.get_mut(folder) {
            files.push(position);
        }
        self.files.push(File { path, kind, versions: 0, on_main_since: None, aside: false, folder });
        position
    }

    fn touch(&mut self, position: usize, lane: Lane) -> Touch {
        let commit = self.commits.len();
        let Some(file) = self.files.get_mut(position) else { return Touch { file: position, version: 0 } };
        match lane {
            Lane::Main => file.on_main_since = Some(commit),
            Lane::Topic => {}
            Lane::Side { .. } => file.aside = true,
        }
        file.versions += 1;
        Touch { file: position, version: file.versions - 1 }
    }

    fn message(&mut self) -> String {
        let template = self.draw.pick(&MESSAGES);
        let mut message = fill(template, &mut self.draw);
        if let Some(first) = message.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        if self.draw.chance(1, 4) {
            let number = self.draw.below(self.issue + 1) + 1;
            message = format!("{}-{number}: {message}", self.issues);
        }
        message
    }

    fn branch_name(&mut self) -> String {
        self.issue += 1;
        let kind = self.draw.pick(&["feature", "feature", "bugfix"]);
        format!("{kind}/{}-{}-{}", self.issues, self.issue, fill("!-@", &mut self.draw))
    }
}

fn touched_files(draw: &mut Draw) -> usize {
    match draw.below(100) {
        0..74 => 1,
        74..89 => 2,
        89..95 => 3,
        95..98 => 4,
        _ => 5,
    }
}

/// The main line's name.
pub(crate) const MAIN: &str = "main";

const MESSAGES: [&str; 10] = [
    "! the ~ @\n",
    "! @ of the ~ @\n",
    "! ~ @\n\nThe @ was ~, so the @ could not ! it.\n",
    "do not ! any ~ @\n",
    "document the ~ @\n",
    "fix ~ @ when the @ is ~\n\nWithout the @ there is no @ to !.\n",
    "raise the limit of ~ @ to %\n",
    "rename @ to ~ @\n",
    "test that the ~ @ can !\n",
    "use the ~ @ for every @\n",
];

/// A history has at most one pull request for so many commits.
const COMMITS_PER_REQUEST: usize = 10;
const FIRST_FILES: usize = 5;
const COMMITS_PER_FILE: usize = 6;
const MOST_FILES: usize = 200;
/// 2020-01-06T08:00:00Z.
const FIRST_SECOND: u64 = 1_578_297_600;
/// Histories last about four years, however many commits they have.
const SPAN_SECONDS: usize = 4 * 365 * 24 * 3600;

#[cfg(test)]
mod tests {
    use e3_model::Seed;

    use super::*;

    fn plan(commits: u32, pull_requests: u32, assets: &[u32], seed: u64) -> History {
        let wish = Wish { commits, authors: 3, issues: "ALPHA", pull_requests, assets };
        History::plan(wish, Draw::of(Seed(seed), 1))
    }

    #[test]
    fn has_as_many_commits_as_asked() {
        for commits in [1, 2, 5, 8, 19, 20, 21, 50, 333, 2000] {
            for seed in 0..20 {
                let history = plan(commits, 4, &[], seed);
                assert_eq!(history.commits.len(), commits as usize, "seed {seed}");
                assert_eq!(history.branches[0].name, MAIN);
            }
        }
    }

    #[test]
    fn large_histories_have_merges_branches_and_tags() {
        let history = plan(500, 0, &[], 1);
        assert!(history.commits.iter().filter(|commit| commit.merges).count() >= 5);
        assert!(history.branches.len() >= 4, "{:?}", history.branches);
        assert!(history.tags.len() >= 10);
        assert!(history.light_tags.len() >= 10);
        assert!(history.files.len() > 50);
    }

    #[test]
    fn every_asset_comes_once_on_the_main_line_and_stays_as_it_is() {
        let assets: Vec<u32> = (1000..1300).collect();
        for commits in [1, 2, 5, 30, 31, 32, 33, 500] {
            for seed in 0..10 {
                let history = plan(commits, 3, &assets, seed);
                let placed: Vec<&File> =
                    history.files.iter().filter(|file| matches!(file.kind, Kind::Asset(_))).collect();
                assert_eq!(placed.len(), assets.len(), "{commits} commits, seed {seed}");
                assert!(placed.iter().all(|file| file.versions == 1 && file.on_main_since.is_some()));
            }
        }
    }

    #[test]
    fn pull_requests_have_branches_that_merge_without_conflicts() {
        let history = plan(300, 6, &[], 1);
        assert_eq!(history.pull_requests, 6);
        let sides = |commit: &Commit| match commit.lane {
            Lane::Side { branch, base } => Some((branch, base)),
            Lane::Main | Lane::Topic => None,
        };
        let mut owners = BTreeMap::new();
        for (branch, base, touch) in history.commits.iter().flat_map(|commit| {
            let side = sides(commit).into_iter();
            side.flat_map(|(branch, base)| commit.touches.iter().map(move |touch| (branch, base, touch)))
        }) {
            assert_eq!(*owners.entry(touch.file).or_insert(branch), branch, "one branch changes a file");
            let on_main = history.files[touch.file].on_main_since;
            assert!(on_main.is_none_or(|since| since <= base), "the main line left it alone since");
        }
        let wanted: Vec<usize> = (1..=6).collect();
        let mut branches: Vec<usize> =
            history.commits.iter().filter_map(sides).map(|(branch, _)| branch).collect();
        branches.dedup();
        assert!(branches.starts_with(&wanted), "{branches:?}");
        assert_eq!(plan(25, 6, &[], 1).pull_requests, 2, "few commits, few requests");
    }

    #[test]
    fn every_version_of_a_file_is_made_once_and_merges_take_the_newest() {
        let history = plan(2000, 0, &[], 4);
        let mut versions = vec![0; history.files.len()];
        for commit in &history.commits {
            for touch in &commit.touches {
                if commit.merges {
                    assert_eq!(touch.version + 1, versions[touch.file], "a merge makes no version");
                } else {
                    assert_eq!(touch.version, versions[touch.file]);
                    versions[touch.file] += 1;
                }
            }
            assert!(commit.merges || (1..=5).contains(&commit.touches.len()));
        }
        for (file, made) in history.files.iter().zip(versions) {
            assert_eq!(file.versions, made);
        }
    }

    #[test]
    fn time_goes_on_and_ends_in_the_past() {
        for commits in [1, 1000, 100_000] {
            let history = plan(commits, 0, &[], 4);
            assert!(history.commits.is_sorted_by(|one, next| one.seconds < next.seconds));
            // 2025-01-01.
            assert!(history.commits.last().unwrap().seconds < 1_735_689_600);
        }
    }
}
