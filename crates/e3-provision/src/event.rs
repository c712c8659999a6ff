//! What a printer may want to tell while things are set up and removed.

use e3_model::ThreadId;

/// Something that happened; events of different threads interleave.
#[derive(Debug, Clone, PartialEq)]
pub enum ProvisionEvent {
    /// A dataset is being made, or fetched from the cache.
    DatasetStarted {
        /// The snapshot's name.
        snapshot: String,
        /// How many repositories it will have.
        repositories: u32,
    },
    /// A dataset is there; once per dataset, however many threads use it.
    DatasetReady {
        /// The snapshot's name.
        snapshot: String,
        /// How many repositories it has.
        repositories: usize,
        /// How long it took; next to nothing when it was cached.
        seconds: f64,
    },
    /// A node serves.
    NodeReady {
        /// The thread.
        thread: ThreadId,
        /// The node's name.
        node: String,
        /// The node's own base URL.
        url: String,
    },
    /// A thread's system serves, and its data is being loaded.
    Loading {
        /// The thread.
        thread: ThreadId,
        /// How many repositories are to be loaded.
        repositories: usize,
    },
    /// A thread's system serves all of its data.
    Loaded {
        /// The thread.
        thread: ThreadId,
        /// How many repositories were loaded.
        repositories: usize,
        /// How long it took.
        seconds: f64,
    },
    /// The loaded state of a thread's system is kept, for the resets between its stages.
    Kept {
        /// The thread.
        thread: ThreadId,
        /// How long it took, with the stop and the start around it.
        seconds: f64,
    },
    /// A resource is gone.
    Removed {
        /// The resource, for people.
        resource: String,
        /// Whether it had been gone before.
        gone_before: bool,
    },
    /// A resource could not be removed.
    Left {
        /// The resource, for people.
        resource: String,
        /// Why, with the causes.
        reason: String,
    },
}
