//! The kinds of event that are read.

use serde::{Deserialize, Serialize};

use crate::row::Channel;

/// `EVENT_TYPE` of an Event Log File, as Salesforce spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are Salesforce's own and say what they are")]
pub enum EventType {
    RestApi,
    ApexRestApi,
    #[serde(rename = "API")]
    Api,
    BulkApi,
    BulkApi2,
    BulkApiRequest,
    Report,
    ReportExport,
    ContentTransfer,
    Login,
    ApiTotalUsage,
    UniqueQuery,
    #[serde(rename = "URI")]
    Uri,
}

impl EventType {
    /// Every type that yields access rows.
    pub const ALL: [Self; 13] = [
        Self::RestApi,
        Self::ApexRestApi,
        Self::Api,
        Self::BulkApi,
        Self::BulkApi2,
        Self::BulkApiRequest,
        Self::Report,
        Self::ReportExport,
        Self::ContentTransfer,
        Self::Login,
        Self::ApiTotalUsage,
        Self::UniqueQuery,
        Self::Uri,
    ];

    /// The name in `EVENT_TYPE`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RestApi => "RestApi",
            Self::ApexRestApi => "ApexRestApi",
            Self::Api => "API",
            Self::BulkApi => "BulkApi",
            Self::BulkApi2 => "BulkApi2",
            Self::BulkApiRequest => "BulkApiRequest",
            Self::Report => "Report",
            Self::ReportExport => "ReportExport",
            Self::ContentTransfer => "ContentTransfer",
            Self::Login => "Login",
            Self::ApiTotalUsage => "ApiTotalUsage",
            Self::UniqueQuery => "UniqueQuery",
            Self::Uri => "URI",
        }
    }

    /// The type of that name; `None` for one that is not read yet.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event_type| event_type.name() == name)
    }

    /// Whether the records of an access are counted by rows of this type.
    ///
    /// `ApiTotalUsage`, `UniqueQuery`, `BulkApiRequest` and `Login` are echoes: they repeat, from another
    /// side, calls whose records `RestApi`, `API`, `BulkApi` or `BulkApi2` count. Their rows carry no
    /// record count, and that absence must not be taken for an uncounted read.
    pub const fn counts_records(self) -> bool {
        !matches!(
            self,
            Self::ApiTotalUsage | Self::UniqueQuery | Self::BulkApiRequest | Self::Login
        )
    }

    /// The door that rows of this type came through.
    pub const fn channel(self) -> Channel {
        match self {
            Self::RestApi => Channel::Rest,
            Self::ApexRestApi => Channel::ApexRest,
            Self::Api => Channel::Soap,
            Self::BulkApi | Self::BulkApi2 | Self::BulkApiRequest => Channel::Bulk,
            Self::Report => Channel::Report,
            Self::ReportExport => Channel::ReportExport,
            Self::ContentTransfer => Channel::File,
            Self::Login => Channel::Login,
            Self::ApiTotalUsage => Channel::ApiUsage,
            Self::UniqueQuery => Channel::Query,
            Self::Uri => Channel::Ui,
        }
    }
}
