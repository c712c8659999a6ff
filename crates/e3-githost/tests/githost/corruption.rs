//! A repository that a disk has damaged: whoever asks for it is told so in the form of the question, all else goes on.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::harness::{Place, Server, wait_for};
use crate::ssh::Key;

/// What a disk may do to a repository.
type Damage = fn(&Path);

/// Returns the files below a directory, largest first, so that the first one is what most depends on.
fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if entry.path().extension().is_some_and(|end| end == extension) {
                found.push(entry.path());
            }
        }
    }
    found.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).unwrap().len()));
    found
}

fn overwrite(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(path, bytes).unwrap();
}

const DAMAGES: &[(&str, Damage)] = &[
    ("a pack is cut", |repository| {
        overwrite(&files(repository, "pack")[0], |bytes| bytes.truncate(bytes.len() / 3));
    }),
    ("a pack is scribbled over", |repository| {
        overwrite(&files(repository, "pack")[0], |bytes| {
            bytes[12..].iter_mut().for_each(|byte| *byte ^= 0x5a);
        });
    }),
    ("an index of a pack is empty", |repository| {
        overwrite(&files(repository, "idx")[0], Vec::clear);
    }),
    ("packs are gone", |repository| {
        fs::remove_dir_all(repository.join("objects/pack")).unwrap();
    }),
    ("all objects are gone", |repository| {
        fs::remove_dir_all(repository.join("objects")).unwrap();
    }),
    ("a ref is noise", |repository| {
        fs::create_dir_all(repository.join("refs/heads")).unwrap();
        fs::write(repository.join("refs/heads/main"), [0xff; 64]).unwrap();
    }),
    ("the packed refs are noise", |repository| {
        fs::write(repository.join("packed-refs"), [0xfe; 4096]).unwrap();
    }),
    ("the configuration is noise", |repository| {
        fs::write(repository.join("config"), [0xfd; 512]).unwrap();
    }),
    ("HEAD is a directory", |repository| {
        fs::remove_file(repository.join("HEAD")).unwrap();
        fs::create_dir(repository.join("HEAD")).unwrap();
    }),
    ("the repository is gone", |repository| fs::remove_dir_all(repository).unwrap()),
    ("the repository is a file", |repository| {
        fs::remove_dir_all(repository).unwrap();
        fs::write(repository, "no directory").unwrap();
    }),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_repository_is_told_and_harms_no_other() {
    let place = Place::new();
    let server = Server::start_with_ssh(&place.home(), "1").await;
    let key = Key::new(&place, "key", &[&server]).await.registered(&server).await;
    server.create_project("PROJ").await;
    place.history("work", 12).await;
    place.git(&["-C", "work", "gc", "--quiet"]).await;
    server.create_repository("PROJ", "healthy").await;
    place.git(&["-C", "work", "push", "--quiet", &server.clone_url("PROJ", "healthy"), "main"]).await;

    for (number, (what, damage)) in DAMAGES.iter().enumerate() {
        let slug = format!("damaged-{number}");
        let made = server.create_repository("PROJ", &slug).await;
        place.git(&["-C", "work", "push", "--quiet", &server.clone_url("PROJ", &slug), "main"]).await;
        let repository = place.home().join(format!("repositories/{}.git", made["id"]));
        place.git(&["-C", repository.to_str().unwrap(), "repack", "-adq"]).await;
        // What is cached while all is well must not hide the damage for ever, nor break on it.
        place.git(&["ls-remote", &server.clone_url("PROJ", &slug)]).await;
        damage(&repository);
        is_told(&place, &server, &key, &slug, what).await;
        let healthy = format!("healthy-{number}");
        place.git(&["clone", "--quiet", &server.clone_url("PROJ", "healthy"), &healthy]).await;
    }
    // Nothing of all that is left running.
    let repositories = place.home().canonicalize().unwrap().join("repositories");
    wait_for("every git to be gone", || match crate::harness::processes_in(&repositories) {
        found if found.is_empty() => Ok(()),
        found => Err(format!("{found:?}")),
    })
    .await;
    server.stop().await.unwrap();
}

async fn is_told(place: &Place, server: &Server, key: &Key, slug: &str, what: &str) {
    let home = place.home().canonicalize().unwrap().display().to_string();
    for (scheme, url) in [("http", server.clone_url("PROJ", slug)), ("ssh", server.ssh_url("PROJ", slug))] {
        let target = format!("{slug}-{scheme}");
        let (cloned, _, stderr) = key.git(place, &["clone", "--no-local", &url, &target]).await;
        // A damage that a clone can do without is none to it; then all must have come.
        if cloned && !stderr.contains("empty repository") {
            let count = place.git(&["-C", &target, "rev-list", "--count", "HEAD"]).await;
            assert_eq!(count, "12", "{what} by {scheme}: {stderr}");
            place.git(&["-C", &target, "fsck", "--full"]).await;
        }
        assert!(!of_githost(&stderr).contains(&home), "{what} by {scheme}: no path of the server: {stderr}");
        assert!(!stderr.is_empty(), "{what} by {scheme}");
    }
    let paths = [
        (format!("/projects/PROJ/repos/{slug}/browse"), "text/html"),
        (format!("/projects/PROJ/repos/{slug}/branches"), "text/html"),
        (format!("/rest/api/1.0/projects/PROJ/repos/{slug}"), "application/json"),
        (format!("/rest/api/1.0/projects/PROJ/repos/{slug}/branches"), "application/json"),
        (format!("/rest/api/1.0/projects/PROJ/repos/{slug}/commits"), "application/json"),
        (format!("/rest/api/1.0/projects/PROJ/repos/{slug}/files"), "application/json"),
        (format!("/rest/api/1.0/projects/PROJ/repos/{slug}/pull-requests"), "application/json"),
    ];
    for (path, kind) in paths {
        let answer = server.get(&path).await;
        let status = answer.status.as_u16();
        assert!(matches!(status, 200 | 204 | 404 | 500), "{what}: {path}: {status} {}", answer.text());
        if status != 204 {
            let told = answer.header("content-type");
            assert!(told.starts_with(kind), "{what}: {path}: {status} {told}");
        }
        if status >= 400 && kind == "application/json" {
            let message = answer.json()["errors"][0]["message"].as_str().unwrap_or_default().to_owned();
            assert!(!message.is_empty(), "{what}: {path}: {}", answer.text());
        }
        assert!(!answer.text().contains(&home), "{what}: {path}: {}", answer.text());
    }
    // A push either fails or has really arrived.
    let work = format!("{slug}-push");
    place.git(&["clone", "--quiet", "work", &work]).await;
    for (scheme, url) in [("http", server.clone_url("PROJ", slug)), ("ssh", server.ssh_url("PROJ", slug))] {
        let branch = format!("refs/heads/{scheme}");
        let (pushed, _, stderr) =
            key.git(place, &["-C", &work, "push", &url, &format!("HEAD:{branch}")]).await;
        assert!(!of_githost(&stderr).contains(&home), "{what} by {scheme}: no path of the server: {stderr}");
        if pushed {
            let (listed, stdout, stderr) = key.git(place, &["ls-remote", &url, &branch]).await;
            assert!(listed && stdout.contains(&branch), "{what} by {scheme}: {stdout}{stderr}");
        }
    }
}

/// Returns what a client printed without what the server's git told its user itself, which may name files.
fn of_githost(stderr: &str) -> String {
    stderr.lines().filter(|line| !line.starts_with("remote: ")).collect()
}
