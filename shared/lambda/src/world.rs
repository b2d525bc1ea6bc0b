//! The ports of AWS.
//!
//! A function names only what it has permission for; a port that it does not name answers every call with an error
//! that says so. Making a client opens no connection, so the cold start stays short.

use std::sync::Arc;

use aws_config::SdkConfig;
use ports::{
    Ports, SystemClock,
    aws::{
        DynamoAccess, DynamoCatalog, DynamoIncidents, DynamoJoins, EventBridgeSchedules, S3Objects,
        ScheduleTarget, SnsPublisher,
    },
    failing::absent,
};

use crate::{
    environment::{MissingVariable, required},
    queue::Queue,
};

/// Builds the ports of a function.
pub struct World {
    sdk: SdkConfig,
    ports: Ports,
}

impl World {
    /// Region and credentials as the Lambda environment gives them; no port is named yet.
    pub async fn from_environment() -> Self {
        Self { sdk: aws_config::load_from_env().await, ports: absent(Arc::new(SystemClock)) }
    }

    /// What clients beyond the ports are made from.
    pub fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    /// Names S3.
    #[must_use]
    pub fn with_objects(mut self) -> Self {
        // An endpoint of one's own, as the local stack is, does not know buckets by host name.
        let own_endpoint = self.sdk.endpoint_url().is_some();
        let config = aws_sdk_s3::config::Builder::from(&self.sdk).force_path_style(own_endpoint);
        let client = aws_sdk_s3::Client::from_conf(config.build());
        self.ports.objects = Arc::new(S3Objects::new(client));
        self
    }

    /// Names the access table, from `ACCESS_TABLE`.
    pub fn with_access(mut self) -> Result<Self, MissingVariable> {
        let client = aws_sdk_dynamodb::Client::new(&self.sdk);
        self.ports.access = Arc::new(DynamoAccess::new(client, required("ACCESS_TABLE")?));
        Ok(self)
    }

    /// Names joins, which are in the access table, from `ACCESS_TABLE`.
    pub fn with_joins(mut self) -> Result<Self, MissingVariable> {
        let client = aws_sdk_dynamodb::Client::new(&self.sdk);
        self.ports.joins = Arc::new(DynamoJoins::new(client, required("ACCESS_TABLE")?));
        Ok(self)
    }

    /// Names the queue of work, from `LANDING_QUEUE_URL`.
    pub fn with_queue(mut self) -> Result<Self, MissingVariable> {
        self.ports.queue = Arc::new(Queue::from_environment(&self.sdk)?);
        Ok(self)
    }

    /// Names the incident table, from `INCIDENT_TABLE`.
    pub fn with_incidents(mut self) -> Result<Self, MissingVariable> {
        let client = aws_sdk_dynamodb::Client::new(&self.sdk);
        self.ports.incidents = Arc::new(DynamoIncidents::new(client, required("INCIDENT_TABLE")?));
        Ok(self)
    }

    /// Names the catalog table, from `CATALOG_TABLE`.
    pub fn with_catalog(mut self) -> Result<Self, MissingVariable> {
        let client = aws_sdk_dynamodb::Client::new(&self.sdk);
        self.ports.catalog = Arc::new(DynamoCatalog::new(client, required("CATALOG_TABLE")?));
        Ok(self)
    }

    /// Names schedules, from `SCHEDULE_GROUP`, `SCHEDULE_ROLE_ARN`, `SCHEDULE_DEAD_LETTERS_ARN` and
    /// `SCHEDULE_TARGET_ARN`.
    pub fn with_schedules(mut self) -> Result<Self, MissingVariable> {
        let client = aws_sdk_scheduler::Client::new(&self.sdk);
        let target = ScheduleTarget {
            group: required("SCHEDULE_GROUP")?,
            role_arn: required("SCHEDULE_ROLE_ARN")?,
            dead_letters_arn: required("SCHEDULE_DEAD_LETTERS_ARN")?,
            target_arn: required("SCHEDULE_TARGET_ARN")?,
        };
        let schedules = EventBridgeSchedules::new(client, target, self.ports.clock.clone());
        self.ports.schedules = Arc::new(schedules);
        Ok(self)
    }

    /// Names the topic, from `ALERT_TOPIC_ARN`.
    pub fn with_publisher(mut self) -> Result<Self, MissingVariable> {
        let client = aws_sdk_sns::Client::new(&self.sdk);
        self.ports.publisher = Arc::new(SnsPublisher::new(client, required("ALERT_TOPIC_ARN")?));
        Ok(self)
    }

    /// The ports.
    pub fn ports(self) -> Ports {
        self.ports
    }
}
