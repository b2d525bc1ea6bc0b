//! The command `breachclock`, as a person calls it on the deployed stack.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result};
use tokio::process::Command;

use crate::LocalStack;

/// What a call of the command came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// 0 where all is well, 1 for a refusal or a record that is not whole, 2 for what could not be read.
    pub exit_code: Option<i32>,
    /// Standard output
    pub output: String,
    /// Standard error
    pub errors: String,
}

impl LocalStack {
    /// Calls `breachclock incident ARGUMENTS` as the person `by`, and waits for its end. The stack is named in its environment.
    /// With `coloured` it writes as it does on a terminal.
    ///
    /// # Errors
    /// When the command is not built.
    pub async fn breachclock(&self, by: &str, coloured: bool, arguments: &[&str]) -> Result<Said> {
        let program = program()?;
        let colours = if coloured { ("CLICOLOR_FORCE", "1") } else { ("NO_COLOR", "1") };
        let output = Command::new(&program)
            .arg("incident")
            .args(arguments)
            .env("BREACHCLOCK_STACK", self.outputs_file())
            .env("USER", by)
            .envs(self.emulator().client_environment())
            .env_remove("BREACHCLOCK_FOLDER")
            .env(colours.0, colours.1)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("cannot run {}", program.display()))?;
        Ok(Said {
            exit_code: output.status.code(),
            output: String::from_utf8(output.stdout).context("no plain text")?,
            errors: String::from_utf8(output.stderr).context("no plain text")?,
        })
    }
}

/// Built beside this program: `target/debug`, and its tests one folder below.
fn program() -> Result<PathBuf> {
    let here = std::env::current_exe().context("cannot tell where this program is")?;
    let mut candidates = here.ancestors().skip(1).take(2).map(|folder| folder.join("breachclock"));
    candidates.find(|program| program.is_file()).context(
        "the command is not built: run `cargo build --package local`, or this by `cargo xtask`",
    )
}
