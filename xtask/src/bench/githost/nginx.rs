//! nginx, fcgiwrap and git's http-backend over one repository, on a free port, gone afterwards.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use e3_git::Remote;
use e3_http::BaseUrl;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::process;

/// The web server and its gateway, as long as this lives.
pub(in crate::bench) struct Nginx {
    port: u16,
    nginx: Child,
    gateway: Child,
    /// Each leads a group of its own.
    groups: [Option<Pid>; 2],
}

impl Nginx {
    /// Serves the repository under every path that looks like one.
    ///
    /// # Errors
    /// When one of the programs does not start.
    pub(in crate::bench) async fn start(folder: &Path, repository: &Path) -> Result<Self> {
        let port = free_port()?;
        let (socket, file) = (folder.join("gateway.socket"), folder.join("nginx.conf"));
        std::fs::write(&file, settings(folder, &socket, port, repository)?)
            .context("cannot write nginx.conf")?;
        let gateway = spawn(
            Command::new("fcgiwrap").args(["-c", PROCESSES, "-s"]).arg(format!("unix:{}", socket.display())),
        )?;
        let nginx =
            spawn(Command::new("nginx").arg("-p").arg(folder).arg("-c").arg(&file).args(["-e", "stderr"]))?;
        let groups = [group(&nginx), group(&gateway)];
        let nginx = Self { port, nginx, gateway, groups };
        let until = Instant::now() + START;
        while !socket.exists() || TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            if Instant::now() > until {
                bail!("nginx and fcgiwrap did not begin to listen within {START:?}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(nginx)
    }

    /// Returns its address.
    pub(in crate::bench) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the way to it.
    ///
    /// # Errors
    /// Never, as the URL is right.
    pub(in crate::bench) fn remote(&self) -> Result<Remote> {
        Ok(Remote::anonymous_http(BaseUrl::parse(&self.url())?))
    }

    /// Ends both.
    ///
    /// # Errors
    /// When they cannot be ended.
    pub(in crate::bench) async fn stop(mut self) -> Result<()> {
        super::node::terminate(&mut self.nginx).await?;
        super::node::terminate(&mut self.gateway).await
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The gateway's processes outlive the one that made them.
        for group in self.groups.into_iter().flatten() {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

fn group(child: &Child) -> Option<Pid> {
    child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw)
}

fn spawn(command: &mut Command) -> Result<Child> {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/local/sbin:/usr/sbin");
    command.env_clear().env("PATH", path).env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(Stdio::null()).kill_on_drop(true).process_group(0);
    command.spawn().with_context(|| format!("cannot start {}", command.as_std().get_program().display()))
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("there is no free port")?;
    Ok(listener.local_addr().context("there is no free port")?.port())
}

/// Source: `git-http-backend(1)`, and what makes nginx fast with it: answers are passed on as they come.
fn settings(folder: &Path, socket: &Path, port: u16, repository: &Path) -> Result<String> {
    let root = repository.parent().context("the repository has no parent")?.display();
    let name = repository.file_name().context("the repository has no name")?.display();
    let backend = backend()?;
    // Started by root, its workers would otherwise be nobody, who may not enter here.
    let user =
        if process::output("id", &["-u"]).is_some_and(|id| id.trim() == "0") { "user root;" } else { "" };
    let (folder, socket, backend) = (folder.display(), socket.display(), backend.display());
    Ok(format!(
        r#"{user}
daemon off;
worker_processes auto;
pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    fastcgi_temp_path {folder}/fastcgi;
    proxy_temp_path {folder}/proxy;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 0;
        location ~ ^/scm/[^/]+/[^/]+\.git(?<rest>/.*)$ {{
            fastcgi_pass unix:{socket};
            fastcgi_buffering off;
            fastcgi_param SCRIPT_FILENAME {backend};
            fastcgi_param GIT_PROJECT_ROOT {root};
            fastcgi_param GIT_HTTP_EXPORT_ALL 1;
            fastcgi_param GIT_PROTOCOL $http_git_protocol;
            fastcgi_param PATH_INFO /{name}$rest;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param CONTENT_TYPE $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
            fastcgi_param REMOTE_ADDR $remote_addr;
        }}
    }}
}}
"#
    ))
}

/// Returns the http-backend of the git that githost uses too, or the distribution's if that one came without.
fn backend() -> Result<PathBuf> {
    let own = process::output("git", &["--exec-path"]).map(|path| PathBuf::from(path.trim()));
    let candidates = own.into_iter().chain([PathBuf::from("/usr/lib/git-core")]);
    let mut found = candidates.map(|folder| folder.join("git-http-backend")).filter(|path| path.is_file());
    found.next().context("git-http-backend is not installed; it is part of git")
}

/// As many as the largest number of clients.
const PROCESSES: &str = "16";
const START: Duration = Duration::from_secs(20);
