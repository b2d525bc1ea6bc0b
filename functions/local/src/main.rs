#![doc = include_str!("../README.md")]

mod decisions;
mod files;
mod folder;
mod instants;
mod report;
mod scan;

use std::{
    io::{self, Write},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use assessment::configuration::{Configuration, ConfigurationFiles};
use chrono::{DateTime, Utc};
use clap::{Parser, Subcommand, ValueEnum};
use tracing_subscriber::{
    Layer as _, filter::Targets, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

/// Watches what AI agents do in Salesforce, and what the law asks when one leaks.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Reads event logs and prints the incidents in them.
    Scan {
        /// Folders, files, or - for standard input.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// The configuration folder.
        #[arg(long, value_name = "DIR")]
        config: PathBuf,
        /// How to print.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        /// The instant to take as the moment of detection, as 2026-11-24T12:00:00Z; now, where it is not given.
        #[arg(long, value_name = "INSTANT", value_parser = instants::instant)]
        as_of: Option<DateTime<Utc>>,
        /// Files that are read at a time; as many as there are processors, where it is not given.
        #[arg(long, value_name = "COUNT")]
        threads: Option<NonZeroUsize>,
        /// A folder to keep the incidents in, for `breachclock incident --folder`. Where it holds some already, they go on.
        #[arg(long, value_name = "DIR")]
        keep: Option<PathBuf>,
    },
    /// Decides on incidents, shows their clocks, checks their records.
    Incident(decisions::Arguments),
    /// Reads a configuration folder and prints every mistake in it.
    Check {
        /// The configuration folder.
        #[arg(long, value_name = "DIR")]
        config: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

pub(crate) const COULD_NOT_READ: u8 = 2;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    log_to_standard_error();
    match run(Arguments::parse().command).await {
        Ok(code) => code,
        // Whoever reads has read enough, as `head` does.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "breachclock: {error:#}");
            ExitCode::from(COULD_NOT_READ)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Off, unless `RUST_LOG` says otherwise.
fn log_to_standard_error() {
    let levels = std::env::var("RUST_LOG").ok().and_then(|levels| levels.parse::<Targets>().ok());
    let lines = fmt::layer().with_writer(io::stderr).with_filter(levels.unwrap_or_default());
    tracing_subscriber::registry().with(lines).init();
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Check { config } => {
            let configuration = configuration(&config)?;
            let (agents, orgs) = (configuration.registry.agents.len(), configuration.orgs.len());
            let mut out = io::stdout().lock();
            writeln!(out, "{} is sound: {agents} agents in {orgs} orgs", config.display())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Incident(arguments) => {
            let mut out = anstream::stdout().lock();
            decisions::run(&mut out, arguments).await
        }
        Command::Scan { paths, config, format, as_of, threads, keep } => {
            let threads = threads.or_else(|| std::thread::available_parallelism().ok());
            let threads = threads.unwrap_or(NonZeroUsize::MIN);
            let scan = scan::scan(&paths, configuration(&config)?, as_of, threads, keep.as_deref())
                .await?;
            let mut out = io::stdout().lock();
            match format {
                Format::Text => report::text(&mut out, &scan)?,
                Format::Json => report::json(&mut out, &scan)?,
            }
            Ok(if !scan.unread.is_empty() {
                ExitCode::from(COULD_NOT_READ)
            } else if scan.incidents.is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(1)
            })
        }
    }
}

fn configuration(folder: &Path) -> anyhow::Result<Configuration> {
    let context = || format!("the configuration folder {} cannot be read", folder.display());
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(context)? {
        let path = entry.with_context(context)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_file() && ConfigurationFiles::stem(&name).is_some() {
            let bytes = std::fs::read(&path).with_context(|| format!("{}", path.display()))?;
            texts.push((name, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    texts.sort();
    pipeline::catalog::parse(&texts)
        .with_context(|| format!("the configuration in {} is refused", folder.display()))
}
