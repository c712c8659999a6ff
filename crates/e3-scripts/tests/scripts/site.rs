//! A Bitbucket on loopback that notes what it is asked: canned pages and REST, and real Git below `/scm`.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use e3_http::{BaseUrl, HttpSession, Request};
use e3_model::{
    Arguments, Branch, ClientId, JobId, ProductVersion, Project, Repository, Sample, Secret, Seed, Snapshot,
    SshEndpoint,
};
use e3_testkit::{
    Answer, Git, GitServer, GitServerOptions, Loopback, Shape, Sshd, SshdOptions, answer, create_repository,
};
use e3_workload::{
    Account, Catalogue, ClientContext, Instant, Load, RepositoryDraw, ScriptClient, Seat, Setting, Stopped,
    sample_channel,
};
use serde_json::{Value, json};

/// One server with the repository `r` of the project `P`, whose default branch is `main`.
pub(crate) struct Site {
    directory: tempfile::TempDir,
    _git_server: GitServer,
    server: Loopback,
    pub(crate) git: Git,
    asked: Asked,
    /// What the next merges are answered, before they succeed.
    pub(crate) refusals: Refusals,
    /// Answers that are not the canned ones, by the beginning of method and path.
    pub(crate) special: Special,
}

type Asked = Arc<Mutex<Vec<http::Request<()>>>>;
type Refusals = Arc<Mutex<VecDeque<(u16, Value)>>>;
type Special = Arc<Mutex<Vec<(&'static str, u16, Value)>>>;

impl Site {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let bare: PathBuf = directory.path().join("scm/P/r.git");
        let path = bare.clone();
        tokio::task::spawn_blocking(move || create_repository(&path, 7, &Shape::seeded(8))).await.unwrap();
        let git = Git::new(bare);
        git.run(&["config", "http.receivepack", "true"]);
        git.run(&["config", "uploadpack.allowFilter", "true"]);
        let git_server = GitServer::start(directory.path(), GitServerOptions::default()).await;
        let (asked, refusals, special) = (Asked::default(), Refusals::default(), Special::default());
        let server = {
            let (asked, behind, git) = (Arc::clone(&asked), git_server.url(), git.clone());
            let canned = Canned { refusals: Arc::clone(&refusals), special: Arc::clone(&special), git };
            Loopback::serve(move |request| {
                let (asked, behind, canned) = (Arc::clone(&asked), behind.clone(), canned.clone());
                async move {
                    asked.lock().unwrap().push(request.clone().map(|_| ()));
                    if let Some(special) = canned.special(&request) {
                        return special;
                    }
                    if request.uri().path().starts_with("/scm/") {
                        return forward(&behind, request).await;
                    }
                    canned.answer(&request)
                }
            })
            .await
        };
        Self { directory, _git_server: git_server, server, git, asked, refusals, special }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    pub(crate) fn connections(&self) -> usize {
        self.server.connections()
    }

    pub(crate) fn setting(&self) -> Setting {
        setting(&self.url())
    }

    /// Starts a real sshd over the same repository, for as long as it is held, and returns a setting that names it.
    pub(crate) async fn with_ssh(&self) -> (Sshd, Setting) {
        let sshd = Sshd::start(self.directory.path().join("scm"), SshdOptions::default()).await;
        let mut setting = self.setting();
        setting.ssh = Some(SshEndpoint { url: sshd.url(), host_key: sshd.host_key() });
        let key = Secret::new(std::fs::read_to_string(sshd.user_key()).unwrap());
        // Only users with a key are drawn.
        let without = setting.users[0].clone();
        setting.users =
            [Some(key), None, None].map(|private_key| Account { private_key, ..without.clone() }).into();
        (sshd, setting)
    }

    /// Returns what was asked since the last call, as `METHOD /path?query` with the feature branch's word as `WORD`.
    pub(crate) fn calls(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.iter().map(|request| shown(&format!("{} {}", request.method(), request.uri()))).collect()
    }

    /// Returns the heads of what was asked since the last call.
    pub(crate) fn heads(&self) -> Vec<http::Request<()>> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    /// Returns the names of all branches.
    pub(crate) fn branches(&self) -> Vec<String> {
        let listed = self.git.run(&["for-each-ref", "--format=%(refname:short)", "refs/heads"]);
        listed.lines().map(str::to_owned).collect()
    }
}

/// Returns what a client knows of a server: one user, one repository.
pub(crate) fn setting(url: &str) -> Setting {
    let account =
        |name: &str| Account { name: name.to_owned(), password: Secret::new("secret"), private_key: None };
    let main = Branch {
        id: "refs/heads/main".to_owned(),
        display_id: "main".to_owned(),
        is_default: true,
        ..Branch::default()
    };
    let repository =
        Repository { name: "r".to_owned(), weight: 1.0, branches: vec![main], ..Repository::default() };
    let projects = vec![Project { name: "P".to_owned(), repos: vec![repository] }];
    Setting {
        users: vec![account("ada")],
        repositories: RepositoryDraw::of(&Snapshot { projects, ..Snapshot::default() }),
        transport: e3_model::Transport {
            op_timeout: e3_model::Span::from_secs(20),
            ..e3_model::Transport::default()
        },
        product: Some(ProductVersion::new(7, 21, 0)),
        ..Setting::at(url, account("admin"))
    }
}

/// One client of one script, with its samples.
pub(crate) struct Player {
    client: Box<dyn ScriptClient>,
    context: ClientContext,
    samples: e3_workload::SampleSource,
    ops: Vec<String>,
    iteration: u32,
}

impl Player {
    pub(crate) fn new(script: &str, setting: Setting, client: u32) -> Self {
        Self::try_new(script, setting, client).unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn try_new(script: &str, setting: Setting, client: u32) -> Result<Self, String> {
        Self::told(script, setting, client, &Arc::default())
    }

    /// Returns a client of a script that is told something.
    pub(crate) fn told(
        script: &str,
        setting: Setting,
        client: u32,
        arguments: &Arc<Arguments>,
    ) -> Result<Self, String> {
        let catalogue = Catalogue::new(e3_scripts::all());
        let script = catalogue.find(script).unwrap_or_else(|| panic!("there is no script {script}"));
        let (sink, samples) = sample_channel(1_000);
        let seat = Seat {
            client: ClientId(client),
            seed: Seed(u64::from(client) + 1),
            op_timeout: setting.transport.op_timeout.to_duration(),
            samples: sink,
        };
        let ops = script.ops(arguments).map_err(|faults| format!("{faults:?}"))?;
        let names = ops.iter().map(|op| op.name.clone()).collect();
        let context = ClientContext::new(seat, JobId(0), ops, 0);
        let mut context = context.with_arguments(Arc::clone(arguments));
        let client = script.client(&Arc::new(setting), &mut context).map_err(|error| error.to_string())?;
        let origin = Instant::now();
        let end = origin + Duration::from_secs(120);
        context.begin_stage(Load { origin, end, stop: tokio_util::sync::CancellationToken::new() });
        Ok(Self { client, context, samples, ops: names, iteration: 0 })
    }

    pub(crate) async fn iterate(&mut self) -> Result<(), Stopped> {
        self.context.begin_iteration(self.iteration, None);
        self.iteration += 1;
        self.client.iterate(&mut self.context).await
    }

    /// Serves an arrival of the open model, which is due now.
    pub(crate) async fn arrive(&mut self, arrival: u64) -> Result<(), Stopped> {
        self.context.begin_arrival(arrival, Seed(arrival), Instant::now());
        self.client.iterate(&mut self.context).await
    }

    pub(crate) async fn finish(&mut self) -> Result<(), String> {
        self.client.finish().await
    }

    /// Returns the samples since the last call: op, outcome, bytes in and out.
    pub(crate) fn samples(&mut self) -> Vec<(String, Sample)> {
        std::iter::from_fn(|| self.samples.try_recv().ok())
            .map(|sample| (self.ops[usize::from(sample.op)].clone(), sample))
            .collect()
    }

    /// Returns the ops since the last call, each with its outcome's name.
    pub(crate) fn outcomes(&mut self) -> Vec<String> {
        self.samples().into_iter().map(|(op, sample)| format!("{op} {}", sample.outcome.name())).collect()
    }
}

/// Passes a request on to the Git server.
async fn forward(url: &str, request: http::Request<bytes::Bytes>) -> Answer {
    let mut session = HttpSession::new(BaseUrl::parse(url).unwrap());
    let path = request.uri().path_and_query().unwrap().to_string();
    let mut onward = Request::new(request.method().clone(), path).body(request.body().clone());
    for name in ["content-type", "git-protocol", "accept"] {
        if let Some(value) = request.headers().get(name) {
            onward = onward.header(name, value.to_str().unwrap());
        }
    }
    let response = session.send(onward).await.unwrap();
    let content_type = response.header("content-type").unwrap_or_default();
    answer(response.status, &[("content-type", content_type)], response.body.clone())
}

#[derive(Clone)]
struct Canned {
    refusals: Refusals,
    special: Special,
    git: Git,
}

impl Canned {
    fn special(&self, request: &http::Request<bytes::Bytes>) -> Option<Answer> {
        let call = format!("{} {}", request.method(), request.uri().path());
        let special = self.special.lock().unwrap();
        let (_, status, body) = special.iter().find(|(begin, ..)| call.starts_with(begin))?;
        Some(answer(*status, &[], body.to_string()))
    }

    fn answer(&self, request: &http::Request<bytes::Bytes>) -> Answer {
        let (method, path) = (request.method().as_str(), request.uri().path());
        let query = request.uri().query().unwrap_or_default();
        let rest = path.strip_prefix("/rest/api/latest/projects/P/repos/r").unwrap_or(path);
        match (method, rest) {
            ("POST", "/j_atl_security_check") => {
                answer(302, &[("location", "/dashboard"), ("set-cookie", "BITBUCKETSESSIONID=1; Path=/")], "")
            }
            ("GET", "/j_atl_security_logout") => answer(302, &[("location", "/login")], ""),
            ("GET", "/projects/P/repos/r/pull-requests/3") => {
                answer(302, &[("location", "/projects/P/repos/r/pull-requests/3/overview")], "")
            }
            ("POST", "/pull-requests/3/merge") => match self.refusals.lock().unwrap().pop_front() {
                Some((status, body)) => answer(status, &[], body.to_string()),
                None => answer(200, &[], json!({"id": 3, "version": 2, "state": "MERGED"}).to_string()),
            },
            ("POST", "/pull-requests") => answer(201, &[], pull_request().to_string()),
            ("DELETE", path) if path.starts_with("/rest/branch-utils/") => {
                let wish: Value = serde_json::from_slice(request.body()).unwrap();
                self.git.run(&["update-ref", "-d", wish["name"].as_str().unwrap()]);
                answer(204, &[], "")
            }
            ("POST", path) if path.contains("source-branch-deletion") => {
                if query == "dryRun=false" {
                    self.delete_features();
                }
                answer(204, &[], "")
            }
            ("GET", "/branches") => answer(200, &[], self.branches().to_string()),
            _ if path.starts_with("/rest/") || path == "/status" => {
                answer(200, &[], canned(rest).to_string())
            }
            _ => answer(200, &[], "<html>a page</html>"),
        }
    }

    fn branches(&self) -> Value {
        let refs = self.git.run(&["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads"]);
        let branch = |line: &str| {
            let (name, commit) = line.split_once(' ').unwrap();
            json!({"id": name, "latestCommit": commit})
        };
        json!({"values": refs.lines().map(branch).collect::<Vec<_>>()})
    }

    fn delete_features(&self) {
        for name in self.git.run(&["for-each-ref", "--format=%(refname)", "refs/heads/feature"]).lines() {
            self.git.run(&["update-ref", "-d", name]);
        }
    }
}

fn canned(rest: &str) -> Value {
    let file = |path: &str| json!({"type": "ADD", "nodeType": "FILE", "path": {"toString": path}});
    match rest {
        "/rest/api/latest/projects" => json!({"values": [{"key": "P"}]}),
        "/rest/api/latest/projects/P/repos" => json!({"values": [{"slug": "r"}]}),
        "" => json!({"id": 7, "slug": "r"}),
        "/compare/changes" | "/pull-requests/3/changes" => {
            json!({"values": [file("changes-0/part-00.txt"), file("changes-0/part-01.txt")]})
        }
        "/pull-requests" => json!({"isLastPage": true, "size": 1, "limit": 25, "values": [pull_request()]}),
        "/pull-requests/3" | "/pull-requests/3/decline" => pull_request(),
        _ => json!({}),
    }
}

fn pull_request() -> Value {
    json!({
        "id": 3, "version": 0, "title": "t", "state": "OPEN",
        "fromRef": {"id": "refs/heads/other"}, "toRef": {"id": "refs/heads/main"},
    })
}

/// Shows a call with its drawn parts as words.
fn shown(call: &str) -> String {
    let mut shown = call.to_owned();
    for prefix in ["feature%2F", "feature/"] {
        let mut from = 0;
        while let Some(place) = shown[from..].find(prefix) {
            let start = from + place + prefix.len();
            if shown.get(start..start + 10).is_some_and(|word| word.bytes().all(|b| b.is_ascii_lowercase())) {
                shown.replace_range(start..start + 10, "WORD");
            }
            from = start;
        }
    }
    // A commit's name.
    if let Some((head, tail)) = shown.split_once("/commits/stats/")
        && tail.len() == 40
    {
        shown = format!("{head}/commits/stats/COMMIT");
    }
    shown
}
