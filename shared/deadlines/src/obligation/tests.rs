use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{law::Status, target::TargetBasis};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn facts() -> Facts {
    Facts::default()
        .with("role", "controller")
        .with("personal_data_breach", true)
        .with("gdpr_applies", true)
        .with("risk", "risk")
}

fn aware(text: &str) -> TriggerTimes {
    TriggerTimes::default().with(TriggerKind::Aware, at(text))
}

fn judged(id: &str, facts: &Facts, times: &TriggerTimes) -> Obligation {
    let law = Law::embedded().unwrap().only(&[id]).unwrap();
    obligations(&law, facts, times, &Organisation::in_zone(chrono_tz::Europe::Berlin)).remove(0)
}

fn art_33(facts: &Facts, times: &TriggerTimes) -> Obligation {
    judged("eu-gdpr-33-1", facts, times)
}

#[test]
fn detection_is_never_taken_for_awareness() {
    let times = TriggerTimes::default().with(TriggerKind::Detected, at("2026-11-09T07:00:00Z"));
    let obligation = art_33(&facts(), &times);
    assert_eq!(obligation.due_at, None);
    assert_eq!(obligation.standing, Standing::Applies);
    assert_eq!(obligation.gap.as_deref(), Some("When did the organisation become aware?"));
}

#[test]
fn an_unanswered_risk_keeps_the_clock_in_view_and_names_itself() {
    let obligation = art_33(&facts().with("risk", Value::Null), &aware("2026-11-02T08:15:00Z"));
    assert_eq!(obligation.standing, Standing::Possible { unknown_facts: vec!["risk".to_owned()] });
    assert_eq!(obligation.due_at, Some(at("2026-11-05T08:15:00Z")));
    assert!(obligation.is_open());
}

#[test]
fn an_unlikely_risk_ends_the_duty_and_says_why() {
    let obligation = art_33(&facts().with("risk", "unlikely"), &aware("2026-11-02T08:15:00Z"));
    assert_eq!(
        obligation.standing,
        Standing::DoesNotApply { because: vec!["risk is \"unlikely\"".to_owned()] }
    );
    assert!(!obligation.is_open());
    assert_eq!((obligation.due_at, obligation.due_local), (None, None));
    assert_eq!((obligation.would_be_due_at, obligation.latest_defensible_at), (None, None));
    assert_eq!((obligation.gap, obligation.authorities), (None, Vec::new()));
}

#[test]
fn what_does_not_apply_is_not_watched_whatever_instants_stand_beside_it() {
    let ended = Standing::DoesNotApply { because: vec!["a person said so".to_owned()] };
    let mut counted = art_33(&facts(), &aware("2026-11-02T08:15:00Z"));
    assert!(counted.is_open() && counted.watched_at().is_some());
    counted.standing = ended.clone();
    assert!(!counted.is_open());
    assert_eq!(counted.watched_at(), None);
    let high = facts().with("risk", "high_risk");
    let mut aimed = judged("eu-gdpr-34", &high, &aware("2026-11-02T08:15:00Z"));
    assert!(aimed.watched_at().is_some());
    aimed.standing = ended;
    assert_eq!(aimed.watched_at(), None);
}

#[test]
fn a_duty_in_force_applies_where_no_moment_is_known_and_asks_for_its_start() {
    let obligation = art_33(&facts(), &TriggerTimes::default());
    assert_eq!(obligation.standing, Standing::Applies);
    assert_eq!(obligation.gap.as_deref(), Some("When did the organisation become aware?"));
    assert_eq!(obligation.target, None, "the law's number is no target, started or not");
}

#[test]
fn a_number_that_cannot_be_counted_yet_is_no_target() {
    let processor = facts().with("role", "processor").with("contract.notice_hours", 48);
    let contract = judged("eu-gdpr-33-2", &processor, &TriggerTimes::default());
    assert_eq!((contract.due_at, contract.target), (None, None), "a contract sets hours");
    let yearly = yearly(&TriggerTimes::default());
    assert_eq!((yearly.due_at, yearly.target), (None, None), "the contract sets a date");
    assert!(yearly.gap.is_some());
}

#[test]
fn days_may_begin_by_one_clock_and_end_by_the_other() {
    // Friday 01:00 in Kolkata, still Thursday in Berlin. By the clock of Kolkata two days end on Sunday and give way to
    // Monday 13 December, and by either clock's Monday the earlier one counts. The second working day after Friday is
    // Tuesday, and ends with the authority's day.
    let law = Law::embedded().unwrap().only(&["eu-ai-act-73-3"]).unwrap();
    let kolkata = Organisation::in_zone(chrono_tz::Asia::Kolkata);
    let facts = Facts::default().with("authority_country", "DE").with("ai.annex", "III");
    let start = aware("2027-12-09T19:30:00Z");
    let obligation = obligations(&law, &facts, &start, &kolkata).remove(0);
    assert_eq!(obligation.due_at, Some(at("2027-12-13T18:29:59Z")));
    assert_eq!(obligation.latest_defensible_at, Some(at("2027-12-14T22:59:59Z")));
}

#[test]
fn a_day_that_ends_twice_is_over_at_the_first_end_and_can_be_defended_to_the_second() {
    // On 29 October 2026 at midnight clocks in Egypt go back to 23:00. Three working days after Monday end on that Thursday.
    let law = Law::embedded().unwrap().only(&["eg-pdpl-7-subjects"]).unwrap();
    let cairo = Organisation::in_zone(chrono_tz::Africa::Cairo);
    let told = TriggerTimes::default().with(TriggerKind::InitialSent, at("2026-10-26T09:00:00Z"));
    let obligation = obligations(&law, &Facts::default(), &told, &cairo).remove(0);
    assert_eq!(obligation.due_at, Some(at("2026-10-29T20:59:59Z")));
    assert_eq!(obligation.latest_defensible_at, Some(at("2026-10-29T21:59:59Z")));
}

#[test]
fn the_latest_end_is_counted_from_the_latest_start_that_can_be_defended() {
    let ends = |id: &str, facts: &Facts, earliest: &str, latest: &str| {
        let aware = Awareness::decided(at(earliest)).or_as_late_as(at(latest));
        let times = TriggerTimes { aware: Some(aware), ..TriggerTimes::default() };
        let obligation = judged(id, facts, &times);
        (obligation.due_at.unwrap(), obligation.latest_defensible_at.unwrap())
    };
    // AI Act Art. 73(2): 15 days after 6 and after 8 December 2027 are 21 and 23 December.
    let german = Facts::default().with("authority_country", "DE").with("ai.annex", "III");
    assert_eq!(
        ends("eu-ai-act-73-2", &german, "2027-12-06T09:00:00Z", "2027-12-08T09:00:00Z"),
        (at("2027-12-21T22:59:59Z"), at("2027-12-23T22:59:59Z"))
    );
    // APPI Art. 26: promptly, that is in three to five days.
    assert_eq!(
        ends(
            "jp-appi-26-preliminary",
            &Facts::default(),
            "2026-11-02T09:00:00Z",
            "2026-11-04T09:00:00Z"
        ),
        (at("2026-11-05T22:59:59Z"), at("2026-11-09T22:59:59Z"))
    );
}

#[test]
fn a_second_limit_cuts_the_first_from_either_start_that_lies_before_its_end() {
    let own = serde_json::from_value(json!([{
        "id": "insurer", "title": "Tell the insurer", "basis": "Cyber policy, section 4",
        "who_notifies": "insured", "who_is_told": "insurer", "starts_at": "aware",
        "limit": {"value": 48, "unit": "hours"},
        "second_limit": {"starts_at": "detected", "value": 24, "unit": "hours", "note": "at most"}
    }]));
    let law = Law::embedded().unwrap().and_own_duties(own.unwrap()).unwrap();
    let law = law.only(&["own-insurer"]).unwrap();
    let ends = |latest: &str| {
        let aware = Awareness::decided(at("2026-11-02T10:00:00Z")).or_as_late_as(at(latest));
        let times = TriggerTimes { aware: Some(aware), ..TriggerTimes::default() }
            .with(TriggerKind::Detected, at("2026-11-02T00:00:00Z"));
        let berlin = Organisation::in_zone(chrono_tz::Europe::Berlin);
        let obligation = obligations(&law, &Facts::default(), &times, &berlin).remove(0);
        (obligation.due_at.unwrap(), obligation.latest_defensible_at.unwrap())
    };
    let cut = at("2026-11-03T00:00:00Z");
    assert_eq!(ends("2026-11-02T20:00:00Z"), (cut, cut));
    // Who became aware after the end of the second limit has the first one left.
    assert_eq!(ends("2026-11-03T06:00:00Z"), (cut, at("2026-11-05T06:00:00Z")));
}

/// A duty of a customer's own with a date and no span.
fn yearly(times: &TriggerTimes) -> Obligation {
    let own = serde_json::from_value(json!([{
        "id": "yearly", "title": "Tell the insurer of the year's breaches", "basis": "Cyber policy",
        "who_notifies": "insured", "who_is_told": "insurer", "starts_at": "assessed",
        "counting": "annual-feb-1"
    }]));
    let law = Law::embedded().unwrap().and_own_duties(own.unwrap()).unwrap();
    let berlin = Organisation::in_zone(chrono_tz::Europe::Berlin);
    obligations(&law.only(&["own-yearly"]).unwrap(), &Facts::default(), times, &berlin).remove(0)
}

#[test]
fn a_date_of_the_next_year_goes_by_the_year_of_the_organisation_and_ends_with_its_day() {
    let assessed = |text: &str| TriggerTimes::default().with(TriggerKind::Assessed, at(text));
    // 31 December 23:59:59 and 1 January 00:00 in Berlin.
    assert_eq!(yearly(&assessed("2026-12-31T22:59:59Z")).due_at, Some(at("2027-02-01T22:59:59Z")));
    assert_eq!(yearly(&assessed("2026-12-31T23:00:00Z")).due_at, Some(at("2028-02-01T22:59:59Z")));
    // 47 CFR 64.2011: 1 February, on the earlier of the two clocks. It has no first day yet.
    let fcc =
        judged("us-fcc-64-2011-2024-annual", &Facts::default(), &assessed("2026-12-31T22:59:59Z"));
    assert_eq!(fcc.standing, Standing::Coming { from: None });
    assert_eq!((fcc.due_at, fcc.would_be_due_at), (None, Some(at("2027-02-01T22:59:59Z"))));
}

#[test]
fn hours_and_the_working_days_in_them_are_read_on_one_clock() {
    // Thursday 01:00 in Kolkata, still Wednesday in Berlin; Good Friday and Easter Monday follow. On the clock of Kolkata
    // the second working day after the start is Wednesday 31 March, on that of Berlin Tuesday the 30th.
    let law = Law::embedded().unwrap().only(&["eu-gdpr-33-1"]).unwrap();
    let kolkata = Organisation::in_zone(chrono_tz::Asia::Kolkata);
    let facts = facts().with("authority_country", "DE");
    let start = aware("2027-03-24T19:30:00Z");
    let obligation = obligations(&law, &facts, &start, &kolkata).remove(0);
    assert_eq!(obligation.due_at, Some(at("2027-03-27T19:30:00Z")));
    assert_eq!(obligation.latest_defensible_at, Some(at("2027-03-31T18:29:59Z")));
}

#[test]
fn why_it_applies_is_told_fact_by_fact() {
    let obligation = art_33(&facts(), &aware("2026-11-02T08:15:00Z"));
    let grounds: Vec<String> = obligation
        .grounds
        .iter()
        .map(|ground| format!("{ground}, asked: {}", ground.asked))
        .collect();
    assert_eq!(
        grounds,
        [
            "role is \"controller\", asked: is \"controller\"",
            "personal_data_breach is true, asked: is true",
            "risk is \"risk\", asked: is \"risk\" or \"high_risk\"",
            "gdpr_applies is true, asked: is true",
        ]
    );
    assert_eq!(obligation.content_items.len(), 7);
    assert!(obligation.phased && obligation.verified);
}

#[test]
fn the_due_instant_stands_on_three_clocks() {
    let facts = facts().with("authority_country", "FI").with("authority_region", "none");
    let obligation = art_33(&facts, &aware("2026-11-02T08:15:00Z"));
    let local = obligation.due_local.unwrap();
    assert_eq!(local.organisation.to_rfc3339(), "2026-11-05T09:15:00+01:00");
    assert_eq!(local.authority.unwrap().to_rfc3339(), "2026-11-05T10:15:00+02:00");
    assert_eq!(local.authority_zone, Some(chrono_tz::Europe::Helsinki));
    let whose = art_33(&self::facts(), &aware("2026-11-02T08:15:00Z")).due_local.unwrap();
    assert_eq!(
        (whose.authority, whose.authority_zone),
        (None, None),
        "while nobody knows which authority, no clock is taken for its own"
    );
}

#[test]
fn the_authority_is_named_by_the_establishment_or_else_by_the_persons() {
    let named = |facts: &Facts| {
        let obligation = art_33(facts, &aware("2026-11-02T08:15:00Z"));
        let names: Vec<String> =
            obligation.authorities.iter().map(|known| known.english_name.clone()).collect();
        (names, obligation.authority_depends_on)
    };
    let austrian = (vec!["Austrian Data Protection Authority".to_owned()], Vec::new());
    assert_eq!(named(&facts().with("establishment_country", "AT")), austrian);
    let (berlin, open) =
        named(&facts().with("establishment_country", "DE").with("authority_region", "Berlin"));
    assert_eq!((berlin, open), (vec!["Berlin Commissioner".to_owned()], Vec::new()));
    let (candidates, open) = named(&facts().with("establishment_country", "DE"));
    assert_eq!((candidates.len(), open), (18, vec!["authority_region".to_owned()]));
    let abroad = facts()
        .with("establishment_country", "US")
        .with("subject_country", json!(["US", "FR", "AT"]));
    assert_eq!(
        named(&abroad).0,
        ["Austrian Data Protection Authority", "French Data Protection Authority"]
    );
    let norwegian = vec!["Norwegian Data Protection Authority".to_owned()];
    assert_eq!(
        named(&facts().with("establishment_country", "NO")).0,
        norwegian,
        "the GDPR has authorities in the whole EEA"
    );
    let in_norway =
        facts().with("establishment_country", "US").with("subject_country", json!(["NO", "US"]));
    assert_eq!(named(&in_norway).0, norwegian);
    let (candidates, open) = named(&in_norway.with("subject_country", json!(["AT", "DE"])));
    assert_eq!((candidates.len(), open), (19, vec!["authority_region".to_owned()]));
    assert_eq!(named(&facts()), (Vec::new(), vec!["authority_country".to_owned()]));
    let british = judged(
        "uk-gdpr-33-1",
        &facts().with("uk_gdpr_applies", true).with("authority_country", "DE"),
        &aware("2026-11-02T08:15:00Z"),
    );
    assert_eq!(british.authorities.len(), 1);
    assert_eq!(british.due_local.unwrap().authority_zone, Some(chrono_tz::Europe::London));
}

#[test]
fn a_duty_without_a_number_has_a_target_that_is_not_a_due_instant() {
    let high = facts().with("risk", "high_risk").with("severity", "critical");
    let obligation = judged("eu-gdpr-34", &high, &aware("2026-11-02T08:15:00Z"));
    assert_eq!((obligation.due_at, obligation.limit), (None, None));
    let target = obligation.target.unwrap();
    assert_eq!((target.hours, target.basis), (24, TargetBasis::Configuration));
    assert_eq!(obligation.watched_at(), Some(at("2026-11-03T08:15:00Z")));
    assert!(!obligation.is_open(), "no clock of the law runs");
    let encrypted = judged(
        "eu-gdpr-34",
        &high.with("data_unintelligible", true),
        &aware("2026-11-02T08:15:00Z"),
    );
    assert_eq!(encrypted.standing.because(), ["data_unintelligible is true"]);
    assert_eq!(encrypted.watched_at(), None);
}

#[test]
fn a_proposal_is_shown_as_coming_and_never_falls_due() {
    let obligation = judged(
        "eu-gdpr-33-1-omnibus",
        &facts().with("risk", "high_risk"),
        &aware("2026-11-06T15:30:00Z"),
    );
    assert_eq!(obligation.standing, Standing::Coming { from: None });
    assert_eq!((obligation.due_at, obligation.watched_at()), (None, None));
    assert_eq!(obligation.would_be_due_at, Some(at("2026-11-10T15:30:00Z")));
    let undated = judged(
        "eu-gdpr-33-1-omnibus",
        &facts().with("risk", "high_risk"),
        &TriggerTimes::default(),
    );
    assert_eq!(undated.standing, Standing::Coming { from: None });
}

#[test]
fn a_law_that_has_ended_says_until_when_it_was_one() {
    let facts = Facts::default()
        .with("role", "ecs_provider")
        .with("personal_data_breach", true)
        .with("subject_country", "GB");
    let times = TriggerTimes::default().with(TriggerKind::Detected, at("2025-08-20T12:00:00Z"));
    let obligation = judged("uk-pecr-5a-old", &facts, &times);
    assert_eq!(obligation.standing.because(), ["it was law until 2025-08-19"]);
}

#[test]
fn a_duty_that_is_in_force_applies_only_from_the_day_on_which_it_bites() {
    let facts = Facts::default()
        .with("role", "provider")
        .with("ai", json!({"high_risk": true, "serious_incident": true}));
    let of_annex = |annex: &str, start: &str| {
        let facts = facts.clone().with("ai.annex", annex);
        judged(
            "eu-ai-act-73-2-link",
            &facts,
            &TriggerTimes::default().with(TriggerKind::CausalLinkEstablished, at(start)),
        )
        .standing
    };
    let from = |text: &str| Standing::Coming { from: Some(text.parse().unwrap()) };
    assert_eq!(of_annex("III", "2026-11-20T09:00:00Z"), from("2027-12-02"));
    assert_eq!(of_annex("III", "2027-12-02T09:00:00Z"), Standing::Applies);
    assert_eq!(of_annex("I", "2027-12-02T09:00:00Z"), from("2028-08-02"));
    let open = |start: &str| {
        judged(
            "eu-ai-act-73-2-link",
            &facts,
            &TriggerTimes::default().with(TriggerKind::CausalLinkEstablished, at(start)),
        )
        .standing
    };
    assert_eq!(open("2026-11-20T09:00:00Z"), from("2027-12-02"));
    assert_eq!(open("2027-12-02T09:00:00Z").unknown_facts(), ["ai.annex"]);
    assert_eq!(open("2028-01-20T09:00:00Z").unknown_facts(), ["ai.annex"]);
    assert_eq!(open("2028-08-02T09:00:00Z"), Standing::Applies);
    // It bites by either clock: 2 December in Berlin is still the 1st in Los Angeles.
    let law = Law::embedded().unwrap().only(&["eu-ai-act-73-2-link"]).unwrap();
    let los_angeles = Organisation::in_zone(chrono_tz::America::Los_Angeles);
    let german = facts.with("ai.annex", "III").with("authority_country", "DE");
    let by_either = |start: &str| {
        let times = TriggerTimes::default().with(TriggerKind::CausalLinkEstablished, at(start));
        obligations(&law, &german, &times, &los_angeles).remove(0).standing
    };
    assert_eq!(by_either("2027-12-01T22:59:59Z"), from("2027-12-02"));
    assert_eq!(by_either("2027-12-01T23:00:00Z"), Standing::Applies);
}

#[test]
fn the_law_is_that_of_the_day_on_which_its_own_clock_starts() {
    // The access came before the GDPR applied, awareness after.
    let times =
        aware("2018-06-01T08:00:00Z").with(TriggerKind::Occurred, at("2018-05-01T08:00:00Z"));
    assert_eq!(art_33(&facts(), &times).standing, Standing::Applies);
    let early = art_33(&facts(), &aware("2018-05-01T08:00:00Z"));
    assert_eq!(early.standing, Standing::Coming { from: Some("2018-05-25".parse().unwrap()) });
}

#[test]
fn a_contract_or_a_request_sets_what_the_law_leaves_open() {
    let processor = Facts::default()
        .with("role", "processor")
        .with("personal_data_breach", true)
        .with("gdpr_applies", true);
    let of = |hours: Value| {
        judged(
            "eu-gdpr-33-2",
            &processor.clone().with("contract.notice_hours", hours),
            &aware("2026-11-06T15:00:00Z"),
        )
    };
    assert_eq!(of(json!(48)).due_at, Some(at("2026-11-08T15:00:00Z")));
    assert_eq!(of(json!(1)).due_at, Some(at("2026-11-06T16:00:00Z")));
    let nothing = of(json!(0));
    assert_eq!((nothing.due_at, nothing.limit, nothing.caveats.len()), (None, None, 1));
    assert!(of(Value::Null).caveats.is_empty());
    let unreadable = of(json!("soon"));
    assert_eq!((unreadable.due_at, unreadable.target.is_some()), (None, true));
    assert_eq!(
        unreadable.caveats,
        ["contract.notice_hours is \"soon\"; write a whole number of hours greater than 0"]
    );
    let essential = Facts::default()
        .with("role", "essential_entity")
        .with("significant_incident", true)
        .with("intermediate_requested", true);
    let sent =
        TriggerTimes::default().with(TriggerKind::NotificationSent, at("2026-11-19T15:00:00Z"));
    let of = |due: &str| {
        judged("eu-nis2-23-intermediate", &essential.clone().with("request_due_utc", due), &sent)
    };
    assert_eq!(of("2026-11-23T12:00:00Z").due_at, Some(at("2026-11-23T12:00:00Z")));
    assert_eq!(of("Monday").due_at, None);
    assert_eq!(of("Monday").caveats.len(), 1);
}

#[test]
fn a_second_limit_that_cannot_be_checked_says_what_to_ask() {
    let facts = Facts::default()
        .with("role", "financial_entity")
        .with("classification.major", true)
        .with("authority_country", "DE");
    let times = TriggerTimes::default().with(TriggerKind::Classified, at("2026-11-18T08:00:00Z"));
    let obligation = judged("eu-dora-initial", &facts, &times);
    assert_eq!(obligation.due_at, Some(at("2026-11-18T12:00:00Z")));
    assert_eq!(
        obligation.caveats,
        ["the second limit of 24 hours cannot be checked: When did the organisation become aware?"]
    );
}

#[test]
fn holidays_that_are_not_on_file_are_named() {
    let facts = Facts::default()
        .with("role", "provider")
        .with("ai", json!({"high_risk": true, "serious_incident": true, "annex": "III"}))
        .with("death", false)
        .with("critical_infrastructure", false)
        .with("widespread_infringement", false);
    let of = |facts: &Facts, start: &str| judged("eu-ai-act-73-2", facts, &aware(start)).caveats;
    let german = facts.clone().with("authority_country", "DE");
    assert_eq!(of(&german, "2027-12-06T09:00:00Z"), Vec::<String>::new());
    assert!(of(&german, "2028-01-10T09:00:00Z").join("").contains("2028"));
    assert!(of(&facts, "2027-12-06T09:00:00Z").join("").contains("authority_country"));
    let before = of(&german, "2026-12-20T09:00:00Z");
    assert_eq!(before, Vec::<String>::new(), "on file, of a duty that is coming");
    let brazilian = Facts::default()
        .with("subject_country", "BR")
        .with("role", "controller")
        .with("risk", "high_risk");
    let of = |start: &str| judged("br-anpd-15-2024-authority", &brazilian, &aware(start)).caveats;
    assert_eq!(of("2027-12-06T09:00:00Z"), Vec::<String>::new());
    assert_eq!(
        of("2028-01-10T09:00:00Z"),
        ["public holidays of 2028 are not on file, so weekends alone were taken as free"]
    );
}

#[test]
fn what_is_coming_says_what_was_not_known_in_counting_it() {
    let facts = Facts::default().with("ai", json!({"annex": "III"}));
    let obligation = judged("eu-ai-act-73-2", &facts, &aware("2026-11-20T09:00:00Z"));
    assert!(matches!(obligation.standing, Standing::Coming { .. }));
    assert!(obligation.caveats.join("").contains("authority_country"));
}

#[test]
fn the_relief_of_dora_that_depends_on_an_unknown_fact_names_it_where_it_would_move_the_end() {
    let financial = Facts::default()
        .with("role", "financial_entity")
        .with("classification.major", true)
        .with("authority_country", "DE")
        .with("nis2_entity", false);
    let of = |facts: &Facts, start: &str| {
        let sent = TriggerTimes::default().with(TriggerKind::InitialSent, at(start));
        judged("eu-dora-intermediate", facts, &sent)
    };
    let depends = "whether the end moves from a day off to noon of the next working day depends on entity_type";
    // 72 hours after Thursday end on Sunday, after Monday on Thursday.
    let sunday = of(&financial, "2026-11-12T10:00:00Z");
    assert_eq!(sunday.caveats, [depends]);
    assert_eq!(sunday.due_at, Some(at("2026-11-15T10:00:00Z")));
    assert_eq!(sunday.latest_defensible_at, Some(at("2026-11-16T11:00:00Z")));
    assert_eq!(of(&financial, "2026-11-16T10:00:00Z").caveats, Vec::<String>::new());
    let insurer = financial.with("entity_type", "insurance_undertaking");
    let sure = of(&insurer, "2026-11-12T10:00:00Z");
    assert_eq!((sure.caveats.len(), sure.due_at), (0, Some(at("2026-11-16T11:00:00Z"))));
}

#[test]
fn a_start_at_the_end_of_all_calendars_is_told_and_overflows_nowhere() {
    let law = Law::embedded().unwrap();
    let organisation = Organisation::in_zone(chrono_tz::Pacific::Auckland);
    let day = chrono::TimeDelta::days(1);
    let last = at("9998-12-31T23:59:59Z");
    for start in [
        DateTime::<Utc>::MAX_UTC,
        DateTime::<Utc>::MAX_UTC - day,
        DateTime::<Utc>::MIN_UTC,
        DateTime::<Utc>::MIN_UTC + day,
        last,
    ] {
        let times = TriggerKind::ALL
            .into_iter()
            .fold(TriggerTimes::default(), |times, kind| times.with(kind, start));
        for obligation in obligations(&law, &Facts::default(), &times, &organisation) {
            let is_possible = matches!(obligation.standing, Standing::Possible { .. });
            if is_possible && obligation.limit.is_some() {
                assert_eq!(obligation.due_at, None, "{}", obligation.regime_id);
                let is_told = obligation.gap.is_some() || !obligation.caveats.is_empty();
                assert!(is_told, "{}", obligation.regime_id);
            }
        }
    }
    let endless = Facts::default()
        .with("role", "processor")
        .with("personal_data_breach", true)
        .with("gdpr_applies", true)
        .with("contract.notice_hours", u32::MAX);
    let obligation = judged("eu-gdpr-33-2", &endless, &aware("2026-11-06T15:00:00Z"));
    assert_eq!(obligation.due_at, None);
    assert!(obligation.caveats.join("").contains("lies outside the calendar"));
}

#[test]
fn each_place_has_its_own_count_of_persons() {
    let facts = Facts::default()
        .with("role", "controller")
        .with("risk", "risk")
        .with("subject_country", json!(["US", "DE"]))
        .with("subject_region", json!(["US-CA", "US-NY"]))
        .with("data_categories", json!(["identity_number"]))
        .with("subject_count_in_region", json!({"by_place": {"US-CA": 501, "US-NY": 12}}));
    let times = TriggerTimes::default()
        .with(TriggerKind::InitialSent, at("2026-11-19T17:00:00Z"))
        .with(TriggerKind::Detected, at("2026-11-02T15:00:00Z"));
    let standing = |id: &str| judged(id, &facts, &times).standing;
    assert_eq!(standing("us-ca-civ-1798-82-authority"), Standing::Applies);
    assert_eq!(standing("us-ny-gbl-899-aa-cra").because(), ["subject_count_in_region is 12"]);
    assert_eq!(
        standing("us-tx-521-053-authority").because(),
        ["subject_region is [\"US-CA\",\"US-NY\"]"]
    );
    let german = Facts::default().with("role", "controller").with("subject_country", "DE");
    let grounds = judged("us-tx-521-053-authority", &german, &times).grounds;
    assert!(!grounds.is_empty() && grounds.iter().all(|ground| ground.answer == Answer::No));
}

#[test]
fn a_customer_adds_duties_of_its_own() {
    let own = json!([
        {
            "id": "client-a", "title": "Tell client A", "basis": "Data processing agreement, clause 9",
            "who_notifies": "processor", "who_is_told": "client A",
            "applies_when": [{"op": "eq", "fact": "clients.a", "value": true}],
            "starts_at": "aware", "limit": {"value": 24, "unit": "hours"}
        },
        {
            "id": "insurer", "title": "Tell the insurer", "basis": "Cyber policy, section 4",
            "who_notifies": "insured", "who_is_told": "insurer",
            "starts_at": "detected", "limit": {"value": 3, "unit": "days"}, "extension": "eu-1182-3-4"
        },
        {
            "id": "works-council", "title": "Tell the works council", "basis": "Works agreement, no. 7",
            "who_notifies": "employer", "who_is_told": "works council", "starts_at": "detected"
        }
    ]);
    let duties = serde_json::from_value(own.clone()).unwrap();
    let law = Law::embedded().unwrap().and_own_duties(duties).unwrap();
    let facts = Facts::default().with("authority_country", "DE");
    let times = TriggerTimes::default()
        .with(TriggerKind::Aware, at("2026-11-06T15:00:00Z"))
        .with(TriggerKind::Detected, at("2026-11-06T15:00:00Z"));
    let all = obligations(&law, &facts, &times, &Organisation::in_zone(chrono_tz::Europe::Berlin));
    let of = |id: &str| all.iter().find(|obligation| obligation.regime_id == id).unwrap();
    assert_eq!(of("own-client-a").standing.unknown_facts(), ["clients.a"]);
    assert_eq!(of("own-client-a").due_at, Some(at("2026-11-07T15:00:00Z")));
    assert_eq!(of("own-insurer").standing, Standing::Applies);
    assert_eq!(of("own-insurer").due_at, Some(at("2026-11-09T22:59:59Z")), "Monday");
    assert_eq!(of("own-works-council").due_at, None);
    assert!(of("own-works-council").watched_at().is_some());
    let twice = serde_json::from_value(own).unwrap();
    let message = law.and_own_duties(twice).unwrap_err().to_string();
    assert!(message.contains("own-client-a"), "{message}");
}

#[test]
fn an_incident_that_was_stored_before_there_were_more_regimes_can_still_be_read() {
    let stored = json!({
        "regime_id": "eu-gdpr-33-1", "title": "t", "article": "GDPR Art. 33(1), (3)",
        "who_notifies": "controller", "who_is_told": "authority", "standing": "possible",
        "unknown_facts": ["risk"], "starts_at": "aware", "started_at": "2026-11-24T10:00:00Z",
        "start_assumed": true, "due_at": "2026-11-27T10:00:00Z",
        "limit": {"value": 72, "unit": "hours"}, "phased": true, "content_items": [],
        "law_version": "2026-11-25"
    });
    let read: Obligation = serde_json::from_value(stored).unwrap();
    assert!(read.is_open());
    let times: TriggerTimes =
        serde_json::from_value(json!({"aware": {"at": "2026-11-24T10:00:00Z", "assumed": true}}))
            .unwrap();
    assert!(times.aware.unwrap().assumed);
}

#[test]
fn a_proposal_of_the_law_data_is_never_in_force() {
    for regime in &Law::embedded().unwrap().regimes {
        if regime.status == Status::Proposed {
            assert!(regime.is_law_on_no_day(), "{}", regime.id);
        }
    }
}

/// Every regime that starts at a sending, and whose sending the law says that it is.
const FOLLOWERS: [(&str, &[&str]); 17] = [
    // GDPR Art. 33(4): what could not be said in the notification of paragraph 1.
    ("eu-gdpr-33-4", &["eu-gdpr-33-1"]),
    // AI Act Art. 73(5): an initial report under paragraphs 2 to 4 may be incomplete.
    (
        "eu-ai-act-73-5",
        &["eu-ai-act-73-2-link", "eu-ai-act-73-2", "eu-ai-act-73-3", "eu-ai-act-73-4"],
    ),
    // NIS2 Art. 23(4)(c), (d): the notification of point (b), which trust service providers make in 24 hours.
    ("eu-nis2-23-intermediate", &["eu-nis2-23-notification", "eu-nis2-23-notification-tsp"]),
    ("eu-nis2-23-final", &["eu-nis2-23-notification", "eu-nis2-23-notification-tsp"]),
    // Del. Reg. (EU) 2025/301 Art. 5(1)(b), (c).
    ("eu-dora-intermediate", &["eu-dora-initial"]),
    ("eu-dora-final", &["eu-dora-intermediate"]),
    // Reg. (EU) 611/2013 Art. 2(3): three days after the initial notification.
    ("eu-eprivacy-611-second", &["eu-eprivacy-611-first"]),
    // CRA Art. 14(4)(c): a month after the notification of point (b), not after the early warning.
    ("eu-cra-14-incident-final", &["eu-cra-14-incident-notification"]),
    // Directive (EU) 2022/2557 Art. 15(1).
    ("eu-cer-15-detailed", &["eu-cer-15-initial"]),
    // Authorities and agencies that are told after the residents of the state.
    ("us-ca-civ-1798-82-authority", &["us-ca-civ-1798-82-individuals"]),
    ("us-ia-715c-2-authority", &["us-ia-715c-2-individuals"]),
    ("us-la-51-3074-authority", &["us-la-51-3074-individuals"]),
    ("us-mn-325e-61-cra", &["us-mn-325e-61-individuals"]),
    ("us-ok-24-163-authority", &["us-ok-24-163-individuals"]),
    // Resolution CD/ANPD 15/2024: the report is completed, that of small agents as well.
    ("br-anpd-15-2024-supplement", &["br-anpd-15-2024-authority", "br-anpd-15-2024-small"]),
    // PDPA s. 12B(2): persons after the Commissioner.
    ("my-pdpa-12b-subjects", &["my-pdpa-12b-commissioner"]),
    // Law 151/2020 Art. 7: persons after the Centre.
    ("eg-pdpl-7-subjects", &["eg-pdpl-7-centre"]),
];

fn judged_after(id: &str, times: &TriggerTimes, sent: &Sent) -> Obligation {
    let law = Law::embedded().unwrap().only(&[id]).unwrap();
    let berlin = Organisation::in_zone(chrono_tz::Europe::Berlin);
    obligations_after(&law, &Facts::default(), times, sent, &berlin).remove(0)
}

#[test]
fn every_clock_that_starts_at_a_sending_says_whose() {
    let law = Law::embedded().unwrap();
    let found: Vec<(&str, Vec<&str>)> = law
        .regimes
        .iter()
        .filter(|regime| !regime.follows.is_empty())
        .map(|regime| (&*regime.id, regime.follows.iter().map(String::as_str).collect()))
        .collect();
    for (id, followed) in &found {
        let expected = FOLLOWERS.iter().find(|(follower, _)| follower == id);
        assert_eq!(expected.map(|(_, followed)| *followed), Some(&followed[..]), "{id}");
    }
    assert_eq!(found.len(), FOLLOWERS.len());
}

#[test]
fn a_sending_starts_the_clocks_that_follow_it_and_no_other() {
    let law = Law::embedded().unwrap();
    let (start, other) = (at("2028-11-20T15:00:00Z"), at("2028-11-24T09:30:00Z"));
    for (id, followed) in FOLLOWERS {
        let kind = law.regime(id).unwrap().starts_at;
        for followed_id in followed {
            let sent = Sent::from([((*followed_id).to_owned(), start)]);
            let obligation = judged_after(id, &TriggerTimes::default().with(kind, other), &sent);
            assert_eq!(obligation.started_at, Some(start), "{id}");
            assert!(obligation.watched_at().is_some() && obligation.gap.is_none(), "{id}");
            let alone = judged(id, &Facts::default(), &TriggerTimes::default().with(kind, start));
            assert_eq!(obligation, alone, "{id}: counted as from the one time for all");
        }
        let of_others: Sent = law
            .regimes
            .iter()
            .filter(|regime| !followed.contains(&&*regime.id))
            .map(|regime| (regime.id.clone(), start))
            .collect();
        let waiting = judged_after(id, &TriggerTimes::default().with(kind, other), &of_others);
        assert_eq!((waiting.started_at, waiting.watched_at()), (None, None), "{id}");
        assert_eq!(waiting.gap.as_deref(), Some(kind.question()), "{id}");
    }
}

#[test]
fn the_first_report_starts_a_clock_and_of_intermediate_reports_the_latest() {
    let (first, second) = (at("2028-11-20T15:00:00Z"), at("2028-11-24T09:30:00Z"));
    let both = |a: &str, b: &str| Sent::from([(a.to_owned(), second), (b.to_owned(), first)]);
    let completion = judged_after(
        "eu-ai-act-73-5",
        &TriggerTimes::default(),
        &both("eu-ai-act-73-2", "eu-ai-act-73-4"),
    );
    assert_eq!(completion.started_at, Some(first));
    let own = serde_json::from_value(json!([{
        "id": "insurer", "title": "Tell the insurer of the end", "basis": "Cyber policy, section 4",
        "who_notifies": "insured", "who_is_told": "insurer", "starts_at": "intermediate_sent",
        "follows": ["eu-dora-intermediate", "eu-nis2-23-intermediate"],
        "limit": {"value": 48, "unit": "hours"}
    }]));
    let law = Law::embedded().unwrap().and_own_duties(own.unwrap()).unwrap();
    let after_both = obligations_after(
        &law.only(&["own-insurer"]).unwrap(),
        &Facts::default(),
        &TriggerTimes::default(),
        &both("eu-dora-intermediate", "eu-nis2-23-intermediate"),
        &Organisation::in_zone(chrono_tz::Europe::Berlin),
    );
    assert_eq!(after_both[0].due_at, Some(at("2028-11-26T09:30:00Z")));
}

#[test]
fn a_sending_that_no_calendar_can_count_from_is_as_good_as_not_known() {
    let sent = Sent::from([("eu-dora-initial".to_owned(), DateTime::<Utc>::MAX_UTC)]);
    let obligation = judged_after("eu-dora-intermediate", &TriggerTimes::default(), &sent);
    assert_eq!((obligation.started_at, obligation.gap.is_some()), (None, true));
}

#[test]
fn a_sending_by_nobody_knows_which_law_does_not_say_which_law_was_in_force() {
    // A year before the GDPR applied.
    for kind in TriggerKind::ALL.into_iter().filter(|kind| kind.is_sending()) {
        let times = TriggerTimes::default().with(kind, at("2017-05-25T08:00:00Z"));
        let obligation = judged_after("eu-gdpr-33-1", &times, &Sent::new());
        assert_eq!(obligation.standing.name(), "possible", "{kind:?}");
    }
}

#[test]
fn what_was_sent_changes_no_clock_of_another_kind() {
    let sent = Sent::from([("eu-gdpr-33-1".to_owned(), at("2026-11-04T08:00:00Z"))]);
    let notified = judged_after("eu-gdpr-33-1", &aware("2026-11-02T08:15:00Z"), &sent);
    assert_eq!(notified.due_at, Some(at("2026-11-05T08:15:00Z")));
}

proptest! {
    #[test]
    fn daylight_saving_never_moves_the_end(seconds in 1_527_300_000_i64..4_000_000_000) {
        let start = DateTime::from_timestamp(seconds, 0).unwrap();
        let times = TriggerTimes::default().with(TriggerKind::Aware, start);
        let due = art_33(&facts(), &times).due_at.unwrap();
        prop_assert_eq!(due - start, chrono::TimeDelta::hours(72));
    }
}
