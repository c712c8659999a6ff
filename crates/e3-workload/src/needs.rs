//! What a script says it needs, against what its clients do without.

use std::sync::Arc;
use std::time::Duration;

use e3_model::{Arguments, ClientId, JobId, Need, Seed};

use crate::{ClientContext, RepositoryDraw, Script, ScriptError, Seat, Setting, sample_channel};

/// Returns what a script's needs promise and its clients do not keep, one sentence each; empty when it conforms.
///
/// `complete` is a setting that has everything. A client must be made in a setting that has what the script needs and
/// nothing else, and in none that lacks one of its needs: it would fail later, op by op.
pub fn check_needs(script: &dyn Script, complete: &Setting, arguments: &Arc<Arguments>) -> Vec<String> {
    let descriptor = script.descriptor();
    let (name, needs) = (&descriptor.name, &descriptor.needs);
    let mut faults = Vec::new();
    if needs.windows(2).any(|pair| pair.first() >= pair.get(1)) {
        faults.push(format!("{name}: its needs are not in order, or one is there twice"));
    }
    let others = ALL.iter().filter(|need| !needs.contains(need));
    let bare = others.fold(complete.clone(), |setting, other| without(*other, needs, &setting));
    if let Err(error) = client(script, bare, arguments) {
        faults.push(format!("{name}: it needs more than it says: {error}"));
    }
    for need in needs {
        let lacking = without(*need, &[], complete);
        if client(script, lacking, arguments).is_ok() {
            faults.push(format!("{name}: it says that it needs {need:?}, but a client is made without"));
        }
    }
    faults
}

/// Returns the setting without what one need asks for, as far as none of those that are kept asks for it, too.
fn without(need: Need, kept: &[Need], setting: &Setting) -> Setting {
    let mut lacking = setting.clone();
    match need {
        // Whoever has a key is a user as well.
        Need::HttpUser if kept.contains(&Need::SshKey) => {}
        Need::HttpUser => lacking.users.clear(),
        Need::SshKey => lacking.users.iter_mut().for_each(|user| user.private_key = None),
        Need::Admin => lacking.admin.name.clear(),
        Need::Repository if kept.contains(&Need::WritableRepository) => {}
        Need::Repository => lacking.repositories = RepositoryDraw::default(),
        Need::WritableRepository => lacking.repositories = setting.repositories.without_default_branch(),
    }
    lacking
}

fn client(script: &dyn Script, setting: Setting, arguments: &Arc<Arguments>) -> Result<(), ScriptError> {
    let (samples, _) = sample_channel(1);
    let seat = Seat { client: ClientId(0), seed: Seed(0), op_timeout: Duration::from_secs(1), samples };
    let ops = script.ops(arguments).unwrap_or_default();
    let mut context = ClientContext::new(seat, JobId(0), ops, 0).with_arguments(Arc::clone(arguments));
    script.client(&Arc::new(setting), &mut context).map(drop)
}

const ALL: [Need; 5] =
    [Need::HttpUser, Need::SshKey, Need::Admin, Need::Repository, Need::WritableRepository];

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use e3_model::{Branch, Project, Protocol, Repository, ScriptDescriptor, Secret, Snapshot};

    use super::*;
    use crate::{Account, ScriptClient, Stopped};

    /// A script that says it needs some things, and whose clients cannot do without others.
    struct Needy {
        says: Vec<Need>,
        lacks: fn(&Setting) -> bool,
    }

    impl Script for Needy {
        fn descriptor(&self) -> ScriptDescriptor {
            ScriptDescriptor {
                needs: self.says.clone(),
                ..ScriptDescriptor::new(NAME, "x", Protocol::Http, &[])
            }
        }

        fn client(
            &self,
            setting: &Arc<Setting>,
            _: &mut ClientContext,
        ) -> Result<Box<dyn ScriptClient>, ScriptError> {
            if (self.lacks)(setting) {
                return Err(ScriptError::NoUser { script: NAME.to_owned() });
            }
            Ok(Box::new(Nothing))
        }
    }

    struct Nothing;

    #[async_trait]
    impl ScriptClient for Nothing {
        async fn iterate(&mut self, _: &mut ClientContext) -> Result<(), Stopped> {
            Ok(())
        }
    }

    const NAME: &str = "web.Needy";

    fn complete() -> Setting {
        let account = |name: &str| Account {
            name: name.to_owned(),
            password: Secret::new("x"),
            private_key: Some(Secret::new("key")),
        };
        let main = Branch { display_id: "main".into(), is_default: true, ..Branch::default() };
        let repository =
            Repository { name: "r".into(), weight: 1.0, branches: vec![main], ..Repository::default() };
        let projects = vec![Project { name: "P".into(), repos: vec![repository] }];
        let snapshot = Snapshot { projects, ..Snapshot::default() };
        Setting {
            users: vec![account("ada")],
            repositories: RepositoryDraw::of(&snapshot),
            ..Setting::at("http://127.0.0.1:1", account("admin"))
        }
    }

    #[test]
    fn what_is_needed_and_what_is_said_must_agree() {
        let no_user: fn(&Setting) -> bool = |setting| setting.users.is_empty();
        let no_key: fn(&Setting) -> bool =
            |setting| setting.users.iter().all(|user| user.private_key.is_none());
        let no_branch: fn(&Setting) -> bool = |setting| !setting.repositories.has_writable();
        let (user, key) = (Need::HttpUser, Need::SshKey);
        for (says, lacks, faults, why) in [
            (vec![], (|_| false) as fn(&Setting) -> bool, 0, "needs nothing"),
            (vec![user], no_user, 0, "as it says"),
            (vec![], no_user, 1, "does not say so"),
            (vec![user], |_| false, 1, "does without"),
            (vec![key], no_key, 0, "a key's owner is not taken away"),
            (vec![Need::Admin], |setting| setting.admin.name.is_empty(), 0, "the administrator"),
            (vec![Need::Repository], |setting| setting.repositories.is_empty(), 0, "any repository"),
            (vec![Need::WritableRepository], no_branch, 0, "one with a branch"),
            (vec![Need::Repository], no_branch, 1, "a default branch is more than it says"),
            (vec![key, user], |_| false, 3, "in the wrong order, and does without both"),
        ] {
            let found = check_needs(&Needy { says, lacks }, &complete(), &Arc::default());
            assert_eq!(found.len(), faults, "{why}: {found:?}");
        }
    }
}
