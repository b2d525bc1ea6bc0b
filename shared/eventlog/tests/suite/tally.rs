//! Adding up: exact in the small, bounded in the large, and the same in any order.

use std::collections::{BTreeMap, BTreeSet};

use eventlog::{
    attribution::{AgentKey, AttributedBy, Attribution},
    event_type::EventType,
    joins::Confidence,
    row::{AccessRow, Hour},
    tally::{AgentHour, MAX_AGENT_HOUR_BYTES, MAX_LINES, MAX_RECORD_IDS, Tally, TallyLine},
    tls::{Tls, TlsProtocol},
};
use proptest::prelude::*;

use crate::support::{ORG, any_row, row_of};

fn agent(name: &str, by: AttributedBy) -> Attribution {
    Attribution::Agent { agent: AgentKey(name.to_owned()), purpose: None, by, joined_by: None }
}

/// Rows belong to one of two agents, by their hash.
fn attribution_of(row: &AccessRow) -> Attribution {
    if row.row_hash.ends_with(['0', '1', '2', '3']) {
        agent("a", AttributedBy::Bot)
    } else if row.row_hash.ends_with('f') {
        Attribution::NotAnAgent
    } else {
        agent("b", AttributedBy::ClientName)
    }
}

fn empty(row: &AccessRow) -> Tally {
    Tally::new(ORG, row.event_type, row.hour())
}

fn tally<'a>(rows: impl IntoIterator<Item = &'a AccessRow>) -> Tally {
    let hour = Hour::containing(chrono::DateTime::from_timestamp(1_795_500_000, 0).unwrap());
    let mut tally = Tally::new(ORG, EventType::RestApi, hour);
    for row in rows {
        tally.add(row, &attribution_of(row));
    }
    tally
}

/// One agent's hour of rows that differ in what `change` does to them.
fn hour_of(rows: usize, change: impl Fn(usize, &mut AccessRow)) -> AgentHour {
    let template = row_of(
        "RestApi",
        &[
            ("ENTITY_NAME", "Contact"),
            ("METHOD", "GET"),
            ("ROWS_PROCESSED", "2"),
            ("URI", "/services/data/v61.0/query"),
        ],
    );
    let mut tally = empty(&template);
    for number in 0..rows {
        let mut row = template.clone();
        row.row_hash = format!("{number:032x}");
        change(number, &mut row);
        tally.add(&row, &agent("a", AttributedBy::User));
    }
    tally.finish().remove(&AgentKey("a".to_owned())).unwrap()
}

#[test]
fn rows_are_added_up_by_what_they_touched() {
    let hour = hour_of(10, |number, row| {
        if number == 0 {
            row.succeeded = false;
        }
        if number == 1 {
            row.record_count = None;
        }
        if number == 2 {
            row.objects = BTreeSet::from(["Account".to_owned()]);
            row.record_count = Some(70);
        }
    });
    assert_eq!(hour.lines.len(), 2);
    let line = &hour.lines[1];
    assert_eq!(line.key.objects, BTreeSet::from(["Contact".to_owned()]));
    assert_eq!((line.row_count, line.failed_row_count, line.uncounted_row_count), (9, 1, 1));
    assert_eq!((line.record_count, line.largest_record_count), (14, 2));
    assert_eq!(line.evidence.len(), 5);
    assert_eq!(line.evidence.first().map(String::as_str), Some(format!("{:032x}", 0).as_str()));
    assert_eq!(hour.lines[0].record_count, 70);
}

#[test]
fn echoes_and_writes_are_no_uncounted_reads() {
    for (event_type, columns) in [
        ("UniqueQuery", vec![("QUERY_IDENTIFIER", "SELECT Id FROM Contact")]),
        ("ApiTotalUsage", vec![("HTTP_METHOD", "GET"), ("API_RESOURCE", "/v61.0/query")]),
        ("BulkApiRequest", vec![("OPERATION_TYPE", "query")]),
        (
            "RestApi",
            vec![
                ("METHOD", "PATCH"),
                ("URI", "/services/data/v61.0/sobjects/Contact/0035g00000AbCdE"),
            ],
        ),
    ] {
        let row = row_of(event_type, &columns);
        let mut tally = empty(&row);
        tally.add(&row, &agent("a", AttributedBy::User));
        let hour = tally.finish().remove(&AgentKey("a".to_owned())).unwrap();
        assert_eq!(
            (hour.lines[0].row_count, hour.lines[0].uncounted_row_count),
            (1, 0),
            "{event_type}"
        );
    }
    let export = row_of("ReportExport", &[]);
    let mut tally = empty(&export);
    tally.add(&export, &agent("a", AttributedBy::User));
    let hour = tally.finish().remove(&AgentKey("a".to_owned())).unwrap();
    assert_eq!(hour.lines[0].uncounted_row_count, 1);
}

#[test]
fn the_weakest_ground_of_attribution_is_kept() {
    let row = row_of("RestApi", &[]);
    let mut tally = empty(&row);
    tally.add(&row, &agent("a", AttributedBy::Bot));
    tally.add(&row, &agent("a", AttributedBy::UserAgent));
    let hour = tally.finish().remove(&AgentKey("a".to_owned())).unwrap();
    assert_eq!(hour.lines[0].attributed_by, AttributedBy::UserAgent);
    assert_eq!(hour.lines[0].unsure_row_counts, BTreeMap::from([(Confidence::Low, 1)]));
}

#[test]
fn more_ids_than_fit_are_cut_to_the_smallest_and_it_shows() {
    let hour = hour_of(3_000, |number, row| {
        row.record_ids = BTreeSet::from([format!("003{:012}", 2_999 - number)]);
    });
    let line = &hour.lines[0];
    assert_eq!(line.record_ids.len(), 1_000);
    assert_eq!(line.record_ids.last().map(String::as_str), Some("003000000000999"));
    assert!(line.record_ids_cut);
    assert_eq!(line.record_count, 6_000);
    let exact = hour_of(1_000, |number, row| {
        row.record_ids = BTreeSet::from([format!("003{number:012}")]);
    });
    assert!(!exact.lines[0].record_ids_cut && exact.lines[0].record_ids.len() == 1_000);
}

#[test]
fn lines_share_the_room_for_ids_evenly() {
    let hour = hour_of(40_000, |number, row| {
        row.objects = BTreeSet::from([format!("Object{:02}__c", number % 40)]);
        row.record_ids = BTreeSet::from([format!("a00{number:012}")]);
    });
    assert_eq!(hour.lines.len(), 40);
    assert!(hour.lines.iter().all(|line| line.record_ids.len() == MAX_RECORD_IDS / 40));
    assert!(hour.lines.iter().all(|line| line.record_ids_cut));
}

#[test]
fn more_lines_than_fit_are_folded_and_nothing_is_lost() {
    let hour = hour_of(2_000, |number, row| {
        row.objects = BTreeSet::from([format!("Object{number:04}__c")]);
    });
    assert_eq!(hour.lines.len(), MAX_LINES + 1);
    assert_eq!(hour.lines.iter().map(|line| line.record_count).sum::<u64>(), 4_000);
    assert_eq!(hour.lines.iter().map(|line| line.row_count).sum::<u64>(), 2_000);
    assert!(hour.lines.iter().any(|line| line.key.objects.len() == 200));
}

#[test]
fn an_hour_always_fits_into_its_item() {
    let hour = hour_of(6_000, |number, row| {
        row.objects =
            (0..60).map(|at| format!("{}{:04}_{at}__c", "O".repeat(60), number % 600)).collect();
        row.fields = (0..50).map(|at| format!("{}{number}_{at}", "F".repeat(60))).collect();
        row.record_ids = (0..20).map(|at| format!("003{:012}", number * 20 + at)).collect();
    });
    let bytes = serde_json::to_vec(&hour).unwrap().len();
    assert!(bytes <= MAX_AGENT_HOUR_BYTES, "{bytes}");
    assert_eq!(hour.lines.iter().map(|line| line.row_count).sum::<u64>(), 6_000);
}

/// What an accumulator without limits would count: of the pages of one run, the one that says most.
fn counted(rows: &[AccessRow]) -> BTreeMap<String, (u64, u64)> {
    let mut counted: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut runs: BTreeMap<_, u64> = BTreeMap::new();
    for row in rows {
        if let Attribution::Agent { agent, .. } = attribution_of(row) {
            let (count, records) = counted.entry(agent.0.clone()).or_default();
            *count += 1;
            let says = row.record_count.filter(|_| row.succeeded).unwrap_or(0);
            if let Some(execution) = &row.join_keys.execution {
                let tls = row.tls.as_ref().map(|tls| tls.protocol);
                let run = (agent.0, row.objects.clone(), row.operation, tls, execution.clone());
                let most = runs.entry(run).or_default();
                *most = says.max(*most);
            } else {
                *records += says;
            }
        }
    }
    for ((agent, ..), most) in runs {
        counted.entry(agent).or_default().1 += most;
    }
    counted
}

#[test]
fn the_pages_of_one_run_are_not_added_up() {
    let page = |number: usize, row: &mut AccessRow| {
        row.record_count = Some([400, 20_680, 2_000, 7][number]);
        row.join_keys.execution = (number < 3).then(|| "8f831c68".to_owned());
    };
    let line = hour_of(4, page).lines.remove(0);
    assert_eq!((line.row_count, line.record_count, line.largest_record_count), (4, 20_687, 20_680));
    let refused = |number: usize, row: &mut AccessRow| {
        page(number, row);
        row.succeeded = number != 1;
    };
    assert_eq!(hour_of(4, refused).lines.remove(0).record_count, 2_007);
}

proptest! {
    #[test]
    fn order_and_split_do_not_show(
        rows in proptest::collection::vec(any_row(), 0..60),
        order in any::<prop::sample::Index>(),
        split in any::<prop::sample::Index>(),
    ) {
        let whole = tally(&rows).finish();
        let mut turned = rows.clone();
        if !turned.is_empty() {
            let by = order.index(turned.len());
            turned.rotate_left(by);
            turned.reverse();
        }
        prop_assert_eq!(&tally(&turned).finish(), &whole);
        let (first, second) = turned.split_at(split.index(turned.len() + 1));
        let mut merged = tally(first);
        merged.merge(tally(second));
        prop_assert_eq!(&merged.finish(), &whole);
        let sums: BTreeMap<_, _> = whole.iter().map(|(agent, hour)| {
            let rows: u64 = hour.lines.iter().map(|line| line.row_count).sum();
            let records: u64 = hour.lines.iter().map(|line| line.record_count).sum();
            (agent.0.clone(), (rows, records))
        }).collect();
        prop_assert_eq!(sums, counted(&rows));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]
    /// The same where every limit is passed.
    #[test]
    fn order_and_split_do_not_show_beyond_the_limits(seed in any::<u64>(), split in 0_usize..3_000) {
        let template = row_of("RestApi", &[]);
        let rows: Vec<AccessRow> = (0..3_000_u64).map(|number| {
            let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ seed;
            let mut row = template.clone();
            row.row_hash = format!("{mixed:032x}");
            row.objects = BTreeSet::from([format!("O{:03}__c", mixed % 700)]);
            row.record_ids = (0..5).map(|at| format!("003{:012}", (mixed >> 20) % 5_000 + at)).collect();
            row.fields = (0..3).map(|at| format!("O.F{}", (mixed >> 9) % 900 + at)).collect();
            row.source_address = Some(format!("10.0.{}.1", mixed % 256));
            row.record_count = Some(mixed >> 40);
            row.join_keys.execution = mixed.is_multiple_of(2).then(|| format!("x-{}", (mixed >> 13) % 900));
            row
        }).collect();
        let whole = tally(&rows).finish();
        let (first, second) = rows.split_at(split);
        let mut merged = tally(second.iter().rev());
        merged.merge(tally(first));
        prop_assert_eq!(merged.finish(), whole);
    }
}

#[test]
fn logins_are_told_apart_by_protocol_with_their_own_count_and_evidence() {
    let hour = hour_of(9, |number, row| {
        let (protocol, cipher_suite) =
            if number < 3 { (TlsProtocol::Tls10, "AES128-SHA") } else { (TlsProtocol::Tls13, "B") };
        row.tls = Some(Tls { protocol, cipher_suite: Some(cipher_suite.to_owned()) });
        row.succeeded = number != 0;
    });
    let [weak, strong] = hour.lines.as_slice() else { panic!("two lines: {hour:?}") };
    assert_eq!(weak.key.tls_protocol, Some(TlsProtocol::Tls10));
    assert_eq!((weak.row_count, weak.failed_row_count, strong.row_count), (3, 1, 6));
    assert_eq!(weak.cipher_suites, BTreeSet::from(["AES128-SHA".to_owned()]));
    assert!(weak.evidence.is_disjoint(&strong.evidence));
}

#[test]
fn lines_that_are_folded_keep_their_protocol() {
    let hour = hour_of(MAX_LINES + 50, |number, row| {
        row.objects = BTreeSet::from([format!("Object{number:04}__c")]);
        let protocol = if number % 2 == 0 { TlsProtocol::Tls11 } else { TlsProtocol::Tls12 };
        row.tls = Some(Tls { protocol, cipher_suite: None });
    });
    let rows_of = |wanted| -> u64 {
        let lines = hour.lines.iter().filter(|line| line.key.tls_protocol == Some(wanted));
        lines.map(|line| line.row_count).sum()
    };
    assert_eq!(rows_of(TlsProtocol::Tls11), 225);
    assert_eq!(rows_of(TlsProtocol::Tls12), 225);
}

#[test]
fn calls_that_use_up_the_limit_are_counted_whether_they_succeeded_or_not() {
    let hour = hour_of(10, |number, row| {
        row.counts_against_api_limit = [None, Some(false), Some(true)][number % 3];
        row.succeeded = number > 4;
    });
    assert_eq!(hour.lines[0].limited_call_count, 3);
}

#[test]
fn what_was_kept_before_these_facts_were_is_read_as_it_was() {
    let row = r#"{"row_hash":"00aa","org_id":"00D5g000004Hq3K","event_type":"Login","at":"2026-11-24T09:15:00.128Z",
        "identity":{"user_id":"0055g00000Bot01"},"join_keys":{},"channel":"login","operation":"login",
        "source_address":"20010DB8000000000000000000000017","succeeded":true}"#;
    let row: AccessRow = serde_json::from_str(row).unwrap();
    assert_eq!((&row.tls, row.counts_against_api_limit, row.user_agent_code), (&None, None, None));
    let again = serde_json::to_string(&row).unwrap();
    assert!(
        !again.contains("tls") && !again.contains("limit") && !again.contains("code"),
        "{again}"
    );

    let line = r#"{"key":{"objects":["Contact"],"channel":"rest","operation":"read"},"row_count":3,
        "failed_row_count":0,"record_count":30,"uncounted_row_count":0,"largest_record_count":20,
        "response_bytes":4096,"first_at":"2026-11-24T09:00:00Z","last_at":"2026-11-24T09:59:59Z",
        "record_ids":[],"record_ids_cut":false,"fields":[],"source_addresses":["N/A"],
        "attributed_by":"user","evidence":[]}"#;
    let line: TallyLine = serde_json::from_str(line).unwrap();
    assert_eq!((line.key.tls_protocol, line.limited_call_count), (None, 0));
    let again = serde_json::to_string(&line).unwrap();
    assert!(
        !again.contains("tls") && !again.contains("limit") && !again.contains("cipher"),
        "{again}"
    );
}
