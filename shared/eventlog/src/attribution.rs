//! Which agent made a row, how we know, and how sure that is.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    event_type::EventType,
    joins::{JoinKind, Joined},
    row::{AccessRow, Channel, Identity},
};

/// Names an agent: its registered name, or for one that nobody registered what identifies it, as
/// `unregistered:app:0H4000000000001`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AgentKey(pub String);

impl AgentKey {
    /// What the key of an unregistered agent starts with.
    pub const UNREGISTERED: &str = "unregistered:";

    /// Whether the registry knows this agent.
    pub fn is_registered(&self) -> bool {
        !self.0.starts_with(Self::UNREGISTERED)
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What in the row named the agent, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributedBy {
    /// Salesforce itself marked the row as an agent's.
    Bot,
    /// The planner of an agent.
    Planner,
    /// The connected app.
    ConnectedApp,
    /// The user that the agent runs as.
    User,
    /// Salesforce's own category of the caller.
    ClientCategory,
    /// The client's name, which the caller chooses.
    ClientName,
    /// The user agent, which the caller chooses.
    UserAgent,
}

impl AttributedBy {
    /// The surest is 1.
    pub(crate) const fn rank(self) -> u8 {
        match self {
            Self::Bot => 1,
            Self::Planner => 2,
            Self::ConnectedApp => 3,
            Self::User => 4,
            Self::ClientCategory => 5,
            Self::ClientName => 6,
            Self::UserAgent => 7,
        }
    }
}

/// An identity of a registered agent. Ids may be given with 15 or 18 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RegisteredIdentity {
    /// The agent that it belongs to.
    pub agent: AgentKey,
    /// Which column it is compared with.
    pub kind: AttributedBy,
    /// The value. Ids are compared whole and with regard to letter case, names without; a client name
    /// or a user agent also matches up to a `/` or a space, see [`AgentDirectory`].
    pub value: String,
    /// The purpose that this identity is used for, where the agent has one identity for each.
    pub purpose: Option<String>,
}

/// Who made a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribution {
    /// An agent.
    Agent {
        /// Which one.
        agent: AgentKey,
        /// The purpose that the identity itself declares.
        purpose: Option<String>,
        /// How we know.
        by: AttributedBy,
        /// Over which key, where the mark is in another row.
        joined_by: Option<JoinKind>,
    },
    /// A person, or the platform itself.
    NotAnAgent,
}

impl Attribution {
    /// Whether an agent made the row.
    pub fn is_agent(&self) -> bool {
        matches!(self, Self::Agent { .. })
    }

    fn unregistered(kind: &str, name: &str, by: AttributedBy) -> Self {
        let agent = AgentKey(format!("{}{kind}:{name}", AgentKey::UNREGISTERED));
        Self::Agent { agent, purpose: None, by, joined_by: None }
    }
}

/// What a row says of its caller, borrowed: most rows are people's, and cost no allocation.
/// Columns that are absent are empty. Ids may have 15 or 18 characters.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Caller<'a> {
    pub(crate) user_id: &'a str,
    pub(crate) connected_app_id: &'a str,
    pub(crate) connected_app_name: &'a str,
    pub(crate) client_name: &'a str,
    pub(crate) bot_id: &'a str,
    pub(crate) planner_id: &'a str,
    pub(crate) user_agent: &'a str,
    pub(crate) client_category: &'a str,
}

impl<'a> From<&'a Identity> for Caller<'a> {
    fn from(identity: &'a Identity) -> Self {
        fn text(value: Option<&String>) -> &str {
            value.map_or("", String::as_str)
        }
        Self {
            user_id: text(identity.user_id.as_ref()),
            connected_app_id: text(identity.connected_app_id.as_ref()),
            connected_app_name: text(identity.connected_app_name.as_ref()),
            client_name: text(identity.client_name.as_ref()),
            bot_id: text(identity.bot_id.as_ref()),
            planner_id: text(identity.planner_id.as_ref()),
            user_agent: text(identity.user_agent.as_ref()),
            client_category: text(identity.client_category.as_ref()),
        }
    }
}

type Registration = (AgentKey, Option<String>);

/// Looks agents up by what a row says of its caller.
///
/// Registered agents first, by the surest mark: bot, planner, connected app (by id, then by name), user,
/// Salesforce's category of the caller, client name, user agent. A registered client name or user agent
/// matches the whole text or its beginning up to a `/` or a space: `acme-sync` matches
/// `Acme-Sync/2.1 (linux)`, and `acme-sync/2.1` only that version. A bot or a planner that nobody
/// registered outranks the last three: Salesforce wrote the one, the caller chose the others.
///
/// Then agents that nobody registered, each named by what identifies it:
/// - a bot or a planner: `unregistered:bot:0Xx…`, `unregistered:planner:…`
/// - a connected app that calls an API and is not one that people use: `unregistered:app:0H4…`
/// - a caller in Salesforce's category of agents, or of its hosted MCP servers: `unregistered:mcp:005…`,
///   named by the user
/// - a client that names itself as a program does (`python-requests`, `curl` …) and has no connected app:
///   `unregistered:client:python-requests`
///
/// Everything else is people and the platform itself, unless another row says more ([`crate::joins`]).
#[derive(Clone, Debug, Default)]
pub struct AgentDirectory {
    by_value: BTreeMap<AttributedBy, BTreeMap<String, Registration>>,
    people_applications: BTreeSet<String>,
}

/// What programs call themselves, in lower case, and the name under which we know them. The longest
/// come first where one contains another.
const AUTOMATION_CLIENTS: [(&str, &str); 21] = [
    ("multi-org-fetcher", "multi-org-fetcher"),
    ("python-requests", "python-requests"),
    ("aiohttp", "aiohttp"),
    ("python-httpx", "python-httpx"),
    ("python-urllib", "python-urllib"),
    ("go-http-client", "go-http-client"),
    ("simple-salesforce", "simple-salesforce"),
    ("jsforce", "jsforce"),
    ("mulesoft", "mulesoft"),
    ("axios", "axios"),
    ("salesforce-cli", "salesforce-cli"),
    ("sfdx", "salesforce-cli"),
    ("curl/", "curl"),
    ("java/", "java"),
    ("okhttp", "okhttp"),
    ("node-fetch", "node-fetch"),
    ("apache-httpclient", "apache-httpclient"),
    ("libwww-perl", "libwww-perl"),
    ("wget/", "wget"),
    ("postmanruntime", "postmanruntime"),
    ("restsharp", "restsharp"),
];

/// How much of a client name or a user agent is looked at.
const MAX_CALLER_TEXT_BYTES: usize = 512;

/// Longest name of an unregistered client that is kept.
const MAX_CLIENT_NAME_CHARACTERS: usize = 40;

impl AgentDirectory {
    /// A directory of registered identities and of the connected apps (ids or names) that people use.
    /// Where two identities are equal, the first one counts.
    pub fn new(
        identities: impl IntoIterator<Item = RegisteredIdentity>,
        people_applications: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let mut by_value: BTreeMap<AttributedBy, BTreeMap<String, Registration>> = BTreeMap::new();
        for identity in identities {
            let value = normalised(identity.kind, &identity.value);
            if !value.is_empty() {
                by_value
                    .entry(identity.kind)
                    .or_default()
                    .entry(value)
                    .or_insert((identity.agent, identity.purpose));
            }
        }
        let people_applications = people_applications
            .into_iter()
            .map(|application| normalised(AttributedBy::ConnectedApp, &application.into()))
            .collect();
        Self { by_value, people_applications }
    }

    /// Who made a row of this type with this identity. A pure function of both and the directory, so
    /// that rows that were kept can be attributed again when the registry has changed.
    pub fn attribute(&self, event_type: EventType, identity: &Identity) -> Attribution {
        self.attribute_caller(event_type, &Caller::from(identity))
    }

    /// Who made a row that was kept: by what it says itself, and else by the row that it was joined to.
    pub fn attribute_row(&self, row: &AccessRow) -> Attribution {
        let own = self.attribute(row.event_type, &row.identity);
        match &row.joined {
            Some(joined) if !own.is_agent() => self.attribute_joined(joined),
            _ => own,
        }
    }

    pub(crate) fn attribute_joined(&self, joined: &Joined) -> Attribution {
        let caller = &joined.caller;
        match self.attribute(caller.event_type, &caller.identity) {
            Attribution::Agent { agent, purpose, by, .. } => {
                Attribution::Agent { agent, purpose, by, joined_by: Some(joined.by) }
            }
            Attribution::NotAnAgent => Attribution::NotAnAgent,
        }
    }

    pub(crate) fn attribute_caller(
        &self,
        event_type: EventType,
        caller: &Caller<'_>,
    ) -> Attribution {
        self.by_issued_mark(caller)
            .or_else(|| unregistered_bot(caller))
            // Before what the caller chooses: a name that anybody can give himself must not hide an app that
            // nobody registered.
            .or_else(|| self.unregistered_app(event_type, caller))
            .or_else(|| self.by_chosen_mark(caller))
            .or_else(|| unregistered_caller(caller))
            .unwrap_or(Attribution::NotAnAgent)
    }

    fn registered(&self, by: AttributedBy, value: &str) -> Option<Attribution> {
        if value.is_empty() {
            return None;
        }
        let (agent, purpose) = self.by_value.get(&by)?.get(value)?;
        Some(Attribution::Agent {
            agent: agent.clone(),
            purpose: purpose.clone(),
            by,
            joined_by: None,
        })
    }

    /// By marks that Salesforce writes and the caller cannot choose.
    fn by_issued_mark(&self, caller: &Caller<'_>) -> Option<Attribution> {
        self.registered(AttributedBy::Bot, cut_id(caller.bot_id))
            .or_else(|| self.registered(AttributedBy::Planner, cut_id(caller.planner_id)))
            .or_else(|| {
                self.registered(AttributedBy::ConnectedApp, cut_id(caller.connected_app_id))
            })
            .or_else(|| self.registered_name(AttributedBy::ConnectedApp, caller.connected_app_name))
            .or_else(|| self.registered(AttributedBy::User, cut_id(caller.user_id)))
    }

    fn by_chosen_mark(&self, caller: &Caller<'_>) -> Option<Attribution> {
        self.registered_name(AttributedBy::ClientCategory, caller.client_category)
            .or_else(|| self.registered_client(AttributedBy::ClientName, caller.client_name))
            .or_else(|| self.registered_client(AttributedBy::UserAgent, caller.user_agent))
    }

    fn registered_name(&self, by: AttributedBy, name: &str) -> Option<Attribution> {
        if name.is_empty() || !self.by_value.contains_key(&by) {
            return None;
        }
        self.registered(by, &name.to_lowercase())
    }

    /// A registered client or user agent matches the whole text, or its beginning up to a `/` or a
    /// space, the longest first: `acme-sync` matches `Acme-Sync/2.1 (linux)`, and `acme-sync/2.1` only
    /// that version.
    fn registered_client(&self, by: AttributedBy, text: &str) -> Option<Attribution> {
        if text.is_empty() || !self.by_value.contains_key(&by) {
            return None;
        }
        let lower = cut_text(text).to_lowercase();
        self.registered(by, &lower).or_else(|| {
            lower
                .rmatch_indices(['/', ' '])
                .filter_map(|(end, _)| lower.get(..end))
                .find_map(|beginning| self.registered(by, beginning))
        })
    }

    fn unregistered_app(&self, event_type: EventType, caller: &Caller<'_>) -> Option<Attribution> {
        if !has_app(caller) || !calls_an_api(event_type) || self.is_peoples_application(caller) {
            return None;
        }
        let app = cut_id(caller.connected_app_id);
        let name = if app.is_empty() { client_key(caller.connected_app_name) } else { id_key(app) };
        Some(Attribution::unregistered("app", &name, AttributedBy::ConnectedApp))
    }

    fn is_peoples_application(&self, caller: &Caller<'_>) -> bool {
        let id = cut_id(caller.connected_app_id);
        (!id.is_empty() && self.people_applications.contains(id))
            || (!caller.connected_app_name.is_empty()
                && self.people_applications.contains(&caller.connected_app_name.to_lowercase()))
    }
}

pub(crate) fn has_app(caller: &Caller<'_>) -> bool {
    !caller.connected_app_id.is_empty() || !caller.connected_app_name.is_empty()
}

fn unregistered_caller(caller: &Caller<'_>) -> Option<Attribution> {
    if matches!(caller.client_category, "AGENTFORCE_AGENT" | "SALESFORCE_HOSTED_MCP") {
        let user = id_key(cut_id(caller.user_id));
        return Some(Attribution::unregistered("mcp", &user, AttributedBy::ClientCategory));
    }
    if has_app(caller) {
        return None;
    }
    automation_client(caller.client_name)
        .map(|name| (name, AttributedBy::ClientName))
        .or_else(|| {
            automation_client(caller.user_agent).map(|name| (name, AttributedBy::UserAgent))
        })
        .map(|(name, by)| Attribution::unregistered("client", &name, by))
}

fn unregistered_bot(caller: &Caller<'_>) -> Option<Attribution> {
    if !caller.bot_id.is_empty() {
        let name = id_key(cut_id(caller.bot_id));
        return Some(Attribution::unregistered("bot", &name, AttributedBy::Bot));
    }
    (!caller.planner_id.is_empty()).then(|| {
        let name = id_key(cut_id(caller.planner_id));
        Attribution::unregistered("planner", &name, AttributedBy::Planner)
    })
}

fn calls_an_api(event_type: EventType) -> bool {
    matches!(
        event_type.channel(),
        Channel::Rest | Channel::ApexRest | Channel::Soap | Channel::Bulk | Channel::ApiUsage
    ) || event_type == EventType::MetadataApiOperation
}

/// A registered value as it is compared: ids cut to 15 characters, all else in lower case.
fn normalised(kind: AttributedBy, value: &str) -> String {
    let value = value.trim();
    let is_id = matches!(kind, AttributedBy::Bot | AttributedBy::Planner | AttributedBy::User)
        || (kind == AttributedBy::ConnectedApp && looks_like_app_id(value));
    if is_id { cut_id(value).to_owned() } else { value.to_lowercase() }
}

/// The id of a connected app (0H4) or of its consumer (888), which are case-sensitive; an app may also be
/// registered by its name, which is not.
fn looks_like_app_id(value: &str) -> bool {
    matches!(value.len(), 15 | 18)
        && (value.starts_with("0H4") || value.starts_with("888"))
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn cut_id(id: &str) -> &str {
    id.get(..15).unwrap_or(id)
}

fn cut_text(text: &str) -> &str {
    let mut end = text.len().min(MAX_CALLER_TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}

/// An id as part of an agent's key: letters and digits only.
fn id_key(id: &str) -> String {
    let key: String = id.chars().filter(char::is_ascii_alphanumeric).collect();
    if key.is_empty() { "unknown".to_owned() } else { key }
}

/// A name as part of an agent's key: lower case, version dropped, only `a-z 0-9 . _ -`.
fn client_key(name: &str) -> String {
    let lower = cut_text(name).to_lowercase();
    let without_version = lower.split('/').next().unwrap_or_default().trim();
    let key: String = without_version
        .chars()
        .map(|character| if character == ' ' { '-' } else { character })
        .filter(|character| {
            character.is_ascii_lowercase()
                || character.is_ascii_digit()
                || matches!(character, '.' | '_' | '-')
        })
        .take(MAX_CLIENT_NAME_CHARACTERS)
        .collect();
    if key.is_empty() { "unknown".to_owned() } else { key }
}

/// The program behind a client name or a user agent, if it is one.
///
/// A name of one word (`Acme-Multi-Org-Fetcher/1.0`) is kept; in a longer one
/// (`Python/3.11 aiohttp/3.12`) the known part names it.
fn automation_client(text: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    let lower = cut_text(text).to_ascii_lowercase();
    let (_, known) = AUTOMATION_CLIENTS.iter().find(|(mark, _)| {
        lower.match_indices(mark).any(|(start, _)| {
            // `java/` must not be found inside another word.
            !mark.ends_with('/')
                || start == 0
                || lower.as_bytes().get(start.wrapping_sub(1)).is_some_and(|byte| *byte == b' ')
        })
    })?;
    let first_word = lower.split([' ', '/']).next().unwrap_or_default();
    Some(if first_word.contains(known) { client_key(first_word) } else { (*known).to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: &str = "0H45g0000006mTq";
    const BOT: &str = "0Xx5g0000008aBc";
    const USER: &str = "0055g00000Bot01";

    fn directory() -> AgentDirectory {
        let identity = |agent: &str, kind, value: &str, purpose: Option<&str>| RegisteredIdentity {
            agent: AgentKey(agent.to_owned()),
            kind,
            value: value.to_owned(),
            purpose: purpose.map(str::to_owned),
        };
        AgentDirectory::new(
            [
                identity("by-bot", AttributedBy::Bot, &format!("{BOT}AAA"), Some("support")),
                identity("by-app", AttributedBy::ConnectedApp, APP, None),
                identity("by-app-name", AttributedBy::ConnectedApp, "Acme Sync", None),
                identity("by-user", AttributedBy::User, USER, None),
                identity("by-client", AttributedBy::ClientName, "meeting-scheduler/2.1", None),
                identity("by-client-any", AttributedBy::ClientName, "Acme-Loader", None),
                identity("by-agent", AttributedBy::UserAgent, "AcmeBot", None),
            ],
            ["Salesforce Mobile", "0H45g000000PPLEAAA"],
        )
    }

    fn attribute(event_type: EventType, caller: Caller<'_>) -> (String, Option<AttributedBy>) {
        match directory().attribute_caller(event_type, &caller) {
            Attribution::Agent { agent, by, .. } => (agent.0, Some(by)),
            Attribution::NotAnAgent => ("nobody".to_owned(), None),
        }
    }

    fn rest(caller: Caller<'_>) -> String {
        attribute(EventType::RestApi, caller).0
    }

    #[test]
    fn the_surest_mark_wins() {
        let mut caller = Caller {
            bot_id: "0Xx5g0000008aBcAAA",
            connected_app_id: APP,
            user_id: USER,
            client_name: "meeting-scheduler/2.1",
            ..Caller::default()
        };
        assert_eq!(rest(caller), "by-bot");
        caller.bot_id = "";
        assert_eq!(rest(caller), "by-app");
        caller.connected_app_id = "";
        assert_eq!(rest(caller), "by-user");
        caller.user_id = "";
        assert_eq!(rest(caller), "by-client");
    }

    #[test]
    fn an_app_that_nobody_registered_cannot_hide_behind_a_registered_name() {
        let mut caller = Caller {
            connected_app_id: "0H4000000000666",
            client_name: "meeting-scheduler/2.1",
            ..Caller::default()
        };
        assert_eq!(rest(caller), "unregistered:app:0H4000000000666");
        caller.connected_app_id = "0H45g000000PPLEAAA";
        assert_eq!(rest(caller), "by-client");
    }

    #[test]
    fn an_identitys_purpose_comes_with_it() {
        let identity = Identity { bot_id: Some(BOT.to_owned()), ..Identity::default() };
        assert_eq!(
            directory().attribute(EventType::UniqueQuery, &identity),
            Attribution::Agent {
                agent: AgentKey("by-bot".to_owned()),
                purpose: Some("support".to_owned()),
                by: AttributedBy::Bot,
                joined_by: None,
            }
        );
    }

    #[test]
    fn ids_are_compared_case_sensitively_and_names_are_not() {
        let lower = APP.to_lowercase();
        let unknown = Caller { connected_app_id: &lower, ..Caller::default() };
        assert_eq!(rest(unknown), format!("unregistered:app:{lower}"));
        let named = Caller {
            connected_app_id: "0H45g000000ZZZZ",
            connected_app_name: "ACME SYNC",
            ..Caller::default()
        };
        assert_eq!(rest(named), "by-app-name");
    }

    #[test]
    fn a_registered_client_matches_whole_or_up_to_a_slash_or_a_space() {
        let client = |client_name| rest(Caller { client_name, ..Caller::default() });
        assert_eq!(client("Meeting-Scheduler/2.1"), "by-client");
        assert_eq!(client("meeting-scheduler/2.1 (linux)"), "by-client");
        assert_eq!(client("meeting-scheduler/2.10"), "nobody");
        assert_eq!(client("acme-loader"), "by-client-any");
        assert_eq!(client("acme-loader/9 x/1"), "by-client-any");
        assert_eq!(client("acme-loader-fake/9"), "nobody");
        let agent =
            Caller { user_agent: "AcmeBot/1.0 (+https://acme.example)", ..Caller::default() };
        assert_eq!(attribute(EventType::Login, agent).0, "by-agent");
    }

    #[test]
    fn agents_that_nobody_registered_are_named_by_what_identifies_them() {
        let bot =
            Caller { bot_id: "0Xx5g000000NEWW", client_name: "acme-loader", ..Caller::default() };
        assert_eq!(rest(bot), "unregistered:bot:0Xx5g000000NEWW");
        let app = Caller { connected_app_id: "0H45g000000NEWWAAA", ..Caller::default() };
        assert_eq!(rest(app), "unregistered:app:0H45g000000NEWW");
        assert_eq!(
            attribute(EventType::MetadataApiOperation, app).0,
            "unregistered:app:0H45g000000NEWW"
        );
        for by_people in [EventType::Uri, EventType::LightningPageView, EventType::GroupMembership]
        {
            assert_eq!(attribute(by_people, app).0, "nobody");
        }
        let mcp = Caller {
            user_id: "0055g00000Ann01",
            client_category: "SALESFORCE_HOSTED_MCP",
            ..Caller::default()
        };
        assert_eq!(
            attribute(EventType::ApiTotalUsage, mcp),
            ("unregistered:mcp:0055g00000Ann01".to_owned(), Some(AttributedBy::ClientCategory))
        );
    }

    #[test]
    fn programs_without_an_app_are_told_by_their_own_words() {
        for (user_agent, name) in [
            ("python-requests/2.32.4", "python-requests"),
            ("Python/3.11 aiohttp/3.12.15", "aiohttp"),
            ("Go-http-client/1.1", "go-http-client"),
            ("Salesforce-Multi-Org-Fetcher/1.0", "salesforce-multi-org-fetcher"),
            ("Salesforce-CLI/1.0", "salesforce-cli"),
            ("Java/17.0.2", "java"),
            ("Apache CXF Java/17", "java"),
            ("curl/8.5.0", "curl"),
        ] {
            let caller = Caller { user_agent, ..Caller::default() };
            assert_eq!(
                attribute(EventType::Login, caller),
                (format!("unregistered:client:{name}"), Some(AttributedBy::UserAgent)),
            );
        }
    }

    #[test]
    fn people_their_apps_and_the_platform_are_no_agents() {
        let browser = "Mozilla/5.0 (Macintosh) AppleWebKit/537.36 Chrome/130.0 Safari/537.36";
        for caller in [
            Caller::default(),
            Caller { user_agent: browser, ..Caller::default() },
            Caller { client_name: "SfdcInternalAPI/", ..Caller::default() },
            Caller { connected_app_name: "salesforce mobile", ..Caller::default() },
            Caller { connected_app_id: "0H45g000000PPLE", ..Caller::default() },
        ] {
            assert_eq!(rest(caller), "nobody", "{caller:?}");
        }
    }

    #[test]
    fn a_key_never_holds_what_a_key_must_not() {
        let name = format!("python-requests\n{}\u{e4}:../x", "y".repeat(100));
        let caller = Caller { client_name: &name, ..Caller::default() };
        let key = rest(caller);
        let name = key.strip_prefix("unregistered:client:").unwrap();
        assert!(name.len() <= 40 && name.starts_with("python-requestsy"), "{key}");
        let app = Caller { connected_app_name: "\u{4f60}\u{597d}", ..Caller::default() };
        assert_eq!(rest(app), "unregistered:app:unknown");
    }
}
