//! Real-time events, and calls that a gateway saw.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::{Access, Fields, NotText, RestCall, further::operation_in_words};
use crate::{
    anomaly::normalised_score,
    event_type::EventType,
    objects::{
        MAX_RECORD_IDS_PER_ROW, is_object_name, is_standard_object, object_of_record_id,
        object_set, record_id,
    },
    row::{Channel, Operation},
    soql,
};

/// Most fields taken from the headers of a report's columns.
const MAX_COLUMN_HEADERS: usize = 500;

/// What a policy's outcome has in it when the access was stopped.
const STOPPING_OUTCOMES: [&str; 4] = ["block", "denied", "failed", "endsession"];

/// What a status has in it when nothing came of the access.
const FAILED_STATUSES: [&str; 4] = ["fail", "denied", "error", "invalid"];

/// How the ids of custom objects' records begin.
const CUSTOM_OBJECT_PREFIX: char = 'a';

impl Fields<'_> {
    /// What a real-time event, or a line of a gateway, says.
    pub(super) fn witnessed_access(&self, event_type: EventType) -> Result<Access, NotText> {
        let mut access = match event_type {
            EventType::ApiEvent => self.api_event()?,
            EventType::BulkApiResultEvent => self.bulk_result_event()?,
            EventType::ReportEvent => self.report_event()?,
            EventType::ListViewEvent => self.list_event(Operation::Read)?,
            EventType::FileEvent => self.file_event()?,
            EventType::LoginEvent | EventType::LoginAsEvent => self.login_event()?,
            EventType::LightningUriEvent | EventType::UriEvent => self.page_event()?,
            EventType::PermissionSetEvent => {
                Access { operation: Operation::Update, ..Access::default() }
            }
            EventType::GatewayAccess | EventType::OcsfApiActivity => self.gateway_call()?,
            EventType::ApiAnomalyEvent | EventType::GuestUserAnomalyEvent => self.anomaly()?,
            // A logout, the check of an identity, an anomaly that names no objects.
            _ => Access::default(),
        };
        access.succeeded &= self.event_succeeded()?;
        Ok(access)
    }

    /// Identity of a real-time event: its identifier, within its org and type. The streamed and the stored form share
    /// it. `None` for what has no identifier.
    pub(super) fn event_hash(&self, event_type: EventType, org_id: &str) -> Option<String> {
        let identifier = self.column(self.columns().event_identifier);
        if identifier.is_empty() {
            return None;
        }
        Some(hash_of(&[event_type.name().as_bytes(), org_id.as_bytes(), &identifier]))
    }

    /// What the pages of one run share. A report and a list view say so; the pages of a query are those of one session
    /// with one text.
    pub(super) fn execution(&self, event_type: EventType) -> Option<String> {
        let columns = self.columns();
        let execution = self.column(columns.execution_identifier);
        if !execution.is_empty() {
            return Some(hash_of(&[&execution]));
        }
        // `RowsReturned` is the page's own, `RowsProcessed` what all pages so far have come to.
        let is_page = event_type == EventType::ApiEvent
            && self.column(columns.operation).eq_ignore_ascii_case(b"QueryMore")
            && self.column(columns.rows_returned).is_empty();
        is_page.then(|| {
            let [session, login] =
                [columns.session_key, columns.login_key].map(|it| self.column(it));
            hash_of(&[&session, &login, &self.column(columns.user_id), &self.column(columns.query)])
        })
    }

    /// The score of an anomaly on our scale.
    pub(super) fn anomaly_score(&self, event_type: EventType) -> Result<Option<u8>, NotText> {
        if !event_type.is_anomaly() {
            return Ok(None);
        }
        Ok(normalised_score(event_type, &self.text(self.columns().score, "SCORE")?))
    }

    fn queried_entities(&self) -> Result<BTreeSet<String>, NotText> {
        Ok(object_set(&self.text(self.columns().queried_entities, "QUERIED_ENTITIES")?))
    }

    /// `ApiEvent`: a query, one of its further pages, or a count.
    fn api_event(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let operation = self.text(columns.operation, "OPERATION")?.to_ascii_lowercase();
        let api = self.text(columns.api_type, "API_TYPE")?.to_ascii_lowercase();
        let mut access = Access {
            operation: if operation.contains("count") {
                Operation::Describe
            } else {
                operation_in_words(&operation)
            },
            objects: self.queried_entities()?,
            record_count: self
                .count(columns.rows_returned)
                .or_else(|| self.count(columns.rows_processed)),
            channel: if api.contains("bulk") {
                Some(Channel::Bulk)
            } else if api.contains("soap") {
                Some(Channel::Soap)
            } else {
                None
            },
            ..Access::default()
        };
        access.apply_query(&soql::shape(&self.text(columns.query, "QUERY")?));
        self.apply_records(&mut access)?;
        Ok(access)
    }

    /// `BulkApiResultEvent`: the result of a job was fetched. How many records it has, the job's own row counts.
    fn bulk_result_event(&self) -> Result<Access, NotText> {
        let mut access = Access { operation: Operation::Export, ..Access::default() };
        access.apply_query(&soql::shape(&self.text(self.columns().query, "QUERY")?));
        Ok(access)
    }

    fn report_event(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let operation = self.text(columns.operation, "OPERATION")?.to_ascii_lowercase();
        let is_export =
            operation.contains("export") || !self.column(columns.export_file_format).is_empty();
        let access =
            self.list_event(if is_export { Operation::Export } else { Operation::Read })?;
        Ok(Access { channel: is_export.then_some(Channel::ReportExport), ..access })
    }

    /// A report or a list view. Its count is what all chunks so far have come to.
    fn list_event(&self, operation: Operation) -> Result<Access, NotText> {
        let columns = self.columns();
        let mut access = Access {
            operation,
            objects: self.queried_entities()?,
            record_count: self.count(columns.rows_processed),
            ..Access::default()
        };
        let headers = self.text(columns.column_headers, "COLUMN_HEADERS")?;
        access.fields = headed_fields(&headers, &access.objects);
        self.apply_records(&mut access)?;
        Ok(access)
    }

    fn file_event(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let action = self.text(columns.file_action, "FILE_ACTION")?.to_ascii_lowercase();
        let operation =
            if action.contains("preview") { Operation::Read } else { operation_in_words(&action) };
        let mut access = Access { operation, record_count: Some(1), ..Access::default() };
        if matches!(operation, Operation::Export | Operation::Read) {
            access.response_bytes = self.count(columns.content_size);
        }
        access.apply_id(&self.text(columns.document_id, "DOCUMENT_ID")?);
        if access.record_ids.is_empty() {
            access.apply_id(&self.text(columns.version_id, "VERSION_ID")?);
        }
        Ok(access)
    }

    fn login_event(&self) -> Result<Access, NotText> {
        let status = self.text(self.columns().status, "STATUS")?;
        let succeeded = status.is_empty() || status.eq_ignore_ascii_case("Success");
        Ok(Access { operation: Operation::Login, succeeded, ..Access::default() })
    }

    /// `LightningUriEvent` and `UriEvent`: the page of a record, or of a list.
    fn page_event(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let mut access = Access {
            operation: operation_in_words(&self.text(columns.operation, "OPERATION")?),
            objects: self.queried_entities()?,
            ..Access::default()
        };
        access.apply_id(&self.text(columns.record_id, "RECORD_ID")?);
        if access.record_ids.is_empty() {
            for segment in self.text(columns.page_url, "PAGE_URL")?.split(['/', '?']) {
                access.apply_id(segment);
            }
        }
        // What has begun has another event when it is done.
        let has_begun = self.column(columns.operation_status).eq_ignore_ascii_case(b"Initiated");
        access.record_count = (!access.record_ids.is_empty() && !has_begun).then_some(1);
        Ok(access)
    }

    fn anomaly(&self) -> Result<Access, NotText> {
        let mut objects = self.queried_entities()?;
        let requested = self.columns().requested_entities;
        objects.extend(object_set(&self.text(requested, "REQUESTED_ENTITIES")?));
        Ok(Access { objects, ..Access::default() })
    }

    /// A call that a gateway passed on, by its method and address; what came back is counted in bytes only.
    fn gateway_call(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let method = self.text(columns.method, "METHOD")?;
        let uri = self.text(columns.uri, "URI")?;
        let mut access = Access::default();
        let is_job = access.apply_call(&RestCall::of(&method, &uri));
        access.record_count = is_job.then_some(0);
        access.response_bytes = self.count(columns.response_size);
        access.succeeded = self.http_succeeded();
        Ok(access)
    }

    fn event_succeeded(&self) -> Result<bool, NotText> {
        let columns = self.columns();
        let outcome = self.text(columns.policy_outcome, "POLICY_OUTCOME")?.to_ascii_lowercase();
        let was_stopped = STOPPING_OUTCOMES.iter().any(|word| outcome.contains(word));
        let mut has_failed = false;
        for (position, column) in
            [(columns.operation_status, "OPERATION_STATUS"), (columns.status, "STATUS")]
        {
            let status = self.text(position, column)?.to_ascii_lowercase();
            has_failed |= FAILED_STATUSES.iter().any(|word| status.contains(word));
        }
        Ok(!was_stopped && !has_failed)
    }

    /// Takes the ids, and nothing else, out of the records that an event carries: a JSON document in a text, which may
    /// be cut off. They are found by their key, so that a document that is no JSON any more still names its first ones.
    fn apply_records(&self, access: &mut Access) -> Result<(), NotText> {
        let records = self.text(self.columns().records, "RECORDS")?;
        for (position, key) in records.match_indices("\"Id\":") {
            if access.record_ids.len() >= MAX_RECORD_IDS_PER_ROW {
                break;
            }
            let behind = records.get(position.saturating_add(key.len())..).unwrap_or_default();
            let id = behind.trim_start().strip_prefix('"').and_then(|text| {
                // An id has at most 18 characters: no need to look for the quote beyond.
                let end = text.bytes().take(19).position(|byte| byte == b'"')?;
                record_id(text.get(..end)?)
            });
            let is_records = |id: &String| {
                object_of_record_id(id).is_some() || id.starts_with(CUSTOM_OBJECT_PREFIX)
            };
            access.record_ids.extend(id.filter(is_records));
        }
        Ok(())
    }
}

/// The fields behind the headers of columns, `a,b` or `[a, b]`, where their object is known: it is in the header, or it
/// is the only one.
fn headed_fields(headers: &str, objects: &BTreeSet<String>) -> BTreeSet<String> {
    let headers = headers.trim().trim_start_matches('[').trim_end_matches(']');
    let only = match objects.len() {
        1 => objects.first(),
        _ => None,
    };
    headers
        .split(',')
        .map(str::trim)
        .filter(|header| header.split('.').all(is_object_name))
        .filter_map(|header| match header.split_once('.') {
            Some((object, _)) if objects.contains(object) || is_standard_object(object) => {
                Some(header.to_owned())
            }
            _ => only.map(|object| format!("{object}.{header}")),
        })
        .take(MAX_COLUMN_HEADERS)
        .collect()
}

/// Hex of the first 16 bytes of SHA-256 over the parts, each with its length in front.
fn hash_of(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    hex::encode(digest.get(..16).unwrap_or(&digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quirk_11_headers_become_fields_where_the_object_is_known() {
        let one = BTreeSet::from(["Sales_Plan__c".to_owned()]);
        let fields = |headers: &str, objects: &BTreeSet<String>| -> Vec<String> {
            headed_fields(headers, objects).into_iter().collect()
        };
        let expected =
            ["Case.BusinessUnit__c", "Sales_Plan__c.Customer__c.Name", "Sales_Plan__c.OWNER"];
        assert_eq!(fields("OWNER,Customer__c.Name,Case.BusinessUnit__c", &one), expected);
        assert_eq!(fields("[OWNER, Customer__c.Name, Case.BusinessUnit__c]", &one), expected);
        assert_eq!(fields("OWNER, Case.Code__c, x y", &BTreeSet::new()), ["Case.Code__c"]);
        assert_eq!(fields("", &one), [""; 0]);
    }
}
