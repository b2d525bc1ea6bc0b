//! What an event is, told from its fields where no name says so.
//!
//! Amazon's `AppFlow` writes the fields of a real-time event and no name; an access log has none at all. Each mark below is a field
//! that one object alone has (Salesforce's field lists of API version 66.0).

use serde_json::{Map, Value};

use crate::event_type::EventType;

/// `class_uid` of API Activity in OCSF.
const OCSF_API_ACTIVITY: &str = "6003";

/// Fields that together belong to one kind of real-time event only. The first that are all there decide.
const MARKS: [(EventType, &[&str]); 18] = [
    (EventType::UniversalAnomalyEvent, &["AnomalySubType"]),
    (EventType::SessionHijackingEvent, &["CurrentUserAgent", "PreviousUserAgent"]),
    (EventType::GuestUserAnomalyEvent, &["SoqlCommands"]),
    (EventType::LoginAnomalyEvent, &["FeatureContribution"]),
    (EventType::ReportAnomalyEvent, &["Report", "Score"]),
    (EventType::CredentialStuffingEvent, &["AcceptLanguage", "Score"]),
    (EventType::ApiAnomalyEvent, &["RowsProcessed", "Score"]),
    (EventType::ListViewEvent, &["ListViewId"]),
    (EventType::ReportEvent, &["ReportId", "ExecutionIdentifier"]),
    (EventType::LightningUriEvent, &["PageUrl"]),
    (EventType::FileEvent, &["FileAction"]),
    (EventType::IdentityVerificationEvent, &["VerificationMethod"]),
    (EventType::LoginAsEvent, &["LoginAsCategory"]),
    (EventType::PermissionSetEvent, &["PermissionType", "ParentIdList"]),
    (EventType::LoginEvent, &["LoginType", "TlsProtocol"]),
    (EventType::ApiEvent, &["ApiType", "Query", "QueriedEntities"]),
    (EventType::UriEvent, &["RecordId", "OperationStatus"]),
    (EventType::BulkApiResultEvent, &["Query", "LoginHistoryId"]),
];

/// All that a logout has, and what every event may have beside: no field of it is its own.
const LOGOUT_FIELDS: [&str; 14] = [
    "CreatedById",
    "CreatedDate",
    "EventDate",
    "EventIdentifier",
    "EventUuid",
    "Id",
    "LoginKey",
    "OrganizationId",
    "RelatedEventIdentifier",
    "ReplayId",
    "SessionKey",
    "SessionLevel",
    "SourceIp",
    "UserId",
];

/// The type that an object tells of itself: a row of an Event Log File, or a line of a gateway.
pub(super) fn own_type(fields: &Map<String, Value>) -> Option<String> {
    let elf = fields.iter().find(|(key, _)| key.trim().eq_ignore_ascii_case("EVENT_TYPE"));
    if let Some(name) = elf.and_then(|(_, value)| value.as_str()) {
        return Some(name.trim().to_owned());
    }
    let class = fields.get("class_uid").map(|value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    if class.as_deref() == Some(OCSF_API_ACTIVITY) {
        return Some(EventType::OcsfApiActivity.name().to_owned());
    }
    let has = |key: &str| fields.contains_key(key);
    let is_access = has("requestId")
        && has("httpMethod")
        && has("status")
        && ["path", "resourcePath", "routeKey"].into_iter().any(has);
    is_access.then(|| EventType::GatewayAccess.name().to_owned())
}

/// Whether these are the fields of an event, and not an envelope.
pub(super) fn is_event(fields: &Map<String, Value>) -> bool {
    fields.contains_key("EventIdentifier")
        || (fields.contains_key("attributes") && !fields.contains_key("payload"))
}

/// The kind of real-time event that has such fields.
pub(super) fn inferred(fields: &Map<String, Value>) -> Option<EventType> {
    if !fields.contains_key("EventIdentifier") {
        return None;
    }
    let has_all = |marks: &[&str]| marks.iter().all(|mark| fields.contains_key(*mark));
    MARKS.iter().find(|(_, marks)| has_all(marks)).map(|(event_type, _)| *event_type).or_else(
        || {
            let is_logout = has_all(&["SessionLevel", "LoginKey"])
                && fields
                    .keys()
                    .all(|key| key == "Username" || LOGOUT_FIELDS.contains(&key.as_str()));
            is_logout.then_some(EventType::LogoutEvent)
        },
    )
}
