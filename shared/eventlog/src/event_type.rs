//! The kinds of event that are read.

use serde::{Deserialize, Serialize};

use crate::row::Channel;

/// Names of types that tell of no access, one a line: speed, errors of pages and code, limits, telemetry.
static IRRELEVANT_TYPES: &str = include_str!("../data/irrelevant_types.txt");

/// Whether this is a type of which it is known that it tells of no access to data. Its rows are not read, and nothing
/// is missed by that.
///
/// ```
/// assert!(eventlog::event_type::is_known_irrelevant("LightningPerformance"));
/// assert!(!eventlog::event_type::is_known_irrelevant("RestApi"));
/// assert!(!eventlog::event_type::is_known_irrelevant("NeverHeardOf"));
/// ```
pub fn is_known_irrelevant(name: &str) -> bool {
    IRRELEVANT_TYPES.lines().any(|known| known == name)
}

/// The name of a real-time event without what tells its streamed and its stored form apart: `ApiEvent` of
/// `ApiEventStream`, `ReportAnomalyEvent` of `ReportAnomalyEventStore`.
pub(crate) fn without_form(name: &str) -> &str {
    ["Stream", "Store"]
        .iter()
        .find_map(|form| name.strip_suffix(form).filter(|event| event.ends_with("Event")))
        .unwrap_or(name)
}

/// Who tells of an access. Several may tell of the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Witness {
    /// An Event Log File, hours later.
    EventLogFile,
    /// A real-time event.
    RealTime,
    /// A gateway that the call went through.
    Gateway,
}

/// `EVENT_TYPE` of an Event Log File, the name of a real-time event, both as Salesforce spells them, or the log of a
/// gateway. The streamed and the stored form of a real-time event are the same event.
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
    ApexSoap,
    CompositeApi,
    CompositeApiSubrequest,
    MetadataApiOperation,
    AsyncReportRun,
    MultiBlockReport,
    Dashboard,
    WaveDownload,
    WaveInteraction,
    WaveChange,
    ContentDocumentLink,
    ContentDistribution,
    DocumentAttachmentDownloads,
    Attachment,
    Search,
    SearchClick,
    KnowledgeArticleView,
    LightningPageView,
    AuraRequest,
    VisualforceRequest,
    Console,
    Sites,
    LoginAs,
    Logout,
    ApexCallout,
    ContinuationCalloutSummary,
    NamedCredential,
    ExternalCrossOrgCallout,
    ExternalCustomApexCallout,
    ExternalDataSourceCallout,
    ExternalODataCallout,
    InvocableAction,
    FlowExecution,
    DatabaseSave,
    PermissionUpdate,
    GroupMembership,
    Sandbox,
    PlatformEncryption,
    PackageInstall,
    ChangeSetOperation,
    InsufficientAccess,
    TransactionSecurity,
    UiAgentInteractionEventLog,
    ApiEvent,
    BulkApiResultEvent,
    ReportEvent,
    ListViewEvent,
    FileEvent,
    LoginEvent,
    LogoutEvent,
    LoginAsEvent,
    PermissionSetEvent,
    LightningUriEvent,
    UriEvent,
    IdentityVerificationEvent,
    ApiAnomalyEvent,
    ReportAnomalyEvent,
    SessionHijackingEvent,
    CredentialStuffingEvent,
    GuestUserAnomalyEvent,
    LoginAnomalyEvent,
    UniversalAnomalyEvent,
    GatewayAccess,
    OcsfApiActivity,
}

impl EventType {
    /// Every type that yields access rows.
    pub const ALL: [Self; 77] = [
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
        Self::ApexSoap,
        Self::CompositeApi,
        Self::CompositeApiSubrequest,
        Self::MetadataApiOperation,
        Self::AsyncReportRun,
        Self::MultiBlockReport,
        Self::Dashboard,
        Self::WaveDownload,
        Self::WaveInteraction,
        Self::WaveChange,
        Self::ContentDocumentLink,
        Self::ContentDistribution,
        Self::DocumentAttachmentDownloads,
        Self::Attachment,
        Self::Search,
        Self::SearchClick,
        Self::KnowledgeArticleView,
        Self::LightningPageView,
        Self::AuraRequest,
        Self::VisualforceRequest,
        Self::Console,
        Self::Sites,
        Self::LoginAs,
        Self::Logout,
        Self::ApexCallout,
        Self::ContinuationCalloutSummary,
        Self::NamedCredential,
        Self::ExternalCrossOrgCallout,
        Self::ExternalCustomApexCallout,
        Self::ExternalDataSourceCallout,
        Self::ExternalODataCallout,
        Self::InvocableAction,
        Self::FlowExecution,
        Self::DatabaseSave,
        Self::PermissionUpdate,
        Self::GroupMembership,
        Self::Sandbox,
        Self::PlatformEncryption,
        Self::PackageInstall,
        Self::ChangeSetOperation,
        Self::InsufficientAccess,
        Self::TransactionSecurity,
        Self::UiAgentInteractionEventLog,
        Self::ApiEvent,
        Self::BulkApiResultEvent,
        Self::ReportEvent,
        Self::ListViewEvent,
        Self::FileEvent,
        Self::LoginEvent,
        Self::LogoutEvent,
        Self::LoginAsEvent,
        Self::PermissionSetEvent,
        Self::LightningUriEvent,
        Self::UriEvent,
        Self::IdentityVerificationEvent,
        Self::ApiAnomalyEvent,
        Self::ReportAnomalyEvent,
        Self::SessionHijackingEvent,
        Self::CredentialStuffingEvent,
        Self::GuestUserAnomalyEvent,
        Self::LoginAnomalyEvent,
        Self::UniversalAnomalyEvent,
        Self::GatewayAccess,
        Self::OcsfApiActivity,
    ];

    /// The name in `EVENT_TYPE`, or of the event.
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
            Self::ApexSoap => "ApexSoap",
            Self::CompositeApi => "CompositeApi",
            Self::CompositeApiSubrequest => "CompositeApiSubrequest",
            Self::MetadataApiOperation => "MetadataApiOperation",
            Self::AsyncReportRun => "AsyncReportRun",
            Self::MultiBlockReport => "MultiBlockReport",
            Self::Dashboard => "Dashboard",
            Self::WaveDownload => "WaveDownload",
            Self::WaveInteraction => "WaveInteraction",
            Self::WaveChange => "WaveChange",
            Self::ContentDocumentLink => "ContentDocumentLink",
            Self::ContentDistribution => "ContentDistribution",
            Self::DocumentAttachmentDownloads => "DocumentAttachmentDownloads",
            Self::Attachment => "Attachment",
            Self::Search => "Search",
            Self::SearchClick => "SearchClick",
            Self::KnowledgeArticleView => "KnowledgeArticleView",
            Self::LightningPageView => "LightningPageView",
            Self::AuraRequest => "AuraRequest",
            Self::VisualforceRequest => "VisualforceRequest",
            Self::Console => "Console",
            Self::Sites => "Sites",
            Self::LoginAs => "LoginAs",
            Self::Logout => "Logout",
            Self::ApexCallout => "ApexCallout",
            Self::ContinuationCalloutSummary => "ContinuationCalloutSummary",
            Self::NamedCredential => "NamedCredential",
            Self::ExternalCrossOrgCallout => "ExternalCrossOrgCallout",
            Self::ExternalCustomApexCallout => "ExternalCustomApexCallout",
            Self::ExternalDataSourceCallout => "ExternalDataSourceCallout",
            Self::ExternalODataCallout => "ExternalODataCallout",
            Self::InvocableAction => "InvocableAction",
            Self::FlowExecution => "FlowExecution",
            Self::DatabaseSave => "DatabaseSave",
            Self::PermissionUpdate => "PermissionUpdate",
            Self::GroupMembership => "GroupMembership",
            Self::Sandbox => "Sandbox",
            Self::PlatformEncryption => "PlatformEncryption",
            Self::PackageInstall => "PackageInstall",
            Self::ChangeSetOperation => "ChangeSetOperation",
            Self::InsufficientAccess => "InsufficientAccess",
            Self::TransactionSecurity => "TransactionSecurity",
            Self::UiAgentInteractionEventLog => "UiAgentInteractionEventLog",
            Self::ApiEvent => "ApiEvent",
            Self::BulkApiResultEvent => "BulkApiResultEvent",
            Self::ReportEvent => "ReportEvent",
            Self::ListViewEvent => "ListViewEvent",
            Self::FileEvent => "FileEvent",
            Self::LoginEvent => "LoginEvent",
            Self::LogoutEvent => "LogoutEvent",
            Self::LoginAsEvent => "LoginAsEvent",
            Self::PermissionSetEvent => "PermissionSetEvent",
            Self::LightningUriEvent => "LightningUriEvent",
            Self::UriEvent => "UriEvent",
            Self::IdentityVerificationEvent => "IdentityVerificationEvent",
            Self::ApiAnomalyEvent => "ApiAnomalyEvent",
            Self::ReportAnomalyEvent => "ReportAnomalyEvent",
            Self::SessionHijackingEvent => "SessionHijackingEvent",
            Self::CredentialStuffingEvent => "CredentialStuffingEvent",
            Self::GuestUserAnomalyEvent => "GuestUserAnomalyEvent",
            Self::LoginAnomalyEvent => "LoginAnomalyEvent",
            Self::UniversalAnomalyEvent => "UniversalAnomalyEvent",
            Self::GatewayAccess => "GatewayAccess",
            Self::OcsfApiActivity => "OcsfApiActivity",
        }
    }

    /// The type of that name; `None` for one that is not read yet.
    pub fn from_name(name: &str) -> Option<Self> {
        // The object that can be queried has the longer name, its file the shorter.
        let name = if name == "UiAgentInteraction" { "UiAgentInteractionEventLog" } else { name };
        let name = without_form(name);
        Self::ALL.into_iter().find(|event_type| event_type.name() == name)
    }

    /// Who tells of the access.
    pub const fn witness(self) -> Witness {
        match self {
            Self::ApiEvent
            | Self::BulkApiResultEvent
            | Self::ReportEvent
            | Self::ListViewEvent
            | Self::FileEvent
            | Self::LoginEvent
            | Self::LogoutEvent
            | Self::LoginAsEvent
            | Self::PermissionSetEvent
            | Self::LightningUriEvent
            | Self::UriEvent
            | Self::IdentityVerificationEvent
            | Self::ApiAnomalyEvent
            | Self::ReportAnomalyEvent
            | Self::SessionHijackingEvent
            | Self::CredentialStuffingEvent
            | Self::GuestUserAnomalyEvent
            | Self::LoginAnomalyEvent
            | Self::UniversalAnomalyEvent => Witness::RealTime,
            Self::GatewayAccess | Self::OcsfApiActivity => Witness::Gateway,
            _ => Witness::EventLogFile,
        }
    }

    /// Whether rows of this type tell of unusual behaviour, with a score.
    pub const fn is_anomaly(self) -> bool {
        matches!(
            self,
            Self::ApiAnomalyEvent
                | Self::ReportAnomalyEvent
                | Self::SessionHijackingEvent
                | Self::CredentialStuffingEvent
                | Self::GuestUserAnomalyEvent
                | Self::LoginAnomalyEvent
                | Self::UniversalAnomalyEvent
        )
    }

    /// Whether the records of an access are counted by rows of this type.
    ///
    /// The others are echoes: they repeat, from another side, what rows of a counting type count, or they tell of
    /// something that has no records. The absence of a count in them must not be taken for an uncounted read, and
    /// a number that they have is not added up.
    ///
    /// - `ApiTotalUsage`, `UniqueQuery`, `BulkApiRequest`: calls that `RestApi`, `API`, `BulkApi` or `BulkApi2` count.
    /// - `CompositeApi` and `CompositeApiSubrequest`: a composite call has one row in `RestApi`, with the rows of all
    ///   its parts. The parts tell what was asked for, and no number.
    /// - `Dashboard`: each of its components shows a report whose run has a row in `Report` or `AsyncReportRun`.
    /// - `AuraRequest`, `Console`, `Sites`, `SearchClick`: steps towards a page or a record that is counted when it is
    ///   shown or called.
    /// - `WaveInteraction` and `WaveChange`: a way through dashboards, without what they show.
    /// - `Attachment`: what became of an attachment; the call counts it, and `DocumentAttachmentDownloads` a download.
    /// - `DatabaseSave`: a sample of all saves, those of API calls among them, which are counted there in full.
    /// - The callouts: an external object that is queried is counted by the query, and a plain callout tells bytes.
    /// - `InvocableAction` and `FlowExecution`: what they do to records has rows of its own.
    /// - `UiAgentInteractionEventLog`: a person's side of a conversation.
    /// - `InsufficientAccess` and `TransactionSecurity`: nothing came back, or the access has its own row.
    /// - Anomalies: the accesses that make them up have rows of their own.
    /// - Logins, and administration: they change who may do what, and hold nobody's records.
    ///
    /// `AsyncReportRun` does count: it has the runs in the background (schedules, refreshed dashboards, snapshots),
    /// and `Report` those that a user started.
    pub const fn counts_records(self) -> bool {
        match self {
            Self::RestApi
            | Self::ApexRestApi
            | Self::Api
            | Self::BulkApi
            | Self::BulkApi2
            | Self::Report
            | Self::ReportExport
            | Self::ContentTransfer
            | Self::Uri
            | Self::ApexSoap
            | Self::AsyncReportRun
            | Self::MultiBlockReport
            | Self::WaveDownload
            | Self::ContentDocumentLink
            | Self::ContentDistribution
            | Self::DocumentAttachmentDownloads
            | Self::Search
            | Self::KnowledgeArticleView
            | Self::LightningPageView
            | Self::VisualforceRequest
            | Self::ApiEvent
            | Self::BulkApiResultEvent
            | Self::ReportEvent
            | Self::ListViewEvent
            | Self::FileEvent
            | Self::LightningUriEvent
            | Self::UriEvent
            | Self::GatewayAccess
            | Self::OcsfApiActivity => true,
            Self::ApiTotalUsage
            | Self::UniqueQuery
            | Self::BulkApiRequest
            | Self::Login
            | Self::CompositeApi
            | Self::CompositeApiSubrequest
            | Self::MetadataApiOperation
            | Self::Dashboard
            | Self::WaveInteraction
            | Self::WaveChange
            | Self::Attachment
            | Self::SearchClick
            | Self::AuraRequest
            | Self::Console
            | Self::Sites
            | Self::LoginAs
            | Self::Logout
            | Self::ApexCallout
            | Self::ContinuationCalloutSummary
            | Self::NamedCredential
            | Self::ExternalCrossOrgCallout
            | Self::ExternalCustomApexCallout
            | Self::ExternalDataSourceCallout
            | Self::ExternalODataCallout
            | Self::InvocableAction
            | Self::FlowExecution
            | Self::DatabaseSave
            | Self::PermissionUpdate
            | Self::GroupMembership
            | Self::Sandbox
            | Self::PlatformEncryption
            | Self::PackageInstall
            | Self::ChangeSetOperation
            | Self::InsufficientAccess
            | Self::TransactionSecurity
            | Self::UiAgentInteractionEventLog
            | Self::LoginEvent
            | Self::LogoutEvent
            | Self::LoginAsEvent
            | Self::PermissionSetEvent
            | Self::IdentityVerificationEvent
            | Self::ApiAnomalyEvent
            | Self::ReportAnomalyEvent
            | Self::SessionHijackingEvent
            | Self::CredentialStuffingEvent
            | Self::GuestUserAnomalyEvent
            | Self::LoginAnomalyEvent
            | Self::UniversalAnomalyEvent => false,
        }
    }

    /// The door that rows of this type came through.
    pub const fn channel(self) -> Channel {
        match self {
            Self::RestApi
            | Self::CompositeApi
            | Self::CompositeApiSubrequest
            | Self::ApiEvent
            | Self::GatewayAccess
            | Self::OcsfApiActivity => Channel::Rest,
            Self::ApexRestApi => Channel::ApexRest,
            Self::Api | Self::ApexSoap => Channel::Soap,
            Self::BulkApi | Self::BulkApi2 | Self::BulkApiRequest | Self::BulkApiResultEvent => {
                Channel::Bulk
            }
            Self::Report
            | Self::AsyncReportRun
            | Self::MultiBlockReport
            | Self::Dashboard
            | Self::ReportEvent => Channel::Report,
            Self::ReportExport => Channel::ReportExport,
            Self::ContentTransfer
            | Self::ContentDocumentLink
            | Self::ContentDistribution
            | Self::DocumentAttachmentDownloads
            | Self::Attachment
            | Self::FileEvent => Channel::File,
            Self::Login
            | Self::LoginAs
            | Self::Logout
            | Self::LoginEvent
            | Self::LogoutEvent
            | Self::LoginAsEvent
            | Self::IdentityVerificationEvent => Channel::Login,
            Self::ApiTotalUsage => Channel::ApiUsage,
            Self::UniqueQuery => Channel::Query,
            Self::Uri
            | Self::KnowledgeArticleView
            | Self::LightningPageView
            | Self::AuraRequest
            | Self::VisualforceRequest
            | Self::Console
            | Self::Sites
            | Self::ListViewEvent
            | Self::LightningUriEvent
            | Self::UriEvent => Channel::Ui,
            Self::UiAgentInteractionEventLog => Channel::Agent,
            Self::InsufficientAccess
            | Self::TransactionSecurity
            | Self::ApiAnomalyEvent
            | Self::ReportAnomalyEvent
            | Self::SessionHijackingEvent
            | Self::CredentialStuffingEvent
            | Self::GuestUserAnomalyEvent
            | Self::LoginAnomalyEvent
            | Self::UniversalAnomalyEvent => Channel::Guard,
            Self::DatabaseSave => Channel::Database,
            Self::InvocableAction | Self::FlowExecution => Channel::Automation,
            Self::ApexCallout
            | Self::ContinuationCalloutSummary
            | Self::NamedCredential
            | Self::ExternalCrossOrgCallout
            | Self::ExternalCustomApexCallout
            | Self::ExternalDataSourceCallout
            | Self::ExternalODataCallout => Channel::Callout,
            Self::Search | Self::SearchClick => Channel::Search,
            Self::WaveDownload | Self::WaveInteraction | Self::WaveChange => Channel::Analytics,
            Self::MetadataApiOperation
            | Self::PermissionUpdate
            | Self::GroupMembership
            | Self::Sandbox
            | Self::PlatformEncryption
            | Self::PackageInstall
            | Self::ChangeSetOperation
            | Self::PermissionSetEvent => Channel::Administration,
        }
    }
}
