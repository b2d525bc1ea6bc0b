//! When a failed message comes again.
//!
//! A message that Lambda reports as failed stays hidden for the queue's whole visibility timeout, which has to be longer
//! than the longest reading. That is far too long for a call that was throttled, and for a poison message whose alarm
//! waits for its last attempt. So a failed message is made visible after a pause that doubles with every attempt.

use async_trait::async_trait;
use aws_lambda_events::sqs::SqsMessage;
use aws_sdk_sqs::Client;
use chrono::TimeDelta;
use ports::{MAX_DELAY, PortError, Work, WorkQueue};

use crate::environment::{MissingVariable, required};

const FIRST_PAUSE_SECONDS: i32 = 5;
const LONGEST_PAUSE_SECONDS: i32 = 600;

/// The queue that a function reads.
#[derive(Clone, Debug)]
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// The queue named by `LANDING_QUEUE_URL`.
    ///
    /// # Errors
    /// When the variable is not set.
    pub fn from_environment(sdk: &aws_config::SdkConfig) -> Result<Self, MissingVariable> {
        Ok(Self { client: Client::new(sdk), url: required("LANDING_QUEUE_URL")? })
    }

    /// Makes a failed message visible after its pause. Where that fails, it comes after the queue's own timeout.
    pub async fn come_again(&self, message: &SqsMessage) {
        let answer = self
            .client
            .change_message_visibility()
            .queue_url(&self.url)
            .set_receipt_handle(message.receipt_handle.clone())
            .visibility_timeout(pause_seconds(receive_count(message)))
            .send()
            .await;
        if let Err(error) = answer {
            tracing::warn!(%error, "a failed message stays hidden for the queue's whole timeout");
        }
    }
}

#[async_trait]
impl WorkQueue for Queue {
    async fn put(&self, work: &Work) -> ports::Result<()> {
        self.put_later(work, TimeDelta::zero()).await
    }

    async fn put_later(&self, work: &Work, delay: TimeDelta) -> ports::Result<()> {
        let unavailable =
            |reason: String| PortError::Unavailable { call: "sqs:SendMessage", reason };
        let body = serde_json::to_string(work).map_err(|error| unavailable(error.to_string()))?;
        let delay_seconds = i32::try_from(delay.min(MAX_DELAY).num_seconds()).unwrap_or_default();
        let send = self.client.send_message().queue_url(&self.url).message_body(body);
        let send = if delay_seconds > 0 { send.delay_seconds(delay_seconds) } else { send };
        send.send().await.map_err(|error| unavailable(error.into_service_error().to_string()))?;
        Ok(())
    }
}

fn receive_count(message: &SqsMessage) -> u32 {
    let count = message.attributes.get("ApproximateReceiveCount");
    count.and_then(|count| count.parse().ok()).unwrap_or(1)
}

fn pause_seconds(receive_count: u32) -> i32 {
    let doublings = receive_count.saturating_sub(1).min(8);
    FIRST_PAUSE_SECONDS.saturating_mul(1_i32 << doublings).min(LONGEST_PAUSE_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_with_every_attempt_up_to_ten_minutes() {
        let pauses: Vec<i32> = (1..9).map(pause_seconds).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 600]);
        assert_eq!(pause_seconds(0), 5);
        assert_eq!(pause_seconds(u32::MAX), 600);
    }
}
