//! Every message as its reader gets it: subject and text for people, the body for machines held to its schema.
//!
//! The snapshots are meant to be read: what happened, how sure we are, what is due, by when, and what to do next.
#![expect(clippy::unwrap_used, reason = "tests may")]

mod daily;
mod support;

use assessment::findings::{DataCategory, SeverityLevel};
use chrono::TimeDelta;
use deadlines::Stage;
use eventlog::attribution::AgentKey;
use incident::{Action, Alert, Case, Clock, RiskLevel};
use notices::{Context, Notice, SUBJECT_CHARACTERS_MAX, notice};
use serde_json::json;

use support::{
    Kept, checked, context, detected, exposure, for_people, instant, leak,
    of_a_controller_in_germany, of_a_controller_that_said_little, owned, schema, undeclared,
    unregistered_context,
};

const GDPR: &str = "eu-gdpr-33-1";
const SHARE_25: Stage = Stage::RemainingShare { percent: 25 };

fn risk(risk: RiskLevel) -> Action {
    Action::AssessRisk { risk, reason: "Health data of Erika Mustermann were read.".to_owned() }
}

fn awareness(at: &str) -> Action {
    Action::SetMoment {
        moment: deadlines::TriggerKind::Aware,
        moment_at: instant(at),
        reason: "Max Mustermann told the DPO by phone.".to_owned(),
    }
}

macro_rules! assert_message {
    ($notice:expr) => {
        let notice = $notice;
        insta::assert_snapshot!(for_people(&notice));
    };
}

#[test]
fn opened_under_many_laws() {
    let notice = Kept::leak().news(Stage::Opened);
    insta::assert_json_snapshot!("opened_under_many_laws_for_machines", notice.json);
    assert_message!(notice);
}

/// Of the organisation nothing is declared: nearly every law of the world may apply.
#[test]
fn opened_by_an_agent_that_nobody_registered() {
    let kept = Kept::open(undeclared(), of_a_controller_that_said_little());
    let alert = kept.alert(Stage::Opened, None);
    assert_message!(kept.message(alert, &unregistered_context(), 0));
}

#[test]
fn worsened() {
    let mut before = leak();
    before.severity.level = SeverityLevel::High;
    let mut kept = Kept::open(before, of_a_controller_in_germany());
    kept.decide(detected() + TimeDelta::hours(2), |case, by| case.extend(leak(), by));
    assert_message!(kept.news(Stage::Worsened));
}

#[test]
fn reopened() {
    let mut before = leak();
    before.row_count = 90;
    let mut kept = Kept::open(before, of_a_controller_in_germany());
    kept.command(1, Action::Dismiss { reason: "A test by Erika Mustermann.".to_owned() });
    kept.decide(detected() + TimeDelta::hours(2), |case, by| case.extend(leak(), by));
    assert_message!(kept.news(Stage::Reopened));
}

#[test]
fn a_clock_that_may_apply_nears_its_end() {
    let kept = Kept::leak();
    assert_message!(kept.message(kept.alert(SHARE_25, Some(GDPR)), &context(), 0));
}

#[test]
fn a_clock_that_applies_nears_its_end() {
    let mut kept = Kept::leak();
    kept.command(3, risk(RiskLevel::HighRisk));
    assert_message!(kept.message(kept.alert(SHARE_25, Some(GDPR)), &context(), 0));
}

#[test]
fn an_internal_target_nears() {
    let mut kept = Kept::leak();
    kept.command(3, risk(RiskLevel::HighRisk));
    let alert = kept.alert(Stage::RemainingTime { minutes: 60 }, Some("eu-gdpr-34"));
    assert_message!(kept.message(alert, &context(), 0));
}

#[test]
fn an_internal_target_has_passed() {
    let mut kept = Kept::leak();
    kept.command(3, risk(RiskLevel::HighRisk));
    let notice = kept.message(kept.alert(Stage::Overdue, Some("eu-gdpr-34")), &context(), 0);
    assert!(!notice.subject.contains("OVERDUE"), "{}", notice.subject);
    assert!(notice.subject.contains("target of 4 duties passed"), "{}", notice.subject);
    assert!(notice.text.contains("not a limit of the law"), "{}", notice.text);
    assert_eq!(notice.json["data"]["clock"]["kind"], "target");
}

#[test]
fn overdue() {
    let mut kept = Kept::leak();
    kept.command(3, risk(RiskLevel::HighRisk));
    let due_at = kept.case.incident.obligation(GDPR).unwrap().due_at.unwrap();
    kept.decide(due_at, Case::raise_due);
    let notice = kept.message(kept.alert(Stage::Overdue, Some(GDPR)), &context(), 0);
    insta::assert_json_snapshot!("overdue_for_machines", notice.json);
    assert_message!(notice);
}

/// The way out was gone for a while: the message says how late it is, and where things stand now.
#[test]
fn overdue_and_late() {
    let mut kept = Kept::leak();
    kept.command(3, risk(RiskLevel::HighRisk));
    let reminder = kept.alert(Stage::RemainingTime { minutes: 60 }, Some(GDPR));
    assert_message!(kept.message(reminder, &context(), 26 * 60));
}

#[test]
fn sent_again_because_nobody_acknowledged_it() {
    let kept = Kept::leak();
    let opened = Alert { repetition: 1, ..kept.alert(Stage::Opened, None).clone() };
    let notice = kept.message(&opened, &context(), 240);
    assert!(!notice.text.contains("late;"), "a repetition comes when it is meant to");
    assert_message!(notice);
}

#[test]
fn duties_changed_when_awareness_and_risk_were_set() {
    let mut kept = Kept::leak();
    kept.command(1, Action::Acknowledge);
    kept.command(2, awareness("2026-11-24T09:45:00Z"));
    kept.command(3, risk(RiskLevel::HighRisk));
    kept.command(
        4,
        Action::Contain {
            measure: "Erika Mustermann stopped the agent".to_owned(),
            measure_at: instant("2026-11-24T12:30:00Z"),
        },
    );
    assert_message!(kept.news(Stage::DutiesChanged));
}

#[test]
fn duties_changed_when_a_person_found_no_risk() {
    let mut kept = Kept::leak();
    kept.command(3, risk(RiskLevel::Unlikely));
    assert_message!(kept.news(Stage::DutiesChanged));
}

#[test]
fn some_clocks_have_been_stopped() {
    let mut kept = Kept::leak();
    kept.command(2, awareness("2026-11-24T09:45:00Z"));
    kept.command(3, risk(RiskLevel::HighRisk));
    kept.sent(20, &[GDPR, "uk-gdpr-33-1"]);
    let regime_ids = owned(&["us-ca-civ-1798-82-individuals"]);
    let reason = "Erika Mustermann is the only one of them.".to_owned();
    kept.command(21, Action::Decide { regime_ids, notify: false, reason });
    let notice = kept.message(kept.alert(SHARE_25, Some("ch-fadp-24-1")), &context(), 0);
    assert_message!(notice);
}

/// Grounds, remarks and names that persons gave stand in the record and not in a mail.
#[test]
fn what_persons_wrote_is_in_no_message() {
    let mut kept = Kept::leak();
    kept.command(1, Action::Assign { to: "Erika Mustermann".to_owned() });
    kept.command(1, Action::Comment { text: "Call Erika Mustermann.".to_owned() });
    kept.command(2, awareness("2026-11-24T09:45:00Z"));
    kept.command(3, risk(RiskLevel::HighRisk));
    kept.command(
        3,
        Action::Contain {
            measure: "Erika Mustermann stopped the agent".to_owned(),
            measure_at: instant("2026-11-24T12:30:00Z"),
        },
    );
    kept.command(
        4,
        Action::CorrectFact {
            fact: "sector".to_owned(),
            value: json!("ask Erika Mustermann"),
            reason: "Erika Mustermann knows.".to_owned(),
        },
    );
    kept.command(
        5,
        Action::Decide {
            regime_ids: owned(&["eu-gdpr-34"]),
            notify: false,
            reason: "Erika Mustermann was told by phone.".to_owned(),
        },
    );
    kept.command(
        5,
        Action::ExplainDelay {
            regime_ids: owned(&[GDPR]),
            reason: "Erika Mustermann was ill.".to_owned(),
        },
    );
    kept.sent(6, &["uk-gdpr-33-1"]);
    for alert in kept.case.alerts.values() {
        let notice = checked(notice(&kept.case.incident, alert, &context(), alert.due_at));
        let all = format!("{} {} {}", notice.subject, notice.text, notice.json);
        for word in ["Mustermann", "Beispiel", "dpo@example.com", "LDA-1085"] {
            assert!(!all.contains(word), "{word} in {}: {all}", alert.alert_id);
        }
    }
}

/// A limit that a person set to nonsense is a caveat of the law data, and the caveat repeats the nonsense.
#[test]
fn an_answer_that_cannot_be_read_is_not_repeated() {
    let mut kept = Kept::open(leak(), of_a_controller_in_germany().with("role", "processor"));
    kept.command(
        1,
        Action::CorrectFact {
            fact: "contract.notice_hours".to_owned(),
            value: json!("ask Erika Mustermann"),
            reason: "She knows.".to_owned(),
        },
    );
    let processor = kept.case.incident.obligation("eu-gdpr-33-2").unwrap();
    assert!(processor.caveats[0].contains("Mustermann"), "{:?}", processor.caveats);
    let notice = kept.message(kept.alert(SHARE_25, Some("eu-gdpr-33-2")), &context(), 0);
    assert!(!notice.text.contains("Mustermann"), "{}", notice.text);
    assert!(notice.text.contains("cannot be read"), "{}", notice.text);
}

#[test]
fn what_was_not_known_in_counting_is_shown_with_the_clock_of_the_message() {
    let facts = of_a_controller_in_germany()
        .with("role", "processor")
        .with("contract.notice_hours", "soon");
    let kept = Kept::open(leak(), facts);
    let notice = kept.message(kept.alert(SHARE_25, Some("eu-gdpr-33-2")), &context(), 0);
    assert!(
        notice.text.contains("! contract.notice_hours is \"soon\"; write a"),
        "{}",
        notice.text
    );
}

/// Whoever publishes asks first; should a clock stop between the two, the message does not say that it runs.
#[test]
fn a_message_of_a_clock_that_stopped_says_so() {
    let mut kept = Kept::leak();
    kept.command(3, risk(RiskLevel::HighRisk));
    let alert = kept.alert(SHARE_25, Some(GDPR)).clone();
    kept.sent(20, &[GDPR, "uk-gdpr-33-1"]);
    let notice = kept.message(&alert, &context(), 0);
    assert!(notice.subject.ends_with("clock stopped"), "{}", notice.subject);
    let text = notice.text.replace('\n', " ");
    assert!(text.contains("the clock of 2026-11-27 11:03 UTC runs no more."), "{}", notice.text);
    assert!(text.contains("The clock of this message runs no more."), "{}", notice.text);
    assert!(notice.text.contains("DUTIES THAT APPLY"), "the others run: {}", notice.text);
    assert!(notice.attributes.regimes.is_empty());
}

#[test]
fn a_dismissed_incident_asks_nothing() {
    let mut kept = Kept::leak();
    kept.command(1, Action::Dismiss { reason: "A test by Erika Mustermann.".to_owned() });
    let notice = kept.message(kept.alert(Stage::Opened, None), &context(), 70);
    assert!(notice.text.contains("has been dismissed meanwhile"), "{}", notice.text);
    assert!(notice.text.contains("No clock runs at present."), "{}", notice.text);
    assert!(!notice.subject.contains("due"), "{}", notice.subject);
    assert!(!notice.text.contains("acknowledge BC"), "{}", notice.text);
    assert!(notice.attributes.regimes.is_empty());
}

/// Two reminders of one clock lie hours apart; the subject of the later one must not say that there is still time.
#[test]
fn a_reminder_that_comes_after_the_end_says_overdue() {
    let mut kept = Kept::leak();
    kept.command(3, risk(RiskLevel::HighRisk));
    let reminder = kept.alert(Stage::RemainingTime { minutes: 60 }, Some(GDPR));
    let notice = kept.message(reminder, &context(), 240);
    assert!(notice.subject.contains("OVERDUE since Fri 27 Nov 12:03 CET"), "{}", notice.subject);
    assert!(notice.text.contains("3 h ago"), "{}", notice.text);
    assert!(notice.text.contains("reasons for the delay"), "{}", notice.text);
    let possible = Kept::leak();
    let alert = possible.alert(SHARE_25, Some(GDPR));
    let notice = possible.message(alert, &context(), 20 * 60);
    assert!(notice.subject.contains("may be OVERDUE since"), "{}", notice.subject);
}

/// A reminder gives the time of its plan where it comes when it should, and what is left where it does not.
#[test]
fn the_time_left_is_round_on_time_and_exact_otherwise() {
    let kept = Kept::leak();
    let reminder = kept.alert(SHARE_25, Some(GDPR)).clone();
    let left = |alert: &Alert, minutes_late| kept.message(alert, &context(), minutes_late).subject;
    assert!(left(&reminder, 2).contains("18 h left"), "{}", left(&reminder, 2));
    assert!(left(&reminder, 65).contains("16 h 55 min left"), "{}", left(&reminder, 65));
    let again = Alert { repetition: 1, ..reminder };
    assert!(left(&again, 240).contains("again: 14 h left"), "{}", left(&again, 240));
}

/// Every alert names its own clock, and of no other.
#[test]
fn a_message_speaks_of_the_duties_of_its_clock() {
    let kept = Kept::leak();
    let incident = &kept.case.incident;
    for alert in kept.case.alerts.values() {
        let Some(clock) = alert.clock else { continue };
        let notice = kept.message(alert, &context(), 0);
        let spoken_of: Vec<&str> = notice.json["data"]["regimes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| id.as_str().unwrap())
            .collect();
        let ending: Vec<&str> = incident
            .running()
            .into_iter()
            .filter(|duty| Clock::of(duty) == Some(clock))
            .map(|duty| duty.regime_id.as_str())
            .collect();
        assert_eq!(spoken_of, ending, "{}", alert.alert_id);
        let first = notice.text.split("This message is about:").nth(1).unwrap();
        let block = first.split("\n\n").nth(1).unwrap();
        for id in ending {
            assert!(block.contains(&format!("[{id}]")), "{id} in {block}");
        }
    }
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
    let kept = Kept::open(findings, of_a_controller_in_germany());
    let opened = kept.alert(Stage::Opened, None);
    let stages = [Stage::Opened, Stage::Worsened, Stage::Reopened, Stage::DutiesChanged];
    let news = stages.map(|stage| Alert { stage, repetition: 3, ..opened.clone() });
    let of_clock = kept
        .case
        .alerts
        .values()
        .filter(|alert| alert.clock == kept.alert(SHARE_25, Some(GDPR)).clock);
    for alert in news.iter().chain(of_clock) {
        let notice = notice(&kept.case.incident, alert, &long, alert.due_at);
        let subject = &notice.subject;
        assert!(subject.is_ascii() && subject.len() <= SUBJECT_CHARACTERS_MAX, "{subject}");
        assert!(
            subject.contains(&format!("CRITICAL {}", kept.case.incident.incident_id)),
            "{subject}"
        );
        assert!(subject.ends_with("Fri 27 Nov 22:03 +11"), "{subject}");
        assert!(subject.starts_with("[e?e?e?"), "{subject}");
    }
}

/// All laws of the world may apply, 2,000 objects were read, and duties of one's own have names without end.
#[test]
fn the_widest_leak_still_fits_into_a_message() {
    let mut findings = undeclared();
    for index in 0..2_000_u64 {
        let object = format!("An_Object_With_A_Long_Name_Number_{index:04}__c");
        findings
            .exposures
            .insert(object, exposure(Some(DataCategory::ContactIdentity), 10 + index, 0));
    }
    findings
        .exposures
        .insert("Health_Intake__c".to_owned(), exposure(Some(DataCategory::SpecialCategory), 1, 0));
    let kept = Kept::open(findings, of_a_controller_that_said_little());
    let running = kept.case.incident.running().len();
    assert!(running > 100, "{running}");
    let notice = kept.news(Stage::Opened);
    assert!(notice.text.len() < 16 * 1024, "{}", notice.text.len());
    assert!(notice.text.contains("and 1972 more"), "{}", notice.text);
    let data = &notice.json["data"];
    assert_eq!(data["objects"][0]["object"], "Health_Intake__c", "the worst comes first");
    assert_eq!(data["objects"].as_array().unwrap().len(), 30);
    let listed = data["obligations"].as_array().unwrap().len();
    assert_eq!(listed, 40);
    assert_eq!(data["more_obligations"], running - listed);
    assert_eq!(notice.attributes.regimes.len(), 50);

    let mut longer = kept.case.incident.clone();
    for duty in &mut longer.obligations {
        duty.title = "An own duty ".repeat(1_000).into();
    }
    let alert = kept.alert(Stage::Opened, None);
    let notice = support::well_formed(notices::notice(&longer, alert, &context(), alert.due_at));
    assert!(notice.json.to_string().len() < 96 * 1024);
    assert_eq!(notice.json["data"]["obligations"].as_array().unwrap().len(), 2);
    assert_eq!(notice.json["data"]["more_obligations"], running - 2);
}

#[test]
fn the_schema_refuses_what_is_not_in_it() {
    let body = Kept::leak().news(Stage::Opened).json;
    let schema = schema();
    let mut more = body.clone();
    more["data"]["email"] = "somebody".into();
    assert!(!schema.is_valid(&more));
    for field in body["data"].as_object().unwrap().keys() {
        let mut less = body.clone();
        less["data"].as_object_mut().unwrap().remove(field);
        assert!(!schema.is_valid(&less), "without {field}");
    }
    for (index, duty) in body["data"]["obligations"].as_array().unwrap().iter().enumerate() {
        for field in duty.as_object().unwrap().keys() {
            let mut less = body.clone();
            less["data"]["obligations"][index].as_object_mut().unwrap().remove(field);
            assert!(!schema.is_valid(&less), "without {field} of duty {index}");
        }
    }
}

/// The line of a duty in a message, with its breaks undone.
fn line_of(notice: &Notice, regime_id: &str) -> String {
    let text = notice.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (line, _) = text.split_once(&format!("[{regime_id}]")).unwrap();
    line.rsplit(" - ").next().unwrap().to_owned()
}

fn told(facts: deadlines::Facts) -> String {
    line_of(&Kept::open(leak(), facts).news(Stage::Opened), GDPR)
}

#[test]
fn an_authority_is_named_where_there_is_one_and_counted_where_there_are_several() {
    let facts = of_a_controller_in_germany;
    let french = told(facts().with("establishment_country", "FR"));
    assert!(french.contains("Told: French Data Protection Authority ("), "{french}");
    let of_berlin = told(facts().with("authority_region", "Berlin"));
    assert!(of_berlin.contains("Told: Berlin Commissioner ("), "{of_berlin}");
    let german = told(facts());
    assert!(german.contains("Told: one of 18 authorities in DE; it depends on"), "{german}");
    assert!(german.contains("(authority_region)"), "{german}");
    // Without an establishment in the EEA there is no lead authority.
    let elsewhere = facts().with("establishment_country", "US");
    let each = told(elsewhere.clone().with("subject_country", json!(["FR", "ES"])));
    assert!(each.contains("the authority of each of 2 countries (ES, FR)"), "{each}");
    assert!(!each.contains("authority_region"), "{each}");
    let each = told(elsewhere.clone().with("subject_country", json!(["FR", "DE"])));
    assert!(each.contains("each of 2 countries (DE, FR), 19 on file"), "{each}");
    assert!(each.contains("where there are several, it depends on"), "{each}");
    let nobody = told(elsewhere.with("subject_country", json!(["US"])));
    assert!(nobody.contains("it depends on which country's authority is competent"), "{nobody}");
}

#[test]
fn a_duty_says_what_is_uncertain_of_it() {
    let facts = of_a_controller_in_germany().with("sector", json!(null)).with("ransom_paid", true);
    let kept = Kept::open(leak(), facts);
    let notice =
        kept.message(kept.alert(Stage::Overdue, Some("us-nydfs-500-17-c-payment")), &context(), 0);
    let line = line_of(&notice, "us-nydfs-500-17-c-payment");
    assert!(line.contains("was not verified against its source"), "{line}");
    assert!(
        line.contains("Depends on which sector the organisation belongs to (sector)"),
        "{line}"
    );
    assert!(notice.subject.contains("may be OVERDUE since"), "{}", notice.subject);
    assert!(!notice.text.contains("incident sent"), "the question comes first: {}", notice.text);
    let verified = line_of(&Kept::leak().news(Stage::Opened), GDPR);
    assert!(!verified.contains("not verified"), "{verified}");
}

/// Of New Zealand the authority says within which time it wants to hear.
#[test]
fn a_target_of_guidance_says_so() {
    let mut findings = leak();
    findings.severity.level = SeverityLevel::Low;
    let facts = of_a_controller_in_germany().with("subject_country", json!(["NZ", "DE"]));
    let mut kept = Kept::open(findings, facts);
    kept.command(1, risk(RiskLevel::HighRisk));
    let alert = kept.alert(SHARE_25, Some("nz-privacy-2020-114"));
    let line = line_of(&kept.message(alert, &context(), 0), "nz-privacy-2020-114");
    assert!(line.contains("The target is that of the authority's guidance."), "{line}");
}

/// Where the organisation is an ocean away, midnight there is another day than here.
#[test]
fn the_day_at_the_authority_stands_beside_the_day_here() {
    let line = line_of(&Kept::leak().news(Stage::Opened), "us-ca-civ-1798-82-individuals");
    assert!(
        line.contains("There it is Thursday 24 December 2026 14:59 then (America/Los_Angeles)")
    );
    assert!(line.contains("Latest that can be defended: Friday 25 December 2026 08:59"), "{line}");
}
