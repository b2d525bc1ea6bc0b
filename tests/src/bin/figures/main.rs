//! The figures that the README states: `cargo xtask figures`.
//!
//! Everything is measured on this machine: the binaries of `target/lambda`, the local stack, real files. Numbers from
//! a laptop are no promise for AWS; they show orders of magnitude, and they show when a change makes things worse.

mod upload;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use local_stack::{LocalStack, LoneFunction, WebhookReceiver, repository, wait_until};
use serde_json::json;
use worlds::{LogFile, World, big_file};

const ALERT_RUNS: usize = 12;
const COLD_STARTS: usize = 15;
const ALERT_TIMEOUT: Duration = Duration::from_secs(30);
const BIG_FILE_TIMEOUT: Duration = Duration::from_mins(10);
const FUNCTIONS: [&str; 6] = ["ingest", "assess", "notify", "remind", "catalog", "attest"];
/// A row of the big file takes about 420 bytes.
const ROWS_PER_MEGABYTE: u64 = 2_400;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = tokio::select! {
        outcome = measure() => outcome,
        _ = tokio::signal::ctrl_c() => return ExitCode::from(130),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("The figures cannot be measured: {problem:#}");
            ExitCode::FAILURE
        }
    }
}

async fn measure() -> Result<()> {
    let configuration = repository().join("infra/config");
    let stack = LocalStack::start("figures", &configuration).await?;
    row("what", "measured", "aim");
    row("----", "--------", "---");

    for function in FUNCTIONS {
        let size = std::fs::metadata(bootstrap(function)).context("not built")?.len();
        row(&format!("size of {function}"), &format!("{:.1} MB", megabytes(size)), "under 8 MB");
    }
    for function in FUNCTIONS {
        let times = cold_starts(&stack, function).await?;
        row(&format!("cold start of {function}, p50 of {COLD_STARTS}"), &times, "under 20 ms");
    }
    row(
        &format!("file of 1 MB landed to alert received, p50 of {ALERT_RUNS}"),
        &landed_to_alert(&stack).await?,
        "under 1 s",
    );
    for size_megabytes in [100, 1000] {
        let (memory, seconds) = ingest_memory(&stack, size_megabytes).await?;
        row(
            &format!("peak memory of ingest on a file of {size_megabytes} MB"),
            &format!("{memory:.1} MB, in {seconds:.1} s"),
            "under 64 MB, flat",
        );
    }
    Ok(())
}

fn row(what: &str, measured: &str, aim: &str) {
    println!("{what:<56}{measured:<26}{aim}");
}

fn bootstrap(function: &str) -> PathBuf {
    repository().join("target/lambda").join(function).join("bootstrap")
}

async fn cold_starts(stack: &LocalStack, function: &str) -> Result<String> {
    let environment = stack.function_environment();
    let mut times = Vec::new();
    for _ in 0..COLD_STARTS {
        let mut lone = LoneFunction::start(&bootstrap(function), &environment, None).await?;
        times.push(lone.init_time().await.with_context(|| function.to_owned())?);
    }
    let (median, slowest) = median_and_slowest(times)?;
    Ok(format!("{:.1} ms (slowest {:.1})", milliseconds(median), milliseconds(slowest)))
}

/// From the start of the upload of a file in which an agent goes wrong, to the alert at the webhook. Each run starts
/// from an empty system, with warm functions: the first run, which warms them, is left out.
async fn landed_to_alert(stack: &LocalStack) -> Result<String> {
    let receiver = WebhookReceiver::start().await?;
    stack.subscribe(&receiver).await?;
    let file = file_of_a_megabyte_with_a_leak()?;
    let mut times = Vec::new();
    for run in 0..=ALERT_RUNS {
        stack.clear().await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let before = receiver.alerts()?.len();
        let landed = Instant::now();
        stack.land(&format!("figures/run-{run}.csv"), file.clone()).await?;
        let told_at = wait_until("the alert", ALERT_TIMEOUT, async || {
            Ok(receiver.alerts()?.get(before).map(|(request, _)| request.at))
        })
        .await?;
        if run > 0 {
            times.push(told_at.saturating_duration_since(landed));
        }
    }
    let (median, slowest) = median_and_slowest(times)?;
    Ok(format!("{:.0} ms (slowest {:.0})", milliseconds(median), milliseconds(slowest)))
}

/// Rows of people and of well-behaved agents, and at the end the rows of the hour in which one went wrong.
fn file_of_a_megabyte_with_a_leak() -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    big_file::write(ROWS_PER_MEGABYTE, 1, &mut bytes)?;
    let world = World::morning(1);
    let leak = world.truth.leaks.first().context("a morning without a leak")?;
    let is_leak = |file: &&LogFile| {
        file.event_type == "RestApi" && file.rows.iter().any(|row| row.at == leak.first_at)
    };
    let file = world.files.iter().find(is_leak).context("no file holds the leak's first row")?;
    let csv = file.to_csv();
    let header_end = csv.iter().position(|byte| *byte == b'\n').context("a file without header")?;
    bytes.extend(csv.into_iter().skip(header_end.saturating_add(1)));
    Ok(bytes)
}

/// Peak resident memory in MB and seconds taken, for one invocation in a process of its own.
async fn ingest_memory(stack: &LocalStack, size_megabytes: u64) -> Result<(f64, f64)> {
    let bucket = &stack.outputs().landing_bucket;
    let key = format!("figures-big-{size_megabytes}.csv");
    let big_object = stack.outputs().records_bucket.clone();
    // In the records bucket no rule watches for new objects, so that nobody else reads it too.
    upload::big_file(stack.objects(), &big_object, &key, size_megabytes * ROWS_PER_MEGABYTE)
        .await?;
    let message = json!({
        "source": "aws.s3", "detail-type": "Object Created",
        "detail": { "bucket": { "name": big_object }, "object": { "key": key } },
    });
    let event = json!({ "Records": [{
        "messageId": "1", "receiptHandle": "1", "body": message.to_string(), "attributes": {},
        "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "eu-west-1",
        "eventSourceARN": format!("arn:aws:sqs:eu-west-1:000000000000:{bucket}"),
    }]});
    let started = Instant::now();
    let environment = stack.function_environment();
    let mut lone =
        LoneFunction::start(&bootstrap("ingest"), &environment, Some(event.to_string())).await?;
    let answer = lone.answer(BIG_FILE_TIMEOUT).await?;
    let seconds = started.elapsed().as_secs_f64();
    let memory = megabytes(lone.peak_memory_kib()? * 1024);
    anyhow::ensure!(!answer.contains("itemIdentifier"), "ingest could not read it: {answer}");
    stack.objects().delete_object().bucket(&big_object).key(&key).send().await?;
    Ok((memory, seconds))
}

fn median_and_slowest(mut times: Vec<Duration>) -> Result<(Duration, Duration)> {
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().context("nothing was measured")?;
    let slowest = times.last().copied().context("nothing was measured")?;
    Ok((median, slowest))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[expect(
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "shown with one decimal; sizes are far below 2^52"
)]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000.0
}
