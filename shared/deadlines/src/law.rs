//! The law as data.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

const EMBEDDED: &str = include_str!("../law/regimes.json");

/// The law file cannot be used.
#[derive(Debug, Error)]
pub enum LawError {
    /// Not the JSON that is expected.
    #[error("the law file cannot be read: {0}; compare it with shared/deadlines/law/regimes.json")]
    Json(#[from] serde_json::Error),
    /// A regime that cannot be computed.
    #[error("regime {regime_id}: {reason}")]
    Regime {
        /// Which regime.
        regime_id: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// All regimes of one version of the law file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Law {
    /// The day on which the data was last compared with its sources.
    pub law_version: String,
    /// The duties.
    pub regimes: Vec<Regime>,
}

/// One duty of one law.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regime {
    /// Stable name, as `eu-gdpr-33-1`.
    pub id: String,
    /// What the duty is.
    pub title: String,
    /// Article and paragraph.
    pub article: String,
    /// Who has the duty.
    pub who_notifies: String,
    /// Who is told.
    pub who_is_told: String,
    /// All of these must hold.
    pub applies_when: Vec<Condition>,
    /// The moment that starts the clock.
    pub starts_at: TriggerKind,
    /// How long.
    pub limit: Limit,
    /// Whether the notification may come in phases: GDPR Art. 33(4).
    pub phased: bool,
    /// What the notification says.
    pub content_items: Vec<String>,
    /// First day in force.
    pub in_force_from: Option<NaiveDate>,
    /// Last day in force.
    pub in_force_until: Option<NaiveDate>,
    /// Where the wording was read.
    pub source: String,
}

/// A condition on one fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The fact.
    pub field: String,
    /// How it is compared.
    #[serde(flatten)]
    pub test: Test,
}

/// How a fact is compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", content = "value", rename_all = "snake_case")]
pub enum Test {
    /// Equal to the value.
    Eq(Value),
    /// One of the values.
    In(Vec<Value>),
}

impl Test {
    pub(crate) fn holds(&self, fact: &Value) -> bool {
        match self {
            Self::Eq(value) => fact == value,
            Self::In(values) => values.contains(fact),
        }
    }
}

/// The moment that starts a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// The access itself.
    Occurred,
    /// Our judgement.
    Detected,
    /// The controller's awareness.
    Aware,
}

impl TriggerKind {
    /// The word for a sentence.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Occurred => "occurrence",
            Self::Detected => "detection",
            Self::Aware => "awareness",
        }
    }
}

/// A limit, with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// How many.
    pub value: u32,
    /// Of what.
    pub unit: LimitUnit,
}

/// The unit of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitUnit {
    /// Elapsed hours on the UTC line.
    Hours,
}

impl Law {
    /// The law that this version was built with.
    pub fn embedded() -> Result<Self, LawError> {
        Self::from_json(EMBEDDED)
    }

    /// Reads and checks a law file.
    pub fn from_json(json: &str) -> Result<Self, LawError> {
        let law: Self = serde_json::from_str(json)?;
        for regime in &law.regimes {
            regime.check()?;
        }
        Ok(law)
    }
}

impl Regime {
    fn check(&self) -> Result<(), LawError> {
        let wrong =
            |reason: &str| LawError::Regime { regime_id: self.id.clone(), reason: reason.into() };
        if self.limit.value == 0 {
            return Err(wrong("a limit of zero would be overdue before it starts"));
        }
        if self.article.is_empty() || self.source.is_empty() {
            return Err(wrong("an article and a source must be given"));
        }
        if self.in_force_from.zip(self.in_force_until).is_some_and(|(from, until)| from > until) {
            return Err(wrong("it ends before it begins"));
        }
        Ok(())
    }

    /// Whether the duty is law at that instant.
    pub fn in_force_at(&self, instant: DateTime<Utc>) -> bool {
        let day = instant.date_naive();
        self.in_force_from.is_some_and(|from| from <= day)
            && self.in_force_until.is_none_or(|until| day <= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_law_is_sound() {
        let law = Law::embedded().unwrap();
        assert!(law.regimes.iter().any(|regime| regime.id == "eu-gdpr-33-1"));
    }

    #[test]
    fn a_regime_without_an_article_is_refused() {
        let broken = EMBEDDED.replace("GDPR Art. 33(1), (3)", "");
        let message = Law::from_json(&broken).unwrap_err().to_string();
        assert!(message.contains("eu-gdpr-33-1"), "{message}");
    }

    #[test]
    fn a_proposal_without_a_first_day_is_never_in_force() {
        let mut regime = Law::embedded().unwrap().regimes.remove(0);
        let now = "2026-11-25T00:00:00Z".parse().unwrap();
        assert!(regime.in_force_at(now));
        regime.in_force_from = None;
        assert!(!regime.in_force_at(now));
    }
}
