//! Incidents to write messages of: made as the pipeline makes them, by evidence, sweeps and commands.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
    sync::Arc,
};

use assessment::findings::{
    DataCategory, Findings, GapReason, ObjectExposure, Risk, Rule, Severity, SeverityLevel, Signal,
    SubjectBasis, SubjectEstimate,
};
use chrono::{DateTime, TimeDelta, Utc};
use deadlines::{Facts, Law, Organisation, ReminderPolicy, Stage};
use eventlog::{attribution::AgentKey, joins::Confidence};
use incident::{
    Action, Alert, Case, Change, Command, Deciding, Notification, Opening, Outcome, Phase, Policy,
};
use jsonschema::Validator;
use notices::{Context, Notice, SUBJECT_CHARACTERS_MAX, notice};
use serde_json::{Value, json};

const UNREGISTERED: &str = "unregistered:app:0H45g0000009zZq";

pub(crate) fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// When the incidents of these tests are opened: a Tuesday noon in Berlin.
pub(crate) fn detected() -> DateTime<Utc> {
    instant("2026-11-24T11:03:00Z")
}

/// A software company in Germany with persons in several countries.
pub(crate) fn of_a_controller_in_germany() -> Facts {
    of_a_controller_that_said_little()
        .with("gdpr_applies", true)
        .with("uk_gdpr_applies", true)
        .with("fadp_applies", true)
        .with("establishment_country", "DE")
        .with("subject_country", json!(["DE", "FR", "GB", "CH", "US"]))
        .with("subject_region", json!(["US-CA"]))
        .with("sector", "software")
        .with("controller_kind", "company")
        .with("hipaa_role", "none")
        .with("listed_company", false)
}

/// Nothing is known of where it is, where the persons are, or what it does.
pub(crate) fn of_a_controller_that_said_little() -> Facts {
    Facts::default().with("role", "controller").with("personal_data_breach", true)
}

pub(crate) fn policy(facts: Facts) -> Policy {
    Policy {
        law: Arc::new(Law::embedded().unwrap()),
        facts,
        organisation: Organisation::in_zone(chrono_tz::Europe::Berlin),
        reminders: ReminderPolicy::default(),
    }
}

/// A case with what decides about it.
pub(crate) struct Kept {
    pub(crate) case: Case,
    pub(crate) policy: Policy,
    pub(crate) now: DateTime<Utc>,
    commands: u32,
}

impl Kept {
    pub(crate) fn open(findings: Findings, facts: Facts) -> Self {
        let policy = policy(facts);
        let now = detected();
        let opening = Opening { findings, episode: 1, landed_at: Some(now) };
        let by = Deciding { now, actor: "assess", policy: &policy };
        let change = Case::open(opening, by).unwrap();
        Self { case: Case::new(change.incident, change.alerts), policy, now, commands: 0 }
    }

    /// The usual one: many laws, all facts of the organisation declared.
    pub(crate) fn leak() -> Self {
        Self::open(leak(), of_a_controller_in_germany())
    }

    /// Decides at this instant and keeps what came of it.
    pub(crate) fn decide(
        &mut self,
        at: DateTime<Utc>,
        decide: impl FnOnce(&Case, Deciding<'_>) -> Option<Change>,
    ) {
        self.now = at;
        let by = Deciding { now: at, actor: "dpo@example.com", policy: &self.policy };
        let change = decide(&self.case, by).unwrap();
        self.case.incident = change.incident;
        for alert in change.alerts {
            self.case.alerts.insert(alert.alert_id.clone(), alert);
        }
    }

    /// A person gives a command, so many hours after detection.
    pub(crate) fn command(&mut self, hours: i64, action: Action) {
        self.commands += 1;
        let command = Command { command_id: self.commands.to_string(), decided_on: None, action };
        self.decide(detected() + TimeDelta::hours(hours), |case, by| {
            match case.carry_out(&command, by).unwrap() {
                Outcome::Changed(change) => Some(*change),
                Outcome::DoneBefore => None,
            }
        });
    }

    pub(crate) fn sent(&mut self, hours: i64, regime_ids: &[&str]) {
        let notification = Notification {
            sent_at: detected() + TimeDelta::hours(hours),
            recipient: "Anna Beispiel at the authority".to_owned(),
            reference: Some("LDA-1085".to_owned()),
            phase: Phase::Complete,
            attachments: BTreeMap::new(),
        };
        self.command(hours, Action::RecordSent { regime_ids: owned(regime_ids), notification });
    }

    /// The newest alert of that stage, of a duty where one is named.
    pub(crate) fn alert(&self, stage: Stage, regime_id: Option<&str>) -> &Alert {
        let clock = regime_id
            .map(|id| incident::Clock::of(self.case.incident.obligation(id).unwrap()).unwrap());
        self.case
            .alerts
            .values()
            .filter(|alert| alert.stage == stage && (clock.is_none() || alert.clock == clock))
            .max_by_key(|alert| alert.due_at)
            .unwrap()
    }

    /// The message of an alert, written so many minutes after its time.
    pub(crate) fn message(&self, alert: &Alert, context: &Context, minutes_late: i64) -> Notice {
        let now = alert.due_at + TimeDelta::minutes(minutes_late);
        checked(notice(&self.case.incident, alert, context, now))
    }

    /// The newest news of that stage, at its time.
    pub(crate) fn news(&self, stage: Stage) -> Notice {
        self.message(self.alert(stage, None), &context(), 0)
    }
}

pub(crate) fn owned(regime_ids: &[&str]) -> Vec<String> {
    regime_ids.iter().map(|id| (*id).to_owned()).collect()
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

pub(crate) fn exposure(
    category: Option<DataCategory>,
    record_count: u64,
    uncounted: u64,
) -> ObjectExposure {
    ObjectExposure {
        category,
        row_count: 39,
        record_count,
        uncounted_row_count: uncounted,
        ..ObjectExposure::default()
    }
}

/// A support agent that read health data and exported contacts.
pub(crate) fn leak() -> Findings {
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
pub(crate) fn undeclared() -> Findings {
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

pub(crate) fn context() -> Context {
    Context {
        organisation: "Meridian Cloud GmbH".to_owned(),
        environment: "production".to_owned(),
        time_zone: chrono_tz::Europe::Berlin,
        org_name: Some("Meridian production".to_owned()),
        agent_title: Some("Support copilot".to_owned()),
        agent_owner: Some("Customer Support Engineering".to_owned()),
    }
}

pub(crate) fn unregistered_context() -> Context {
    Context { agent_title: None, agent_owner: None, org_name: None, ..context() }
}

/// Holds a message to what is true of all of them.
pub(crate) fn checked(notice: Notice) -> Notice {
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
    well_formed(notice)
}

/// Subject, width, schema, and room in a message of SNS, which holds 256 KiB with the texts of all protocols.
pub(crate) fn well_formed(notice: Notice) -> Notice {
    assert!(notice.subject.len() <= SUBJECT_CHARACTERS_MAX, "{}", notice.subject);
    assert!(notice.subject.chars().all(|c| c == ' ' || c.is_ascii_graphic()), "{}", notice.subject);
    let wide = notice.text.lines().find(|line| line.chars().count() > 76);
    assert_eq!(wide, None, "{}", notice.text);
    assert!(notice.text.contains("This is not legal advice"), "{}", notice.text);
    let wrong: Vec<String> = schema()
        .iter_errors(&notice.json)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{:#}\n{wrong:#?}", notice.json);
    let published = json!({ "default": notice.json.to_string(), "email": notice.text }).to_string();
    assert!(published.len() < 200 * 1024, "{}", published.len());
    assert!(notice.attributes.regimes.len() <= 50);
    notice
}

pub(crate) fn schema() -> Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/webhook.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

pub(crate) fn for_people(notice: &Notice) -> String {
    let mut page = format!("Subject: {}\n", notice.subject);
    let attributes = &notice.attributes;
    write!(page, "Attributes: {attributes:?}\n\n{}", notice.text).unwrap();
    page
}
