//! The adapters for AWS on tables of their own, which no deployed function watches.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use chrono::{DateTime, NaiveDateTime, Utc};
use ports::{
    Ports, SystemClock,
    aws::{
        DynamoAccess, DynamoCatalog, DynamoIncidents, DynamoJoins, EventBridgeSchedules, S3Objects,
        ScheduleTarget, SnsPublisher,
    },
    keys,
    memory::MemoryQueue,
};

use crate::LocalStack;

/// The group of schedules that is always there.
const SCHEDULE_GROUP: &str = "default";

impl LocalStack {
    /// Ports of AWS on fresh tables, with the keys and the index of the deployed ones; buckets and topic are those of
    /// the stack.
    ///
    /// # Errors
    /// When the emulator refuses a table.
    pub async fn ports_of_their_own(&self) -> Result<Ports> {
        let config = self.emulator().sdk_config().await;
        let tables = aws_sdk_dynamodb::Client::new(&config);
        for name in ["own-access", "own-incident", "own-catalog"] {
            create_table(&tables, name).await?;
        }
        let objects = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
        let schedules = EventBridgeSchedules::new(
            aws_sdk_scheduler::Client::new(&config),
            // Nothing is woken: conformance puts schedules far ahead.
            ScheduleTarget {
                group: SCHEDULE_GROUP.to_owned(),
                role_arn: "arn:aws:iam::000000000000:role/own-schedules".to_owned(),
                dead_letters_arn: "arn:aws:sqs:eu-west-1:000000000000:own-dead-letters".to_owned(),
                target_arn: "arn:aws:lambda:eu-west-1:000000000000:function:own-target".to_owned(),
            },
            Arc::new(SystemClock),
        );
        let topics = aws_sdk_sns::Client::new(&config);
        Ok(Ports {
            objects: Arc::new(S3Objects::new(aws_sdk_s3::Client::from_conf(objects))),
            access: Arc::new(DynamoAccess::new(tables.clone(), "own-access")),
            joins: Arc::new(DynamoJoins::new(tables.clone(), "own-access")),
            // Conformance asks nothing of the queue: its messages would be read by the deployed function.
            queue: Arc::new(MemoryQueue::default()),
            incidents: Arc::new(DynamoIncidents::new(tables.clone(), "own-incident")),
            catalog: Arc::new(DynamoCatalog::new(tables, "own-catalog")),
            schedules: Arc::new(schedules),
            publisher: Arc::new(SnsPublisher::new(topics, &self.outputs().alert_topic_arn)),
            clock: Arc::new(SystemClock),
        })
    }

    /// When the schedule of an alert, put by [`Self::ports_of_their_own`], wakes its target.
    ///
    /// # Errors
    /// When there is none, or it is no one-shot schedule.
    pub async fn scheduled_at(&self, alert_id: &str) -> Result<DateTime<Utc>> {
        let config = self.emulator().sdk_config().await;
        let client = aws_sdk_scheduler::Client::new(&config);
        let name = keys::schedule_name(alert_id);
        let get = client.get_schedule().group_name(SCHEDULE_GROUP).name(name);
        let found = get.send().await.with_context(|| format!("no schedule of {alert_id}"))?;
        let expression = found.schedule_expression().context("a schedule without expression")?;
        let at = NaiveDateTime::parse_from_str(expression, "at(%Y-%m-%dT%H:%M:%S)");
        Ok(at.with_context(|| format!("{expression} is no one-shot schedule"))?.and_utc())
    }
}

async fn create_table(client: &aws_sdk_dynamodb::Client, name: &str) -> Result<()> {
    let attribute = |name: &str| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
    };
    let key =
        |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let index = GlobalSecondaryIndex::builder()
        .index_name("due")
        .key_schema(key("due_shard", KeyType::Hash)?)
        .key_schema(key("due_at", KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()?;
    client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk")?)
        .attribute_definitions(attribute("sk")?)
        .attribute_definitions(attribute("due_shard")?)
        .attribute_definitions(attribute("due_at")?)
        .key_schema(key("pk", KeyType::Hash)?)
        .key_schema(key("sk", KeyType::Range)?)
        .global_secondary_indexes(index)
        .send()
        .await?;
    Ok(())
}
