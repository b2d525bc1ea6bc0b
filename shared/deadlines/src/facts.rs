//! What is known of an incident, and when each thing happened.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Facts by name, as the conditions of a regime ask for them (`role`, `risk`, `gdpr_applies` …). A name that
/// is absent, or present with `null`, is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts(BTreeMap<String, Value>);

impl Facts {
    /// Adds or replaces a fact.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// The fact of that name, if it is known.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }
}

/// When the controller became aware, and on whose word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awareness {
    /// The instant.
    pub at: DateTime<Utc>,
    /// True while no person has decided: the incident's policy took another moment in its place.
    pub assumed: bool,
}

/// The moments from which clocks start. They are kept apart, because each law names its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerTimes {
    /// When the first access happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred: Option<DateTime<Utc>>,
    /// When the log that tells of it reached us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landed: Option<DateTime<Utc>>,
    /// When the judgement said incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected: Option<DateTime<Utc>>,
    /// When the controller became aware: GDPR Art. 33(1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aware: Option<Awareness>,
}

/// Member states of the EU, and Iceland, Liechtenstein and Norway, where the GDPR applies by the EEA Agreement.
const EEA: [&str; 30] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS",
    "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// Whether the GDPR applies to a controller established in `country` (ISO 3166-1 alpha-2): GDPR Art. 3(1).
///
/// `None` for an establishment elsewhere: the GDPR may still apply by the place of the persons, Art. 3(2), and
/// that is for a person to answer.
pub fn gdpr_applies_by_establishment(country: &str) -> Option<bool> {
    EEA.contains(&country).then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_establishment_outside_the_eea_leaves_the_question_open() {
        assert_eq!(gdpr_applies_by_establishment("DE"), Some(true));
        assert_eq!(gdpr_applies_by_establishment("NO"), Some(true));
        assert_eq!(gdpr_applies_by_establishment("US"), None);
        assert_eq!(gdpr_applies_by_establishment("GB"), None);
    }
}
