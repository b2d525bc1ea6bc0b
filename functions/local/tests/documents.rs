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

/// The names in the last column of the tables of a page.
fn named_tests(page: &str) -> Vec<&str> {
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    rows.filter_map(|row| row.trim_end_matches(" |").rsplit_once(" | "))
        .flat_map(|(_, tests)| tests.split('`').skip(1).step_by(2))
        .collect()
}

#[test]
fn every_test_that_the_documents_name_exists() {
    let mut rust = String::new();
    for folder in ["shared", "functions", "tests"] {
        sources(&repository().join(folder), "rs", &mut rust);
    }
    let mut typescript = String::new();
    sources(&repository().join("infra/test"), "ts", &mut typescript);

    for document in ["docs/GUARANTEES.md", "docs/COMPLIANCE.md"] {
        let page = fs::read_to_string(repository().join(document)).unwrap();
        let named = named_tests(&page);
        assert!(named.len() > 40, "{document}: only {} names were found", named.len());
        let missing: Vec<&str> = named
            .into_iter()
            .filter(|name| {
                !rust.contains(&format!("fn {name}("))
                    && !typescript.contains(&format!("it('{name}'"))
            })
            .collect();
        assert!(missing.is_empty(), "{document}: {missing:#?}");
    }
}

#[test]
fn the_script_for_auditors_is_the_one_that_is_tested() {
    let page = fs::read_to_string(repository().join("docs/EVIDENCE.md")).unwrap();
    let script = repository().join("shared/incident/tests/fixtures/verify_chain.py");
    let script = fs::read_to_string(script).unwrap();
    assert!(
        page.contains(&format!("```python\n{script}```")),
        "docs/EVIDENCE.md has another script"
    );
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "docs/GUARANTEES.md",
        "docs/COMPLIANCE.md",
        "docs/EVIDENCE.md",
    ] {
        let path = repository().join(document);
        let page = fs::read_to_string(&path).unwrap();
        for link in page.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            let target = path.parent().unwrap().join(link);
            assert!(link.starts_with("https:") || target.exists(), "{document} leads to {link}");
        }
    }
}
