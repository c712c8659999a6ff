//! What people read.

use super::bad_files::experiment_with_every_key;
use super::library::{QUICKSTART, planned};
use crate::{explain, render};

#[test]
fn the_plan_of_quickstart_explained() {
    insta::assert_snapshot!(explain(&planned(QUICKSTART).plan.unwrap()));
}

#[test]
fn a_plan_with_shares_of_clients_explained() {
    let text = r#"{
        "duration": "5m", "workload": "smoke", "warmUp": "30s", "rampUp": "10s",
        "threads": [{"instance": {"snapshot": "smoke"}, "stages": [
            {"clients": 10}, {"clients": 100, "repeat": 2}, {"clients": 7, "mix": "ops", "duration": "1h", "thinkTime": 500}
        ]}]}"#;
    insta::assert_snapshot!(explain(&planned(text).plan.unwrap()));
}

#[test]
fn findings_rendered() {
    let text = r#"{
  "seed": -1,
  "durration": "5m",
  "warmUp": "5 parsecs",
  "workload": "quikstart",
  "order": "interleafed",
  "mix": 5,
  "reset": "restrt",
  "thinkTime": {"distribution": "exponential", "men": "1s"},
  "thresholds": [1],
  "nonsense": true,
  "threads": [
    {"name": "", "instance": {"snapshot": "quickstar", "nodes": 65, "database": "postgres"}, "stages": [{"client": 4}]},
    {"name": "b", "instance": {"snapshot": "quickstart", "provider": "azure"}, "stages": [
      {"clients": "four", "thinkTime": {"mean": "1s"}},
      {"clients": 4, "thinkTime": {"distribution": "log-normal", "mean": "1s", "sigma": 9}},
      {"clients": 4, "thinkTime": true, "duration": null}
    ]}
  ]
}"#;
    insta::assert_snapshot!(render(&planned(text).findings));
}

#[test]
fn what_this_version_cannot_do_rendered() {
    insta::assert_snapshot!(render(&planned(&experiment_with_every_key()).findings));
}

#[test]
fn nothing_found_is_nothing_said() {
    assert_eq!(render(&planned(QUICKSTART).findings), "");
}
