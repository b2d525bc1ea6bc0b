//! The documents speak of things that exist.
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn repository() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
}

/// The text of all sources with that ending under a folder, this file left out.
fn sources(folder: &Path, ending: &str, all: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("node_modules") {
                sources(&path, ending, all);
            }
        } else if path.extension().is_some_and(|found| found == ending) {
            all.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_test_that_the_guarantees_name_exists() {
    let mut rust = String::new();
    for folder in ["shared", "functions", "tests"] {
        sources(&repository().join(folder), "rs", &mut rust);
    }
    let mut typescript = String::new();
    sources(&repository().join("infra/test"), "ts", &mut typescript);

    let page = fs::read_to_string(repository().join("docs/GUARANTEES.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    let named: Vec<&str> = rows
        .filter_map(|row| row.trim_end_matches(" |").rsplit_once(" | "))
        .flat_map(|(_, tests)| tests.split('`').skip(1).step_by(2))
        .collect();
    assert!(named.len() > 40, "only {} names were found", named.len());
    let missing: Vec<&str> = named
        .into_iter()
        .filter(|name| {
            !rust.contains(&format!("fn {name}(")) && !typescript.contains(&format!("it('{name}'"))
        })
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    for document in ["README.md", "ARCHITECTURE.md", "docs/GUARANTEES.md"] {
        let path = repository().join(document);
        let page = fs::read_to_string(&path).unwrap();
        for link in page.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            let target = path.parent().unwrap().join(link);
            assert!(link.starts_with("https:") || target.exists(), "{document} leads to {link}");
        }
    }
}
