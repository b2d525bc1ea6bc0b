//! `breachclock incident` as a person runs it, over a folder that a scan kept: what it prints, what it refuses, how it exits.
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use serde_json::Value;
use tempfile::TempDir;
use worlds::CANARY_PERSONAL_DATA;

const ID: &str = "BC-509D550EFC34";
/// When the logs were scanned; the moment of detection.
const SCANNED_AT: &str = "2026-11-24T11:30:00Z";
/// When people look and decide, unless a test says otherwise.
const NOW: &str = "2026-11-24T12:00:00Z";

fn repository() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
}

fn breachclock(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_breachclock"))
        .args(arguments)
        .current_dir(repository())
        .env("USER", "jo")
        .env_remove("RUST_LOG")
        .env_remove("BREACHCLOCK_FOLDER")
        .env_remove("BREACHCLOCK_STACK")
        .output()
        .unwrap();
    for stream in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(stream);
        assert!(!text.contains(CANARY_PERSONAL_DATA), "personal data after {arguments:?}: {text}");
    }
    output
}

/// The files of one scan of the morning, by name; made once.
fn scanned() -> &'static [(String, Vec<u8>)] {
    static FILES: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    FILES.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let keep = folder.path().to_str().unwrap();
        let scan = ["scan", "events/morning", "--config", "infra/config"];
        let scanned = breachclock(&[&scan[..], &["--keep", keep, "--as-of", SCANNED_AT]].concat());
        assert_eq!(scanned.status.code(), Some(1), "{scanned:?}");
        let incident = format!("incidents/{ID}.json");
        ["configuration.json", "days.json", &incident]
            .map(|name| (name.to_owned(), fs::read(folder.path().join(name)).unwrap()))
            .to_vec()
    })
}

/// A folder as the scan left it.
struct Kept(TempDir);

/// What a command came to.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

impl Kept {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("incidents")).unwrap();
        for (name, bytes) in scanned() {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        Self(folder)
    }

    fn incident_file(&self) -> PathBuf {
        self.0.path().join(format!("incidents/{ID}.json"))
    }

    fn at(&self, now: &str, arguments: &[&str]) -> Said {
        let folder = self.0.path().to_str().unwrap();
        let options = ["--folder", folder, "--as-of", now];
        let output = breachclock(&[&["incident"], arguments, &options[..]].concat());
        Said {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn say(&self, arguments: &[&str]) -> Said {
        self.at(NOW, arguments)
    }

    #[track_caller]
    fn done(&self, arguments: &[&str]) -> Said {
        let said = self.say(arguments);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{arguments:?}: {said:?}");
        said
    }

    /// Refused with a sentence that holds `why`, and nothing written.
    #[track_caller]
    fn refused(&self, arguments: &[&str], code: i32, why: &str) {
        let before = fs::read(self.incident_file()).unwrap();
        let said = self.say(arguments);
        assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "{arguments:?}: {said:?}");
        assert!(said.err.contains(why), "{arguments:?}: {said:?}");
        assert_eq!(fs::read(self.incident_file()).unwrap(), before, "{arguments:?}");
    }

    fn shown(&self) -> Value {
        self.done(&["show", ID, "--json"]).json()
    }
}

/// Every duty whose clock runs.
fn running(shown: &Value) -> Vec<String> {
    let clocks = shown["clocks"].as_array().unwrap().iter();
    let duties = clocks.flat_map(|clock| clock["duties"].as_array().unwrap());
    duties.map(|duty| duty.as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_a_scan_found_is_shown_at_a_glance() {
    let kept = Kept::new();
    insta::assert_snapshot!("list", kept.done(&["list"]).out);
    insta::assert_snapshot!("show", kept.done(&["show", ID]).out);
    insta::assert_snapshot!("show_all", kept.done(&["show", ID, "--all"]).out);
    insta::assert_snapshot!("list_json", kept.done(&["list", "--json"]).out);
    let shown = kept.shown();
    insta::assert_json_snapshot!("show_json_clocks", (&shown["clocks"], &shown["not_started"]));
}

#[test]
fn a_whole_life_is_lived_and_verified_and_an_edit_is_found() {
    let kept = Kept::new();
    kept.done(&["acknowledge", ID]);
    kept.done(&["assign", ID, "Ada Lovelace"]);
    let confirmed = kept.done(&["confirm", ID, "--reason", "the exports are in the logs"]);
    assert!(confirmed.out.contains("It is confirmed, at revision"), "{confirmed:?}");
    let reason = ["--reason", "operations told legal"];
    let aware = kept.done(&[&["aware", ID, "2026-11-24T12:40+01:00"], &reason[..]].concat());
    assert!(
        aware.out.contains("due Wed 25 Nov 2026 12:40 CET (11:40 UTC): own-insurer"),
        "{aware:?}"
    );
    kept.done(&["risk", ID, "high_risk", "--reason", "health data"]);
    kept.done(&["contain", ID, "sessions revoked", "--at", "2026-11-24T11:50Z"]);
    kept.done(&["fact", ID, "controller_kind", "company", "--reason", "a GmbH"]);
    kept.done(&["decide", ID, "eu-gdpr-33-1", "--notify", "--reason", "the law asks for it"]);
    let attachment = kept.0.path().join("form.txt");
    fs::write(&attachment, "abc").unwrap();
    let sent = ["sent", ID, "eu-gdpr-33-1", "uk-gdpr-33-1", "--to", "the authorities"];
    let with = ["--reference", "2026/11", "--attach", attachment.to_str().unwrap()];
    kept.done(&[&sent[..], &with[..]].concat());
    let shown = kept.shown();
    assert!(!running(&shown).contains(&"eu-gdpr-33-1".to_owned()), "{:#}", shown["clocks"]);
    let notification = &shown["incident"]["notifications"]["eu-gdpr-33-1"][0];
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(notification["attachments"]["form.txt"], abc);

    kept.done(&["decide", ID, "own-insurer", "--not-notify", "--reason", "below the excess"]);
    kept.done(&["comment", ID, "the press asks"]);
    kept.refused(&["close", ID, "--reason", "all is done"], 1, "record what was sent, or decide");
    insta::assert_snapshot!("show_midway", kept.done(&["show", ID]).out);

    // One answer may bring a duty that was hidden before, so until none is left.
    for round in 0.. {
        assert!(round < 5, "clocks go on: {:?}", running(&kept.shown()));
        let duties = running(&kept.shown());
        if duties.is_empty() {
            break;
        }
        let duties: Vec<&str> = duties.iter().map(String::as_str).collect();
        let decided = [&["decide", ID], &duties[..], &["--not-notify", "--reason", "weighed"]];
        kept.done(&decided.concat());
    }
    kept.done(&["close", ID, "--reason", "all is done"]);
    assert_eq!(kept.done(&["list"]).out, "No incident is open.\n");
    assert!(kept.done(&["list", "--all"]).out.contains("closed"));
    kept.refused(&["risk", ID, "risk", "--reason", "again"], 1, "reopen it first");
    kept.done(&["reopen", ID, "--reason", "a question is left"]);
    kept.done(&["dismiss", ID, "--reason", "it was an exercise"]);

    let whole = kept.done(&["verify"]);
    assert!(whole.out.starts_with(&format!("{ID}: whole; ")), "{whole:?}");
    let file = kept.incident_file();
    let text = fs::read_to_string(&file).unwrap();
    let edited = text.replacen("the press asks", "the press sleeps", 1);
    assert_ne!(text, edited);
    fs::write(&file, edited).unwrap();
    let broken = kept.say(&["verify", ID]);
    assert_eq!(broken.code, Some(1), "{broken:?}");
    assert!(
        broken.out.contains("NOT WHOLE\n  entry ") && broken.out.contains("was edited"),
        "{broken:?}"
    );
    let broken = kept.say(&["verify", "--json"]);
    assert_eq!(broken.code, Some(1));
    let broken = broken.json();
    assert_eq!(broken["whole"], false);
    assert_eq!(broken["incidents"][0]["flaws"][0]["flaw"], "entry_edited");
}

#[test]
fn what_makes_no_sense_is_refused_and_says_what_to_do() {
    let kept = Kept::new();
    let reason = ["--reason", "so it is"];
    let refused = |arguments: &[&str], code, why| {
        kept.refused(&[arguments, &reason[..]].concat(), code, why);
    };
    refused(
        &["confirm", "BC-000000000000"],
        2,
        "there is no incident BC-000000000000 here; `breachclock",
    );
    refused(
        &["confirm", "509D550EFC34"],
        2,
        "an incident is named BC- and twelve hexadecimal digits",
    );
    refused(&["aware", ID, "2026-11-24T11:40"], 2, "write day, time and zone");
    refused(&["aware", ID, "2026-11-25T11:40Z"], 1, "that lies ahead; mind the zone");
    refused(&["aware", ID, "2026-11-20T11:40Z"], 1, "set the moment of occurrence first");
    refused(&["risk", ID, "hihg_risk"], 2, "high_risk");
    refused(&["decide", ID, "eu-gdpr-33-1"], 2, "--notify|--not-notify");
    refused(&["decide", ID, "eu-gdpr-33-1", "--notify", "--not-notify"], 2, "cannot be used with");
    refused(
        &["decide", ID, "eu-gdpr-99", "--notify"],
        1,
        "clocks run for: own-insurer, eu-gdpr-33-5",
    );
    refused(&["delay", ID], 2, "<DUTY>");
    refused(&["fact", ID, "controler_kind", "company"], 1, "did you mean controller_kind?");
    refused(&["fact", ID, "ransom_paid", "maybe"], 1, "write true or false");
    for number in ["many", "-5", "1.5", "true"] {
        refused(&["fact", ID, "subject_count", number], 1, "write a whole number from 0 on");
    }
    refused(
        &["fact", ID, "subject_country", "[\"DE\",\"Germany\"]"],
        1,
        "write a code of ISO 3166",
    );
    refused(&["fact", ID, "controller_kind", "eu_instituton"], 1, "did you mean eu_institution?");
    refused(&["fact", ID, "risk", "high_risk"], 1, "breachclock incident risk INCIDENT LEVEL");
    refused(&["reopen", ID], 1, "only what is closed or dismissed can be reopened");
    refused(&["merge", ID, "--into", ID], 1, "name another one");
    refused(
        &["merge", ID, "--into", "BC-000000000000"],
        2,
        "there is no incident BC-000000000000 here",
    );
    refused(&["split", ID, "--from", "2026-11-24"], 1, "cannot be split");
    kept.refused(&["confirm", ID], 2, "--reason <TEXT>");
    kept.refused(&["confirm", ID, "--reason", " "], 1, "the reason is empty; write on what ground");
    kept.refused(&["sent", ID, "eu-gdpr-33-1"], 2, "--to <RECIPIENT>");
    let attach = ["sent", ID, "eu-gdpr-33-1", "--to", "x", "--attach", "no-such-file"];
    kept.refused(&attach, 2, "the attachment no-such-file cannot be read");
    kept.refused(&["comment", ID, "anonymous", "--by", " "], 2, "say who decides with --by NAME");

    let said = kept.say(&["aware", ID, "2026-11-25T11:40Z", "--reason", "x", "--json"]);
    assert_eq!((said.code, said.err.as_str()), (Some(1), ""));
    assert!(said.json()["refused"].as_str().unwrap().contains("that lies ahead"), "{said:?}");
}

#[test]
fn the_place_is_named_and_has_to_be_one() {
    let nowhere = breachclock(&["incident", "list"]);
    assert_eq!(nowhere.status.code(), Some(2));
    let told = String::from_utf8(nowhere.stderr).unwrap();
    assert!(told.contains("say where the incidents are: --folder DIR"), "{told}");
    let twice = breachclock(&["incident", "list", "--folder", "a", "--stack", "b"]);
    assert!(String::from_utf8(twice.stderr).unwrap().contains("name one of them"));
    let none = breachclock(&["incident", "list", "--folder", "events"]);
    assert_eq!(none.status.code(), Some(2));
    let told = String::from_utf8(none.stderr).unwrap();
    assert!(told.contains("is it a folder that `scan --keep` wrote?"), "{told}");
    let outputs = tempfile::NamedTempFile::new().unwrap();
    fs::write(outputs.path(), r#"{"Other": {"Bucket": "b"}}"#).unwrap();
    let other = breachclock(&["incident", "list", "--stack", outputs.path().to_str().unwrap()]);
    assert_eq!(other.status.code(), Some(2));
    let told = String::from_utf8(other.stderr).unwrap();
    assert!(
        told.contains("has no output AccessTable; is it that of a stack of Breachclock?"),
        "{told}"
    );
    let deployed = breachclock(&["incident", "list", "--stack", "x.json", "--as-of", NOW]);
    assert!(String::from_utf8(deployed.stderr).unwrap().contains("--as-of is for a folder"));
}

#[test]
fn a_damaged_file_is_told_and_hides_no_other_incident() {
    let kept = Kept::new();
    fs::write(kept.0.path().join("incidents/BC-000000000000.json"), "{").unwrap();
    let listed = kept.say(&["list"]);
    assert_eq!(listed.code, Some(2), "{listed:?}");
    assert!(listed.out.contains(ID), "{listed:?}");
    assert!(listed.out.contains("BC-000000000000  CANNOT BE READ: "), "{listed:?}");
    let listed = kept.say(&["list", "--json"]).json();
    assert_eq!(listed["incidents"][0]["incident_id"], ID);
    assert_eq!(listed["unreadable"][0]["incident_id"], "BC-000000000000");
    let verified = kept.say(&["verify"]);
    assert_eq!(verified.code, Some(1));
    assert!(verified.out.contains("BC-000000000000: NOT WHOLE"), "{verified:?}");
    assert!(verified.out.contains(&format!("{ID}: whole;")), "{verified:?}");
}

#[test]
fn the_same_command_twice_is_recorded_once_also_where_it_leaves_the_instant_out() {
    let kept = Kept::new();
    for arguments in [
        &["contain", ID, "sessions revoked", "--command-id", "first"][..],
        &["sent", ID, "eu-gdpr-33-1", "--to", "the authority", "--command-id", "second"],
    ] {
        kept.done(arguments);
        let recorded = fs::read(kept.incident_file()).unwrap();
        let again = kept.at("2026-11-24T13:00:00Z", arguments);
        assert_eq!(again.code, Some(0), "{again:?}");
        assert!(again.out.contains("was recorded before"), "{again:?}");
        assert_eq!(fs::read(kept.incident_file()).unwrap(), recorded);
    }
    let other = ["contain", ID, "app revoked", "--command-id", "first"];
    kept.refused(&other, 1, "give this one an id of its own");
}

#[test]
fn a_decision_on_what_has_changed_since_is_refused() {
    let kept = Kept::new();
    let seen = kept.shown()["incident"]["revision"].to_string();
    kept.done(&["confirm", ID, "--reason", "so it is", "--revision", &seen]);
    let late = ["risk", ID, "unlikely", "--reason", "so it is", "--revision", &seen];
    kept.refused(&late, 1, "look at it again");
    kept.done(&["comment", ID, "a remark is never out of place", "--revision", &seen]);
}

#[test]
fn two_commands_at_once_are_both_recorded() {
    let kept = Kept::new();
    std::thread::scope(|scope| {
        for number in 0..4 {
            let kept = &kept;
            scope.spawn(move || kept.done(&["comment", ID, &format!("remark {number}")]));
        }
    });
    let shown = kept.shown();
    let kinds = shown["timeline"].as_array().unwrap().iter().map(|entry| &entry["kind"]);
    assert_eq!(kinds.filter(|kind| **kind == "commented").count(), 4);
    assert!(kept.done(&["verify"]).out.contains("whole"));
}

#[test]
fn what_is_overdue_stands_first_and_loudly() {
    let kept = Kept::new();
    let late = kept.at("2026-11-28T12:00:00Z", &["list"]);
    assert!(late.out.contains("OVERDUE by 72 h 30 min, due Wed 25 Nov 2026 12:30 CET"), "{late:?}");
    let shown = kept.at("2026-11-28T12:00:00Z", &["show", ID]);
    assert!(shown.out.contains("OVERDUE by 24 h 30 min if it applies, may be due"), "{shown:?}");
}

/// The morning was scanned; the same again on the day after joins it, from a folder that holds that day alone.
#[test]
fn a_day_is_split_off_and_merged_back() {
    let logs = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(repository().join("events/morning")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let Ok(log) = fs::read_to_string(&path) else { continue };
        let next_day = log.replace("2026-11-24", "2026-11-25").replace("20261124", "20261125");
        fs::write(logs.path().join(name), next_day).unwrap();
    }
    let kept = Kept::new();
    let (logs, keep) = (logs.path().to_str().unwrap(), kept.0.path().to_str().unwrap());
    let now = "2026-11-26T12:00:00Z";
    let scan = ["scan", logs, "--config", "infra/config", "--keep", keep, "--as-of", now];
    assert_eq!(breachclock(&scan).status.code(), Some(1));
    let open = || {
        let listed = kept.at(now, &["list", "--json"]).json();
        let ids = listed["incidents"].as_array().unwrap().iter();
        ids.map(|line| line["incident_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(open(), [ID]);
    let findings = &kept.shown()["incident"]["findings"];
    assert!(findings["first_event_at"].as_str().unwrap().starts_with("2026-11-24"), "{findings:#}");
    assert!(findings["last_event_at"].as_str().unwrap().starts_with("2026-11-25"), "{findings:#}");
    let split = ["split", ID, "--from", "2026-11-25", "--reason", "another cause", "--json"];
    let new = kept.at(now, &split).json()["incident_id"].as_str().unwrap().to_owned();
    assert_eq!(kept.at(now, &split).json()["done_before"], true);
    assert!(open().contains(&new) && open().len() == 2, "{:?}", open());
    let merge = ["merge", &new, "--into", ID, "--reason", "the same cause"];
    for told in ["recorded.", "was recorded before"] {
        let merged = kept.at(now, &merge);
        assert!(merged.code == Some(0) && merged.out.contains(told), "{merged:?}");
    }
    assert_eq!(open(), [ID]);
    let refused = kept.at(now, &["confirm", &new, "--reason", "so it is"]);
    assert!(refused.code == Some(1) && refused.err.contains(&format!("decide on {ID}")));
    assert!(kept.at(now, &["show", ID]).out.contains(&format!("{new} is part of it")));
    assert_eq!(kept.at(now, &["verify"]).code, Some(0));
}

/// A scan into a folder goes on with what it holds: a day of which nothing new came stays part of its incident.
#[test]
fn a_second_scan_goes_on_with_the_incidents_of_the_first() {
    let kept = Kept::new();
    let before = kept.shown();
    let keep = kept.0.path().to_str().unwrap();
    let scan = ["scan", "-", "--config", "infra/config", "--keep", keep, "--as-of", NOW];
    let nothing = breachclock(&scan);
    assert_eq!(nothing.status.code(), Some(0), "{nothing:?}");
    assert_eq!(kept.shown()["timeline"], before["timeline"]);
    let again = ["scan", "events/morning", "--config", "infra/config"];
    let again = breachclock(&[&again[..], &["--keep", keep, "--as-of", NOW]].concat());
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(kept.shown()["timeline"], before["timeline"], "the same logs are no news");
}
