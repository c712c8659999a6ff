//! What Linux says of processes.
//!
//! Source: proc_pid_status(5), proc_pid_fd(5), proc_net(5).

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// A process of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    pid: u32,
}

/// Returns the processes of githost whose arguments or environment hold a text.
pub(super) fn of_githost(text: &str) -> Vec<Process> {
    let knows = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    all()
        .filter(|process| {
            let read = |name| fs::read(process.file(name)).unwrap_or_default();
            let command = read("cmdline");
            let is_githost = command.split(|byte| *byte == 0).any(|word| word == b"githost");
            is_githost && (knows(&command) || knows(&read("environ")))
        })
        .collect()
}

/// A TCP connection: the addresses of both its ends, as the kernel writes them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Connection {
    pub(super) own: String,
    pub(super) other: String,
}

impl Process {
    pub(super) fn of(pid: u32) -> Self {
        Self { pid }
    }

    /// Returns the process's command as one would type it.
    pub(super) fn shown(&self) -> String {
        let command = fs::read(self.file("cmdline")).unwrap_or_default();
        let words = command.split(|byte| *byte == 0).map(|word| OsStr::from_bytes(word).to_string_lossy());
        let text = words.take(3).collect::<Vec<_>>().join(" ");
        format!("process {} ({text})", self.pid)
    }

    /// Returns which part of a githost the process is.
    pub(super) fn role(&self) -> &'static str {
        let command = fs::read(self.file("cmdline")).unwrap_or_default();
        let is_front = command.split(|byte| *byte == 0).any(|word| word == b"balance");
        if is_front { "the front" } else { "the node" }
    }

    /// Returns the bytes of memory that the process has; none when it is gone.
    pub(super) fn resident(&self) -> Option<u64> {
        let status = fs::read_to_string(self.file("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes << 10)
    }

    /// Returns the TCP connections that the process holds: established, or closed by the other side only.
    pub(super) fn connections(&self) -> BTreeSet<Connection> {
        let sockets: BTreeSet<String> = fs::read_dir(self.file("fd"))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| fs::read_link(entry.path()).ok())
            .filter_map(|target| {
                Some(target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
            })
            .collect();
        let open = |table: &str| {
            let text = fs::read_to_string(self.file(table)).unwrap_or_default();
            let open = open_sockets(&text).filter(|(inode, _)| sockets.contains(*inode));
            open.map(|(_, connection)| connection).collect::<Vec<_>>()
        };
        // The kernel lists a socket twice when others come and go meanwhile.
        ["net/tcp", "net/tcp6"].into_iter().flat_map(open).collect()
    }

    /// Returns how many descriptors the process has open; none when it is gone.
    pub(super) fn descriptors(&self) -> Option<usize> {
        fs::read_dir(self.file("fd")).ok().map(Iterator::count)
    }

    /// Returns the process's children, zombies too.
    pub(super) fn children(&self) -> Vec<String> {
        all().filter(|child| child.parent() == Some(self.pid)).map(|child| child.shown()).collect()
    }

    fn parent(&self) -> Option<u32> {
        let status = fs::read_to_string(self.file("status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
    }

    fn file(&self, name: &str) -> PathBuf {
        Path::new("/proc").join(self.pid.to_string()).join(name)
    }
}

fn all() -> impl Iterator<Item = Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).map(Process::of)
}

/// Returns the connections of a table of TCP sockets that are ESTABLISHED (01) or in CLOSE_WAIT (08), with their inodes.
fn open_sockets(table: &str) -> impl Iterator<Item = (&str, Connection)> {
    table.lines().skip(1).filter_map(|line| {
        let mut columns = line.split_whitespace();
        let own = columns.nth(1)?.to_owned();
        let other = columns.next()?.to_owned();
        let state = columns.next()?;
        let inode = columns.nth(5)?;
        ["01", "08"].contains(&state).then_some((inode, Connection { own, other }))
    })
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::process::Command;

    use super::*;

    #[test]
    fn connections_are_counted_while_they_are_open() {
        let own = Process::of(std::process::id());
        let before = own.connections().len();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        assert_eq!(own.connections().len(), before, "a listener is no connection");
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        let open = own.connections();
        assert_eq!(open.len(), before + 2);
        assert!(
            open.iter().filter(|end| open.iter().any(|other| other.own == end.other)).count() >= 2,
            "{open:?}"
        );
        drop(client);
        assert_eq!(own.connections().len(), before + 1, "one that waits to be closed is open still");
        drop(server);
        assert_eq!(own.connections().len(), before);
    }

    #[test]
    fn memory_and_children_are_read() {
        let own = Process::of(std::process::id());
        assert!(own.resident().unwrap() > 1_000_000);
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let children = own.children();
        child.kill().unwrap();
        child.wait().unwrap();
        // What it runs may not be told yet.
        let shown = format!("process {} (", child.id());
        assert!(children.iter().any(|child| child.starts_with(&shown)), "{children:?}");
        assert_eq!(Process::of(child.id()).resident(), None);
    }
}
