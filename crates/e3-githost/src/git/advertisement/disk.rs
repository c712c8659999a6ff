//! The refs of a repository as they lie on disk, and how to tell that they still do.
//!
//! Source: git's `gitrepository-layout` and its files backend. A loose ref wins over a packed one; loose ones are read
//! first, because packing writes `packed-refs` before it removes a loose file. Every change by git is a rename in the
//! ref's own directory. Whatever is unusual (a shallow repository, alternates, odd settings, a broken ref) is left to git.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Head, Id, Ref};

/// What was read, before anybody knows which of the refs are annotated tags.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) head: Head,
    /// In the order of their names.
    pub(super) list: Vec<Ref>,
    /// The ids of which `packed-refs` tells that they are no tags, or what they are tags of.
    pub(super) peeled: Vec<(Id, Option<Id>)>,
    /// The repository's own settings.
    pub(super) settings: Vec<u8>,
    pub(super) stamps: Stamps,
}

/// Everything that was looked at, as it was then.
#[derive(Debug)]
pub(super) struct Stamps {
    objects: PathBuf,
    seen: Vec<(PathBuf, Stamp)>,
    /// Whether every later change will show. One in the same tick of the clock as the last could go unseen.
    pub(super) settled: bool,
}

/// A file or directory at one time; none of it is the same after a change that is made later than the next tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stamp {
    Absent,
    Present { device: u64, inode: u64, size: u64, modified: (i64, i64), changed: (i64, i64) },
}

/// Why a repository is not read here.
#[derive(Debug)]
pub(super) enum Unread {
    /// Git should say what it thinks of it.
    Unusual(&'static str),
    Io(io::Error),
}

/// Reads all refs; blocks for as many file reads as there are loose refs.
pub(super) fn read(repository: &Path) -> Result<Reading, Unread> {
    let mut reader = Reader {
        repository,
        begun: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        stamps: Stamps { objects: repository.join("objects"), seen: Vec::new(), settled: true },
        loose: BTreeMap::new(),
    };
    let settings = reader.file("config")?.ok_or(Unread::Unusual("there are no settings"))?;
    if !are_usual(&settings) {
        return Err(Unread::Unusual("the settings are unusual"));
    }
    for name in ["shallow", "objects/info/alternates", "commondir"] {
        if reader.file(name)?.is_some() {
            return Err(Unread::Unusual("it is shallow or borrows from another"));
        }
    }
    let head = reader.file("HEAD")?.and_then(|text| Value::parse(&text));
    let head = head.ok_or(Unread::Unusual("HEAD is broken"))?;
    reader.directory(&repository.join("refs"), b"refs/", DEEPEST)?;
    let packed = reader.file("packed-refs")?.unwrap_or_default();
    let packed = Packed::parse(&packed).ok_or(Unread::Unusual("packed-refs is broken"))?;
    let mut values: BTreeMap<&[u8], Value> = BTreeMap::new();
    for (name, id) in &packed.refs {
        values.insert(name, Value::Id(*id));
    }
    for (name, value) in &reader.loose {
        values.insert(name, value.clone());
    }
    let list = resolve(&values).ok_or(Unread::Unusual("a ref is broken"))?;
    let head = resolve_head(&head, &values).ok_or(Unread::Unusual("HEAD is broken"))?;
    if !reader.stamps.objects.is_dir() {
        return Err(Unread::Unusual("there are no objects"));
    }
    Ok(Reading { head, list, peeled: packed.peeled, settings, stamps: reader.stamps })
}

impl Stamps {
    /// Returns whether everything is as it was; blocks for a look at each file.
    pub(super) fn hold(&self) -> bool {
        self.settled
            && self.seen.iter().all(|(path, stamp)| Stamp::of(path).is_ok_and(|now| now == *stamp))
            && self.objects.is_dir()
    }
}

impl Stamp {
    fn of(path: &Path) -> io::Result<Self> {
        match std::fs::symlink_metadata(path) {
            Ok(found) => Ok(Self::from(&found)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::Absent),
            Err(error) => Err(error),
        }
    }
}

impl From<&std::fs::Metadata> for Stamp {
    fn from(found: &std::fs::Metadata) -> Self {
        Self::Present {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

struct Reader<'a> {
    repository: &'a Path,
    /// When the reading began, since 1970.
    begun: Duration,
    stamps: Stamps,
    loose: BTreeMap<Vec<u8>, Value>,
}

impl Reader<'_> {
    /// Reads a file of the repository; none if there is none.
    fn file(&mut self, name: &str) -> Result<Option<Vec<u8>>, Unread> {
        self.read(self.repository.join(name))
    }

    fn read(&mut self, path: PathBuf) -> Result<Option<Vec<u8>>, Unread> {
        let mut file = match std::fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.note(path, Stamp::Absent);
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        // What the open file was before it was read: a later change is another file or another time.
        let found = file.metadata()?;
        if !found.is_file() || found.size() > LARGEST {
            return Err(Unread::Unusual("a file is none, or too large"));
        }
        self.note(path, Stamp::from(&found));
        let mut data = Vec::new();
        file.read_to_end(&mut data)?;
        Ok(Some(data))
    }

    fn directory(&mut self, path: &Path, prefix: &[u8], depth: u32) -> Result<(), Unread> {
        let stamp = Stamp::of(path)?;
        self.note(path.to_owned(), stamp);
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            // Removed with the last ref in it; the directory above it has changed too, so this will not hold.
            Err(error) if error.kind() == io::ErrorKind::NotFound && prefix != b"refs/" => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for entry in entries {
            let entry = entry?;
            let file_name = entry.file_name().into_vec();
            if file_name.starts_with(b".") || file_name.ends_with(b".lock") {
                continue;
            }
            if !is_step(&file_name) {
                return Err(Unread::Unusual("a ref's name is broken"));
            }
            let kind = entry.file_type()?;
            let mut name = [prefix, &file_name].concat();
            if kind.is_dir() && depth > 0 {
                name.push(b'/');
                self.directory(&entry.path(), &name, depth - 1)?;
            } else if kind.is_file() {
                // One that is gone was deleted, or packed meanwhile.
                if let Some(text) = self.read(entry.path())? {
                    let value = Value::parse(&text).ok_or(Unread::Unusual("a ref is broken"))?;
                    self.loose.insert(name, value);
                }
            } else {
                return Err(Unread::Unusual("a ref is a link"));
            }
        }
        Ok(())
    }

    fn note(&mut self, path: PathBuf, stamp: Stamp) {
        if let Stamp::Present { changed, .. } = stamp {
            self.stamps.settled &= is_settled(changed, self.begun);
        }
        self.stamps.seen.push((path, stamp));
    }
}

/// Returns whether a change after the reading began would get another time.
fn is_settled((seconds, nanoseconds): (i64, i64), begun: Duration) -> bool {
    let changed = u64::try_from(seconds).unwrap_or(0);
    let changed = Duration::new(changed, u32::try_from(nanoseconds).unwrap_or(0));
    changed + TICK < begun
}

/// What a ref says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Id(Id),
    /// The name of another ref.
    Symbolic(Vec<u8>),
}

impl Value {
    fn parse(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii_end();
        match text.strip_prefix(b"ref:") {
            Some(name) => {
                let name = name.trim_ascii_start();
                let steps = name.strip_prefix(b"refs/")?;
                steps.split(|byte| *byte == b'/').all(is_step).then(|| Self::Symbolic(name.to_vec()))
            }
            None => id(text).map(Self::Id),
        }
    }
}

struct Packed {
    refs: Vec<(Vec<u8>, Id)>,
    peeled: Vec<(Id, Option<Id>)>,
}

impl Packed {
    /// Source: git's `packed-backend.c`: `fully-peeled` promises that a ref without a `^` line is no tag.
    fn parse(text: &[u8]) -> Option<Self> {
        let mut packed = Self { refs: Vec::new(), peeled: Vec::new() };
        let mut fully_peeled = false;
        for line in text.split(|byte| *byte == b'\n') {
            if let Some(traits) = line.strip_prefix(b"#") {
                fully_peeled = traits.split(|byte| *byte == b' ').any(|word| word == b"fully-peeled");
            } else if let Some(peeled) = line.strip_prefix(b"^") {
                packed.peeled.last_mut()?.1 = Some(id(peeled)?);
            } else if !line.is_empty() {
                let (digits, name) = line.split_at_checked(ID)?;
                let (id, name) = (id(digits)?, name.strip_prefix(b" ")?);
                let steps = name.strip_prefix(b"refs/")?;
                if !steps.split(|byte| *byte == b'/').all(is_step) {
                    return None;
                }
                packed.refs.push((name.to_vec(), id));
                packed.peeled.push((id, None));
            }
        }
        if !fully_peeled {
            packed.peeled.clear();
        }
        // A file that was cut short is not one that git wrote.
        (text.is_empty() || text.ends_with(b"\n")).then_some(packed)
    }
}

/// Follows symbolic refs. One that leads nowhere is not listed, as git does not list it; none for what git calls broken.
fn resolve(values: &BTreeMap<&[u8], Value>) -> Option<Vec<Ref>> {
    let mut list = Vec::with_capacity(values.len());
    for (name, value) in values {
        let found = match value {
            Value::Id(id) => Some((*id, None)),
            Value::Symbolic(target) => {
                let (target, id) = follow(target, values)?;
                id.map(|id| (id, Some(target.to_vec())))
            }
        };
        if let Some((id, target)) = found {
            list.push(Ref { name: name.to_vec(), id, target, peeled: None });
        }
    }
    Some(list)
}

fn resolve_head(head: &Value, values: &BTreeMap<&[u8], Value>) -> Option<Head> {
    Some(match head {
        Value::Id(id) => Head { id: Some(*id), target: None, peeled: None },
        Value::Symbolic(target) => {
            let (target, id) = follow(target, values)?;
            Head { id, target: Some(target.to_vec()), peeled: None }
        }
    })
}

/// Returns the last name on the way and what it says, if it exists; none if there are too many steps.
fn follow<'a>(mut name: &'a [u8], values: &'a BTreeMap<&[u8], Value>) -> Option<(&'a [u8], Option<Id>)> {
    for _ in 0..MOST_STEPS {
        match values.get(name) {
            None => return Some((name, None)),
            Some(Value::Id(id)) => return Some((name, Some(*id))),
            Some(Value::Symbolic(next)) => name = next,
        }
    }
    None
}

/// Returns the id that these digits are.
pub(super) fn id(digits: &[u8]) -> Option<Id> {
    let plain = digits.iter().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte));
    digits.try_into().ok().filter(|_| plain && digits.iter().any(|byte| *byte != b'0'))
}

/// Returns whether git takes this for a step of a ref's name. Source: `check_refname_component` in git's `refs.c`.
fn is_step(step: &[u8]) -> bool {
    let plain = |byte: &u8| *byte > b' ' && *byte != 0x7f && !b"~^:?*[\\/".contains(byte);
    let holds = |pair: &[u8]| step.windows(2).any(|window| window == pair);
    !step.is_empty()
        && step.iter().all(plain)
        && !step.starts_with(b".")
        && !step.ends_with(b".")
        && !step.ends_with(b".lock")
        && !holds(b"..")
        && !holds(b"@{")
}

/// Returns whether the settings are those that `git init` writes, which say nothing about what is advertised.
fn are_usual(settings: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(settings) else { return false };
    text.lines().map(str::trim).filter(|line| !line.is_empty()).all(|line| {
        let key = line.split('=').next().unwrap_or("").trim();
        [
            "[core]",
            "repositoryformatversion",
            "filemode",
            "bare",
            "ignorecase",
            "precomposeunicode",
            "symlinks",
        ]
        .contains(&key)
    })
}

const ID: usize = 40;
/// A path is at most 4,096 bytes long.
const DEEPEST: u32 = 2048;
const LARGEST: u64 = 64 << 20;
/// Source: `SYMREF_MAXDEPTH` in git's `refs.c`.
const MOST_STEPS: usize = 5;
/// More than twice the longest tick of the clock that Linux stamps files with (10 ms, at 100 Hz).
const TICK: Duration = Duration::from_millis(25);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_git_calls_a_ref_is_one() {
        for good in ["main", "a.b", "ä", "@", "-x", "a@b", "{x}", "x.lock-not"] {
            assert!(is_step(good.as_bytes()), "{good}");
        }
        for bad in
            ["", ".a", "a.", "a..b", "a.lock", "a b", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b", "a@{1}"]
        {
            assert!(!is_step(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn changes_of_this_moment_are_not_settled() {
        let begun = Duration::new(100, 30_000_000);
        assert!(is_settled((100, 4_000_000), begun));
        assert!(!is_settled((100, 6_000_000), begun));
        assert!(!is_settled((100, 30_000_000), begun));
        assert!(!is_settled((200, 0), begun), "the clock went back");
    }

    #[test]
    fn settings_that_could_change_what_is_advertised_are_not_usual() {
        let usual = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n";
        assert!(are_usual(usual.as_bytes()));
        for more in [
            "[extensions]\n\trefStorage = reftable\n",
            "[transfer]\n\thideRefs = refs/x\n",
            "[include]\n\tpath = x\n",
            "\tworktree = /x\n",
        ] {
            assert!(!are_usual(format!("{usual}{more}").as_bytes()), "{more}");
        }
    }

    proptest! {
        #[test]
        fn no_file_breaks_the_parsers(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Packed::parse(&text);
            let _ = Value::parse(&text);
            let _ = are_usual(&text);
        }
    }
}
