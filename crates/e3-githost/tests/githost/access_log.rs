//! The access log of real traffic.

use crate::harness::{Place, Server};
use crate::metrics::once_none;
use crate::ssh::Key;

/// One line, cut into its fields.
#[derive(Debug)]
struct Line(Vec<String>);

impl Line {
    fn read(line: &str) -> Self {
        let fields: Vec<_> = line.strip_suffix(" |").unwrap().split(" | ").map(str::to_owned).collect();
        assert_eq!(fields.len(), 13, "{line}");
        Self(fields)
    }

    fn field(&self, number: usize) -> &str {
        &self.0[number - 1]
    }

    /// Returns protocol, letter, user, action, status and labels.
    fn short(&self) -> String {
        let action = self.field(6).trim_matches('"').trim_end_matches(" HTTP/1.1");
        let labels =
            self.field(11).split(", ").filter(|label| !label.starts_with("ssh:user")).collect::<Vec<_>>();
        format!(
            "{} {} {} {action} {} {}",
            self.field(2),
            &self.field(3)[..1],
            self.field(4),
            self.field(8),
            labels.join(", ")
        )
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_has_a_line_in_bitbuckets_format() {
    let place = Place::new();
    let cache = "plugin.bitbucket-scm-cache.upload-pack.enabled=true";
    let server = Server::start_throttled(&place.home(), &[cache]).await;
    server.create_project("PROJ").await;
    server.create_repository("PROJ", "repo").await;
    let key = Key::new(&place, "key", &[&server]).await.registered(&server).await;
    place.history("work", 3).await;
    let (http, ssh) = (server.clone_url("PROJ", "repo"), server.ssh_url("PROJ", "repo"));
    let v2 = "protocol.version=2";
    place.git(&["-C", "work", "-c", v2, "push", "--quiet", &http, "main"]).await;
    place.git(&["-c", v2, "clone", "--quiet", &http, "one"]).await;
    place.git(&["-c", v2, "clone", "--quiet", &http, "two"]).await;
    place.git(&["-c", v2, "clone", "--quiet", "--depth=1", &http, "three"]).await;
    place.git(&["-C", "work", "-c", "user.name=a", "commit", "--quiet", "--allow-empty", "-m", "news"]).await;
    let (pushed, _, stderr) = key.git(&place, &["-C", "work", "push", "--quiet", &ssh, "main"]).await;
    assert!(pushed, "{stderr}");
    place.git(&["-C", "one", "-c", v2, "fetch", "--quiet"]).await;
    let (listed, _, stderr) = key.git(&place, &["-c", v2, "ls-remote", &ssh]).await;
    assert!(listed, "{stderr}");
    server.fetch_anonymous("/rest/api/1.0/projects").await;
    once_none(&server, "githost_http_requests_in_flight").await;
    once_none(&server, "githost_ssh_sessions_active").await;
    server.stop().await.unwrap();

    let text = std::fs::read_to_string(place.home().join("log/atlassian-bitbucket-access.log")).unwrap();
    let lines: Vec<Line> = text.lines().map(Line::read).collect();
    for line in &lines {
        assert_eq!(line.field(1), "127.0.0.1", "{line:?}");
        let id = &line.field(3)[1..];
        assert!(id.starts_with("@1x") && id.split('x').count() == 4, "{id}");
        let out = lines.iter().filter(|other| &other.field(3)[1..] == id).count();
        assert_eq!(out, 2, "a line in and one out: {id}");
        time::PrimitiveDateTime::parse(
            line.field(5),
            time::macros::format_description!(
                "[year]-[month]-[day] [hour]:[minute]:[second],[subsecond digits:3]"
            ),
        )
        .unwrap();
        if line.field(3).starts_with('i') {
            assert_eq!((8..13).map(|field| line.field(field)).collect::<Vec<_>>(), ["-"; 5]);
            assert!(line.field(2) == "ssh" || line.field(4) == "-", "{line:?}");
        } else {
            assert!(line.field(12).parse::<u64>().is_ok(), "{line:?}");
        }
    }
    let git = |line: &&Line| line.field(6).contains("git-") || line.field(6).contains("info/refs");
    let mut out: Vec<String> = lines
        .iter()
        .filter(git)
        .filter(|line| line.field(3).starts_with('o') && line.field(4) == "admin")
        .map(|line| line.short().replace("/scm/PROJ/repo.git/", ""))
        .collect();
    out.dedup();
    // One after another: a push, two clones of which one was kept, a part of history, then what is new, by way of both.
    let wanted = [
        "http o admin GET info/refs 200 refs",
        "http o admin POST git-receive-pack 200 push",
        "http o admin GET info/refs 200 refs",
        "http o admin POST git-upload-pack 200 refs",
        "http o admin POST git-upload-pack 200 cache:miss, clone",
        "http o admin GET info/refs 200 refs",
        "http o admin POST git-upload-pack 200 refs",
        "http o admin POST git-upload-pack 200 cache:hit, clone",
        "http o admin GET info/refs 200 refs",
        "http o admin POST git-upload-pack 200 refs",
        "http o admin POST git-upload-pack 200 cache:miss, shallow clone",
        "ssh o admin SSH - git-receive-pack '/PROJ/repo.git' 0 push",
        "http o admin GET info/refs 200 refs",
        "http o admin POST git-upload-pack 200 refs",
        "http o admin POST git-upload-pack 200 cache:miss, fetch",
        "ssh o admin SSH - git-upload-pack '/PROJ/repo.git' 0 refs",
    ];
    assert_eq!(out, wanted, "{text}");
    let clone = lines.iter().find(|line| line.field(11) == "cache:hit, clone").unwrap();
    assert!(clone.field(10).parse::<u64>().unwrap() > 500, "the pack is counted: {clone:?}");
    assert!(clone.field(7).starts_with("\"\" \"git/"), "{clone:?}");
    let push = lines.iter().rfind(|line| line.field(2) == "ssh" && line.field(8) == "0").unwrap();
    assert!(push.field(7).starts_with("\"SSH-2.0-"), "{push:?}");
    let ssh = lines.iter().rfind(|line| line.field(2) == "ssh" && line.field(11).contains("push")).unwrap();
    assert!(ssh.field(9).parse::<u64>().unwrap() > 100, "{ssh:?}");
    assert!(ssh.field(11).contains("ssh:user:id:"), "{ssh:?}");
    let refused = lines.iter().rfind(|line| line.field(8) == "401").unwrap();
    assert_eq!((refused.field(4), refused.field(13)), ("-", "-"));
}
