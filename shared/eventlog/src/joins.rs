//! Who made a row that does not say so itself: keys that it shares with a row that does.
//!
//! Rows of `BulkApi`, `BulkApi2` or `ReportExport` name a user and no application. Other rows of the same bulk job,
//! request, session or login do, and often lie in another file that lands earlier or later. So rows that an agent made
//! *offer* links, from a key to the mark by which the agent was told; rows that came through a machine's door and that
//! nobody is known to have made *seek* them.
//!
//! What is offered and what is sought is narrow on purpose:
//! - A bot or a planner acts inside the session of the person who talks to it. Its rows link their request and their
//!   job, never the session, or everything that the person does would be the agent's.
//! - A connected app has sessions of its own, and so has a client that names itself: job, session and login are linked.
//!   Their requests are so many that only those for reports and files are, whose echoes have no other key. A call is for
//!   them if its address says so.
//! - A row that was itself joined offers nothing: a chain of joins would be as weak as all its members.
//! - A caller can choose `REQUEST_ID` (header `X-SFDC-REQUEST-ID`): it leads to a row's agent, never away from one, for
//!   only rows seek that say nothing themselves.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    attribution::{AgentDirectory, AttributedBy, Attribution},
    event_type::{EventType, Witness},
    row::{AccessRow, Channel, Identity, JoinKeys},
};

/// By which key a row was joined to one that says who acted, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinKind {
    /// `JOB_ID`: Salesforce gives it to one bulk job, which one caller made.
    Job,
    /// `SESSION_KEY`: one session.
    Session,
    /// `REQUEST_ID`: one transaction, unless its caller gave an id that another one has.
    Request,
    /// `LOGIN_KEY`: all sessions that go back to one login.
    Login,
}

impl JoinKind {
    /// All of them, the surest first.
    pub const ALL: [Self; 4] = [Self::Job, Self::Session, Self::Request, Self::Login];

    /// As it is written in keys.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Session => "session",
            Self::Request => "request",
            Self::Login => "login",
        }
    }
}

/// How sure an attribution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The row bears a mark that Salesforce wrote.
    Certain,
    /// It shares a job or a session with a row that does, or a gateway in front of Salesforce wrote the mark.
    High,
    /// It shares a request or a login with a row that does.
    Moderate,
    /// It rests on what the caller says of itself.
    Low,
}

impl Confidence {
    /// That of a mark in a row of this witness, found in the row itself or over a key.
    pub fn of(by: AttributedBy, joined_by: Option<JoinKind>, witness: Witness) -> Self {
        let is_issued = matches!(
            by,
            AttributedBy::Bot
                | AttributedBy::Planner
                | AttributedBy::ConnectedApp
                | AttributedBy::User
        );
        match joined_by {
            _ if !is_issued => Self::Low,
            None if witness == Witness::Gateway => Self::High,
            None => Self::Certain,
            Some(JoinKind::Job | JoinKind::Session) => Self::High,
            Some(JoinKind::Request | JoinKind::Login) => Self::Moderate,
        }
    }
}

/// A key that rows of one org share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JoinKey {
    /// Salesforce org, 15 characters.
    pub org_id: String,
    /// Which key.
    pub kind: JoinKind,
    /// Its value, at most 64 bytes; a job id has 15 characters.
    pub value: String,
}

/// The mark by which an agent was told, in a row of this type. The surest comes first, so that of two copies of a row
/// the one stays that was joined to the surer caller; among equals the order is that of [`LinkedCaller::sort_key`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LinkedCaller {
    /// The type of the row that bears the mark.
    pub event_type: EventType,
    /// The mark alone: the other columns of the row are left out.
    pub identity: Identity,
}

impl LinkedCaller {
    /// Names this caller in keys, so that surer ones sort first: the rank of its mark, and hex of the first 16 bytes of
    /// SHA-256 over its JSON.
    pub fn sort_key(&self) -> String {
        format!("{}-{}", self.rank(), self.hash_hex())
    }

    /// How sure its mark is; the surest is 1.
    fn rank(&self) -> u8 {
        let Identity { bot_id, planner_id, connected_app_id, connected_app_name, .. } =
            &self.identity;
        let by = if bot_id.is_some() {
            AttributedBy::Bot
        } else if planner_id.is_some() {
            AttributedBy::Planner
        } else if connected_app_id.is_some() || connected_app_name.is_some() {
            AttributedBy::ConnectedApp
        } else if self.identity.client_category.is_some() {
            AttributedBy::ClientCategory
        } else if self.identity.client_name.is_some() {
            AttributedBy::ClientName
        } else if self.identity.user_agent.is_some() {
            AttributedBy::UserAgent
        } else {
            AttributedBy::User
        };
        by.rank()
    }

    fn hash_hex(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        let digest = Sha256::digest(json);
        hex::encode(digest.get(..16).unwrap_or(&digest))
    }
}

impl Ord for LinkedCaller {
    fn cmp(&self, other: &Self) -> Ordering {
        if self == other {
            return Ordering::Equal;
        }
        self.rank().cmp(&other.rank()).then_with(|| self.hash_hex().cmp(&other.hash_hex()))
    }
}

impl PartialOrd for LinkedCaller {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What a row offers to others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Link {
    /// Rows with this key
    pub key: JoinKey,
    /// are made by this caller.
    pub caller: LinkedCaller,
}

/// What a row got from another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Joined {
    /// Over which key.
    pub by: JoinKind,
    /// From whom.
    pub caller: LinkedCaller,
}

/// Most callers of a key that are looked at, the surest first. Only marks that callers choose are ever more.
pub const MAX_CALLERS_PER_KEY: usize = 64;

/// The keys by which a row seeks whoever made it, in the order in which they are believed.
pub fn sought_keys(org_id: &str, event_type: EventType, keys: &JoinKeys) -> Vec<JoinKey> {
    JoinKind::ALL
        .into_iter()
        .filter(|kind| *kind != JoinKind::Request || seeks_by_request(event_type))
        .filter_map(|kind| key(org_id, kind, keys))
        .collect()
}

/// Whether rows of this type may be a machine's although they name no application. Whether one of them is, its
/// columns say.
pub(crate) fn may_seek(event_type: EventType) -> bool {
    match event_type.channel() {
        Channel::Rest | Channel::ApexRest | Channel::Soap | Channel::Bulk => true,
        Channel::Report | Channel::ReportExport | Channel::File => seeks_by_request(event_type),
        _ => false,
    }
}

/// Calls have sessions to be joined by, and are too many to be sought one by one.
pub(crate) fn seeks_by_request(event_type: EventType) -> bool {
    matches!(
        event_type,
        EventType::BulkApi
            | EventType::BulkApi2
            | EventType::Report
            | EventType::AsyncReportRun
            | EventType::MultiBlockReport
            | EventType::ReportExport
            | EventType::ContentTransfer
    )
}

/// What a row that an agent made tells about others. Empty where it was itself joined.
pub fn offered_links(row: &AccessRow, attribution: &Attribution) -> Vec<Link> {
    let Attribution::Agent { by, joined_by: None, .. } = attribution else { return Vec::new() };
    let kinds: &[JoinKind] = match by {
        AttributedBy::Bot | AttributedBy::Planner => &[JoinKind::Job, JoinKind::Request],
        // Every row has USER_ID and says so itself.
        AttributedBy::User => &[],
        AttributedBy::ConnectedApp if row.join_keys.moves_reports_or_files => &JoinKind::ALL,
        AttributedBy::ConnectedApp
        | AttributedBy::ClientCategory
        | AttributedBy::ClientName
        | AttributedBy::UserAgent => &[JoinKind::Job, JoinKind::Session, JoinKind::Login],
    };
    let caller =
        LinkedCaller { event_type: row.event_type, identity: mark_alone(&row.identity, *by) };
    kinds
        .iter()
        .filter_map(|kind| key(&row.org_id, *kind, &row.join_keys))
        .map(|key| Link { key, caller: caller.clone() })
        .collect()
}

fn key(org_id: &str, kind: JoinKind, keys: &JoinKeys) -> Option<JoinKey> {
    let value = match kind {
        JoinKind::Job => &keys.job_id,
        JoinKind::Request => &keys.request_id,
        JoinKind::Session => &keys.session_key,
        JoinKind::Login => &keys.login_key,
    };
    let value = value.clone()?;
    Some(JoinKey { org_id: org_id.to_owned(), kind, value })
}

/// The columns that decided, so that equal callers are equal: a client's version or a user's id must not make many
/// of one.
fn mark_alone(identity: &Identity, by: AttributedBy) -> Identity {
    let nobody = Identity::default();
    match by {
        AttributedBy::Bot => Identity { bot_id: identity.bot_id.clone(), ..nobody },
        AttributedBy::Planner => Identity { planner_id: identity.planner_id.clone(), ..nobody },
        AttributedBy::ConnectedApp => Identity {
            connected_app_id: identity.connected_app_id.clone(),
            connected_app_name: identity.connected_app_name.clone(),
            ..nobody
        },
        AttributedBy::User => Identity { user_id: identity.user_id.clone(), ..nobody },
        // Callers of a category that nobody registered are named by their user.
        AttributedBy::ClientCategory => Identity {
            client_category: identity.client_category.clone(),
            user_id: identity.user_id.clone(),
            ..nobody
        },
        AttributedBy::ClientName => {
            Identity { client_name: identity.client_name.clone(), ..nobody }
        }
        AttributedBy::UserAgent => Identity { user_agent: identity.user_agent.clone(), ..nobody },
    }
}

/// Links that are known when a file is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownLinks(BTreeMap<JoinKey, BTreeSet<LinkedCaller>>);

impl KnownLinks {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what is known of a key.
    pub fn add(&mut self, key: JoinKey, callers: impl IntoIterator<Item = LinkedCaller>) {
        self.0.entry(key).or_default().extend(callers);
    }

    /// The agent that a row with these keys is given to: by the surest key that leads to one, and there the one that
    /// is told by the surest mark.
    pub fn join(&self, directory: &AgentDirectory, sought: &[JoinKey]) -> Option<Joined> {
        sought.iter().find_map(|key| {
            let is_agent = |caller: &&LinkedCaller| {
                directory.attribute(caller.event_type, &caller.identity).is_agent()
            };
            let surest = self.0.get(key)?.iter().take(MAX_CALLERS_PER_KEY);
            let caller = { surest }.find(is_agent)?;
            Some(Joined { by: key.kind, caller: caller.clone() })
        })
    }
}

impl FromIterator<Link> for KnownLinks {
    fn from_iter<T: IntoIterator<Item = Link>>(links: T) -> Self {
        let mut known = Self::default();
        for Link { key, caller } in links {
            known.add(key, [caller]);
        }
        known
    }
}
