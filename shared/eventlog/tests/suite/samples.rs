//! Logs that other people published: each is read, or refused with its reason.

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs::File,
    path::{Path, PathBuf},
};

use eventlog::{
    attribution::{AgentDirectory, AgentKey, AttributedBy, RegisteredIdentity},
    reader::{ReadLimits, read_log},
    report::QuarantineReason,
};
use serde_json::{Value, json};

use crate::support::{Kept, ORG};

/// Whoever acts in the samples, taken for an agent so that every row is shown.
const USERS: [&str; 12] = [
    "000000000000123",
    "001122334455667",
    "776655443322110",
    "00568000004ogT4",
    "0055j000000PQ01",
    "0055f00000AbCdE",
    "005Dn000001ab23",
    "0056j000000utlQ",
    "0055j00000AT6I1",
    "0055j000000utlP",
    "120000033000123",
    "123000000000123",
];

fn files_under(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_under(&path, found) } else { found.push(path) }
    }
}

fn samples() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/salesforce/samples");
    if !folder.is_dir() {
        println!("skipped: the samples are not at {}", folder.display());
        return None;
    }
    Some(folder)
}

/// The same objects, each in an envelope that names an org, as whoever relays such events must add it.
fn with_org(data: &[u8]) -> Vec<u8> {
    serde_json::Deserializer::from_slice(data)
        .into_iter::<Value>()
        .map(|value| json!({"OrganizationId": ORG, "payload": value.unwrap()}).to_string())
        .collect::<Vec<_>>()
        .join("\n")
        .into_bytes()
}

#[test]
fn the_rows_of_every_sample_are_as_they_were_reviewed() {
    let Some(folder) = samples() else { return };
    let mut files = Vec::new();
    files_under(&folder, &mut files);
    let identities = USERS.map(|user| RegisteredIdentity {
        agent: AgentKey("sampled".to_owned()),
        kind: AttributedBy::User,
        value: user.to_owned(),
        purpose: None,
    });
    let directory = AgentDirectory::new(identities, [""; 0]);
    let mut rows = BTreeMap::new();
    for file in files {
        let data = std::fs::read(&file).unwrap();
        let read = |data: &[u8]| {
            let mut kept = Kept::default();
            let result = read_log(data, &directory, &ReadLimits::default(), &mut kept);
            (kept, result.is_ok())
        };
        let (mut kept, mut is_read) = read(&data);
        let lacks_org =
            kept.quarantined.iter().any(|row| row.reason == QuarantineReason::NoOrganization);
        if lacks_org {
            (kept, is_read) = read(&with_org(&data));
        }
        let name = file.strip_prefix(&folder).unwrap().display().to_string();
        let found: Vec<_> = kept.rows.into_iter().map(|(row, _)| row).collect();
        if is_read && !found.is_empty() {
            rows.insert(name, found);
        }
    }
    insta::assert_json_snapshot!(rows);
}

#[test]
fn every_sample_is_read_or_refused_with_a_reason() {
    let Some(folder) = samples() else { return };
    let mut files = Vec::new();
    files_under(&folder, &mut files);
    let directory = AgentDirectory::default();
    let mut outcomes = BTreeMap::new();
    for file in files {
        let mut kept = Kept::default();
        let result =
            read_log(File::open(&file).unwrap(), &directory, &ReadLimits::default(), &mut kept);
        let name = file.strip_prefix(&folder).unwrap().display().to_string();
        let outcome = match result {
            Ok(report) => {
                let mut outcome = format!(
                    "{} rows: {} by agents, {} by others, {} unread, {} set aside",
                    report.rows,
                    report.agent_rows,
                    report.other_rows,
                    report.unread_rows,
                    report.quarantined_rows
                );
                for reason in report.quarantined.keys() {
                    write!(outcome, " ({reason})").unwrap();
                }
                for gap in &report.gaps {
                    write!(outcome, "; {}", serde_json::to_string(gap).unwrap()).unwrap();
                }
                assert_eq!(u64::try_from(kept.quarantined.len()).unwrap(), report.quarantined_rows);
                outcome
            }
            Err(error) => format!("refused: {error}"),
        };
        outcomes.insert(name, outcome);
    }
    insta::assert_json_snapshot!(outcomes);
}
