//! The page in a real browser: every chart is drawn, hover and keyboard work, nothing is asked of the network.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use e3_model::Analysis;
use e3_report::{figures, html};
use e3_testkit::{Browser, Scheme, wait_for_blocking};
use serde_json::{Value, json};

use crate::fixture;

#[test]
fn every_chart_is_drawn_in_light_and_dark_without_a_word_to_the_console_or_the_network() {
    let browser = Browser::start();
    for (name, analysis) in [
        ("quickstart", fixture::analysis()),
        ("open-model", fixture::open_model()),
        ("both-models", fixture::both_models()),
        ("one-thread", fixture::one_thread()),
        ("zero-ops", fixture::zero_ops()),
        ("large", fixture::large()),
        ("many-ops", fixture::with_ops(66)),
    ] {
        let page = written(name, &analysis);
        let (wide, narrow) = ((Scheme::Dark, "dark", 1280), (Scheme::Light, "light", 390));
        let others = [(Scheme::Light, "light", 1280), (Scheme::Dark, "dark", 390)];
        let shown = if ["quickstart", "open-model"].contains(&name) { &others[..] } else { &[] };
        for (scheme, ground, width) in [wide, narrow].iter().chain(shown) {
            browser.prefer(*scheme);
            browser.resize(*width, 900);
            browser.open(&page);
            fs::write(place(&format!("{name}-{ground}-{width}.png")), browser.screenshot()).unwrap();
            let figures = figures(&analysis).len();
            let drawn = browser.run(DRAWN, &Value::Null);
            assert_eq!(drawn, json!({"drawn": figures, "flat": []}), "{name}, {ground}, {width} wide");
            let wide = browser.run("return document.documentElement.scrollWidth", &Value::Null);
            assert!(wide.as_u64() <= Some((*width).into()), "{name} at {width}: the page is {wide} wide");
        }
        assert_eq!(browser.console(), Vec::<String>::new(), "{name}");
        let requests = browser.requests();
        let own = format!("/{name}.html");
        assert!(!requests.is_empty() && requests.iter().all(|url| url.ends_with(&own)), "{requests:?}");
    }
}

#[test]
fn each_scheme_has_letters_that_can_be_read() {
    let browser = Browser::start();
    let page = written("contrast", &fixture::both_models());
    for scheme in [Scheme::Light, Scheme::Dark] {
        browser.prefer(scheme);
        browser.open(&page);
        // Source: WCAG 2.2, success criterion 1.4.3: at least 4.5 to 1 for text; 1.4.11: 3 to 1 for lines.
        let poor = browser.run(POOR_CONTRAST, &Value::Null);
        assert_eq!(poor, json!([]), "{scheme:?}");
    }
}

#[test]
fn pointing_at_a_second_marks_it_in_all_charts_of_the_stage() {
    let browser = Browser::start();
    browser.resize(1280, 1000);
    browser.open(&written("hover", &fixture::analysis()));
    let before = browser.run(LINKED, &Value::Null);
    assert_eq!(before["guides"], json!(0));
    assert!(before["values"].as_str().unwrap().contains("59.8 %"), "legends show means: {before}");
    let middle = browser.run(
        "const s = document.querySelector('#thread-001-stage-002 [data-stem$=\"timeline\"] svg[data-time]');
         s.scrollIntoView({block: 'center', behavior: 'instant'}); const b = s.getBoundingClientRect();
         return [b.left + b.width / 2, b.top + b.height / 2]",
        &Value::Null,
    );
    browser.point(middle[0].as_f64().unwrap(), middle[1].as_f64().unwrap());
    let after = wait_for_blocking("the guides", Duration::from_secs(10), || {
        let after = browser.run(LINKED, &Value::Null);
        if after["guides"] == json!(0) { Err(after.to_string()) } else { Ok(after) }
    });
    assert!(after["charts"].as_u64().unwrap() > 10, "{after}");
    assert_eq!(after["guides"], after["charts"], "a guide in every chart of the stage");
    assert_eq!(after["elsewhere"], json!(0), "and in no other");
    assert!(after["at"].as_str().unwrap().starts_with("at second "), "{after}");
    let second: usize = after["at"].as_str().unwrap()["at second ".len()..].parse().unwrap();
    let series = &fixture::analysis().threads[0].stages[2].metrics;
    let user = series.iter().find(|one| one.name == "cpu/user").unwrap().values[second].unwrap();
    let shown = format!("{} %", e3_model::quantity::number(user));
    assert!(after["values"].as_str().unwrap().contains(&shown), "{shown} in {after}");
    assert!(after["tip"].as_str().unwrap().contains("p50"), "{after}");
    browser.point(2.0, 2.0);
    wait_for_blocking("the guides' end", Duration::from_secs(10), || {
        let left = browser.run(LINKED, &Value::Null);
        if left == before { Ok(()) } else { Err(left.to_string()) }
    });
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn the_keyboard_reaches_everything() {
    let browser = Browser::start();
    browser.resize(1280, 1000);
    browser.open(&written("keyboard", &fixture::analysis()));
    browser.press("Tab");
    assert_eq!(browser.run("return document.activeElement.className", &Value::Null), json!("skip"));
    let hears = |stem: &str, key: &str, said: &str| {
        let focus = "document.querySelector(`[data-stem=\"${arguments[0]}\"] .plot > svg`).focus()";
        browser.run(focus, &json!(stem));
        browser.press(key);
        let heard = browser.run("return document.querySelector('[aria-live]').textContent", &Value::Null);
        assert!(heard.as_str().unwrap().starts_with(said), "{stem}: {heard}");
    };
    for (stem, key, said) in [
        ("throughput", "ArrowRight", "4 clients. one node: 22.2 ops/s"),
        ("throughput", "End", "64 clients. one node: 88.4 ops/s"),
        ("errors", "ArrowDown", "one node, 4 clients: 0 of 356 ops failed"),
        ("thread-001-stage-002-timeline", "End", "second 19 to 20. p50: "),
        ("thread-001-stage-002-metrics-proc-percent-machine-cpu", "Home", "second 0: user "),
    ] {
        hears(stem, key, said);
    }
    let marked = browser.run(LINKED, &Value::Null);
    assert_eq!(marked["guides"], marked["charts"], "the keyboard moves all guides of a stage");
    browser.press("Escape");
    assert_eq!(browser.run(LINKED, &Value::Null)["guides"], json!(0));
    let switch = "const b = document.querySelector('[data-stem=\"throughput\"] [data-switch=\"t1\"]'); b.focus(); return 1";
    browser.run(switch, &Value::Null);
    browser.press("Enter");
    let off = "return document.querySelectorAll('[data-stem=\"throughput\"] g.off').length";
    assert_eq!(browser.run(off, &Value::Null), json!(1), "a legend's button hides its line");
    browser.open(&written("keyboard-both", &fixture::both_models()));
    let due = "50 arrivals per second. one node: 49.9 ops/s, 998 ops of 1,000 due, at 50/s";
    hears("throughput-by-rate", "ArrowRight", due);
    hears("thread-002-stage-006-scheduling-lag", "Home", "0.0320 ms to 0.0640 ms");
}

#[test]
fn a_chart_and_its_numbers_are_saved_as_the_files_beside_the_page_have_them() {
    let analysis = fixture::analysis();
    let browser = Browser::start();
    let saved = tempfile::tempdir().unwrap();
    browser.save_into(saved.path());
    browser.open(&written("saving", &analysis));
    for stem in [
        "throughput",
        "latency-p95",
        "distribution-16-clients",
        "thread-001-stage-002-metrics-proc-percent-machine-cpu",
    ] {
        let file = figures(&analysis).into_iter().find(|file| file.stem == stem).unwrap();
        for kind in ["svg", "csv"] {
            let click = "document.querySelector(`[data-stem=\"${arguments[0][0]}\"] [data-save=\"${arguments[0][1]}\"]`).click()";
            browser.run(click, &json!([stem, kind]));
        }
        let name = |kind: &str| saved.path().join(format!("{}-{stem}.{kind}", analysis.run));
        assert_eq!(read(&name("csv")), file.csv, "{stem}");
        crate::files::assert_well_formed(&read(&name("svg")));
        let (own, made) = (looks(&browser, &name("svg")), place(&format!("{stem}.svg")));
        fs::write(&made, &file.svg).unwrap();
        assert_eq!(own, looks(&browser, &made), "{stem}: the page's SVG and the file look the same");
        browser.open(&place("saving.html"));
    }
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn it_prints() {
    let browser = Browser::start();
    let page = written("print", &fixture::analysis());
    browser.open(&page);
    browser.prefer(Scheme::Dark);
    let pdf = browser.print();
    assert!(pdf.starts_with(b"%PDF") && pdf.len() > 100_000, "{} bytes", pdf.len());
    fs::write(place("report.pdf"), pdf).unwrap();
    assert_eq!(browser.console(), Vec::<String>::new());
}

/// Returns where the tests leave what a person may want to look at.
fn place(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn written(name: &str, analysis: &Analysis) -> PathBuf {
    let path = place(&format!("{name}.html"));
    fs::write(&path, html(analysis).unwrap()).unwrap();
    path
}

/// Returns a file's text once it is there. Chromium reserves a download's name with an empty file, writes beside it, and
/// renames the whole over it: what is empty has not come yet.
fn read(path: &Path) -> String {
    wait_for_blocking("the saved file", Duration::from_secs(20), || {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        if text.is_empty() { Err(format!("{} is empty", path.display())) } else { Ok(text) }
    })
}

/// Returns how an SVG file is drawn: its size, and how many elements of each colour it has.
fn looks(browser: &Browser, svg: &Path) -> Value {
    browser.open(svg);
    browser.run(
        "const seen = {}; for (const e of document.querySelectorAll('path,line,rect,circle,text')) {
           const s = getComputedStyle(e); const look = [e.tagName, s.fill, s.stroke, s.display].join(' ');
           seen[look] = (seen[look] ?? 0) + 1; }
         const b = document.documentElement.getAttribute('viewBox');
         return [b, Object.entries(seen).sort()]",
        &Value::Null,
    )
}

/// Unfolds everything and counts charts; flat are those without an area or without anything drawn.
const DRAWN: &str = "document.querySelectorAll('details').forEach((part) => { part.open = true; });
const flat = [], charts = [...document.querySelectorAll('figure .plot > svg')];
for (const svg of charts) {
  const box = svg.getBoundingClientRect(), inside = svg.getBBox();
  if (box.width < 100 || box.height < 30 || inside.width < 50 || inside.height < 20) flat.push(svg.closest('figure').dataset.stem);
}
return {drawn: charts.length, flat}";

const LINKED: &str = "const group = document.getElementById('thread-001-stage-002');
const shown = (root) => [...root.querySelectorAll('.guide.linked.on')].length;
const cpu = group.querySelector('[data-stem$=\"machine-cpu\"]');
const tip = document.querySelector('.tip');
return {charts: group.querySelectorAll('svg[data-time]').length, guides: shown(group), elsewhere: shown(document) - shown(group),
  at: group.querySelector('.at').textContent, values: cpu.querySelector('.legend').textContent, tip: tip.hidden ? '' : tip.textContent}";

const POOR_CONTRAST: &str = "const parts = (text) => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
  .reduce((sum, c, at) => sum + c * [.2126, .7152, .0722][at], 0);
const ratio = (one, other) => { const [a, b] = [light(one), light(other)].sort((x, y) => y - x); return (a + .05) / (b + .05); };
const ground = (e) => { for (; e; e = e.parentElement) { const c = parts(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] > 0) return c; } return [255, 255, 255]; };
const poor = new Set();
for (const e of document.querySelectorAll('h1,h2,h3,h4,p,dd,dt,small,td,th,summary,a,button,.verdict,.stamps span,li')) {
  if (!e.checkVisibility() || !e.textContent.trim() || e.classList.contains('skip')) continue;
  const seen = ratio(parts(getComputedStyle(e).color), ground(e));
  if (seen < 4.5) poor.add(`${e.tagName}.${e.className}: ${seen.toFixed(2)}`);
}
for (const e of document.querySelectorAll('.plot .line, .plot text:not(.inside)')) {
  const s = getComputedStyle(e), isText = e.tagName === 'text';
  const seen = ratio(parts(isText ? s.fill : s.stroke), ground(e));
  if (seen < (isText ? 4.5 : 3)) poor.add(`${e.tagName}.${e.getAttribute('class')}: ${seen.toFixed(2)}`);
}
return [...poor]";
