//! A repository that a disk has damaged: whoever asks for it is told so in the form of the question, all else goes on.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::harness::{Place, Server, wait_for};
use crate::ssh::Key;

/// What a disk may do to a repository, and what clients are told then.
struct Damage {
    what: &'static str,
    harm: fn(&Path),
    /// Part of what git says to who clones.
    clone: &'static str,
    /// Part of what git says to who pushes.
    push: &'static str,
    /// The statuses of [`PATHS`].
    statuses: [u16; 7],
}

/// What is asked of a damaged repository, and what kind of answer is to come.
const PATHS: [(&str, &str); 7] = [
    ("/projects/PROJ/repos/{slug}/browse", "text/html"),
    ("/projects/PROJ/repos/{slug}/branches", "text/html"),
    ("/rest/api/1.0/projects/PROJ/repos/{slug}", "application/json"),
    ("/rest/api/1.0/projects/PROJ/repos/{slug}/branches", "application/json"),
    ("/rest/api/1.0/projects/PROJ/repos/{slug}/commits", "application/json"),
    ("/rest/api/1.0/projects/PROJ/repos/{slug}/files", "application/json"),
    ("/rest/api/1.0/projects/PROJ/repos/{slug}/pull-requests", "application/json"),
];

const NOT_THERE: &str = "upload-pack: not our ref";
const REJECTED: &str = "[remote rejected]";
const INTERNAL: &str = "The server could not complete the request; its log says why.";
/// Refs are there and what they name is not; the list of pull requests is kept elsewhere.
const NO_OBJECTS: [u16; 7] = [404, 200, 200, 200, 404, 404, 200];
/// Git does not take it for a repository, although refs can be read.
const NO_REPOSITORY: [u16; 7] = [500, 200, 200, 200, 500, 404, 200];
/// Nothing can be read.
const NOTHING: [u16; 7] = [500, 500, 500, 500, 500, 500, 200];

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

const DAMAGES: &[Damage] = &[
    Damage {
        what: "a pack is cut",
        harm: |repository| {
            overwrite(&files(repository, "pack")[0], |bytes| bytes.truncate(bytes.len() / 3));
        },
        clone: NOT_THERE,
        push: REJECTED,
        statuses: NO_OBJECTS,
    },
    Damage {
        what: "a pack is scribbled over",
        harm: |repository| {
            overwrite(&files(repository, "pack")[0], |bytes| {
                bytes[12..].iter_mut().for_each(|byte| *byte ^= 0x5a);
            });
        },
        clone: NOT_THERE,
        push: REJECTED,
        statuses: NO_OBJECTS,
    },
    Damage {
        what: "an index of a pack is empty",
        harm: |repository| overwrite(&files(repository, "idx")[0], Vec::clear),
        clone: NOT_THERE,
        push: REJECTED,
        statuses: NO_OBJECTS,
    },
    Damage {
        what: "packs are gone",
        harm: |repository| fs::remove_dir_all(repository.join("objects/pack")).unwrap(),
        clone: NOT_THERE,
        push: REJECTED,
        statuses: NO_OBJECTS,
    },
    Damage {
        what: "all objects are gone",
        harm: |repository| fs::remove_dir_all(repository.join("objects")).unwrap(),
        clone: INTERNAL,
        push: INTERNAL,
        statuses: NO_REPOSITORY,
    },
    Damage {
        what: "a ref is noise",
        harm: |repository| {
            fs::create_dir_all(repository.join("refs/heads")).unwrap();
            fs::write(repository.join("refs/heads/main"), [0xff; 64]).unwrap();
        },
        clone: NOT_THERE,
        push: REJECTED,
        // Git passes over such a ref, so that there are no branches.
        statuses: [200; 7],
    },
    Damage {
        what: "the packed refs are noise",
        harm: |repository| fs::write(repository.join("packed-refs"), [0xfe; 4096]).unwrap(),
        // The client's own words for an answer that ends in its middle.
        clone: "expected flush after ref listing",
        push: INTERNAL,
        statuses: NO_REPOSITORY,
    },
    Damage {
        what: "the configuration is noise",
        harm: |repository| fs::write(repository.join("config"), [0xfd; 512]).unwrap(),
        clone: INTERNAL,
        push: INTERNAL,
        statuses: NO_REPOSITORY,
    },
    Damage {
        what: "HEAD is a directory",
        harm: |repository| {
            fs::remove_file(repository.join("HEAD")).unwrap();
            fs::create_dir(repository.join("HEAD")).unwrap();
        },
        clone: INTERNAL,
        push: INTERNAL,
        statuses: NOTHING,
    },
    Damage {
        what: "the repository is gone",
        harm: |repository| fs::remove_dir_all(repository).unwrap(),
        clone: INTERNAL,
        push: INTERNAL,
        statuses: NOTHING,
    },
    Damage {
        what: "the repository is a file",
        harm: |repository| {
            fs::remove_dir_all(repository).unwrap();
            fs::write(repository, "no directory").unwrap();
        },
        clone: INTERNAL,
        push: INTERNAL,
        statuses: NOTHING,
    },
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

    for (number, damage) in DAMAGES.iter().enumerate() {
        let slug = format!("damaged-{number}");
        let made = server.create_repository("PROJ", &slug).await;
        place.git(&["-C", "work", "push", "--quiet", &server.clone_url("PROJ", &slug), "main"]).await;
        let repository = place.home().join(format!("repositories/{}.git", made["id"]));
        place.git(&["-C", repository.to_str().unwrap(), "repack", "-adq"]).await;
        // What is cached while all is well must not hide the damage for ever, nor break on it.
        place.git(&["ls-remote", &server.clone_url("PROJ", &slug)]).await;
        (damage.harm)(&repository);
        is_told(&place, &server, &key, &slug, damage).await;
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

async fn is_told(place: &Place, server: &Server, key: &Key, slug: &str, damage: &Damage) {
    let what = damage.what;
    let home = place.home().canonicalize().unwrap().display().to_string();
    for (scheme, url) in [("http", server.clone_url("PROJ", slug)), ("ssh", server.ssh_url("PROJ", slug))] {
        let target = format!("{slug}-{scheme}");
        // Nothing that is done here leaves a whole repository, and none may be taken for an empty one.
        let (cloned, _, stderr) = key.git(place, &["clone", "--no-local", &url, &target]).await;
        assert!(!cloned && stderr.contains(damage.clone), "{what} by {scheme}: {stderr}");
        assert!(!of_githost(&stderr).contains(&home), "{what} by {scheme}: no path of the server: {stderr}");
    }
    for ((path, kind), expected) in PATHS.into_iter().zip(damage.statuses) {
        let path = path.replace("{slug}", slug);
        let answer = server.get(&path).await;
        let status = answer.status.as_u16();
        assert_eq!(status, expected, "{what}: {path}: {}", answer.text());
        let told = answer.header("content-type");
        assert!(told.starts_with(kind), "{what}: {path}: {status} {told}");
        if status >= 400 && kind == "application/json" {
            let message = answer.json()["errors"][0]["message"].as_str().unwrap_or_default().to_owned();
            assert!(!message.is_empty(), "{what}: {path}: {}", answer.text());
        }
        assert!(!answer.text().contains(&home), "{what}: {path}: {}", answer.text());
    }
    let work = format!("{slug}-push");
    place.git(&["clone", "--quiet", "work", &work]).await;
    for (scheme, url) in [("http", server.clone_url("PROJ", slug)), ("ssh", server.ssh_url("PROJ", slug))] {
        let branch = format!("HEAD:refs/heads/{scheme}");
        let (pushed, _, stderr) = key.git(place, &["-C", &work, "push", &url, &branch]).await;
        assert!(!pushed && stderr.contains(damage.push), "{what} by {scheme}: {stderr}");
        assert!(!of_githost(&stderr).contains(&home), "{what} by {scheme}: no path of the server: {stderr}");
    }
}

/// Returns what a client printed without what the server's git told its user itself, which may name files.
fn of_githost(stderr: &str) -> String {
    stderr.lines().filter(|line| !line.starts_with("remote: ")).collect()
}
