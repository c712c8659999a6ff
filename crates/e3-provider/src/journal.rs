//! The journal: what was created and removed, on disk before anybody relies on it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::{Entry, Event, JournalError, Ledger, Resource};

/// An append-only file of JSON lines, one [`Entry`] each; every line is on disk when the method that writes it returns.
///
/// The order that makes a teardown possible after a crash at any point: [`Journal::intent`], then the act, then
/// [`Journal::created`] or [`Journal::abandoned`]; and [`Journal::removed`] only after it was verified. One process
/// writes to a journal at a time, which the run's lock sees to; its threads may share it.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    ledger: Ledger,
    /// Whether the file ends in the middle of a line, which a crash or a full disk has torn.
    torn: bool,
    /// How many more lines it takes before it refuses; none but under test means without end.
    room: Option<u64>,
}

impl Journal {
    /// Opens a journal, or creates an empty one; a torn last line is left as it is and never continued.
    ///
    /// # Errors
    /// When it cannot be read, created or written.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let io = |operation| move |source| JournalError::Io { operation, path: path.to_owned(), source };
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).open(path).map_err(io("open"))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io("read"))?;
        // Without this, a crash of the machine could lose the file although its lines were synchronised.
        synchronise_directory(path).map_err(io("synchronise the directory of"))?;
        let torn = bytes.last().is_some_and(|byte| *byte != b'\n');
        Ok(Self {
            path: path.to_owned(),
            state: Mutex::new(State { file, ledger: Ledger::of(&bytes), torn, room: None }),
        })
    }

    /// Makes every line after so many more fail, as on a full disk: whoever keeps the laws then does nothing more.
    pub(crate) fn refuse_after(&self, lines: u64) {
        self.state().room = Some(lines);
    }

    /// Returns the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes down that a resource is about to be created; without it, nothing may be created.
    ///
    /// # Errors
    /// When it is not on disk for certain; the act must not happen then.
    pub fn intent(&self, resource: &Resource) -> Result<(), JournalError> {
        self.append(Event::Intent, resource)
    }

    /// Writes down that a resource was created, with all that is known of it now.
    ///
    /// # Errors
    /// When it is not on disk for certain; the intent still finds the resource.
    pub fn created(&self, resource: &Resource) -> Result<(), JournalError> {
        self.append(Event::Created, resource)
    }

    /// Writes down that an intent came to nothing and that nothing of it exists.
    ///
    /// # Errors
    /// When it is not on disk for certain.
    pub fn abandoned(&self, resource: &Resource) -> Result<(), JournalError> {
        self.append(Event::Abandoned, resource)
    }

    /// Writes down that a resource is verified to be gone.
    ///
    /// # Errors
    /// When it is not on disk for certain.
    pub fn removed(&self, resource: &Resource) -> Result<(), JournalError> {
        self.append(Event::Removed, resource)
    }

    /// Returns what may exist: every intent that was neither abandoned nor removed, in the order of the intents.
    pub fn open_resources(&self) -> Vec<Resource> {
        self.state().ledger.open_resources().to_vec()
    }

    /// Returns what the journal's lines add up to now.
    pub fn ledger(&self) -> Ledger {
        self.state().ledger.clone()
    }

    fn append(&self, event: Event, resource: &Resource) -> Result<(), JournalError> {
        let mut state = self.state();
        let time = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
        let entry = Entry { seq: state.ledger.next_seq(), time, event, resource: resource.clone() };
        let mut line = if state.torn { vec![b'\n'] } else { Vec::new() };
        serde_json::to_writer(&mut line, &entry).map_err(|source| JournalError::Entry {
            resource: resource.to_string(),
            path: self.path.clone(),
            source,
        })?;
        line.push(b'\n');
        let failed = |source| JournalError::Io { operation: "append to", path: self.path.clone(), source };
        if let Some(room) = &mut state.room {
            *room = room.checked_sub(1).ok_or_else(|| failed(io::ErrorKind::StorageFull.into()))?;
        }
        // A line that was written in part must not be continued.
        state.torn = true;
        let written = state.file.write_all(&line);
        written.and_then(|()| state.file.sync_data()).map_err(failed)?;
        state.torn = false;
        state.ledger.apply(&entry);
        Ok(())
    }

    /// A panic elsewhere leaves the state whole, since it changes only after the write.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn synchronise_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(name: &str) -> Resource {
        Resource::Directory { path: Path::new("/tmp/run").join(name) }
    }

    #[test]
    fn what_one_e3_wrote_the_next_one_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("provision.journal");
        let journal = Journal::open(&path).unwrap();
        journal.intent(&directory("a")).unwrap();
        journal.created(&directory("a")).unwrap();
        journal.intent(&directory("b")).unwrap();
        journal.abandoned(&directory("b")).unwrap();
        journal.intent(&directory("c")).unwrap();
        drop(journal);

        let journal = Journal::open(&path).unwrap();
        assert_eq!(journal.open_resources(), [directory("a"), directory("c")]);
        journal.removed(&directory("a")).unwrap();
        journal.removed(&directory("c")).unwrap();
        assert_eq!(Journal::open(&path).unwrap().open_resources(), []);
        assert_eq!(
            Journal::open(&path).unwrap().ledger().removed_resources(),
            [directory("a"), directory("c")]
        );

        let text = std::fs::read_to_string(&path).unwrap();
        let first = text.lines().next().unwrap();
        let entry: serde_json::Value = serde_json::from_str(first).unwrap();
        assert_eq!(entry["seq"], 1);
        assert_eq!(entry["event"], "intent");
        assert_eq!(entry["resource"], serde_json::json!({"kind": "directory", "path": "/tmp/run/a"}));
        assert!(OffsetDateTime::parse(entry["time"].as_str().unwrap(), &Rfc3339).unwrap().offset().is_utc());
    }

    #[test]
    fn a_torn_last_line_is_followed_by_a_fresh_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("provision.journal");
        let journal = Journal::open(&path).unwrap();
        journal.intent(&directory("a")).unwrap();
        journal.intent(&directory("b")).unwrap();
        drop(journal);
        let bytes = std::fs::read(&path).unwrap();
        for lost in 1..bytes.len() {
            std::fs::write(&path, &bytes[..bytes.len() - lost]).unwrap();
            let journal = Journal::open(&path).unwrap();
            let before = journal.open_resources();
            journal.intent(&directory("c")).unwrap();
            journal.removed(&directory("c")).unwrap();
            journal.intent(&directory("d")).unwrap();
            let reopened = Journal::open(&path).unwrap();
            let expected: Vec<Resource> = before.into_iter().chain([directory("d")]).collect();
            assert_eq!(reopened.open_resources(), expected, "{lost} bytes lost");
            assert_eq!(reopened.ledger().missing_lines(), 0, "{lost} bytes lost");
        }
    }

    #[test]
    fn threads_share_a_journal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("provision.journal");
        let journal = Journal::open(&path).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let journal = &journal;
                scope.spawn(move || {
                    for number in 0..10 {
                        journal.intent(&directory(&format!("{thread}-{number}"))).unwrap();
                    }
                });
            }
        });
        let reopened = Journal::open(&path).unwrap();
        assert_eq!(reopened.open_resources().len(), 40);
        assert_eq!(reopened.ledger().next_seq(), 41);
        assert_eq!(reopened.ledger().missing_lines(), 0);
    }

    #[test]
    fn a_journal_that_cannot_be_written_forbids_the_act() {
        let error = Journal::open(Path::new("/nonexistent/provision.journal")).unwrap_err();
        assert_eq!(error.to_string(), "cannot open /nonexistent/provision.journal");
        // Source: full(4): every write to this device fails for want of space.
        let journal = Journal {
            path: "/dev/full".into(),
            state: Mutex::new(State {
                file: OpenOptions::new().append(true).open("/dev/full").unwrap(),
                ledger: Ledger::default(),
                torn: false,
                room: None,
            }),
        };
        assert!(journal.intent(&directory("a")).is_err());
        assert_eq!(journal.open_resources(), []);
        assert!(journal.state().torn, "the next line starts afresh");
    }
}
