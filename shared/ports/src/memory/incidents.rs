//! The incident table in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use incident::{Alert, Change, Incident, IncidentId, TimelineEntry};
use serde::Serialize;
use serde_json::Value;

use super::lock;
use crate::{
    Committed, IncidentTable, PortError, RawIncident, Result, Which,
    json::place,
    listing::{Listing, Place, is_listed_done},
};

#[derive(Debug, Default)]
struct State {
    incidents: BTreeMap<IncidentId, Incident>,
    alerts: BTreeMap<IncidentId, BTreeMap<String, Alert>>,
    timelines: BTreeMap<IncidentId, BTreeMap<u64, TimelineEntry>>,
    /// Alerts by the instant at which they want attention. As of the index in DynamoDB, a look costs what is due and
    /// not what is open.
    attention: BTreeSet<(DateTime<Utc>, IncidentId, String)>,
    listing: Listing,
    markers: BTreeMap<String, String>,
    stream: Vec<(IncidentId, String)>,
}

impl State {
    fn put_incident(&mut self, incident: &Incident) {
        let id = incident.incident_id.clone();
        let before = self.incidents.insert(id, incident.clone());
        let place_before = before.as_ref().map(Place::of);
        self.listing.put(place_before, Place::of(incident), is_listed_done(incident));
    }

    fn put_alert(&mut self, incident_id: &IncidentId, alert: &Alert) {
        let waits = |alert: &Alert| {
            Some((alert.attention_at()?, incident_id.clone(), alert.alert_id.clone()))
        };
        let alerts = self.alerts.entry(incident_id.clone()).or_default();
        let before = alerts.insert(alert.alert_id.clone(), alert.clone());
        if let Some(before) = before.as_ref().and_then(waits) {
            self.attention.remove(&before);
        }
        self.attention.extend(waits(alert));
        if alert.is_owed() || alert.is_scheduled() {
            self.stream.push((incident_id.clone(), alert.alert_id.clone()));
        }
    }
}

/// The incident table in memory.
#[derive(Debug, Default)]
pub struct MemoryIncidents(Mutex<State>);

impl MemoryIncidents {
    /// Takes the alerts that came to be owed, or to wait for their time, since the last call, in the order of their writes.
    pub fn take_stream(&self) -> Vec<(IncidentId, String)> {
        std::mem::take(&mut lock(&self.0).stream)
    }

    /// Every incident.
    pub fn incidents(&self) -> Vec<Incident> {
        lock(&self.0).incidents.values().cloned().collect()
    }

    /// Every alert.
    pub fn all_alerts(&self) -> Vec<Alert> {
        lock(&self.0).alerts.values().flat_map(|alerts| alerts.values().cloned()).collect()
    }
}

#[async_trait]
impl IncidentTable for MemoryIncidents {
    async fn incident(&self, incident_id: &IncidentId) -> Result<Option<Incident>> {
        Ok(lock(&self.0).incidents.get(incident_id).cloned())
    }

    async fn alert(&self, incident_id: &IncidentId, alert_id: &str) -> Result<Option<Alert>> {
        let state = lock(&self.0);
        Ok(state.alerts.get(incident_id).and_then(|alerts| alerts.get(alert_id)).cloned())
    }

    async fn alerts(&self, incident_id: &IncidentId) -> Result<Vec<Alert>> {
        let state = lock(&self.0);
        let alerts = state.alerts.get(incident_id);
        Ok(alerts.into_iter().flat_map(|alerts| alerts.values().cloned()).collect())
    }

    async fn timeline(&self, incident_id: &IncidentId) -> Result<Vec<TimelineEntry>> {
        let state = lock(&self.0);
        let entries = state.timelines.get(incident_id);
        Ok(entries.into_iter().flat_map(|entries| entries.values().cloned()).collect())
    }

    async fn raw(&self, incident_id: &IncidentId) -> Result<Option<RawIncident>> {
        let state = lock(&self.0);
        let Some(incident) = state.incidents.get(incident_id) else {
            return Ok(None);
        };
        let timeline = state.timelines.get(incident_id).into_iter().flat_map(BTreeMap::values);
        let alerts = state.alerts.get(incident_id).into_iter().flat_map(BTreeMap::values);
        Ok(Some(RawIncident {
            incident: json(incident_id, incident)?,
            timeline: timeline.map(|entry| json(incident_id, entry)).collect::<Result<_>>()?,
            alerts: alerts.map(|alert| json(incident_id, alert)).collect::<Result<_>>()?,
        }))
    }

    async fn list(&self, which: Which) -> Result<Vec<IncidentId>> {
        Ok(lock(&self.0).listing.list(which))
    }

    async fn commit(&self, change: &Change) -> Result<Committed> {
        let mut state = lock(&self.0);
        let id = &change.incident.incident_id;
        let version = state.incidents.get(id).map_or(0, |incident| incident.version);
        let timeline = state.timelines.entry(id.clone()).or_default();
        let is_there = |entry: &TimelineEntry| timeline.contains_key(&entry.sequence);
        if version != change.expected_version || change.timeline.iter().any(is_there) {
            return Ok(Committed::Conflict);
        }
        timeline.extend(change.timeline.iter().map(|entry| (entry.sequence, entry.clone())));
        state.put_incident(&change.incident);
        for alert in &change.alerts {
            state.put_alert(id, alert);
        }
        Ok(Committed::Yes)
    }

    async fn wanting_attention(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<IncidentId>> {
        let state = lock(&self.0);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let due = state.attention.iter().take_while(|(at, _, _)| *at <= now);
        let mut seen = BTreeSet::new();
        Ok(due.map(|(_, id, _)| id).filter(|id| seen.insert(*id)).take(limit).cloned().collect())
    }

    async fn marker(&self, name: &str) -> Result<Option<String>> {
        Ok(lock(&self.0).markers.get(name).cloned())
    }

    async fn put_marker(&self, name: &str, value: &str) -> Result<()> {
        lock(&self.0).markers.insert(name.to_owned(), value.to_owned());
        Ok(())
    }
}

fn json(incident_id: &IncidentId, record: &impl Serialize) -> Result<Value> {
    serde_json::to_value(record).map_err(|error| PortError::Unreadable {
        what: format!("incident {incident_id}"),
        reason: place(&error),
    })
}
