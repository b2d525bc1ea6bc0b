//! The access table in DynamoDB.

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client, error::SdkError, operation::put_item::builders::PutItemFluentBuilder,
    types::AttributeValue,
};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use eventlog::{
    attribution::AgentKey, audit_trail::TamperingRow, event_type::EventType, row::Hour,
};
use serde::Serialize;

use super::{
    item::{item, number},
    table::Table,
    unavailable,
};
use crate::{
    AccessTable, AgentHourRecord, ArrivalsRecord, Coverage, DayRecord, DeliveryHealthRecord,
    FileRecord, HourRecord, PartRecord, Result, Written, keys,
};

const MEMBERS: &str = "member_count";
const CONFIGURATION: &str = "configuration_version";
const VERSION: &str = "version";
const EXPIRES: &str = "expires_at";

/// Tallies are needed until no late file can change their day: Salesforce keeps logs for 30 days.
const TALLY_RETENTION_DAYS: i64 = 40;
/// Judged days and the register of files are evidence.
const EVIDENCE_RETENTION_DAYS: i64 = 400;

/// The access table in DynamoDB.
#[derive(Clone, Debug)]
pub struct DynamoAccess(Table);

fn expires(from: DateTime<Utc>, days: i64) -> (&'static str, AttributeValue) {
    (EXPIRES, number((from + TimeDelta::days(days)).timestamp()))
}

impl DynamoAccess {
    /// In this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self(Table { client, name: table.into() })
    }

    /// Writes an item unless what is there covers more.
    async fn put_covering(
        &self,
        partition: &str,
        sort: &str,
        record: &(impl Serialize + Sync),
        coverage: Coverage,
        expiry: (&'static str, AttributeValue),
    ) -> Result<Written> {
        let condition = "attribute_not_exists(pk) OR (member_count <= :members \
                         AND configuration_version <= :configuration)";
        let put = self
            .put(partition, sort, record, coverage, expiry)?
            .condition_expression(condition)
            .expression_attribute_values(":members", number(coverage.member_count))
            .expression_attribute_values(":configuration", number(coverage.configuration_version));
        written(put).await
    }

    /// Writes an item whose version is one more than that of what is there.
    async fn put_next(
        &self,
        partition: &str,
        sort: &str,
        record: &(impl Serialize + Sync),
        version: u64,
        expiry: (&'static str, AttributeValue),
    ) -> Result<Written> {
        let attributes = [(VERSION, number(version)), expiry];
        let put = self.0.put(item(partition, sort, record, attributes)?);
        let put = match version.saturating_sub(1) {
            0 => put.condition_expression("attribute_not_exists(pk)"),
            before => put
                .condition_expression("version = :before")
                .expression_attribute_values(":before", number(before)),
        };
        written(put).await
    }

    fn put(
        &self,
        partition: &str,
        sort: &str,
        record: &impl Serialize,
        coverage: Coverage,
        expiry: (&'static str, AttributeValue),
    ) -> Result<PutItemFluentBuilder> {
        let attributes = [
            (MEMBERS, number(coverage.member_count)),
            (CONFIGURATION, number(coverage.configuration_version)),
            expiry,
        ];
        Ok(self.0.put(item(partition, sort, record, attributes)?))
    }
}

/// Sends a conditional put.
async fn written(put: PutItemFluentBuilder) -> Result<Written> {
    match put.send().await {
        Ok(_) => Ok(Written::Yes),
        Err(SdkError::ServiceError(refused))
            if refused.err().is_conditional_check_failed_exception() =>
        {
            Ok(Written::Superseded)
        }
        Err(error) => Err(unavailable("dynamodb:PutItem", error)),
    }
}

#[async_trait]
impl AccessTable for DynamoAccess {
    async fn hour(
        &self,
        org_id: &str,
        event_type: EventType,
        hour: Hour,
    ) -> Result<Option<HourRecord>> {
        self.0.get(keys::hour_partition(org_id, event_type), hour.key()).await
    }

    async fn put_hour(&self, record: &HourRecord, read: Option<Coverage>) -> Result<Written> {
        let coverage = record.coverage();
        let put = self.put(
            &keys::hour_partition(&record.org_id, record.event_type),
            &record.hour.key(),
            record,
            coverage,
            expires(record.landed_at, EVIDENCE_RETENTION_DAYS),
        )?;
        // The condition is that of `Coverage::follows`.
        let put = match read {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(read) if coverage.covers(read) => put
                .condition_expression(
                    "member_count = :members AND configuration_version = :configuration",
                )
                .expression_attribute_values(":members", number(read.member_count))
                .expression_attribute_values(":configuration", number(read.configuration_version)),
            Some(_) => return Ok(Written::Superseded),
        };
        written(put).await
    }

    async fn put_agent_hour(&self, record: &AgentHourRecord) -> Result<Written> {
        let hour = &record.agent_hour;
        self.put_covering(
            &keys::agent_partition(&hour.org_id, &hour.agent),
            &keys::agent_hour_sort(hour.hour, hour.event_type),
            record,
            record.coverage(),
            expires(record.landed_at, TALLY_RETENTION_DAYS),
        )
        .await
    }

    async fn agent_day(
        &self,
        org_id: &str,
        agent: &AgentKey,
        day: NaiveDate,
    ) -> Result<Vec<AgentHourRecord>> {
        let mut records: Vec<AgentHourRecord> =
            self.0.query(keys::agent_partition(org_id, agent), &keys::agent_hours_of(day)).await?;
        records.sort_by_key(|record| (record.agent_hour.hour, record.agent_hour.event_type));
        Ok(records)
    }

    async fn put_day(&self, record: &DayRecord) -> Result<Written> {
        let findings = &record.findings;
        self.put_covering(
            &keys::agent_partition(&findings.org_id, &findings.agent),
            &keys::day_sort(findings.day),
            record,
            record.coverage(),
            expires(record.judged_at, EVIDENCE_RETENTION_DAYS),
        )
        .await
    }

    async fn days(&self, org_id: &str, agent: &AgentKey) -> Result<Vec<DayRecord>> {
        self.0.query(keys::agent_partition(org_id, agent), keys::DAY_PREFIX).await
    }

    async fn put_file(&self, record: &FileRecord) -> Result<()> {
        let partition = keys::file_partition(record.read_at);
        let expiry = expires(record.read_at, EVIDENCE_RETENTION_DAYS);
        let put = self.0.put(item(&partition, &record.source_hash, record, [expiry])?);
        put.send().await.map_err(|error| unavailable("dynamodb:PutItem", error))?;
        Ok(())
    }

    async fn put_part(&self, record: &PartRecord) -> Result<()> {
        let partition = keys::part_partition(&record.source_hash);
        let expiry = expires(record.read_at, TALLY_RETENTION_DAYS);
        let put = self.0.put(item(&partition, &keys::part_sort(record.number), record, [expiry])?);
        put.send().await.map_err(|error| unavailable("dynamodb:PutItem", error))?;
        Ok(())
    }

    async fn parts(&self, source_hash: &str) -> Result<Vec<PartRecord>> {
        self.0.query(keys::part_partition(source_hash), keys::PART_PREFIX).await
    }

    async fn arrivals(
        &self,
        org_id: &str,
        event_type: EventType,
        day: NaiveDate,
    ) -> Result<Option<ArrivalsRecord>> {
        let sort = keys::arrivals_sort(day, event_type);
        self.0.get(keys::delivery_partition(org_id), sort).await
    }

    async fn arrivals_since(&self, org_id: &str, day: NaiveDate) -> Result<Vec<ArrivalsRecord>> {
        let bounds = keys::arrivals_since(day);
        let mut records: Vec<ArrivalsRecord> =
            self.0.query_between(keys::delivery_partition(org_id), bounds).await?;
        records.sort_by_key(|record| (record.arrivals.day, record.arrivals.event_type));
        Ok(records)
    }

    async fn put_arrivals(&self, record: &ArrivalsRecord) -> Result<Written> {
        let arrivals = &record.arrivals;
        let day = arrivals.day.and_time(NaiveTime::MIN).and_utc();
        self.put_next(
            &keys::delivery_partition(&arrivals.org_id),
            &keys::arrivals_sort(arrivals.day, arrivals.event_type),
            record,
            record.version,
            expires(day, EVIDENCE_RETENTION_DAYS),
        )
        .await
    }

    async fn put_tampering(&self, row: &TamperingRow, now: DateTime<Utc>) -> Result<()> {
        let partition = keys::delivery_partition(&row.org_id);
        let expiry = expires(now, EVIDENCE_RETENTION_DAYS);
        let sort = keys::tampering_sort(&row.row_hash);
        let put = self.0.put(item(&partition, &sort, row, [expiry])?);
        put.send().await.map_err(|error| unavailable("dynamodb:PutItem", error))?;
        Ok(())
    }

    async fn tampering(&self, org_id: &str) -> Result<Vec<TamperingRow>> {
        let partition = keys::delivery_partition(org_id);
        let mut rows: Vec<TamperingRow> = self.0.query(partition, keys::TAMPERING_PREFIX).await?;
        rows.sort_unstable();
        Ok(rows)
    }

    async fn delivery_health(&self, org_id: &str) -> Result<Option<DeliveryHealthRecord>> {
        self.0.get(keys::delivery_partition(org_id), keys::DELIVERY_HEALTH_ITEM).await
    }

    async fn put_delivery_health(&self, record: &DeliveryHealthRecord) -> Result<Written> {
        self.put_next(
            &keys::delivery_partition(&record.org_id),
            keys::DELIVERY_HEALTH_ITEM,
            record,
            record.version,
            expires(record.delivery.as_of, EVIDENCE_RETENTION_DAYS),
        )
        .await
    }
}
