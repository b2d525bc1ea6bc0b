//! The emulator: AWS's interfaces on a loopback port, the function binaries as its child processes.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::Credentials;

use crate::mailbox::{self, Email};
use crate::supervised::Supervised;
use crate::wait::wait_until;

/// The region everything is deployed to.
pub const REGION: &str = "eu-west-1";

const MAIL: &str = "mail.jsonl";
const STARTS_TRIED: u32 = 3;
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// The root of this repository.
pub fn repository() -> &'static Path {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.parent().unwrap_or(crate_folder)
}

/// Where `cargo xtask setup` puts the Python tools.
pub(crate) fn tools() -> PathBuf {
    repository().join(".tools/venv")
}

/// A running emulator with nothing in it yet.
pub struct Emulator {
    endpoint: String,
    folder: PathBuf,
    process: Option<Supervised>,
}

impl Emulator {
    /// Starts it on a free port; `purpose` names its folder below `.local/`.
    ///
    /// # Errors
    /// When the tools are not set up, or it does not answer in time.
    pub async fn start(purpose: &str) -> Result<Self> {
        let python = tools().join("bin/python3");
        if !tools().join("bin/ministack").is_file() {
            bail!("the emulator is not installed: run `cargo xtask setup`");
        }
        let local = repository().join(".local");
        remove_leftovers(&local, purpose);
        let folder = local.join(format!("{purpose}-{}", std::process::id()));
        let temporary = folder.join("tmp");
        fs::create_dir_all(&temporary)
            .with_context(|| format!("cannot create {}", temporary.display()))?;
        let mut outcome = Err(anyhow::anyhow!("never tried"));
        // Between finding a port free and using it somebody else may take it.
        for _ in 0..STARTS_TRIED {
            outcome = Self::start_on(free_port()?, &python, &folder).await;
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    async fn start_on(port: u16, python: &Path, folder: &Path) -> Result<Self> {
        let endpoint = format!("http://127.0.0.1:{port}");
        let port_text = port.to_string();
        let mut environment = client_environment(&endpoint);
        let temporary = folder.join("tmp");
        let mail = folder.join(MAIL);
        let settings = [
            ("BIND_HOST", "127.0.0.1"),
            ("GATEWAY_PORT", &port_text),
            // The runtime of the functions refuses an address where a host name belongs.
            ("MINISTACK_HOST", "localhost"),
            ("MINISTACK_REGION", REGION),
            ("SFTP_ENABLED", "0"),
            ("IOT_MTLS_ENABLED", "0"),
            ("TMPDIR", &temporary.to_string_lossy()),
            ("MAILBOX", &mail.to_string_lossy()),
        ];
        environment.extend(settings.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let log = folder.join("emulator.log");
        let launcher = repository().join("infra/local/emulator.py");
        let launcher = launcher.to_string_lossy();
        let process = Some(Supervised::start(python, &[&launcher], folder, &environment, &log)?);
        let mut emulator = Self { endpoint, folder: folder.to_owned(), process };
        let client = aws_sdk_s3::Client::new(&emulator.sdk_config().await);
        let answers = wait_until("the emulator to answer", START_TIMEOUT, async || {
            if let Some(status) =
                emulator.process.as_mut().map(Supervised::ended).transpose()?.flatten()
            {
                return Ok(Some(Err(status)));
            }
            Ok(client.list_buckets().send().await.ok().map(|_| Ok(())))
        })
        .await
        .with_context(|| format!("its log: {}", log.display()))?;
        match answers {
            Ok(()) => Ok(emulator),
            Err(status) => bail!("the emulator ended ({status}); its log: {}", log.display()),
        }
    }

    /// `http://127.0.0.1:PORT`
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Where its log and the logs of the deployment are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The emails that went out so far, oldest first.
    ///
    /// # Errors
    /// When the mailbox cannot be read.
    pub fn emails(&self) -> Result<Vec<Email>> {
        mailbox::read(&self.folder.join(MAIL))
    }

    /// Kills every function process at once, as a crash does; the emulator starts new ones when they are needed.
    ///
    /// # Errors
    /// When `kill` is not there.
    pub fn kill_functions(&self) -> Result<usize> {
        let folder = self.folder.join("tmp");
        let mut killed = 0_usize;
        for entry in fs::read_dir("/proc").context("killing functions needs /proc")?.flatten() {
            // A function runs from a folder of its own below the emulator's temporary one.
            let is_ours =
                fs::read_link(entry.path().join("exe")).is_ok_and(|exe| exe.starts_with(&folder));
            if is_ours {
                Command::new("kill")
                    .arg("-KILL")
                    .arg(entry.file_name())
                    .status()
                    .context("cannot run kill")?;
                killed = killed.saturating_add(1);
            }
        }
        Ok(killed)
    }

    /// What a program needs in its environment to talk to it.
    pub fn client_environment(&self) -> Vec<(String, String)> {
        client_environment(&self.endpoint)
    }

    /// For the clients of the AWS SDK.
    pub async fn sdk_config(&self) -> SdkConfig {
        aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(&self.endpoint)
            .credentials_provider(Credentials::new("test", "test", None, None, "local stack"))
            .load()
            .await
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.process.take());
        // The bulky part goes at once; the logs stay, until the next start, for whoever looks for a cause.
        let _ = fs::remove_dir_all(self.folder.join("tmp"));
    }
}

fn client_environment(endpoint: &str) -> Vec<(String, String)> {
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no free loopback port")?;
    Ok(listener.local_addr().context("no free loopback port")?.port())
}

/// Removes the folders of earlier runs whose processes are gone. What cannot be removed is left: it harms nobody.
fn remove_leftovers(local: &Path, purpose: &str) {
    let Ok(entries) = fs::read_dir(local) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process_id = name.strip_prefix(purpose).and_then(|rest| rest.strip_prefix('-'));
        if process_id.is_some_and(|id| !Path::new("/proc").join(id).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
