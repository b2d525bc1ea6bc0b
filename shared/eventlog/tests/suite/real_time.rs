//! Real-time events: what each kind says, in whatever envelope it came.

use std::collections::BTreeSet;

use eventlog::{
    event_type::{EventType as T, Witness},
    report::{CountedGap, Gap},
    row::{
        AccessRow, Channel as C,
        Operation::{Create, Delete, Describe, Export, Login, Other, Read, Update},
    },
};
use serde_json::{Map, Value, json};

use crate::support::{APP, ORG, USER, read};

const CONTACT: &str = "0035g00000AbCdE";

/// An event with the fields that every one has, and these.
pub(crate) fn event(fields: &Value) -> Value {
    let mut all = json!({
        "EventIdentifier": "0f9e4a3c-6c2b-4bb1-9c1e-5f1d2a3b4c5d",
        "EventDate": "2026-11-24T09:15:00.128+0000",
        "CreatedDate": "2026-11-24T09:15:03.000+0000",
        "UserId": format!("{USER}AAA"),
        "Username": "copilot@example.com",
        "SourceIp": "203.0.113.9",
        "LoginKey": "QfNecrLXSII6fsBq",
        "SessionKey": "d7DEqANa7nNZZVD",
        "PolicyId": null,
        "PolicyOutcome": null,
        "OrganizationId": format!("{ORG}EAS"),
    });
    all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    all
}

/// The only row of one event.
fn row_of(name: &str, fields: &Value) -> AccessRow {
    let data = json!({"detail-type": name, "detail": {"payload": event(fields)}}).to_string();
    let (mut kept, report) = read(data.as_bytes());
    assert_eq!((report.rows, report.agent_rows), (1, 1), "{report:?} {:?}", kept.quarantined);
    kept.rows.remove(0).0
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one example for each kind")]
fn every_kind_says_what_was_done_to_what() {
    let run = |more: Value| {
        let mut fields = json!({"QueriedEntities": "Contact", "RowsProcessed": 1050.0, "ExecutionIdentifier": "8f831c68"});
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fields
    };
    let query = "SELECT Email FROM Contact WHERE LastName = 'Musterfrau'";
    let none: [&str; 0] = [];
    let mut shown = BTreeSet::new();
    for (event_type, fields, channel, operation, objects, ids, records, succeeded) in [
        (
            T::ApiEvent,
            json!({"ApiType": "REST", "Operation": "Query", "Query": query, "RowsProcessed": 25.0}),
            C::Rest,
            Read,
            &["Contact"][..],
            &none[..],
            Some(25),
            true,
        ),
        (
            T::ApiEvent,
            json!({"ApiType": "SOAP Partner", "Operation": "QueryMore", "QueriedEntities": "Lead,Contact", "RowsProcessed": 9.0, "RowsReturned": 4}),
            C::Soap,
            Read,
            &["Contact", "Lead"],
            &none,
            Some(4),
            true,
        ),
        (
            T::ApiEvent,
            json!({"ApiType": "REST", "Operation": "Count", "Query": "SELECT COUNT() FROM Contact", "RowsProcessed": 9.0}),
            C::Rest,
            Describe,
            &["Contact"],
            &none,
            None,
            true,
        ),
        (
            T::ApiEvent,
            json!({"ApiType": "REST", "Operation": "Query", "Query": query, "PolicyOutcome": "Block"}),
            C::Rest,
            Read,
            &["Contact"],
            &none,
            None,
            false,
        ),
        (
            T::BulkApiResultEvent,
            json!({"Query": query}),
            C::Bulk,
            Export,
            &["Contact"],
            &none,
            None,
            true,
        ),
        (
            T::ReportEvent,
            run(json!({"Operation": "ReportRunFromLightning"})),
            C::Report,
            Read,
            &["Contact"],
            &none,
            Some(1050),
            true,
        ),
        (
            T::ReportEvent,
            run(json!({"Operation": "ReportExported"})),
            C::ReportExport,
            Export,
            &["Contact"],
            &none,
            Some(1050),
            true,
        ),
        (
            T::ListViewEvent,
            run(json!({"ListViewId": "00B5g000004Hq3K"})),
            C::Ui,
            Read,
            &["Contact"],
            &none,
            Some(1050),
            true,
        ),
        (
            T::FileEvent,
            json!({"FileAction": "API_DOWNLOAD", "DocumentId": "0695g00000AbCdEAAU", "FileName": "salaries.xlsx"}),
            C::File,
            Export,
            &["ContentDocument"],
            &["0695g00000AbCdE"],
            Some(1),
            true,
        ),
        (
            T::FileEvent,
            json!({"FileAction": "UPLOAD", "VersionId": "0685g00000AbCdEAAU"}),
            C::File,
            Create,
            &["ContentVersion"],
            &["0685g00000AbCdE"],
            Some(1),
            true,
        ),
        (
            T::FileEvent,
            json!({"FileAction": "PREVIEW", "DocumentId": "0695g00000AbCdEAAU"}),
            C::File,
            Read,
            &["ContentDocument"],
            &["0695g00000AbCdE"],
            Some(1),
            true,
        ),
        (
            T::LoginEvent,
            json!({"Status": "Success", "Application": "Browser"}),
            C::Login,
            Login,
            &none,
            &none,
            None,
            true,
        ),
        (
            T::LoginEvent,
            json!({"Status": "Password Lockout"}),
            C::Login,
            Login,
            &none,
            &none,
            None,
            false,
        ),
        (T::LogoutEvent, json!({}), C::Login, Other, &none, &none, None, true),
        (
            T::LoginAsEvent,
            json!({"LoginAsCategory": "OrgAdmin"}),
            C::Login,
            Login,
            &none,
            &none,
            None,
            true,
        ),
        (
            T::PermissionSetEvent,
            json!({"Operation": "AssignedToUsers", "PermissionType": "ObjectPermission"}),
            C::Administration,
            Update,
            &none,
            &none,
            None,
            true,
        ),
        (
            T::LightningUriEvent,
            json!({"Operation": "Read", "QueriedEntities": "Contact", "PageUrl": "/lightning/r/Contact/0035g00000AbCdEAAU/view"}),
            C::Ui,
            Read,
            &["Contact"],
            &[CONTACT],
            Some(1),
            true,
        ),
        (
            T::UriEvent,
            json!({"Operation": "Delete", "OperationStatus": "Success", "RecordId": "0035g00000AbCdEAAU", "Name": "Erika Musterfrau"}),
            C::Ui,
            Delete,
            &["Contact"],
            &[CONTACT],
            Some(1),
            true,
        ),
        (
            T::UriEvent,
            json!({"Operation": "Update", "OperationStatus": "Initiated", "RecordId": "0035g00000AbCdEAAU"}),
            C::Ui,
            Update,
            &["Contact"],
            &[CONTACT],
            None,
            true,
        ),
        (
            T::UriEvent,
            json!({"Operation": "Read", "OperationStatus": "Failure", "RecordId": "0035g00000AbCdEAAU"}),
            C::Ui,
            Read,
            &["Contact"],
            &[CONTACT],
            Some(1),
            false,
        ),
        (
            T::IdentityVerificationEvent,
            json!({"Status": "Succeeded"}),
            C::Login,
            Other,
            &none,
            &none,
            None,
            true,
        ),
        (
            T::IdentityVerificationEvent,
            json!({"Status": "FailedInvalidCode"}),
            C::Login,
            Other,
            &none,
            &none,
            None,
            false,
        ),
        (
            T::ApiAnomalyEvent,
            json!({"QueriedEntities": "Contact", "RowsProcessed": 9.0, "Score": 0.8}),
            C::Guard,
            Other,
            &["Contact"],
            &none,
            None,
            true,
        ),
        (T::ReportAnomalyEvent, json!({"Score": 0.8}), C::Guard, Other, &none, &none, None, true),
        (
            T::SessionHijackingEvent,
            json!({"Score": 0.8}),
            C::Guard,
            Other,
            &none,
            &none,
            None,
            true,
        ),
        (T::CredentialStuffingEvent, json!({}), C::Guard, Other, &none, &none, None, true),
        (
            T::GuestUserAnomalyEvent,
            json!({"RequestedEntities": "Case, Contact"}),
            C::Guard,
            Other,
            &["Case", "Contact"],
            &none,
            None,
            true,
        ),
        (T::LoginAnomalyEvent, json!({}), C::Guard, Other, &none, &none, None, true),
        (T::UniversalAnomalyEvent, json!({}), C::Guard, Other, &none, &none, None, true),
    ] {
        let told = format!("{event_type:?} {fields}");
        shown.insert(event_type);
        let row = row_of(event_type.name(), &fields);
        assert_eq!(
            (row.event_type, row.channel, row.operation),
            (event_type, channel, operation),
            "{told}"
        );
        assert!(
            row.objects.iter().map(String::as_str).eq(objects.iter().copied()),
            "{told}: {:?}",
            row.objects
        );
        assert!(
            row.record_ids.iter().map(String::as_str).eq(ids.iter().copied()),
            "{told}: {:?}",
            row.record_ids
        );
        assert_eq!((row.record_count, row.succeeded), (records, succeeded), "{told}");
        assert_eq!(row.at.to_rfc3339(), "2026-11-24T09:15:00.128+00:00", "{told}");
        assert_eq!(row.source_address.as_deref(), Some("203.0.113.9"), "{told}");
        let kept = format!("{row:?}");
        for personal in ["Musterfrau", "copilot@", "salaries"] {
            assert!(!kept.contains(personal), "{told}: {kept}");
        }
    }
    let all: BTreeSet<_> =
        T::ALL.into_iter().filter(|it| it.witness() == Witness::RealTime).collect();
    assert_eq!(shown, all, "a kind without an example");
}

#[test]
fn an_api_event_names_its_caller() {
    let row = row_of(
        "ApiEvent",
        &json!({
            "Operation": "Query", "ApiType": "REST", "Client": "N/A", "Application": "Unknown",
            "ConnectedAppId": format!("{APP}AAI"), "UserAgent": "python-requests/2.28.2",
            "BotIdentifier": "0Xx5g0000008aBcAAA", "PlannerId": "16j5g0000008aBcAAA",
            "RequestIdentifier": "TID:1", "QueriedEntities": "Contact", "Query": "",
        }),
    );
    let identity = row.identity;
    assert_eq!(identity.client_name, None, "N/A is nobody's name");
    assert_eq!(identity.connected_app_name, None);
    assert_eq!(identity.connected_app_id.as_deref(), Some(APP));
    assert_eq!(identity.user_agent.as_deref(), Some("python-requests/2.28.2"));
    assert_eq!(identity.bot_id.as_deref(), Some("0Xx5g0000008aBc"));
    assert_eq!(identity.planner_id.as_deref(), Some("16j5g0000008aBc"));
    assert_eq!(row.join_keys.request_id.as_deref(), Some("TID:1"));
    assert_eq!(row.join_keys.session_key.as_deref(), Some("d7DEqANa7nNZZVD"));
    assert_eq!(row.join_keys.login_key.as_deref(), Some("QfNecrLXSII6fsBq"));
}

#[test]
fn the_streamed_and_the_stored_form_are_one_event() {
    let fields = json!({"Operation": "Query", "ApiType": "REST", "QueriedEntities": "Contact", "Query": "SELECT Id FROM Contact"});
    let streamed = row_of("ApiEventStream", &fields);
    let mut more = fields.clone();
    more.as_object_mut().unwrap().extend(Map::from_iter([
        ("EventUuid".to_owned(), json!("e981b488-81f3-4fcc-bd6f-f7033c9d7ac3")),
        ("ReplayId".to_owned(), json!(1_234)),
        ("CreatedDate".to_owned(), json!(1_795_511_709_000_i64)),
        ("EventDate".to_owned(), json!(1_795_511_700_128_i64)),
    ]));
    let stored = row_of("ApiEvent", &more);
    assert_eq!(streamed, stored);
    let anomaly = |name| row_of(name, &json!({"Score": 0.5})).row_hash;
    assert_eq!(anomaly("ReportAnomalyEvent"), anomaly("ReportAnomalyEventStore"));
    assert_ne!(anomaly("ReportAnomalyEvent"), streamed.row_hash, "another type, another event");
    let other = row_of("ApiEvent", &json!({"EventIdentifier": "another"}));
    assert_ne!(other.row_hash, streamed.row_hash);
}

#[test]
fn quirk_12_every_envelope_gives_the_same_row() {
    let fields = event(&json!({
        "Operation": "Query", "ApiType": "REST", "QueriedEntities": "Contact", "RowsProcessed": 7.0,
        "Query": "SELECT Id FROM Contact",
    }));
    let mut record = fields.clone();
    record["attributes"] = json!({"type": "ApiEvent", "url": "/services/data/v66.0/sobjects/ApiEvent/000000000000000AAA"});
    let mut relayed = fields.clone();
    relayed.as_object_mut().unwrap().remove("OrganizationId");
    let mut stored = relayed.clone();
    stored["attributes"] = json!({"type": "ApiEvent"});
    let source = "aws.partner/salesforce.com/00D5g000004Hq3KEAS/0YL5g000000AbcdAAC";
    let expected = row_of("ApiEventStream", &fields);
    for (relay, data) in [
        (
            "event relay",
            json!({"version": "0", "detail-type": "ApiEventStream", "source": source, "detail": {"payload": relayed, "schemaId": "x", "id": "y"}}),
        ),
        (
            "AppFlow over EventBridge",
            json!({"detail-type": "ApiEvent", "source": "aws.partner/appflow/salesforce.com/111122223333/flow", "detail": fields}),
        ),
        ("AppFlow in a bucket", fields.clone()),
        (
            "Pub/Sub",
            json!({"replayId": "12", "schemaId": "x", "topicName": "/event/ApiEventStream", "payload": fields}),
        ),
        ("CometD", json!({"schema": "x", "payload": fields, "event": {"replayId": 1}})),
        (
            "CometD with its channel",
            json!({"channel": "/event/ApiEventStream", "data": {"schema": "x", "payload": fields, "event": {"replayId": 1}}}),
        ),
        ("a query", json!({"totalSize": 1, "done": true, "records": [record]})),
        (
            "a query whose page names the org",
            json!({"OrganizationId": ORG, "totalSize": 1, "records": [stored]}),
        ),
        ("a collector", json!({"@timestamp": "x", "message": record.to_string()})),
        (
            "a collector that kept the original",
            json!({"event": {"original": json!({"channel": "/event/ApiEventStream", "data": {"payload": fields}}).to_string()}}),
        ),
    ] {
        let (kept, report) = read(data.to_string().as_bytes());
        assert_eq!((report.rows, report.agent_rows), (1, 1), "{relay}: {:?}", kept.quarantined);
        assert_eq!(kept.rows[0].0, expected, "{relay}");
    }
}

#[test]
fn quirk_7_real_time_numbers_are_floats() {
    let row = row_of("ApiEvent", &json!({"Operation": "Query", "RowsProcessed": 1_000_364.0}));
    assert_eq!(row.record_count, Some(1_000_364));
    let unknown = row_of("ApiEvent", &json!({"Operation": "Query", "RowsProcessed": -1}));
    assert_eq!(unknown.record_count, None);
}

#[test]
fn quirk_10_of_the_records_only_ids_are_taken_even_where_they_are_cut_off() {
    let whole = r#"{"totalSize":2,"records":[{"attributes":{"type":"Contact"},"Id":"0035g00000AbCdEAAU","Name":"Erika Musterfrau"},{"Id":"a015g00000AbCdFAAU","Note":"\"Id\":\"0035g00000XxXxX\""},{"Id":"not an id"},{"Id":"zzz5g00000AbCdE"},{"Id":"0035g00000AbCdG"#;
    let row = row_of(
        "ApiEvent",
        &json!({"Operation": "Query", "QueriedEntities": "Contact", "Records": whole}),
    );
    assert_eq!(row.record_ids, names([CONTACT, "a015g00000AbCdF"]));
    let kept = format!("{row:?}");
    assert!(!kept.contains("Erika") && !kept.contains("XxXxX"), "{kept}");
}

#[test]
fn quirk_11_headers_of_columns_are_fields_in_both_spellings() {
    for headers in ["LastName,Account.Name,Case.Code__c", "[LastName, Account.Name, Case.Code__c]"]
    {
        let row = row_of(
            "ReportEventStream",
            &json!({"QueriedEntities": "Contact", "ColumnHeaders": headers}),
        );
        let fields = names(["Account.Name", "Case.Code__c", "Contact.LastName"]);
        assert_eq!(row.fields, fields, "{headers}");
    }
}

#[test]
fn a_score_of_an_unknown_scale_is_absent_and_a_gap() {
    let row = row_of("ApiAnomalyEvent", &json!({"Score": 0.83}));
    assert_eq!(row.anomaly_score, Some(83));
    for (event_type, score) in [(T::LoginAnomalyEvent, 0.5), (T::ApiAnomalyEvent, 83.0)] {
        let data =
            json!({"channel": event_type.name(), "payload": event(&json!({"Score": score}))});
        let (kept, report) = read(data.to_string().as_bytes());
        assert_eq!(kept.rows[0].0.anomaly_score, None);
        let gap = Gap::UnknownScale { event_type, column: "SCORE".to_owned() };
        assert_eq!(report.gaps, [CountedGap { gap, rows: 1 }]);
    }
}

#[test]
fn what_tells_of_no_access_is_passed_over_and_what_nobody_knows_is_a_gap() {
    let events = [
        json!({"channel": "/event/ConcurLongRunApexErrEvent", "payload": {"EventIdentifier": "1"}}),
        json!({"attributes": {"type": "IdentityProviderEventStore"}, "EventIdentifier": "2"}),
        json!({"channel": "/event/NeverHeardOfEvent", "payload": {"EventIdentifier": "3"}}),
    ];
    let data: String = events.iter().map(Value::to_string).collect();
    let (_, report) = read(data.as_bytes());
    assert_eq!((report.rows, report.unread_rows, report.irrelevant_rows), (3, 3, 2));
    let gap = Gap::UnknownEventType { name: "NeverHeardOfEvent".to_owned() };
    assert_eq!(report.gaps, [CountedGap { gap, rows: 1 }]);
}
