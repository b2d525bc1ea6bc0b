//! Setup Audit Trail as a query gives it: which rows tell of the logs themselves, and what of them is kept.

use eventlog::{
    attribution::Attribution,
    audit_trail::{LogTampering, MAX_TAMPERING_ROWS, TamperingRow, latest},
    reader::{QuarantinedRow, ReadLimits, RowSink, SinkError, find_parts, read_log, read_part},
    report::{CountedGap, FileReport, Gap, QuarantineReason},
    row::AccessRow,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    real_time::event,
    support::{Kept, ORG, directory, fixture_bytes},
};

/// Stands in for whatever the texts of real rows name.
const CANARY: &str = "ottilie.canary.quendt@private-mail.example";

/// Keeps what it gets, and knows the org of what names none.
#[derive(Default)]
struct OfOrg {
    kept: Kept,
    org_id: Option<&'static str>,
}

impl RowSink for OfOrg {
    fn agent_row(&mut self, row: AccessRow, attribution: Attribution) -> Result<(), SinkError> {
        self.kept.agent_row(row, attribution)
    }
    fn org_of_unnamed(&self) -> Option<&str> {
        self.org_id
    }
    fn quarantined(&mut self, row: QuarantinedRow) -> Result<(), SinkError> {
        self.kept.quarantined(row)
    }
}

fn read_as(org_id: Option<&'static str>, data: &[u8]) -> (Kept, FileReport) {
    let mut sink = OfOrg { org_id, ..OfOrg::default() };
    let report = read_log(data, &directory(), &ReadLimits::default(), &mut sink).unwrap();
    (sink.kept, report)
}

/// What those of an org tell.
fn told(data: &[u8]) -> FileReport {
    let (kept, report) = read_as(Some(ORG), data);
    assert!(kept.rows.is_empty());
    report
}

fn answer() -> Value {
    serde_json::from_slice(&fixture_bytes("setup_audit_trail.json")).unwrap()
}

#[test]
fn rows_that_tell_of_the_logs_are_told_and_the_others_counted() {
    let report = told(&fixture_bytes("setup_audit_trail.json"));
    let found: Vec<_> =
        report.tampering.iter().map(|row| (row.kind, row.at.to_rfc3339())).collect();
    assert_eq!(
        found,
        [
            (LogTampering::Deletion, "2026-11-24T09:41:07+00:00".to_owned()),
            (LogTampering::GenerationStopped, "2026-11-24T09:43:30+00:00".to_owned()),
        ]
    );
    assert!(report.tampering.iter().all(|row| row.org_id == ORG));
    assert_eq!(report.tampering[0].user_id.as_deref(), Some("0055g0000Admin1"));
    assert_eq!((report.rows, report.other_rows, report.irrelevant_rows), (4, 2, 2));
    assert_eq!((report.unread_rows, report.quarantined_rows), (2, 0));
    assert_eq!(report.rows_by_event_type["SetupAuditTrail"], 4);
    assert!(report.gaps.is_empty() && report.hours.is_empty());
}

#[test]
fn nothing_of_what_a_row_says_is_kept() {
    for name in ["setup_audit_trail.json", "setup_audit_trail.csv"] {
        assert!(String::from_utf8(fixture_bytes(name)).unwrap().contains(CANARY));
        let report = serde_json::to_string(&told(&fixture_bytes(name))).unwrap();
        assert!(!report.contains(CANARY) && !report.contains("ticket"), "{report}");
    }
    let named = json!({"attributes": {"type": "SetupAuditTrail"}, "Action": "", "CreatedById": "ottiliequendt12",
        "Display": "Disabled event log generation", "CreatedDate": "2026-11-24T09:43:30.000Z"});
    assert_eq!(told(named.to_string().as_bytes()).tampering[0].user_id, None);
}

#[test]
fn every_layout_tells_the_same() {
    let expected = told(&fixture_bytes("setup_audit_trail.json")).tampering;
    let records = answer()["records"].clone();
    let lines: Vec<_> = records.as_array().unwrap().iter().map(ToString::to_string).collect();
    let csv = fixture_bytes("setup_audit_trail.csv");
    let small = String::from_utf8(csv.clone()).unwrap();
    let small = small.replacen("\"CREATEDDATE\",\"DISPLAY\"", "createddate,Display", 1);
    for data in [
        records.to_string().into_bytes(),
        lines.join("\n").into_bytes(),
        csv.clone(),
        [b"\xEF\xBB\xBF", &*csv].concat(),
        [&*csv, &*csv].concat(),
        String::from_utf8(csv.clone()).unwrap().replace("Manage Users", "EVENT_TYPE").into_bytes(),
        small.into_bytes(),
    ] {
        let report = told(&data);
        assert_eq!(report.tampering, expected, "{}", String::from_utf8_lossy(&data));
        assert_eq!((report.quarantined_rows, report.gaps.len()), (0, 0));
    }
}

#[test]
fn a_part_of_an_export_tells_what_is_in_it() {
    let csv = fixture_bytes("setup_audit_trail.csv");
    let limits = ReadLimits::default();
    let parts = find_parts(&*csv, &limits, 1).unwrap().unwrap();
    assert_eq!(parts.len(), 4);
    let mut sum = FileReport::default();
    for part in parts {
        let (from, until) = (part.from.try_into().unwrap(), part.until.try_into().unwrap());
        let mut sink = OfOrg { org_id: Some(ORG), ..OfOrg::default() };
        let report = read_part(&csv[from..until], &part, &directory(), &limits, &mut sink).unwrap();
        sum.add(&report);
    }
    let whole = told(&csv);
    assert_eq!((sum.tampering, sum.rows), (whole.tampering, whole.rows));
}

/// Without an org or a time a row is set aside even if it tells nothing: an export that lacks them must not be found
/// out on the day on which it matters.
#[test]
fn a_row_without_org_or_time_is_set_aside_with_what_to_add() {
    for name in ["setup_audit_trail.json", "setup_audit_trail.csv"] {
        let (kept, report) = read_as(None, &fixture_bytes(name));
        assert!(report.tampering.is_empty());
        assert_eq!(report.quarantined[&QuarantineReason::NoOrganization], 4);
        let said = kept.quarantined[0].reason.to_string();
        assert!(said.contains("orgs/ID/") && said.contains("add OrganizationId"), "{said}");
    }
    for (change, reason) in [
        (json!({"CreatedDate": null}), QuarantineReason::NoTime),
        (json!({"CreatedDate": "yesterday"}), QuarantineReason::BadTime),
        (json!({"OrganizationId": "Acme"}), QuarantineReason::BadOrganization),
    ] {
        let mut row = answer()["records"][0].clone();
        for (key, value) in change.as_object().unwrap() {
            row[key] = value.clone();
        }
        assert_eq!(told(row.to_string().as_bytes()).quarantined[&reason], 1, "{change}");
    }
}

#[test]
fn an_org_that_is_named_is_not_stood_in_for() {
    let (other, org_id) = ("00D5g00004OtherEAX", "00D5g00004Other");
    let mut named = answer();
    named["organizationId"] = json!(other);
    let report =
        told(json!({"organizationId": other, "records": named["records"]}).to_string().as_bytes());
    assert_eq!(report.tampering[0].org_id, org_id);
    let csv = String::from_utf8(fixture_bytes("setup_audit_trail.csv")).unwrap();
    let csv = csv.replace("\"CREATEDBY.USERNAME\"", "OrganizationId").replace(CANARY, other);
    assert_eq!(told(csv.as_bytes()).tampering[0].org_id, org_id);
}

#[test]
fn a_column_that_would_tell_and_is_not_there_is_a_gap() {
    let mut row = answer()["records"][2].clone();
    row.as_object_mut().unwrap().remove("Display");
    let report = told(row.to_string().as_bytes());
    let gap = Gap::MissingColumn { event_type: None, column: "Display".to_owned() };
    assert_eq!(report.gaps, [CountedGap { gap, rows: 1 }]);
    assert!(report.tampering.is_empty());
}

#[test]
fn a_csv_of_something_else_is_no_audit_trail() {
    let page = "Date,User,Source Namespace Prefix,Action,Section,Delegate User\n";
    for data in [page, "Id,Action,CreatedDate\n", "Id,Section,Display\n"] {
        let mut sink = OfOrg { org_id: Some(ORG), ..OfOrg::default() };
        let read = read_log(data.as_bytes(), &directory(), &ReadLimits::default(), &mut sink);
        assert!(read.is_err(), "{data}");
    }
}

#[test]
fn a_row_is_known_by_its_id_and_without_one_by_what_it_says() {
    let row = answer()["records"][1].clone();
    let hash = |changes: Value| {
        let mut row = row.clone();
        for (key, value) in changes.as_object().unwrap() {
            row[key] = value.clone();
        }
        told(row.to_string().as_bytes()).tampering[0].row_hash.clone()
    };
    let known = hash(json!({}));
    assert_eq!(known, hash(json!({"Id": "0Ym5g00000AudT2", "Display": "Deleted EventLogFile"})));
    assert_ne!(known, hash(json!({"Id": "0Ym5g00000AudT9"})));
    assert_ne!(known, hash(json!({"OrganizationId": "00D5g00004Other"})));
    let without = hash(json!({"Id": null}));
    assert_ne!(known, without);
    assert_eq!(without, hash(json!({"Id": "", "CreatedById": null})));
    assert_ne!(without, hash(json!({"Id": null, "CreatedDate": "2026-11-24T09:41:08.000Z"})));
}

#[test]
fn a_real_time_event_that_names_no_org_is_that_of_whoever_holds_it() {
    let named = event(&json!({"attributes": {"type": "ApiEvent"}}));
    let mut unnamed = named.clone();
    unnamed.as_object_mut().unwrap().remove("OrganizationId");
    assert_ne!(named, unnamed);
    let rows = |org_id, event: &Value| {
        let (kept, report) = read_as(org_id, event.to_string().as_bytes());
        let rows: Vec<_> = kept.rows.into_iter().map(|(row, _)| row).collect();
        (rows, report.quarantined_rows)
    };
    let (of_named, _) = rows(None, &named);
    assert_eq!(of_named.len(), 1);
    assert_eq!(rows(Some(ORG), &unnamed), (of_named.clone(), 0), "the same row, by its hash too");
    assert_eq!(rows(Some("00D5g00004Other"), &named), (of_named, 0));
    assert_eq!(rows(None, &unnamed), (Vec::new(), 1));
}

#[test]
fn no_org_stands_in_for_that_of_a_gateway_or_of_a_log_file() {
    let gateway = json!({"requestId": "1", "httpMethod": "GET", "path": "/x", "status": "200"});
    let file = "EVENT_TYPE,TIMESTAMP\nLogin,20261124091500\n";
    for (data, reason) in [
        (gateway.to_string(), QuarantineReason::NoGatewayOrganization),
        (file.to_owned(), QuarantineReason::NoOrganization),
    ] {
        let report = told(data.as_bytes());
        assert_eq!(report.quarantined.get(&reason), Some(&1), "{:?}", report.quarantined);
    }
}

fn any_rows() -> impl Strategy<Value = Vec<TamperingRow>> {
    let row = (0_i64..400).prop_map(|number| TamperingRow {
        at: chrono::DateTime::from_timestamp(1_795_500_000 + number / 2, 0).unwrap(),
        row_hash: format!("{number:032x}"),
        org_id: ORG.to_owned(),
        kind: LogTampering::Deletion,
        user_id: None,
    });
    proptest::collection::vec(row, 0..300)
}

proptest! {
    #[test]
    fn the_last_rows_are_the_same_however_they_are_put_together(first in any_rows(), second in any_rows()) {
        let together = latest(first.iter().chain(&second).cloned());
        prop_assert!(together.len() <= MAX_TAMPERING_ROWS && together.is_sorted());
        prop_assert_eq!(&latest(latest(second.clone()).into_iter().chain(first.clone())), &together);
        prop_assert_eq!(&latest(together.iter().chain(&first).cloned()), &together, "none comes back");
    }
}

#[test]
fn rows_beyond_the_limit_are_counted_and_the_last_ones_kept() {
    let mut lines = String::new();
    for second in 0..1_000 {
        let at = chrono::DateTime::from_timestamp(1_795_500_000 + second, 0).unwrap();
        let row = json!({"attributes": {"type": "SetupAuditTrail"}, "Id": format!("0Ym5g000000{second:04}"),
            "Action": "x", "Display": "Deleted EventLogFile", "CreatedDate": at.to_rfc3339()});
        lines.push_str(&row.to_string());
    }
    let report = told(lines.as_bytes());
    assert_eq!((report.rows, report.other_rows), (1_000, 1_000));
    assert_eq!(report.tampering.len(), MAX_TAMPERING_ROWS);
    assert_eq!(report.tampering[0].at.timestamp(), 1_795_500_900);
}
