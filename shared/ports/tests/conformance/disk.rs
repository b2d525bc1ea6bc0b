//! Incidents in a folder: what people edit, what breaks, and several commands at once.
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use incident::{Alert, Case, Change, Incident, IncidentId, audit};
use ports::{Committed, IncidentTable as _, PortError, Ports, Which, disk::DiskIncidents};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{in_memory, suite};

const ORG: &str = "00D5g000004Hq3K";

/// The publication of the first message of an incident that has just been opened.
fn first_published(opening: &Change, now: DateTime<Utc>) -> Change {
    let case = Case::new(opening.incident.clone(), opening.alerts.clone());
    let message = suite::first_message(opening);
    case.published(&message.alert_id, "receipt", suite::by(now)).unwrap()
}

fn start() -> DateTime<Utc> {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

/// A folder with one incident in it.
async fn with_incident(name: &str) -> (TempDir, DiskIncidents, Change) {
    let folder = TempDir::new().unwrap();
    let incidents = DiskIncidents::open(folder.path()).unwrap();
    let change = suite::opened(ORG, name, start());
    assert_eq!(incidents.commit(&change).await.unwrap(), Committed::Yes);
    (folder, incidents, change)
}

fn file_of(folder: &TempDir, incident_id: &IncidentId) -> std::path::PathBuf {
    folder.path().join(format!("{incident_id}.json"))
}

fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut file = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    change(&mut file);
    fs::write(path, serde_json::to_vec(&file).unwrap()).unwrap();
}

#[tokio::test]
async fn a_folder_keeps_every_promise_and_so_does_one_that_holds_other_things() {
    let folder = TempDir::new().unwrap();
    for org_id in [ORG, "00D5g000004Hq3L"] {
        // Opened anew, as by another command.
        let incidents = Arc::new(DiskIncidents::open(folder.path()).unwrap());
        let ports = Ports { incidents, ..in_memory() };
        suite::every_promise(&ports, "records", org_id).await;
    }
}

#[tokio::test]
async fn a_folder_is_there_or_made() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("a/b");
    let error = DiskIncidents::open(&missing).unwrap_err();
    assert!(matches!(error, PortError::NotFound { .. }), "{error}");
    assert!(error.to_string().contains("a/b"), "{error}");
    let incidents = DiskIncidents::create(&missing).unwrap();
    assert_eq!(incidents.list(Which::All).await.unwrap(), []);
    DiskIncidents::open(&missing).unwrap();
}

#[tokio::test]
async fn a_file_is_laid_out_for_people() {
    let (folder, _, change) = with_incident("is-read").await;
    let text = fs::read_to_string(file_of(&folder, &change.incident.incident_id)).unwrap();
    assert!(text.starts_with("{\n  \"incident\": {\n    \"agent\": \"is-read\",\n"), "{text}");
    assert!(text.ends_with("}\n"));
}

#[tokio::test]
async fn what_was_edited_is_seen_and_stays_when_something_else_changes() {
    let (folder, incidents, change) = with_incident("is-edited").await;
    let id = &change.incident.incident_id;
    edit(&file_of(&folder, id), |file| {
        file["timeline"][0]["remark"] = json!("added by hand");
        file["timeline"][1]["actor"] = json!("somebody else");
        file["alerts"][1]["remark"] = json!("added by hand");
    });
    let raw = incidents.raw(id).await.unwrap().unwrap();
    assert_eq!(raw.timeline[0]["remark"], "added by hand");
    assert_eq!(raw.alerts[1]["remark"], "added by hand");
    let flaws = audit(&raw.incident, &raw.alerts, &raw.timeline, &[]);
    assert!(flaws.contains(&incident::Flaw::EntryEdited { sequence: 1 }), "{flaws:?}");

    let sent = first_published(&change, start());
    assert_eq!(incidents.commit(&sent).await.unwrap(), Committed::Yes);
    let after = incidents.raw(id).await.unwrap().unwrap();
    assert_eq!(after.timeline[..raw.timeline.len()], raw.timeline);
    assert_eq!(after.timeline.len(), raw.timeline.len() + sent.timeline.len());
    assert!(after.alerts.contains(&raw.alerts[1]), "an alert that did not change");
    assert_eq!(after.alerts.len(), raw.alerts.len());
}

#[tokio::test]
async fn a_version_that_was_taken_away_stops_every_change() {
    let (folder, incidents, change) = with_incident("has-no-version").await;
    let id = &change.incident.incident_id;
    edit(&file_of(&folder, id), |file| {
        file["incident"].as_object_mut().unwrap().remove("version");
    });
    let sent = first_published(&change, start());
    for change in [&sent, &change] {
        let error = incidents.commit(change).await.unwrap_err().to_string();
        assert!(error.contains(id.as_str()) && error.contains("version"), "{error}");
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_named_and_holds_up_no_other() {
    let (folder, incidents, broken) = with_incident("is-broken").await;
    let sound = suite::opened(ORG, "is-sound", start());
    assert_eq!(incidents.commit(&sound).await.unwrap(), Committed::Yes);
    let [broken_id, sound_id] = [&broken, &sound].map(|of| of.incident.incident_id.clone());
    let path = file_of(&folder, &broken_id);
    let text = fs::read_to_string(&path).unwrap();
    let sent = first_published(&broken, start());
    for damaged in [
        text.get(..text.len() / 2).unwrap().to_owned(),
        String::new(),
        text.replace("\"incident\"", "\"a secret\""),
        text.replacen("\"version\": 1", "\"version\": \"a secret\"", 1),
    ] {
        assert_ne!(damaged, text);
        fs::write(&path, &damaged).unwrap();
        let error = incidents.incident(&broken_id).await.unwrap_err();
        assert!(matches!(error, PortError::Unreadable { .. }), "{error}");
        let error = error.to_string();
        assert!(error.contains(&path.display().to_string()) && error.contains("line"), "{error}");
        assert!(!error.contains("secret"), "no value gets into an error: {error}");

        incidents.commit(&sent).await.unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), damaged, "nothing is written over it");
        let both = [broken_id.clone(), sound_id.clone()];
        assert_eq!(incidents.list(Which::Open).await.unwrap(), both);
    }

    // Where the alerts cannot be read, the sweep comes by, last.
    fs::write(&path, "{").unwrap();
    let due = sound.alerts.iter().filter_map(Alert::attention_at).min().unwrap();
    let waiting = incidents.wanting_attention(due, 10).await.unwrap();
    assert_eq!(waiting, [sound_id.clone(), broken_id]);
    assert_eq!(incidents.wanting_attention(due, 1).await.unwrap(), [sound_id]);
}

#[tokio::test]
async fn an_id_from_a_command_line_leads_nowhere_else() {
    let (folder, incidents, change) = with_incident("stays-inside").await;
    let inner = DiskIncidents::create(folder.path().join("inner")).unwrap();
    let id = IncidentId(format!("../{}", change.incident.incident_id));
    assert_eq!(inner.incident(&id).await.unwrap(), None);
    assert_eq!(inner.raw(&id).await.unwrap(), None);
    let elsewhere = Incident { incident_id: IncidentId("../BC-1".to_owned()), ..change.incident };
    inner.commit(&Change { incident: elsewhere, ..change }).await.unwrap_err();
    assert_eq!(incidents.list(Which::All).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_cut_off_writer_left_is_no_incident_and_is_written_over() {
    let (folder, incidents, change) = with_incident("is-cut-off").await;
    fs::write(folder.path().join(".new"), "{\"incident\": ").unwrap();
    let id = change.incident.incident_id.clone();
    assert_eq!(incidents.list(Which::All).await.unwrap(), std::slice::from_ref(&id));
    let sent = first_published(&change, start());
    assert_eq!(incidents.commit(&sent).await.unwrap(), Committed::Yes);
    assert_eq!(incidents.incident(&id).await.unwrap(), Some(sent.incident));
    assert!(!folder.path().join(".new").exists());
}

const WRITER_FOLDER: &str = "CONFORMANCE_WRITER_FOLDER";
const WRITER_NUMBER: &str = "CONFORMANCE_WRITER_NUMBER";
const CHANGES_PER_WRITER: u64 = 40;

/// A process of its own, started by the test below.
#[tokio::test]
#[ignore = "started by several_commands_at_once_never_both_win"]
async fn writer() {
    let incidents = DiskIncidents::open(std::env::var(WRITER_FOLDER).unwrap()).unwrap();
    let number: u64 = std::env::var(WRITER_NUMBER).unwrap().parse().unwrap();
    let [id] = incidents.list(Which::All).await.unwrap().try_into().unwrap();
    let mut made = 0;
    while made < CHANGES_PER_WRITER {
        let incident = incidents.incident(&id).await.unwrap().unwrap();
        let row_count = 1_000 * (number + 1) + made;
        let change = suite::extended(&incident, row_count, start());
        made += u64::from(incidents.commit(&change).await.unwrap() == Committed::Yes);
    }
}

#[tokio::test]
async fn several_commands_at_once_never_both_win() {
    let (folder, incidents, change) = with_incident("is-contended").await;
    let writers: Vec<_> = (0..3)
        .map(|number: u64| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "disk::writer", "--ignored"])
                .env(WRITER_FOLDER, folder.path())
                .env(WRITER_NUMBER, number.to_string())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    let writer_count = u64::try_from(writers.len()).unwrap();
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    let id = &change.incident.incident_id;
    let incident = incidents.incident(id).await.unwrap().unwrap();
    assert_eq!(incident.version, 1 + writer_count * CHANGES_PER_WRITER);
    let raw = incidents.raw(id).await.unwrap().unwrap();
    assert_eq!(audit(&raw.incident, &raw.alerts, &raw.timeline, &[]), []);
}
