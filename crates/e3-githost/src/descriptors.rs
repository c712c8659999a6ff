//! How many files and connections this process may have open.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the limit to what the system allows, and returns how many connections fit when each takes this many
/// descriptors and some are left for git's pipes and the database.
///
/// Source: the soft limit is 1,024 nearly everywhere for the sake of `select`, which nothing here uses.
pub(crate) fn room_for_connections(each: u64) -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = rustix::process::Rlimit { current: limit.maximum, ..limit };
        match setrlimit(Resource::Nofile, raised) {
            Ok(()) => limit = raised,
            Err(error) => tracing::warn!(%error, "cannot raise the limit of open files"),
        }
    }
    let open = limit.current.unwrap_or(u64::MAX);
    let room = open.saturating_sub(RESERVED).max(open / 4).checked_div(each).unwrap_or(0);
    usize::try_from(room).unwrap_or(usize::MAX)
}

const RESERVED: u64 = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_and_connections_leave_something() {
        let room = room_for_connections(1);
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
        let open = usize::try_from(limit.current.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        assert!(room > 0 && room < open, "{room} of {open}");
        assert_eq!(room_for_connections(2), room / 2);
    }
}
