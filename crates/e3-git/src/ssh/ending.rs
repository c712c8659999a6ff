//! How a service ended: what it said on stderr, its exit status.

use bytes::Bytes;
use russh::ChannelMsg;

/// What is known of a service's end, gathered as the channel tells it.
#[derive(Debug, Default)]
pub(super) struct Ending {
    stderr: Vec<u8>,
    status: Option<u32>,
    signal: Option<String>,
    /// Whether the server would not even start it.
    is_refused: bool,
    closed: Option<Closed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closed {
    /// By the server, in order.
    Channel,
    /// With the connection.
    Connection,
}

/// What a message of the channel means for the answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Bytes(Bytes),
    /// No more bytes will come.
    End,
    Other,
}

impl Ending {
    /// Takes the next message of the channel; none means that the connection is gone.
    pub(super) fn note(&mut self, message: Option<ChannelMsg>) -> Heard {
        match message {
            Some(ChannelMsg::Data { data }) => return Heard::Bytes(data),
            Some(ChannelMsg::ExtendedData { data, .. }) => self.keep(&data),
            Some(ChannelMsg::ExitStatus { exit_status }) => self.status = Some(exit_status),
            Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                self.signal = Some(format!("{signal_name:?}"));
            }
            Some(ChannelMsg::Failure) => {
                self.is_refused = true;
                return Heard::End;
            }
            Some(ChannelMsg::Eof) => return Heard::End,
            Some(ChannelMsg::Close) => {
                self.closed = Some(Closed::Channel);
                return Heard::End;
            }
            None => {
                self.closed = self.closed.or(Some(Closed::Connection));
                return Heard::End;
            }
            Some(_) => {}
        }
        Heard::Other
    }

    /// Returns whether nothing more can be heard.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.is_some() || self.is_refused
    }

    /// Returns whether the server has closed the channel in order.
    pub(super) fn is_channel_closed(&self) -> bool {
        self.closed == Some(Closed::Channel)
    }

    /// Returns whether the connection went before the server had closed the channel.
    pub(super) fn is_cut(&self) -> bool {
        self.closed == Some(Closed::Connection)
    }

    /// Returns what is wrong if the service did not end well.
    pub(super) fn failure(&self) -> Option<String> {
        if self.is_refused {
            return Some("the server does not run Git's commands".to_owned());
        }
        let how = match (&self.signal, self.status) {
            (Some(signal), _) => format!("ended by signal {signal}"),
            (None, Some(0) | None) => return None,
            (None, Some(status)) => format!("exit status {status}"),
        };
        Some(self.last_words().map_or_else(|| how.clone(), |words| format!("{words} ({how})")))
    }

    /// Returns what the service said last on stderr, in one line, if it said anything.
    pub(super) fn last_words(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.stderr);
        let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        (!lines.is_empty()).then(|| lines.join("; ").escape_debug().to_string())
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.stderr.extend_from_slice(bytes);
        let surplus = self.stderr.len().saturating_sub(KEPT_STDERR);
        self.stderr.drain(..surplus);
    }
}

/// As much of a service's stderr as a message shows.
const KEPT_STDERR: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    fn stderr(text: &str) -> ChannelMsg {
        ChannelMsg::ExtendedData { data: Bytes::copy_from_slice(text.as_bytes()), ext: 1 }
    }

    #[test]
    fn a_failure_has_the_last_words_and_the_status() {
        let mut ending = Ending::default();
        assert_eq!(ending.note(Some(stderr("Repository not found\nIt does "))), Heard::Other);
        ending.note(Some(stderr("not exist.\n\n")));
        assert_eq!(ending.note(Some(ChannelMsg::Eof)), Heard::End);
        assert_eq!((ending.failure(), ending.is_closed()), (None, false));
        ending.note(Some(ChannelMsg::ExitStatus { exit_status: 128 }));
        ending.note(Some(ChannelMsg::Close));
        ending.note(None);
        assert!(ending.is_closed() && !ending.is_cut());
        assert_eq!(ending.failure().unwrap(), "Repository not found; It does not exist. (exit status 128)");
    }

    #[test]
    fn ends_of_other_kinds_are_told_apart() {
        let mut well = Ending::default();
        well.note(Some(stderr("warning: something\n")));
        well.note(Some(ChannelMsg::ExitStatus { exit_status: 0 }));
        assert_eq!(well.failure(), None);
        let mut refused = Ending::default();
        assert_eq!(refused.note(Some(ChannelMsg::Failure)), Heard::End);
        assert!(refused.is_closed() && refused.failure().is_some());
        let mut cut = Ending::default();
        cut.note(None);
        assert!(cut.is_cut() && cut.failure().is_none());
    }

    #[test]
    fn endless_words_take_bounded_memory_and_the_last_are_kept() {
        let mut ending = Ending::default();
        for _ in 0..1000 {
            ending.note(Some(stderr(&"x".repeat(1000))));
        }
        ending.note(Some(stderr("\u{7}the end\n")));
        let words = ending.last_words().unwrap();
        assert!(words.len() <= KEPT_STDERR + 10 && words.ends_with("\\u{7}the end"), "{words}");
    }
}
