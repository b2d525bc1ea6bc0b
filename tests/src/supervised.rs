//! A program that cannot outlive this process.

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::emulator::{repository, tools};

/// What a program gets between being asked to end and being killed.
const GRACE: Duration = Duration::from_secs(4);
const NAP: Duration = Duration::from_millis(10);

/// A program run under `infra/local/supervise.py`, which ends it with all its children when the pipe between the two
/// closes. The pipe closes by itself when this process dies: no signal handler, no destructor has to run for it.
pub struct Supervised {
    name: String,
    child: Child,
    lifeline: Option<ChildStdin>,
}

impl Supervised {
    /// Starts `program`, its output going to `log`.
    ///
    /// # Errors
    /// When the log cannot be written or Python is not there.
    pub fn start(
        program: &Path,
        arguments: &[&str],
        directory: &Path,
        environment: &[(String, String)],
        log: &Path,
    ) -> Result<Self> {
        let output =
            File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let search = [tools().join("bin"), repository().join("infra/node_modules/.bin")]
            .into_iter()
            .chain(std::env::split_paths(&inherited));
        let mut child = Command::new("python3")
            .arg(repository().join("infra/local/supervise.py"))
            .arg(GRACE.as_secs().to_string())
            .arg(program)
            .args(arguments)
            .current_dir(directory)
            .env("PATH", std::env::join_paths(search).context("PATH holds an odd folder")?)
            .env("PYTHONPATH", tools())
            .envs(environment.iter().map(|(name, value)| (name.as_str(), value.as_str())))
            .stdin(Stdio::piped())
            .stdout(output.try_clone().context("cannot share the log")?)
            .stderr(output)
            .spawn()
            .context("cannot start python3")?;
        let lifeline = child.stdin.take();
        let name = program.file_name().map(OsStr::to_string_lossy).unwrap_or_default().into_owned();
        Ok(Self { name, child, lifeline })
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it fails, or is not done after `timeout`: it is ended then.
    pub async fn finish(mut self, timeout: Duration) -> Result<()> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                if status.success() {
                    return Ok(());
                }
                bail!("{} failed ({status})", self.name);
            }
            if started.elapsed() > timeout {
                bail!("{} was not done after {} s", self.name, timeout.as_secs());
            }
            tokio::time::sleep(NAP).await;
        }
    }

    /// Its status, if it has ended.
    ///
    /// # Errors
    /// When the operating system lost it.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("lost {}", self.name))
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // The supervisor kills after the grace, so it is waited for a little longer than that.
        let deadline = Instant::now() + GRACE + GRACE;
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(NAP);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(name: &str, script: &str) -> (Supervised, std::path::PathBuf) {
        let log = std::env::temp_dir().join(format!("supervised-{name}-{}", std::process::id()));
        let here = std::env::temp_dir();
        (Supervised::start(Path::new("sh"), &["-c", script], &here, &[], &log).unwrap(), log)
    }

    fn lives(process_id: &str) -> bool {
        Command::new("kill")
            .args(["-0", process_id])
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    }

    #[tokio::test]
    async fn a_failing_program_is_told_with_its_status() {
        let (program, log) = start("fails", "exit 3");
        let problem = program.finish(Duration::from_secs(10)).await.unwrap_err();
        std::fs::remove_file(log).unwrap();
        assert_eq!(problem.to_string(), "sh failed (exit status: 3)");
    }

    #[tokio::test]
    async fn a_grandchild_that_ignores_the_first_signal_is_killed_too() {
        let (program, log) =
            start("stubborn", "trap '' TERM; (trap '' TERM; sleep 60) & echo $!; wait");
        let grandchild =
            crate::wait_until("the grandchild's number", Duration::from_secs(10), async || {
                let text = std::fs::read_to_string(&log)?;
                Ok(text.ends_with('\n').then(|| text.trim().to_owned()))
            })
            .await
            .unwrap();
        assert!(lives(&grandchild));
        drop(program);
        std::fs::remove_file(log).unwrap();
        assert!(!lives(&grandchild));
    }

    #[tokio::test]
    async fn what_takes_too_long_is_ended() {
        let (program, log) = start("slow", "echo $$; exec sleep 60");
        let problem = program.finish(Duration::from_millis(500)).await.unwrap_err();
        let process_id = std::fs::read_to_string(&log).unwrap();
        std::fs::remove_file(log).unwrap();
        assert!(problem.to_string().contains("was not done"), "{problem}");
        assert!(!lives(process_id.trim()));
    }
}
