//! A disk that fills up while samples are being recorded: said so, nothing half written, everything removed.

use std::path::Path;
use std::process::{Command, Stdio};

use e3_model::{Run, StageOutcome};

use crate::support::{E3, Ran};

#[test]
fn a_disk_that_fills_up_while_sampling_ends_the_run_cleanly() {
    let e3 = E3::new();
    let home = e3.path().join("small");
    std::fs::create_dir(&home).unwrap();
    // In a mount namespace of its own the home is a file system of 16 MiB, filled up to the last 200 kB as soon as the
    // first segment is there.
    let script = r#"
        mount -t tmpfs -o size=64m tmpfs "$1" || exit 90
        "$2" orchestrate -e smoke --home "$1" 2>"$3" & e3=$!
        tries=0
        until ls "$1"/runs/*/thread-001/stage-000/segments/*.arrow >/dev/null 2>&1; do
            tries=$((tries + 1)); [ $tries -lt 3000 ] || exit 91
            kill -0 $e3 2>/dev/null || { cat "$3" >&2; exit 92; }
            sleep 0.02
        done
        dd if=/dev/zero of="$1/filler" bs=64k 2>/dev/null
        wait $e3; code=$?
        rm -f "$1/filler"
        cp -r "$1/runs" "$4"
        ls "$1/tmp" "$1/secrets" > "$5"
        exit $code
    "#;
    let (stderr, kept, left) = (e3.path().join("stderr"), e3.path().join("kept"), e3.path().join("left"));
    let plain = e3.command(&[]);
    let mut namespace = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        namespace.arg("--map-root-user");
    }
    namespace
        .args(["--mount", "sh", "-c", script, "sh"])
        .args([home.as_path(), Path::new(plain.get_program())]);
    namespace.args([&stderr, &kept, &left]).stdin(Stdio::null());
    for (key, value) in plain.get_envs() {
        namespace.envs(value.map(|value| (key, value)));
    }
    let ran = Ran::of(namespace.output().unwrap());
    assert!(!matches!(ran.code, Some(90..=92)), "the trial could not be made: {}", ran.stderr);
    let said = std::fs::read_to_string(&stderr).unwrap();
    assert!(matches!(ran.code, Some(21 | 30 | 40)), "{:?}: {said}", ran.code);
    assert!(said.contains("No space left on device"), "{said}");
    assert!(said.contains("error: ") && said.contains("hint: "), "{said}");
    assert_eq!(e3.processes(), Vec::<String>::new(), "{said}");

    // What is there is whole: every document parses, and the record says that the stage failed.
    let run = std::fs::read_dir(&kept).unwrap().next().unwrap().unwrap().path();
    let record: Run = serde_json::from_slice(&std::fs::read(run.join("run.json")).unwrap()).unwrap();
    assert!(!record.stages.iter().all(|stage| stage.outcome == StageOutcome::Completed), "{record:?}");
    for file in crate::support::files(&run) {
        if file.extension().is_some_and(|extension| extension == "json") {
            serde_json::from_slice::<serde_json::Value>(&std::fs::read(&file).unwrap())
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        }
    }
}
