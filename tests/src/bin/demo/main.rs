//! The demo: `cargo xtask demo`. The whole system on the local stack, and a morning on which one agent goes wrong.

mod decisions;
mod page;
mod story;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    let keep = std::env::args().any(|argument| argument == "--keep");
    // Dropping the story ends the stack, so every way out of here ends it.
    let outcome = tokio::select! {
        outcome = story::tell(keep) => outcome.map(|()| ExitCode::SUCCESS),
        asked = asked_to_end() => asked.map(|()| {
            println!("\nEnded.");
            ExitCode::from(if keep { 0 } else { 130 })
        }),
    };
    outcome.unwrap_or_else(|problem| {
        eprintln!("\nThe demo cannot go on: {problem:#}");
        ExitCode::FAILURE
    })
}

/// Comes back at Ctrl-C, or when asked to terminate.
async fn asked_to_end() -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot handle Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot handle SIGTERM")?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
