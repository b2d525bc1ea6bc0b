//! A receiver of alerts over HTTP, which can be told to fail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// How the receiver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 200
    Accept,
    /// The connection is closed without an answer, as by a server that is down.
    HangUp,
    /// An error status, such as 500
    Refuse(u16),
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// When its body had been read, for measuring.
    pub at: Instant,
    /// The same moment by the wall clock, for showing.
    pub at_utc: DateTime<Utc>,
    /// Names in lower case, in the order they came.
    pub headers: Vec<(String, String)>,
    /// The body
    pub body: Vec<u8>,
    /// How it was answered
    pub answer: Answer,
}

/// What SNS wraps around a message.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Notification {
    /// `Notification`, or `SubscriptionConfirmation` with a token
    pub r#type: String,
    /// The message: for an alert, the JSON body for machines
    pub message: String,
    /// The subject line
    #[serde(default)]
    pub subject: Option<String>,
    /// To be sent back in confirmation
    #[serde(default)]
    pub token: Option<String>,
    /// By name; what filter policies look at
    #[serde(default, rename = "MessageAttributes")]
    attributes: BTreeMap<String, Attribute>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    value: String,
}

impl Notification {
    /// A message attribute's value.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(|attribute| attribute.value.as_str())
    }

    /// The message as JSON.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_str(&self.message).context("the alert's body is not JSON")
    }
}

impl Received {
    /// The request read as what SNS sends.
    ///
    /// # Errors
    /// When it is something else.
    pub fn notification(&self) -> Result<Notification> {
        serde_json::from_slice(&self.body).context("not the envelope of SNS")
    }
}

struct State {
    received: Vec<Received>,
    answer: Answer,
}

/// An HTTP server on a free loopback port; it stops when dropped.
pub struct WebhookReceiver {
    url: String,
    state: Arc<Mutex<State>>,
    server: AbortHandle,
}

impl WebhookReceiver {
    /// Starts it; it accepts everything until told otherwise.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free loopback port")?;
        let address = listener.local_addr().context("no free loopback port")?;
        let state = Arc::new(Mutex::new(State { received: Vec::new(), answer: Answer::Accept }));
        let server = tokio::spawn(serve(listener, Arc::clone(&state))).abort_handle();
        Ok(Self { url: format!("http://{address}/alerts"), state, server })
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Says how to answer from now on.
    pub fn answer_with(&self, answer: Answer) {
        lock(&self.state).answer = answer;
    }

    /// All requests so far, refused ones included.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.state).received.clone()
    }

    /// The alerts it accepted so far, with the request each came in.
    ///
    /// # Errors
    /// When something else than SNS wrote to it.
    pub fn alerts(&self) -> Result<Vec<(Received, Notification)>> {
        let mut alerts = Vec::new();
        for request in self.received() {
            let notification = request.notification()?;
            if notification.r#type == "Notification" && request.answer == Answer::Accept {
                alerts.push((request, notification));
            }
        }
        Ok(alerts)
    }
}

impl Drop for WebhookReceiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    // The state is whole after every statement, so a panic elsewhere does not spoil it.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, Arc::clone(&state)));
            // A connection that breaks is the sender's business.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// An error closes the connection without an answer.
async fn answer(
    request: Request<Incoming>,
    state: Arc<Mutex<State>>,
) -> Result<Response<Full<Bytes>>, Gone> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_broken| Gone)?.to_bytes();
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let answer = {
        let mut state = lock(&state);
        let answer = state.answer;
        let (at, at_utc) = (Instant::now(), Utc::now());
        state.received.push(Received { at, at_utc, headers, body: body.to_vec(), answer });
        answer
    };
    let mut response = Response::new(Full::default());
    match answer {
        Answer::Accept => {}
        Answer::Refuse(status) => {
            *response.status_mut() =
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        }
        Answer::HangUp => return Err(Gone),
    }
    Ok(response)
}

#[derive(Debug)]
struct Gone;

impl std::fmt::Display for Gone {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("hung up")
    }
}

impl std::error::Error for Gone {}

#[cfg(test)]
mod tests {
    use super::*;

    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;

    async fn post(url: &str, body: &'static str) -> Option<StatusCode> {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let request = Request::post(url).body(Full::<Bytes>::from(body)).unwrap();
        client.request(request).await.ok().map(|response| response.status())
    }

    #[tokio::test]
    async fn it_answers_as_told_and_keeps_what_it_refused_apart() {
        let receiver = WebhookReceiver::start().await.unwrap();
        let alert = r#"{"Type":"Notification","Message":"{}","Subject":"s",
            "MessageAttributes":{"severity":{"Type":"String","Value":"high"}}}"#;
        receiver.answer_with(Answer::Refuse(503));
        assert_eq!(post(receiver.url(), alert).await, Some(StatusCode::SERVICE_UNAVAILABLE));
        receiver.answer_with(Answer::HangUp);
        assert_eq!(post(receiver.url(), alert).await, None);
        receiver.answer_with(Answer::Accept);
        assert_eq!(post(receiver.url(), alert).await, Some(StatusCode::OK));
        // Without an answer the client may try once more by itself.
        assert!(receiver.received().len() >= 3);
        let alerts = receiver.alerts().unwrap();
        assert_eq!(alerts.len(), 1);
        assert_eq!(alerts[0].1.attribute("severity"), Some("high"));
    }
}
