//! A real browser, Chromium from Debian, driven through chromedriver: opens a page, runs script, looks, listens.
//!
//! Each browser has a directory of its own, asks no other host for anything, and ends with its value: the session is
//! closed, and whatever process of it is left is ended by its id.

mod driver;
mod http;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::wait_for_blocking;
use driver::Driver;

/// A browser with one open page.
#[derive(Debug)]
pub struct Browser {
    driver: Driver,
    /// `/session/ID`.
    session: String,
    directory: TempDir,
}

/// What a reader asked for: the ground's brightness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Dark letters on a light ground.
    Light,
    /// Light letters on a dark ground.
    Dark,
}

impl Browser {
    /// Starts a browser without a window.
    ///
    /// # Panics
    /// If chromedriver or Chromium is not installed, with the command that installs them, or does not start in time.
    pub fn start() -> Self {
        let directory = tempfile::tempdir().expect("temporary directories can be made");
        let driver = Driver::start();
        let mut arguments: Vec<String> = ARGUMENTS.iter().map(|argument| (*argument).to_owned()).collect();
        arguments.push(format!("--user-data-dir={}", directory.path().display()));
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}});
        let answer = driver.ask("POST", "/session", Some(&wanted));
        let value = answer.unwrap_or_else(|error| panic!("Chromium did not start: {error}; {INSTALL}"));
        let id = value.get("sessionId").and_then(Value::as_str).expect("a session has an id").to_owned();
        let browser = Self { driver, session: format!("/session/{id}"), directory };
        // What the browser's own first page says and asks for is nobody's business here.
        browser.post("/url", &json!({"url": "about:blank"}));
        browser.log("browser");
        browser.log("performance");
        browser
    }

    /// Opens a file as a page and waits until it is loaded.
    ///
    /// # Panics
    /// If the file is not there or the page does not load.
    pub fn open(&self, file: &Path) {
        let file = fs::canonicalize(file).expect("the page's file is there");
        self.post("/url", &json!({"url": format!("file://{}", file.display())}));
    }

    /// Runs script in the page and returns what it returns; `arguments[0]` is the argument.
    ///
    /// # Panics
    /// If the script throws.
    pub fn run(&self, script: &str, argument: &Value) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": [argument]}))
    }

    /// Sends a command of the DevTools protocol and returns its result.
    ///
    /// # Panics
    /// If the browser does not know it, or refuses.
    pub fn command(&self, name: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({"cmd": name, "params": parameters}))
    }

    /// Sets how large the page is shown, in CSS pixels.
    pub fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.command("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Sets what the reader asked for.
    pub fn prefer(&self, scheme: Scheme) {
        let value = if scheme == Scheme::Light { "light" } else { "dark" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": value}]});
        self.command("Emulation.setEmulatedMedia", &features);
    }

    /// Moves the pointer there, in CSS pixels from the upper left of what is shown.
    pub fn point(&self, x: f64, y: f64) {
        self.command("Input.dispatchMouseEvent", &json!({"type": "mouseMoved", "x": x, "y": y}));
    }

    /// Presses and releases a key, named as in `KeyboardEvent.key`.
    pub fn press(&self, key: &str) {
        let code = KEYS.iter().find(|(name, _)| *name == key).map_or(0, |(_, code)| *code);
        // A button is pressed by the character that the key types, not by the key.
        let text = if key == "Enter" { "\r" } else { "" };
        for kind in [if text.is_empty() { "rawKeyDown" } else { "keyDown" }, "keyUp"] {
            let event =
                json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
            self.command("Input.dispatchKeyEvent", &event);
        }
    }

    /// Lets the page save files into this directory.
    pub fn save_into(&self, directory: &Path) {
        let path = directory.display().to_string();
        let behaviour = json!({"behavior": "allow", "downloadPath": path});
        self.command("Browser.setDownloadBehavior", &behaviour);
    }

    /// Returns what is shown, as PNG.
    ///
    /// # Panics
    /// If the browser takes no picture.
    pub fn screenshot(&self) -> Vec<u8> {
        let picture = self.command("Page.captureScreenshot", &json!({"format": "png"}));
        decoded(&picture)
    }

    /// Returns the page as it prints, as PDF.
    ///
    /// # Panics
    /// If the browser does not print.
    pub fn print(&self) -> Vec<u8> {
        decoded(&self.command("Page.printToPDF", &json!({"printBackground": true})))
    }

    /// Returns what was written to the console since this was last asked, as `LEVEL: message`.
    ///
    /// # Panics
    /// If the browser does not tell.
    pub fn console(&self) -> Vec<String> {
        let entries = self.log("browser");
        let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
        entries.iter().map(|entry| format!("{}: {}", text(entry, "level"), text(entry, "message"))).collect()
    }

    /// Returns the addresses that were asked for since this was last asked, the page's own included.
    ///
    /// # Panics
    /// If the browser does not tell.
    pub fn requests(&self) -> Vec<String> {
        let entries = self.log("performance");
        let message = |entry: &Value| {
            let message: Value = serde_json::from_str(entry.get("message")?.as_str()?).ok()?;
            let message = message.get("message")?;
            let is_request = message.get("method")?.as_str()? == "Network.requestWillBeSent";
            let url = message.pointer("/params/request/url")?.as_str()?.to_owned();
            is_request.then_some(url)
        };
        entries.iter().filter_map(message).collect()
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        self.post("/se/log", &json!({"type": kind})).as_array().cloned().unwrap_or_default()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let path = format!("{}{path}", self.session);
        self.driver.ask("POST", &path, Some(body)).unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Without an answer, what follows ends the browser all the same.
        let _ = self.driver.ask("DELETE", &self.session, None);
        self.driver.stop();
        let directory = self.directory.path().display().to_string();
        for process in processes_naming(&directory) {
            let mut kill = Command::new("kill");
            kill.args(["-KILL", &process.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
            let _ = kill.status();
        }
        if !std::thread::panicking() {
            // The directory goes away only once nobody writes to it.
            wait_for_blocking("the browser's end", Duration::from_secs(10), || {
                match processes_naming(&directory).as_slice() {
                    [] => Ok(()),
                    left => Err(format!("processes {left:?} are left")),
                }
            });
        }
    }
}

/// Returns the processes whose arguments name a directory: the browser's own, since it made it.
fn processes_naming(directory: &str) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let names = |process: &u32| {
        let arguments = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&arguments).contains(directory)
    };
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(names).collect()
}

fn decoded(answer: &Value) -> Vec<u8> {
    let text = answer.get("data").and_then(Value::as_str).expect("the browser sends data");
    BASE64_STANDARD.decode(text).expect("the browser encodes in base64")
}

/// What is told to whoever lacks it.
const INSTALL: &str =
    "install it with `apt-get install chromium chromium-driver`, or let `cargo xtask tools` do so";
/// No window, no sandbox (tests run as root in containers), no word to anyone.
const ARGUMENTS: [&str; 14] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-first-run",
    "--no-default-browser-check",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];
/// The codes of keys that move something.
const KEYS: [(&str, u32); 8] = [
    ("Tab", 9),
    ("Enter", 13),
    ("Escape", 27),
    ("End", 35),
    ("Home", 36),
    ("ArrowLeft", 37),
    ("ArrowRight", 39),
    ("ArrowDown", 40),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_hears_and_ends() {
        let directory = tempfile::tempdir().unwrap();
        let page = directory.path().join("page.html");
        fs::write(&page, "<title>T</title><button onclick='console.error(\"pressed\")'>b</button>").unwrap();
        let browser = Browser::start();
        browser.open(&page);
        assert_eq!(browser.run("return document.title + arguments[0]", &json!("x")), json!("Tx"));
        browser.resize(400, 300);
        assert_eq!(browser.run("return innerWidth", &Value::Null), json!(400));
        let is_dark = "return matchMedia('(prefers-color-scheme: dark)').matches";
        for (scheme, dark) in [(Scheme::Dark, true), (Scheme::Light, false)] {
            browser.prefer(scheme);
            assert_eq!(browser.run(is_dark, &Value::Null), json!(dark));
        }
        browser.press("Tab");
        browser.press("Enter");
        let heard = wait_for_blocking("the click", Duration::from_secs(10), || {
            let heard = browser.console();
            if heard.is_empty() { Err("silence".to_owned()) } else { Ok(heard) }
        });
        assert!(heard[0].starts_with("SEVERE:") && heard[0].contains("pressed"), "{heard:?}");
        assert!(browser.requests().iter().any(|url| url.ends_with("/page.html")), "its own page");
        assert!(browser.screenshot().starts_with(b"\x89PNG"));
        assert!(browser.print().starts_with(b"%PDF"));
        let own = browser.directory.path().display().to_string();
        assert!(!processes_naming(&own).is_empty());
        drop(browser);
        assert_eq!(processes_naming(&own), Vec::<u32>::new());
    }
}
