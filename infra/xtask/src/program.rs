//! Running other programs so that none outlives this one.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// The emulator gets 5 s within the demo's own end, which must fit into this.
const GRACE_SECONDS: &str = "15";

const NAP: Duration = Duration::from_millis(15);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Whether Ctrl-C or a request to terminate came.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Makes Ctrl-C end the running step first, and this program after it.
pub(crate) fn handle_interrupts() -> Result<()> {
    ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::SeqCst)).context("cannot handle Ctrl-C")
}

/// Where things are in this repository.
pub(crate) struct Repository {
    root: PathBuf,
}

impl Repository {
    /// The repository this program was built from.
    pub(crate) fn here() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .filter(|root| root.join("infra/local/requirements.txt").is_file())
            .context(
                "the repository this was built from has moved: run `cargo xtask` in it again",
            )?;
        Ok(Self { root: root.to_owned() })
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    /// Where cargo writes, which the user may have set elsewhere.
    pub(crate) fn target(&self) -> PathBuf {
        match std::env::var_os("CARGO_TARGET_DIR") {
            Some(elsewhere) => self.root.join(elsewhere),
            None => self.path("target"),
        }
    }

    pub(crate) fn tools(&self) -> PathBuf {
        self.path(".tools/venv")
    }
}

/// A program with its arguments, to be run as one step.
pub(crate) struct Program {
    name: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    directory: PathBuf,
    search: Vec<PathBuf>,
    supervisor: PathBuf,
}

/// Where a program's output goes.
pub(crate) enum Output {
    Terminal,
    Log(File),
}

impl Program {
    pub(crate) fn new(repository: &Repository, name: impl AsRef<OsStr>) -> Self {
        let tools = repository.tools();
        Self {
            name: name.as_ref().to_owned(),
            arguments: Vec::new(),
            // For tools that had to be installed into a plain folder; in a virtual environment it changes nothing.
            environment: vec![("PYTHONPATH".into(), tools.clone().into())],
            directory: repository.root.clone(),
            search: vec![tools.join("bin"), repository.path("infra/node_modules/.bin")],
            supervisor: repository.path("infra/local/supervise.py"),
        }
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    pub(crate) fn args<I: IntoIterator<Item: AsRef<OsStr>>>(mut self, arguments: I) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.into(), value.as_ref().to_owned()));
        self
    }

    pub(crate) fn directory(mut self, directory: PathBuf) -> Self {
        self.directory = directory;
        self
    }

    /// Runs it to its end, and fails if it does.
    ///
    /// It runs under `supervise.py`, whose standard input is a pipe from here: should this process die, the pipe
    /// closes and the program with all its children is ended.
    pub(crate) fn run(&self, output: Output) -> Result<()> {
        let name = self.name.to_string_lossy();
        let mut command = self.command("python3");
        command.arg(&self.supervisor).arg(GRACE_SECONDS).arg(&self.name).args(&self.arguments);
        if let Output::Log(log) = output {
            command.stdout(log.try_clone().context("cannot write the log")?).stderr(log);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .spawn()
            .context("cannot start python3: install Python 3.11 or newer")?;
        let mut lifeline = child.stdin.take();
        // Waiting in short naps, because Ctrl-C may reach this process alone: the child is then told by its pipe.
        let status = loop {
            if let Some(status) = child.try_wait().with_context(|| format!("lost {name}"))? {
                break status;
            }
            if interrupted() {
                lifeline = None;
            }
            std::thread::sleep(NAP);
        };
        drop(lifeline);
        if interrupted() {
            bail!("{name} was ended");
        }
        if !status.success() {
            bail!("{name} failed ({status})");
        }
        Ok(())
    }

    /// Runs it for what it prints; for questions such as a version, which end at once.
    pub(crate) fn ask(&self) -> Result<String> {
        let name = self.name.to_string_lossy();
        let answer = self
            .command(&self.name)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot start {name}"))?;
        if !answer.status.success() {
            bail!("{name} failed: {}", String::from_utf8_lossy(&answer.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&answer.stdout).trim().to_owned())
    }

    fn command(&self, name: impl AsRef<OsStr>) -> Command {
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let search = self.search.iter().cloned().chain(std::env::split_paths(&inherited));
        let mut command = Command::new(name);
        command.current_dir(&self.directory).envs(self.environment.iter().cloned());
        if let Ok(path) = std::env::join_paths(search) {
            command.env("PATH", path);
        }
        command
    }
}
