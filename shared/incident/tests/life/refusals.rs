//! What is refused, and whether the sentence helps.

use std::fmt::Write as _;

use assessment::findings::SeverityLevel;
use deadlines::TriggerKind;
use incident::{Action, Command, IncidentId, Notification, Refusal, RiskLevel};
use serde_json::{Value, json};

use crate::support::{
    Kept, PERSON, REGIME, at, findings, hours_in, ids, notification, one_duty, opened_at, whole_law,
};

const LONG: usize = 10_001;

fn why() -> String {
    "as the record shows".to_owned()
}

fn decide(regime_ids: &[&str], notify: bool) -> Action {
    Action::Decide { regime_ids: ids(regime_ids), notify, reason: why() }
}

fn moment(moment: TriggerKind, moment_at: &str) -> Action {
    Action::SetMoment { moment, moment_at: at(moment_at), reason: why() }
}

fn fact(value: Value) -> Action {
    Action::CorrectFact { fact: "employees".to_owned(), value, reason: why() }
}

fn sent(notification: Notification) -> Action {
    Action::RecordSent { regime_ids: ids(&[REGIME]), notification }
}

fn split(from_day: &str) -> Action {
    Action::SplitOff {
        into: IncidentId("BC-0".to_owned()),
        from_day: from_day.parse().unwrap(),
        findings: Box::new(findings(SeverityLevel::High, 1)),
        reason: why(),
    }
}

fn close() -> Action {
    Action::Close { reason: why() }
}

/// Refused at noon, two hours after the opening; nothing of the incident changes.
fn refused(kept: &Kept, action: Action) -> Refusal {
    let command = Command { command_id: "c-new".to_owned(), decided_on: None, action };
    refused_command(kept, &command)
}

fn refused_command(kept: &Kept, command: &Command) -> Refusal {
    let by = kept.by(PERSON, hours_in(2));
    kept.case.carry_out(command, by).unwrap_err()
}

/// One duty, at whose authority somebody was told, late.
fn told_late() -> Kept {
    let mut kept = Kept::high();
    kept.command(moment(TriggerKind::Occurred, "2026-11-10T00:00:00Z"), hours_in(1)).unwrap();
    kept.command(moment(TriggerKind::Aware, "2026-11-11T00:00:00Z"), hours_in(1)).unwrap();
    kept.command(sent(notification(opened_at())), hours_in(1)).unwrap();
    kept
}

#[test]
#[expect(clippy::too_many_lines, reason = "one line or two for each refusal")]
fn every_refusal_is_a_sentence_that_says_what_to_do() {
    let one = Kept::high();
    let whole = Kept::open(whole_law(), findings(SeverityLevel::High, 1));
    let late = told_late();
    let mut dismissed = Kept::high();
    dismissed.command(Action::Dismiss { reason: why() }, hours_in(1)).unwrap();
    let mut undecided = Kept::high();
    undecided.command(decide(&[REGIME], false), hours_in(1)).unwrap();
    let mut taken_in = Kept::high();
    let mut stranger = findings(SeverityLevel::High, 1);
    stranger.org_id = "00D5g000004Zz9Z".to_owned();
    let stranger = Kept::open(one_duty(), stranger);
    let other = {
        let mut found = findings(SeverityLevel::High, 1);
        found.agent = eventlog::attribution::AgentKey("billing-bot".to_owned());
        Kept::open(one_duty(), found)
    };
    let other_id = other.incident().incident_id.clone();
    let part = |kept: &Kept| Box::new(kept.case.as_part());
    taken_in.command(Action::TakeIn { other: part(&other), reason: why() }, hours_in(1)).unwrap();
    let mut merged = Kept::high();
    let into = other_id.clone();
    merged.command(Action::MergeInto { into, reason: why() }, hours_in(1)).unwrap();
    let mut seen = Kept::high();
    seen.publish_all(opened_at());
    seen.command(Action::Acknowledge, hours_in(1)).unwrap();
    let of_sending = |change: fn(&mut Notification)| {
        let mut notification = notification(hours_in(1));
        change(&mut notification);
        sent(notification)
    };
    let comment = |text: &str| Action::Comment { text: text.to_owned() };

    let cases: Vec<(&str, Refusal)> = vec![
        ("an empty comment", refused(&one, comment(" \n"))),
        ("a comment too long", refused(&one, comment(&"é".repeat(LONG)))),
        ("no reason", refused(&one, Action::Dismiss { reason: " ".to_owned() })),
        ("nobody to see to it", refused(&one, Action::Assign { to: String::new() })),
        (
            "no measure",
            refused(&one, Action::Contain { measure: String::new(), measure_at: opened_at() }),
        ),
        (
            "a measure still to come",
            refused(&one, Action::Contain { measure: why(), measure_at: hours_in(3) }),
        ),
        (
            "awareness still to come",
            refused(&one, moment(TriggerKind::Aware, "2026-11-24T13:00:00Z")),
        ),
        (
            "awareness before the first access",
            refused(&one, moment(TriggerKind::Aware, "2026-11-24T09:11:59Z")),
        ),
        (
            "an occurrence after it was known",
            refused(&one, moment(TriggerKind::Occurred, "2026-11-24T10:00:01Z")),
        ),
        (
            "a moment on record",
            refused(&one, moment(TriggerKind::Detected, "2026-11-24T09:30:00Z")),
        ),
        (
            "a moment of sending",
            refused(&one, moment(TriggerKind::InitialSent, "2026-11-24T09:30:00Z")),
        ),
        ("no duties", refused(&one, decide(&[], false))),
        ("an unknown duty", refused(&one, decide(&["eu-gdpr-33"], false))),
        ("an unknown duty where none is open", refused(&undecided, decide(&["eu-gdpr-33"], false))),
        ("a duty that is ruled out", refused(&whole, decide(&["eu-gdpr-33-2"], false))),
        ("a decision twice", refused(&undecided, decide(&[REGIME], false))),
        ("a decision after the sending", refused(&late, decide(&[REGIME], false))),
        ("sent to nobody", refused(&one, of_sending(|sent| sent.recipient = String::new()))),
        ("sent in the future", refused(&one, sent(notification(hours_in(3))))),
        (
            "sent before the first access",
            refused(&one, of_sending(|sent| sent.sent_at = at("2026-11-24T09:00:00Z"))),
        ),
        (
            "a reference too long",
            refused(&one, of_sending(|sent| sent.reference = Some("1".repeat(LONG)))),
        ),
        (
            "an attachment without a hash",
            refused(
                &one,
                of_sending(|sent| {
                    sent.attachments.insert("form.pdf".to_owned(), "not a hash".to_owned());
                }),
            ),
        ),
        (
            "too many attachments",
            refused(
                &one,
                of_sending(|sent| {
                    sent.attachments =
                        (0..201).map(|number| (format!("{number}.pdf"), "0".repeat(64))).collect();
                }),
            ),
        ),
        ("sent twice", refused(&late, sent(notification(opened_at())))),
        ("closed while a clock runs", refused(&one, close())),
        ("closed without reasons for the delay", refused(&late, close())),
        ("a decision on what is dismissed", refused(&dismissed, decide(&[REGIME], true))),
        ("a decision on what is merged", refused(&merged, decide(&[REGIME], true))),
        ("reopening what is merged", refused(&merged, Action::Reopen { reason: why() })),
        ("reopening what is open", refused(&one, Action::Reopen { reason: why() })),
        ("seen twice", refused(&seen, Action::Acknowledge)),
        ("a fraction for a fact", refused(&one, fact(json!(0.5)))),
        ("a fraction within a fact", refused(&one, fact(json!({"by_place": {"US-CA": [1, 2.5]}})))),
        ("a number too large for JSON", refused(&one, fact(json!(9_007_199_254_740_993_u64)))),
        ("a fact too long", refused(&one, fact(json!("x".repeat(LONG))))),
        ("a fact too large", refused(&one, fact(json!(vec!["x".repeat(100); 1_001])))),
        (
            "no name of a fact",
            refused(
                &one,
                Action::CorrectFact { fact: " ".to_owned(), value: json!(1), reason: why() },
            ),
        ),
        ("split from its first day", refused(&one, split("2026-11-24"))),
        ("split from a day after its last", refused(&one, split("2026-11-25"))),
        ("merged with itself", refused(&one, Action::TakeIn { other: part(&one), reason: why() })),
        (
            "merged across orgs",
            refused(&one, Action::TakeIn { other: part(&stranger), reason: why() }),
        ),
        (
            "merged with parts of its own",
            refused(&taken_in, Action::MergeInto { into: other_id.clone(), reason: why() }),
        ),
        (
            "a command without an id",
            refused_command(
                &one,
                &Command { command_id: "  ".to_owned(), decided_on: None, action: comment("so") },
            ),
        ),
        (
            "a command id too long",
            refused_command(
                &one,
                &Command { command_id: "c".repeat(129), decided_on: None, action: comment("so") },
            ),
        ),
        (
            "a command id of another command",
            refused_command(
                &dismissed,
                &Command {
                    command_id: "command-1".to_owned(),
                    decided_on: None,
                    action: comment("so"),
                },
            ),
        ),
        (
            "a decision on what has changed",
            refused_command(
                &undecided,
                &Command {
                    command_id: "c-new".to_owned(),
                    decided_on: Some(2),
                    action: Action::AssessRisk { risk: RiskLevel::Risk, reason: why() },
                },
            ),
        ),
        (
            "a decision on what is not there yet",
            refused_command(
                &one,
                &Command {
                    command_id: "c-new".to_owned(),
                    decided_on: Some(99),
                    action: Action::AssessRisk { risk: RiskLevel::Risk, reason: why() },
                },
            ),
        ),
    ];
    let mut sentences = String::new();
    for (case, refusal) in cases {
        assert!(refusal.to_string().len() < 600, "{case}: too long to be read");
        writeln!(sentences, "{case}:\n    {refusal}").unwrap();
    }
    insta::assert_snapshot!(sentences);
}

#[test]
fn as_much_as_is_allowed_is_accepted() {
    let mut kept = Kept::high();
    let mut full = notification(opened_at());
    full.attachments = (0..200).map(|number| (format!("{number}.pdf"), "0".repeat(64))).collect();
    kept.command(sent(full), hours_in(1)).unwrap();
    let text = "é".repeat(LONG - 1);
    kept.command(Action::Comment { text }, hours_in(1)).unwrap();
    kept.command(fact(json!(9_007_199_254_740_991_u64)), hours_in(1)).unwrap();
    kept.command(fact(json!(-9_007_199_254_740_991_i64)), hours_in(1)).unwrap();
    kept.command(fact(json!({"by_place": {"US-CA": 501}})), hours_in(1)).unwrap();
    let at_first_access = moment(TriggerKind::Aware, "2026-11-24T09:12:00Z");
    kept.command(at_first_access, hours_in(1)).unwrap();
    let now = Action::Contain { measure: why(), measure_at: hours_in(1) };
    kept.command(now, hours_in(1)).unwrap();
}
