//! What a client knows of the system under test.

use e3_model::{GitClient, ProductVersion, Secret, Snapshot, SshEndpoint, Transport};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use crate::Ciphers;

/// What every client of a stage knows of its system under test.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The base URL, without a final slash.
    pub url: String,
    /// Each node's own base URL, for scripts that go past the load balancer.
    pub nodes: Vec<String>,
    /// Where Git over SSH is served, behind the same load balancer as the base URL; none if it is not.
    pub ssh: Option<SshEndpoint>,
    /// The administrator.
    pub admin: Account,
    /// The users that can log in, in the snapshot's order.
    pub users: Vec<Account>,
    /// The repositories that can be drawn.
    pub repositories: RepositoryDraw,
    /// The certificates, in PEM, that the system's TLS certificate must lead to; none for those that the machine trusts.
    pub ca: Option<String>,
    /// Which Git client the scm scripts use.
    pub git_client: GitClient,
    /// How clients talk to the system; each stage has its own.
    pub transport: Transport,
    /// The version that the system said it has when the stage began; none where it said none.
    pub product: Option<ProductVersion>,
    /// Where scripts note what their SSH connections are encrypted with; each share has its own list.
    pub ciphers: Ciphers,
}

impl Setting {
    /// Returns the setting of a system at a URL, of which nothing else is known: no nodes, users or repositories, no SSH,
    /// and the usual way of talking.
    pub fn at(url: impl Into<String>, admin: Account) -> Self {
        Self {
            url: url.into(),
            nodes: Vec::new(),
            ssh: None,
            admin,
            users: Vec::new(),
            repositories: RepositoryDraw::default(),
            ca: None,
            git_client: GitClient::Native,
            transport: Transport::default(),
            product: None,
            ciphers: Ciphers::default(),
        }
    }

    /// Returns the setting of a system that says it has this version.
    #[must_use]
    pub fn with_product(&self, product: Option<ProductVersion>) -> Self {
        Self { product, ..self.clone() }
    }

    /// Returns the setting in which clients talk as a stage's plan says.
    #[must_use]
    pub fn with_transport(&self, transport: &Transport) -> Self {
        Self { transport: transport.clone(), ciphers: Ciphers::default(), ..self.clone() }
    }
}

/// A user who can log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The login name.
    pub name: String,
    /// The password.
    pub password: Secret,
    /// The private SSH key in OpenSSH's form; none if the user has none.
    pub private_key: Option<Secret>,
}

/// The repositories of a snapshot, drawn by their weights.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RepositoryDraw {
    /// Each with the cumulative weight up to and with it.
    entries: Vec<(DrawnRepository, f64)>,
    /// The positions of those whose default branch is known, with the cumulative weight among these.
    writable: Vec<(usize, f64)>,
}

/// A repository that was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnRepository {
    /// Its project's key.
    pub project: String,
    /// Its slug.
    pub slug: String,
    /// The short name of its default branch, where the snapshot names it.
    pub default_branch: Option<String>,
}

impl RepositoryDraw {
    /// Returns the draw over a snapshot's repositories; those of weight 0 are never drawn.
    pub fn of(snapshot: &Snapshot) -> Self {
        let weighted = snapshot.repositories().filter(|(_, repository)| repository.weight > 0.0);
        Self::among(weighted.map(|(project, repository)| {
            let default = repository.branches.iter().find(|branch| branch.is_default);
            let drawn = DrawnRepository {
                project: project.to_owned(),
                slug: repository.name.clone(),
                default_branch: default.map(|branch| branch.display_id.clone()),
            };
            (drawn, repository.weight)
        }))
    }

    /// Returns the draw over repositories with their weights.
    fn among(weighted: impl Iterator<Item = (DrawnRepository, f64)>) -> Self {
        let mut draw = Self::default();
        let (mut sum, mut writable) = (0.0, 0.0);
        for (repository, weight) in weighted {
            sum += weight;
            if repository.default_branch.is_some() {
                writable += weight;
                draw.writable.push((draw.entries.len(), writable));
            }
            draw.entries.push((repository, sum));
        }
        draw
    }

    /// Returns the same draw without knowing any default branch.
    pub(crate) fn without_default_branch(&self) -> Self {
        let unknown = |(repository, sum): &(DrawnRepository, f64)| {
            (DrawnRepository { default_branch: None, ..repository.clone() }, *sum)
        };
        Self { entries: self.entries.iter().map(unknown).collect(), writable: Vec::new() }
    }

    /// Returns whether nothing can be drawn.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns whether there is a repository whose default branch is known.
    pub fn has_writable(&self) -> bool {
        !self.writable.is_empty()
    }

    /// Returns a repository, drawn by weight; none when there is none.
    pub fn draw(&self, random: &mut ChaCha8Rng) -> Option<&DrawnRepository> {
        let (repository, _) = self.entries.get(drawn(&self.entries, random)?)?;
        Some(repository)
    }

    /// Returns a repository whose default branch is known, drawn by weight among these; none when there is none.
    ///
    /// Where all have one it is the same as [`RepositoryDraw::draw`] gives for the same random numbers.
    pub fn draw_writable(&self, random: &mut ChaCha8Rng) -> Option<&DrawnRepository> {
        let (position, _) = self.writable.get(drawn(&self.writable, random)?)?;
        let (repository, _) = self.entries.get(*position)?;
        Some(repository)
    }
}

/// Draws the position of an entry by cumulative weights; none when there is none.
fn drawn<T>(entries: &[(T, f64)], random: &mut ChaCha8Rng) -> Option<usize> {
    let (_, total) = entries.last()?;
    let point = random.random::<f64>() * total;
    let index = entries.partition_point(|(_, cumulative)| *cumulative <= point);
    Some(index.min(entries.len() - 1))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use e3_model::{Project, Repository};
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn draws_follow_the_weights() {
        let repository =
            |name: &str, weight| Repository { name: name.into(), weight, ..Repository::default() };
        let snapshot = Snapshot {
            projects: vec![
                Project {
                    name: "A".into(),
                    repos: vec![repository("never", 0.0), repository("often", 0.75)],
                },
                Project { name: "B".into(), repos: vec![repository("rarely", 0.25)] },
            ],
            ..Snapshot::default()
        };
        let draw = RepositoryDraw::of(&snapshot);
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut counts = BTreeMap::new();
        for _ in 0..10_000 {
            *counts.entry(draw.draw(&mut random).unwrap().slug.as_str()).or_insert(0) += 1;
        }
        // 7,500 expected; six standard deviations are 260.
        assert!((7_240..=7_760).contains(&counts["often"]), "{counts:?}");
        assert_eq!(counts.len(), 2);
        assert_eq!(RepositoryDraw::default().draw(&mut random), None);
        assert!(!draw.has_writable() && draw.draw_writable(&mut random).is_none());
    }

    #[test]
    fn those_without_a_default_branch_are_not_written_to() {
        let entry = |slug: &str, branch: Option<&str>| DrawnRepository {
            project: "P".into(),
            slug: slug.into(),
            default_branch: branch.map(str::to_owned),
        };
        let [a, b, c] = [entry("a", Some("main")), entry("b", None), entry("c", Some("main"))];
        let draw = RepositoryDraw::among([(a, 0.25), (b.clone(), 0.5), (c, 0.25)].into_iter());
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let slugs: String =
            (0..1000).map(|_| draw.draw_writable(&mut random).unwrap().slug.as_str()).collect();
        // 500 expected; six standard deviations are 95.
        assert!((405..=595).contains(&slugs.matches('a').count()), "{slugs}");
        assert!(draw.has_writable() && !slugs.contains('b'));
        let nothing_known = draw.without_default_branch();
        assert!(!nothing_known.has_writable() && !nothing_known.is_empty());
        // Where all are known both draws are the same.
        let all = RepositoryDraw::among(draw.entries.iter().filter(|(it, _)| *it != b).cloned());
        let (mut one, mut other) = (ChaCha8Rng::seed_from_u64(2), ChaCha8Rng::seed_from_u64(2));
        for _ in 0..100 {
            assert_eq!(all.draw(&mut one), all.draw_writable(&mut other));
        }
    }
}
