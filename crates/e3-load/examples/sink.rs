//! What the engine itself costs: a closed load on a task of this process, or on a bare server over loopback sockets.
//!
//! `cargo run --release -p e3-load --example sink -- --threads 2 --clients 64 --seconds 3 [--server 127.0.0.1:8000]`
//! prints one line of JSON: how many ops were recorded, how long the stage took and how much CPU time it used. The
//! server answers every request that ends with an empty line, over connections that stay open. `cargo xtask bench
//! engine` runs it with one thread and with two.

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use e3_load::{Share, ShareReport, run};
use e3_model::{
    Arguments, ClientId, ClientPlan, Distribution, JobId, JobPlan, Mix, OpDescriptor, OpId, Outcome,
    Protocol, ScriptDescriptor, Secret, Seed, Span, StagePlan, Transport, WorkerId,
};
use e3_workload::{
    Account, Catalogue, ClientContext, Failure, Instant, Measured, Script, ScriptClient, ScriptError,
    Setting, Stopped,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse(std::env::args().skip(1))?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(options.threads).enable_all().build()?;
    let begun = std::time::Instant::now();
    let used = cpu_s()?;
    let report = runtime.block_on(load(&options))?;
    let (used, wall) = (cpu_s()? - used, begun.elapsed().as_secs_f64());
    let (ops, lost) = (report.samples, report.honesty.lost_samples);
    writeln!(
        std::io::stdout(),
        r#"{{"ops": {ops}, "lost": {lost}, "failures": {}, "cpu_s": {used:.3}, "wall_s": {wall:.3}}}"#,
        report.failures.iter().map(|note| note.count).sum::<u64>(),
    )?;
    Ok(())
}

struct Options {
    threads: usize,
    clients: u32,
    seconds: u64,
    server: Option<SocketAddr>,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut options = Self { threads: 1, clients: 64, seconds: 3, server: None };
        while let Some(flag) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{flag} needs a value"))?;
            match flag.as_str() {
                "--threads" => options.threads = value.parse()?,
                "--clients" => options.clients = value.parse()?,
                "--seconds" => options.seconds = value.parse()?,
                "--server" => options.server = Some(value.parse()?),
                _ => return Err(format!("there is no flag {flag}").into()),
            }
        }
        Ok(options)
    }
}

async fn load(options: &Options) -> Result<ShareReport, Box<dyn Error>> {
    let catalogue = Catalogue::new(vec![Arc::new(Sink { server: options.server })]);
    let plan = Arc::new(plan(options));
    let share = Share::new(Arc::clone(&plan), &plan.clients, &setting(), &catalogue)?;
    let (batches, mut received) = mpsc::channel(8);
    let taking = tokio::spawn(async move { while received.recv().await.is_some() {} });
    // On a task of the runtime, so that all of the engine runs on its threads.
    let running = run(share, Instant::now(), CancellationToken::new(), batches);
    let report = tokio::spawn(running).await??;
    taking.await?;
    Ok(report)
}

/// A script of one op: it asks a server over a socket, or a task of this process over a pipe in memory.
struct Sink {
    server: Option<SocketAddr>,
}

/// What a client asks over.
trait Pipe: AsyncRead + AsyncWrite + Send + Unpin {}

impl<P: AsyncRead + AsyncWrite + Send + Unpin> Pipe for P {}

struct SinkClient {
    server: Option<SocketAddr>,
    pipe: Option<Box<dyn Pipe>>,
    buffer: Vec<u8>,
}

impl Script for Sink {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new("http.Sink", "Asks.", Protocol::Http, &[("Ask", "one request")])
    }

    fn client(&self, _: &Arc<Setting>, _: &mut ClientContext) -> Result<Box<dyn ScriptClient>, ScriptError> {
        Ok(Box::new(SinkClient { server: self.server, pipe: None, buffer: vec![0; 4096] }))
    }
}

#[async_trait]
impl ScriptClient for SinkClient {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        let Self { server, pipe, buffer } = self;
        let asking = async move {
            let pipe = match pipe {
                Some(pipe) => pipe,
                None => pipe.insert(connect(*server).await.map_err(|error| broken(&error))?),
            };
            let bytes_in = ask(pipe, buffer).await.map_err(|error| broken(&error))?;
            Ok(((), Measured { bytes_in: Some(bytes_in), ..Measured::default() }))
        };
        context.op(OpId(0), asking).await
    }
}

async fn connect(server: Option<SocketAddr>) -> std::io::Result<Box<dyn Pipe>> {
    let Some(server) = server else {
        let (ours, theirs) = tokio::io::duplex(4096);
        tokio::spawn(answer(theirs));
        return Ok(Box::new(ours));
    };
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    Ok(Box::new(stream))
}

/// Asks once; returns the length of the whole answer, which comes at once.
async fn ask(pipe: &mut Box<dyn Pipe>, buffer: &mut [u8]) -> std::io::Result<u64> {
    pipe.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
    match pipe.read(buffer).await? {
        0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
        length => Ok(length as u64),
    }
}

/// Answers what comes over a pipe, with 1 KiB, until it is closed.
async fn answer(mut pipe: DuplexStream) -> std::io::Result<()> {
    let (mut request, answer) = ([0; 256], [b'x'; 1024]);
    while pipe.read(&mut request).await? > 0 {
        pipe.write_all(&answer).await?;
    }
    Ok(())
}

fn broken(error: &std::io::Error) -> Failure {
    Failure::new(Outcome::Connection, error.to_string())
}

fn setting() -> Arc<Setting> {
    let admin = Account { name: "admin".into(), password: Secret::new("x"), private_key: None };
    Arc::new(Setting::at("http://127.0.0.1:1", admin))
}

fn plan(options: &Options) -> StagePlan {
    let client = |client: u32| ClientPlan {
        client: ClientId(client),
        worker: WorkerId(0),
        job: Some(JobId(0)),
        seed: Seed(1).fork(u64::from(client)),
        start_offset: Span::ZERO,
    };
    StagePlan {
        arrivals: None,
        transport: Transport::default(),
        duration: Span::from_secs(options.seconds),
        operations: None,
        warm_up: Span::ZERO,
        grace: Span::from_secs(2),
        think_time: Distribution::NONE,
        mix: Mix::Clients,
        workload: "sink".into(),
        jobs: vec![JobPlan {
            script: "http.Sink".into(),
            ops: vec![OpDescriptor { name: "Ask".into(), summary: "one request".into() }],
            weight: 1.0,
            scale: 1.0,
            clients: options.clients,
            arguments: Arguments::new(),
        }],
        clients: (0..options.clients).map(client).collect(),
        faults: Vec::new(),
        search: None,
    }
}

/// Returns the CPU time that this process has used, in seconds.
fn cpu_s() -> Result<f64, Box<dyn Error>> {
    let stat = procfs::process::Process::myself()?.stat()?;
    #[expect(clippy::cast_precision_loss, reason = "clock ticks stay far below 2^53")]
    Ok((stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64)
}
