//! The JSON of commits.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::User;
use crate::compare;
use crate::failure::Failure;
use crate::rest::Base;
use crate::state::Host;
use crate::store;

/// A commit. Source: recorded answers of 8.19.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct Commit {
    id: String,
    display_id: String,
    author: Person,
    author_timestamp: i64,
    committer: Person,
    committer_timestamp: i64,
    message: String,
    parents: Vec<Parent>,
}

/// A commit's parent: its id, and all of it where a single commit is asked for.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Parent {
    Id(MinimalCommit),
    Whole(Box<Commit>),
}

/// What names a commit.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct MinimalCommit {
    id: String,
    display_id: String,
}

/// A user, or who a commit says it is from if no user has that address.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Person {
    User(Box<User>),
    Named {
        name: String,
        #[serde(rename = "emailAddress")]
        email: String,
    },
}

/// The users whom commits are from, by e-mail address.
#[derive(Debug, Default)]
pub(in crate::rest) struct People(HashMap<String, store::User>);

impl People {
    /// Finds the users of many commits by one statement.
    ///
    /// # Errors
    /// When the database fails.
    pub(in crate::rest) async fn of(
        host: &Host,
        commits: impl IntoIterator<Item = &compare::Commit>,
    ) -> Result<Self, Failure> {
        let people = commits.into_iter().flat_map(|commit| [&commit.author, &commit.committer]);
        let emails: BTreeSet<&str> = people.map(|person| person.email.as_str()).collect();
        let emails: Vec<&str> = emails.into_iter().filter(|email| !email.is_empty()).collect();
        if emails.is_empty() {
            return Ok(Self::default());
        }
        let users = host.store.users_by_email(&emails).await?;
        // Two users may have one address; the older one counts.
        let pairs = users.into_iter().rev().map(|user| (user.email.to_ascii_lowercase(), user));
        Ok(Self(pairs.collect()))
    }

    fn person(&self, person: &compare::Person, base: &Base) -> Person {
        match self.0.get(&person.email.to_ascii_lowercase()) {
            Some(user) => Person::User(Box::new(User::new(user.clone(), base))),
            None => Person::Named { name: person.name.clone(), email: person.email.clone() },
        }
    }
}

impl Commit {
    pub(in crate::rest) fn new(row: compare::Commit, people: &People, base: &Base) -> Self {
        Self {
            author: people.person(&row.author, base),
            author_timestamp: row.authored_ms,
            committer: people.person(&row.committer, base),
            committer_timestamp: row.committed_ms,
            message: row.message,
            parents: row.parents.into_iter().map(|id| Parent::Id(MinimalCommit::new(id))).collect(),
            display_id: short(&row.id),
            id: row.id,
        }
    }

    /// Returns the commit with all of its parents, as the resource of a single commit has it.
    pub(in crate::rest) fn with_parents(
        row: compare::Commit,
        parents: Vec<compare::Commit>,
        (people, base): (&People, &Base),
    ) -> Self {
        let parents = parents.into_iter().map(|row| Parent::Whole(Box::new(Self::new(row, people, base))));
        Self { parents: parents.collect(), ..Self::new(row, people, base) }
    }
}

impl MinimalCommit {
    pub(in crate::rest) fn new(id: String) -> Self {
        Self { display_id: short(&id), id }
    }
}

/// Source: recorded; eleven digits.
fn short(id: &str) -> String {
    id.chars().take(11).collect()
}
