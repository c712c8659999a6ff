//! nginx with one small file, on a free port, gone afterwards.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::process;

/// nginx, as long as this lives.
pub(super) struct Server {
    port: u16,
    nginx: Child,
}

impl Server {
    /// Serves [`BYTES`] bytes from a file in the folder.
    ///
    /// # Errors
    /// When nginx does not start.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let folder = folder.join("nginx");
        std::fs::create_dir(&folder).context("cannot make nginx's directory")?;
        std::fs::write(folder.join(FILE), [b'x'; BYTES]).context("cannot write the file to serve")?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("loopback has no free port")?;
        let port = listener.local_addr().context("the free port has no number")?.port();
        drop(listener);
        let settings = folder.join("nginx.conf");
        std::fs::write(&settings, self::settings(&folder, port)?).context("cannot write nginx.conf")?;
        let nginx = Command::new("nginx")
            .arg("-p")
            .arg(&folder)
            .arg("-c")
            .arg(&settings)
            .args(["-e", "stderr"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start nginx")?;
        let server = Self { port, nginx };
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > until {
                bail!("nginx did not begin to listen");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Returns the file's URL.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/{FILE}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Asked, it ends its worker too, which a kill would leave behind.
        if let Some(nginx) = i32::try_from(self.nginx.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(nginx, Signal::TERM);
        }
        let _ = self.nginx.wait();
    }
}

/// Returns nginx's settings: one worker, which answers with head and body in one piece.
fn settings(folder: &Path, port: u16) -> Result<String> {
    let folder = folder.to_str().context("the temporary directory's name is not UTF-8")?;
    // Started by root, its worker would otherwise be nobody, who may not enter here.
    let is_root = process::output("id", &["-u"]).is_some_and(|id| id.trim() == "0");
    let user = if is_root { "user root;\n" } else { "" };
    Ok(format!(
        "{user}daemon off;\nworker_processes 1;\npid {folder}/pid;\nevents {{ worker_connections 1024; }}\n\
         http {{\n  access_log off;\n  sendfile off;\n  open_file_cache max=16;\n\
         \x20 keepalive_requests 1000000000;\n  keepalive_timeout 600;\n\
         \x20 client_body_temp_path {folder}/body;\n  proxy_temp_path {folder}/proxy;\n\
         \x20 fastcgi_temp_path {folder}/fastcgi;\n  uwsgi_temp_path {folder}/uwsgi;\n  scgi_temp_path {folder}/scgi;\n\
         \x20 server {{ listen 127.0.0.1:{port} backlog=1024; root {folder}; }}\n}}\n"
    ))
}

const FILE: &str = "1k.bin";

/// How large the file is.
const BYTES: usize = 1024;
