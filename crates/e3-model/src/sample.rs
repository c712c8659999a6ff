//! The sample: the record of one op.

/// The record of one op; times are nanoseconds since the stage's start, on the worker's monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// When the op was due; in the closed model, when it started.
    pub scheduled_ns: u64,
    /// When it started.
    pub started_ns: u64,
    /// When the first byte of the answer came, over HTTP with its head, for Git with the pack or the refs; none when none
    /// did.
    pub first_byte_ns: Option<u64>,
    /// When it ended.
    pub ended_ns: u64,
    /// Payload bytes received; none where nobody knows, as of what the real git reads.
    pub bytes_in: Option<u64>,
    /// Payload bytes sent; none where nobody knows.
    pub bytes_out: Option<u64>,
    /// The client, [`crate::ClientId`].
    pub client: u32,
    /// The job, an index into the stage's jobs.
    pub job: u16,
    /// The op, an index into the job's ops.
    pub op: u16,
    /// Which iteration of its client the op belongs to, from 0.
    pub iteration: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// What the server said of its cache.
    pub cache: CacheState,
    /// Where the time of a Git op went.
    pub phases: Option<GitPhases>,
}

impl Sample {
    /// Returns the latency in nanoseconds, from the scheduled start to the end.
    pub fn latency_ns(&self) -> u64 {
        self.ended_ns.saturating_sub(self.scheduled_ns)
    }
}

/// How an op ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Outcome {
    /// As it should.
    Ok = 0,
    /// With a redirect where none was expected.
    Http3xx = 1,
    /// With a client error other than 429.
    Http4xx = 2,
    /// With 429: the server limits the rate. Counted apart, since it is policy and not breakage.
    Http429 = 3,
    /// With a server error.
    Http5xx = 4,
    /// With an error that Git reported.
    Git = 5,
    /// After the op's time was up.
    Timeout = 6,
    /// The connection was refused.
    Refused = 7,
    /// The connection broke.
    Connection = 8,
    /// The answer broke its protocol, or its checksum was wrong.
    Protocol = 9,
    /// The answer was well formed but not what the script expects.
    Unexpected = 10,
    /// The stage ended first; not an error of the system under test.
    Cancelled = 11,
}

impl Outcome {
    /// Every outcome, in order of its code.
    pub const ALL: [Self; 12] = [
        Self::Ok,
        Self::Http3xx,
        Self::Http4xx,
        Self::Http429,
        Self::Http5xx,
        Self::Git,
        Self::Timeout,
        Self::Refused,
        Self::Connection,
        Self::Protocol,
        Self::Unexpected,
        Self::Cancelled,
    ];

    /// Returns the outcome's name in files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Http3xx => "http-3xx",
            Self::Http4xx => "http-4xx",
            Self::Http429 => "http-429",
            Self::Http5xx => "http-5xx",
            Self::Git => "git",
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Connection => "connection",
            Self::Protocol => "protocol",
            Self::Unexpected => "unexpected",
            Self::Cancelled => "cancelled",
        }
    }

    /// Returns the outcome of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }

    /// Returns the outcome of an HTTP status; 2xx is [`Outcome::Ok`].
    pub fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Ok,
            300..=399 => Self::Http3xx,
            429 => Self::Http429,
            400..=499 => Self::Http4xx,
            500..=599 => Self::Http5xx,
            _ => Self::Protocol,
        }
    }

    /// Returns whether the outcome counts in the error rate: neither a success nor cut off by the stage's end.
    pub fn is_error(self) -> bool {
        !matches!(self, Self::Ok | Self::Cancelled)
    }
}

/// What a server said of its cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum CacheState {
    /// Nothing.
    #[default]
    Unknown = 0,
    /// The answer came from a cache.
    Hit = 1,
    /// The answer was made for this op.
    Miss = 2,
}

/// Where the time of a Git op went, in nanoseconds each; a phase that did not happen is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct GitPhases {
    /// From the start until capabilities and refs were read.
    pub advertisement_ns: u64,
    /// Sending what is wanted and had.
    pub negotiation_ns: u64,
    /// From the last byte of the request until the first byte of the pack.
    pub server_think_ns: u64,
    /// From the first byte of the pack until its checksum was verified.
    pub transfer_ns: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_keep_their_names_and_codes() {
        for (code, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, code);
            assert_eq!(Outcome::from_name(outcome.name()), Some(outcome));
        }
        assert_eq!(Outcome::of_status(429), Outcome::Http429);
        assert_eq!(Outcome::of_status(204), Outcome::Ok);
        assert!(!Outcome::Cancelled.is_error());
    }
}
