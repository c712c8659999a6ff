//! Generated datasets, looked at with the real git, and loaded into the embedded server.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails here fails its test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use e3_dataset::{Dataset, DatasetError, Target, generate, load};
use e3_githost::ServeOptions;
use e3_model::{Generate, Secret, Seed, Snapshot};
use tokio::sync::oneshot;

fn small() -> Generate {
    Generate { seed: Seed(7), projects: 2, repositories: 3, commits_min: 5, commits_max: 60, users: 3 }
}

/// Runs git on a repository and returns what it printed.
fn git(repository: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").arg("--git-dir").arg(repository).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "git {arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Returns the refs of every repository, with the objects they name.
fn refs(dataset: &Dataset) -> Vec<String> {
    dataset.repositories.iter().map(|repository| git(&repository.path, &["show-ref", "--head"])).collect()
}

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

/// An embedded server that ends with the test.
struct Server {
    target: Target,
    stop: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
    _home: tempfile::TempDir,
}

impl Server {
    async fn start(dataset: &Dataset) -> Self {
        let home = tempfile::tempdir().unwrap();
        let admin_password = Secret::new("correct horse");
        let options = ServeOptions {
            home: home.path().join("githost"),
            http: ([127, 0, 0, 1], 0).into(),
            ssh: None,
            admin_password: admin_password.clone(),
            database: None,
            node: "1".to_owned(),
        };
        let (tell, ready) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let on_ready = |ready: &e3_githost::Ready| tell.send(ready.http.clone()).unwrap();
            let shutdown = async { drop(stopped.await) };
            e3_githost::serve(options, on_ready, shutdown).await.unwrap();
        });
        let url = ready.await.unwrap();
        let users: BTreeMap<_, _> = (dataset.snapshot.users.iter())
            .map(|user| (user.username.clone(), Secret::new(format!("pass {}", user.username))))
            .collect();
        let target = Target { url, admin: "admin".to_owned(), admin_password, users };
        Self { target, stop: Some(stop), task, _home: home }
    }

    /// Returns what `git ls-remote` prints when `user` asks.
    fn ls_remote(&self, project: &str, slug: &str, user: &str, password: &Secret) -> String {
        let password = password.expose().replace(' ', "%20");
        let url = self.target.url.replace("http://", &format!("http://{user}:{password}@"));
        let output = Command::new("git")
            .args(["ls-remote", &format!("{url}/scm/{project}/{slug}.git")])
            .env("GIT_TERMINAL_PROMPT", "0")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    async fn stop(mut self) {
        drop(self.stop.take());
        self.task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loading_twice_is_like_loading_once() {
    let cache = tempfile::tempdir().unwrap();
    let dataset = generate("x", &small(), cache.path()).await.unwrap();
    let server = Server::start(&dataset).await;
    let loaded = load(&dataset, &server.target).await.unwrap();
    assert_eq!((loaded.projects, loaded.repositories, loaded.users, loaded.created), (2, 3, 3, 8));
    let again = load(&dataset, &server.target).await.unwrap();
    assert_eq!((again.projects, again.repositories, again.users, again.created), (2, 3, 3, 0));

    for repository in &dataset.repositories {
        let local = git(&repository.path, &["ls-remote", repository.path.to_str().unwrap()]);
        for (user, password) in &server.target.users {
            assert_eq!(
                server.ls_remote(&repository.project, &repository.slug, user, password),
                local,
                "as {user}"
            );
        }
    }
    let base = e3_http::BaseUrl::parse(&server.target.url).unwrap();
    let mut bitbucket = e3_bitbucket::Bitbucket::new(base, "admin", &server.target.admin_password);
    for (project, repository) in dataset.snapshot.repositories() {
        let by_name = |mut branches: Vec<e3_model::Branch>| {
            branches.sort_by(|one, other| one.id.cmp(&other.id));
            branches
        };
        let described = bitbucket.branches(project, &repository.name).await.unwrap();
        assert_eq!(
            by_name(described),
            by_name(repository.branches.clone()),
            "the snapshot is what the server says"
        );
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_that_cannot_be_says_why() {
    let cache = tempfile::tempdir().unwrap();
    let dataset = generate("x", &small(), cache.path()).await.unwrap();
    let server = Server::start(&dataset).await;

    let mut forgetful = server.target.clone();
    let user = dataset.snapshot.users[1].username.clone();
    forgetful.users.remove(&user);
    let error = load(&dataset, &forgetful).await.unwrap_err();
    assert_eq!(error.to_string(), format!("there is no password for user {user}"));

    let stranger = Target { admin_password: Secret::new("wrong"), ..server.target.clone() };
    let error = load(&dataset, &stranger).await.unwrap_err();
    assert!(matches!(error, DatasetError::Create { .. }), "{error}");

    let nowhere = Target { url: "https://localhost".to_owned(), ..server.target.clone() };
    let error = load(&dataset, &nowhere).await.unwrap_err();
    assert!(matches!(error, DatasetError::Address { .. }), "{error}");

    load(&dataset, &server.target).await.unwrap();
    let broken = dataset.repositories[0].path.join("objects");
    fs::remove_dir_all(&broken).unwrap();
    let error = load(&dataset, &server.target).await.unwrap_err();
    let DatasetError::Git { stderr, .. } = &error else { panic!("{error}") };
    assert!(!stderr.is_empty());
    assert!(!error.to_string().contains("correct horse"), "{error}");
    server.stop().await;
}
