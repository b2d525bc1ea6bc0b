//! One access, normalised: what a log row says once its format has been read.

use std::collections::BTreeSet;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{event_type::EventType, joins::Joined, tls::Tls};

/// The start of a UTC hour: the unit in which Salesforce cuts hourly logs and in which we tally.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hour(DateTime<Utc>);

impl Hour {
    /// The hour that holds `instant`.
    pub fn containing(instant: DateTime<Utc>) -> Self {
        Self(instant.duration_trunc(TimeDelta::hours(1)).unwrap_or(instant))
    }

    /// The first instant of the hour.
    pub fn start(self) -> DateTime<Utc> {
        self.0
    }

    /// `2026-11-24T09`, the form used in keys.
    pub fn key(self) -> String {
        self.0.format("%Y-%m-%dT%H").to_string()
    }

    /// Reads what [`Hour::key`] writes.
    pub fn from_key(key: &str) -> Option<Self> {
        chrono::NaiveDateTime::parse_from_str(&format!("{key}:00:00"), "%Y-%m-%dT%H:%M:%S")
            .ok()
            .map(|naive| Self(naive.and_utc()))
    }
}

/// Which door of Salesforce an access came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// REST API.
    Rest,
    /// A REST service written in Apex.
    ApexRest,
    /// SOAP API.
    Soap,
    /// Bulk API, 1.0 and 2.0.
    Bulk,
    /// A report that was run.
    Report,
    /// A report that was exported.
    ReportExport,
    /// A file that was moved.
    File,
    /// A login.
    Login,
    /// The count of API calls that every org keeps.
    ApiUsage,
    /// A distinct query text.
    Query,
    /// A page opened in a browser.
    Ui,
    /// A dashboard, lens or dataset of CRM Analytics.
    Analytics,
    /// The search box.
    Search,
    /// A call from Salesforce to another system.
    Callout,
    /// A flow, or an action that a flow or an agent invoked.
    Automation,
    /// A sampled save to the database, whoever asked for it.
    Database,
    /// Rights, groups, keys, packages and metadata.
    Administration,
    /// A check that refused an access, or a policy that watched one.
    Guard,
    /// A conversation with an agent.
    Agent,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Records were read or queried.
    Read,
    /// Records left in bulk, as a report export or as a file.
    Export,
    /// Records were created.
    Create,
    /// Records were changed.
    Update,
    /// Records were deleted.
    Delete,
    /// The shape of the data was asked for (describe, limits, counts), or a bulk job was managed: no record was
    /// touched.
    Describe,
    /// A session was opened.
    Login,
    /// None of the above could be told from the row.
    Other,
}

/// Everything in a row that may say who acted. All ids are cut to 15 characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// `USER_ID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// `CONNECTED_APP_ID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected_app_id: Option<String>,
    /// `CONNECTED_APP_NAME`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected_app_name: Option<String>,
    /// `CLIENT_NAME`; the caller chooses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// `BOT_ID` or `BOT_IDENTIFIER`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot_id: Option<String>,
    /// `PLANNER_ID` or `PLANNER_IDENTIFIER`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planner_id: Option<String>,
    /// `USER_AGENT` or `BROWSER_TYPE`, where it is text; the caller chooses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// `API_CLIENT_CATEGORY`, Salesforce's own label of the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_category: Option<String>,
}

/// Keys by which a row may be joined to another that says more.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JoinKeys {
    /// `REQUEST_ID`: shared by the rows of one transaction, and the caller may set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// `SESSION_KEY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_key: Option<String>,
    /// `LOGIN_KEY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_key: Option<String>,
    /// `JOB_ID` of a bulk job, or the job that the address of a REST call names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    /// Whether the row is a REST call for a report or a file: what it moves has rows with no key but the request.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub moves_reports_or_files: bool,
    /// Shared by the rows of one run of a report, a list view or a query, each of which counts the records of all
    /// before it: hex of 16 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
}

/// One log row, normalised. Holds no query text and no field values: object and field names, ids and
/// counts only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AccessRow {
    /// Identity of the row itself: hex of the first 16 bytes of SHA-256 over its known columns by name.
    pub row_hash: String,
    /// From which other row it is known who acted; `None` where this row says so itself. Of two copies of a row the
    /// smaller one stays, so that a row's own word comes first, and then the surest key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Joined>,
    /// `ORGANIZATION_ID`, 15 characters.
    pub org_id: String,
    /// `EVENT_TYPE`.
    pub event_type: EventType,
    /// When it happened, as the row says.
    pub at: DateTime<Utc>,
    /// Who may have acted.
    pub identity: Identity,
    /// What it may be joined by.
    pub join_keys: JoinKeys,
    /// The door it came through.
    pub channel: Channel,
    /// What was done.
    pub operation: Operation,
    /// Objects touched; empty where the row does not say.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub objects: BTreeSet<String>,
    /// Fields named by a query, as `Object.Field`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub fields: BTreeSet<String>,
    /// Records returned or processed, where the row counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_count: Option<u64>,
    /// Bytes sent, where the row says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_bytes: Option<u64>,
    /// Record ids that the row names, 15 characters.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub record_ids: BTreeSet<String>,
    /// `CLIENT_IP` or `SOURCE_IP`: an address in its canonical text, or [`crate::address::SALESFORCE_ADDRESS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_address: Option<String>,
    /// False where the row says that the access was refused or failed.
    pub succeeded: bool,
    /// How a login's connection was secured, where the row says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// `COUNTS_AGAINST_API_LIMIT`: whether the call used up some of the calls that the org has a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts_against_api_limit: Option<bool>,
    /// `USER_AGENT` or `BROWSER_TYPE`, where it is a number. Salesforce publishes no list of them, so that it names
    /// nobody: rows of one client have the same number, and a client that changes shows by another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent_code: Option<u32>,
    /// How unusual an anomaly event calls what it tells of, 0 to 100; absent where its scale is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anomaly_score: Option<u8>,
}

impl AccessRow {
    /// The hour that this row belongs to.
    pub fn hour(&self) -> Hour {
        Hour::containing(self.at)
    }
}
