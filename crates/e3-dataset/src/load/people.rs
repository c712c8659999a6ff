//! The users of a dataset, with their passwords and keys.

use std::sync::Arc;

use e3_model::User;

use super::Server;
use super::lanes::{self, Queue};
use crate::DatasetError;
use crate::layout::{address, spoken};

/// Creates the users and registers their keys, and returns how many users there were not before.
pub(super) async fn create(users: &[User], server: &Arc<Server>) -> Result<usize, DatasetError> {
    let names = Queue::of(users.iter().map(|user| user.username.clone()).collect());
    let created = lanes::run(LANES, || lane(names.clone(), server.clone())).await?;
    Ok(created.into_iter().sum())
}

async fn lane(names: Arc<Queue<String>>, server: Arc<Server>) -> Result<usize, DatasetError> {
    let mut admin = server.admin();
    let mut created = 0;
    while let Some(name) = names.next() {
        let password = server.password(&name)?;
        let creation = admin.create_user(&name, password, &spoken(&name), &address(&name)).await;
        created += server.count(creation, || format!("create user {name}"))?;
        if let Some(key) = server.target.public_keys.get(&name) {
            let added = admin.add_ssh_key(&name, key).await;
            server.done(added, || format!("register the key of user {name}"))?;
        }
    }
    Ok(created)
}

/// Enough to keep a server busy that hashes passwords on several processors.
const LANES: usize = 4;
