//! Every message as its reader gets it: subject and text for people, the body for machines held to its schema.
//!
//! The snapshots are meant to be read: what happened, how sure we are, what is due, by when, and what to do next.
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

use assessment::findings::{
    DataCategory, Findings, GapReason, ObjectExposure, Risk, Rule, Severity, SeverityLevel, Signal,
    SubjectBasis, SubjectEstimate,
};
use chrono::{DateTime, TimeDelta, Utc};
use deadlines::{Facts, Law, Organisation, ReminderPolicy, Stage};
use eventlog::{attribution::AgentKey, joins::Confidence};
use incident::{Alert, Change, Incident, Policy};
use jsonschema::Validator;
use notices::{Context, Notice, SUBJECT_CHARACTERS_MAX, notice};
use serde_json::Value;

const UNREGISTERED: &str = "unregistered:app:0H45g0000009zZq";

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn detected() -> DateTime<Utc> {
    instant("2026-11-24T11:03:27Z")
}

fn policy(facts: Facts) -> Policy {
    Policy {
        law: Law::embedded().unwrap().only(&["eu-gdpr-33-1"]).unwrap(),
        facts,
        organisation: Organisation::in_zone(chrono_tz::Europe::Berlin),
        reminders: ReminderPolicy::default(),
    }
}

fn of_a_controller_in_germany() -> Facts {
    of_a_controller_elsewhere().with("gdpr_applies", true)
}

fn of_a_controller_elsewhere() -> Facts {
    Facts::default().with("role", "controller").with("personal_data_breach", true)
}

fn signal(rule: Rule, weight: u32, object: &str, reason: &str) -> Signal {
    Signal {
        rule,
        weight,
        reason: reason.to_owned(),
        objects: BTreeSet::from([object.to_owned()]),
        row_count: 41,
        record_count: 9_312,
        first_at: instant("2026-11-24T09:12:11Z"),
        last_at: instant("2026-11-24T10:56:13Z"),
        evidence: BTreeSet::from(["01a04c2edff25ffac58ed58b20814300".to_owned()]),
    }
}

fn exposure(category: Option<DataCategory>, record_count: u64, uncounted: u64) -> ObjectExposure {
    ObjectExposure {
        category,
        row_count: 39,
        record_count,
        uncounted_row_count: uncounted,
        ..ObjectExposure::default()
    }
}

/// A support agent that read health data and exported contacts.
fn leak() -> Findings {
    Findings {
        org_id: "00D5g000004Hq3K".to_owned(),
        agent: AgentKey("support-copilot".to_owned()),
        first_event_at: instant("2026-11-24T09:12:11Z"),
        last_event_at: instant("2026-11-24T10:56:13Z"),
        score: 100,
        signals: vec![
            signal(
                Rule::ObjectOutsidePurpose,
                70,
                "Health_Intake__c",
                "Read Health_Intake__c, which its purpose answer-support-cases does not name: 9,312 records \
                 in 41 calls between 09:12 and 10:35 UTC.",
            ),
            signal(
                Rule::OperationOutsidePurpose,
                50,
                "Contact",
                "Exported Contact, an operation that its purpose answer-support-cases does not allow: 48,120 \
                 records in 1 call at 10:55 UTC.",
            ),
        ],
        severity: Severity {
            level: SeverityLevel::Critical,
            risk: Risk::HighRisk,
            level_at_lower: SeverityLevel::Critical,
            category: DataCategory::SpecialCategory,
            arithmetic:
                "special categories (Art. 9 GDPR), at most 9,312 persons: critical, high risk."
                    .to_owned(),
            matrix_version: "2026-11-25".to_owned(),
        },
        exposures: BTreeMap::from([
            ("Contact".to_owned(), exposure(Some(DataCategory::ContactIdentity), 48_120, 0)),
            (
                "Health_Intake__c".to_owned(),
                exposure(Some(DataCategory::SpecialCategory), 9_312, 2),
            ),
        ]),
        row_count: 95,
        record_count: 57_432,
        subject_estimate: SubjectEstimate {
            exact: 0,
            lower: 48_120,
            upper: Some(57_432),
            basis: SubjectBasis::RecordsCounted,
        },
        unsure_row_counts: BTreeMap::from([
            (Confidence::High, 12),
            (Confidence::Moderate, 1),
            (Confidence::Low, 2),
        ]),
        gaps: BTreeMap::from([
            (GapReason::UnclassifiedObject, 1),
            (GapReason::RecordsNotCounted, 1_204),
        ]),
        scoring_version: "2026-11-25".to_owned(),
    }
}

/// An application that nobody registered, and of which the logs say little.
fn undeclared() -> Findings {
    Findings {
        agent: AgentKey(UNREGISTERED.to_owned()),
        score: 45,
        signals: vec![signal(
            Rule::UndeclaredAgent,
            45,
            "Lead",
            "Read personal data as an agent that nobody registered: Lead, 1 call at 09:12 UTC.",
        )],
        severity: Severity {
            level: SeverityLevel::Medium,
            risk: Risk::Risk,
            level_at_lower: SeverityLevel::Low,
            category: DataCategory::ContactIdentity,
            arithmetic:
                "contact and identity data, an unknown number of persons, taken as 10,000 or more: \
                         medium, a risk; provisional, since at the lower bound (1) it would be low."
                    .to_owned(),
            matrix_version: "2026-11-25".to_owned(),
        },
        exposures: BTreeMap::from([("Lead".to_owned(), exposure(None, 0, 1))]),
        row_count: 1,
        record_count: 0,
        subject_estimate: SubjectEstimate {
            exact: 0,
            lower: 1,
            upper: None,
            basis: SubjectBasis::Uncounted,
        },
        unsure_row_counts: BTreeMap::new(),
        gaps: BTreeMap::from([(GapReason::UnregisteredAgent, 1)]),
        ..leak()
    }
}

fn context() -> Context {
    Context {
        organisation: "Meridian Cloud GmbH".to_owned(),
        environment: "production".to_owned(),
        time_zone: chrono_tz::Europe::Berlin,
        org_name: Some("Meridian production".to_owned()),
        agent_title: Some("Support copilot".to_owned()),
        agent_owner: Some("Customer Support Engineering".to_owned()),
    }
}

fn unregistered_context() -> Context {
    Context { agent_title: None, agent_owner: None, org_name: None, ..context() }
}

fn opened(findings: Findings, facts: Facts) -> Change {
    Incident::open(findings, 1, Some(detected()), detected(), &policy(facts), "assess")
}

/// The message of a stage, written so many minutes after its time.
fn message(change: &Change, stage: Stage, context: &Context, minutes_late: i64) -> Notice {
    let alert = change.alerts.iter().find(|alert| alert.stage == stage).unwrap();
    let now = alert.due_at + TimeDelta::minutes(minutes_late);
    checked(notice(&change.incident, alert, context, now))
}

/// Holds a message to what is true of all of them.
fn checked(notice: Notice) -> Notice {
    assert!(notice.subject.len() <= SUBJECT_CHARACTERS_MAX, "{}", notice.subject);
    assert!(notice.subject.chars().all(|c| c == ' ' || c.is_ascii_graphic()), "{}", notice.subject);
    let questions = [
        "WHAT HAPPENED",
        "HOW BAD IT IS",
        "WHAT IS DUE",
        "WHAT TO DO NOW",
        "HOW SURE WE ARE",
        "REFERENCE",
    ];
    let places: Vec<usize> =
        questions.iter().map(|question| notice.text.find(question).unwrap()).collect();
    assert!(places.is_sorted(), "{}", notice.text);
    assert!(notice.text.lines().all(|line| line.chars().count() <= 76), "{}", notice.text);
    let schema = schema();
    let wrong: Vec<String> = schema
        .iter_errors(&notice.json)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{:#}\n{wrong:#?}", notice.json);
    notice
}

fn schema() -> Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/webhook.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

fn for_people(notice: &Notice) -> String {
    let mut page = format!("Subject: {}\n", notice.subject);
    let attributes = &notice.attributes;
    write!(page, "Attributes: {attributes:?}\n\n{}", notice.text).unwrap();
    page
}

macro_rules! assert_message {
    ($notice:expr) => {
        let notice = $notice;
        insta::assert_snapshot!(for_people(&notice));
    };
}

#[test]
fn opened_by_a_registered_agent() {
    let change = opened(leak(), of_a_controller_in_germany());
    let notice = message(&change, Stage::Opened, &context(), 0);
    insta::assert_json_snapshot!("opened_by_a_registered_agent_for_machines", notice.json);
    assert_message!(notice);
}

#[test]
fn opened_by_an_agent_that_nobody_registered() {
    let change = opened(undeclared(), of_a_controller_elsewhere());
    let notice = message(&change, Stage::Opened, &unregistered_context(), 0);
    insta::assert_json_snapshot!(
        "opened_by_an_agent_that_nobody_registered_for_machines",
        notice.json
    );
    assert_message!(notice);
}

#[test]
fn worsened() {
    let mut before = leak();
    before.severity.level = SeverityLevel::High;
    let incident = opened(before, of_a_controller_in_germany()).incident;
    let later = detected() + TimeDelta::hours(2);
    let change =
        incident.extend(leak(), later, &policy(of_a_controller_in_germany()), "assess").unwrap();
    assert_message!(message(&change, Stage::Worsened, &context(), 0));
}

#[test]
fn a_day_is_left() {
    let change = opened(leak(), of_a_controller_in_germany());
    assert_message!(message(&change, Stage::Remaining { hours: 24 }, &context(), 0));
}

#[test]
fn a_day_was_left_three_hours_ago() {
    let change = opened(leak(), of_a_controller_in_germany());
    assert_message!(message(&change, Stage::Remaining { hours: 24 }, &context(), 180));
}

#[test]
fn an_hour_is_left() {
    let change = opened(leak(), of_a_controller_in_germany());
    assert_message!(message(&change, Stage::Remaining { hours: 1 }, &context(), 0));
}

#[test]
fn overdue() {
    let change = opened(leak(), of_a_controller_in_germany());
    let due_at = change.incident.most_urgent().unwrap().due_at.unwrap();
    let swept = change.incident.raise_due(&change.alerts, due_at, "remind").unwrap();
    let alert = swept.alerts.iter().find(|alert| alert.stage == Stage::Overdue).unwrap();
    let notice = checked(notice(&swept.incident, alert, &context(), due_at));
    insta::assert_json_snapshot!("overdue_for_machines", notice.json);
    assert_message!(notice);
}

/// The way out was gone for a while: the subject must not say that there is still time.
#[test]
fn a_reminder_that_comes_after_the_end_says_overdue() {
    let change = opened(leak(), of_a_controller_in_germany());
    let notice = message(&change, Stage::Remaining { hours: 1 }, &context(), 240);
    assert!(notice.subject.contains("OVERDUE since Fri 27 Nov 12:03 CET"), "{}", notice.subject);
    assert!(notice.text.contains("OVERDUE by 3 h"), "{}", notice.text);
    assert!(notice.text.contains("reasons for the delay"), "{}", notice.text);
}

#[test]
fn where_no_clock_runs_the_message_says_so() {
    let change = opened(leak(), of_a_controller_in_germany().with("role", "processor"));
    let notice = message(&change, Stage::Opened, &context(), 0);
    assert!(notice.text.contains("No clock runs at present."), "{}", notice.text);
    assert!(!notice.subject.contains("due"), "{}", notice.subject);
    assert!(notice.attributes.regimes.is_empty());
}

/// Long names and every stage: the severity, the incident and the due instant are never what is cut off.
#[test]
fn long_names_cut_the_environment_and_never_the_due_instant() {
    let mut findings = leak();
    findings.agent = AgentKey("a".repeat(64));
    let long = Context {
        organisation: "Gesellschaft für Datenverarbeitung ".repeat(6),
        environment: "eé".repeat(16),
        time_zone: chrono_tz::Australia::Lord_Howe,
        org_name: Some("ö".repeat(200)),
        agent_title: Some("Ä".repeat(200)),
        agent_owner: Some("ß".repeat(200)),
    };
    let mut change = opened(findings, of_a_controller_in_germany());
    let worsened = Alert { stage: Stage::Worsened, ..change.alerts.first().unwrap().clone() };
    change.alerts.push(worsened);
    for alert in &change.alerts {
        let notice = notice(&change.incident, alert, &long, alert.due_at);
        let subject = &notice.subject;
        assert!(subject.is_ascii() && subject.len() <= SUBJECT_CHARACTERS_MAX, "{subject}");
        assert!(
            subject.contains(&format!("CRITICAL {}", change.incident.incident_id)),
            "{subject}"
        );
        assert!(subject.ends_with("Fri 27 Nov 22:03 +11"), "{subject}");
        assert!(subject.starts_with("[e?e?e?e?e?e?e?"), "{subject}");
    }
}

/// A message of SNS holds 256 KiB, the texts of all protocols together.
#[test]
fn the_widest_leak_still_fits_into_a_message() {
    let mut findings = leak();
    for index in 0..2_000_u64 {
        let object = format!("An_Object_With_A_Long_Name_Number_{index:04}__c");
        findings
            .exposures
            .insert(object, exposure(Some(DataCategory::ContactIdentity), 10 + index, 0));
    }
    let change = opened(findings, of_a_controller_in_germany());
    let notice = message(&change, Stage::Opened, &context(), 0);
    assert!(notice.text.len() + notice.json.to_string().len() < 64 * 1024);
    assert!(notice.text.contains("and 1972 more"), "{}", notice.text);
    let listed = notice.json.pointer("/data/objects").unwrap().as_array().unwrap();
    assert_eq!(listed[0]["object"], "Health_Intake__c", "the worst comes first");
    assert_eq!(listed.len(), 30);
}

#[test]
fn the_schema_refuses_what_is_not_in_it() {
    let change = opened(leak(), of_a_controller_in_germany());
    let body = message(&change, Stage::Opened, &context(), 0).json;
    let schema = schema();
    let mut more = body.clone();
    more["data"]["email"] = "somebody".into();
    assert!(!schema.is_valid(&more));
    for field in body["data"].as_object().unwrap().keys() {
        let mut less = body.clone();
        less["data"].as_object_mut().unwrap().remove(field);
        assert!(!schema.is_valid(&less), "without {field}");
    }
}
