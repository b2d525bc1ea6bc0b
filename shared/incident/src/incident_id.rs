//! The name of an incident.

use std::fmt;

use eventlog::attribution::AgentKey;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Names an incident, as `BC-5F2C9A01D3E7`. Derived from org, agent and episode, so that a judgement that is
/// repeated, or made by two functions at once, speaks of the same incident.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(pub String);

impl IncidentId {
    /// The id of the given episode of an agent in an org; episodes are counted from 1.
    pub fn derive(org_id: &str, agent: &AgentKey, episode: u32) -> Self {
        let mut hasher = Sha256::new();
        for part in [org_id, agent.as_str(), &episode.to_string()] {
            hasher.update(part.as_bytes());
            hasher.update([0]);
        }
        let digest = hex::encode_upper(hasher.finalize());
        Self(format!("BC-{}", digest.chars().take(12).collect::<String>()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_stable_and_tells_org_agent_and_episode_apart() {
        let agent = AgentKey("support-copilot".to_owned());
        let id = IncidentId::derive("00D5g000004Hq3K", &agent, 1);
        assert_eq!(id, IncidentId::derive("00D5g000004Hq3K", &agent, 1));
        assert_eq!(id.as_str().len(), 15);
        for other in [
            IncidentId::derive("00D5g000004Hq3K", &agent, 2),
            IncidentId::derive("00D5g000004Hq3L", &agent, 1),
            IncidentId::derive("00D5g000004Hq3K", &AgentKey("support-copilot1".to_owned()), 1),
        ] {
            assert_ne!(id, other);
        }
    }
}
