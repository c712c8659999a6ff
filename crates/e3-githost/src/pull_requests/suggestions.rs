//! Branches that a user pushed lately and might want to propose.
//!
//! Who pushed what is in Git's reflogs, which `receive-pack` keeps with the name of the user. Only repositories that the
//! user visited lately are looked into.
//!
//! Source: git's `gitrepository-layout`, and the format of a reflog's lines.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::branches;
use crate::clock::now_ms;
use crate::failure::Failure;
use crate::permissions::Level;
use crate::state::Host;
use crate::store::{Repository, Tip, User, Window};

/// A branch that could be proposed to the default branch.
#[derive(Debug, Clone)]
pub(crate) struct Suggestion {
    pub(crate) repository: Repository,
    /// The branch as the push left it.
    pub(crate) from: Tip,
    /// What it was at before; none if the push made it.
    pub(crate) before: Option<String>,
    /// The default branch's full name.
    pub(crate) to: String,
    pub(crate) pushed_ms: i64,
}

/// Returns the branches that the user pushed within so many seconds and did not propose since, the latest first.
pub(crate) async fn suggestions(
    host: &Host,
    user: &User,
    seconds: u32,
    limit: u32,
) -> Result<Vec<Suggestion>, Failure> {
    let since = now_ms().saturating_sub(i64::from(seconds).saturating_mul(1000));
    let visited = host
        .store
        .visited(user, Level::Write.number(), Window { start: 0, limit: MOST_REPOSITORIES })
        .await?;
    let mut found = Vec::new();
    for repository in visited.rows {
        found.extend(in_repository(host, user, repository, since).await?);
    }
    found.sort_by_key(|suggestion| std::cmp::Reverse(suggestion.pushed_ms));
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found)
}

async fn in_repository(
    host: &Host,
    user: &User,
    repository: Repository,
    since: i64,
) -> Result<Vec<Suggestion>, Failure> {
    let path = host.repositories.path(repository.id);
    let email = format!("<{}@githost>", user.slug);
    let read = tokio::task::spawn_blocking(move || {
        let mut pushes = Vec::new();
        let logs = path.join("logs/refs/heads");
        collect(&logs, "refs/heads/", (&email, since), &mut pushes).map(|()| pushes)
    });
    let pushes = read.await.map_err(io::Error::other).and_then(|read| read);
    let pushes = pushes.map_err(|error| Failure::internal("read reflogs", &error))?;
    if pushes.is_empty() {
        return Ok(Vec::new());
    }
    let Some(to) = branches::head(host, &repository).await? else { return Ok(Vec::new()) };
    let proposed = host.store.proposed_since(&repository, since).await?;
    let wanted = |push: &Push| push.name != to && !proposed.contains(&push.name);
    let suggestion = |push: Push| Suggestion {
        repository: repository.clone(),
        from: Tip { name: push.name, commit: push.after },
        before: push.before,
        to: to.clone(),
        pushed_ms: push.pushed_ms,
    };
    Ok(pushes.into_iter().filter(wanted).map(suggestion).collect())
}

/// The last line of a branch's reflog.
#[derive(Debug, PartialEq, Eq)]
struct Push {
    name: String,
    before: Option<String>,
    after: String,
    pushed_ms: i64,
}

/// Finds the branches whose last push was the user's and not before the time.
fn collect(
    directory: &Path,
    prefix: &str,
    (email, since): (&str, i64),
    into: &mut Vec<Push>,
) -> io::Result<()> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() && prefix.len() < LONGEST_NAME {
            collect(&entry.path(), &format!("{name}/"), (email, since), into)?;
        } else if kind.is_file() {
            match last_line(&entry.path()) {
                Ok(line) if line.contains(email) => {
                    into.extend(parse(&line, name).filter(|push| push.pushed_ms >= since));
                }
                Ok(_) => {}
                // Deleted with its branch meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

fn last_line(file: &Path) -> io::Result<String> {
    let mut file = std::fs::File::open(file)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST_LINE)))?;
    let mut tail = Vec::new();
    file.take(LONGEST_LINE).read_to_end(&mut tail)?;
    Ok(String::from_utf8_lossy(&tail).lines().next_back().unwrap_or("").to_owned())
}

/// Reads `<old> <new> <name> <<email>> <seconds> <zone>\t<message>`.
fn parse(line: &str, name: String) -> Option<Push> {
    let head = line.split('\t').next()?;
    let mut ids = head.split(' ');
    let (before, after) = (ids.next()?, ids.next()?);
    let (_, time) = head.rsplit_once("> ")?;
    let seconds: i64 = time.split(' ').next()?.parse().ok()?;
    let is_none = |id: &str| id.bytes().all(|byte| byte == b'0');
    if !crate::compare::is_id(before) || !crate::compare::is_id(after) || is_none(after) {
        return None;
    }
    let before = (!is_none(before)).then(|| before.to_owned());
    Some(Push { name, before, after: after.to_owned(), pushed_ms: seconds.saturating_mul(1000) })
}

const MOST_REPOSITORIES: u32 = 5;
const LONGEST_NAME: usize = 1024;
const LONGEST_LINE: u64 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_last_line_of_a_reflog() {
        let (zero, one, two) = ("0".repeat(40), "1".repeat(40), "2".repeat(40));
        let name = || "refs/heads/a".to_owned();
        let line = format!("{zero} {one} ada <ada@githost> 1700000000 +0000\tpush");
        let push = Push { name: name(), before: None, after: one.clone(), pushed_ms: 1_700_000_000_000 };
        assert_eq!(parse(&line, name()), Some(push));
        let line = format!("{one} {two} Ada L. <ada@githost> 1 +0100\tpush: forced");
        assert_eq!(parse(&line, name()).unwrap().before, Some(one.clone()));
        for bad in [
            "",
            "x",
            "1 2 3",
            &format!("{one} {zero} a <a@githost> 1 +0000\tpush"),
            &format!("{one} {two} a"),
        ] {
            assert_eq!(parse(bad, name()), None, "{bad}");
        }
        let directory = tempfile::tempdir().unwrap();
        let heads = directory.path().join("logs");
        std::fs::create_dir_all(heads.join("feature")).unwrap();
        let text = format!("{}\n{line}\n", "x".repeat(5000));
        std::fs::write(heads.join("feature/a"), text).unwrap();
        std::fs::write(heads.join("other"), format!("{zero} {one} bob <bob@githost> 9 +0000\tpush\n"))
            .unwrap();
        let mut found = Vec::new();
        collect(&heads, "refs/heads/", ("<ada@githost>", 0), &mut found).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].name, "refs/heads/feature/a");
        found.clear();
        collect(&heads, "refs/heads/", ("<ada@githost>", 2000), &mut found).unwrap();
        assert!(found.is_empty(), "too long ago");
        collect(&heads.join("none"), "refs/heads/", ("<ada@githost>", 0), &mut found).unwrap();
    }
}
