//! Which columns are known, under which names, and where a header puts them.
//!
//! Columns are bound by name: Salesforce adds columns in the middle of a row from release to release.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use crate::event_type::EventType;

/// One line per event type: its name, then its known columns in the order in which they are hashed.
static KNOWN_COLUMNS: &str = include_str!("../data/known_columns.txt");

static KNOWN_BY_TYPE: LazyLock<BTreeMap<EventType, Vec<&'static str>>> = LazyLock::new(|| {
    KNOWN_COLUMNS
        .lines()
        .filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            let event_type = EventType::from_name(words.next()?)?;
            Some((event_type, words.collect()))
        })
        .collect()
});

/// The known columns of a type, in the order in which they enter a row's hash.
pub(crate) fn known_columns(event_type: EventType) -> &'static [&'static str] {
    KNOWN_BY_TYPE.get(&event_type).map_or(&[], Vec::as_slice)
}

/// Names that differ by release or by type, and the name that we use for each.
const ALIASES: [(&str, &str); 11] = [
    ("BOT_IDENTIFIER", "BOT_ID"),
    ("BOT_SESSION_IDENTIFIER", "BOT_SESSION_ID"),
    ("CLIENT_GEOLOCATION", "CLIENT_GEO"),
    ("CLIENT_IDENTIFIER", "CLIENT_ID"),
    ("DEVICE_SESSION_IDENTIFIER", "DEVICE_SESSION_ID"),
    ("FLOW_VERSION_IDENTIFIER", "FLOW_VERSION_ID"),
    ("OPERATING_SYSTEM_NAME", "OS_NAME"),
    ("OPERATING_SYSTEM_VERSION", "OS_VERSION"),
    ("PLANNER_IDENTIFIER", "PLANNER_ID"),
    ("REQUEST_IDENTIFIER", "REQUEST_ID"),
    ("USER_IDENTIFIER", "USER_ID"),
];

/// The name that we use for a column: upper case, aliases resolved.
pub(crate) fn canonical_name(name: &str) -> String {
    let upper = name.trim().to_ascii_uppercase();
    ALIASES
        .iter()
        .find(|(alias, _)| *alias == upper)
        .map_or(upper, |(_, canonical)| (*canonical).to_owned())
}

macro_rules! columns {
    ($($field:ident = $name:literal,)*) => {
        /// Where each column that is read stands in a row; `None` where the header lacks it.
        #[derive(Clone, Debug, Default)]
        pub(crate) struct Columns {
            $(pub(crate) $field: Option<usize>,)*
        }

        impl Columns {
            /// The names of all columns that are read.
            const NAMES: &[&'static str] = &[$($name,)*];

            fn bind(positions: &BTreeMap<String, usize>) -> Self {
                Self { $($field: positions.get($name).copied(),)* }
            }
        }
    };
}

columns! {
    action = "ACTION",
    action_message = "ACTION_MESSAGE",
    api_client_category = "API_CLIENT_CATEGORY",
    api_family = "API_FAMILY",
    api_resource = "API_RESOURCE",
    api_type = "API_TYPE",
    article_id = "ARTICLE_ID",
    attachment_id = "ATTACHMENT_ID",
    average_row_size = "AVERAGE_ROW_SIZE",
    bot_id = "BOT_ID",
    browser_type = "BROWSER_TYPE",
    bytes = "BYTES",
    cipher_suite = "CIPHER_SUITE",
    clicked_record_id = "CLICKED_RECORD_ID",
    client_ip = "CLIENT_IP",
    client_name = "CLIENT_NAME",
    column_headers = "COLUMN_HEADERS",
    connected_app_id = "CONNECTED_APP_ID",
    connected_app_name = "CONNECTED_APP_NAME",
    content_size = "CONTENT_SIZE",
    counts_against_api_limit = "COUNTS_AGAINST_API_LIMIT",
    delegated_user_id = "DELEGATED_USER_ID",
    delegated_user_id_derived = "DELEGATED_USER_ID_DERIVED",
    dml_type = "DML_TYPE",
    document_id = "DOCUMENT_ID",
    document_id_derived = "DOCUMENT_ID_DERIVED",
    download_error = "DOWNLOAD_ERROR",
    entity = "ENTITY",
    entity_id = "ENTITY_ID",
    entity_name = "ENTITY_NAME",
    entity_type = "ENTITY_TYPE",
    event_identifier = "EVENT_IDENTIFIER",
    event_type = "EVENT_TYPE",
    execution_identifier = "EXECUTION_IDENTIFIER",
    export_file_format = "EXPORT_FILE_FORMAT",
    external_object = "EXTERNAL_OBJECT",
    failure_reason = "FAILURE_REASON",
    feature_id = "FEATURE_ID",
    file_action = "FILE_ACTION",
    first_entity_id = "FIRST_ENTITY_ID",
    group_id = "GROUP_ID",
    http_method = "HTTP_METHOD",
    is_cancelled = "IS_CANCELLED",
    is_success = "IS_SUCCESS",
    is_successful = "IS_SUCCESSFUL",
    job_id = "JOB_ID",
    job_status = "JOB_STATUS",
    key_id = "KEY_ID",
    key_id_derived = "KEY_ID_DERIVED",
    key_prefix = "KEY_PREFIX",
    login_key = "LOGIN_KEY",
    login_status = "LOGIN_STATUS",
    member_id = "MEMBER_ID",
    method = "METHOD",
    method_name = "METHOD_NAME",
    num_results = "NUM_RESULTS",
    num_rows = "NUM_ROWS",
    number_of_errors = "NUMBER_OF_ERRORS",
    number_of_interviews = "NUMBER_OF_INTERVIEWS",
    number_of_records = "NUMBER_OF_RECORDS",
    operation = "OPERATION",
    operation_status = "OPERATION_STATUS",
    operation_type = "OPERATION_TYPE",
    organization_id = "ORGANIZATION_ID",
    origin = "ORIGIN",
    page_entity_id = "PAGE_ENTITY_ID",
    page_entity_type = "PAGE_ENTITY_TYPE",
    page_url = "PAGE_URL",
    planner_id = "PLANNER_ID",
    policy_outcome = "POLICY_OUTCOME",
    prefixes_searched = "PREFIXES_SEARCHED",
    queried_entities = "QUERIED_ENTITIES",
    query = "QUERY",
    query_identifier = "QUERY_IDENTIFIER",
    record_id = "RECORD_ID",
    record_id_derived = "RECORD_ID_DERIVED",
    records = "RECORDS",
    records_processed = "RECORDS_PROCESSED",
    rendering_type = "RENDERING_TYPE",
    request_form_size = "REQUEST_FORM_SIZE",
    request_id = "REQUEST_ID",
    request_size = "REQUEST_SIZE",
    request_status = "REQUEST_STATUS",
    requested_access_level = "REQUESTED_ACCESS_LEVEL",
    requested_entities = "REQUESTED_ENTITIES",
    response_size = "RESPONSE_SIZE",
    result = "RESULT",
    result_size_mb = "RESULT_SIZE_MB",
    row_count = "ROW_COUNT",
    rows = "ROWS",
    rows_fetched = "ROWS_FETCHED",
    rows_processed = "ROWS_PROCESSED",
    rows_returned = "ROWS_RETURNED",
    sample_factor = "SAMPLE_FACTOR",
    sandbox_id = "SANDBOX_ID",
    score = "SCORE",
    session_key = "SESSION_KEY",
    size_bytes = "SIZE_BYTES",
    source_ip = "SOURCE_IP",
    status = "STATUS",
    status_code = "STATUS_CODE",
    success = "SUCCESS",
    timestamp = "TIMESTAMP",
    timestamp_derived = "TIMESTAMP_DERIVED",
    tls_protocol = "TLS_PROTOCOL",
    transaction_type = "TRANSACTION_TYPE",
    uri = "URI",
    uri_id_derived = "URI_ID_DERIVED",
    user_agent = "USER_AGENT",
    user_id = "USER_ID",
    user_id_derived = "USER_ID_DERIVED",
    version_id = "VERSION_ID",
}

impl Columns {
    /// The columns that say who acted.
    pub(crate) fn of_callers(&self) -> impl Iterator<Item = Option<usize>> {
        [
            self.user_id,
            self.user_id_derived,
            self.connected_app_id,
            self.connected_app_name,
            self.client_name,
            self.bot_id,
            self.planner_id,
            self.user_agent,
            self.browser_type,
            self.api_client_category,
        ]
        .into_iter()
    }

    /// The columns that a call may be joined by. Not the request, which is another one for each call.
    pub(crate) fn of_joins(&self) -> impl Iterator<Item = Option<usize>> {
        [self.job_id, self.session_key, self.login_key].into_iter()
    }
}

/// Every column that is known of any type, in order.
pub(crate) fn all_columns() -> BTreeSet<&'static str> {
    KNOWN_BY_TYPE.values().flatten().chain(Columns::NAMES).copied().collect()
}

/// A header, bound.
#[derive(Clone, Debug, Default)]
pub(crate) struct Header {
    /// How many columns a row has.
    pub(crate) width: usize,
    /// Where the columns that are read stand.
    pub(crate) columns: Columns,
    /// Known columns of each type that this header has, in hashing order.
    hashed: BTreeMap<EventType, Vec<(&'static str, usize)>>,
}

impl Header {
    /// Binds the names of a header line. A column's own name wins over its alias, and the first of two
    /// equal names wins, so that the order of other columns cannot matter.
    pub(crate) fn bind<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut exact = BTreeMap::new();
        let mut aliased = BTreeMap::new();
        let mut width = 0;
        for (position, name) in names.enumerate() {
            width += 1;
            let canonical = canonical_name(name);
            let is_alias = !canonical.eq_ignore_ascii_case(name.trim());
            let map = if is_alias { &mut aliased } else { &mut exact };
            map.entry(canonical).or_insert(position);
        }
        for (name, position) in aliased {
            exact.entry(name).or_insert(position);
        }
        let hashed = EventType::ALL
            .into_iter()
            .map(|event_type| {
                let columns = known_columns(event_type)
                    .iter()
                    .filter_map(|name| Some((*name, *exact.get(*name)?)))
                    .collect();
                (event_type, columns)
            })
            .collect();
        Self { width, columns: Columns::bind(&exact), hashed }
    }

    /// Whether any of the columns that every event log has is here.
    pub(crate) fn is_event_log(&self) -> bool {
        self.columns.event_type.is_some()
            || (self.columns.organization_id.is_some()
                && (self.columns.timestamp.is_some() || self.columns.timestamp_derived.is_some()))
    }

    /// Known columns of a type that this header has, with their positions, in hashing order.
    pub(crate) fn hashed(&self, event_type: EventType) -> &[(&'static str, usize)] {
        self.hashed.get(&event_type).map_or(&[], Vec::as_slice)
    }

    /// Columns without which rows of this type cannot be read or attributed, and which are not here.
    pub(crate) fn missing(&self, event_type: EventType) -> Vec<&'static str> {
        let columns = &self.columns;
        let mut missing = Vec::new();
        if columns.timestamp.is_none() && columns.timestamp_derived.is_none() {
            missing.push("TIMESTAMP");
        }
        if columns.organization_id.is_none() {
            missing.push("ORGANIZATION_ID");
        }
        // USER_ID_DERIVED stands in, and yet whoever made the export should know.
        if known_columns(event_type).contains(&"USER_ID") && columns.user_id.is_none() {
            missing.push("USER_ID");
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_type_has_known_columns_in_a_fixed_order() {
        for event_type in EventType::ALL {
            let columns = known_columns(event_type);
            assert!(columns.contains(&"EVENT_TYPE"), "{event_type:?}");
            assert!(columns.contains(&"ORGANIZATION_ID"), "{event_type:?}");
            assert!(columns.contains(&"BOT_ID"), "{event_type:?}");
            assert!(columns.is_sorted(), "{event_type:?}");
            assert!(columns.iter().all(|name| canonical_name(name) == *name), "{event_type:?}");
        }
    }

    #[test]
    fn a_columns_own_name_wins_over_its_alias_wherever_they_stand() {
        let first = Header::bind(["BOT_IDENTIFIER", "BOT_ID"].into_iter());
        let second = Header::bind(["BOT_ID", "BOT_IDENTIFIER"].into_iter());
        assert_eq!(first.columns.bot_id, Some(1));
        assert_eq!(second.columns.bot_id, Some(0));
    }

    #[test]
    fn names_are_bound_without_regard_to_case_and_spaces() {
        let header = Header::bind(["event_type", " USER_IDENTIFIER "].into_iter());
        assert_eq!(header.columns.event_type, Some(0));
        assert_eq!(header.columns.user_id, Some(1));
    }
}
