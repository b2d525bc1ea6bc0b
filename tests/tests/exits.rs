//! However the demo ends, nothing that it started lives on: not the emulator, not CDK, not a function.

#![cfg(target_os = "linux")]

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Result, ensure};
use local_stack::wait_until;

/// Starting Python on a busy machine is what takes long.
const START_TIMEOUT: Duration = Duration::from_mins(1);
/// The supervisor's grace, and some air.
const END_TIMEOUT: Duration = Duration::from_secs(15);

#[tokio::test]
async fn on_ctrl_c() -> Result<()> {
    nothing_is_left_after("-INT").await
}

#[tokio::test]
async fn when_asked_to_terminate() -> Result<()> {
    nothing_is_left_after("-TERM").await
}

/// No handler and no destructor runs here; the pipe to the supervisor does it alone.
#[tokio::test]
async fn when_killed() -> Result<()> {
    nothing_is_left_after("-KILL").await
}

async fn nothing_is_left_after(signal: &str) -> Result<()> {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_demo"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let outcome = end_with(&mut demo, signal).await;
    // Whatever went wrong above must not leave the demo running.
    let _ = demo.kill();
    let _ = demo.wait();
    outcome
}

async fn end_with(demo: &mut Child, signal: &str) -> Result<()> {
    // Every process of a run carries the run's own folder in its environment.
    let mark = format!(".local/demo-{}/", demo.id());
    wait_until("the emulator's and CDK's processes", START_TIMEOUT, async || {
        Ok((marked(&mark) >= 3).then_some(()))
    })
    .await?;
    let sent = Command::new("kill").args([signal, &demo.id().to_string()]).status()?;
    ensure!(sent.success(), "the signal was not sent");
    demo.wait()?;
    wait_until("the last process to end", END_TIMEOUT, async || {
        Ok((marked(&mark) == 0).then_some(()))
    })
    .await
}

fn marked(mark: &str) -> usize {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter(|process| {
            ["environ", "cmdline"].iter().any(|file| {
                fs::read(process.path().join(file))
                    .is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(mark))
            })
        })
        .count()
}
