//! Which agent made a row, how we know, and how sure that is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::row::{Channel, Identity};

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

/// An identity of a registered agent. Ids may be given with 15 or 18 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RegisteredIdentity {
    /// The agent that it belongs to.
    pub agent: AgentKey,
    /// Which column it is compared with.
    pub kind: AttributedBy,
    /// The value; compared whole, and without regard to letter case only for names and user agents.
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
    },
    /// A person, or the platform itself.
    NotAnAgent,
}

/// Looks agents up by what a row says of its caller.
#[derive(Clone, Debug, Default)]
pub struct AgentDirectory {
    by_value: BTreeMap<(AttributedBy, String), (AgentKey, Option<String>)>,
    people_applications: std::collections::BTreeSet<String>,
}
