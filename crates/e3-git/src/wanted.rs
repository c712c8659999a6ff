//! Which of a server's refs an operation wants.

use std::collections::HashSet;

use e3_git_wire::{ListedRef, ObjectId, Version};

/// Which branches a clone fetches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Branches {
    /// All, and all tags.
    #[default]
    All,
    /// The one that HEAD stands for, and what tags its history has: `git clone --single-branch`, which `git` also does
    /// where it is given a depth.
    Head,
    /// The one of this name, or the tag of it where there is no such branch: `git clone --single-branch --branch`.
    Named(String),
}

/// Collects the objects that a clone wants, as their refs come; twenty bytes a ref are all that is kept.
#[derive(Debug)]
pub(crate) struct CloneWants<'b> {
    branches: &'b Branches,
    ids: Vec<ObjectId>,
    head: Option<Head>,
    /// The one branch, as far as is known, and how well it fits: the first of the best counts.
    single: Option<(u8, ObjectId)>,
}

#[derive(Debug)]
struct Head {
    id: ObjectId,
    target: Option<String>,
}

impl<'b> CloneWants<'b> {
    pub(crate) fn new(branches: &'b Branches) -> Self {
        Self { branches, ids: Vec::new(), head: None, single: None }
    }

    /// Returns the prefixes of the names that git asks for.
    ///
    /// Source: packet traces of `git clone` 2.47; `expand_ref_prefix` in git's refs.c.
    pub(crate) fn prefixes(branches: &Branches) -> Vec<String> {
        let mut prefixes = vec!["HEAD".to_owned(), "refs/heads/".to_owned()];
        if let Branches::Named(name) = branches {
            prefixes.extend(expanded(name));
        }
        prefixes.push("refs/tags/".to_owned());
        prefixes
    }

    pub(crate) fn take(&mut self, listed: &ListedRef<'_>) {
        let name = listed.name;
        match self.branches {
            Branches::All | Branches::Head if name == b"HEAD" => {
                self.head = Some(Head { id: listed.oid, target: listed.symref_target.map(str::to_owned) });
            }
            Branches::All => {
                // A want for every ref, also where two name the same object, is what git sends.
                if name.starts_with(b"refs/heads/") || name.starts_with(b"refs/tags/") {
                    self.ids.push(listed.oid);
                }
            }
            Branches::Head => {
                // Source: `guess_remote_head` in git's remote.c.
                let fit = match &self.head {
                    Some(Head { target: Some(target), .. }) if target.as_bytes() == name => 2,
                    Some(Head { target: None, id })
                        if *id == listed.oid && name.starts_with(b"refs/heads/") =>
                    {
                        if name == b"refs/heads/master" { 1 } else { 0 }
                    }
                    _ => return,
                };
                self.propose(fit, listed.oid);
            }
            Branches::Named(wanted) => {
                if name.strip_prefix(b"refs/heads/").is_some_and(|branch| branch == wanted.as_bytes()) {
                    self.propose(1, listed.oid);
                } else if name.strip_prefix(b"refs/tags/").is_some_and(|tag| tag == wanted.as_bytes()) {
                    self.propose(0, listed.oid);
                }
            }
        }
    }

    fn propose(&mut self, fit: u8, id: ObjectId) {
        if self.single.is_none_or(|(best, _)| fit > best) {
            self.single = Some((fit, id));
        }
    }

    /// Returns how many refs are wanted.
    pub(crate) fn refs(&self) -> usize {
        self.ids.len() + usize::from(self.head.is_some()) + usize::from(self.single.is_some())
    }

    /// Returns what is wanted, in the order in which git names it; over HTTP in version 0 that is not HEAD, where it
    /// stands for a branch.
    ///
    /// Source: `fetch_with_fetch` in git's transport-helper.c, which hands on the branch in the place of HEAD.
    pub(crate) fn into_ids(self, version: Version, is_stateless: bool) -> Vec<ObjectId> {
        let names_branch = version == Version::V0 && is_stateless;
        let head = self.head.filter(|head| !names_branch || head.target.is_none()).map(|head| head.id);
        head.into_iter().chain(self.single.map(|(_, id)| id)).chain(self.ids).collect()
    }
}

/// Which refs a fetch updates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Updated {
    /// All branches, and the tags of what is fetched or had: `git fetch` in an ordinary clone.
    #[default]
    All,
    /// These branches, and no tags: `git fetch URL BRANCH…`.
    Branches(Vec<String>),
}

/// Collects the objects that a fetch wants and the client does not have, as their refs come.
#[derive(Debug)]
pub(crate) struct FetchWants<'u> {
    updated: &'u Updated,
    had: HashSet<ObjectId>,
    ids: Vec<ObjectId>,
    /// The heads among them, which tags follow.
    heads: HashSet<ObjectId>,
    /// Which of the named branches are there.
    found: Vec<bool>,
}

impl<'u> FetchWants<'u> {
    pub(crate) fn new(updated: &'u Updated, haves: &[ObjectId]) -> Self {
        let named = match updated {
            Updated::All => 0,
            Updated::Branches(names) => names.len(),
        };
        Self {
            updated,
            had: haves.iter().copied().collect(),
            ids: Vec::new(),
            heads: HashSet::new(),
            found: vec![false; named],
        }
    }

    /// Returns the prefixes of the names that git asks for.
    ///
    /// Source: packet traces of `git fetch` 2.47; `expand_ref_prefix` in git's refs.c.
    pub(crate) fn prefixes(updated: &Updated) -> Vec<String> {
        let mut prefixes = match updated {
            Updated::All => vec!["refs/heads/".to_owned()],
            Updated::Branches(names) => names.iter().flat_map(|name| expanded(name)).collect(),
        };
        prefixes.push("refs/tags/".to_owned());
        prefixes
    }

    pub(crate) fn take(&mut self, listed: &ListedRef<'_>) {
        let is_wanted = match self.updated {
            Updated::All if listed.name.starts_with(b"refs/heads/") => {
                self.heads.insert(listed.oid);
                true
            }
            // Source: `find_non_local_tags` in git's builtin/fetch.c. Branches come before tags, by their names.
            Updated::All if listed.name.starts_with(b"refs/tags/") => {
                let tagged = listed.peeled.unwrap_or(listed.oid);
                self.heads.contains(&tagged) || self.had.contains(&tagged)
            }
            Updated::All => false,
            Updated::Branches(names) => {
                let place =
                    names.iter().position(|name| listed.name == crate::push::full_name(name).as_bytes());
                if let Some(found) = place.and_then(|place| self.found.get_mut(place)) {
                    *found = true;
                }
                place.is_some()
            }
        };
        if is_wanted && !self.had.contains(&listed.oid) {
            self.ids.push(listed.oid);
        }
    }

    /// Returns a named branch that is not there; none if all are.
    pub(crate) fn missing(&self) -> Option<&str> {
        let Updated::Branches(names) = self.updated else { return None };
        names.iter().zip(&self.found).find(|(_, is_found)| !**is_found).map(|(name, _)| name.as_str())
    }

    /// Returns what is wanted, in the server's order.
    pub(crate) fn into_ids(self) -> Vec<ObjectId> {
        self.ids
    }
}

/// Returns the names that a short name may stand for.
///
/// Source: `ref_rev_parse_rules` in git's refs.c.
fn expanded(name: &str) -> [String; 6] {
    [
        name.to_owned(),
        format!("refs/{name}"),
        format!("refs/tags/{name}"),
        format!("refs/heads/{name}"),
        format!("refs/remotes/{name}"),
        format!("refs/remotes/{name}/HEAD"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: u8) -> ObjectId {
        ObjectId::parse(&[digit; 40]).unwrap()
    }

    fn listed(name: &str, digit: u8) -> ListedRef<'_> {
        ListedRef { name: name.as_bytes(), oid: id(digit), symref_target: None, peeled: None }
    }

    fn cloned(branches: &Branches, refs: &[ListedRef<'_>], version: Version) -> String {
        let mut wants = CloneWants::new(branches);
        refs.iter().for_each(|listed| wants.take(listed));
        wants.into_ids(version, true).iter().map(|id| id.to_string()[..1].to_owned()).collect()
    }

    #[test]
    fn a_clone_wants_what_git_wants() {
        let head = ListedRef { symref_target: Some("refs/heads/main"), ..listed("HEAD", b'1') };
        let detached = listed("HEAD", b'2');
        let refs = [
            listed("refs/heads/a", b'2'),
            listed("refs/heads/main", b'1'),
            listed("refs/heads/master", b'2'),
            listed("refs/tags/main", b'3'),
            listed("refs/tags/v1", b'4'),
        ];
        let with = |head: ListedRef<'static>| [&[head][..], &refs].concat();
        let named = |name: &str| Branches::Named(name.to_owned());
        for (branches, refs, expected, why) in [
            (Branches::All, with(head), "121234", "all in their order"),
            (Branches::Head, with(head), "11", "HEAD and what it stands for"),
            (Branches::Head, with(detached), "22", "a branch of the same commit, the default name first"),
            (Branches::Head, refs[..2].to_vec(), "", "nothing is HEAD"),
            (named("main"), with(head), "1", "the branch, not the tag"),
            (named("v1"), with(head), "4", "the tag"),
            (named("gone"), with(head), "", "nothing"),
        ] {
            assert_eq!(cloned(&branches, &refs, Version::V2), expected, "{why}");
        }
        assert_eq!(cloned(&Branches::All, &with(head), Version::V0), "21234", "its branch stands for HEAD");
        assert_eq!(cloned(&Branches::All, &with(detached), Version::V0), "221234", "no branch does");
    }

    #[test]
    fn a_fetch_wants_what_is_new() {
        let tag = |name, digit, peeled| ListedRef { peeled: Some(id(peeled)), ..listed(name, digit) };
        let refs = [
            listed("refs/heads/a", b'1'),
            listed("refs/heads/b", b'2'),
            listed("refs/remotes/x", b'9'),
            tag("refs/tags/of-a", b'3', b'1'),
            tag("refs/tags/of-b", b'4', b'2'),
            tag("refs/tags/of-old", b'5', b'8'),
            listed("refs/tags/plain", b'2'),
        ];
        let branches =
            |names: &[&str]| Updated::Branches(names.iter().map(|&name| name.to_owned()).collect());
        for (updated, haves, expected, why) in [
            (Updated::All, &b""[..], "12342", "branches and the tags on them"),
            (Updated::All, b"1", "2342", "one branch is had, its tag is not"),
            (Updated::All, b"1234", "", "nothing is new"),
            (branches(&["b"]), b"", "2", "a branch without tags"),
            (branches(&["b"]), b"2", "", "which is had"),
        ] {
            let haves: Vec<_> = haves.iter().map(|digit| id(*digit)).collect();
            let mut wants = FetchWants::new(&updated, &haves);
            refs.iter().for_each(|listed| wants.take(listed));
            assert_eq!(wants.missing(), None);
            let found: String = wants.into_ids().iter().map(|id| id.to_string()[..1].to_owned()).collect();
            assert_eq!(found, expected, "{why}");
        }
        let gone = branches(&["a", "gone"]);
        let mut wants = FetchWants::new(&gone, &[]);
        refs.iter().for_each(|listed| wants.take(listed));
        assert_eq!(wants.missing(), Some("gone"));
    }
}
