//! The pull requests of a repository: who asks for what, who looks at it, and what they say.

use std::collections::BTreeSet;

use e3_model::{Comment, PullRequest, PullRequestState};

use crate::draw::Draw;
use crate::history::{History, MAIN};
use crate::text::fill;

/// Returns one pull request for each of the history's branches that are for one, in their order, between members of
/// the team: the login names in the order of the commits' authors.
pub(crate) fn plan(history: &History, team: &[String], mut draw: Draw) -> Vec<PullRequest> {
    let branches = history.branches.iter().skip(1).take(history.pull_requests);
    branches
        .zip(STATES.into_iter().cycle())
        .map(|(tip, state)| {
            let author = history.commits.get(tip.commit).map_or(0, |commit| commit.author);
            one(&tip.name, state, author, team, &mut draw)
        })
        .collect()
}

fn one(
    branch: &str,
    state: PullRequestState,
    author: usize,
    team: &[String],
    draw: &mut Draw,
) -> PullRequest {
    let name = |position: usize| team.get(position).cloned().unwrap_or_default();
    let mut others: Vec<usize> = (0..team.len()).filter(|&position| position != author).collect();
    draw.shuffle(&mut others);
    others.truncate(draw.between(1, MOST_REVIEWERS));
    let mut speakers = others.clone();
    speakers.push(author);
    let wanted = draw.skewed(MOST_COMMENTS + 1);
    let mut said = BTreeSet::new();
    let mut comments = Vec::with_capacity(wanted);
    while comments.len() < wanted {
        let text = capital(&fill(draw.pick(&COMMENTS), draw));
        let speaker = speakers.get(draw.below(speakers.len())).copied().unwrap_or(author);
        if said.insert(text.clone()) {
            comments.push(Comment { author: name(speaker), text });
        }
    }
    PullRequest {
        title: format!("{}: {}", issue(branch), fill(draw.pick(&TITLES), draw)),
        description: capital(&fill(draw.pick(&DESCRIPTIONS), draw)),
        from: branch.to_owned(),
        to: MAIN.to_owned(),
        author: name(author),
        reviewers: others.into_iter().map(name).collect(),
        state,
        comments,
    }
}

/// Returns `ALPHA-12` of `feature/ALPHA-12-cache-token`.
fn issue(branch: &str) -> &str {
    let name = branch.rsplit('/').next().unwrap_or(branch);
    let end = name.match_indices('-').nth(1).map_or(name.len(), |(at, _)| at);
    name.get(..end).unwrap_or(name)
}

fn capital(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// The first one is open, so that a repository with any has one to look at.
const STATES: [PullRequestState; 5] = [
    PullRequestState::Open,
    PullRequestState::Merged,
    PullRequestState::Open,
    PullRequestState::Declined,
    PullRequestState::Merged,
];
const MOST_REVIEWERS: usize = 2;
const MOST_COMMENTS: usize = 6;

const TITLES: [&str; 6] = [
    "! the ~ @",
    "! each ~ @ once",
    "fix the @ when the @ is ~",
    "let the @ ! its @",
    "replace the ~ @ by a @",
    "use one @ for all ~ @ entries",
];

const DESCRIPTIONS: [&str; 5] = [
    "the ~ @ could not ! the @, so every @ waited for it.\n\nThis makes the @ ! its own @, and adds a test for it.",
    "without this the @ is ~ as soon as there are more than % @ entries.",
    "- ! the @ once\n- keep the ~ @ until the next @\n- do not ! an @ that is ~",
    "as said in the issue: the @ should ! the ~ @. The limit is % now.",
    "",
];

const COMMENTS: [&str; 14] = [
    "could this ! the @ twice?",
    "I would rather ! the ~ @ first.",
    "looks good; one question: what if the @ is ~?",
    "nice. The ~ @ was hard to follow before.",
    "please add a test for a ~ @.",
    "that is what the @ does already, see `!_@`.",
    "the name `~_@` says little about what it holds; how about `@`?",
    "why %? The @ has at most % entries.",
    "done.",
    "good point, I changed it to ! the @.",
    "this needs a word in docs about the ~ @.",
    "with % @ entries this took % ms on my machine.",
    "```\n! --@ % --~\n```\nprints a ~ @ here.",
    "I have tried it with a ~ @, and it works.",
];

#[cfg(test)]
mod tests {
    use e3_model::Seed;

    use super::*;
    use crate::history::Wish;

    fn requests(team: &[&str]) -> Vec<PullRequest> {
        let wish =
            Wish { commits: 400, authors: team.len(), issues: "ALPHA", pull_requests: 20, assets: &[] };
        let history = History::plan(wish, Draw::of(Seed(1), 0));
        let team: Vec<String> = team.iter().map(|&name| name.to_owned()).collect();
        plan(&history, &team, Draw::of(Seed(1), 1))
    }

    #[test]
    fn people_review_what_others_wrote_and_say_nothing_twice() {
        let requests = requests(&["ada", "ben", "cy", "dot"]);
        assert_eq!(requests.len(), 20);
        let mut comments = 0;
        for request in &requests {
            assert!((1..=2).contains(&request.reviewers.len()), "{request:?}");
            assert!(!request.reviewers.contains(&request.author), "{request:?}");
            let texts: BTreeSet<_> = request.comments.iter().map(|comment| &comment.text).collect();
            assert_eq!(texts.len(), request.comments.len());
            assert!(texts.iter().all(|text| !text.contains(['@', '~', '%'])), "{texts:?}");
            assert!(request.title.starts_with("ALPHA-") && request.title.len() < 100, "{request:?}");
            comments += request.comments.len();
        }
        assert!((15..60).contains(&comments), "{comments}");
        let count = |state| requests.iter().filter(|request| request.state == state).count();
        assert_eq!(count(PullRequestState::Open), 8);
        assert_eq!(count(PullRequestState::Merged), 8);
        let branches: BTreeSet<_> = requests.iter().map(|request| &request.from).collect();
        assert_eq!(branches.len(), 20);
    }

    #[test]
    fn who_is_alone_has_no_reviewer() {
        let requests = requests(&["ada"]);
        assert!(requests.iter().all(|request| request.reviewers.is_empty() && request.author == "ada"));
    }

    #[test]
    fn issues_are_named_by_branches() {
        assert_eq!(issue("feature/ALPHA-12-cache-token"), "ALPHA-12");
        assert_eq!(issue("x"), "x");
    }
}
