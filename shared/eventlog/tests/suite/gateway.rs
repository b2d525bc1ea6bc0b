//! Calls that a gateway saw.

use std::{collections::BTreeSet, path::Path};

use eventlog::{
    event_type::{EventType, Witness},
    report::QuarantineReason,
    row::{Channel, Operation},
};

use crate::support::{APP, ORG, USER, fixture_bytes, read};

#[test]
fn an_access_log_of_a_rest_api_is_read_as_calls() {
    let (kept, report) = read(&fixture_bytes("gateway_rest_api.jsonl"));
    assert_eq!((report.rows, report.agent_rows, report.quarantined_rows), (4, 3, 1));
    let [query, record, results] = &kept.rows[..] else { panic!("{:?}", kept.rows) };

    let row = &query.0;
    assert_eq!(
        (row.event_type, row.event_type.witness()),
        (EventType::GatewayAccess, Witness::Gateway)
    );
    assert_eq!(
        (row.org_id.as_str(), row.channel, row.operation),
        (ORG, Channel::Rest, Operation::Read)
    );
    assert_eq!(row.at.to_rfc3339(), "2026-11-24T09:15:00.128+00:00");
    assert_eq!(row.objects, BTreeSet::from(["Contact".to_owned()]));
    assert_eq!(row.fields, BTreeSet::from(["Contact.Email".to_owned(), "Contact.Id".to_owned()]));
    assert_eq!((row.record_count, row.response_bytes), (None, Some(38_019)));
    assert_eq!(row.identity.connected_app_id.as_deref(), Some(APP));
    assert_eq!(row.identity.user_agent.as_deref(), Some("acme-agent/1.0"));
    assert_eq!(row.source_address.as_deref(), Some("203.0.113.9"));

    let row = &record.0;
    assert!(!row.succeeded);
    assert_eq!(row.record_ids, BTreeSet::from(["0035g00000AbCdE".to_owned()]));
    assert_eq!(row.identity.user_id.as_deref(), Some(USER));

    let row = &results.0;
    assert_eq!((row.operation, row.record_count), (Operation::Export, Some(0)));
    assert!(!format!("{:?}", kept.rows).contains("Erika"));
}

#[test]
fn a_line_without_an_org_says_what_to_set() {
    let (kept, report) = read(&fixture_bytes("gateway_rest_api.jsonl"));
    let reason = QuarantineReason::NoGatewayOrganization;
    assert_eq!(report.quarantined.get(&reason), Some(&1));
    assert_eq!((kept.quarantined[0].reason, kept.quarantined[0].line_number), (reason, 3));
    assert!(reason.to_string().contains("salesforceOrgId"));
}

#[test]
fn an_access_log_of_an_http_api_is_read_as_calls() {
    let (kept, report) = read(&fixture_bytes("gateway_http_api.jsonl"));
    assert_eq!(report.agent_rows, 1, "{:?}", kept.quarantined);
    let row = &kept.rows[0].0;
    assert_eq!(row.operation, Operation::Delete);
    assert_eq!(row.at.to_rfc3339(), "2026-11-24T09:15:00+00:00");
    assert_eq!(row.objects, BTreeSet::from(["Lead".to_owned()]));
    assert_eq!(row.record_ids, BTreeSet::from(["00Q5g00000AbCdE".to_owned()]));
    let arn = "arn:aws:sts::111122223333:assumed-role/lead-cleaner/session-7";
    assert_eq!(row.identity.client_name.as_deref(), Some(arn));
}

#[test]
fn api_activity_of_ocsf_is_read_as_calls() {
    let (kept, report) = read(&fixture_bytes("ocsf_api_activity.json"));
    assert_eq!((report.rows, report.agent_rows), (2, 2), "{:?}", kept.quarantined);
    let row = &kept.rows[0].0;
    assert_eq!(row.event_type, EventType::OcsfApiActivity);
    assert_eq!((row.operation, row.response_bytes), (Operation::Read, Some(5_120)));
    assert_eq!(row.objects, BTreeSet::from(["Lead".to_owned()]));
    assert_eq!(row.identity.connected_app_id.as_deref(), Some(APP));
    assert_eq!(row.identity.connected_app_name.as_deref(), Some("Support copilot"));
    assert_eq!(row.identity.user_id.as_deref(), Some(USER));
    assert_eq!(row.join_keys.request_id.as_deref(), Some("ocsf-1"));

    let row = &kept.rows[1].0;
    assert_eq!((row.operation, row.succeeded), (Operation::Update, false));
    assert_eq!(row.identity.client_name.as_deref(), Some("svc-sync"));
    assert_eq!(row.record_ids, BTreeSet::from(["5005g00000AbCdE".to_owned()]));
    assert!(!format!("{:?}", kept.rows).contains("somebody"));
}

#[test]
fn log_events_of_a_subscription_are_read_one_by_one() {
    let lines = String::from_utf8(fixture_bytes("gateway_rest_api.jsonl")).unwrap();
    let events: Vec<_> = lines
        .lines()
        .map(|line| serde_json::json!({"id": "1", "timestamp": 1_795_511_700_128_i64, "message": line}))
        .collect();
    let batch = serde_json::json!({"messageType": "DATA_MESSAGE", "logGroup": "gateway", "logEvents": events});
    let (plain, _) = read(lines.as_bytes());
    let (kept, report) = read(batch.to_string().as_bytes());
    assert_eq!(kept.rows, plain.rows);
    assert_eq!(report.rows, 4);
}

/// The page that tells customers what to set must give formats that are read.
#[test]
fn the_formats_in_the_documentation_are_read() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/GATEWAY.md");
    let page = std::fs::read_to_string(page).unwrap();
    let formats: Vec<&str> =
        page.lines().filter(|line| line.starts_with("{\"requestId\"")).collect();
    assert_eq!(formats.len(), 2);
    for format in formats {
        let line = [
            ("$context.requestTimeEpoch", "1795511700128"),
            ("$context.requestId", "JKJaXmPLvHcESHA="),
            ("$context.httpMethod", "GET"),
            ("$context.routeKey", "ANY /{proxy+}"),
            ("$context.path", "/prod/services/data/v61.0/query"),
            ("$context.authorizer.query", "q=SELECT Email FROM Lead"),
            ("$context.status", "200"),
            ("$context.responseLength", "38019"),
            ("$context.identity.sourceIp", "203.0.113.9"),
            ("$context.identity.userAgent", "acme-agent/1.0"),
            ("$context.authorizer.principalId", "0H45g0000006mTqAAI"),
            ("$context.identity.apiKeyId", "-"),
            ("$context.identity.userArn", "-"),
        ]
        .iter()
        .fold(format.to_owned(), |line, (variable, value)| line.replace(variable, value));
        assert!(!line.contains("$context"), "{line}");
        let (kept, report) = read(line.as_bytes());
        assert_eq!(report.agent_rows, 1, "{:?}", kept.quarantined);
        let row = &kept.rows[0].0;
        assert_eq!((row.org_id.as_str(), row.operation), (ORG, Operation::Read));
        assert_eq!(row.fields, BTreeSet::from(["Lead.Email".to_owned()]));
        assert_eq!(row.identity.connected_app_id.as_deref(), Some(APP));
        assert_eq!(row.response_bytes, Some(38_019));
        assert_eq!(row.at.to_rfc3339(), "2026-11-24T09:15:00.128+00:00");
    }
}
