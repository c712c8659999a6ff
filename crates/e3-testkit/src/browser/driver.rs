//! chromedriver: the process, and what is asked of it.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::Value;

use super::{INSTALL, http};

/// A chromedriver on a free port of loopback.
#[derive(Debug)]
pub(super) struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    /// Starts it and waits until it says its port.
    pub(super) fn start() -> Self {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap_or_else(|error| {
            panic!("this test needs chromedriver, which cannot be started ({error}): {INSTALL}")
        });
        let output = process.stdout.take().expect("stdout is piped");
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Nobody listens any more once the port is known; the pipe is emptied all the same.
                let _ = sender.send(line);
            }
        });
        let mut said = Vec::new();
        loop {
            match receiver.recv_timeout(STARTING) {
                Ok(line) => {
                    if let Some(port) = port_in(&line) {
                        return Self { process, port };
                    }
                    said.push(line);
                }
                Err(error) => {
                    let _ = process.kill();
                    let _ = process.wait();
                    panic!("chromedriver did not say its port ({error}); it said: {}", said.join(" | "));
                }
            }
        }
    }

    /// Sends a request and returns the `value` of the answer.
    ///
    /// # Errors
    /// When there is no answer in time, or it is an error.
    pub(super) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let body = body.map(Value::to_string);
        let (status, text) = http::ask(self.port, (method, path), body.as_deref(), ANSWERING)?;
        let mut answer: Value =
            serde_json::from_str(&text).map_err(|error| format!("{error} in the answer {text}"))?;
        let value = answer.get_mut("value").map(Value::take).unwrap_or_default();
        if status == 200 {
            return Ok(value);
        }
        let part = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
        Err(format!("{status} {}: {}", part("error"), part("message")))
    }

    /// Ends the process and waits for its end.
    pub(super) fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Returns the port in `ChromeDriver was started successfully on port 40123.`
fn port_in(line: &str) -> Option<u16> {
    let (_, rest) = line.split_once("started successfully on port ")?;
    rest.trim_end_matches('.').parse().ok()
}

const STARTING: Duration = Duration::from_secs(30);
const ANSWERING: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_port() {
        for (line, port) in [
            ("ChromeDriver was started successfully on port 40123.", Some(40_123)),
            ("Starting ChromeDriver 156.0.8078.108 on port 0", None),
            ("Only local connections are allowed.", None),
        ] {
            assert_eq!(port_in(line), port, "{line}");
        }
    }
}
