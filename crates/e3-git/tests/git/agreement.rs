//! What the native client and real git find in the same repositories.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use e3_git::{Branches, CloneOptions, GitError, Ref, clone, clone_with, fetch_tip, ls_remote};
use e3_testkit::{Git, GitServerOptions, Shape, SshdOptions};

use crate::site::{Server, Site, as_for_each_ref, as_ls_remote, blocking, pack_bytes, repository};

/// What a fresh clone of real git has: refs, objects in packs, bytes of the pack.
struct Cloned {
    refs: String,
    objects: u32,
    pack_bytes: u64,
}

async fn clone_with_git<S: Server>(site: &Site<S>, slug: &str, version: &str, flags: &[&str]) -> Cloned {
    let target = format!("clones/{slug}{}.git", flags.concat());
    let (version, url) = (format!("protocol.version={version}"), site.url(slug));
    let words = [&["-c", &version, "clone", "-q", "--bare"], flags, &[&url, &target]].concat();
    site.git(&words).await;
    let git = Git::new(site.directory.path().join(target));
    blocking(move || {
        let count = git.run(&["count-objects", "-v"]);
        let field = |name: &str| -> u32 {
            count
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                .unwrap()
                .parse()
                .unwrap()
        };
        assert_eq!((field("count"), field("packs")), (0, 1), "a fresh clone has one pack and nothing else");
        Cloned {
            refs: git.run(&["for-each-ref", "--format=%(objectname) %(refname)"]),
            objects: field("in-pack"),
            pack_bytes: pack_bytes(git.directory()),
        }
    })
    .await
}

async fn agrees_with_git<S: Server>(site: &Site<S>, seed: u64, version: &str) {
    let slug = format!("repository-{seed}");
    let shape = Shape::seeded(seed);
    site.create(&slug, seed, shape.clone()).await;
    let context = format!("seed {seed}, protocol version {version}, {shape:?}");

    let remote = site.remote();
    let listed = ls_remote(&remote, &repository(&slug)).await.unwrap();
    let expected = site.git(&["ls-remote", &site.url(&slug)]).await;
    assert_eq!(as_ls_remote(&listed.refs), expected, "{context}");
    let head = listed.refs.iter().find(|reference| reference.name == "HEAD").unwrap();
    let target = (!shape.detached_head).then_some("refs/heads/main");
    assert_eq!(head.symref_target.as_deref(), target, "{context}");

    let native = clone(&remote, &repository(&slug)).await.unwrap();
    let real = clone_with_git(site, &slug, version, &[]).await;
    let is_cloned = |found: &&Ref| {
        found.name == "HEAD" || ["refs/heads/", "refs/tags/"].iter().any(|p| found.name.starts_with(p))
    };
    let cloned: Vec<_> = listed.refs.iter().filter(is_cloned).cloned().collect();
    assert_eq!(as_for_each_ref(&cloned), real.refs, "{context}");
    assert_eq!(native.refs, cloned.len() as u64, "{context}");
    assert_eq!(native.is_verified, Some(true), "{context}");
    assert_eq!(native.objects, real.objects, "{context}");
    let difference = native.pack_bytes.abs_diff(real.pack_bytes);
    assert!(
        difference * 100 <= real.pack_bytes,
        "{context}: {} bytes instead of {}",
        native.pack_bytes,
        real.pack_bytes
    );
    assert!(native.transfer.bytes_in > native.pack_bytes, "{context}");
    forked_agrees(site, &slug, &real, &listed.refs).await;
}

/// The real git as a client finds the same; its packs may differ in size, as each is packed anew.
async fn forked_agrees<S: Server>(site: &Site<S>, slug: &str, real: &Cloned, listed: &[Ref]) {
    let forked = site.forked();
    let found = forked.ls_remote(&repository(slug)).await.unwrap();
    assert_eq!(as_ls_remote(&found), as_ls_remote(listed), "{slug}");
    let target = |refs: &[Ref]| refs.iter().find_map(|reference| reference.symref_target.clone());
    assert_eq!(target(&found), target(listed), "{slug}");
    let cloned = forked.clone_bare(&repository(slug)).await.unwrap();
    assert_eq!(as_for_each_ref(&cloned.refs().unwrap()), real.refs, "{slug}");
    assert_eq!(cloned.objects, real.objects, "{slug}");
    assert!(
        cloned.pack_bytes.abs_diff(real.pack_bytes) * 100 <= real.pack_bytes,
        "{slug}: {}",
        cloned.pack_bytes
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn native_and_real_git_agree_on_8_repositories_behind_nginx() {
    let site = Site::nginx().await;
    for seed in 31..=38 {
        agrees_with_git(&site, seed, "2").await;
    }
}

/// Clones of a part: the same objects and the same bytes, whatever part it is.
async fn agrees_on_parts<S: Server>(site: &Site<S>, seed: u64) {
    let (slug, shape) = (format!("part-{seed}"), Shape { detached_head: false, ..Shape::seeded(seed) });
    let git = Git::new(site.create(&slug, seed, shape).await);
    git.run(&["config", "uploadpack.allowFilter", "true"]);
    let (head, all) = (Branches::Head, Branches::All);
    let is_blobless = true;
    for (options, flags) in [
        (
            CloneOptions { depth: NonZeroU32::new(1), branches: head.clone(), ..CloneOptions::default() },
            &["--depth=1"][..],
        ),
        (
            CloneOptions { depth: NonZeroU32::new(5), branches: head.clone(), ..CloneOptions::default() },
            &["--depth=5"],
        ),
        (
            CloneOptions { depth: NonZeroU32::new(2), branches: all, ..CloneOptions::default() },
            &["--depth=2", "--no-single-branch"],
        ),
        (CloneOptions { is_blobless, ..CloneOptions::default() }, &["--filter=blob:none"]),
        (CloneOptions { branches: head.clone(), ..CloneOptions::default() }, &["--single-branch"]),
        (
            CloneOptions {
                depth: NonZeroU32::new(1),
                branches: head.clone(),
                is_blobless,
                ..CloneOptions::default()
            },
            &["--depth=1", "--filter=blob:none"],
        ),
        (
            CloneOptions {
                depth: NonZeroU32::new(1),
                branches: head.clone(),
                is_tagless: true,
                ..CloneOptions::default()
            },
            &["--depth=1", "--no-tags"],
        ),
    ] {
        let native = clone_with(&site.remote(), &repository(&slug), &options).await.unwrap();
        let real = clone_with_git(site, &slug, "2", flags).await;
        assert_eq!(native.objects, real.objects, "{slug} {flags:?}");
        let difference = native.pack_bytes.abs_diff(real.pack_bytes);
        assert!(
            difference * 100 <= real.pack_bytes,
            "{slug} {flags:?}: {} and {}",
            native.pack_bytes,
            real.pack_bytes
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn native_and_real_git_agree_on_parts_behind_nginx_and_over_ssh() {
    let (nginx, sshd) = (Site::nginx().await, Site::ssh(SshdOptions::default()).await);
    for seed in 41..=43 {
        agrees_on_parts(&nginx, seed).await;
        agrees_on_parts(&sshd, seed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn native_and_real_git_agree_on_20_repositories_over_http() {
    let site = Site::http(GitServerOptions::default()).await;
    for seed in 1..=20 {
        agrees_with_git(&site, seed, "2").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn native_and_real_git_agree_on_20_repositories_over_ssh() {
    let site = Site::ssh(SshdOptions::default()).await;
    for seed in 1..=20 {
        agrees_with_git(&site, seed, "2").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn native_and_real_git_agree_in_version_0_over_http() {
    let site = Site::http(GitServerOptions { ignore_protocol: true, ..GitServerOptions::default() }).await;
    for seed in 21..=26 {
        agrees_with_git(&site, seed, "0").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn native_and_real_git_agree_in_version_0_over_ssh() {
    let site = Site::ssh(SshdOptions { ignore_protocol: true, ..SshdOptions::default() }).await;
    for seed in 21..=26 {
        agrees_with_git(&site, seed, "0").await;
    }
}

async fn handles_an_empty_repository<S: Server>(site: &Site<S>) {
    site.create("empty", 1, Shape { commits: 0, ..Shape::seeded(1) }).await;
    let remote = site.remote();
    assert_eq!(ls_remote(&remote, &repository("empty")).await.unwrap().refs, []);
    let cloned = clone(&remote, &repository("empty")).await.unwrap();
    assert_eq!((cloned.refs, cloned.objects, cloned.pack_bytes), (0, 0, 0));
    assert_eq!(cloned.is_verified, None);
    let forked = site.forked().clone_bare(&repository("empty")).await.unwrap();
    assert_eq!((forked.refs().unwrap().len(), forked.objects, forked.pack_bytes), (0, 0, 0));
    let tip = fetch_tip(&remote, &repository("empty"), "main").await.unwrap_err();
    assert!(matches!(tip, GitError::NoBranch { .. }), "{tip}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_repository_is_cloned_empty() {
    for ignore_protocol in [false, true] {
        handles_an_empty_repository(
            &Site::http(GitServerOptions { ignore_protocol, ..GitServerOptions::default() }).await,
        )
        .await;
        handles_an_empty_repository(
            &Site::ssh(SshdOptions { ignore_protocol, ..SshdOptions::default() }).await,
        )
        .await;
    }
}

async fn names_the_object_format<S: Server>(site: &Site<S>) {
    let path = site.path("wide");
    blocking(move || {
        std::fs::create_dir_all(&path).unwrap();
        let git = Git::new(path);
        git.run(&["init", "-q", "--bare", "--object-format=sha256", "."]);
        let tree = git.run_with_input(&["mktree"], b"");
        let commit = git.run(&["commit-tree", "-m", "first", &tree]);
        git.run(&["update-ref", "refs/heads/main", &commit]);
    })
    .await;
    let error = clone(&site.remote(), &repository("wide")).await.unwrap_err();
    assert!(matches!(&error, GitError::ObjectFormat { format, .. } if format == "sha256"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sha256_repository_is_named_as_such() {
    for ignore_protocol in [false, true] {
        names_the_object_format(
            &Site::http(GitServerOptions { ignore_protocol, ..GitServerOptions::default() }).await,
        )
        .await;
        names_the_object_format(&Site::ssh(SshdOptions { ignore_protocol, ..SshdOptions::default() }).await)
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_phases_over_ssh_tell_where_the_time_went() {
    const THINKING: Duration = Duration::from_millis(300);
    // A hook of upload-pack that runs before it packs.
    let run = "git -c uploadpack.packObjectsHook=\"$PWD/hook\" upload-pack \"$3\"".to_owned();
    let site = Site::ssh(SshdOptions { run: Some(run), ..SshdOptions::default() }).await;
    let hook = site.directory.path().join("hook");
    std::fs::write(&hook, "#!/bin/sh\nsleep 0.3\nexec \"$@\"\n").unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    // Only protected configuration may name the hook, which is the command line's.
    site.create("r", 2, Shape::seeded(2)).await;
    let before = Instant::now();
    let transfer = clone(&site.remote(), &repository("r")).await.unwrap().transfer;
    let whole = before.elapsed();
    let phases = transfer.phases;
    let sum = phases.advertisement_ns + phases.negotiation_ns + phases.server_think_ns + phases.transfer_ns;
    assert!(Duration::from_nanos(phases.server_think_ns) >= THINKING, "{phases:?}");
    assert!(
        [phases.advertisement_ns, phases.negotiation_ns, phases.transfer_ns].iter().all(|ns| *ns > 0),
        "{phases:?}"
    );
    assert!(Duration::from_nanos(sum) <= whole, "{phases:?} within {whole:?}");
    assert!(transfer.first_byte.unwrap() >= before + THINKING);
}
