//! Logs that other people published: each is read, or refused with its reason.

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs::File,
    path::{Path, PathBuf},
};

use eventlog::{
    attribution::AgentDirectory,
    reader::{ReadLimits, read_log},
};

use crate::support::Kept;

fn files_under(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_under(&path, found) } else { found.push(path) }
    }
}

#[test]
fn every_sample_is_read_or_refused_with_a_reason() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/salesforce/samples");
    if !folder.is_dir() {
        println!("skipped: the samples are not at {}", folder.display());
        return;
    }
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
