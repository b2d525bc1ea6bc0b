//! The incident table in DynamoDB.

use std::{collections::BTreeSet, ops::ControlFlow};

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, Put, TransactWriteItem, builders::PutBuilder},
};
use chrono::{DateTime, Utc};
use incident::{Alert, Change, Incident, IncidentId, TimelineEntry};
use serde_json::Value;

use super::{
    item::{Item, PARTITION, SORT, item, number, record, text},
    table::Table,
    unavailable,
};
use crate::{
    Committed, IncidentTable, PortError, RawIncident, Result, Which, keys,
    listing::{Place, is_listed_done},
};

/// Sparse index: alerts carry its keys while they want attention, and incidents by the moment of their opening.
const DUE_INDEX: &str = "due";
const SHARD: &str = "due_shard";
const DUE_AT: &str = "due_at";
const VERSION: &str = "version";

/// How often an incident that changes while it is read is read again.
const READ_ATTEMPTS: u32 = 5;

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

    /// The version of the incident as it stands.
    async fn version(&self, incident_id: &IncidentId) -> Result<Option<AttributeValue>> {
        let partition = keys::incident_partition(incident_id);
        let item = self.0.item(partition, keys::INCIDENT_ITEM, Some(VERSION)).await?;
        Ok(item.and_then(|mut item| item.remove(VERSION)))
    }

    /// Shows what the index holds in a shard to `visit`, in the order of instants, page by page and as long as it goes
    /// on; up to `until`, where that is given.
    ///
    /// Only keys are asked for: what this version cannot read must not hold up the rest.
    async fn visit_index(
        &self,
        shard: String,
        until: Option<DateTime<Utc>>,
        mut visit: impl FnMut(IndexedKey) -> ControlFlow<()>,
    ) -> Result<()> {
        let condition = match until {
            Some(_) => "due_shard = :shard AND due_at <= :until",
            None => "due_shard = :shard",
        };
        let mut query = self
            .0
            .client
            .query()
            .table_name(&self.0.name)
            .index_name(DUE_INDEX)
            .key_condition_expression(condition)
            .projection_expression(format!("{PARTITION}, {SORT}, {DUE_AT}"))
            .expression_attribute_values(":shard", text(shard));
        if let Some(until) = until {
            query = query.expression_attribute_values(":until", text(keys::sortable(until)));
        }
        let mut items = query.into_paginator().items().send();
        while let Some(found) = items.next().await {
            let mut found: Item = found.map_err(|error| unavailable("dynamodb:Query", error))?;
            // The index has no item without its keys, and they are text.
            let mut key = |name| match found.remove(name) {
                Some(AttributeValue::S(text)) => text,
                _ => String::new(),
            };
            let key =
                IndexedKey { partition: key(PARTITION), sort: key(SORT), due_at: key(DUE_AT) };
            if visit(key).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn writes(&self, change: &Change) -> Result<Vec<TransactWriteItem>> {
        let incident = &change.incident;
        let partition = keys::incident_partition(&incident.incident_id);
        let attributes = [
            (VERSION, number(incident.version)),
            ("severity", text(incident.findings.severity.level.name())),
            ("score", number(incident.findings.score)),
            (SHARD, text(keys::listing_shard(&incident.incident_id, is_listed_done(incident)))),
            (DUE_AT, text(keys::sortable(Place::of(incident).opened_at))),
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
                    (DUE_AT, text(keys::sortable(at))),
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

/// An item of the index.
struct IndexedKey {
    partition: String,
    sort: String,
    due_at: String,
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

    async fn raw(&self, incident_id: &IncidentId) -> Result<Option<RawIncident>> {
        for _ in 0..READ_ATTEMPTS {
            let version = self.version(incident_id).await?;
            let items = self.0.items(keys::incident_partition(incident_id)).await?;
            if self.version(incident_id).await? == version {
                return raw_incident(&items);
            }
        }
        Err(PortError::Unavailable {
            call: "dynamodb:Query",
            reason: format!("incident {incident_id} changed each time that it was read"),
        })
    }

    async fn list(&self, which: Which) -> Result<Vec<IncidentId>> {
        let mut places: Vec<(String, IncidentId)> = Vec::new();
        for shard in keys::listing_shards(which) {
            let visit = |key: IndexedKey| {
                let incident_id = keys::listed_incident(&key.partition, &key.sort);
                places.extend(incident_id.map(|incident_id| (key.due_at, incident_id)));
                ControlFlow::Continue(())
            };
            self.visit_index(shard, None, visit).await?;
        }
        places.sort_unstable();
        // One that moved from shard to shard meanwhile may have been met in both.
        let mut seen = BTreeSet::new();
        places.retain(|(_, id)| seen.insert(id.clone()));
        Ok(places.into_iter().map(|(_, id)| id).collect())
    }

    async fn wanting_attention(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<IncidentId>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut waiting: Vec<(String, IncidentId)> = Vec::new();
        for shard in 0..keys::ATTENTION_SHARDS {
            // Incidents are counted and not alerts: one that cannot be swept may hold hundreds of alerts, and must not
            // hold up the others.
            let mut of_shard = BTreeSet::new();
            let visit = |key: IndexedKey| {
                if let Some((incident_id, _)) = keys::changed_alert(&key.partition, &key.sort)
                    && of_shard.insert(incident_id.clone())
                {
                    waiting.push((key.due_at, incident_id));
                }
                if of_shard.len() < limit {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            };
            self.visit_index(keys::shard_name(shard), Some(now), visit).await?;
        }
        waiting.sort_unstable();
        Ok(waiting.into_iter().take(limit).map(|(_, id)| id).collect())
    }

    async fn marker(&self, name: &str) -> Result<Option<String>> {
        self.0.get(keys::MARKER_PARTITION, name).await
    }

    async fn put_marker(&self, name: &str, value: &str) -> Result<()> {
        let put = self.0.put(item(keys::MARKER_PARTITION, name, &value, [])?);
        put.send().await.map_err(|error| unavailable("dynamodb:PutItem", error))?;
        Ok(())
    }
}

/// The incident that the items of a partition are, in the order of their sort keys.
fn raw_incident(items: &[Item]) -> Result<Option<RawIncident>> {
    if items.is_empty() {
        return Ok(None);
    }
    let mut raw = RawIncident { incident: Value::Null, timeline: vec![], alerts: vec![] };
    for item in items {
        let sort = item.get(SORT).and_then(|value| value.as_s().ok());
        match sort.map(String::as_str) {
            Some(keys::INCIDENT_ITEM) => raw.incident = record(item)?,
            Some(sort) if sort.starts_with(keys::TIMELINE_PREFIX) => {
                raw.timeline.push(record(item)?);
            }
            Some(sort) if sort.starts_with(keys::ALERT_PREFIX) => raw.alerts.push(record(item)?),
            // Of another kind, from a later version.
            _ => {}
        }
    }
    Ok(Some(raw))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_incident_is_shown_as_it_is_stored_and_so_is_what_is_left_of_one() {
        let partition = keys::incident_partition(&IncidentId("BC-1".to_owned()));
        let stored = |sort: &str, body: Value| item(&partition, sort, &body, []).unwrap();
        let whole = [
            stored(&keys::alert_sort("BC-1.a"), json!({"alert_id": "BC-1.a", "remark": 1})),
            stored(keys::INCIDENT_ITEM, json!({"incident_id": "BC-1", "remark": [2]})),
            stored("LATER#1", json!({"of a later version": true})),
            // What lies under the number 1 says that it is another one.
            stored(&keys::timeline_sort(1), json!({"sequence": 7})),
            stored(&keys::timeline_sort(2), json!({"sequence": 2, "remark": null})),
        ];
        let raw = raw_incident(&whole).unwrap().unwrap();
        assert_eq!(raw.incident, json!({"incident_id": "BC-1", "remark": [2]}));
        assert_eq!(raw.alerts, [json!({"alert_id": "BC-1.a", "remark": 1})]);
        let timeline = [json!({"sequence": 7}), json!({"sequence": 2, "remark": null})];
        assert_eq!(raw.timeline, timeline);

        let left = raw_incident(&whole[4..]).unwrap().unwrap();
        assert_eq!((left.incident, left.timeline.len()), (Value::Null, 1));
        assert_eq!(raw_incident(&[]).unwrap(), None);
    }
}
