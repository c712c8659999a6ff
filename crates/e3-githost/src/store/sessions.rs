//! Sessions: what a login leaves, on whichever node it happened.

use sqlx::FromRow;

use super::{Store, User};
use crate::clock::now_ms;

/// A live session with its user.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Session {
    /// What forms of this session must send back.
    pub(crate) atl_token: String,
    seen_ms: i64,
    #[sqlx(flatten)]
    pub(crate) user: User,
}

/// What a new session is made of; the token itself is only in the browser.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewSession<'a> {
    pub(crate) token_hash: &'a [u8],
    pub(crate) atl_token: &'a str,
}

impl Store {
    /// Returns the session behind the token's hash if it is neither idle for too long nor older than its user's password.
    ///
    /// Seeing it is written back at most once in `SEEN_EVERY_MS`, so that reading pages does not write.
    pub(crate) async fn session(&self, token_hash: &[u8]) -> Result<Option<Session>, sqlx::Error> {
        let now = now_ms();
        let session: Option<Session> = sqlx::query_as(
            "SELECT s.atl_token, s.seen_ms, u.id, u.name, u.slug, u.display_name, u.email, u.password_hash, u.version,
                    u.admin, u.active
             FROM sessions s JOIN users u ON u.id = s.user_id
             WHERE s.token_hash = ? AND s.user_version = u.version AND u.active AND s.seen_ms > ?",
        )
        .bind(token_hash)
        .bind(now - IDLE_MS)
        .fetch_optional(&self.readers)
        .await?;
        if session.as_ref().is_some_and(|session| session.seen_ms < now - SEEN_EVERY_MS) {
            let (writer, token_hash) = (self.writer.clone(), token_hash.to_vec());
            let write = async move {
                sqlx::query("UPDATE sessions SET seen_ms = max(seen_ms, ?) WHERE token_hash = ?")
                    .bind(now)
                    .bind(token_hash)
                    .execute(&writer)
                    .await
                    .map(drop)
            };
            self.note("when a session was seen", write).await;
        }
        Ok(session)
    }

    pub(crate) async fn create_session(&self, user: &User, new: NewSession<'_>) -> Result<(), sqlx::Error> {
        let now = now_ms();
        sqlx::query(
            "INSERT INTO sessions (token_hash, user_id, user_version, atl_token, created_ms, seen_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
        )
        .bind(new.token_hash)
        .bind(user.id)
        .bind(user.version)
        .bind(new.atl_token)
        .bind(now)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    pub(crate) async fn delete_session(&self, token_hash: &[u8]) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM sessions WHERE token_hash = ?")
            .bind(token_hash)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Deletes the sessions that idled for too long; returns how many.
    pub(crate) async fn purge_sessions(&self) -> Result<u64, sqlx::Error> {
        let purged = sqlx::query("DELETE FROM sessions WHERE seen_ms <= ?")
            .bind(now_ms() - IDLE_MS)
            .execute(&self.writer)
            .await?;
        Ok(purged.rows_affected())
    }
}

/// Source: Bitbucket's default session time-out, 30 minutes.
const IDLE_MS: i64 = 30 * 60 * 1000;
const SEEN_EVERY_MS: i64 = 60 * 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::UserName;
    use crate::store::NewUser;

    #[tokio::test]
    async fn idle_sessions_and_those_of_an_old_password_are_void() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("a.sqlite")).await.unwrap();
        let name = UserName::parse("ada").unwrap();
        let new = NewUser { display_name: "Ada", email: "", password_hash: "x", admin: false };
        store.create_user(&name, new).await.unwrap();
        let user = store.user(&name).await.unwrap().unwrap();
        for token_hash in [b"one", b"two"] {
            store.create_session(&user, NewSession { token_hash, atl_token: "t" }).await.unwrap();
        }
        let age = "UPDATE sessions SET seen_ms = ? WHERE token_hash = ?";
        let two_minutes_ago = now_ms() - 120_000;
        sqlx::query(age).bind(two_minutes_ago).bind(&b"one"[..]).execute(&store.writer).await.unwrap();
        sqlx::query(age).bind(now_ms() - IDLE_MS).bind(&b"two"[..]).execute(&store.writer).await.unwrap();
        assert!(store.session(b"one").await.unwrap().is_some());
        assert!(store.session(b"one").await.unwrap().unwrap().seen_ms > two_minutes_ago, "it was seen");
        assert!(store.session(b"two").await.unwrap().is_none(), "it idled for too long");
        assert_eq!(store.purge_sessions().await.unwrap(), 1);
        store.set_password(&name, "y").await.unwrap();
        assert!(store.session(b"one").await.unwrap().is_none(), "the password changed");
    }

    #[tokio::test]
    async fn a_session_is_read_while_another_keeps_the_database_locked() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.sqlite");
        let (store, other) = (Store::open(&path).await.unwrap(), Store::open(&path).await.unwrap());
        let name = UserName::parse("ada").unwrap();
        let new = NewUser { display_name: "Ada", email: "", password_hash: "x", admin: false };
        store.create_user(&name, new).await.unwrap();
        let user = store.user(&name).await.unwrap().unwrap();
        store.create_session(&user, NewSession { token_hash: b"one", atl_token: "t" }).await.unwrap();
        let age = "UPDATE sessions SET seen_ms = seen_ms - 120000";
        sqlx::query(age).execute(&store.writer).await.unwrap();
        let lock = other.begin().await.unwrap();
        let found = tokio::time::timeout(std::time::Duration::from_secs(10), store.session(b"one")).await;
        assert!(found.expect("reading does not wait for the lock").unwrap().is_some());
        lock.rollback().await.unwrap();
    }
}
