//! Every type of Event Log File: what a row of it says, and which are left aside on purpose.

use std::collections::BTreeSet;

use eventlog::{
    event_type::{EventType, EventType as T, Witness, is_known_irrelevant},
    report::{CountedGap, Gap},
    row::{
        Channel, Channel as C,
        Operation::{self, Create, Delete, Describe, Export, Login, Other, Read, Update},
    },
};

use crate::support::{ORG, read, row_of};

/// All types that are documented or were seen, one a line.
static EVENT_TYPES: &str = include_str!("../data/event_types.txt");

const CONTACT: &str = "0035g00000AbCdE";

/// What a row says, in short.
struct Says {
    event_type: EventType,
    columns: &'static [(&'static str, &'static str)],
    channel: Channel,
    operation: Operation,
    objects: &'static [&'static str],
    ids: &'static [&'static str],
    records: Option<u64>,
    bytes: Option<u64>,
    succeeded: bool,
}

const fn says(
    event_type: EventType,
    columns: &'static [(&'static str, &'static str)],
    channel: Channel,
    operation: Operation,
) -> Says {
    let (objects, ids): (&[&str], &[&str]) = (&[], &[]);
    let (records, bytes, succeeded) = (None, None, true);
    Says { event_type, columns, channel, operation, objects, ids, records, bytes, succeeded }
}

impl Says {
    const fn of(mut self, objects: &'static [&'static str], ids: &'static [&'static str]) -> Self {
        (self.objects, self.ids) = (objects, ids);
        self
    }

    const fn records(mut self, records: u64) -> Self {
        self.records = Some(records);
        self
    }

    const fn bytes(mut self, bytes: u64) -> Self {
        self.bytes = Some(bytes);
        self
    }

    const fn refused(mut self) -> Self {
        self.succeeded = false;
        self
    }
}

#[rustfmt::skip]
static ROWS: &[Says] = &[
    says(T::ApexSoap, &[("CLASS_NAME", "Intake"), ("METHOD_NAME", "fetchAll"), ("QUERY", "")], C::Soap, Other),
    says(T::ApexSoap, &[("QUERY", "SELECT Email FROM Contact")], C::Soap, Read).of(&["Contact"], &[]),
    says(T::ApexSoap, &[("REQUEST_STATUS", "F")], C::Soap, Other).refused(),
    says(T::CompositeApi, &[("URI", "/services/data/v61.0/composite")], C::Rest, Other),
    says(T::CompositeApi, &[("FAILURE_REASON", "HALTED")], C::Rest, Other).refused(),
    says(T::CompositeApiSubrequest,
        &[("METHOD", "PATCH"), ("URI", "/services/data/v61.0/sobjects/Contact/0035g00000AbCdEAAQ"), ("STATUS_CODE", "204")],
        C::Rest, Update).of(&["Contact"], &[CONTACT]),
    says(T::CompositeApiSubrequest,
        &[("METHOD", "DELETE"), ("URI", "/services/data/v61.0/sobjects/Contact/0035g00000AbCdE"), ("IS_CANCELLED", "1")],
        C::Rest, Delete).of(&["Contact"], &[CONTACT]).refused(),
    says(T::MetadataApiOperation, &[("OPERATION", "RETRIEVE")], C::Administration, Describe),
    says(T::MetadataApiOperation, &[("OPERATION", "DEPLOY")], C::Administration, Other),
    says(T::AsyncReportRun,
        &[("RENDERING_TYPE", "W"), ("ENTITY_NAME", "Contact"), ("ROW_COUNT", "40"), ("AVERAGE_ROW_SIZE", "100")],
        C::Report, Read).of(&["Contact"], &[]).records(40).bytes(4_000),
    says(T::AsyncReportRun, &[("RENDERING_TYPE", "C"), ("ROW_COUNT", "40")], C::Report, Export).records(40),
    says(T::MultiBlockReport, &[("MASTER_REPORT_ID", "00O5g000008aBcD")], C::Report, Read),
    says(T::Dashboard, &[("DASHBOARD_ID", "01Z5g000008aBcD"), ("IS_SUCCESS", "1")], C::Report, Read),
    says(T::Dashboard, &[("IS_SUCCESS", "0")], C::Report, Read).refused(),
    says(T::WaveDownload, &[("NUMBER_OF_RECORDS", "1200"), ("ASSET_TYPE", "lens")], C::Analytics, Export).records(1_200),
    says(T::WaveDownload, &[("NUMBER_OF_RECORDS", "-1"), ("DOWNLOAD_ERROR", "x")], C::Analytics, Export).refused(),
    says(T::WaveInteraction, &[("RECORD_ID", "0FK5g000008aBcD")], C::Analytics, Read),
    says(T::WaveChange, &[("RECORD_ID", "0FK5g000008aBcD")], C::Analytics, Read),
    says(T::ContentDocumentLink,
        &[("DOCUMENT_ID", "0695g00000AbCdE"), ("SHARED_WITH_ENTITY_ID", CONTACT), ("SHARING_OPERATION", "INSERT")],
        C::File, Update).of(&["ContentDocument"], &["0695g00000AbCdE"]).records(1),
    says(T::ContentDistribution, &[("VERSION_ID", "0685g00000AbCdE"), ("ACTION", "VIEW")], C::File, Read)
        .of(&["ContentVersion"], &["0685g00000AbCdE"]).records(1),
    says(T::ContentDistribution, &[("VERSION_ID", "0685g00000AbCdE"), ("ACTION", "Download")], C::File, Export)
        .of(&["ContentVersion"], &["0685g00000AbCdE"]).records(1),
    says(T::ContentDistribution, &[("VERSION_ID", "0685g00000AbCdE"), ("ACTION", "INSERT")], C::File, Update)
        .of(&["ContentVersion"], &["0685g00000AbCdE"]).records(1),
    says(T::DocumentAttachmentDownloads, &[("ENTITY_ID", "00P5g00000AbCdE"), ("FILE_TYPE", "text/plain")], C::File, Export)
        .of(&["Attachment"], &["00P5g00000AbCdE"]).records(1),
    says(T::Attachment, &[("ATTACHMENT_ID", "00P5g00000AbCdE"), ("OPERATION", "insert")], C::File, Create)
        .of(&["Attachment"], &["00P5g00000AbCdE"]),
    says(T::Search, &[("PREFIXES_SEARCHED", "003,001;a0B"), ("NUM_RESULTS", "17"), ("SEARCH_QUERY", "Erika")], C::Search, Read)
        .of(&["Account", "Contact"], &[]).records(17),
    says(T::SearchClick, &[("CLICKED_RECORD_ID", CONTACT), ("RANK", "1")], C::Search, Read).of(&["Contact"], &[CONTACT]),
    says(T::KnowledgeArticleView, &[("ENTITY", "Knowledge__kav"), ("ARTICLE_ID", "kA05g00000AbCdE")], C::Ui, Read)
        .of(&["Knowledge__kav"], &["kA05g00000AbCdE"]).records(1),
    says(T::LightningPageView, &[("PAGE_ENTITY_ID", "0035g00000AbCdEAAQ"), ("PAGE_ENTITY_TYPE", "Contact")], C::Ui, Read)
        .of(&["Contact"], &[CONTACT]).records(1),
    says(T::LightningPageView, &[("PAGE_ENTITY_TYPE", "Lead")], C::Ui, Read).of(&["Lead"], &[]),
    says(T::LightningPageView, &[("PAGE_URL", "/lightning/page/home")], C::Ui, Other),
    says(T::AuraRequest, &[("ACTION_MESSAGE", "1$aura://RecordUiController/ACTION$getRecordWithFields=57")], C::Ui, Read),
    says(T::AuraRequest,
        &[("ACTION_MESSAGE", "2$aura://RecordUiController/ACTION$getObjectInfo=4;aura://RecordUiController/ACTION$updateRecord=9")],
        C::Ui, Update),
    says(T::AuraRequest, &[("ACTION_MESSAGE", "1$apex://Mail/ACTION$deleteDrafts=21"), ("REQUEST_STATUS", "F")], C::Ui, Delete).refused(),
    says(T::VisualforceRequest, &[("URI", "/apex/intake"), ("QUERY", "?id=0035g00000AbCdE&x=1"), ("RESPONSE_SIZE", "900")], C::Ui, Read)
        .of(&["Contact"], &[CONTACT]).bytes(900),
    says(T::VisualforceRequest, &[("URI", "/apex/intake")], C::Ui, Other),
    says(T::Sites, &[("URI", "/intake?id=0035g00000AbCdE"), ("IS_GUEST", "1")], C::Ui, Read).of(&["Contact"], &[CONTACT]),
    says(T::Console, &[("RECORD_ID", CONTACT)], C::Ui, Read).of(&["Contact"], &[CONTACT]),
    says(T::LoginAs, &[("DELEGATED_USER_ID", "0055g00000Ann01")], C::Login, Login).of(&["User"], &["0055g00000Ann01"]),
    says(T::Logout, &[("USER_INITIATED_LOGOUT", "1")], C::Login, Other),
    says(T::ApexCallout, &[("METHOD", "POST"), ("URL", "https://x.example"), ("REQUEST_SIZE", "5000"), ("RESPONSE_SIZE", "7")], C::Callout, Other)
        .bytes(5_000),
    says(T::ApexCallout, &[("REQUEST_SIZE", "-1"), ("SUCCESS", "0")], C::Callout, Other).refused(),
    says(T::ContinuationCalloutSummary, &[("REQUEST_FORM_SIZE", "30"), ("STATUS_CODE", "503")], C::Callout, Other).bytes(30).refused(),
    says(T::NamedCredential, &[("NAMED_CREDENTIAL_NAME", "erp")], C::Callout, Other),
    says(T::ExternalCrossOrgCallout, &[("ACTION", "query"), ("ENTITY", "Order__x"), ("ROWS_FETCHED", "90"), ("ROWS", "80")], C::Callout, Read)
        .of(&["Order__x"], &[]).records(90),
    says(T::ExternalCustomApexCallout, &[("ACTION", "UPSERT"), ("ENTITY", "Order__x"), ("ROWS", "2")], C::Callout, Update)
        .of(&["Order__x"], &[]).records(2),
    says(T::ExternalDataSourceCallout,
        &[("OPERATION", "query"), ("EXTERNAL_OBJECT", "Order__x"), ("ROWS_FETCHED", "5"), ("RESPONSE_SIZE", "77"), ("STATUS_CODE", "500")],
        C::Callout, Read).of(&["Order__x"], &[]).records(5).bytes(77).refused(),
    says(T::ExternalODataCallout, &[("ACTION", "DELETE"), ("ENTITY", "Order__x"), ("ROWS", "1"), ("BYTES", "10")], C::Callout, Delete)
        .of(&["Order__x"], &[]).records(1).bytes(10),
    says(T::InvocableAction, &[("ACTION_NAME", "sendLetter"), ("AGENT_ACTION", "1")], C::Automation, Other),
    says(T::FlowExecution, &[("NUMBER_OF_INTERVIEWS", "3"), ("NUMBER_OF_ERRORS", "1")], C::Automation, Other),
    says(T::FlowExecution, &[("NUMBER_OF_INTERVIEWS", "1"), ("NUMBER_OF_ERRORS", "1")], C::Automation, Other).refused(),
    says(T::DatabaseSave,
        &[("DML_TYPE", "Update"), ("KEY_PREFIX", "003"), ("FIRST_ENTITY_ID", CONTACT), ("NUM_ROWS", "20"), ("SAMPLE_FACTOR", "100")],
        C::Database, Update).of(&["Contact"], &[CONTACT]).records(2_000),
    says(T::DatabaseSave, &[("DML_TYPE", "INSERT"), ("FIRST_ENTITY_ID", CONTACT), ("NUM_ROWS", "2")], C::Database, Create)
        .of(&["Contact"], &[CONTACT]).records(2),
    says(T::DatabaseSave, &[("DML_TYPE", "Undelete"), ("KEY_PREFIX", "a0B")], C::Database, Update),
    says(T::PermissionUpdate, &[("FEATURE_ID", "0PS5g00000AbCdE"), ("DESCRIPTION", "UserPerm: ViewAllData enabled")], C::Administration, Update)
        .of(&["PermissionSet"], &["0PS5g00000AbCdE"]),
    says(T::GroupMembership, &[("GROUP_ID", "00G5g00000AbCdE"), ("MEMBER_ID", "0055g00000Ann01"), ("OPERATION", "ADD")], C::Administration, Update)
        .of(&["Group"], &["0055g00000Ann01", "00G5g00000AbCdE"]),
    says(T::Sandbox, &[("SANDBOX_ID", "07E5g00000AbCdE"), ("STATUS", "Activated")], C::Administration, Create)
        .of(&["Sandbox"], &["07E5g00000AbCdE"]),
    says(T::PlatformEncryption, &[("ACTION", "DESTROY")], C::Administration, Delete),
    says(T::PlatformEncryption, &[("ACTION", "Export")], C::Administration, Export),
    says(T::PackageInstall, &[("OPERATION_TYPE", "INSTALL"), ("IS_SUCCESSFUL", "true")], C::Administration, Other),
    says(T::PackageInstall, &[("IS_SUCCESSFUL", "false")], C::Administration, Other).refused(),
    says(T::ChangeSetOperation, &[("OPERATION", "deploy"), ("CHANGE_SET_NAME", "x")], C::Administration, Other),
    says(T::InsufficientAccess, &[("ENTITY_TYPE", "Case"), ("RECORD_ID", "5005g00000AbCdE"), ("REQUESTED_ACCESS_LEVEL", "Read")], C::Guard, Read)
        .of(&["Case"], &["5005g00000AbCdE"]).refused(),
    says(T::InsufficientAccess, &[("RECORD_ID", CONTACT), ("REQUESTED_ACCESS_LEVEL", "EDIT")], C::Guard, Update)
        .of(&["Contact"], &[CONTACT]).refused(),
    says(T::TransactionSecurity, &[("RESULT", "NoAction")], C::Guard, Other),
    says(T::TransactionSecurity, &[("RESULT", "Block")], C::Guard, Other).refused(),
    says(T::TransactionSecurity, &[("RESULT", "TWO_FA_DENIED")], C::Guard, Other).refused(),
    says(T::UiAgentInteractionEventLog, &[("PAGE_OBJECT_TYPE", "Contact"), ("PAGE_OBJECT_IDENTIFIER", CONTACT)], C::Agent, Other),
];

#[test]
fn each_type_says_what_was_done_to_what() {
    for says in ROWS {
        let mut columns = says.columns.to_vec();
        columns.push(("CLIENT_IP", "192.0.2.7"));
        let row = row_of(says.event_type.name(), &columns);
        let objects: Vec<_> = row.objects.iter().map(String::as_str).collect();
        let ids: Vec<_> = row.record_ids.iter().map(String::as_str).collect();
        let context = format!("{:?} {:?}", says.event_type, says.columns);
        assert_eq!((row.event_type, row.channel), (says.event_type, says.channel), "{context}");
        assert_eq!(row.operation, says.operation, "{context}");
        assert_eq!((objects.as_slice(), ids.as_slice()), (says.objects, says.ids), "{context}");
        assert_eq!((row.record_count, row.response_bytes), (says.records, says.bytes), "{context}");
        assert_eq!(row.succeeded, says.succeeded, "{context}");
        assert_eq!(row.source_address.as_deref(), Some("192.0.2.7"), "{context}");
    }
}

#[test]
fn no_new_type_is_without_an_example() {
    let shown: BTreeSet<_> = ROWS.iter().map(|says| says.event_type).collect();
    let older = 13;
    // What other witnesses tell has its examples with the formats that it comes in.
    let without: Vec<_> = EventType::ALL
        .into_iter()
        .skip(older)
        .filter(|it| it.witness() == Witness::EventLogFile && !shown.contains(it))
        .collect();
    assert_eq!(without, []);
}

#[test]
fn every_type_is_read_or_known_to_be_irrelevant_and_never_both() {
    for name in EVENT_TYPES.lines() {
        let is_read = EventType::from_name(name).is_some();
        assert_ne!(is_read, is_known_irrelevant(name), "{name}");
    }
    for event_type in EventType::ALL {
        let name = event_type.name();
        assert!(EVENT_TYPES.lines().any(|known| known == name), "{name}");
        assert_eq!(EventType::from_name(name), Some(event_type));
        let json = serde_json::to_string(&event_type).unwrap();
        assert_eq!(json, format!("\"{name}\""), "the name in JSON is Salesforce's own");
    }
}

#[test]
fn an_irrelevant_type_is_counted_and_makes_no_gap() {
    let data = format!(
        "EVENT_TYPE,TIMESTAMP,ORGANIZATION_ID,USER_ID\n\
         LightningPerformance,20261124091500,{ORG},x\nCSPViolation,20261124091500,,\n\
         NeverHeardOf,20261124091500,{ORG},x\n"
    );
    let (_, report) = read(data.as_bytes());
    let gap = Gap::UnknownEventType { name: "NeverHeardOf".to_owned() };
    assert_eq!(report.gaps, [CountedGap { gap, rows: 1 }]);
    assert_eq!((report.rows, report.unread_rows, report.irrelevant_rows), (3, 3, 2));
    assert_eq!(report.rows_by_event_type.get("LightningPerformance"), Some(&1));
}

/// Where two types tell of the same records, one of them counts.
#[test]
fn records_are_counted_by_one_type_alone() {
    for (counts, echo) in [
        (EventType::RestApi, EventType::CompositeApi),
        (EventType::RestApi, EventType::CompositeApiSubrequest),
        (EventType::Report, EventType::Dashboard),
        (EventType::AsyncReportRun, EventType::Dashboard),
        (EventType::RestApi, EventType::DatabaseSave),
        (EventType::RestApi, EventType::ExternalODataCallout),
        (EventType::DocumentAttachmentDownloads, EventType::Attachment),
        (EventType::LightningPageView, EventType::AuraRequest),
        (EventType::LightningPageView, EventType::SearchClick),
        (EventType::LightningPageView, EventType::Console),
        (EventType::VisualforceRequest, EventType::Sites),
    ] {
        assert!(counts.counts_records() && !echo.counts_records(), "{counts:?} {echo:?}");
    }
}

#[test]
fn names_that_differ_by_release_are_one_column() {
    let row = row_of(
        "UiAgentInteraction",
        &[("BOT_IDENTIFIER", "0Xx5g0000008aBcAAA"), ("REQUEST_IDENTIFIER", "r-1")],
    );
    assert_eq!(row.event_type, EventType::UiAgentInteractionEventLog);
    assert_eq!(row.identity.bot_id.as_deref(), Some("0Xx5g0000008aBc"));
    assert_eq!(row.join_keys.request_id.as_deref(), Some("r-1"));
    let flow = |name| row_of("FlowExecution", &[(name, "3015g00000AbCdE")]).row_hash;
    assert_eq!(flow("FLOW_VERSION_IDENTIFIER"), flow("FLOW_VERSION_ID"));
}
