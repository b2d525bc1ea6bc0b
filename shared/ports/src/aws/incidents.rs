//! The incident table in DynamoDB.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{Put, TransactWriteItem, builders::PutBuilder},
};
use chrono::{DateTime, Utc};
use incident::{Alert, Change, Incident, IncidentId, TimelineEntry};

use super::{
    item::{Item, PARTITION, SORT, item, number, text},
    table::Table,
    unavailable,
};
use crate::{Committed, IncidentTable, Result, keys};

/// Sparse index: only alerts that want attention carry its keys.
const ATTENTION_INDEX: &str = "due";
const SHARD: &str = "due_shard";
const ATTENTION: &str = "due_at";

/// The incident table in DynamoDB.
#[derive(Clone, Debug)]
pub struct DynamoIncidents(Table);

impl DynamoIncidents {
    /// In this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self(Table { client, name: table.into() })
    }

    fn put(&self, item: Item) -> PutBuilder {
        Put::builder().table_name(&self.0.name).set_item(Some(item))
    }

    fn writes(&self, change: &Change) -> Result<Vec<TransactWriteItem>> {
        let incident = &change.incident;
        let partition = keys::incident_partition(&incident.incident_id);
        let attributes = [
            ("version", number(incident.version)),
            ("severity", text(incident.findings.severity.level.name())),
            ("score", number(incident.findings.score)),
        ];
        let put = self.put(item(&partition, keys::INCIDENT_ITEM, incident, attributes)?);
        let mut puts = vec![if change.expected_version == 0 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("version = :expected")
                .expression_attribute_values(":expected", number(change.expected_version))
        }];
        for entry in &change.timeline {
            let item = item(&partition, &keys::timeline_sort(entry.sequence), entry, [])?;
            puts.push(self.put(item).condition_expression("attribute_not_exists(pk)"));
        }
        for alert in &change.alerts {
            let attention = alert.attention_at().map(|at| {
                [
                    (SHARD, text(keys::attention_shard(&alert.incident_id))),
                    (ATTENTION, text(keys::sortable(at))),
                ]
            });
            let state = if alert.is_owed() {
                keys::ALERT_OWED
            } else if alert.is_scheduled() {
                keys::ALERT_SCHEDULED
            } else {
                "other"
            };
            let attributes =
                attention.into_iter().flatten().chain([(keys::ALERT_STATE, text(state))]);
            let sort = keys::alert_sort(&alert.alert_id);
            puts.push(self.put(item(&partition, &sort, alert, attributes)?));
        }
        puts.into_iter()
            .map(|put| {
                let put = put.build().map_err(|error| unavailable("dynamodb:Put", error))?;
                Ok(TransactWriteItem::builder().put(put).build())
            })
            .collect()
    }
}

/// Whether a cancelled transaction met another writer, rather than a fault.
fn met_another_writer(error: &TransactWriteItemsError) -> bool {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        return false;
    };
    cancelled
        .cancellation_reasons()
        .iter()
        .filter_map(|reason| reason.code())
        .any(|code| code == "ConditionalCheckFailed" || code == "TransactionConflict")
}

#[async_trait]
impl IncidentTable for DynamoIncidents {
    async fn incident(&self, incident_id: &IncidentId) -> Result<Option<Incident>> {
        self.0.get(keys::incident_partition(incident_id), keys::INCIDENT_ITEM).await
    }

    async fn alert(&self, incident_id: &IncidentId, alert_id: &str) -> Result<Option<Alert>> {
        self.0.get(keys::incident_partition(incident_id), keys::alert_sort(alert_id)).await
    }

    async fn alerts(&self, incident_id: &IncidentId) -> Result<Vec<Alert>> {
        self.0.query(keys::incident_partition(incident_id), keys::ALERT_PREFIX).await
    }

    async fn timeline(&self, incident_id: &IncidentId) -> Result<Vec<TimelineEntry>> {
        self.0.query(keys::incident_partition(incident_id), keys::TIMELINE_PREFIX).await
    }

    async fn commit(&self, change: &Change) -> Result<Committed> {
        let writes = self.writes(change)?;
        let answer =
            self.0.client.transact_write_items().set_transact_items(Some(writes)).send().await;
        match answer {
            Ok(_) => Ok(Committed::Yes),
            Err(SdkError::ServiceError(refused)) if met_another_writer(refused.err()) => {
                Ok(Committed::Conflict)
            }
            Err(error) => Err(unavailable("dynamodb:TransactWriteItems", error)),
        }
    }

    async fn wanting_attention(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<IncidentId>> {
        if limit == 0 {
            // DynamoDB takes no limit below 1.
            return Ok(Vec::new());
        }
        let limit_per_shard = i32::try_from(limit).unwrap_or(i32::MAX);
        let mut waiting: Vec<(String, IncidentId)> = Vec::new();
        for shard in 0..keys::ATTENTION_SHARDS {
            let answer = self
                .0
                .client
                .query()
                .table_name(&self.0.name)
                .index_name(ATTENTION_INDEX)
                .key_condition_expression("due_shard = :shard AND due_at <= :now")
                .expression_attribute_values(":shard", text(keys::shard_name(shard)))
                .expression_attribute_values(":now", text(keys::sortable(now)))
                .limit(limit_per_shard)
                .send()
                .await
                .map_err(|error| unavailable("dynamodb:Query", error))?;
            // Only the keys are read: an alert that this version cannot read must not hold up the others.
            for found in answer.items() {
                let key = |name| found.get(name).and_then(|value| value.as_s().ok());
                let incident = key(PARTITION).zip(key(SORT)).and_then(|(partition, sort)| {
                    keys::changed_alert(partition, sort).map(|(incident_id, _)| incident_id)
                });
                if let (Some(at), Some(incident_id)) = (key(ATTENTION), incident) {
                    waiting.push((at.clone(), incident_id));
                }
            }
        }
        waiting.sort_unstable();
        let mut seen = BTreeSet::new();
        waiting.retain(|(_, id)| seen.insert(id.clone()));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(waiting.into_iter().take(limit).map(|(_, id)| id).collect())
    }
}
