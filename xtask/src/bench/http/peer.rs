//! The programs that are measured: how each is run, and how many requests it says it made.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use e3_model::{Document as _, Run, from_json};
use serde_json::Value;

use super::CONNECTIONS;

/// A program that makes load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    E3,
    Wrk,
    Oha,
    K6,
}

/// What a program did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Did {
    /// How many requests were answered as they should.
    pub(super) requests: f64,
    /// Processor time while the load was on, where the program does more than that.
    pub(super) load_s: Option<f64>,
}

impl Peer {
    pub(super) const ALL: [Self; 4] = [Self::E3, Self::Wrk, Self::Oha, Self::K6];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::E3 => "e3",
            Self::Wrk => "wrk",
            Self::Oha => "oha",
            Self::K6 => "k6",
        }
    }

    /// Returns how many times its requests per CPU second e3's must be; none for e3.
    pub(super) fn least(self) -> Option<f64> {
        match self {
            Self::E3 => None,
            Self::Wrk => Some(0.9),
            Self::Oha => Some(1.1),
            Self::K6 => Some(6.0),
        }
    }

    /// Returns whether its absence is no problem: it is in no package registry.
    pub(super) fn is_optional(self) -> bool {
        self == Self::K6
    }

    /// Returns how to install it, if it is not there.
    pub(super) fn missing(self) -> Option<&'static str> {
        let how = match self {
            Self::E3 => return None,
            Self::Wrk => "run: apt-get install wrk",
            Self::Oha => "run: cargo install --locked oha",
            Self::K6 => "see https://grafana.com/docs/k6",
        };
        let found = Command::new(self.name())
            .arg("--version")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        found.is_err().then_some(how)
    }

    /// Makes load for so many seconds.
    ///
    /// # Errors
    /// When the program fails, or tells of a request that failed.
    pub(super) fn run(self, e3: &Path, url: &str, home: &Path, seconds: u64) -> Result<Did> {
        let (connections, duration) = (CONNECTIONS.to_string(), format!("{seconds}s"));
        let mut command = Command::new(if self == Self::E3 { e3.as_os_str() } else { self.name().as_ref() });
        match self {
            Self::E3 => command
                .args(["load", "--json", "--quiet", "--script", "http.Request", "--home"])
                .arg(home)
                .args(["--url", url, "--clients", &connections, "--duration", &duration]),
            Self::Wrk => command.args(["-t1", "-c", &connections, "-d", &duration, url]),
            Self::Oha => command.args([
                "--no-tui",
                "--output-format",
                "json",
                "-c",
                &connections,
                "-z",
                &duration,
                url,
            ]),
            Self::K6 => {
                let script = home.with_extension("js");
                std::fs::write(&script, k6_script(url)).context("cannot write k6's script")?;
                command
                    .args(["run", "--quiet", "--vus", &connections, "--duration", &duration])
                    .arg("--summary-export")
                    .arg(home.with_extension("json"))
                    .arg(script)
            }
        };
        let output = command.stdin(Stdio::null()).output().context("cannot start it")?;
        let is_expected = self == Self::E3 && output.status.code() == Some(CLIENT_BOUND);
        if !output.status.success() && !is_expected {
            bail!("it ended with {}:\n{}", output.status, String::from_utf8_lossy(&output.stderr));
        }
        let said = String::from_utf8_lossy(&output.stdout);
        let requests = match self {
            Self::E3 => return of_e3(&said),
            Self::Wrk => of_wrk(&said)?,
            Self::Oha => of_oha(&said)?,
            Self::K6 => {
                of_k6(&std::fs::read_to_string(home.with_extension("json")).context("k6 wrote no summary")?)?
            }
        };
        Ok(Did { requests, load_s: None })
    }
}

/// The exit code with which e3 says that it was the bottleneck itself, as every client here is meant to be.
const CLIENT_BOUND: i32 = 32;

fn of_e3(said: &str) -> Result<Did> {
    let said: Value = serde_json::from_str(said).context("e3 printed no JSON")?;
    let number = |pointer: &str| said.pointer(pointer).and_then(Value::as_f64).context("e3's JSON changed");
    if number("/total/error_rate")? > 0.0 {
        bail!("requests failed: {}", said.pointer("/total/errors").unwrap_or(&Value::Null));
    }
    let directory = said.pointer("/directory").and_then(Value::as_str).context("e3's JSON changed")?;
    let run = std::fs::read(Path::new(directory).join(Run::FILE)).context("e3's run cannot be read")?;
    let run: Run = from_json(&run).context("e3's run cannot be used")?;
    let stage = run.stages.first().context("no stage was measured")?;
    let seconds = (number("/window_end_ms")? - number("/window_start_ms")?) / 1e3;
    Ok(Did { requests: number("/total/ok")?, load_s: Some(stage.honesty.worker_cpus * seconds) })
}

fn of_wrk(said: &str) -> Result<f64> {
    if let Some(line) = said.lines().find(|line| line.contains("Non-2xx") || line.contains("Socket errors")) {
        bail!("requests failed: {}", line.trim());
    }
    let line = said.lines().find(|line| line.contains(" requests in ")).context("wrk's words changed")?;
    line.split_whitespace().next().and_then(|count| count.parse().ok()).context("wrk's words changed")
}

fn of_oha(said: &str) -> Result<f64> {
    let said: Value = serde_json::from_str(said).context("oha printed no JSON")?;
    let statuses = said.get("statusCodeDistribution").and_then(Value::as_object);
    let statuses = statuses.context("oha's JSON changed")?;
    if let Some((status, _)) = statuses.iter().find(|(status, _)| *status != "200") {
        bail!("requests were answered {status}");
    }
    // Those that were under way at the end count as errors there, so errors are no failure here.
    statuses.get("200").and_then(Value::as_f64).context("no request was answered")
}

fn of_k6(summary: &str) -> Result<f64> {
    let summary: Value = serde_json::from_str(summary).context("k6 wrote no JSON")?;
    let number =
        |pointer: &str| summary.pointer(pointer).and_then(Value::as_f64).context("k6's JSON changed");
    if number("/metrics/http_req_failed/value")? > 0.0 {
        bail!("requests failed");
    }
    number("/metrics/http_reqs/count")
}

fn k6_script(url: &str) -> String {
    let url = Value::from(url);
    format!(
        "import http from \"k6/http\";\nexport const options = {{ discardResponseBodies: true }};\n\
         export default function () {{ http.get({url}); }}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_what_the_programs_say() {
        let wrk = "Running 3s test\n  216492 requests in 3.00s, 260.97MB read\nRequests/sec:  72111.36\n";
        assert_eq!(of_wrk(wrk).unwrap(), 216_492.0);
        assert_eq!(of_oha(r#"{"statusCodeDistribution": {"200": 9}}"#).unwrap(), 9.0);
        let k6 = r#"{"metrics": {"http_reqs": {"count": 5}, "http_req_failed": {"value": 0}}}"#;
        assert_eq!(of_k6(k6).unwrap(), 5.0);
    }

    #[test]
    fn failed_requests_end_the_measurement() {
        for wrk in [
            "  5 requests in 3.00s\n  Non-2xx or 3xx responses: 5\n",
            "  Socket errors: connect 1\n 5 requests in 3.00s\n",
            "nothing",
        ] {
            assert!(of_wrk(wrk).is_err(), "{wrk:?}");
        }
        assert!(of_e3(r#"{"total": {"ok": 7, "error_rate": 0.1}}"#).is_err());
        assert!(of_oha(r#"{"statusCodeDistribution": {"200": 9, "500": 1}}"#).is_err());
        assert!(
            of_k6(r#"{"metrics": {"http_reqs": {"count": 5}, "http_req_failed": {"value": 1}}}"#).is_err()
        );
    }
}
