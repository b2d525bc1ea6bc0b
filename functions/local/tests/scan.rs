//! The command as a person runs it: its output, its exit codes, and that every line keeps to its schema.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use flate2::{Compression, write::GzEncoder};
use jsonschema::Validator;
use serde_json::Value;
use worlds::CANARY_PERSONAL_DATA;

/// A fixed moment of detection, so that the output is the same on every day.
const AS_OF: &str = "2026-11-24T11:30:00Z";

fn repository() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
}

/// Runs the command in the repository's folder, with `input` on standard input.
fn breachclock(arguments: &[&str], input: &[u8]) -> Output {
    let mut running = Command::new(env!("CARGO_BIN_EXE_breachclock"))
        .args(arguments)
        .current_dir(repository())
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input closes it.
    let _ = running.stdin.take().unwrap().write_all(input);
    let output = running.wait_with_output().unwrap();
    for stream in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(stream);
        assert!(!text.contains(CANARY_PERSONAL_DATA), "personal data after {arguments:?}: {text}");
    }
    output
}

fn scan(paths: &[&str], format: &str) -> Output {
    scan_of(paths, format, b"")
}

fn scan_of(paths: &[&str], format: &str, input: &[u8]) -> Output {
    let options = ["--config", "infra/config", "--as-of", AS_OF, "--format", format];
    let arguments: Vec<&str> = ["scan"].iter().chain(paths).chain(&options).copied().collect();
    breachclock(&arguments, input)
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn schema() -> Validator {
    let schema = fs::read(repository().join("docs/scan.schema.json")).unwrap();
    let schema: Value = serde_json::from_slice(&schema).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

/// The lines of a JSON output, each held to the schema; the last is the summary.
fn lines(output: &Output) -> (Vec<Value>, Value) {
    let schema = schema();
    let mut lines: Vec<Value> =
        text(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        let wrong: Vec<String> = schema
            .iter_errors(line)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{line:#}\n{wrong:#?}");
    }
    let summary = lines.pop().unwrap();
    assert_eq!(summary["kind"], "summary");
    assert!(lines.iter().all(|line| line["kind"] == "incident"));
    (lines, summary)
}

fn files(summary: &Value, list: &str) -> BTreeSet<String> {
    let files = summary[list].as_array().unwrap().iter();
    files.map(|file| file["file"].as_str().unwrap().to_owned()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The file of that event type and hour in the morning.
fn morning_file(prefix: &str) -> String {
    let folder = repository().join("events/morning");
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let name = names.map(|name| name.into_string().unwrap()).find(|name| name.starts_with(prefix));
    format!("events/morning/{}", name.unwrap())
}

#[test]
fn the_morning_as_people_read_it() {
    let output = scan(&["events/morning"], "text");
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.is_empty(), "{output:?}");
    insta::assert_snapshot!(text(&output));
}

/// What the README shows is what the command prints.
#[test]
fn the_readme_shows_the_page_of_the_morning() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let output = text(&scan(&["events/morning"], "text"));
    let parts: Vec<&str> = output.split(&format!("{}\n", "=".repeat(76))).collect();
    let [_, page, summary] = parts.as_slice() else { panic!("{} parts", parts.len()) };
    assert!(readme.contains(page.trim_end()), "the README shows another page than this:\n{page}");
    assert!(
        readme.contains(summary.trim_end()),
        "the README shows another end than this:\n{summary}"
    );
}

#[test]
fn the_morning_as_machines_read_it() {
    let output = scan(&["events/morning"], "json");
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.is_empty(), "{output:?}");
    let (incidents, summary) = lines(&output);
    insta::assert_json_snapshot!((incidents, summary));
}

#[test]
fn the_schema_refuses_what_is_not_in_it() {
    let (incidents, summary) = lines(&scan(&["events/morning"], "json"));
    let schema = schema();
    for line in incidents.iter().chain([&summary]) {
        let mut more = line.clone();
        more["user_name"] = "somebody".into();
        assert!(!schema.is_valid(&more), "a field more");
        for field in line.as_object().unwrap().keys() {
            let mut less = line.clone();
            less.as_object_mut().unwrap().remove(field);
            assert!(!schema.is_valid(&less), "without {field}");
        }
    }
}

#[test]
fn bad_files_are_told_with_their_reasons_and_the_exit_code_is_2() {
    let output = scan(&["events/bad"], "text");
    assert_eq!(output.status.code(), Some(2));
    let text = text(&output);
    let (_incidents, summary) = text.rsplit_once("====\n").unwrap();
    insta::assert_snapshot!(summary);
    lines(&scan(&["events/bad"], "json"));
}

#[test]
fn well_behaved_agents_are_no_incident_and_the_exit_code_is_0() {
    let copy_of_the_night = morning_file("BulkApi2_2026-11-24T00");
    let output = scan(&[&copy_of_the_night], "json");
    assert_eq!(output.status.code(), Some(0));
    let (incidents, summary) = lines(&output);
    assert!(incidents.is_empty());
    assert_eq!(summary["files"], 1);
    assert!(summary["rows_by_agent"]["warehouse-sync"].as_u64() > Some(0), "{summary:#}");
}

#[test]
fn the_whole_folder_holds_the_incidents_of_the_morning_and_no_others() {
    let (of_the_morning, _) = lines(&scan(&["events/morning"], "json"));
    let everything = scan(&["events"], "json");
    assert_eq!(everything.status.code(), Some(2), "the bad files are in it");
    let (of_everything, _) = lines(&everything);
    assert_eq!(of_the_morning, of_everything);
    assert_eq!(of_the_morning.len(), 1);
}

#[test]
fn the_order_of_paths_and_a_folder_given_twice_change_no_incident() {
    let (once, _) = lines(&scan(&["events/morning"], "json"));
    let first = morning_file("RestApi_2026-11-24T10");
    let (again, _) = lines(&scan(&[&first, "events/morning", "events/morning/."], "json"));
    assert_eq!(once, again);
}

/// Four weeks around the clock, from which one type drops out for the last day.
/// Files of the same hours are read at the same time, and are in each other's way.
#[test]
fn however_many_files_are_read_at_a_time_the_page_is_the_same() {
    let on = |threads: &str| {
        let options = ["scan", "events", "--config", "infra/config", "--as-of", AS_OF];
        let output = breachclock(&[&options[..], &["--threads", threads]].concat(), b"");
        assert_eq!(output.status.code(), Some(2));
        text(&output)
    };
    let alone = on("1");
    assert!(alone.contains("1 incident in"), "{alone}");
    for threads in ["2", "16"] {
        assert_eq!(on(threads), alone, "{threads} threads");
    }
}

#[test]
fn hours_that_are_missing_against_the_habit_are_shown() {
    let mut log = "EVENT_TYPE,ORGANIZATION_ID,TIMESTAMP_DERIVED\n".to_owned();
    for (event_type, days) in [("Login", 21..49), ("RestApi", 21..48)] {
        for day in days {
            let (month, day) = if day > 31 { (11, day - 31) } else { (10, day) };
            for hour in 0..24 {
                let at = format!("2026-{month}-{day:02}T{hour:02}:30:00.000Z");
                log.push_str(&[event_type, "00D5g000004Hq3K", &at].join(","));
                log.push('\n');
            }
        }
    }
    let shown = text(&scan_of(&["-"], "text", log.as_bytes()));
    assert!(shown.contains("  Login: 672\n"), "{shown}");
    let missing = "  RestApi: 648; 24 missing against its habit, from 2026-11-17T00\n";
    assert!(shown.contains(missing), "{shown}");
    let (_, summary) = lines(&scan_of(&["-"], "json", log.as_bytes()));
    let verdicts = summary["delivery"].as_array().unwrap().iter();
    let verdicts: Vec<_> = verdicts.map(|line| line["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["silent", "on_time"]);
}

/// The canary stands in the texts and user names of this export: [`breachclock`] sees that it is in no output.
#[test]
fn what_setup_audit_trail_tells_of_the_logs_is_shown() {
    let export =
        |ending: &str| format!("shared/eventlog/tests/fixtures/setup_audit_trail.{ending}");
    assert!(
        fs::read_to_string(repository().join(export("csv")))
            .unwrap()
            .contains(CANARY_PERSONAL_DATA)
    );
    let output = scan(&[&export("json"), &export("csv")], "text");
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(text(&output));
    let (incidents, summary) = lines(&scan(&[&export("json"), &export("csv")], "json"));
    assert!(incidents.is_empty());
    insta::assert_json_snapshot!(summary);
}

#[test]
fn the_folder_of_an_org_says_whose_its_files_are() {
    let folder = tempfile::tempdir().unwrap();
    let of_org = folder.path().join("orgs/00D5g00004OtherEAX/audit");
    fs::create_dir_all(&of_org).unwrap();
    let export = repository().join("shared/eventlog/tests/fixtures/setup_audit_trail.json");
    fs::copy(export, of_org.join("trail.json")).unwrap();
    let (_, summary) = lines(&scan(&[folder.path().to_str().unwrap()], "json"));
    assert_eq!(summary["log_tampering"][0]["org_id"], "00D5g00004Other");
}

#[test]
fn standard_input_is_read_plain_and_compressed() {
    let leak = fs::read(repository().join(morning_file("BulkApi2_2026-11-24T10"))).unwrap();
    let from_file = lines(&scan(&[&morning_file("BulkApi2_2026-11-24T10")], "json"));
    assert_eq!(from_file.0.len(), 1, "the job that took the contacts");
    for input in [leak.clone(), gzip(&leak)] {
        let output = scan_of(&["-"], "json", &input);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(lines(&output), from_file);
    }
}

#[test]
fn a_cut_standard_input_is_told_as_such() {
    let leak = fs::read(repository().join(morning_file("BulkApi2_2026-11-24T10"))).unwrap();
    let whole = gzip(&leak);
    let output = scan_of(&["-"], "json", &whole[..whole.len() - 12]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(files(&lines(&output).1, "files_unread"), BTreeSet::from(["-".to_owned()]));
}

#[test]
fn a_path_that_is_not_there_is_named() {
    let output = scan(&["events/no-such-folder"], "text");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("events/no-such-folder cannot be read"), "{told}");
}

/// A folder may hold anything: what cannot be looked into is told, and the rest is read.
#[cfg(unix)]
#[test]
fn what_cannot_be_looked_into_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("sound.csv"), "EVENT_TYPE,TIMESTAMP,ORGANIZATION_ID\n").unwrap();
    std::os::unix::fs::symlink(path("not-there.csv"), path("broken.csv")).unwrap();
    std::os::unix::fs::symlink(folder.path(), path("around")).unwrap();
    std::os::unix::fs::symlink(path("sound.csv"), path("linked.csv")).unwrap();
    let output = scan(&[folder.path().to_str().unwrap()], "json");
    assert_eq!(output.status.code(), Some(2));
    let summary = lines(&output).1;
    let unread = files(&summary, "files_unread");
    let names: Vec<&str> = unread.iter().map(|file| file.rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["around", "broken.csv"]);
    assert_eq!(summary["files"], 2, "{summary:#}");
}

#[test]
fn a_missing_configuration_is_named() {
    let output = breachclock(&["scan", "events/morning", "--config", "no-such-config"], b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("the configuration folder no-such-config cannot be read"), "{told}");
}

#[test]
fn check_tells_a_sound_configuration_from_a_wrong_one() {
    let sound = breachclock(&["check", "--config", "infra/config"], b"");
    assert_eq!(sound.status.code(), Some(0));
    assert_eq!(text(&sound), "infra/config is sound: 4 agents in 1 orgs\n");

    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(repository().join("infra/config")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let orgs = folder.path().join("orgs.yaml");
    let misspelt =
        fs::read_to_string(&orgs).unwrap().replace("kind: production", "kind: produktion");
    fs::write(&orgs, misspelt).unwrap();
    let output = breachclock(&["check", "--config", folder.path().to_str().unwrap()], b"");
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("orgs.yaml:5:") && told.contains("did you mean production?"), "{told}");
}

/// Every file that others published is read, or its reason stands in the output: none is passed over in silence.
#[test]
fn every_published_sample_is_read_or_refused_with_a_reason() {
    fn files_under(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { files_under(&path, found) } else { found.push(path) }
        }
    }
    let folder = repository().join("../shared/salesforce/samples");
    if !folder.is_dir() {
        println!("skipped: the samples are not at {}", folder.display());
        return;
    }
    let mut samples = Vec::new();
    files_under(&folder, &mut samples);
    assert!(!samples.is_empty());
    for sample in samples {
        let path = sample.to_str().unwrap();
        let output = scan(&[path], "json");
        let (_, summary) = lines(&output);
        let listed = files(&summary, "files_unread")
            .into_iter()
            .chain(files(&summary, "files_ignored"))
            .any(|file| file == path);
        let unread = !files(&summary, "files_unread").is_empty();
        assert_eq!(unread, output.status.code() == Some(2), "{path}");
        let read = summary["rows"].as_u64() > Some(0);
        let said = ["log_gaps", "quarantined"]
            .iter()
            .any(|list| !summary[list].as_object().unwrap().is_empty());
        assert!(listed || read || said, "{path} was passed over in silence: {summary:#}");
    }
}
