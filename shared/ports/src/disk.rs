//! The incident table in a folder, for a run without AWS.
//!
//! Each incident is a file, as `BC-5F2C9A01D3E7.json`: the incident, its timeline and its alerts, laid out so that a person
//! can read and edit them. What was edited shows: a commit takes over what it does not change as it stands in the file,
//! and the timeline is chained. Beside them lie `.markers.json` with the notes of functions, and `.lock`, which whoever
//! writes holds locked, so that of two commands at once one waits for the other.
//!
//! Made for as many incidents as one machine sees: a look at what is due reads every file.

mod folder;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use incident::{Alert, Change, Incident, IncidentId, TimelineEntry};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use self::folder::Folder;
use crate::{
    Committed, IncidentTable, PortError, RawIncident, Result, Which,
    json::place,
    listing::{Listing, Place, is_listed_done},
};

const MARKERS: &str = ".markers.json";

/// The incident table in a folder.
#[derive(Clone, Debug)]
pub struct DiskIncidents(Arc<Folder>);

/// What is read of a file where the incident alone is asked for: mistakes elsewhere in it do not matter then.
#[derive(Deserialize)]
struct HoldsIncident {
    incident: Incident,
}

#[derive(Deserialize)]
struct HoldsTimeline {
    timeline: Vec<TimelineEntry>,
}

#[derive(Deserialize)]
struct HoldsAlerts {
    alerts: Vec<Alert>,
}

impl DiskIncidents {
    /// In this folder, which is there.
    ///
    /// # Errors
    /// [`PortError::NotFound`] when it is not.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self> {
        Ok(Self(Arc::new(Folder::open(folder.into())?)))
    }

    /// In this folder, which is made where it is missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(folder: impl Into<PathBuf>) -> Result<Self> {
        Ok(Self(Arc::new(Folder::create(folder.into())?)))
    }

    /// Works on the folder in a thread that may wait for disk and lock.
    async fn on_disk<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let folder = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&folder)).await;
        done.map_err(|error| PortError::Unavailable {
            call: "work on a folder of incidents",
            reason: error.to_string(),
        })?
    }

    /// What the file of an incident holds; `None` where there is no such file.
    async fn read<T: DeserializeOwned + Send + 'static>(
        &self,
        incident_id: &IncidentId,
    ) -> Result<Option<T>> {
        let Some(name) = file_name(incident_id) else {
            return Ok(None);
        };
        self.on_disk(move |folder| folder.read(&name)).await
    }

    async fn alerts_by_id(&self, incident_id: &IncidentId) -> Result<BTreeMap<String, Alert>> {
        let found: Option<HoldsAlerts> = self.read(incident_id).await?;
        let alerts = found.into_iter().flat_map(|found| found.alerts);
        Ok(alerts.map(|alert| (alert.alert_id.clone(), alert)).collect())
    }
}

#[async_trait]
impl IncidentTable for DiskIncidents {
    async fn incident(&self, incident_id: &IncidentId) -> Result<Option<Incident>> {
        let found: Option<HoldsIncident> = self.read(incident_id).await?;
        Ok(found.map(|found| found.incident))
    }

    async fn alert(&self, incident_id: &IncidentId, alert_id: &str) -> Result<Option<Alert>> {
        Ok(self.alerts_by_id(incident_id).await?.remove(alert_id))
    }

    async fn alerts(&self, incident_id: &IncidentId) -> Result<Vec<Alert>> {
        Ok(self.alerts_by_id(incident_id).await?.into_values().collect())
    }

    async fn timeline(&self, incident_id: &IncidentId) -> Result<Vec<TimelineEntry>> {
        let found: Option<HoldsTimeline> = self.read(incident_id).await?;
        Ok(found.map(|found| found.timeline).unwrap_or_default())
    }

    async fn raw(&self, incident_id: &IncidentId) -> Result<Option<RawIncident>> {
        self.read(incident_id).await
    }

    /// One whose file cannot be read stands before all others, as an open one: whoever asks for it is told why.
    async fn list(&self, which: Which) -> Result<Vec<IncidentId>> {
        self.on_disk(move |folder| {
            let mut unreadable = Vec::new();
            let mut listing = Listing::default();
            for name in folder.names()? {
                let Some(incident_id) = incident_of(&name) else {
                    continue;
                };
                match folder.read::<HoldsIncident>(&name) {
                    Ok(Some(HoldsIncident { incident })) => {
                        let place = Place { incident_id, ..Place::of(&incident) };
                        listing.put(None, place, is_listed_done(&incident));
                    }
                    Ok(None) => {}
                    Err(_) => unreadable.push(incident_id),
                }
            }
            Ok(unreadable.into_iter().chain(listing.list(which)).collect())
        })
        .await
    }

    async fn commit(&self, change: &Change) -> Result<Committed> {
        let incident_id = &change.incident.incident_id;
        let Some(name) = file_name(incident_id) else {
            return Err(PortError::Unreadable {
                what: format!("the incident id {incident_id}"),
                reason: "it is not made of BC-, letters, digits and hyphens".to_owned(),
            });
        };
        let change = change.clone();
        self.on_disk(move |folder| {
            folder.locked(|| {
                let stored: Option<RawIncident> = folder.read(&name)?;
                match changed(stored, &change, &folder.path(&name).display().to_string())? {
                    Some(changed) => folder.replace(&name, &changed).map(|()| Committed::Yes),
                    None => Ok(Committed::Conflict),
                }
            })
        })
        .await
    }

    /// One whose file cannot be read comes after all others: it wants attention, and must not hold them up.
    async fn wanting_attention(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<IncidentId>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.on_disk(move |folder| {
            let mut unreadable = Vec::new();
            let mut waiting: Vec<(DateTime<Utc>, IncidentId)> = Vec::new();
            for name in folder.names()? {
                let Some(incident_id) = incident_of(&name) else {
                    continue;
                };
                match folder.read::<HoldsAlerts>(&name) {
                    Ok(found) => {
                        let alerts = found.into_iter().flat_map(|found| found.alerts);
                        let first = alerts.filter_map(|alert| alert.attention_at()).min();
                        let due = first.filter(|at| *at <= now);
                        waiting.extend(due.map(|at| (at, incident_id)));
                    }
                    Err(_) => unreadable.push(incident_id),
                }
            }
            waiting.sort_unstable();
            let waiting = waiting.into_iter().map(|(_, incident_id)| incident_id);
            Ok(waiting.chain(unreadable).take(limit).collect())
        })
        .await
    }

    async fn marker(&self, name: &str) -> Result<Option<String>> {
        let name = name.to_owned();
        self.on_disk(move |folder| {
            let markers: Option<BTreeMap<String, String>> = folder.read(MARKERS)?;
            Ok(markers.and_then(|mut markers| markers.remove(&name)))
        })
        .await
    }

    async fn put_marker(&self, name: &str, value: &str) -> Result<()> {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.on_disk(move |folder| {
            folder.locked(|| {
                let markers: Option<BTreeMap<String, String>> = folder.read(MARKERS)?;
                let mut markers = markers.unwrap_or_default();
                markers.insert(name, value);
                folder.replace(MARKERS, &markers)
            })
        })
        .await
    }
}

/// Name of an incident's file. `None` for an id that none can have: it may come from a command line, and must not lead
/// out of the folder or to another file in it.
fn file_name(incident_id: &IncidentId) -> Option<String> {
    let rest = incident_id.as_str().strip_prefix("BC-")?;
    let is_plain = |character: char| character.is_ascii_alphanumeric() || character == '-';
    (!rest.is_empty() && rest.chars().all(is_plain)).then(|| format!("{incident_id}.json"))
}

/// The incident whose file that is.
fn incident_of(name: &str) -> Option<IncidentId> {
    let incident_id = IncidentId(name.strip_suffix(".json")?.to_owned());
    file_name(&incident_id).map(|_| incident_id)
}

/// The file after a change; `None` where the change was decided on something else than what stands in it. What the
/// change does not speak of stays as it is, whatever it holds.
fn changed(
    stored: Option<RawIncident>,
    change: &Change,
    what: &str,
) -> Result<Option<RawIncident>> {
    let (version, mut file) = match stored {
        None => (0, RawIncident { incident: Value::Null, timeline: vec![], alerts: vec![] }),
        Some(stored) => {
            let version = stored.incident.get("version").and_then(Value::as_u64);
            let version = version.ok_or_else(|| PortError::Unreadable {
                what: what.to_owned(),
                reason: "its incident has no version".to_owned(),
            })?;
            (version, stored)
        }
    };
    let sequence = |entry: &Value| entry.get("sequence").and_then(Value::as_u64);
    let taken: BTreeSet<u64> = file.timeline.iter().filter_map(sequence).collect();
    let is_taken = change.timeline.iter().any(|entry| taken.contains(&entry.sequence));
    if version != change.expected_version || is_taken {
        return Ok(None);
    }
    let alert_id = |alert: &Value| alert.get("alert_id").and_then(Value::as_str).map(str::to_owned);
    let written: BTreeSet<&str> =
        change.alerts.iter().map(|alert| alert.alert_id.as_str()).collect();
    file.incident = json(&change.incident, what)?;
    for entry in &change.timeline {
        file.timeline.push(json(entry, what)?);
    }
    file.alerts.retain(|alert| alert_id(alert).is_none_or(|id| !written.contains(id.as_str())));
    for alert in &change.alerts {
        file.alerts.push(json(alert, what)?);
    }
    file.alerts.sort_by_key(alert_id);
    Ok(Some(file))
}

fn json(record: &impl Serialize, what: &str) -> Result<Value> {
    serde_json::to_value(record)
        .map_err(|error| PortError::Unreadable { what: what.to_owned(), reason: place(&error) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_a_file_of_the_folder_or_none() {
        let name = |id: &str| file_name(&IncidentId(id.to_owned()));
        assert_eq!(name("BC-5F2C9A01D3E7").as_deref(), Some("BC-5F2C9A01D3E7.json"));
        assert_eq!(incident_of("BC-5F2C9A01D3E7.json").unwrap().as_str(), "BC-5F2C9A01D3E7");
        for id in
            ["", "BC-", "BC-1/2", "../BC-1", "BC-..", "BC-1\\2", "BC-1\0", "markers", "BC-\u{e9}"]
        {
            assert_eq!(name(id), None, "{id}");
        }
        for name in [".markers.json", ".lock", ".new", "BC-1", "BC-1.json.bak", "notes.json"] {
            assert_eq!(incident_of(name), None, "{name}");
        }
    }
}
