//! What is found where the record is not what was written.

use std::{fs, io::Write as _, process::Command as Process};

use assessment::findings::SeverityLevel;
use incident::{Action, Case, Flaw, TimelineEntry, TimelineHead, audit};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    decisions::aware_at,
    support::{Kept, REGIME, at, findings, hours_in, ids, notification, one_duty, opened_at},
};

/// What a table holds of an incident.
#[derive(Clone)]
struct Stored {
    incident: Value,
    alerts: Vec<Value>,
    timeline: Vec<Value>,
}

impl Stored {
    fn of(kept: &Kept) -> Self {
        let (incident, alerts) = (kept.stored_incident(), kept.stored_alerts());
        Self { incident, alerts, timeline: kept.stored_timeline.clone() }
    }

    fn flaws(&self) -> Vec<Flaw> {
        audit(&self.incident, &self.alerts, &self.timeline, &[])
    }

    /// What is found after something was done to it.
    fn after(&self, tamper: impl FnOnce(&mut Self)) -> Vec<Flaw> {
        let mut other = self.clone();
        tamper(&mut other);
        other.flaws()
    }

    fn last(&self) -> u64 {
        u64::try_from(self.timeline.len()).unwrap()
    }
}

/// A life with most that can be in one: texts of all kinds among them.
fn lived() -> Kept {
    let mut kept = Kept::open(one_duty(), findings(SeverityLevel::High, 1));
    kept.publish_all(opened_at());
    kept.command(Action::Acknowledge, hours_in(1)).unwrap();
    let text =
        "„Müller & Søn“ \"said\" \\ so:\n\ttab, \u{1}bell\u{7f}\u{2028}, 日本語 🦀".to_owned();
    kept.command(Action::Comment { text }, hours_in(1)).unwrap();
    kept.command(aware_at(at("2026-11-24T09:30:00Z")), hours_in(2)).unwrap();
    kept.sweep_and_publish(hours_in(40));
    kept.extend(findings(SeverityLevel::Critical, 2), hours_in(41)).unwrap();
    // Keys that UTF-16 and Unicode sort in another order, and ones that want escaping.
    let value = json!({"by_place": {"🦀": 1, "\u{fb01}": -2, "a\"b": null, "é": [true, "x"]}});
    let reason = "asked".to_owned();
    let fact = Action::CorrectFact { fact: "employees".to_owned(), value, reason };
    kept.command(fact, hours_in(42)).unwrap();
    let mut sent = notification(hours_in(43));
    sent.attachments = [("Meldung 🦀.pdf", "a"), ("Meldung \u{fb01}.pdf", "b")]
        .map(|(name, digit)| (name.to_owned(), digit.repeat(64)))
        .into();
    let regime_ids = ids(&[REGIME]);
    kept.command(Action::RecordSent { regime_ids, notification: sent }, hours_in(43)).unwrap();
    kept
}

/// Another value of the same kind.
fn other(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(format!("{text}x")),
        Value::Number(number) => json!(number.as_i64().unwrap() + 1),
        Value::Bool(is) => json!(!is),
        Value::Null => json!(1),
        Value::Array(values) => {
            let mut values = values.clone();
            values.push(json!("x"));
            Value::Array(values)
        }
        Value::Object(fields) => {
            let mut fields = fields.clone();
            fields.insert("x".to_owned(), json!("x"));
            Value::Object(fields)
        }
    }
}

fn fields(value: &Value) -> Vec<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

/// Every way to a value that holds no other.
fn leaves(value: &Value, at: &str) -> Vec<String> {
    let nested: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, one)| (name.clone(), one)).collect(),
        Value::Array(values) => {
            values.iter().enumerate().map(|(index, one)| (index.to_string(), one)).collect()
        }
        _ => return vec![at.to_owned()],
    };
    let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
    nested
        .into_iter()
        .flat_map(|(name, value)| leaves(value, &format!("{at}/{}", escaped(&name))))
        .collect()
}

#[test]
fn a_record_as_it_was_written_has_no_flaw() {
    let kept = lived();
    assert_eq!(Stored::of(&kept).flaws(), []);
    let heads: Vec<TimelineHead> = kept.timeline.iter().map(head).collect();
    let stored = Stored::of(&kept);
    assert_eq!(audit(&stored.incident, &stored.alerts, &stored.timeline, &heads), []);
}

fn head(entry: &TimelineEntry) -> TimelineHead {
    TimelineHead { sequence: entry.sequence, hash: entry.hash.clone() }
}

#[test]
fn every_edit_of_an_entry_is_found_where_it_was_made() {
    let stored = Stored::of(&lived());
    let mut count = 0;
    for (index, sequence) in (0..stored.timeline.len()).zip(1_u64..) {
        for leaf in leaves(&stored.timeline[index], "") {
            let flaws = stored.after(|stored| {
                let value = stored.timeline[index].pointer_mut(&leaf).unwrap();
                *value = other(value);
            });
            let edited = Flaw::EntryEdited { sequence };
            assert_eq!(flaws.first(), Some(&edited), "{leaf} of entry {sequence}");
            count += 1;
        }
        for name in fields(&stored.timeline[index]) {
            let flaws = stored.after(|stored| {
                stored.timeline[index].as_object_mut().unwrap().remove(&name);
            });
            assert_eq!(flaws.first(), Some(&Flaw::EntryEdited { sequence }), "without {name}");
        }
        let flaws = stored.after(|stored| stored.timeline[index]["remark"] = json!("harmless"));
        assert_eq!(flaws, [Flaw::EntryEdited { sequence }], "with a field more");
    }
    assert!(count > 300, "{count} values are few for a life");
}

#[test]
fn an_edit_with_a_hash_that_fits_breaks_the_chain_after_it() {
    let stored = Stored::of(&lived());
    for (index, sequence) in (0..stored.timeline.len()).zip(1_u64..) {
        let flaws = stored.after(|stored| {
            stored.timeline[index]["actor"] = json!("somebody else");
            rehash(&mut stored.timeline[index]);
        });
        if sequence < stored.last() {
            assert_eq!(flaws, [Flaw::ChainBroken { sequence: sequence + 1 }]);
        } else {
            // Nothing follows the last one but the incident itself, which knows its hash.
            let [Flaw::IncidentEdited { fields }] = &flaws[..] else { panic!("{flaws:?}") };
            assert!(fields.contains(&"timeline_head".to_owned()), "{fields:?}");
        }
    }
}

/// Gives an entry the hash of what it says, as `docs/EVIDENCE.md` has it.
fn rehash(entry: &mut Value) {
    let mut fields = entry.as_object().unwrap().clone();
    fields.remove("hash");
    let canonical = serde_json_canonicalizer::to_vec(&fields).unwrap();
    entry["hash"] = json!(hex::encode(Sha256::digest(canonical)));
}

/// Numbers and chains the entries anew from that one on.
fn rechain(timeline: &mut [Value], from: usize) {
    for index in from..timeline.len() {
        let previous = index.checked_sub(1).map_or(json!(""), |at| timeline[at]["hash"].clone());
        timeline[index]["sequence"] = json!(index + 1);
        timeline[index]["previous_hash"] = previous;
        rehash(&mut timeline[index]);
    }
}

#[test]
fn every_removal_is_found_where_the_entry_was() {
    let stored = Stored::of(&lived());
    for (index, sequence) in (0..stored.timeline.len()).zip(1_u64..) {
        let flaws = stored.after(|stored| {
            stored.timeline.remove(index);
        });
        let expected = if sequence < stored.last() {
            Flaw::ChainBroken { sequence }
        } else {
            Flaw::EndMissing { last: sequence - 1, expected: sequence }
        };
        assert_eq!(flaws, [expected]);
    }
}

#[test]
fn every_cut_at_the_end_is_found() {
    let stored = Stored::of(&lived());
    for last in 0..stored.last() {
        let flaws = stored.after(|stored| stored.timeline.truncate(usize::try_from(last).unwrap()));
        assert_eq!(flaws, [Flaw::EndMissing { last, expected: stored.last() }]);
    }
}

#[test]
fn every_swap_is_found_at_the_first_of_the_two() {
    let stored = Stored::of(&lived());
    for one in 0..stored.timeline.len() {
        for two in one + 1..stored.timeline.len() {
            let flaws = stored.after(|stored| stored.timeline.swap(one, two));
            let sequence = u64::try_from(one).unwrap() + 1;
            assert_eq!(flaws.first(), Some(&Flaw::ChainBroken { sequence }), "{one}, {two}");
            assert!(flaws.iter().all(|flaw| !matches!(flaw, Flaw::EntryEdited { .. })));
        }
    }
}

#[test]
fn an_entry_that_is_put_in_or_repeated_is_found() {
    let stored = Stored::of(&lived());
    for index in 1..stored.timeline.len() {
        let flaws = stored.after(|stored| {
            let forged = stored.timeline[index - 1].clone();
            stored.timeline.insert(index, forged);
        });
        let sequence = u64::try_from(index).unwrap() + 1;
        assert_eq!(flaws.first(), Some(&Flaw::ChainBroken { sequence }));
    }
}

#[test]
fn a_forged_entry_at_the_end_is_found_though_its_hash_fits() {
    let stored = Stored::of(&lived());
    let flaws = stored.after(|stored| {
        let forged = stored.timeline.last().unwrap().clone();
        stored.timeline.push(forged);
        let last = stored.timeline.len() - 1;
        stored.timeline[last]["kind"] = json!("commented");
        stored.timeline[last]["text"] = json!("nobody wrote this");
        rechain(&mut stored.timeline, last);
    });
    assert_eq!(flaws, [Flaw::EndMissing { last: stored.last() + 1, expected: stored.last() }]);
}

#[test]
fn every_edit_of_the_incident_is_found_in_the_field_where_it_was_made() {
    let stored = Stored::of(&lived());
    for name in fields(&stored.incident) {
        let edited = stored.after(|stored| stored.incident[&name] = other(&stored.incident[&name]));
        let removed = stored.after(|stored| {
            stored.incident.as_object_mut().unwrap().remove(&name);
        });
        let expected = [Flaw::IncidentEdited { fields: vec![name.clone()] }];
        assert_eq!(edited, expected);
        if name == "timeline_head" {
            assert_eq!(removed, [Flaw::EndMissing { last: stored.last(), expected: 0 }]);
        } else {
            assert_eq!(removed, expected);
        }
    }
    let flaws = stored.after(|stored| stored.incident["remark"] = json!("harmless"));
    assert_eq!(flaws, [Flaw::IncidentEdited { fields: vec!["remark".to_owned()] }]);
    let flaws = stored.after(|stored| stored.incident = json!("nothing"));
    assert_eq!(flaws, [Flaw::EndMissing { last: stored.last(), expected: 0 }]);
}

#[test]
fn a_value_deep_within_the_incident_is_found_too() {
    let stored = Stored::of(&lived());
    for leaf in leaves(&stored.incident, "") {
        let flaws = stored.after(|stored| {
            let value = stored.incident.pointer_mut(&leaf).unwrap();
            *value = other(value);
        });
        let name = leaf.split('/').nth(1).unwrap().to_owned();
        if leaf == "/timeline_head/sequence" {
            let (last, expected) = (stored.last(), stored.last() + 1);
            assert_eq!(flaws, [Flaw::EndMissing { last, expected }]);
        } else {
            assert_eq!(flaws, [Flaw::IncidentEdited { fields: vec![name] }], "{leaf}");
        }
    }
}

#[test]
fn an_alert_that_is_edited_removed_or_put_in_is_found() {
    let stored = Stored::of(&lived());
    for index in 0..stored.alerts.len() {
        let id = stored.alerts[index]["alert_id"].as_str().unwrap().to_owned();
        for name in fields(&stored.alerts[index]) {
            let flaws = stored.after(|stored| {
                stored.alerts[index][&name] = other(&stored.alerts[index][&name]);
            });
            let edited = Flaw::AlertEdited { alert_id: id.clone() };
            if name == "alert_id" {
                let alert_id = format!("{id}x");
                assert_eq!(flaws, [Flaw::AlertEdited { alert_id }, edited]);
            } else {
                assert_eq!(flaws, [edited], "{name}");
            }
        }
        let expected = [Flaw::AlertEdited { alert_id: id.clone() }];
        let flaws = stored.after(|stored| {
            stored.alerts.remove(index);
        });
        assert_eq!(flaws, expected);
        let flaws = stored.after(|stored| stored.alerts[index]["remark"] = json!("harmless"));
        assert_eq!(flaws, expected);
        let flaws = stored.after(|stored| stored.alerts.push(stored.alerts[index].clone()));
        assert_eq!(flaws, expected, "one that is there twice");
    }
    let flaws = stored.after(|stored| stored.alerts.push(json!({"alert_id": "BC-1.forged"})));
    assert_eq!(flaws, [Flaw::AlertEdited { alert_id: "BC-1.forged".to_owned() }]);
}

#[test]
fn a_history_that_was_written_anew_is_found_by_the_heads_that_were_put_away() {
    let kept = lived();
    let mut forged = Stored::of(&kept);
    // The risk was never assessed, the remark never made: entries out, the rest chained and played anew.
    forged.timeline.retain(|entry| entry["kind"] != "commented");
    assert!(forged.timeline.len() < kept.timeline.len());
    rechain(&mut forged.timeline, 0);
    let entries: Vec<TimelineEntry> = forged
        .timeline
        .iter()
        .map(|entry| serde_json::from_value(entry.clone()).unwrap())
        .collect();
    let case = Case::replay(&entries).unwrap();
    forged.incident = serde_json::to_value(&case.incident).unwrap();
    forged.alerts =
        case.alerts.values().map(|alert| serde_json::to_value(alert).unwrap()).collect();
    assert_eq!(forged.flaws(), [], "it fits together");
    let mut found = Vec::new();
    for entry in &kept.timeline {
        let flaws = audit(&forged.incident, &forged.alerts, &forged.timeline, &[head(entry)]);
        let mismatch = Flaw::HeadMismatch { sequence: entry.sequence };
        assert!(flaws.is_empty() || flaws == [mismatch], "{flaws:?}");
        found.push(flaws.len());
    }
    let removed = kept.stored_timeline.iter().position(|entry| entry["kind"] == "commented");
    let removed = removed.unwrap();
    assert!(found[..removed].iter().all(|count| *count == 0), "until then nothing is forged");
    assert!(found[removed..].iter().all(|count| *count == 1));
}

#[test]
fn an_entry_of_a_later_version_is_named_and_not_taken_for_an_edit() {
    let mut stored = Stored::of(&lived());
    let last = stored.timeline.len() - 1;
    stored.timeline[last]["kind"] = json!("some_event_of_tomorrow");
    rehash(&mut stored.timeline[last]);
    let flaws = stored.flaws();
    let [Flaw::EntryUnreadable { sequence, reason }] = &flaws[..] else { panic!("{flaws:?}") };
    assert_eq!(*sequence, stored.last());
    assert!(reason.contains("some_event_of_tomorrow"), "{reason}");
}

#[test]
fn a_chain_that_does_not_begin_with_an_opening_is_broken_at_its_beginning() {
    let mut stored = Stored::of(&lived());
    stored.timeline.remove(0);
    rechain(&mut stored.timeline, 0);
    let last = stored.timeline.last().unwrap();
    let head = json!({"sequence": last["sequence"], "hash": last["hash"]});
    stored.incident["timeline_head"] = head;
    assert_eq!(stored.flaws(), [Flaw::ChainBroken { sequence: 1 }]);
}

#[test]
fn an_instant_at_the_end_of_time_is_no_end_of_the_audit() {
    let mut stored = Stored::of(&lived());
    let sweep = stored.timeline.iter().rposition(|one| one["kind"] == "alerts_owed").unwrap();
    stored.timeline[sweep]["at"] = json!("+262142-12-31T23:59:59Z");
    rechain(&mut stored.timeline, sweep);
    let last = stored.timeline.last().unwrap();
    let head = json!({"sequence": last["sequence"], "hash": last["hash"]});
    stored.incident["timeline_head"] = head;
    assert!(!stored.flaws().is_empty());
}

#[test]
fn every_flaw_is_a_sentence() {
    let stored = Stored::of(&lived());
    let missing = |stored: &mut Stored| stored.timeline.truncate(3);
    let edited = |stored: &mut Stored| stored.timeline[1]["actor"] = json!("somebody");
    let status = |stored: &mut Stored| {
        stored.incident["status"] = json!("closed");
        stored.alerts[0]["stage"] = json!("worsened");
    };
    let mut sentences = Vec::new();
    for flaws in [stored.after(missing), stored.after(edited), stored.after(status)] {
        sentences.extend(flaws.iter().map(ToString::to_string));
    }
    sentences.push(Flaw::ChainBroken { sequence: 2 }.to_string());
    sentences.push(Flaw::HeadMismatch { sequence: 2 }.to_string());
    let reason = "unknown variant `some_event_of_tomorrow`".to_owned();
    sentences.push(Flaw::EntryUnreadable { sequence: 2, reason }.to_string());
    insta::assert_snapshot!(sentences.join("\n"));
}

type Tamper = fn(&mut Vec<Value>);

/// What another program, in another language, says of a timeline.
fn verified_elsewhere(timeline: &[Value]) -> Option<String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for entry in timeline {
        writeln!(file, "{entry}").unwrap();
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/verify_chain.py");
    let output = match Process::new("python3").arg(script).arg(file.path()).output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => panic!("python3 cannot be run: {error}"),
    };
    let said = if output.status.success() { output.stdout } else { output.stderr };
    Some(String::from_utf8(said).unwrap().trim_end().to_owned())
}

#[test]
fn another_language_comes_to_the_same_chain() {
    let stored = Stored::of(&lived());
    let Some(said) = verified_elsewhere(&stored.timeline) else {
        println!("skipped: there is no python3 on this machine to check the chain with");
        return;
    };
    let head = &stored.incident["timeline_head"];
    assert_eq!(said, format!("{} {}", head["sequence"], head["hash"].as_str().unwrap()));
    let tampered: [(&str, Tamper); 4] = [
        ("3 broken", |timeline| timeline[2]["actor"] = json!("somebody")),
        ("2 broken", |timeline| drop(timeline.remove(1))),
        ("4 broken", |timeline| timeline.swap(3, 4)),
        ("5 broken", |timeline| timeline[4]["remark"] = json!("harmless")),
    ];
    for (expected, tamper) in tampered {
        let mut timeline = stored.timeline.clone();
        tamper(&mut timeline);
        assert_eq!(verified_elsewhere(&timeline).as_deref(), Some(expected));
    }
    let lines =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/verify_chain.py"));
    let lines = lines.unwrap().lines().count();
    assert!(lines <= 20, "{lines} lines are more than an auditor is promised");
}
