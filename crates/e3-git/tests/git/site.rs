//! A directory of repositories with a server over it, and real git beside it.

use std::path::{Path, PathBuf};

use e3_git::{ForkedGit, ForkedOptions, Ref, Remote, RepositoryPath, SshKey};
use e3_http::BaseUrl;
use e3_model::{Secret, SshEndpoint};
use e3_testkit::{Git, GitServer, GitServerOptions, Shape, Sshd, SshdOptions, create_repository};
use tempfile::TempDir;

use crate::nginx::{Nginx, PASSWORD, USER};

/// A directory of repositories with a server over it.
pub(crate) struct Site<S> {
    pub(crate) directory: TempDir,
    pub(crate) server: S,
}

/// What the tests of both protocols need of a server.
pub(crate) trait Server {
    /// Where repositories lie below the root.
    const PREFIX: &'static str;

    fn remote(&self) -> Remote;

    /// Returns the real git as a client.
    fn forked(&self) -> ForkedGit;

    fn url(&self) -> String;

    /// Returns options of real git.
    fn options(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Server for GitServer {
    const PREFIX: &'static str = "scm/P";

    fn remote(&self) -> Remote {
        anonymous(&self.url())
    }

    fn forked(&self) -> ForkedGit {
        ForkedGit::anonymous_http(&BaseUrl::parse(&self.url()).unwrap(), &ForkedOptions::default()).unwrap()
    }

    fn url(&self) -> String {
        GitServer::url(self)
    }
}

impl Server for Nginx {
    const PREFIX: &'static str = "scm/P";

    fn remote(&self) -> Remote {
        Remote::http(BaseUrl::parse(&self.url()).unwrap(), USER, &Secret::new(PASSWORD))
    }

    fn forked(&self) -> ForkedGit {
        let base = BaseUrl::parse(&self.url()).unwrap();
        ForkedGit::http(&base, USER, &Secret::new(PASSWORD), &ForkedOptions::default()).unwrap()
    }

    fn url(&self) -> String {
        Nginx::url(self)
    }

    fn options(&self) -> Vec<String> {
        vec!["-c".to_owned(), format!("http.extraHeader={}", Nginx::login())]
    }
}

impl Server for Sshd {
    const PREFIX: &'static str = "P";

    fn remote(&self) -> Remote {
        Remote::ssh(&endpoint(self), user_key(self)).unwrap()
    }

    fn forked(&self) -> ForkedGit {
        ForkedGit::ssh(&endpoint(self), &user_key(self), &ForkedOptions::default()).unwrap()
    }

    fn url(&self) -> String {
        Sshd::url(self)
    }

    fn options(&self) -> Vec<String> {
        self.make_known();
        vec!["-c".to_owned(), format!("core.sshCommand={}", self.ssh_command())]
    }
}

impl Site<GitServer> {
    pub(crate) async fn http(options: GitServerOptions) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let server = GitServer::start(directory.path(), options).await;
        Self { directory, server }
    }
}

impl Site<Nginx> {
    /// Git's http-backend behind nginx, which asks for a password.
    pub(crate) async fn nginx() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().to_owned();
        let server = blocking(move || Nginx::start(&root)).await;
        Self { directory, server }
    }
}

impl Site<Sshd> {
    pub(crate) async fn ssh(options: SshdOptions) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let server = Sshd::start(directory.path(), options).await;
        Self { directory, server }
    }
}

impl<S: Server> Site<S> {
    pub(crate) fn remote(&self) -> Remote {
        self.server.remote()
    }

    pub(crate) fn forked(&self) -> ForkedGit {
        self.server.forked()
    }

    /// Returns the repository's address for real git.
    pub(crate) fn url(&self, slug: &str) -> String {
        format!("{}/{}/{slug}.git", self.server.url(), S::PREFIX)
    }

    pub(crate) fn path(&self, slug: &str) -> PathBuf {
        self.directory.path().join(format!("{}/{slug}.git", S::PREFIX))
    }

    pub(crate) async fn create(&self, slug: &str, seed: u64, shape: Shape) -> PathBuf {
        let path = self.path(slug);
        blocking(move || create_repository(&path, seed, &shape)).await
    }

    /// Runs real git in the site's directory.
    pub(crate) async fn git(&self, arguments: &[&str]) -> String {
        let git = Git::new(self.directory.path());
        let options = self.server.options();
        let arguments: Vec<_> =
            options.into_iter().chain(arguments.iter().map(|&word| word.to_owned())).collect();
        blocking(move || git.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())).await
    }
}

pub(crate) fn repository(slug: &str) -> RepositoryPath {
    RepositoryPath::new("P", slug)
}

pub(crate) fn anonymous(url: &str) -> Remote {
    Remote::anonymous_http(BaseUrl::parse(url).unwrap())
}

pub(crate) fn endpoint(sshd: &Sshd) -> SshEndpoint {
    SshEndpoint { url: sshd.url(), host_key: sshd.host_key() }
}

fn user_key(sshd: &Sshd) -> SshKey {
    SshKey::parse(&Secret::new(std::fs::read_to_string(sshd.user_key()).unwrap())).unwrap()
}

pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// Shows refs as `git ls-remote` does.
pub(crate) fn as_ls_remote(refs: &[Ref]) -> String {
    let mut lines = Vec::new();
    for reference in refs {
        lines.push(format!("{}\t{}", reference.oid, reference.name));
        lines.extend(reference.peeled.map(|peeled| format!("{peeled}\t{}^{{}}", reference.name)));
    }
    lines.join("\n")
}

/// Shows branches and tags as `git for-each-ref` does in a bare clone.
pub(crate) fn as_for_each_ref(refs: &[Ref]) -> String {
    let named = refs.iter().filter(|reference| reference.name != "HEAD");
    named.map(|reference| format!("{} {}", reference.oid, reference.name)).collect::<Vec<_>>().join("\n")
}

/// Returns the bytes of all packs of a bare repository.
pub(crate) fn pack_bytes(bare: &Path) -> u64 {
    let packs = std::fs::read_dir(bare.join("objects/pack")).unwrap().map(Result::unwrap);
    packs
        .filter(|entry| entry.path().extension().is_some_and(|e| e == "pack"))
        .map(|e| e.metadata().unwrap().len())
        .sum()
}
