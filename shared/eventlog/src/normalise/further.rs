//! Access, export, change of rights and agent activity beyond the calls and reports: one function for each kind of
//! row.

use super::{Access, Fields, NotText, RestCall, pairs, split_uri};
use crate::{
    event_type::EventType,
    objects::{object_of_record_id, object_set},
    row::Operation,
    soql,
};

/// What the result of a transaction security policy has in it when the access was stopped.
const STOPPING_RESULTS: [&str; 5] = ["block", "denied", "failed", "freeze", "endsession"];

impl Fields<'_> {
    /// What a row of one of these types says.
    pub(super) fn further_access(&self, event_type: EventType) -> Result<Access, NotText> {
        Ok(match event_type {
            EventType::ApexSoap => self.apex_soap()?,
            EventType::CompositeApi => self.composite()?,
            EventType::CompositeApiSubrequest => self.subrequest()?,
            EventType::MetadataApiOperation => self.metadata_operation()?,
            EventType::AsyncReportRun => self.report()?,
            EventType::MultiBlockReport => self.report_without_count(),
            EventType::Dashboard => self.dashboard()?,
            EventType::WaveDownload => self.wave_download()?,
            EventType::WaveInteraction | EventType::WaveChange => self.plain(Operation::Read),
            EventType::ContentDocumentLink => self.document_link()?,
            EventType::ContentDistribution => self.distribution()?,
            EventType::DocumentAttachmentDownloads => self.attachment_download()?,
            EventType::Attachment => self.attachment()?,
            EventType::Search => self.search()?,
            EventType::SearchClick => self.search_click()?,
            EventType::KnowledgeArticleView => self.article_view()?,
            EventType::LightningPageView => self.page_view()?,
            EventType::AuraRequest => self.aura_request()?,
            EventType::VisualforceRequest | EventType::Sites => self.customers_page()?,
            EventType::Console => self.console()?,
            EventType::LoginAs => self.login_as()?,
            EventType::ApexCallout
            | EventType::ContinuationCalloutSummary
            | EventType::NamedCredential => self.callout(),
            EventType::ExternalCrossOrgCallout
            | EventType::ExternalCustomApexCallout
            | EventType::ExternalDataSourceCallout
            | EventType::ExternalODataCallout => self.external_callout()?,
            EventType::FlowExecution => self.flow_execution(),
            EventType::DatabaseSave => self.database_save()?,
            EventType::PermissionUpdate => self.permission_update()?,
            EventType::GroupMembership => self.group_membership()?,
            EventType::Sandbox => self.sandbox()?,
            EventType::PlatformEncryption => self.encryption_key()?,
            EventType::InsufficientAccess => self.insufficient_access()?,
            EventType::TransactionSecurity => self.transaction_security()?,
            // The types that are read beside; and what was invoked, installed, sent or talked about is in no column
            // that could be told apart from a customer's own text. The page under a conversation is the person's, and
            // no access of the agent.
            EventType::Logout
            | EventType::InvocableAction
            | EventType::PackageInstall
            | EventType::ChangeSetOperation
            | EventType::UiAgentInteractionEventLog
            | EventType::RestApi
            | EventType::ApexRestApi
            | EventType::Api
            | EventType::BulkApi
            | EventType::BulkApi2
            | EventType::BulkApiRequest
            | EventType::Report
            | EventType::ReportExport
            | EventType::ContentTransfer
            | EventType::Login
            | EventType::ApiTotalUsage
            | EventType::UniqueQuery
            | EventType::Uri => self.plain(Operation::Other),
            witnessed => self.witnessed_access(witnessed)?,
        })
    }

    fn plain(&self, operation: Operation) -> Access {
        let columns = self.columns();
        let has_failed_flag = [columns.is_success, columns.is_successful].into_iter().any(|flag| {
            let flag = self.column(flag);
            *flag == *b"0" || flag.eq_ignore_ascii_case(b"false")
        });
        Access {
            operation,
            succeeded: self.http_succeeded() && !has_failed_flag,
            ..Access::default()
        }
    }

    /// `ApexSoap`: a service of the customer's own, so that only a query, where there is one, speaks.
    fn apex_soap(&self) -> Result<Access, NotText> {
        let mut access = self.plain(Operation::Other);
        access.apply_query(&soql::shape(&self.text(self.columns().query, "QUERY")?));
        Ok(access)
    }

    /// `CompositeApi`: several calls in one; what they did is in the subrequests.
    fn composite(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let mut access = self.plain(Operation::Other);
        access.apply_call(&RestCall::of("POST", &self.text(columns.uri, "URI")?));
        access.succeeded &= self.column(columns.failure_reason).is_empty();
        Ok(access)
    }

    /// `CompositeApiSubrequest`: one of those calls; one that was cancelled did nothing.
    fn subrequest(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let mut access = self.plain(Operation::Other);
        let method = self.text(columns.method, "METHOD")?;
        access.apply_call(&RestCall::of(&method, &self.text(columns.uri, "URI")?));
        access.apply_id(&self.text(columns.uri_id_derived, "URI_ID_DERIVED")?);
        let cancelled = self.column(columns.is_cancelled);
        access.succeeded &= !(*cancelled == *b"1" || cancelled.eq_ignore_ascii_case(b"true"));
        Ok(access)
    }

    /// `MetadataApiOperation`: the shape of the data is read, or changed.
    fn metadata_operation(&self) -> Result<Access, NotText> {
        let operation = self.text(self.columns().operation, "OPERATION")?.to_ascii_lowercase();
        let reads = ["describe", "list", "retrieve", "read", "check", "get"]
            .iter()
            .any(|word| operation.starts_with(word));
        Ok(self.plain(if reads { Operation::Describe } else { Operation::Other }))
    }

    /// `MultiBlockReport`: a joined report was run. The row says neither objects nor rows.
    fn report_without_count(&self) -> Access {
        self.plain(Operation::Read)
    }

    /// `Dashboard`: the report behind a component was run.
    fn dashboard(&self) -> Result<Access, NotText> {
        Ok(Access { objects: self.entity_names()?, ..self.plain(Operation::Read) })
    }

    fn wave_download(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let mut access = self.plain(Operation::Export);
        access.record_count = self.count(columns.number_of_records);
        access.succeeded &= self.text(columns.download_error, "DOWNLOAD_ERROR")?.is_empty();
        Ok(access)
    }

    /// `ContentDocumentLink`: who may see a file was changed. With whom it is shared is no
    /// record that was touched.
    fn document_link(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let mut access = Access { record_count: Some(1), ..self.plain(Operation::Update) };
        access.apply_id(&self.text(columns.document_id, "DOCUMENT_ID")?);
        Ok(access)
    }

    /// `ContentDistribution`: a link for outsiders was made, changed or withdrawn, or somebody followed it.
    fn distribution(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let action = self.text(columns.action, "ACTION")?.to_ascii_lowercase();
        let changes = ["insert", "create", "update", "delete"];
        let operation = if action.contains("download") {
            Operation::Export
        } else if changes.iter().any(|word| action.contains(word)) {
            Operation::Update
        } else {
            Operation::Read
        };
        let mut access = Access { record_count: Some(1), ..self.plain(operation) };
        access.apply_id(&self.text(columns.version_id, "VERSION_ID")?);
        Ok(access)
    }

    fn attachment_download(&self) -> Result<Access, NotText> {
        let mut access = Access { record_count: Some(1), ..self.plain(Operation::Export) };
        access.apply_id(&self.text(self.columns().entity_id, "ENTITY_ID")?);
        Ok(access)
    }

    fn attachment(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let mut access =
            self.plain(operation_in_words(&self.text(columns.operation, "OPERATION")?));
        access.apply_id(&self.text(columns.attachment_id, "ATTACHMENT_ID")?);
        Ok(access)
    }

    /// `Search`: the prefixes of the objects that were searched, and how many results were shown. What was searched
    /// for is never read.
    fn search(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let mut access = self.plain(Operation::Read);
        access.record_count = self.count(columns.num_results);
        let prefixes = self.text(columns.prefixes_searched, "PREFIXES_SEARCHED")?;
        for prefix in prefixes.split(|character: char| !character.is_ascii_alphanumeric()) {
            access.apply_prefix(prefix);
        }
        Ok(access)
    }

    fn search_click(&self) -> Result<Access, NotText> {
        let mut access = self.plain(Operation::Read);
        access.apply_id(&self.text(self.columns().clicked_record_id, "CLICKED_RECORD_ID")?);
        Ok(access)
    }

    fn article_view(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let mut access = Access { record_count: Some(1), ..self.plain(Operation::Read) };
        access.objects = object_set(&self.text(columns.entity, "ENTITY")?);
        access.apply_id(&self.text(columns.article_id, "ARTICLE_ID")?);
        Ok(access)
    }

    /// `LightningPageView`: the page of one record, or of an object's list, or one without data.
    fn page_view(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let mut access = self.plain(Operation::Other);
        access.objects = object_set(&self.text(columns.page_entity_type, "PAGE_ENTITY_TYPE")?);
        access.apply_id(&self.text(columns.page_entity_id, "PAGE_ENTITY_ID")?);
        access.record_count = (!access.record_ids.is_empty()).then_some(1);
        if !access.objects.is_empty() || !access.record_ids.is_empty() {
            access.operation = Operation::Read;
        }
        Ok(access)
    }

    /// `AuraRequest`: the actions of a lightning component, by name; the strongest of them stands for all.
    fn aura_request(&self) -> Result<Access, NotText> {
        let message = self.text(self.columns().action_message, "ACTION_MESSAGE")?;
        let operation = message
            .split("ACTION$")
            .skip(1)
            .map(|rest| aura_operation(rest.split(['=', ',', ';', ' ']).next().unwrap_or_default()))
            .max_by_key(|operation| strength(*operation))
            .unwrap_or(Operation::Other);
        Ok(self.plain(operation))
    }

    /// `VisualforceRequest` and `Sites`: a page of the customer's own. What it shows is known only where its address
    /// names a record.
    fn customers_page(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let mut access = self.plain(Operation::Other);
        let query = self.text(columns.query, "QUERY")?;
        let uri = self.text(columns.uri, "URI")?;
        let parameters = query.strip_prefix('?').unwrap_or(&query);
        for (_, value) in pairs(parameters).chain(pairs(split_uri(&uri).1)) {
            access.apply_id(value);
        }
        access.apply_id(&self.text(columns.uri_id_derived, "URI_ID_DERIVED")?);
        if !access.record_ids.is_empty() {
            access.operation = Operation::Read;
        }
        access.response_bytes = self.count(columns.response_size);
        Ok(access)
    }

    fn console(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let mut access = self.plain(Operation::Other);
        access.apply_id(&self.text(columns.record_id, "RECORD_ID")?);
        access.apply_id(&self.text(columns.record_id_derived, "RECORD_ID_DERIVED")?);
        if !access.record_ids.is_empty() {
            access.operation = Operation::Read;
        }
        Ok(access)
    }

    /// `LoginAs`: a session in the name of another, who is named as a record.
    fn login_as(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let mut access = self.plain(Operation::Login);
        access.apply_id(&self.text(columns.delegated_user_id, "DELEGATED_USER_ID")?);
        access
            .apply_id(&self.text(columns.delegated_user_id_derived, "DELEGATED_USER_ID_DERIVED")?);
        Ok(access)
    }

    /// A call to another system. What it carried is not in the row; the bytes are those that went out.
    fn callout(&self) -> Access {
        let columns = self.columns();
        Access {
            response_bytes: self
                .count(columns.request_size)
                .or_else(|| self.count(columns.request_form_size)),
            ..self.plain(Operation::Other)
        }
    }

    /// Rows of an external object, fetched from another system, or written to it.
    fn external_callout(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let action = self.text(columns.action, "ACTION")?;
        let verb = operation_in_words(&action);
        let mut access = self.plain(match verb {
            Operation::Other => operation_in_words(&self.text(columns.operation, "OPERATION")?),
            verb => verb,
        });
        access.objects = object_set(&self.text(columns.entity, "ENTITY")?);
        access.objects.extend(object_set(&self.text(columns.external_object, "EXTERNAL_OBJECT")?));
        access.record_count = self.count(columns.rows_fetched).or_else(|| self.count(columns.rows));
        access.response_bytes =
            self.count(columns.response_size).or_else(|| self.count(columns.bytes));
        Ok(access)
    }

    /// `FlowExecution`: interviews of a flow; it failed where every one of them did.
    fn flow_execution(&self) -> Access {
        let columns = self.columns();
        let errors = self.count(columns.number_of_errors).unwrap_or(0);
        let interviews = self.count(columns.number_of_interviews).unwrap_or(1).max(1);
        let access = self.plain(Operation::Other);
        Access { succeeded: access.succeeded && errors < interviews, ..access }
    }

    /// `DatabaseSave`: one of `SAMPLE_FACTOR` saves, which stands for that many.
    fn database_save(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let kind = self.text(columns.dml_type, "DML_TYPE")?;
        let mut access = self.plain(operation_in_words(&kind));
        let factor = self.count(columns.sample_factor).unwrap_or(1).max(1);
        access.record_count = self.count(columns.num_rows).map(|rows| rows.saturating_mul(factor));
        access.apply_prefix(&self.text(columns.key_prefix, "KEY_PREFIX")?);
        access.apply_id(&self.text(columns.first_entity_id, "FIRST_ENTITY_ID")?);
        Ok(access)
    }

    /// `PermissionUpdate`: the profile or permission set that changed; not who has it.
    fn permission_update(&self) -> Result<Access, NotText> {
        let mut access = self.plain(Operation::Update);
        access.apply_id(&self.text(self.columns().feature_id, "FEATURE_ID")?);
        Ok(access)
    }

    /// `GroupMembership`: the group changed; who came or went is named as a record.
    fn group_membership(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let mut access = self.plain(Operation::Update);
        access.apply_id(&self.text(columns.group_id, "GROUP_ID")?);
        access.apply_id(&self.text(columns.member_id, "MEMBER_ID")?);
        Ok(access)
    }

    /// `Sandbox`: a copy of the org, at one step of its life.
    fn sandbox(&self) -> Result<Access, NotText> {
        let mut access = self.plain(Operation::Create);
        access.apply_id(&self.text(self.columns().sandbox_id, "SANDBOX_ID")?);
        Ok(access)
    }

    fn encryption_key(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let mut access = self.plain(operation_in_words(&self.text(columns.action, "ACTION")?));
        access.apply_id(&self.text(columns.key_id, "KEY_ID")?);
        access.apply_id(&self.text(columns.key_id_derived, "KEY_ID_DERIVED")?);
        Ok(access)
    }

    /// `InsufficientAccess`: what was refused.
    fn insufficient_access(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let level = self.text(columns.requested_access_level, "REQUESTED_ACCESS_LEVEL")?;
        let mut access = self.plain(operation_in_words(&level));
        access.objects = self.entity_names()?;
        access.apply_id(&self.text(columns.record_id, "RECORD_ID")?);
        access.succeeded = false;
        Ok(access)
    }

    /// `TransactionSecurity`: a policy looked at an access; what it did about it is in `RESULT`.
    fn transaction_security(&self) -> Result<Access, NotText> {
        let result = self.text(self.columns().result, "RESULT")?.to_ascii_lowercase();
        let result = result.replace(['_', ' '], "");
        let mut access = self.plain(Operation::Other);
        access.succeeded &= !STOPPING_RESULTS.iter().any(|word| result.contains(word));
        Ok(access)
    }
}

impl Access {
    /// Adds the standard object whose ids begin so; the prefix of a custom one names nothing.
    fn apply_prefix(&mut self, prefix: &str) {
        if prefix.len() == 3
            && let Some(object) = object_of_record_id(prefix)
        {
            self.objects.insert(object.to_owned());
        }
    }
}

/// An operation by the word that a column has for it.
pub(super) fn operation_in_words(text: &str) -> Operation {
    let text = text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["undelete", "restore"]) {
        Operation::Update
    } else if says(&["delete", "destroy", "remove"]) {
        Operation::Delete
    } else if says(&["insert", "create", "generate", "upload"]) {
        Operation::Create
    } else if says(&["update", "upsert", "edit", "merge", "transfer", "owner", "activate"]) {
        Operation::Update
    } else if says(&["export", "download"]) {
        Operation::Export
    } else if says(&["read", "query", "select", "search", "view", "fetch"]) {
        Operation::Read
    } else {
        Operation::Other
    }
}

/// An operation by the name of an action of a lightning component. Most actions fetch what a page is made of; only
/// those that say so read records.
fn aura_operation(action: &str) -> Operation {
    let action = action.to_ascii_lowercase();
    let starts = |words: &[&str]| words.iter().any(|word| action.starts_with(word));
    if starts(&["delete", "remove"]) {
        Operation::Delete
    } else if starts(&["update", "save", "edit", "merge", "upsert"]) {
        Operation::Update
    } else if starts(&["create", "insert"]) {
        Operation::Create
    } else if starts(&["getrecord", "getlist", "getrelatedlist", "getitems", "search", "query"]) {
        Operation::Read
    } else if starts(&["getobjectinfo", "describe"]) {
        Operation::Describe
    } else {
        Operation::Other
    }
}

/// Which of several operations in one row stands for all.
fn strength(operation: Operation) -> u8 {
    match operation {
        Operation::Delete => 6,
        Operation::Export => 5,
        Operation::Update => 4,
        Operation::Create => 3,
        Operation::Read => 2,
        Operation::Describe | Operation::Login => 1,
        Operation::Other => 0,
    }
}
