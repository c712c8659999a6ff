//! Pages of commits, comparisons and pull requests, as a person walks through them.

use http::Request;
use serde_json::{Value, json};

use crate::harness::{Answer, PASSWORD, Place, Server, authorization};

const HOME: &str = "/projects/PROJ/repos/repo";
/// What would run, or break out of an attribute, if it were not escaped.
const HOSTILE: &str = "<script>alert(1)</script> \"'><img src=x onerror=alert(2)>";

/// A server with a repository: `main` with two commits, and branches that change it in all ways.
struct World {
    place: Place,
    server: Server,
    cookie: String,
    token: String,
}

impl World {
    async fn new() -> Self {
        let place = Place::new();
        let server = Server::start(&place.home(), "1").await;
        server.create_project("PROJ").await;
        server.create_repository("PROJ", "repo").await;
        server.create_user("ada", "secret").await;
        place.history("work", 2).await;
        let world =
            Self { cookie: server.sign_in("admin", PASSWORD).await, token: String::new(), place, server };
        world.push("main").await;
        world
            .branch("feature/one", &[("file-0.txt", "changed <b>0</b>\n"), ("added.txt", "new\n")], HOSTILE)
            .await;
        let page = world.page(&format!("{HOME}/pull-requests?create")).await;
        Self { token: token_of(&page), ..world }
    }

    async fn push(&self, branch: &str) {
        let url = self.server.clone_url("PROJ", "repo");
        self.place.git(&["-C", "work", "push", "--quiet", &url, branch]).await;
    }

    /// Makes a branch from `main` with one commit and pushes it.
    async fn branch(&self, name: &str, files: &[(&str, &str)], message: &str) {
        self.place.git(&["-C", "work", "checkout", "--quiet", "-B", name, "main"]).await;
        for (path, text) in files {
            std::fs::write(self.place.path("work").join(path), text).unwrap();
        }
        self.place.git(&["-C", "work", "add", "--all"]).await;
        self.place.git(&["-C", "work", "commit", "--quiet", "-m", message]).await;
        self.push(name).await;
    }

    async fn get(&self, path: &str) -> Answer {
        self.server.fetch_with_cookie(path, &self.cookie).await
    }

    async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let text = answer.text();
        assert!(!text.contains("<script") && !text.contains("<img src=x"), "{path}: {text}");
        text
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut fields = fields.to_vec();
        fields.push(("atl_token", &self.token));
        self.server.post_form(&format!("{HOME}{path}"), &fields, &self.cookie).await
    }

    /// Opens a pull request from the branch to `main` by the form and returns its number.
    async fn open(&self, from: &str, title: &str) -> String {
        let fields = [
            ("fromBranch", from),
            ("toBranch", "refs/heads/main"),
            ("title", title),
            ("description", HOSTILE),
        ];
        let made = self.post("/pull-requests?create", &fields).await;
        assert_eq!(made.status, 302, "{}", made.text());
        let id = made.header("location").strip_prefix(&format!("{HOME}/pull-requests/")).unwrap();
        assert!(id.parse::<u64>().is_ok(), "{id}");
        id.to_owned()
    }

    async fn rest(&self, id: &str) -> Value {
        self.get(&format!("/rest/api/latest{HOME}/pull-requests/{id}")).await.json()
    }
}

fn token_of(page: &str) -> String {
    page.split("name=\"atl_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_request_goes_from_the_form_to_the_merge() {
    let world = World::new().await;
    let (from, to) = ("refs%2Fheads%2Ffeature%2Fone", "refs%2Fheads%2Fmain");
    let form =
        world.page(&format!("{HOME}/pull-requests?create&sourceBranch={from}&targetBranch={to}")).await;
    assert!(form.contains("name=\"fromBranch\" value=\"feature/one\""), "{form}");
    assert!(form.contains("name=\"title\" value=\"&lt;script&gt;"), "the only commit's subject: {form}");
    let id = world.open("refs/heads/feature/one", HOSTILE).await;

    let bare = world.get(&format!("{HOME}/pull-requests/{id}")).await;
    let overview = format!("{HOME}/pull-requests/{id}/overview");
    assert_eq!((bare.status.as_u16(), bare.header("location")), (302, overview.as_str()));
    let page = world.page(&overview).await;
    assert!(
        page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && page.contains("merge-button"),
        "{page}"
    );
    assert!(page.contains("feature/one") && page.contains("opened the pull request"), "{page}");
    let diff = world.page(&format!("{HOME}/pull-requests/{id}/diff")).await;
    assert!(diff.contains("changed &lt;b&gt;0&lt;/b&gt;") && diff.contains("added.txt"), "{diff}");
    assert!(
        diff.contains("2 files changed") && diff.contains("<tr class=r><td>1<td><td>content 0"),
        "{diff}"
    );
    let one_file = world.page(&format!("{HOME}/pull-requests/{id}/diff?path=added.txt")).await;
    assert!(one_file.contains("added.txt") && !one_file.contains("file-0.txt"), "{one_file}");
    let commits = world.page(&format!("{HOME}/pull-requests/{id}/commits")).await;
    assert!(commits.contains("&lt;script&gt;") && commits.contains(&format!("{HOME}/commits/")), "{commits}");
    let list =
        world.page(&format!("{HOME}/pull-requests?avatarSize=64&order=newest&start=0&state=OPEN")).await;
    assert!(list.contains("id=\"pull-requests-content\"") && list.contains(&overview), "{list}");

    let said = world.post(&format!("/pull-requests/{id}/comments"), &[("text", HOSTILE)]).await;
    assert_eq!((said.status.as_u16(), said.header("location")), (302, overview.as_str()));
    let comment = world.rest_comment(&id).await;
    let reply = [("text", "in reply"), ("parent", comment.as_str())];
    assert_eq!(world.post(&format!("/pull-requests/{id}/comments"), &reply).await.status, 302);
    let page = world.page(&overview).await;
    assert!(page.contains("depth-1") && page.contains("in reply"), "{page}");
    let stale = world.post(&format!("/pull-requests/{id}/merge"), &[("version", "7")]).await;
    assert_eq!(stale.status, 409);
    assert!(
        stale.text().contains("out-of-date") && stale.text().contains("merge-button"),
        "{}",
        stale.text()
    );
    let version = world.rest(&id).await["version"].to_string();
    let fields = [("version", version.as_str()), ("message", "At last"), ("delete_source", "1")];
    let merged = world.post(&format!("/pull-requests/{id}/merge"), &fields).await;
    assert_eq!(
        (merged.status.as_u16(), merged.header("location")),
        (302, overview.as_str()),
        "{}",
        merged.text()
    );
    assert_eq!(world.rest(&id).await["state"], "MERGED");
    let page = world.page(&overview).await;
    assert!(page.contains("merged the pull request with") && !page.contains("merge-button"), "{page}");
    assert!(world.page(&format!("{HOME}/pull-requests?state=MERGED")).await.contains(&overview));
    assert!(!world.page(&format!("{HOME}/pull-requests")).await.contains(&overview));
    let branches = world.page(&format!("{HOME}/branches")).await;
    assert!(!branches.contains("feature/one"), "the source branch went with it: {branches}");
    // Its pages stay, although the branch is gone.
    assert!(world.page(&format!("{HOME}/pull-requests/{id}/diff")).await.contains("added.txt"));
    let browsed = world.page(&format!("{HOME}/browse/added.txt")).await;
    assert!(browsed.contains("<a id=L1 href=#L1></a>new"), "{browsed}");
    world.server.stop().await.unwrap();
}

impl World {
    /// Returns the number of the latest comment.
    async fn rest_comment(&self, id: &str) -> String {
        let path = format!("/rest/api/latest{HOME}/pull-requests/{id}/activities");
        let activities = self.get(&path).await.json();
        activities["values"][0]["comment"]["id"].to_string()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_done_is_said_and_changes_nothing() {
    let world = World::new().await;
    let id = world.open("feature/one", "One").await;
    let at = |rest: &str| format!("/pull-requests/{id}{rest}");

    for form in ["/merge", "/decline", "/comments", "/review", "/source-branch", "/reopen"] {
        for token in ["", "wrong"] {
            let fields = [("version", "0"), ("text", "x"), ("status", "APPROVED"), ("atl_token", token)];
            let path = format!("{HOME}{}", at(form));
            let refused = world.server.post_form(&path, &fields, &world.cookie).await;
            assert_eq!(refused.status, 403, "{form}");
            assert!(refused.text().contains("id=\"footer\""), "a page says it");
        }
        let anonymous = world.server.post_form(&format!("{HOME}{}", at(form)), &[("version", "0")], "").await;
        assert_eq!(anonymous.status, 302, "{form}");
        assert!(anonymous.header("location").starts_with("/login?next="), "{}", anonymous.header("location"));
    }
    let fields =
        [("fromBranch", "feature/one"), ("toBranch", "main"), ("title", "x"), ("atl_token", "wrong")];
    let path = format!("{HOME}/pull-requests?create");
    assert_eq!(world.server.post_form(&path, &fields, &world.cookie).await.status, 403);
    let foreign = Request::post(world.server.url(&format!("{HOME}{}", at("/decline"))))
        .header("authorization", authorization("admin", PASSWORD))
        .header("origin", "http://evil.example");
    assert_eq!(world.server.send(foreign, "version=0").await.status, 403);
    let found = world.rest(&id).await;
    assert_eq!((&found["state"], &found["version"]), (&json!("OPEN"), &json!(0)), "{found}");

    // What W12 of the first E3 looks for.
    let nothing = world
        .post("/pull-requests?create", &[("fromBranch", "main"), ("toBranch", "feature/one"), ("title", "x")])
        .await;
    assert_eq!(nothing.status, 200);
    assert!(nothing.text().contains("is already up-to-date with branch"), "{}", nothing.text());
    let fields = [("fromBranch", "feature/one"), ("toBranch", "main"), ("title", "x")];
    let again = world.post("/pull-requests?create", &fields).await;
    assert!(again.status == 200 && again.text().contains(&format!("href=\"{HOME}/pull-requests/{id}\"")));
    let fields =
        [("fromBranch", HOSTILE), ("toBranch", "main"), ("title", HOSTILE), ("reviewers", "nobody|!|ada")];
    let unknown = world.post("/pull-requests?create", &fields).await;
    let text = unknown.text();
    assert!(unknown.status == 200 && text.contains("class=\"error\"") && !text.contains("<script"), "{text}");

    assert_eq!(world.post(&at("/comments"), &[("text", "  ")]).await.status, 400);
    assert_eq!(
        world.post(&at("/review"), &[("status", "APPROVED")]).await.status,
        409,
        "authors do not review"
    );
    assert_eq!(world.post(&at("/source-branch"), &[]).await.status, 409, "it is open");
    for missing in ["/pull-requests/99/overview", "/pull-requests/x", "/commits/0000", "/commits?until=none"]
    {
        let answer = world.get(&format!("{HOME}{missing}")).await;
        assert_eq!(answer.status, 404, "{missing}");
        assert!(answer.text().contains("id=\"footer\""), "{missing}");
    }
    let declined = world.post(&at("/decline"), &[("version", "0")]).await;
    assert_eq!(declined.status, 302, "{}", declined.text());
    assert_eq!(world.rest(&id).await["state"], "DECLINED");
    let page = world.page(&format!("{HOME}{}", at("/overview"))).await;
    assert!(page.contains("Open again") && page.contains("declined the pull request"), "{page}");
    assert_eq!(world.post(&at("/reopen"), &[("version", "1")]).await.status, 302);
    assert_eq!(world.rest(&id).await["state"], "OPEN");
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conflicts_reviews_and_profiles_show() {
    let world = World::new().await;
    world.branch("other", &[("file-0.txt", "other 0\n")], "Other").await;
    let first = world.open("feature/one", "First").await;
    let fields =
        [("fromBranch", "other"), ("toBranch", "main"), ("title", "Second"), ("reviewers", "ada|!|")];
    assert_eq!(world.post("/pull-requests?create", &fields).await.status, 302);
    assert_eq!(world.post(&format!("/pull-requests/{first}/merge"), &[("version", "0")]).await.status, 302);
    let overview = format!("{HOME}/pull-requests/2/overview");
    let page = world.page(&overview).await;
    assert!(page.contains("It has conflicts") && !page.contains("merge-button"), "{page}");
    let refused = world.post("/pull-requests/2/merge", &[("version", "0")]).await;
    assert!(refused.status == 409 && refused.text().contains("has conflicts"), "{}", refused.text());

    let cookie = world.server.sign_in("ada", "secret").await;
    let dashboard = world.server.fetch_with_cookie("/dashboard", &cookie).await.text();
    assert!(dashboard.contains(&overview) && dashboard.contains("0 of 1 approved"), "{dashboard}");
    let token = token_of(&world.server.fetch_with_cookie(&overview, &cookie).await.text());
    let fields = [("status", "APPROVED"), ("atl_token", &token)];
    let reviewed = world.server.post_form(&format!("{HOME}/pull-requests/2/review"), &fields, &cookie).await;
    assert_eq!(reviewed.status, 302);
    let page = world.page(&overview).await;
    assert!(page.contains("<span class=\"state merged\">approved</span>"), "{page}");
    let list = world.page(&format!("{HOME}/pull-requests?state=ALL&limit=1")).await;
    assert!(list.contains("1 of 1 approved"), "{list}");
    assert!(
        list.contains(&format!("href=\"{HOME}/pull-requests?state=ALL&amp;start=1&amp;limit=1\"")),
        "{list}"
    );

    let user = world.server.get("/rest/api/latest/users/admin").await.json();
    let link = user["links"]["self"][0]["href"].as_str().unwrap();
    let profile = world.page(link.strip_prefix(&world.server.base).unwrap()).await;
    assert!(profile.contains("First") && profile.contains("Second"), "{profile}");
    let request = world.server.get(&format!("/rest/api/latest{HOME}/pull-requests/2")).await.json();
    let link = request["links"]["self"][0]["href"].as_str().unwrap();
    assert_eq!(world.get(link.strip_prefix(&world.server.base).unwrap()).await.status, 302);
    assert_eq!(world.get("/users/nobody").await.status, 404);
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_tags_and_comparisons_are_bounded_and_escaped() {
    let world = World::new().await;
    world.place.git(&["-C", "work", "checkout", "--quiet", "-B", "odd-\u{e4}<b>&", "main"]).await;
    let work = world.place.path("work");
    std::fs::write(work.join("<i>.txt"), "<u>\n").unwrap();
    std::fs::write(work.join("binary"), [0, 159, 146, 150]).unwrap();
    std::fs::write(work.join("long.txt"), "line\n".repeat(12_000)).unwrap();
    std::fs::rename(work.join("file-1.txt"), work.join("moved.txt")).unwrap();
    world.place.git(&["-C", "work", "add", "--all"]).await;
    world.place.git(&["-C", "work", "commit", "--quiet", "-m", "Odd <things>\n\nThe <body>."]).await;
    world.place.git(&["-C", "work", "tag", "-a", "-m", "x", "v1-<s>"]).await;
    world.push("odd-\u{e4}<b>&").await;
    world.push("v1-<s>").await;
    let id = world.place.git(&["-C", "work", "rev-parse", "HEAD"]).await;
    let parent = world.place.git(&["-C", "work", "rev-parse", "main"]).await;

    let commit = world.page(&format!("{HOME}/commits/{id}")).await;
    for part in [
        "Odd &lt;things&gt;",
        "The &lt;body&gt;.",
        &format!("{HOME}/commits/{parent}"),
        "A binary file",
        "Renamed, with the same content.",
        "file-1.txt \u{2192} ",
        "&lt;i&gt;.txt",
        "<td>&lt;u&gt;\n",
    ] {
        assert!(commit.contains(part), "{part}: {commit}");
    }
    assert!(
        commit.contains("not shown") && commit.contains(&format!("{HOME}/commits/{id}?path=long.txt")),
        "{commit}"
    );
    assert!(commit.len() < 100_000, "{} bytes", commit.len());
    let alone = world.page(&format!("{HOME}/commits/{id}?path=long.txt")).await;
    assert!(alone.contains("There is more, not shown") || alone.contains("only its beginning"), "it is cut");
    let file = world.page(&format!("{HOME}/browse/long.txt?at={id}")).await;
    assert!(file.contains("The first 10000 of 12000 lines."), "{}", &file[file.len() - 400..]);

    let branch = "odd-%C3%A4%3Cb%3E%26";
    let list = world.page(&format!("{HOME}/commits?until={branch}&limit=1")).await;
    assert!(list.contains("odd-\u{e4}&lt;b&gt;&amp;") && list.contains("Odd &lt;things&gt;"), "{list}");
    assert!(list.contains(&format!("{HOME}/commits?until={branch}&amp;start=1&amp;limit=1")), "{list}");
    let of_path = world.page(&format!("{HOME}/commits?until={branch}&path=moved.txt")).await;
    assert!(of_path.contains("Odd") && !of_path.contains("commit 0"), "{of_path}");
    let tags = world.page(&format!("{HOME}/tags")).await;
    assert!(tags.contains("v1-&lt;s&gt;") && tags.contains(&id), "{tags}");
    assert!(world.page(&format!("{HOME}/browse?at=v1-%3Cs%3E")).await.contains("moved.txt"));
    let branches = world.page(&format!("{HOME}/branches")).await;
    assert!(branches.contains(&format!("sourceBranch=refs%2Fheads%2F{branch}")), "{branches}");

    let ends =
        format!("sourceBranch=refs%2Fheads%2F{branch}&targetBranch=refs%2Fheads%2Fmain&targetRepoId=1");
    let diff = world.page(&format!("{HOME}/compare/diff?{ends}")).await;
    assert!(diff.contains("moved.txt") && diff.contains("pull-requests?create&amp;sourceBranch="), "{diff}");
    let commits = world.page(&format!("{HOME}/compare/commits?{ends}")).await;
    assert!(commits.contains("Odd &lt;things&gt;") && !commits.contains("commit 0"), "{commits}");
    let same = world.page(&format!("{HOME}/compare/diff?sourceBranch=main&targetBranch={branch}")).await;
    assert!(same.contains("has everything that main has"), "{same}");
    let unknown = world.page(&format!("{HOME}/compare?sourceBranch=%3Cscript%3E&targetBranch=main")).await;
    assert!(unknown.contains("class=\"error\""), "{unknown}");
    assert!(world.page(&format!("{HOME}/compare")).await.contains("Choose two branches"));
    world.server.stop().await.unwrap();
}
