//! The interfaces that the harness needs few calls of: the log lines of a function, its invocation, and the rules of
//! EventBridge. An SDK crate for each would cost more to build than it saves here.

use anyhow::{Context as _, Result, bail};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::emulator::REGION;

/// Every line a log group holds, oldest first; none if there is no such group yet.
pub(crate) async fn log_lines(endpoint: &str, log_group: &str) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut next_token = Value::Null;
    loop {
        let mut question = json!({ "logGroupName": log_group, "limit": 1000 });
        if let (Some(question), false) = (question.as_object_mut(), next_token.is_null()) {
            question.insert("nextToken".to_owned(), next_token.clone());
        }
        let target = Some("Logs_20140328.FilterLogEvents");
        let (found, answer) = ask(endpoint, "logs", target, &question).await?;
        if !found && answer.to_string().contains("ResourceNotFoundException") {
            return Ok(lines);
        }
        if !found {
            bail!("the emulator refuses to show logs: {answer}");
        }
        let events = answer.get("events").and_then(Value::as_array).into_iter().flatten();
        lines.extend(
            events.filter_map(|event| Some(event.get("message")?.as_str()?.trim_end().to_owned())),
        );
        match answer.get("nextToken") {
            Some(token) if !token.is_null() && *token != next_token => next_token = token.clone(),
            _ => return Ok(lines),
        }
    }
}

/// Calls a function and waits for its answer.
pub(crate) async fn invoke(endpoint: &str, function: &str, event: &Value) -> Result<Value> {
    let url = format!("{endpoint}/2015-03-31/functions/{function}/invocations");
    let (done, answer) = ask(&url, "lambda", None, event).await?;
    if !done || answer.get("errorMessage").is_some() {
        bail!("{function} failed: {answer}");
    }
    Ok(answer)
}

/// Asks EventBridge for one of its actions, as `ListRules`.
pub(crate) async fn events(endpoint: &str, action: &str, question: &Value) -> Result<Value> {
    let target = format!("AWSEvents.{action}");
    let (done, answer) = ask(endpoint, "events", Some(&target), question).await?;
    if !done {
        bail!("the emulator refuses {action}: {answer}");
    }
    Ok(answer)
}

/// Whether the answer was a success, and the answer.
async fn ask(
    url: &str,
    service: &str,
    target: Option<&str>,
    question: &Value,
) -> Result<(bool, Value)> {
    // The emulator tells services apart by the scope of the signature, and checks no signature.
    let scope = format!("test/20260101/{REGION}/{service}/aws4_request");
    let mut request =
        Request::post(url).header("Content-Type", "application/x-amz-json-1.1").header(
            "Authorization",
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none"),
        );
    if let Some(target) = target {
        request = request.header("X-Amz-Target", target);
    }
    let request = request.body(Full::<Bytes>::from(question.to_string())).context("an odd URL")?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.context("the emulator does not answer")?;
    let done = response.status().is_success();
    let body = response.into_body().collect().await.context("the answer broke off")?.to_bytes();
    let answer = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body)? };
    Ok((done, answer))
}
