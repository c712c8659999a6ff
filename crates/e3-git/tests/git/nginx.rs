//! Git's http-backend behind nginx and fcgiwrap, as people run it.

use std::{
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use e3_testkit::Git;
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

/// A web server over all repositories below a directory; both its programs end when this is dropped.
pub(crate) struct Nginx {
    port: u16,
    /// Where it speaks HTTP/2 to who begins with it.
    http2_port: u16,
    programs: [Child; 2],
    _directory: TempDir,
}

pub(crate) const USER: &str = "ada";
pub(crate) const PASSWORD: &str = "right";

impl Nginx {
    /// Starts the server; `http://…/scm/P/r.git` is the repository `scm/P/r.git` below the root.
    pub(crate) fn start(root: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listeners = [0; 2].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = listeners.each_ref().map(|listener| listener.local_addr().unwrap().port());
        drop(listeners);
        let [port, http2_port] = ports;
        let socket = directory.path().join("gateway.socket");
        let file = directory.path().join("nginx.conf");
        std::fs::write(directory.path().join("users"), format!("{USER}:{{PLAIN}}{PASSWORD}\n")).unwrap();
        std::fs::write(&file, settings(directory.path(), &socket, ports, root)).unwrap();
        let gateway = ["-c", "4", "-s", &format!("unix:{}", socket.display())].map(str::to_owned);
        let [folder, file] = [directory.path(), &file].map(|path| path.display().to_string());
        let nginx = ["-p", &folder, "-c", &file, "-e", "stderr"].map(str::to_owned);
        let programs = [spawn("fcgiwrap", &gateway, root), spawn("nginx", &nginx, root)];
        let started = Self { port, http2_port, programs, _directory: directory };
        let until = Instant::now() + Duration::from_secs(20);
        while !socket.exists() || TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "nginx and fcgiwrap did not begin to listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        started
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the address of the same server where it speaks HTTP/2, without TLS.
    pub(crate) fn http2_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http2_port)
    }

    /// Returns the header that logs in.
    pub(crate) fn login() -> String {
        format!("Authorization: Basic {}", BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}")))
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        for program in &mut self.programs {
            // Both have children, in the group that each leads.
            let leader = i32::try_from(program.id()).ok().and_then(Pid::from_raw).unwrap();
            let _ = kill_process_group(leader, Signal::KILL);
            let _ = program.wait();
        }
    }
}

fn spawn(program: &str, arguments: &[String], root: &Path) -> Child {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/local/sbin:/usr/sbin");
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(Git::new(root).environment()).env("PATH", path);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().unwrap_or_else(|error| {
        panic!("this test needs {program} ({error}): install nginx-light and fcgiwrap, or run `cargo xtask tools`")
    })
}

/// Source: `git-http-backend(1)`, section EXAMPLES.
fn settings(folder: &Path, socket: &Path, [port, http2_port]: [u16; 2], root: &Path) -> String {
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    // Started by root, its workers would otherwise be nobody, who may not enter here.
    let user = if is_root { "user root;" } else { "" };
    let (folder, socket, root, backend) = (folder.display(), socket.display(), root.display(), backend());
    let backend = backend.display();
    format!(
        r#"{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    fastcgi_temp_path {folder}/fastcgi;
    proxy_temp_path {folder}/proxy;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        listen 127.0.0.1:{http2_port} http2;
        client_max_body_size 0;
        auth_basic "test";
        auth_basic_user_file {folder}/users;
        location /scm/ {{
            fastcgi_pass unix:{socket};
            fastcgi_param SCRIPT_FILENAME {backend};
            fastcgi_param GIT_PROJECT_ROOT {root};
            fastcgi_param GIT_HTTP_EXPORT_ALL 1;
            fastcgi_param GIT_PROTOCOL $http_git_protocol;
            fastcgi_param PATH_INFO $uri;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param CONTENT_TYPE $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
            fastcgi_param REMOTE_USER $remote_user;
            fastcgi_param REMOTE_ADDR $remote_addr;
        }}
    }}
}}
"#
    )
}

fn backend() -> PathBuf {
    let own = Command::new("git").arg("--exec-path").output().unwrap().stdout;
    let own = PathBuf::from(String::from_utf8(own).unwrap().trim()).join("git-http-backend");
    if own.is_file() { own } else { PathBuf::from("/usr/lib/git-core/git-http-backend") }
}
