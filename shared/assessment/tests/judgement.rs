//! Each rule with both signs, and what the judgement promises of every set of tallies.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};

use assessment::{
    Configuration, ConfigurationFiles, INCIDENT_SCORE, UNNAMED_OBJECT, findings::*, fold, judge_day,
};
use chrono::{DateTime, NaiveDate, Utc};
use eventlog::{
    attribution::{AgentKey, AttributedBy},
    event_type::EventType,
    joins::Confidence,
    row::{Channel, Hour, Operation},
    tally::{AgentHour, TallyKey, TallyLine},
    tls::TlsProtocol,
};
use proptest::prelude::*;

const LIVE: &str = "00Dxx0000001gPL";
const TRY: &str = "00Dxx0000001gPM";
const DESK: &str = "desk-agent";
const NIGHT: &str = "night-copy";
const STRANGER: &str = "unregistered:app:0H4xx0000000001";

fn configuration() -> Configuration {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/configuration");
    let files = ConfigurationFiles::NAMES.map(|stem| {
        let name = format!("{stem}.yaml");
        let text = std::fs::read_to_string(format!("{folder}/{name}")).unwrap();
        (name, text)
    });
    Configuration::parse(&ConfigurationFiles::from_folder(files).unwrap()).unwrap()
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 24).unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    format!("2026-11-24T{text}:00Z").parse().unwrap()
}

/// One tally line in the making: a read of one record over REST at 09:00, unless told otherwise.
#[derive(Clone, Debug)]
struct Made {
    agent: &'static str,
    org_id: &'static str,
    event_type: EventType,
    channel: Option<Channel>,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
    line: TallyLine,
}

fn line(agent: &'static str, operation: Operation, objects: &[&str]) -> Made {
    Made {
        agent,
        org_id: LIVE,
        event_type: EventType::RestApi,
        channel: None,
        first: at("09:00"),
        last: at("09:00"),
        line: TallyLine {
            key: TallyKey {
                objects: objects.iter().map(|&object| object.to_owned()).collect(),
                channel: Channel::Rest,
                operation,
                purpose: None,
                tls_protocol: None,
            },
            row_count: 1,
            failed_row_count: 0,
            record_count: 1,
            uncounted_row_count: 0,
            largest_record_count: 1,
            response_bytes: 100,
            first_at: at("09:00"),
            last_at: at("09:00"),
            record_ids: BTreeSet::new(),
            record_ids_cut: false,
            fields: BTreeSet::new(),
            source_addresses: BTreeSet::new(),
            cipher_suites: BTreeSet::new(),
            limited_call_count: 0,
            attributed_by: AttributedBy::ConnectedApp,
            unsure_row_counts: BTreeMap::new(),
            joined_row_count: 0,
            evidence: BTreeSet::from(["00aa".to_owned()]),
        },
    }
}

impl Made {
    fn records(mut self, records: u64, rows: u64) -> Self {
        self.line.record_count = records;
        self.line.row_count = rows;
        self.line.largest_record_count = records.div_ceil(rows);
        self
    }

    fn uncounted(mut self, rows: u64) -> Self {
        self = self.records(0, rows);
        self.line.uncounted_row_count = rows;
        self
    }

    fn refused(mut self) -> Self {
        self = self.records(0, 1);
        self.line.failed_row_count = 1;
        self
    }

    fn of(mut self, event_type: EventType) -> Self {
        self.event_type = event_type;
        if !event_type.counts_records() {
            self = self.uncounted(1);
        }
        self
    }

    fn at(mut self, first: &str, last: &str) -> Self {
        (self.first, self.last) = (at(first), at(last));
        self
    }

    fn in_org(mut self, org_id: &'static str) -> Self {
        self.org_id = org_id;
        self
    }

    fn fields(mut self, fields: &[&str]) -> Self {
        self.line.fields = fields.iter().map(|&field| field.to_owned()).collect();
        self
    }

    fn ids(mut self, ids: impl IntoIterator<Item = u32>) -> Self {
        self.line.record_ids = ids.into_iter().map(|id| format!("003xx{id:010}")).collect();
        self
    }

    fn purpose(mut self, purpose: &str) -> Self {
        self.line.key.purpose = Some(purpose.to_owned());
        self
    }

    fn over(mut self, protocol: TlsProtocol, cipher_suite: &str) -> Self {
        self.line.key.tls_protocol = Some(protocol);
        self.line.cipher_suites = BTreeSet::from([cipher_suite.to_owned()]);
        self
    }

    fn hour(mut self) -> AgentHour {
        self.line.key.channel = self.channel.unwrap_or(self.event_type.channel());
        (self.line.first_at, self.line.last_at) = (self.first, self.last);
        AgentHour {
            org_id: self.org_id.to_owned(),
            agent: AgentKey(self.agent.to_owned()),
            event_type: self.event_type,
            hour: Hour::containing(self.first),
            lines: vec![self.line],
        }
    }
}

fn judged_by(configuration: &Configuration, made: &[Made]) -> DayFindings {
    let hours: Vec<AgentHour> = made.iter().cloned().map(Made::hour).collect();
    let agent = AgentKey(made[0].agent.to_owned());
    judge_day(configuration, made[0].org_id, &agent, day(), &hours)
}

fn judged(made: &[Made]) -> DayFindings {
    judged_by(&configuration(), made)
}

fn folded(made: &[Made]) -> Findings {
    fold(&[judged(made)], &configuration()).unwrap()
}

fn rules(findings: &DayFindings) -> Vec<Rule> {
    findings.signals.iter().map(|signal| signal.rule).collect()
}

fn weight(findings: &DayFindings, rule: Rule) -> u32 {
    findings.signals.iter().find(|signal| signal.rule == rule).unwrap().weight
}

// Objects

#[test]
fn an_access_that_a_purpose_covers_is_compliant() {
    let findings = judged(&[line(DESK, Operation::Read, &["Case"]).records(40, 8)]);
    assert_eq!(findings.verdicts, [(Verdict::Compliant, 8)].into());
    assert!(findings.signals.is_empty() && findings.exposures.is_empty());
    assert_eq!(fold(&[findings], &configuration()), None);
}

#[test]
fn an_object_outside_the_purpose_is_a_violation_and_opens() {
    let findings = folded(&[line(DESK, Operation::Read, &["Intake__c"]).records(9_312, 41)]);
    assert!(findings.opens_incident());
    assert_eq!(findings.signals[0].rule, Rule::ObjectOutsidePurpose);
    assert_eq!(
        findings.signals[0].reason,
        "Read Intake__c, which its purpose answer-cases does not name: 9,312 records in 41 calls at 09:00 \
         UTC."
    );
    assert_eq!(findings.severity.level, SeverityLevel::Critical);
    assert_eq!(findings.row_count, 41);
    assert_eq!(findings.record_count, 9_312);
}

#[test]
fn one_object_outside_makes_a_row_of_several_a_violation_of_that_object() {
    let findings = judged(&[line(DESK, Operation::Read, &["Case", "Intake__c"]).records(10, 1)]);
    assert_eq!(rules(&findings), [Rule::ObjectOutsidePurpose]);
    assert_eq!(findings.signals[0].objects, BTreeSet::from(["Intake__c".to_owned()]));
    assert_eq!(findings.exposures.keys().collect::<Vec<_>>(), ["Intake__c"]);
}

#[test]
fn an_object_that_only_a_query_text_names_is_a_violation_without_a_count() {
    let findings =
        judged(&[line(DESK, Operation::Read, &["Intake__c"]).of(EventType::UniqueQuery)]);
    assert_eq!(rules(&findings), [Rule::ObjectOutsidePurpose]);
    assert!(weight(&findings, Rule::ObjectOutsidePurpose) >= INCIDENT_SCORE);
    assert_eq!(findings.suspect_record_count, 0);
    assert_eq!(findings.exposures["Intake__c"].uncounted_row_count, 1);
}

#[test]
fn an_echo_adds_nothing_to_what_the_call_itself_counts() {
    let findings = judged(&[
        line(DESK, Operation::Read, &["Intake__c"]).records(50, 2),
        line(DESK, Operation::Read, &["Intake__c"]).of(EventType::ApiTotalUsage),
        line(DESK, Operation::Read, &["Intake__c"]).of(EventType::UniqueQuery),
    ]);
    let exposure = &findings.exposures["Intake__c"];
    assert_eq!((exposure.record_count, exposure.uncounted_row_count), (50, 0));
    assert_eq!(exposure.row_count, 2);
}

#[test]
fn non_personal_data_outside_the_purpose_is_noted_and_opens_nothing() {
    let findings = folded(&[line(DESK, Operation::Read, &["Product2"]).records(90_000, 10)]);
    assert_eq!(findings.signals[0].rule, Rule::ObjectOutsidePurpose);
    assert!(!findings.opens_incident());
    assert_eq!(findings.severity.level, SeverityLevel::Info);
    assert_eq!(findings.subject_estimate.upper, Some(0));
}

#[test]
fn looking_up_the_shape_of_a_foreign_object_opens_nothing() {
    let findings = folded(&[line(DESK, Operation::Describe, &["Intake__c"])]);
    assert!(!findings.opens_incident());
    assert!(findings.exposures.is_empty());
}

#[test]
fn an_object_that_nobody_classified_counts_as_contact_data_and_is_told() {
    let findings = judged(&[line(DESK, Operation::Read, &["Mystery__c"]).records(10, 1)]);
    assert_eq!(findings.gaps, [(GapReason::UnclassifiedObject, 1)].into());
    assert_eq!(findings.exposures["Mystery__c"].category, None);
    let findings = fold(&[findings], &configuration()).unwrap();
    assert_eq!(findings.severity.category, DataCategory::ContactIdentity);
    assert!(findings.opens_incident());
}

#[test]
fn a_telling_field_makes_the_exposure_worse() {
    let made = line(DESK, Operation::Export, &["Contact"]).fields(&["Contact.Diagnosis__c"]);
    let findings = judged(&[made]);
    assert_eq!(findings.exposures["Contact"].category, Some(DataCategory::SpecialCategory));
}

#[test]
fn a_relationship_is_judged_as_the_object_it_leads_to() {
    let findings = judged(&[line(DESK, Operation::Read, &["Case", "Contacts"])]);
    assert_eq!(findings.verdicts, [(Verdict::Compliant, 1)].into());
    let findings = judged(&[line(DESK, Operation::Read, &["Case", "Intakes__r"])]);
    assert_eq!(findings.exposures.keys().collect::<Vec<_>>(), ["Intake__c"]);
}

#[test]
fn letter_case_of_an_object_does_not_matter() {
    let findings = judged(&[line(DESK, Operation::Read, &["contact"])]);
    assert_eq!(findings.verdicts, [(Verdict::Compliant, 1)].into());
}

#[test]
fn a_row_without_an_object_is_a_gap() {
    let findings = judged(&[line(DESK, Operation::Read, &[])]);
    assert_eq!(findings.verdicts, [(Verdict::Gap, 1)].into());
    assert_eq!(findings.gaps, [(GapReason::ObjectNotNamed, 1)].into());
}

#[test]
fn a_name_that_cannot_be_an_objects_is_never_repeated() {
    let findings = judged(&[line(DESK, Operation::Export, &["eve@example.com"])]);
    assert!(!serde_json::to_string(&findings).unwrap().contains("eve"));
    assert_eq!(rules(&findings), [Rule::OperationOutsidePurpose]);
    assert!(findings.exposures.contains_key(UNNAMED_OBJECT));
}

// Operations

#[test]
fn an_export_by_an_agent_that_may_only_read_opens() {
    let findings = judged(&[line(DESK, Operation::Export, &["Contact"])]);
    assert_eq!(rules(&findings), [Rule::OperationOutsidePurpose]);
    assert!(weight(&findings, Rule::OperationOutsidePurpose) >= INCIDENT_SCORE);
}

#[test]
fn an_allowed_operation_breaks_nothing() {
    assert!(rules(&judged(&[line(DESK, Operation::Update, &["Contact"])])).is_empty());
}

#[test]
fn an_operation_that_the_row_does_not_tell_is_a_gap() {
    let findings = judged(&[line(DESK, Operation::Other, &["Contact"])]);
    assert_eq!(findings.gaps, [(GapReason::OperationNotNamed, 1)].into());
    assert_eq!(findings.verdicts, [(Verdict::Gap, 1)].into());
}

#[test]
fn deleting_a_bulk_job_is_not_deleting_records() {
    let findings = judged(&[line(DESK, Operation::Delete, &[]).of(EventType::ApiTotalUsage)]);
    assert!(findings.signals.is_empty());
    let findings = judged(&[line(DESK, Operation::Delete, &["Case"]).of(EventType::ApiTotalUsage)]);
    assert_eq!(rules(&findings), [Rule::OperationOutsidePurpose]);
}

#[test]
fn a_refused_access_touches_nothing_and_breaks_nothing() {
    let findings = judged(&[line(DESK, Operation::Export, &["Intake__c"]).refused()]);
    assert_eq!(findings.verdicts, [(Verdict::Compliant, 1)].into());
    assert!(findings.signals.is_empty());
}

#[test]
fn a_login_is_no_access() {
    let findings = judged(&[line(DESK, Operation::Login, &[]).of(EventType::Login)]);
    assert_eq!(findings.verdicts, [(Verdict::Compliant, 1)].into());
}

// Channels

#[test]
fn a_channel_outside_the_purpose_is_noted_and_opens_nothing_alone() {
    let findings = judged(&[line(DESK, Operation::Read, &["Contact"]).of(EventType::Api)]);
    assert_eq!(rules(&findings), [Rule::ChannelOutsidePurpose]);
    assert!(weight(&findings, Rule::ChannelOutsidePurpose) < INCIDENT_SCORE);
    assert_eq!(
        findings.signals[0].reason,
        "Read Contact by the SOAP API, a way that its purpose answer-cases does not allow: 1 record in 1 call \
         at 09:00 UTC."
    );
}

#[test]
fn a_purpose_without_channels_allows_all() {
    let night = line(NIGHT, Operation::Export, &["Contact"]).of(EventType::BulkApi2);
    assert!(rules(&judged(&[night.at("01:00", "01:00")])).is_empty());
}

#[test]
fn the_channel_of_an_echo_is_the_counted_calls_matter() {
    for event_type in [
        EventType::ApiTotalUsage,
        EventType::UniqueQuery,
        EventType::DatabaseSave,
        EventType::FlowExecution,
        EventType::InsufficientAccess,
        EventType::UiAgentInteractionEventLog,
    ] {
        let findings = judged(&[line(DESK, Operation::Read, &["Case"]).of(event_type)]);
        assert!(rules(&findings).is_empty(), "{event_type:?}");
    }
}

// Volume

#[test]
fn an_hour_within_its_limit_is_compliant() {
    let findings = judged(&[line(DESK, Operation::Read, &["Contact"]).records(400, 4)]);
    assert!(findings.signals.is_empty());
}

#[test]
fn an_hour_far_over_its_limit_opens_and_says_by_how_much() {
    let findings = judged(&[
        line(DESK, Operation::Read, &["Contact"]).records(700, 4).at("09:05", "09:15"),
        line(DESK, Operation::Read, &["Case"]).records(530, 4).at("09:10", "09:50"),
    ]);
    assert_eq!(rules(&findings), [Rule::RecordsPerHour]);
    assert!(weight(&findings, Rule::RecordsPerHour) >= INCIDENT_SCORE);
    assert_eq!(
        findings.signals[0].reason,
        "Read 1,230 records for its purpose answer-cases in the hour from 09:00 UTC, 3.0 times the declared \
         400: mostly Contact (700)."
    );
    assert_eq!(findings.verdicts, [(Verdict::Violation, 8)].into());
}

#[test]
fn an_hour_a_little_over_its_limit_opens_nothing() {
    let findings = folded(&[line(DESK, Operation::Read, &["Contact"]).records(560, 4)]);
    assert_eq!(findings.signals[0].rule, Rule::RecordsPerHour);
    assert!(!findings.opens_incident());
}

#[test]
fn the_same_records_spread_over_two_hours_keep_the_limit() {
    let findings = judged(&[
        line(DESK, Operation::Read, &["Contact"]).records(350, 4).at("09:59", "09:59"),
        line(DESK, Operation::Read, &["Contact"]).records(350, 4).at("10:00", "10:00"),
    ]);
    assert!(findings.signals.is_empty());
}

#[test]
fn the_limit_of_the_day_is_passed_by_hours_that_each_keep_theirs() {
    let hours: Vec<Made> = (0..9)
        .map(|hour| {
            let time = format!("{:02}:30", 9 + hour);
            line(DESK, Operation::Read, &["Contact"]).records(390, 4).at(&time, &time)
        })
        .collect();
    let findings = judged(&hours);
    assert_eq!(rules(&findings), [Rule::RecordsPerDay]);
    assert!(judged(&hours[..7]).signals.is_empty());
}

#[test]
fn records_of_a_foreign_object_are_not_the_purposes_volume() {
    let findings = judged(&[
        line(DESK, Operation::Read, &["Contact"]).records(390, 4),
        line(DESK, Operation::Read, &["Product2"]).records(5_000, 4),
    ]);
    assert_eq!(rules(&findings), [Rule::ObjectOutsidePurpose]);
}

#[test]
fn echoes_add_no_volume() {
    let findings = judged(&[
        line(DESK, Operation::Read, &["Contact"]).records(400, 4),
        line(DESK, Operation::Read, &["Contact"]).of(EventType::ApiTotalUsage).records(90, 1),
        line(DESK, Operation::Read, &["Contact"]).of(EventType::BulkApiRequest).records(90, 1),
    ]);
    assert!(!rules(&findings).contains(&Rule::RecordsPerHour));
}

#[test]
fn honest_work_stays_honest_beside_an_export_that_goes_wrong() {
    let findings = judged(&[
        line(DESK, Operation::Read, &["Case"]).records(100, 50).at("08:00", "08:40"),
        line(DESK, Operation::Read, &["Case"]).records(100, 50).at("09:00", "09:50"),
        line(DESK, Operation::Export, &["Contact"])
            .of(EventType::BulkApi2)
            .records(48_000, 1)
            .at("09:30", "09:30"),
    ]);
    assert_eq!(
        rules(&findings),
        [
            Rule::OperationOutsidePurpose,
            Rule::ChannelOutsidePurpose,
            Rule::RecordsPerHour,
            Rule::RecordsPerDay
        ]
    );
    assert_eq!(findings.verdicts, [(Verdict::Compliant, 100), (Verdict::Violation, 1)].into());
    assert_eq!(findings.exposures.keys().collect::<Vec<_>>(), ["Contact"]);
    assert!(findings.signals.iter().all(|signal| signal.first_at == at("09:30")));
}

#[test]
fn a_day_is_over_from_the_hour_on_in_which_its_limit_is_passed() {
    let hours: Vec<Made> = (9..18)
        .map(|hour| {
            let time = format!("{hour:02}:30");
            line(DESK, Operation::Read, &["Contact"]).records(390, 4).at(&time, &time)
        })
        .collect();
    let findings = judged(&hours);
    // 3,000 are passed in the eighth of nine hours.
    assert_eq!(findings.signals[0].first_at, at("16:30"));
    assert_eq!(findings.suspect_record_count, 780);
}

#[test]
fn rows_without_a_count_are_a_gap_where_a_limit_is_declared() {
    let findings = judged(&[line(DESK, Operation::Read, &["Contact"]).uncounted(3)]);
    assert_eq!(findings.verdicts, [(Verdict::Gap, 3)].into());
    assert_eq!(findings.gaps, [(GapReason::RecordsNotCounted, 3)].into());
    let night = line(NIGHT, Operation::Read, &["Contact"]).uncounted(3).at("01:00", "01:00");
    assert_eq!(judged(&[night]).verdicts, [(Verdict::Compliant, 3)].into());
}

// Hours

#[test]
fn work_within_hours_that_span_midnight_is_compliant() {
    // 22:00 to 05:00 in Berlin is 21:00 to 04:00 UTC in winter.
    for time in ["21:00", "23:59", "00:00", "03:59"] {
        let findings = judged(&[line(NIGHT, Operation::Export, &["Contact"]).at(time, time)]);
        assert!(findings.signals.is_empty(), "{time}");
    }
}

#[test]
fn work_outside_hours_is_a_violation() {
    for (first, last) in [("20:59", "20:59"), ("04:00", "04:00"), ("03:00", "04:30")] {
        let findings = judged(&[line(NIGHT, Operation::Export, &["Contact"]).at(first, last)]);
        assert_eq!(rules(&findings), [Rule::OutsideHours], "{first}");
        assert_eq!(weight(&findings, Rule::OutsideHours), 20);
    }
}

#[test]
fn hours_of_one_purpose_do_not_bind_another_that_allows_the_same() {
    let mut configuration = configuration();
    let night = configuration.registry.agents[NIGHT].purposes[0].clone();
    configuration.registry.agents.get_mut(DESK).unwrap().purposes.push(night);
    // The night purpose declares no limit and would be taken first, were it open at noon.
    let findings = judged_by(&configuration, &[line(DESK, Operation::Read, &["Contact"])]);
    assert_eq!(findings.verdicts, [(Verdict::Compliant, 1)].into());
}

#[test]
fn the_reason_names_the_hours() {
    let made = line(NIGHT, Operation::Export, &["Contact"]).records(20, 2).at("12:10", "12:40");
    assert_eq!(
        judged(&[made]).signals[0].reason,
        "Exported Contact outside the hours declared for it (22:00 to 05:00 Europe/Berlin): 20 records in 2 \
         calls between 12:10 and 12:40 UTC."
    );
}

// Orgs, purposes, agents

#[test]
fn work_in_an_org_of_somebody_else_opens() {
    let findings = folded(&[line(NIGHT, Operation::Read, &["Contact"]).in_org(TRY)]);
    assert_eq!(findings.signals[0].rule, Rule::WrongOrg);
    assert!(findings.opens_incident());
    assert!(judged(&[line(DESK, Operation::Read, &["Contact"]).in_org(TRY)]).signals.is_empty());
}

#[test]
fn an_org_that_is_not_declared_is_a_gap() {
    let findings = judged(&[line(DESK, Operation::Export, &["Contact"]).in_org("00Dxx0000000000")]);
    assert_eq!(findings.verdicts, [(Verdict::Gap, 1)].into());
    assert_eq!(findings.gaps, [(GapReason::UnknownOrg, 1)].into());
    assert!(findings.signals.is_empty());
}

#[test]
fn an_agent_without_a_purpose_may_touch_nothing() {
    let mut configuration = configuration();
    configuration.registry.agents.get_mut(DESK).unwrap().purposes.clear();
    let findings = judged_by(&configuration, &[line(DESK, Operation::Read, &["Contact"])]);
    assert_eq!(rules(&findings), [Rule::NoPurpose]);
    assert!(weight(&findings, Rule::NoPurpose) >= INCIDENT_SCORE);
    let findings = judged_by(&configuration, &[line(DESK, Operation::Read, &["Product2"])]);
    assert!(weight(&findings, Rule::NoPurpose) < INCIDENT_SCORE);
}

#[test]
fn one_purpose_must_cover_an_access_whole() {
    let mut configuration = configuration();
    let agent = configuration.registry.agents.get_mut(DESK).unwrap();
    let mut second = agent.purposes[0].clone();
    second.name = "send-reports".to_owned();
    second.objects = BTreeSet::from(["Report".to_owned()]);
    second.operations = BTreeSet::from([Operation::Export]);
    agent.purposes.push(second);
    // Contacts may be read, reports may be exported; contacts may not be exported.
    let findings = judged_by(&configuration, &[line(DESK, Operation::Export, &["Contact"])]);
    assert_eq!(rules(&findings), [Rule::OperationOutsidePurpose]);
    assert!(findings.signals[0].reason.contains("its purpose answer-cases"));
    let findings = judged_by(&configuration, &[line(DESK, Operation::Export, &["Report"])]);
    assert!(findings.signals.is_empty());
    // An identity that is used for one purpose is held to that one.
    let made = line(DESK, Operation::Read, &["Contact"]).purpose("send-reports");
    let findings = judged_by(&configuration, &[made]);
    assert_eq!(rules(&findings), [Rule::ObjectOutsidePurpose, Rule::OperationOutsidePurpose]);
}

#[test]
fn an_undeclared_agent_is_a_gap_and_a_signal_by_what_it_read() {
    let few = judged(&[line(STRANGER, Operation::Read, &["Contact"]).records(50, 5)]);
    assert_eq!(few.verdicts, [(Verdict::Gap, 5)].into());
    assert_eq!(few.gaps, [(GapReason::UnregisteredAgent, 5)].into());
    assert!(!fold(&[few], &configuration()).unwrap().opens_incident());
    let many = folded(&[line(STRANGER, Operation::Read, &["Contact"]).records(1_200, 5)]);
    assert!(many.opens_incident());
    assert_eq!(
        many.signals[0].reason,
        "Read Contact although nobody has registered this agent: 1,200 records in 5 calls at 09:00 UTC."
    );
    let health = folded(&[line(STRANGER, Operation::Read, &["Intake__c"]).records(10, 1)]);
    assert!(health.opens_incident());
    let products = judged(&[line(STRANGER, Operation::Read, &["Product2"]).records(9_000, 5)]);
    assert!(products.signals.is_empty());
}

// Logins

fn login(agent: &'static str, logins: u64) -> Made {
    let mut made = line(agent, Operation::Login, &[]).of(EventType::Login).records(0, logins);
    made.line.uncounted_row_count = 0;
    made
}

#[test]
fn a_login_below_tls_1_2_is_a_signal_and_opens_nothing_by_itself() {
    for agent in [DESK, STRANGER] {
        let findings = judged(&[
            login(agent, 3).over(TlsProtocol::Tls10, "AES128-SHA").at("09:12", "09:47"),
            login(agent, 40).over(TlsProtocol::Tls13, "TLS_AES_256_GCM_SHA384"),
        ]);
        assert_eq!(rules(&findings), [Rule::OutdatedTls]);
        assert_eq!(findings.signals[0].row_count, 3);
        assert_eq!(
            findings.signals[0].reason,
            "Logged in over TLS 1.0, cipher suite AES128-SHA, although connections below TLS 1.2 no longer \
             count as secure: 3 logins between 09:12 and 09:47 UTC."
        );
        assert!(findings.exposures.is_empty());
        assert!(!fold(&[findings], &configuration()).unwrap().opens_incident());
    }
    let elsewhere = login(NIGHT, 3).over(TlsProtocol::Tls11, "AES128-SHA").in_org(TRY);
    let findings = judged(&[elsewhere]);
    assert_eq!(rules(&findings), [Rule::WrongOrg, Rule::OutdatedTls]);
    assert!(!fold(&[findings], &configuration()).unwrap().opens_incident());
}

#[test]
fn a_login_over_tls_1_2_or_newer_or_without_a_protocol_or_refused_is_none() {
    for made in [
        login(DESK, 3).over(TlsProtocol::Tls12, "ECDHE-RSA-AES256-GCM-SHA384"),
        login(DESK, 3).over(TlsProtocol::Tls13, "TLS_AES_256_GCM_SHA384"),
        login(DESK, 3),
        login(DESK, 1).refused().over(TlsProtocol::Tls10, "AES128-SHA"),
    ] {
        let findings = judged(&[made]);
        assert!(findings.signals.is_empty(), "{:?}", findings.signals);
        assert!(findings.verdicts.contains_key(&Verdict::Compliant));
    }
}

#[test]
fn logins_below_tls_1_2_on_two_days_are_counted_as_logins() {
    let first = judged(&[login(DESK, 3).over(TlsProtocol::Tls10, "AES128-SHA")]);
    let mut second = judged(&[login(DESK, 4).over(TlsProtocol::Tls11, "DES-CBC3-SHA")]);
    second.day = day().succ_opt().unwrap();
    let folded = fold(&[second, first], &configuration()).unwrap();
    assert_eq!((folded.signals.len(), folded.score), (1, 8));
    assert!(folded.signals[0].reason.contains("on 2 days, 7 logins in all"), "{folded:?}");
}

// Wildcards

#[test]
fn a_wildcard_counts_as_every_field_that_the_data_map_has() {
    let exposed = |fields: &[&str]| {
        let made = line(STRANGER, Operation::Read, &["Individual"]).records(40, 1).fields(fields);
        folded(&[made])
    };
    let (plain, all) = (exposed(&["Individual.Id"]), exposed(&["Individual.FIELDS(ALL)"]));
    assert_eq!(plain.exposures["Individual"].category, Some(DataCategory::ContactIdentity));
    assert_eq!(all.exposures["Individual"].category, Some(DataCategory::Criminal));
    assert!(all.score > plain.score && all.severity.level > plain.severity.level);
    assert_eq!(
        all.exposures["Individual"].fields,
        BTreeSet::from(["Individual.FIELDS(ALL)".to_owned()])
    );
}

#[test]
fn what_only_looks_like_a_wildcard_is_not_repeated() {
    let made = line(STRANGER, Operation::Read, &["Individual"])
        .records(40, 1)
        .fields(&["Individual.FIELDS(Erika)", "Individual.(ALL)"]);
    assert!(folded(&[made]).exposures["Individual"].fields.is_empty());
}

#[test]
fn a_name_that_left_the_registry_is_an_undeclared_agent() {
    let findings = judged(&[line("retired-agent", Operation::Read, &["Contact"])]);
    assert_eq!(findings.gaps, [(GapReason::UnregisteredAgent, 1)].into());
}

#[test]
fn hours_of_other_agents_orgs_and_days_are_left_out() {
    let hours = [
        line(DESK, Operation::Read, &["Case"]).hour(),
        line(NIGHT, Operation::Read, &["Case"]).hour(),
        line(DESK, Operation::Read, &["Case"]).in_org(TRY).hour(),
    ];
    let findings = judge_day(&configuration(), LIVE, &AgentKey(DESK.into()), day(), &hours);
    assert_eq!(findings.row_count, 1);
    let other_day = day().succ_opt().unwrap();
    let findings = judge_day(&configuration(), LIVE, &AgentKey(DESK.into()), other_day, &hours);
    assert_eq!(findings.row_count, 0);
}

// Persons

#[test]
fn ids_that_the_log_names_are_exact() {
    let made = line(DESK, Operation::Delete, &["Contact"]).records(30, 30).ids(0..30);
    let estimate = folded(&[made]).subject_estimate;
    assert_eq!((estimate.exact, estimate.lower, estimate.upper), (30, 30, Some(30)));
    assert_eq!(estimate.basis, SubjectBasis::RecordIds);
}

#[test]
fn records_read_again_and_again_are_cut_to_the_population() {
    let made = line(DESK, Operation::Export, &["Contact"]).records(90_000, 3);
    let estimate = folded(&[made]).subject_estimate;
    assert_eq!((estimate.lower, estimate.upper), (30_000, Some(48_200)));
    assert_eq!(estimate.basis, SubjectBasis::ObjectPopulation);
}

#[test]
fn ten_cases_may_be_of_one_person() {
    let made = line(DESK, Operation::Export, &["Case"]).records(10, 1).ids(0..10);
    let estimate = folded(&[made]).subject_estimate;
    assert_eq!((estimate.exact, estimate.lower, estimate.upper), (0, 1, Some(10)));
}

#[test]
fn what_no_log_counts_and_no_population_bounds_is_unknown() {
    let made = line(DESK, Operation::Export, &["Lead"]).uncounted(2);
    let findings = folded(&[made]);
    assert_eq!(findings.subject_estimate.upper, None);
    assert_eq!(findings.subject_estimate.basis, SubjectBasis::Uncounted);
    assert!(findings.severity.level > findings.severity.level_at_lower);
    let made = line(DESK, Operation::Export, &["Contact"]).uncounted(2);
    assert_eq!(folded(&[made]).subject_estimate.upper, Some(48_200));
}

#[test]
fn each_category_is_judged_by_its_own_number() {
    let findings = folded(&[
        line(DESK, Operation::Export, &["Contact"]).records(40_000, 1),
        line(DESK, Operation::Read, &["Intake__c"]).records(5, 1),
    ]);
    assert_eq!(findings.severity.level, SeverityLevel::High);
    assert_eq!(findings.severity.category, DataCategory::SpecialCategory);
    assert_eq!(findings.subject_estimate.upper, Some(40_005));
}

// Days together

#[test]
fn a_rule_broken_on_two_days_is_one_signal() {
    let configuration = configuration();
    let first = judged(&[line(DESK, Operation::Read, &["Intake__c"]).records(20, 2)]);
    let mut second = judged(&[line(DESK, Operation::Read, &["Intake__c"]).records(900, 9)]);
    second.day = day().succ_opt().unwrap();
    for signal in &mut second.signals {
        signal.first_at += chrono::TimeDelta::days(1);
        signal.last_at += chrono::TimeDelta::days(1);
    }
    let folded = fold(&[first.clone(), second.clone()], &configuration).unwrap();
    assert_eq!(folded.signals.len(), 1);
    assert_eq!(folded.signals[0].weight, second.signals[0].weight);
    assert_eq!(folded.record_count, 920);
    assert_eq!(folded.exposures["Intake__c"].record_count, 920);
    assert_eq!(
        folded.signals[0].reason,
        "On 25 November 2026: Read Intake__c, which its purpose answer-cases does not name: 900 records in 9 \
         calls at 09:00 UTC. The like on 2 days, 920 records in all, between 24 November 2026 09:00 and 25 \
         November 2026 09:00 UTC."
    );
    let again = fold(&[second.clone(), first.clone(), first, second], &configuration);
    assert_eq!(again.unwrap(), folded);
}

#[test]
fn of_a_day_given_twice_the_fuller_one_stands() {
    let less = judged(&[line(DESK, Operation::Read, &["Intake__c"]).records(20, 2)]);
    let more = judged(&[line(DESK, Operation::Read, &["Intake__c"]).records(30, 3)]);
    let folded = fold(&[more.clone(), less], &configuration()).unwrap();
    assert_eq!(folded, fold(&[more], &configuration()).unwrap());
}

#[test]
fn a_realistic_day() {
    let findings = folded(&[
        line(DESK, Operation::Read, &["Case"]).records(120, 60).at("08:00", "08:58"),
        line(DESK, Operation::Describe, &["Intake__c"]).records(0, 2).at("09:12", "09:13"),
        line(DESK, Operation::Read, &["Intake__c"])
            .records(9_312, 41)
            .fields(&["Intake__c.Diagnosis__c", "Intake__c.Name"])
            .at("09:14", "09:58"),
        line(DESK, Operation::Read, &["Intake__c"]).of(EventType::UniqueQuery).at("09:14", "09:14"),
        line(DESK, Operation::Export, &["Contact"])
            .of(EventType::BulkApi2)
            .records(48_013, 1)
            .at("10:31", "10:31"),
        line(DESK, Operation::Export, &["Contact"])
            .of(EventType::BulkApiRequest)
            .at("10:47", "10:47"),
    ]);
    insta::assert_json_snapshot!(findings);
}

// What holds for every set of tallies

prop_compose! {
    fn any_line()(
        agent in Just(DESK),
        operation in prop::sample::select(vec![
            Operation::Read, Operation::Export, Operation::Update, Operation::Describe, Operation::Other,
        ]),
        objects in prop::sample::subsequence(
            vec!["Case", "Contact", "Intake__c", "Product2", "Mystery__c"], 0..3,
        ),
        event_type in prop::sample::select(vec![
            EventType::RestApi, EventType::Api, EventType::BulkApi2, EventType::UniqueQuery,
            EventType::ApiEvent, EventType::ReportEvent, EventType::GatewayAccess,
        ]),
        hour in 0_u32..24,
        (first, length) in (0_u32..30, 0_u32..30),
        rows in 1_u64..20,
        records in 0_u64..3_000,
        ids in 0_u32..5,
    ) -> Made {
        let minute = |minute: u32| format!("{hour:02}:{minute:02}");
        line(agent, operation, &objects)
            .records(records, rows)
            .ids(0..ids)
            .of(event_type)
            .at(&minute(first), &minute(first + length))
    }
}

/// One line for each hour, event type and key, as tallies have it.
fn as_set(made: Vec<Made>) -> Vec<Made> {
    let mut seen = BTreeSet::new();
    made.into_iter()
        .filter(|made| {
            let hour = made.clone().hour();
            seen.insert((hour.hour, hour.event_type, hour.lines[0].key.clone()))
        })
        .collect()
}

fn as_hours(made: &[Made]) -> Vec<AgentHour> {
    let mut hours: Vec<AgentHour> = Vec::new();
    for hour in made.iter().cloned().map(Made::hour) {
        match hours
            .iter_mut()
            .find(|known| (known.hour, known.event_type) == (hour.hour, hour.event_type))
        {
            Some(known) => {
                known.lines.extend(hour.lines);
                known.lines.sort_by(|left, right| left.key.cmp(&right.key));
            }
            None => hours.push(hour),
        }
    }
    hours
}

/// Hours in which the agent also works under a second purpose, so that purposes compete.
fn two_purposes() -> Configuration {
    let mut configuration = configuration();
    let night = configuration.registry.agents[NIGHT].purposes[0].clone();
    let agent = configuration.registry.agents.get_mut(DESK).unwrap();
    agent.purposes.push(assessment::registry::Purpose {
        records_per_hour: Some(900),
        records_per_day: Some(2_000),
        ..night
    });
    configuration
}

// Witnesses

#[test]
fn an_access_that_two_witnesses_tell_of_counts_once() {
    let told = |event_type, records| {
        line(DESK, Operation::Read, &["Case"]).records(records, 8).of(event_type)
    };
    let twice = judged(&[told(EventType::RestApi, 300), told(EventType::ApiEvent, 280)]);
    assert_eq!(rules(&twice), [], "300 of 400 an hour");
    // What one witness tells in two types of log is two accesses.
    let one_witness = judged(&[told(EventType::RestApi, 300), told(EventType::Api, 280)]);
    assert!(one_witness.signals.iter().any(|it| it.rule == Rule::RecordsPerHour));
    let larger = judged(&[told(EventType::RestApi, 100), told(EventType::ApiEvent, 500)]);
    let hour = larger.signals.iter().find(|it| it.rule == Rule::RecordsPerHour).unwrap();
    assert!(hour.reason.contains("Read 500 records"), "{}", hour.reason);
}

#[test]
fn accesses_of_other_hours_and_objects_are_others() {
    let told = |event_type, object, from: &str| {
        line(DESK, Operation::Read, &[object]).records(300, 8).of(event_type).at(from, from)
    };
    let file = told(EventType::RestApi, "Case", "09:10");
    let same = judged(&[file.clone(), told(EventType::ApiEvent, "Case", "09:20")]);
    assert_eq!(rules(&same), []);
    let objects = judged(&[file.clone(), told(EventType::ApiEvent, "Contact", "09:20")]);
    assert!(rules(&objects).contains(&Rule::RecordsPerHour), "{objects:?}");
    let files: Vec<Made> =
        (9..15).map(|hour| told(EventType::RestApi, "Case", &format!("{hour:02}:10"))).collect();
    let mut hours = files.clone();
    hours.extend((15..20).map(|hour| told(EventType::ApiEvent, "Case", &format!("{hour:02}:10"))));
    assert!(!rules(&judged(&files)).contains(&Rule::RecordsPerDay));
    assert!(rules(&judged(&hours)).contains(&Rule::RecordsPerDay), "3,300 of 3,000 a day");
}

#[test]
fn what_leaked_is_the_larger_account_and_all_ids() {
    let told = |event_type, records, ids: std::ops::Range<u32>| {
        line(DESK, Operation::Read, &["Intake__c"]).records(records, 4).of(event_type).ids(ids)
    };
    let findings =
        judged(&[told(EventType::RestApi, 90, 0..3), told(EventType::ApiEvent, 100, 2..5)]);
    let exposure = &findings.exposures["Intake__c"];
    assert_eq!((exposure.record_count, exposure.record_ids.len()), (100, 5));
    assert_eq!(findings.suspect_record_count, 100);
    assert_eq!(findings.row_count, 8, "rows are rows, whoever wrote them");
}

#[test]
fn a_witness_who_saw_a_rule_broken_is_not_silenced() {
    let file = line(DESK, Operation::Export, &["Case"]).records(50, 1).of(EventType::BulkApi2);
    let event = line(DESK, Operation::Read, &["Case"]).records(200, 1).of(EventType::ApiEvent);
    let alone = judged(std::slice::from_ref(&file));
    let both = judged(&[file, event]);
    assert!(rules(&alone).contains(&Rule::OperationOutsidePurpose));
    assert!(rules(&both).contains(&Rule::OperationOutsidePurpose));
    assert_eq!(both.exposures["Case"].record_count, 50);
}

/// A report that nobody else tells of is no call, though it touched the same object in the same hour.
#[test]
fn accesses_through_other_doors_are_others() {
    let case = |event_type, operation, records| {
        line("unregistered:client:curl", operation, &["Case"]).records(records, 8).of(event_type)
    };
    let calls = case(EventType::RestApi, Operation::Read, 900);
    for (other, records) in [
        (case(EventType::ReportEvent, Operation::Export, 800), 1_700),
        (case(EventType::BulkApiResultEvent, Operation::Read, 800), 900),
        (case(EventType::BulkApiResultEvent, Operation::Delete, 500), 1_400),
    ] {
        let findings = judged(&[calls.clone(), other]);
        assert_eq!(findings.exposures["Case"].record_count, records);
        assert_eq!(findings.suspect_record_count, records);
    }
    let reports = [
        case(EventType::ReportExport, Operation::Export, 0).uncounted(1),
        case(EventType::ReportEvent, Operation::Read, 40),
    ];
    let exposure = &judged(&reports).exposures["Case"];
    assert_eq!((exposure.record_count, exposure.uncounted_row_count), (40, 0));
}

/// The file reaches past the end of the hours, and the event, which lost its last calls, counts more within them.
#[test]
fn what_one_witness_saw_outside_hours_is_counted_though_another_saw_more_within() {
    let told = |event_type, records, from: &str, to: &str| {
        line(NIGHT, Operation::Read, &["Account"]).records(records, 1).of(event_type).at(from, to)
    };
    let mut configuration = configuration();
    let night = configuration.registry.agents.get_mut(NIGHT).unwrap();
    // 03:30 UTC.
    night.purposes[0].hours.as_mut().unwrap().to =
        chrono::NaiveTime::from_hms_opt(4, 30, 0).unwrap();
    let file = told(EventType::RestApi, 50, "03:10", "03:55");
    let event = told(EventType::ApiEvent, 200, "03:05", "03:20");
    let findings = judged_by(&configuration, &[file, event]);
    assert_eq!(rules(&findings), [Rule::OutsideHours]);
    assert_eq!(findings.exposures["Account"].record_count, 50);
    assert_eq!(findings.suspect_record_count, 50);
    assert!(findings.signals[0].reason.contains("50 records"), "{}", findings.signals[0].reason);
}

/// What another witness told of another broken rule says nothing of this one, and makes it no milder.
#[test]
fn each_rule_is_told_by_the_witnesses_who_saw_it_broken() {
    let told = |event_type: EventType, operation, records| {
        line(DESK, operation, &["Case"]).records(records, 1).of(event_type)
    };
    let export = told(EventType::RestApi, Operation::Export, 2_000);
    let bulk = told(EventType::BulkApiResultEvent, Operation::Read, 3_000);
    let alone = judged(std::slice::from_ref(&export));
    let both = judged(&[export, bulk]);
    assert!(rules(&both).contains(&Rule::ChannelOutsidePurpose), "{both:?}");
    let rule = Rule::OperationOutsidePurpose;
    assert_eq!(weight(&both, rule), weight(&alone, rule));
    let signal = |findings: &DayFindings| {
        findings.signals.iter().find(|signal| signal.rule == rule).unwrap().record_count
    };
    assert_eq!((signal(&alone), signal(&both)), (2_000, 2_000));
    assert_eq!(both.exposures["Case"].record_count, 3_000, "what leaked counts once");
}

#[test]
fn calls_that_a_gateway_could_not_count_are_counted_by_the_file() {
    let file = line(DESK, Operation::Read, &["Case"]).records(40, 5);
    let gateway =
        |rows| line(DESK, Operation::Read, &["Case"]).of(EventType::GatewayAccess).uncounted(rows);
    let not_counted =
        |findings: &DayFindings| findings.gaps.get(&GapReason::RecordsNotCounted).copied();
    assert_eq!(not_counted(&judged(&[gateway(5)])), Some(5));
    assert_eq!(not_counted(&judged(&[gateway(5), file.clone()])), None);
    assert_eq!(not_counted(&judged(&[gateway(6), file])), Some(6), "one call is in no file");
}

fn weights(days: &[DayFindings], configuration: &Configuration) -> Vec<(Rule, u32)> {
    let folded = fold(days, configuration);
    folded.map_or_else(Vec::new, |folded| {
        folded.signals.iter().map(|signal| (signal.rule, signal.weight)).collect()
    })
}

proptest! {
    #[test]
    fn the_order_of_hours_does_not_show(
        made in prop::collection::vec(any_line(), 1..12).prop_map(as_set),
        seed in prop::collection::vec(any::<prop::sample::Index>(), 12),
    ) {
        let configuration = two_purposes();
        let agent = AgentKey(DESK.into());
        let hours = as_hours(&made);
        let mut shuffled = hours.clone();
        let length = shuffled.len();
        for (index, other) in (0..length).zip(&seed) {
            shuffled.swap(index, other.index(length));
        }
        let judged = judge_day(&configuration, LIVE, &agent, day(), &hours);
        prop_assert_eq!(&judge_day(&configuration, LIVE, &agent, day(), &shuffled), &judged);
        let rows: u64 = judged.verdicts.values().sum();
        prop_assert_eq!(rows, judged.row_count);
    }

    #[test]
    fn the_order_of_days_does_not_show(
        days in prop::collection::vec(prop::collection::vec(any_line(), 0..6).prop_map(as_set), 1..5),
    ) {
        let configuration = two_purposes();
        let agent = AgentKey(DESK.into());
        let judged: Vec<DayFindings> = days
            .iter()
            .zip(0_u64..)
            .map(|(made, index)| {
                let mut judged = judge_day(&configuration, LIVE, &agent, day(), &as_hours(made));
                judged.day = day() + chrono::Days::new(index);
                judged
            })
            .collect();
        let mut reversed = judged.clone();
        reversed.reverse();
        prop_assert_eq!(fold(&judged, &configuration), fold(&reversed, &configuration));
    }

    /// A row more, wherever it falls, never lowers the weight of a rule, nor the score.
    #[test]
    fn more_evidence_never_lowers_a_weight_or_the_score(
        made in prop::collection::vec(any_line(), 1..10).prop_map(as_set),
        more in prop::collection::vec(any_line(), 0..4),
        grown in any::<prop::sample::Index>(),
        (rows, records, minutes) in (0_u64..5, 0_u64..2_000, 0_u32..25),
    ) {
        let configuration = two_purposes();
        let agent = AgentKey(DESK.into());
        let before = judge_day(&configuration, LIVE, &agent, day(), &as_hours(&made));
        let mut after = made.clone();
        {
            let line = grown.get(&made).clone();
            let index = grown.index(made.len());
            let counts = line.event_type.counts_records();
            let line = &mut after[index];
            line.line.row_count += rows + 1;
            if counts {
                line.line.record_count += records;
            }
            let hour_end = Hour::containing(line.first).start() + chrono::TimeDelta::minutes(59);
            line.last = (line.last + chrono::TimeDelta::minutes(minutes.into())).min(hour_end);
        }
        after.extend(more);
        let after = judge_day(&configuration, LIVE, &agent, day(), &as_hours(&as_set(after)));
        let (before, after) = ([before], [after]);
        let (old, new) = (weights(&before, &configuration), weights(&after, &configuration));
        for (rule, weight) in old {
            let found = new.iter().find(|(other, _)| *other == rule).map(|(_, weight)| *weight);
            prop_assert!(found >= Some(weight), "{rule:?}: {weight} became {found:?}");
        }
        let score = |days| fold(days, &configuration).map_or(0, |folded| folded.score);
        prop_assert!(score(&after) >= score(&before));
    }

    /// The bounds of persons never cross.
    #[test]
    fn the_interval_of_persons_is_in_order(
        made in prop::collection::vec(any_line(), 1..10).prop_map(as_set),
    ) {
        let configuration = two_purposes();
        let judged = judge_day(&configuration, LIVE, &AgentKey(DESK.into()), day(), &as_hours(&made));
        if let Some(folded) = fold(&[judged], &configuration) {
            let SubjectEstimate { exact, lower, upper, .. } = folded.subject_estimate;
            prop_assert!(exact <= lower);
            prop_assert!(upper.is_none_or(|upper| lower <= upper));
            prop_assert!(folded.severity.level_at_lower <= folded.severity.level);
        }
    }
}

/// Only rows that a signal rests on are told, with how sure it is that the agent made them.
#[test]
fn rows_in_violation_say_how_sure_it_is_whose_they_are() {
    let unsure = |objects: &[&str], operation, counts: &[(Confidence, u64)]| {
        let mut made = line(DESK, operation, objects).records(40, 10);
        made.line.unsure_row_counts = counts.iter().copied().collect();
        made
    };
    let day = judged(&[
        unsure(&["Health_Intake__c"], Operation::Read, &[(Confidence::High, 4)]),
        unsure(&["Contact"], Operation::Export, &[(Confidence::High, 1), (Confidence::Low, 2)]),
        unsure(&["Case"], Operation::Read, &[(Confidence::Moderate, 9)]),
    ]);
    assert_eq!(day.suspect_row_count, 20);
    let expected = BTreeMap::from([(Confidence::High, 5), (Confidence::Low, 2)]);
    assert_eq!(day.unsure_row_counts, expected);
    let folded = fold(&[day], &configuration()).unwrap();
    assert_eq!(folded.unsure_row_counts, expected);
}
