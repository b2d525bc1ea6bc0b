//! SNS.

use async_trait::async_trait;
use aws_sdk_sns::{Client, types::MessageAttributeValue};
use notices::Notice;
use serde_json::json;

use super::unavailable;
use crate::{PortError, Publisher, Result};

/// A topic of SNS. Mail subscriptions receive the text for people, all others the JSON body.
#[derive(Clone, Debug)]
pub struct SnsPublisher {
    client: Client,
    topic_arn: String,
}

impl SnsPublisher {
    /// To this topic.
    pub fn new(client: Client, topic_arn: impl Into<String>) -> Self {
        Self { client, topic_arn: topic_arn.into() }
    }
}

fn attribute(data_type: &str, value: impl Into<String>) -> Result<MessageAttributeValue> {
    MessageAttributeValue::builder()
        .data_type(data_type)
        .string_value(value)
        .build()
        .map_err(|error| unavailable("sns:Publish", error))
}

#[async_trait]
impl Publisher for SnsPublisher {
    async fn publish(&self, notice: &Notice) -> Result<String> {
        let body = notice.json.to_string();
        // Whoever is not named here receives the default. Naming each protocol would multiply the body, and a
        // message holds 256 KiB with all of them.
        let message = json!({ "default": body, "email": notice.text });
        let attributes = &notice.attributes;
        let mut publish = self
            .client
            .publish()
            .topic_arn(&self.topic_arn)
            .subject(&notice.subject)
            .message_structure("json")
            .message(message.to_string());
        if !attributes.regimes.is_empty() {
            let regimes = json!(attributes.regimes).to_string();
            publish = publish.message_attributes("regime", attribute("String.Array", regimes)?);
        }
        for (name, value) in [
            ("severity", attributes.severity.name()),
            ("stage", &attributes.stage),
            ("org", &attributes.org_id),
            ("environment", &attributes.environment),
            ("audience", attributes.audience),
        ] {
            publish = publish.message_attributes(name, attribute("String", value)?);
        }
        let answer = publish.send().await.map_err(|error| unavailable("sns:Publish", error))?;
        answer.message_id.ok_or_else(|| PortError::Unavailable {
            call: "sns:Publish",
            reason: "the topic gave no receipt".to_owned(),
        })
    }
}
