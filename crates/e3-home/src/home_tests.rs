use std::fs;

use super::*;

fn home() -> (tempfile::TempDir, Home) {
    let directory = tempfile::tempdir().unwrap();
    let home = Home::at(directory.path().join("e3-home"));
    (directory, home)
}

fn put(home: &Home, relative: &str, bytes: &[u8]) -> PathBuf {
    let path = home.root().join(relative);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn the_flag_wins_over_the_environment_over_here_over_the_data_directory() {
    let directory = tempfile::tempdir().unwrap();
    let cwd = directory.path();
    let data = Path::new("/data");
    let environment = Some(OsStr::new("/env"));
    let root = |flag: Option<&str>, environment: Option<&OsStr>, data: Option<&Path>| {
        Home::locate(flag.map(Path::new), environment, cwd, data).root().to_owned()
    };
    assert_eq!(root(Some("/flag"), environment, Some(data)), Path::new("/flag"));
    assert_eq!(
        root(Some("mine"), environment, Some(data)),
        cwd.join("mine"),
        "relative to where e3 was started"
    );
    assert_eq!(root(None, environment, Some(data)), Path::new("/env"));
    assert_eq!(
        root(None, Some(OsStr::new("")), Some(data)),
        Path::new("/data/e3"),
        "an empty variable is none"
    );
    assert_eq!(root(None, None, None), cwd.join("e3-home"));
    fs::create_dir(cwd.join("e3-home")).unwrap();
    assert_eq!(root(None, None, Some(data)), cwd.join("e3-home"));
}

#[test]
fn a_file_of_the_home_wins_over_the_library() {
    let (_directory, home) = home();
    let embedded = home.find(Kind::Workload, "quickstart").unwrap();
    assert_eq!(
        (embedded.file.as_str(), embedded.name.as_str()),
        ("library:workloads/quickstart.json", "quickstart")
    );
    let path = put(&home, "workloads/quickstart.json", b"[]");
    let own = home.find(Kind::Workload, "quickstart").unwrap();
    assert_eq!((own.file, own.text.as_str()), (path.display().to_string(), "[]"));
}

#[test]
fn lists_each_name_once() {
    let (_directory, home) = home();
    put(&home, "experiments/smoke.json", b"{}");
    put(&home, "experiments/mine.json", b"{}");
    put(&home, "experiments/.hidden.json", b"{}");
    put(&home, "experiments/notes.txt", b"");
    fs::create_dir(home.root().join("experiments/folder.json")).unwrap();
    let listed: Vec<_> = home.list(Kind::Experiment).into_iter().map(|l| (l.name, l.origin)).collect();
    assert!(listed.is_sorted() && listed.len() > 4, "{listed:?}");
    for (name, expected) in [
        ("mine", Some(Origin::Home)),
        ("quickstart", Some(Origin::Library)),
        ("smoke", Some(Origin::Home)),
        (".hidden", None),
        ("notes", None),
        ("folder", None),
    ] {
        let found: Vec<_> = listed.iter().filter(|(own, _)| own == name).map(|(_, origin)| *origin).collect();
        assert_eq!(found, Vec::from_iter(expected), "{name}");
    }
}

#[test]
fn an_unknown_name_is_met_with_the_one_that_was_meant() {
    let (_directory, home) = home();
    let error = home.find(Kind::Experiment, "quikstart").unwrap_err();
    assert_eq!(error.to_string(), "there is no experiment \"quikstart\"");
    assert_eq!(error.hint().unwrap(), "did you mean \"quickstart\"?");
    let error = home.find(Kind::Snapshot, "nothing-like-it").unwrap_err();
    assert!(error.hint().unwrap().ends_with("e3-home/snapshots"), "{:?}", error.hint());
}

#[test]
fn no_name_leads_out_of_its_folder() {
    let (_directory, home) = home();
    put(&home, "secret.json", b"{}");
    for kind in [Kind::Workload, Kind::Snapshot, Kind::Instance] {
        for bad in ["../secret", "/etc/hostname", "a/b", "", "..", ".hidden", "x\0y"] {
            assert!(matches!(home.find(kind, bad), Err(HomeError::Name { .. })), "{kind} {bad:?}");
        }
    }
    for bad in ["", "../secret.txt", "x\0y", "/"] {
        assert!(home.find(Kind::Experiment, bad).is_err(), "{bad:?}");
    }
}

#[test]
fn an_experiment_may_be_a_path() {
    let (directory, home) = home();
    let path = directory.path().join("my test.json");
    fs::write(&path, "{}").unwrap();
    let source = home.find(Kind::Experiment, path.to_str().unwrap()).unwrap();
    assert_eq!((source.name.as_str(), source.file.as_str()), ("my test", path.to_str().unwrap()));
    let missing = directory.path().join("quickstar.json");
    let error = home.find(Kind::Experiment, missing.to_str().unwrap()).unwrap_err();
    assert_eq!(error.hint().unwrap(), "did you mean \"quickstart\"?");
}

#[test]
fn a_file_that_is_no_document_is_refused_by_name() {
    let (directory, home) = home();
    put(&home, "workloads/latin1.json", b"[\"gr\xfc\xdfe\"]");
    let error = home.find(Kind::Workload, "latin1").unwrap_err();
    assert!(
        error.to_string().ends_with("latin1.json is not UTF-8 text: byte 4 begins no character"),
        "{error}"
    );

    let large = put(&home, "workloads/large.json", b"[");
    fs::File::options().write(true).open(&large).unwrap().set_len(LARGEST_INPUT + 1).unwrap();
    let error = home.find(Kind::Workload, "large").unwrap_err();
    assert!(error.to_string().ends_with("large.json is larger than 64 MiB"), "{error}");

    let error = home.find(Kind::Experiment, directory.path().to_str().unwrap()).unwrap_err();
    assert!(matches!(error, HomeError::NotAFile { .. }), "{error}");
    assert!(matches!(home.find(Kind::Experiment, "/dev/zero"), Err(HomeError::NotAFile { .. })));
}

#[test]
fn runs_are_created_once_and_found_by_name_or_path() {
    let (_directory, home) = home();
    let name = RunName("a-2026-01-02T03-04-05".to_owned());
    let run = home.create_run(&name).unwrap();
    assert!(matches!(home.create_run(&name), Err(HomeError::RunExists { .. })));
    assert_eq!(home.run(&name.0).unwrap().path(), run.path());
    // A path names a run only when a plan lies there: a command must not lay its files into any other directory.
    let path = run.path().to_str().unwrap();
    assert!(matches!(home.run(path), Err(HomeError::UnknownRun { .. })));
    run.write_file("plan.json", b"{}").unwrap();
    let by_path = home.run(path).unwrap();
    assert_eq!(by_path.name(), &name);
    let error = home.run("a-2026-01-02T03-04-06").unwrap_err();
    assert_eq!(error.hint().unwrap(), "did you mean \"a-2026-01-02T03-04-05\"?");
    for bad in ["", "..", "../runs", "/", "/etc", "a\0"] {
        assert!(home.run(bad).is_err(), "{bad:?}");
        assert!(matches!(home.create_run(&RunName(bad.to_owned())), Err(HomeError::Name { .. })), "{bad:?}");
    }
}

#[test]
fn runs_come_newest_last() {
    let (_directory, home) = home();
    assert_eq!(home.runs(), []);
    let names = ["z-2016-12-31T23:59:59", "b-2026-01-01T00-00-00", "a-2026-01-02T00-00-00"];
    for name in names.iter().rev() {
        home.create_run(&RunName((*name).to_owned())).unwrap();
    }
    assert_eq!(home.runs(), names.map(|name| RunName(name.to_owned())));
}

#[test]
fn a_home_that_cannot_be_written_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Home::at(file.join("e3-home")).create_run(&RunName("r".to_owned())).unwrap_err();
    assert!(error.to_string().starts_with("cannot create "), "{error}");
    assert_eq!(error.hint().unwrap(), "a part of this path is a file, not a directory");
    let denied = HomeError::Io {
        operation: "create",
        path: "/x".into(),
        source: std::io::ErrorKind::PermissionDenied.into(),
    };
    assert!(denied.hint().unwrap().contains("E3_HOME"));
}

#[test]
fn a_run_that_is_named_by_its_path_keeps_its_home() {
    let directory = tempfile::tempdir().unwrap();
    let its = Home::at(directory.path().join("its"));
    let other = Home::at(directory.path().join("other"));
    let run = its.create_run(&RunName("smoke-1".to_owned())).unwrap();
    assert_eq!(other.of(&run), its);
    let archived = RunDir::new(RunName("smoke-1".to_owned()), directory.path().join("archive/smoke-1"));
    assert_eq!(other.of(&archived), other);
}
