//! From the columns of a row to an access: which column means what, type by type.

mod further;
mod real_time;

use std::{borrow::Cow, collections::BTreeSet};

use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};

use crate::{
    address::{SALESFORCE_ADDRESS, source_address},
    attribution::Caller,
    columns::{Columns, Header},
    event_type::EventType,
    joins,
    objects::{
        MAX_OBJECTS_PER_ROW, MAX_RECORD_IDS_PER_ROW, canonical_object, id_15, is_object_name,
        object_of_record_id, object_set, record_id,
    },
    records::Record,
    row::{AccessRow, Channel, Identity, JoinKeys, Operation},
    soql::{self, QueryShape},
    tls::Tls,
};

/// Longest client name, user agent or app name that is kept, in bytes.
const MAX_IDENTITY_BYTES: usize = 256;

/// Longest join key that is kept, in bytes.
const MAX_KEY_BYTES: usize = 64;

/// Objects whose records are files.
const FILE_OBJECTS: [&str; 4] = ["ContentVersion", "ContentDocument", "Document", "Attachment"];

/// What the ids of bulk jobs start with.
const BULK_JOB_PREFIX: &str = "750";

const BYTES_PER_MEBIBYTE: u128 = 1_048_576;

/// A column that is not UTF-8.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotText {
    pub(crate) column: &'static str,
}

/// A row, by the names of its columns.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    record: &'a Record<'a>,
    header: &'a Header,
}

/// What an access did and to what, before it becomes part of a row.
#[derive(Debug)]
struct Access {
    operation: Operation,
    objects: BTreeSet<String>,
    fields: BTreeSet<String>,
    record_count: Option<u64>,
    response_bytes: Option<u64>,
    record_ids: BTreeSet<String>,
    /// The bulk job that a call is about.
    job_id: Option<String>,
    moves_reports_or_files: bool,
    succeeded: bool,
    /// The door, where the row itself says; else that of its type.
    channel: Option<Channel>,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            operation: Operation::Other,
            objects: BTreeSet::new(),
            fields: BTreeSet::new(),
            record_count: None,
            response_bytes: None,
            record_ids: BTreeSet::new(),
            job_id: None,
            moves_reports_or_files: false,
            succeeded: true,
            channel: None,
        }
    }
}

impl<'a> Fields<'a> {
    pub(crate) fn new(record: &'a Record<'a>, header: &'a Header) -> Self {
        Self { record, header }
    }

    pub(crate) fn record(&self) -> &'a Record<'a> {
        self.record
    }

    pub(crate) fn columns(&self) -> &'a Columns {
        &self.header.columns
    }

    /// A column as text; empty where the header lacks it.
    pub(crate) fn text(
        &self,
        position: Option<usize>,
        column: &'static str,
    ) -> Result<Cow<'a, str>, NotText> {
        let Some(position) = position else { return Ok(Cow::Borrowed("")) };
        match self.record.field(position) {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).ok(),
            Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).ok(),
        }
        .ok_or(NotText { column })
    }

    /// A column as it stands; empty where the header lacks it.
    pub(crate) fn column(&self, position: Option<usize>) -> Cow<'a, [u8]> {
        position.map_or(Cow::Borrowed(&[]), |position| self.record.field(position))
    }

    fn count(&self, position: Option<usize>) -> Option<u64> {
        parse_count(&self.record.field(position?))
    }

    /// `1` and `true`, `0` and `false`; `None` for anything else.
    fn flag(&self, position: Option<usize>) -> Option<bool> {
        let flag = self.column(position);
        let is_yes = *flag == *b"1" || flag.eq_ignore_ascii_case(b"true");
        let is_no = *flag == *b"0" || flag.eq_ignore_ascii_case(b"false");
        (is_yes || is_no).then_some(is_yes)
    }

    fn code(&self, position: Option<usize>) -> Option<u32> {
        let code = self.column(position);
        let is_number = code.iter().all(u8::is_ascii_digit);
        is_number.then(|| std::str::from_utf8(&code).ok()?.parse().ok())?
    }

    /// Hex of the first 16 bytes of SHA-256 over the known columns, each name and value with its length
    /// in front, so that no two different rows run into the same bytes.
    fn row_hash(&self, event_type: EventType) -> String {
        let mut hash = Sha256::new();
        for (name, position) in self.header.hashed(event_type) {
            let value = self.record.field(*position);
            if !value.is_empty() {
                for part in [name.as_bytes(), &value] {
                    hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
                    hash.update(part);
                }
            }
        }
        let digest = hash.finalize();
        hex::encode(digest.get(..16).unwrap_or(&digest))
    }

    /// The whole row, normalised.
    pub(crate) fn access_row(
        &self,
        event_type: EventType,
        org_id: String,
        at: DateTime<Utc>,
        caller: &Caller<'_>,
    ) -> Result<AccessRow, NotText> {
        let columns = self.columns();
        let mut access = match event_type {
            EventType::RestApi | EventType::ApexRestApi => self.rest(event_type)?,
            EventType::Api => self.soap()?,
            EventType::BulkApi | EventType::BulkApi2 | EventType::BulkApiRequest => {
                self.bulk(event_type)?
            }
            EventType::Report => self.report()?,
            EventType::ReportExport => self.report_export(),
            EventType::ContentTransfer => self.content_transfer()?,
            EventType::Login => self.login()?,
            EventType::ApiTotalUsage => self.api_total_usage()?,
            EventType::UniqueQuery => self.unique_query()?,
            EventType::Uri => self.uri()?,
            further => self.further_access(further)?,
        };
        if matches!(access.operation, Operation::Describe | Operation::Login) {
            // The rows that a count or a describe worked through were not returned.
            access.record_count = None;
        }
        while access.objects.len() > MAX_OBJECTS_PER_ROW {
            access.objects.pop_last();
        }
        while access.record_ids.len() > MAX_RECORD_IDS_PER_ROW {
            access.record_ids.pop_last();
        }
        let keys = self.join_keys();
        let client_address = source_address(&self.text(columns.client_ip, "CLIENT_IP")?);
        let from = source_address(&self.text(columns.source_ip, "SOURCE_IP")?);
        let is_internal = client_address.as_deref().is_none_or(|it| it == SALESFORCE_ADDRESS);
        Ok(AccessRow {
            row_hash: self
                .event_hash(event_type, &org_id)
                .unwrap_or_else(|| self.row_hash(event_type)),
            joined: None,
            org_id,
            event_type,
            at,
            identity: identity(caller),
            join_keys: JoinKeys {
                job_id: keys.job_id.or(access.job_id),
                moves_reports_or_files: access.moves_reports_or_files,
                execution: self.execution(event_type),
                ..keys
            },
            channel: access.channel.unwrap_or(event_type.channel()),
            operation: access.operation,
            objects: access.objects,
            fields: access.fields,
            record_count: access.record_count,
            response_bytes: access.response_bytes,
            record_ids: access.record_ids,
            source_address: if is_internal { from.or(client_address) } else { client_address },
            succeeded: access.succeeded,
            tls: Tls::read(
                &self.text(columns.tls_protocol, "TLS_PROTOCOL")?,
                &self.text(columns.cipher_suite, "CIPHER_SUITE")?,
            ),
            counts_against_api_limit: self.flag(columns.counts_against_api_limit),
            user_agent_code: self
                .code(columns.user_agent)
                .or_else(|| self.code(columns.browser_type)),
            anomaly_score: self.anomaly_score(event_type)?,
        })
    }

    /// What the row may be joined by. A key that is not UTF-8 is as good as none: it keeps no row from being read.
    pub(crate) fn join_keys(&self) -> JoinKeys {
        let columns = self.columns();
        let key = |position, column| {
            let text = self.text(position, column).ok()?;
            non_empty(&text, MAX_KEY_BYTES)
        };
        JoinKeys {
            request_id: key(columns.request_id, "REQUEST_ID"),
            session_key: key(columns.session_key, "SESSION_KEY"),
            login_key: key(columns.login_key, "LOGIN_KEY"),
            job_id: key(columns.job_id, "JOB_ID").map(|id| id_15(&id).unwrap_or(id)),
            ..JoinKeys::default()
        }
    }

    /// Whether a machine may have made this row, of a type where that is possible ([`joins::may_seek`]): reports and
    /// files are people's unless an API or Apex asked for them.
    pub(crate) fn may_be_a_machines(&self, event_type: EventType) -> Result<bool, NotText> {
        let columns = self.columns();
        Ok(match event_type {
            EventType::Report | EventType::AsyncReportRun | EventType::MultiBlockReport => {
                let origin = self.text(columns.origin, "ORIGIN")?;
                origin.contains("Api") || origin.contains("Apex")
            }
            EventType::ContentTransfer => {
                self.text(columns.transaction_type, "TRANSACTION_TYPE")?.contains("Api")
            }
            _ => joins::may_seek(event_type),
        })
    }

    fn entity_names(&self) -> Result<BTreeSet<String>, NotText> {
        let columns = self.columns();
        let mut names = object_set(&self.text(columns.entity_name, "ENTITY_NAME")?);
        names.extend(object_set(&self.text(columns.entity_type, "ENTITY_TYPE")?));
        Ok(names)
    }

    /// `RestApi`: method and path say what was done, `ENTITY_NAME`, `QUERY` and path say to what.
    /// `ApexRestApi`: the path is the customer's own, so that only the method speaks.
    fn rest(&self, event_type: EventType) -> Result<Access, NotText> {
        let columns = self.columns();
        let method = self.text(columns.method, "METHOD")?;
        let uri = self.text(columns.uri, "URI")?;
        let query = self.text(columns.query, "QUERY")?;
        let mut access = Access { objects: self.entity_names()?, ..Access::default() };
        let is_job = if event_type == EventType::RestApi {
            access.apply_call(&RestCall::of(&method, &uri))
        } else {
            access.operation = plain_operation(&method);
            false
        };
        access.apply_query(&soql::shape(&query));
        access.apply_id(&self.text(columns.uri_id_derived, "URI_ID_DERIVED")?);
        access.record_count = if is_job { Some(0) } else { self.count(columns.rows_processed) };
        access.response_bytes = self.count(columns.response_size);
        access.succeeded = self.http_succeeded();
        Ok(access)
    }

    fn soap(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let mut access = Access {
            operation: soap_operation(&self.text(columns.method_name, "METHOD_NAME")?),
            objects: self.entity_names()?,
            record_count: self.count(columns.rows_processed),
            response_bytes: self.count(columns.response_size),
            succeeded: self.http_succeeded(),
            ..Access::default()
        };
        access.apply_id(&self.text(columns.uri_id_derived, "URI_ID_DERIVED")?);
        Ok(access)
    }

    /// `BulkApi`: a row for each batch. `BulkApi2`: a row for each job. `BulkApiRequest`: a row for each
    /// request about a job; the records are the job's.
    fn bulk(&self, event_type: EventType) -> Result<Access, NotText> {
        let columns = self.columns();
        let record_count = if event_type.counts_records() {
            self.count(columns.records_processed).or_else(|| self.count(columns.rows_processed))
        } else {
            None
        };
        let job_status = self.text(columns.job_status, "JOB_STATUS")?;
        let has_failed = ["Failed", "Aborted"].iter().any(|it| job_status.eq_ignore_ascii_case(it))
            || !self.http_succeeded();
        Ok(Access {
            operation: bulk_operation(&self.text(columns.operation_type, "OPERATION_TYPE")?),
            objects: self.entity_names()?,
            record_count,
            response_bytes: columns
                .result_size_mb
                .and_then(|position| parse_mebibytes(&self.record.field(position))),
            // A job that broke off has handed out, or changed, what it had processed by then.
            succeeded: !has_failed || record_count.is_some_and(|count| count > 0),
            ..Access::default()
        })
    }

    fn report(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let rendering = self.text(columns.rendering_type, "RENDERING_TYPE")?;
        let origin = self.text(columns.origin, "ORIGIN")?;
        // C: CSV, X: Excel, P: printable view.
        let is_export = matches!(&*rendering, "C" | "X" | "P") || origin.contains("Export");
        let row_count = self.count(columns.row_count);
        let row_bytes = self.count(columns.average_row_size);
        Ok(Access {
            operation: if is_export { Operation::Export } else { Operation::Read },
            objects: self.entity_names()?,
            record_count: row_count,
            response_bytes: row_count.zip(row_bytes).map(|(rows, size)| rows.saturating_mul(size)),
            succeeded: self.http_succeeded(),
            ..Access::default()
        })
    }

    fn report_export(&self) -> Access {
        Access {
            operation: Operation::Export,
            succeeded: self.http_succeeded(),
            ..Access::default()
        }
    }

    /// `ContentTransfer`: one row for one file.
    fn content_transfer(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let kind = self.text(columns.transaction_type, "TRANSACTION_TYPE")?;
        let kind = kind.to_ascii_lowercase();
        let operation = if kind.starts_with("saveversion") {
            Operation::Create
        } else if kind.contains("rendition") {
            Operation::Read
        } else if kind.contains("download") {
            Operation::Export
        } else {
            Operation::Other
        };
        let mut access = Access { operation, record_count: Some(1), ..Access::default() };
        if matches!(operation, Operation::Export | Operation::Read) {
            access.response_bytes = self.count(columns.size_bytes);
        }
        for (position, column) in [
            (columns.document_id_derived, "DOCUMENT_ID_DERIVED"),
            (columns.document_id, "DOCUMENT_ID"),
            (columns.version_id, "VERSION_ID"),
        ] {
            access.apply_id(&self.text(position, column)?);
            if !access.record_ids.is_empty() {
                break;
            }
        }
        Ok(access)
    }

    fn login(&self) -> Result<Access, NotText> {
        let status = self.text(self.columns().login_status, "LOGIN_STATUS")?;
        let succeeded =
            if status.is_empty() { self.http_succeeded() } else { status == "LOGIN_NO_ERROR" };
        Ok(Access { operation: Operation::Login, succeeded, ..Access::default() })
    }

    /// `ApiTotalUsage`: what was called, without how much came back.
    fn api_total_usage(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let family = self.text(columns.api_family, "API_FAMILY")?;
        let resource = self.text(columns.api_resource, "API_RESOURCE")?;
        let mut access = Access { objects: self.entity_names()?, ..Access::default() };
        if family.to_ascii_uppercase().starts_with("SOAP") {
            access.operation = soap_operation(&resource);
        } else {
            let method = self.text(columns.http_method, "HTTP_METHOD")?;
            access.apply_call(&RestCall::of(&method, &resource));
        }
        access.succeeded = self.http_succeeded();
        Ok(access)
    }

    /// `UniqueQuery`: the text of a query, or the id of a report or list view.
    fn unique_query(&self) -> Result<Access, NotText> {
        let query = self.text(self.columns().query_identifier, "QUERY_IDENTIFIER")?;
        let mut access = Access { operation: Operation::Read, ..Access::default() };
        access.apply_query(&soql::shape(&query));
        Ok(access)
    }

    /// `URI`: a page of the classic interface; the object is in the id, or in the path of a lightning page.
    fn uri(&self) -> Result<Access, NotText> {
        let columns = self.columns();
        let uri = self.text(columns.uri, "URI")?;
        let (path, parameters) = split_uri(&uri);
        let mut access = Access { succeeded: self.http_succeeded(), ..Access::default() };
        for segment in path.split('/') {
            access.apply_id(segment);
            if let Some(object) =
                (segment.len() == 3).then(|| object_of_record_id(segment)).flatten()
            {
                access.objects.insert(object.to_owned());
            }
        }
        let mut segments = path.split('/').skip_while(|segment| *segment != "r" && *segment != "o");
        if path.starts_with("/lightning/")
            && let Some(object) = segments.nth(1)
            && is_object_name(object)
            && record_id(object).is_none()
        {
            access.objects.insert(canonical_object(object).to_owned());
        }
        let lower = path.to_ascii_lowercase();
        let is_download =
            lower.contains("filedownload") || lower.contains("/shepherd/version/download");
        for (name, value) in pairs(parameters) {
            if matches!(name, "id" | "file" | "delID" | "Id") {
                access.apply_id(value);
            }
        }
        access.apply_id(&self.text(columns.uri_id_derived, "URI_ID_DERIVED")?);
        let exports = pairs(parameters).any(|(name, value)| name == "export" && value == "1");
        access.operation = if lower.contains("deleteredirect") {
            Operation::Delete
        } else if is_download || exports {
            Operation::Export
        } else if !access.objects.is_empty() || !access.record_ids.is_empty() {
            Operation::Read
        } else {
            Operation::Other
        };
        Ok(access)
    }

    /// Whether no column says that the access was refused or failed. Columns that are absent or empty say
    /// nothing.
    fn http_succeeded(&self) -> bool {
        let columns = self.columns();
        let field = |position: Option<usize>| position.map(|at| self.record.field(at));
        let has_failed_code = self.count(columns.status_code).is_some_and(|code| code >= 400);
        // F: failed, A: not authorised, N: not found, I: inaccessible. S, R (redirect) and U
        // (undefined) are no failures.
        let has_failed_status = field(columns.request_status)
            .is_some_and(|status| matches!(&*status, b"F" | b"A" | b"N" | b"I"));
        let has_failed_flag = field(columns.success)
            .is_some_and(|flag| *flag == *b"0" || flag.eq_ignore_ascii_case(b"false"));
        !(has_failed_code || has_failed_status || has_failed_flag)
    }
}

impl Access {
    /// Adds what a query names; the spelling of an object that is there already stays.
    fn apply_query(&mut self, shape: &QueryShape) {
        for object in &shape.objects {
            if !self.objects.iter().any(|known| known.eq_ignore_ascii_case(object)) {
                self.objects.insert(object.clone());
            }
        }
        self.fields.extend(shape.fields.iter().cloned());
        if shape.is_count && matches!(self.operation, Operation::Read | Operation::Other) {
            self.operation = Operation::Describe;
        } else if !shape.objects.is_empty() && self.operation == Operation::Other {
            self.operation = Operation::Read;
        }
    }

    /// Adds a record's id, and its object if nothing else named one.
    fn apply_id(&mut self, text: &str) {
        if let Some(id) = record_id(text) {
            if self.objects.is_empty()
                && let Some(object) = object_of_record_id(&id)
            {
                self.objects.insert(object.to_owned());
            }
            self.record_ids.insert(id);
        }
    }

    /// Adds what a REST call names; says whether it was about a bulk job.
    fn apply_call(&mut self, call: &RestCall<'_>) -> bool {
        self.operation = call.operation;
        if self.objects.is_empty()
            && let Some(object) = call.object
        {
            self.objects.insert(canonical_object(object).to_owned());
        }
        for id in &call.record_ids {
            self.apply_id(id);
        }
        if let Some(query) = &call.query {
            self.apply_query(&soql::shape(query));
        }
        self.job_id.clone_from(&call.job_id);
        self.moves_reports_or_files = call.moves_reports_or_files;
        call.is_job
    }
}

/// A REST call, as its method and address say.
struct RestCall<'a> {
    operation: Operation,
    object: Option<&'a str>,
    record_ids: Vec<&'a str>,
    query: Option<String>,
    is_job: bool,
    job_id: Option<String>,
    moves_reports_or_files: bool,
}

impl<'a> RestCall<'a> {
    fn of(method: &str, uri: &'a str) -> Self {
        let (path, parameters) = split_uri(uri);
        let segments: Vec<&str> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .skip_while(|segment| matches!(*segment, "services" | "data") || is_version(segment))
            .collect();
        let find = |name: &str| pairs(parameters).find(|(key, _)| *key == name).map(|(_, it)| it);
        let method = find("_HttpMethod").unwrap_or(method).to_ascii_uppercase();
        let behind = |name: &str| {
            let position = segments.iter().position(|segment| *segment == name)?;
            segments.get(position.saturating_add(1)).copied()
        };
        let first = segments.first().copied().unwrap_or_default();
        let last = segments.last().copied().unwrap_or_default();
        let object = behind("sobjects").filter(|name| is_object_name(name) && *name != "describe");
        let mut record_ids: Vec<&str> =
            segments.iter().copied().filter(|segment| record_id(segment).is_some()).collect();
        record_ids.extend(find("ids").into_iter().flat_map(|ids| ids.split(',')));
        let is_job = matches!(first, "jobs" | "async") || path.starts_with("/services/async/");
        let query = find("q").map(decode);

        let operation = if is_job {
            job_operation(&method, last)
        } else if matches!(method.as_str(), "HEAD" | "OPTIONS")
            || matches!(first, "limits" | "tooling" | "recent" | "theme" | "tabs" | "" | "apexrest")
                && method == "GET"
                && first != "apexrest"
                && query.is_none()
            || segments.contains(&"describe")
            || (segments.contains(&"sobjects")
                && !segments.contains(&"composite")
                && method == "GET"
                && segments.len() <= 2)
        {
            Operation::Describe
        } else if matches!(
            first,
            "query" | "queryAll" | "search" | "parameterizedSearch" | "graphql"
        ) {
            Operation::Read
        } else {
            match method.as_str() {
                "GET" => Operation::Read,
                "POST" if segments.contains(&"sobjects") || behind("ui-api") == Some("records") => {
                    Operation::Create
                }
                "POST" if first == "analytics" => Operation::Read,
                "PATCH" | "PUT" => Operation::Update,
                "DELETE" => Operation::Delete,
                _ => Operation::Other,
            }
        };
        let job_id = segments
            .iter()
            .filter(|segment| is_job && segment.starts_with(BULK_JOB_PREFIX))
            .find_map(|segment| id_15(segment));
        let moves_reports_or_files = (first == "analytics" && segments.contains(&"reports"))
            || (segments.contains(&"connect") && segments.contains(&"files"))
            || object.is_some_and(|object| FILE_OBJECTS.contains(&canonical_object(object)));
        Self { operation, object, record_ids, query, is_job, job_id, moves_reports_or_files }
    }
}

/// A request about a bulk job. Fetching its results is an export; making, changing or removing the job, and asking
/// how it stands, touches no record: a job that is deleted deletes nobody. The records are counted by the job's own
/// row in `BulkApi` or `BulkApi2`.
fn job_operation(method: &str, last_segment: &str) -> Operation {
    match method {
        "GET" if matches!(last_segment, "results" | "result" | "resultPages") => Operation::Export,
        _ => Operation::Describe,
    }
}

/// An operation by the method alone.
fn plain_operation(method: &str) -> Operation {
    match method.to_ascii_uppercase().as_str() {
        "GET" => Operation::Read,
        "HEAD" | "OPTIONS" => Operation::Describe,
        "PUT" | "PATCH" => Operation::Update,
        "DELETE" => Operation::Delete,
        _ => Operation::Other,
    }
}

fn soap_operation(method: &str) -> Operation {
    // `queryAll` of the API is `query_all` in some logs.
    let method = method.to_ascii_lowercase().replace('_', "");
    match method.as_str() {
        "query" | "queryall" | "querymore" | "retrieve" | "search" | "getdeleted"
        | "getupdated" => Operation::Read,
        "create" | "insert" => Operation::Create,
        "update" | "upsert" | "merge" | "undelete" | "convertlead" => Operation::Update,
        "delete" | "emptyrecyclebin" => Operation::Delete,
        "login" => Operation::Login,
        "getservertimestamp" | "getuserinfo" => Operation::Describe,
        _ if method.starts_with("describe") => Operation::Describe,
        _ => Operation::Other,
    }
}

fn bulk_operation(operation_type: &str) -> Operation {
    match operation_type.to_ascii_lowercase().as_str() {
        "query" | "queryall" => Operation::Export,
        "insert" => Operation::Create,
        "update" | "upsert" => Operation::Update,
        "delete" | "harddelete" => Operation::Delete,
        _ => Operation::Other,
    }
}

/// `v58.0`, or `58.0` as the asynchronous API writes it.
fn is_version(segment: &str) -> bool {
    let number = segment.strip_prefix('v').unwrap_or(segment);
    number.contains('.') && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn split_uri(uri: &str) -> (&str, &str) {
    uri.split_once('?').unwrap_or((uri, ""))
}

fn pairs(parameters: &str) -> impl Iterator<Item = (&str, &str)> {
    parameters.split('&').filter_map(|pair| pair.split_once('='))
}

fn decode(value: &str) -> String {
    percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn identity(caller: &Caller<'_>) -> Identity {
    let text = |value: &str| non_empty(value, MAX_IDENTITY_BYTES);
    let id = |value: &str| {
        id_15(value).or_else(|| non_empty(value.get(..15).unwrap_or(value), MAX_KEY_BYTES))
    };
    Identity {
        user_id: id(caller.user_id),
        connected_app_id: id(caller.connected_app_id),
        connected_app_name: text(caller.connected_app_name),
        client_name: text(caller.client_name),
        bot_id: id(caller.bot_id),
        planner_id: id(caller.planner_id),
        user_agent: text(caller.user_agent),
        client_category: text(caller.client_category),
    }
}

/// `None` for nothing, else the text cut to `max_bytes` at a character.
fn non_empty(text: &str, max_bytes: usize) -> Option<String> {
    let mut end = text.len().min(max_bytes);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A whole number, also as `1000364.0`; `None` for what is empty, negative (unknown) or no number.
fn parse_count(bytes: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    fraction.bytes().all(|byte| byte.is_ascii_digit()).then(|| whole.parse().ok())?
}

/// A decimal number of mebibytes in bytes, rounded down.
fn parse_mebibytes(bytes: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(bytes).ok()?;
    let whole = u128::from(parse_count(bytes)?).checked_mul(BYTES_PER_MEBIBYTE)?;
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
    let (parts, scale) =
        fraction.bytes().take(9).fold((0_u128, 1_u128), |(parts, scale), digit| {
            (parts * 10 + u128::from(digit.wrapping_sub(b'0')), scale * 10)
        });
    u64::try_from(whole.checked_add(parts * BYTES_PER_MEBIBYTE / scale)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quirk_7_numbers_may_be_floats_and_minus_one_is_unknown() {
        assert_eq!(parse_count(b"1000364.0"), Some(1_000_364));
        assert_eq!(parse_count(b"27"), Some(27));
        for unknown in [&b""[..], b"-1", b"N/A", b"Unknown", b"1.x", b"99999999999999999999999"] {
            assert_eq!(parse_count(unknown), None, "{unknown:?}");
        }
        assert_eq!(parse_mebibytes(b"12"), Some(12 * 1_048_576));
        assert_eq!(parse_mebibytes(b"0.5"), Some(524_288));
        assert_eq!(parse_mebibytes(b"-1"), None);
    }

    #[test]
    fn a_rest_call_is_told_by_method_and_path() {
        for (method, uri, operation, object) in [
            ("GET", "/services/data/v58.0/sobjects/", Operation::Describe, None),
            (
                "GET",
                "/services/data/v58.0/sobjects/Case/describe",
                Operation::Describe,
                Some("Case"),
            ),
            ("GET", "/services/data/v58.0/limits/", Operation::Describe, None),
            ("GET", "/services/data/v58.0/query", Operation::Read, None),
            ("GET", "/v58.0/query", Operation::Read, None),
            ("POST", "/services/data/v58.0/parameterizedSearch", Operation::Read, None),
            (
                "GET",
                "/services/data/v61.0/sobjects/Contact/0035g00000AbCdE",
                Operation::Read,
                Some("Contact"),
            ),
            ("POST", "/services/data/v61.0/sobjects/Contact", Operation::Create, Some("Contact")),
            (
                "PATCH",
                "/services/data/v61.0/sobjects/Contact/0035g00000AbCdE",
                Operation::Update,
                Some("Contact"),
            ),
            (
                "POST",
                "/services/data/v61.0/sobjects/Contact/0035g00000AbCdE?_HttpMethod=PATCH",
                Operation::Update,
                Some("Contact"),
            ),
            (
                "DELETE",
                "/services/data/v61.0/sobjects/Contact/0035g00000AbCdE",
                Operation::Delete,
                Some("Contact"),
            ),
            ("POST", "/services/data/v61.0/composite", Operation::Other, None),
            ("POST", "/services/data/v61.0/composite/sobjects", Operation::Create, None),
            (
                "GET",
                "/services/data/v61.0/composite/sobjects/Lead?ids=00Q5g00000AbCdE",
                Operation::Read,
                Some("Lead"),
            ),
            ("POST", "/services/data/v61.0/jobs/query", Operation::Describe, None),
            (
                "GET",
                "/services/data/v61.0/jobs/query/7505g000008aBcDAAU",
                Operation::Describe,
                None,
            ),
            (
                "GET",
                "/services/data/v61.0/jobs/query/7505g000008aBcDAAU/results?maxRecords=50000",
                Operation::Export,
                None,
            ),
            (
                "DELETE",
                "/services/data/v61.0/jobs/query/7505g000008aBcDAAU",
                Operation::Describe,
                None,
            ),
            (
                "HEAD",
                "/services/data/v61.0/sobjects/Contact/0035g00000AbCdE",
                Operation::Describe,
                Some("Contact"),
            ),
        ] {
            let call = RestCall::of(method, uri);
            assert_eq!((call.operation, call.object), (operation, object), "{method} {uri}");
        }
    }

    #[test]
    fn a_soap_method_is_told_in_both_spellings() {
        for method in ["queryAll", "query_all", "QUERY_MORE"] {
            assert_eq!(soap_operation(method), Operation::Read, "{method}");
        }
        assert_eq!(soap_operation("describe_s_objects"), Operation::Describe);
    }

    #[test]
    fn ids_in_the_address_are_found() {
        let call = RestCall::of(
            "GET",
            "/services/data/v61.0/composite/sobjects/Lead?ids=00Q5g00000AbCdE,00Q5g00000AbCdF",
        );
        assert_eq!(call.record_ids, ["00Q5g00000AbCdE", "00Q5g00000AbCdF"]);
    }

    #[test]
    fn a_query_in_the_address_gives_names_and_no_values() {
        let mut access = Access::default();
        access.apply_call(&RestCall::of(
            "GET",
            "/services/data/v61.0/query?q=SELECT+Id,Email+FROM+contact+WHERE+Name%20=%20%27Erika%27",
        ));
        assert_eq!(access.objects, BTreeSet::from(["Contact".to_owned()]));
        assert_eq!(access.operation, Operation::Read);
        assert_eq!(
            access.fields,
            BTreeSet::from(["Contact.Email".to_owned(), "Contact.Id".to_owned()])
        );
    }

    #[test]
    fn a_count_is_a_describe() {
        let mut access = Access { operation: Operation::Read, ..Access::default() };
        access.apply_query(&soql::shape("SELECT COUNT() FROM Contact"));
        assert_eq!(access.operation, Operation::Describe);
    }
}
