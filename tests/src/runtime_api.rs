//! A stand-in for Lambda's runtime interface, to run one function binary by itself and measure it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;

const REQUEST_ID: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";
const INIT_TIMEOUT: Duration = Duration::from_secs(10);

/// How far a function has come.
#[derive(Clone, Debug, Default)]
struct Progress {
    /// When it first asked for an event.
    ready: Option<Instant>,
    /// What it answered to the event.
    answer: Option<(bool, String)>,
}

/// One function process with a runtime interface of its own; it ends when dropped.
pub struct LoneFunction {
    process: Child,
    started: Instant,
    progress: watch::Receiver<Progress>,
    server: AbortHandle,
}

impl LoneFunction {
    /// Starts the binary. It will be given `event` when it asks for one; without an event it waits for ever.
    ///
    /// # Errors
    /// When the binary cannot be started.
    pub async fn start(
        bootstrap: &Path,
        environment: &[(String, String)],
        event: Option<String>,
    ) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free loopback port")?;
        let address = listener.local_addr().context("no free loopback port")?;
        let (sender, progress) = watch::channel(Progress::default());
        let server = tokio::spawn(serve(listener, Arc::new(sender), Arc::new(Mutex::new(event))));
        let started = Instant::now();
        let process = Command::new(bootstrap)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "measured")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/measured")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "measured")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", bootstrap.display()))?;
        Ok(Self { process, started, progress, server: server.abort_handle() })
    }

    /// How long it took from its start to its first question for an event.
    ///
    /// # Errors
    /// When it ends or takes longer than Lambda would wait.
    pub async fn init_time(&mut self) -> Result<Duration> {
        let ready = self.wait(INIT_TIMEOUT, |progress| progress.ready).await?;
        Ok(ready.saturating_duration_since(self.started))
    }

    /// Waits for its answer to the event.
    ///
    /// # Errors
    /// When it answers with an error, ends, or takes longer than `timeout`.
    pub async fn answer(&mut self, timeout: Duration) -> Result<String> {
        let (done, text) = self.wait(timeout, |progress| progress.answer.clone()).await?;
        if !done {
            bail!("the function failed: {text}");
        }
        Ok(text)
    }

    /// The most memory it has had resident so far, in KiB.
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub fn peak_memory_kib(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.process.id());
        let status =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.and_then(|number| number.parse().ok()).context("the system tells no peak memory")
    }

    async fn wait<T>(
        &mut self,
        timeout: Duration,
        found: impl Fn(&Progress) -> Option<T>,
    ) -> Result<T> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(value) = found(&self.progress.borrow()) {
                return Ok(value);
            }
            if let Some(status) = self.process.try_wait().context("lost the function")? {
                bail!("the function ended by itself ({status})");
            }
            if Instant::now() > deadline {
                bail!("the function took longer than {} s", timeout.as_secs());
            }
            // A nap, so that a process that dies is noticed; a change ends it early.
            let _ = tokio::time::timeout(Duration::from_millis(50), self.progress.changed()).await;
        }
    }
}

impl Drop for LoneFunction {
    fn drop(&mut self) {
        self.server.abort();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

type Event = Arc<Mutex<Option<String>>>;

async fn serve(listener: TcpListener, progress: Arc<watch::Sender<Progress>>, event: Event) {
    while let Ok((stream, _)) = listener.accept().await {
        let (progress, event) = (Arc::clone(&progress), Arc::clone(&event));
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                answer(request, Arc::clone(&progress), Arc::clone(&event))
            });
            // The function is killed sooner or later, and its connection with it.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    progress: Arc<watch::Sender<Progress>>,
    event: Event,
) -> Result<Response<Full<Bytes>>> {
    if request.method() == Method::GET {
        let now = Instant::now();
        progress.send_modify(|progress| {
            progress.ready.get_or_insert(now);
        });
        let event = event.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(event) = event else { return std::future::pending().await };
        let in_an_hour = chrono::Utc::now().timestamp_millis().saturating_add(3_600_000);
        return Response::builder()
            .header("Lambda-Runtime-Aws-Request-Id", REQUEST_ID)
            .header("Lambda-Runtime-Deadline-Ms", in_an_hour.to_string())
            .header(
                "Lambda-Runtime-Invoked-Function-Arn",
                "arn:aws:lambda:eu-west-1:000000000000:function:measured",
            )
            .header("Content-Type", "application/json")
            .body(Full::from(event))
            .context("an odd event");
    }
    let done = request.uri().path().ends_with("/response");
    let body = request.into_body().collect().await.context("the answer broke off")?.to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    progress.send_modify(|progress| progress.answer = Some((done, text)));
    let mut response = Response::new(Full::default());
    *response.status_mut() = hyper::StatusCode::ACCEPTED;
    Ok(response)
}
