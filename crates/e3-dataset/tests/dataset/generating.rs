//! What `generate` makes, and how its cache behaves.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use e3_dataset::{DatasetError, generate};
use e3_model::{Generate, PullRequestState, Seed, Sizes, Snapshot};

use crate::{git, refs, small, team};

/// Returns the only entry of a cache.
fn entry(cache: &Path) -> PathBuf {
    let found: Vec<_> =
        fs::read_dir(cache.join("datasets")).unwrap().map(|found| found.unwrap().path()).collect();
    let [entry] = found.as_slice() else { panic!("not one entry: {found:?}") };
    entry.clone()
}

#[tokio::test]
async fn the_same_recipe_gives_the_same_commits() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = generate("first", &small(), one.path()).await.unwrap();
    let second = generate("second", &small(), other.path()).await.unwrap();
    assert_eq!(refs(&first), refs(&second));
    assert_eq!(first.snapshot.projects, second.snapshot.projects);
    assert_eq!(first.snapshot.users, second.snapshot.users);
    // Whoever changes these must raise the generator's version, or old caches pass for new data.
    let tips: Vec<_> = first
        .snapshot
        .repositories()
        .map(|(project, repository)| {
            format!("{project}/{} {}", repository.name, repository.branches[0].latest_commit)
        })
        .collect();
    let pinned = [
        "ALPHA/archive-engine 0d3866706d938bee51b2d252bddc1f871b5f2301",
        "ALPHA/ticket-exporter 4ee5a361145e62a7e0b8c51e8abbea82d5aeb24e",
        "BRAVO/customer-api a1587fe3fdc685a69bb6f9d824baff4e25293273",
    ];
    assert_eq!(tips, pinned);
}

#[tokio::test]
async fn another_seed_gives_other_commits() {
    let cache = tempfile::tempdir().unwrap();
    let one = generate("x", &small(), cache.path()).await.unwrap();
    let other = generate("x", &Generate { seed: Seed(8), ..small() }, cache.path()).await.unwrap();
    assert_ne!(refs(&one), refs(&other));
    assert_ne!(one.snapshot.users, other.snapshot.users);
}

#[tokio::test]
async fn repositories_are_sound_and_as_large_as_asked() {
    let cache = tempfile::tempdir().unwrap();
    let recipe = Generate { repositories: 4, commits_min: 1, commits_max: 343, ..small() };
    let dataset = generate("x", &recipe, cache.path()).await.unwrap();
    let mut commits = Vec::new();
    for repository in &dataset.repositories {
        git(&repository.path, &["fsck", "--strict", "--full"]);
        let counted = git(&repository.path, &["rev-list", "--all", "--count"]);
        commits.push(counted.trim().parse::<u32>().unwrap());
        assert_eq!(git(&repository.path, &["symbolic-ref", "HEAD"]), "refs/heads/main\n");
        assert!(
            git(&repository.path, &["for-each-ref", "refs/e3"]).is_empty(),
            "nothing of the making is left"
        );
    }
    commits.sort_unstable();
    assert_eq!(commits, [1, 7, 49, 343]);
}

#[tokio::test]
async fn large_repositories_look_like_real_ones() {
    let cache = tempfile::tempdir().unwrap();
    let recipe = Generate { repositories: 1, commits_min: 400, commits_max: 400, ..small() };
    let dataset = generate("x", &recipe, cache.path()).await.unwrap();
    let path = &dataset.repositories[0].path;
    assert!(git(path, &["rev-list", "--all", "--merges", "--count"]).trim().parse::<u32>().unwrap() >= 3);
    assert!(git(path, &["tag"]).lines().count() >= 3);
    let files = git(path, &["ls-tree", "-r", "--name-only", "main"]);
    for part in ["README.md", "src/", "docs/", "tests/", ".png"] {
        assert!(files.contains(part), "{part} in {files}");
    }
    let changed = git(path, &["log", "--no-merges", "--format=%x3e", "--name-only", "main"]);
    for commit in changed.split('>').skip(1) {
        let files = commit.lines().filter(|line| !line.is_empty()).count();
        assert!((1..=5).contains(&files), "{commit}");
    }
    assert!(git(path, &["count-objects", "-v"]).contains("packs: 1\n"), "one pack and nothing loose");
}

#[tokio::test]
async fn the_snapshot_says_what_is_there() {
    let cache = tempfile::tempdir().unwrap();
    let dataset = generate("mine", &small(), cache.path()).await.unwrap();
    let snapshot = &dataset.snapshot;
    assert_eq!(snapshot.name, "mine");
    assert_eq!((snapshot.projects.len(), snapshot.users.len(), dataset.repositories.len()), (2, 3, 3));
    assert_eq!(snapshot.repositories().map(|(_, repository)| repository.weight).sum::<f64>(), 1.0);
    for ((project, described), made) in snapshot.repositories().zip(&dataset.repositories) {
        assert_eq!((project, described.name.as_str()), (made.project.as_str(), made.slug.as_str()));
        let heads = git(
            &made.path,
            &["for-each-ref", "--format=%(refname) %(refname:short) %(objectname)", "refs/heads"],
        );
        let heads: BTreeSet<&str> = heads.lines().collect();
        let listed: Vec<String> = described
            .branches
            .iter()
            .map(|branch| format!("{} {} {}", branch.id, branch.display_id, branch.latest_commit))
            .collect();
        assert_eq!(listed.iter().map(String::as_str).collect::<BTreeSet<_>>(), heads);
        let defaults: Vec<_> = described.branches.iter().filter(|branch| branch.is_default).collect();
        assert_eq!(defaults.len(), 1);
        assert_eq!(defaults[0].display_id, "main");
    }
    // The first E3 reads these names.
    let json = serde_json::to_value(snapshot).unwrap();
    let branch = &json["projects"][0]["repos"][0]["branches"][0];
    for name in ["id", "displayId", "latestCommit", "latestChangeset", "isDefault", "type"] {
        assert!(!branch[name].is_null(), "{name} in {branch}");
    }
    assert!(json["users"][0]["username"].is_string());
    assert!(!json.to_string().contains("assword"));
    assert_eq!(serde_json::from_value::<Snapshot>(json).unwrap(), *snapshot);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_generations_agree_and_leave_one_entry() {
    let cache = tempfile::tempdir().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let path = cache.path().to_owned();
        tasks.spawn(async move { generate("x", &small(), &path).await.unwrap() });
    }
    let made = tasks.join_all().await;
    assert!(made.iter().all(|dataset| *dataset == made[0]));
    git(&made[0].repositories[0].path, &["fsck", "--strict"]);
    entry(cache.path());
}

#[tokio::test]
async fn a_whole_entry_is_used_again_and_a_broken_one_made_again() {
    let cache = tempfile::tempdir().unwrap();
    let first = generate("x", &small(), cache.path()).await.unwrap();
    let mark = entry(cache.path()).join("mark");
    fs::write(&mark, "kept").unwrap();
    assert_eq!(generate("x", &small(), cache.path()).await.unwrap(), first);
    assert!(mark.exists(), "the entry was not made again");

    let expected = refs(&first);
    let repository = &first.repositories[1].path;
    let pack = fs::read_dir(repository.join("objects/pack")).unwrap().next().unwrap().unwrap().path();
    let snapshot = entry(cache.path()).join("snapshot.json");
    let breaks: [(&str, &dyn Fn()); 4] = [
        ("a missing repository", &|| fs::remove_dir_all(repository).unwrap()),
        ("a cut file of a pack", &|| {
            fs::remove_file(&pack).unwrap();
            fs::write(&pack, "cut").unwrap();
        }),
        ("a changed snapshot", &|| fs::write(&snapshot, "{}").unwrap()),
        ("a missing list", &|| fs::remove_file(entry(cache.path()).join("entry.json")).unwrap()),
    ];
    for (what, harm) in breaks {
        harm();
        let again = generate("x", &small(), cache.path()).await.unwrap();
        assert_eq!(again, first, "{what}");
        assert_eq!(refs(&again), expected, "{what}");
        entry(cache.path());
    }
}

#[tokio::test]
async fn a_workplace_of_a_dead_process_is_cleared_away() {
    let cache = tempfile::tempdir().unwrap();
    let dead = cache.path().join("datasets/making-1-0");
    fs::create_dir_all(dead.join("repositories")).unwrap();
    fs::write(dead.with_extension("lock"), "").unwrap();
    generate("x", &small(), cache.path()).await.unwrap();
    entry(cache.path());
}

#[tokio::test]
async fn giving_up_leaves_nothing() {
    let cache = tempfile::tempdir().unwrap();
    let recipe = Generate { commits_min: 20_000, commits_max: 20_000, ..small() };
    let datasets = cache.path().join("datasets");
    let begun = || fs::read_dir(&datasets).is_ok_and(|mut found| found.next().is_some());
    tokio::select! {
        made = generate("x", &recipe, cache.path()) => panic!("it was too fast to be given up: {made:?}"),
        () = async { while !begun() { tokio::task::yield_now().await; } } => {}
    }
    // Git needs a moment to be gone; what is written meanwhile goes with the next sweep at the latest.
    generate("x", &small(), cache.path()).await.unwrap();
    let left = fs::read_dir(&datasets).unwrap().count();
    assert_eq!(left, 1, "only the entry that was made in the end");
}

#[tokio::test]
async fn impossible_recipes_are_refused() {
    let cache = tempfile::tempdir().unwrap();
    for recipe in [
        Generate { commits_min: 9, commits_max: 8, ..small() },
        Generate { commits_min: 0, ..small() },
        Generate { repositories: 0, ..small() },
        Generate { projects: 0, ..small() },
    ] {
        let error = generate("odd", &recipe, cache.path()).await.unwrap_err();
        assert!(matches!(error, DatasetError::Recipe { .. }), "{error}");
    }
    assert!(fs::read_dir(cache.path()).unwrap().next().is_none());
}

#[tokio::test]
async fn a_team_has_pull_requests_assets_and_tags() {
    let cache = tempfile::tempdir().unwrap();
    let recipe =
        Generate { repositories: 4, commits_min: 50, commits_max: 400, sizes: Sizes::LogNormal, ..team() };
    let dataset = generate("team", &recipe, cache.path()).await.unwrap();
    let users: BTreeSet<&str> = dataset.snapshot.users.iter().map(|user| user.username.as_str()).collect();
    let mut states = Vec::new();
    let mut assets = 0;
    for ((_, described), made) in dataset.snapshot.repositories().zip(&dataset.repositories) {
        git(&made.path, &["fsck", "--strict", "--full"]);
        assert!(!described.pull_requests.is_empty(), "{}", described.name);
        for request in &described.pull_requests {
            let counted =
                git(&made.path, &["rev-list", "--count", &format!("{}..{}", request.to, request.from)]);
            assert!((1..=3).contains(&counted.trim().parse::<u32>().unwrap()), "{request:?}");
            assert!(
                request.reviewers.iter().chain([&request.author]).all(|name| users.contains(name.as_str()))
            );
            states.push(request.state);
        }
        // Merged in their order, none of them conflicts with those before.
        let mut main = "main".to_owned();
        for request in described.pull_requests.iter().filter(|one| one.state == PullRequestState::Merged) {
            let tree = git(&made.path, &["merge-tree", "--write-tree", &main, &request.from]);
            let merge = [
                "-c",
                "user.name=x",
                "-c",
                "user.email=x@example.com",
                "commit-tree",
                "-m",
                "x",
                "-p",
                &main,
            ];
            main = git(&made.path, &[&merge[..], &["-p", &request.from, tree.trim()]].concat())
                .trim()
                .to_owned();
        }
        let types = git(&made.path, &["for-each-ref", "--format=%(objecttype)", "refs/tags"]);
        if git(&made.path, &["rev-list", "--first-parent", "--count", "main"]).trim().parse::<u32>().unwrap()
            >= 40
        {
            assert!(types.contains("tag") && types.contains("commit"), "annotated and light tags: {types}");
        }
        let tree = git(&made.path, &["ls-tree", "-r", "-l", "main"]);
        let sizes = tree.lines().filter(|line| line.contains("\tassets/"));
        assets +=
            sizes.map(|line| line.split_whitespace().nth(3).unwrap().parse::<u64>().unwrap()).sum::<u64>();
    }
    assert_eq!(states.len(), 15);
    assert_eq!(assets, 1_000_000, "to the byte");
    for (state, at_least) in
        [(PullRequestState::Open, 6), (PullRequestState::Merged, 4), (PullRequestState::Declined, 1)]
    {
        let count = states.iter().filter(|found| **found == state).count();
        assert!(count >= at_least, "{count} are {state:?}");
    }
    let again = tempfile::tempdir().unwrap();
    assert_eq!(generate("team", &recipe, again.path()).await.unwrap().snapshot, dataset.snapshot);
}
