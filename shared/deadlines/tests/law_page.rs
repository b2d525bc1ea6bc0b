//! `docs/LAW.md` says what the law data says.

use std::{env, fs, path::Path};

use deadlines::{Law, law_page};

#[test]
fn the_page_of_the_law_is_the_law_that_is_computed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/LAW.md");
    let law = Law::embedded().unwrap();
    let page = law_page(&law);
    if env::var_os("UPDATE_LAW_PAGE").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    let difference = written.lines().zip(page.lines()).find(|(written, now)| written != now);
    assert_eq!(difference, None, "write it anew with UPDATE_LAW_PAGE=1");
    assert_eq!(written.len(), page.len(), "write it anew with UPDATE_LAW_PAGE=1");
    for regime in &law.regimes {
        assert!(page.contains(&format!("| `{}` |", regime.id)), "{}", regime.id);
    }
    assert!(page.contains("does not give legal advice"));
}
