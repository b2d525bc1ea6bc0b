//! Duties that a customer has beside the law.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    condition::Condition,
    law::{Limit, LimitUnit, Place, Regime, SecondLimit, Status},
    trigger::TriggerKind,
};

/// A duty of a customer's own: a contract that gives a client 24 hours, an insurer, a works council. It is judged
/// by the same conditions and counted by the same rules as the law's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnDuty {
    /// Stable name, as `insurer`. It is shown as `own-insurer`, so that it is never taken for a law.
    pub id: String,
    /// What the duty is.
    pub title: String,
    /// Where it is written: contract and clause, policy, works agreement.
    pub basis: String,
    /// Who has the duty.
    pub who_notifies: String,
    /// Who is told.
    pub who_is_told: String,
    /// All of these must hold; without any, the duty always applies.
    #[serde(default)]
    pub applies_when: Vec<Condition>,
    /// The moment that starts the clock.
    pub starts_at: TriggerKind,
    /// Where that moment is a sending: the duties whose sending it is, by name, as
    /// `eu-gdpr-33-1` or `own-insurer`.
    #[serde(default)]
    pub follows: Vec<String>,
    /// How long; without it the duty has an internal target only.
    #[serde(default)]
    pub limit: Option<Limit>,
    /// The rule by which it is counted; without it hours are elapsed hours, days are calendar days and months are
    /// calendar months. Working days need a rule, because they need a calendar.
    #[serde(default)]
    pub counting: Option<String>,
    /// The rule that moves the end.
    #[serde(default)]
    pub extension: Option<String>,
    /// A limit in hours from another moment.
    #[serde(default)]
    pub second_limit: Option<SecondLimit>,
    /// What the message says: a content list of the law data.
    #[serde(default)]
    pub content_ref: Option<String>,
    /// Whether it may come in phases.
    #[serde(default)]
    pub phased: bool,
}

impl OwnDuty {
    pub(crate) fn into_regime(self, version: &str) -> Regime {
        let counting = self.counting.or_else(|| {
            let rule = match self.limit?.unit {
                LimitUnit::Hours => "exact-hours",
                LimitUnit::Days => "calendar-days",
                LimitUnit::Months => "eu-1182-months",
                LimitUnit::BusinessDays => return None,
            };
            Some(rule.to_owned())
        });
        Regime {
            id: format!("own-{}", self.id),
            version: version.into(),
            title: self.title.into(),
            jurisdiction: "own".into(),
            article: self.basis.into(),
            who_notifies: self.who_notifies.into(),
            who_is_told: self.who_is_told.into(),
            authority: None,
            applies_when: self.applies_when,
            exempt_when: Vec::new(),
            starts_at: self.starts_at,
            follows: self.follows,
            limit: self.limit,
            limit_from_fact: None,
            due_from_fact: None,
            second_limit: self.second_limit,
            latest_limit: None,
            guidance_limit: None,
            counting: counting.map(Into::into),
            extension: self.extension,
            latest_readings: Vec::new(),
            place: Place::Organisation,
            phased: self.phased,
            voluntary: false,
            exemptions: Arc::default(),
            content_ref: self.content_ref.map(Into::into),
            delay_note: None,
            in_force_from: None,
            in_force_until: None,
            bites_from: None,
            status: Status::InForce,
            source: "configuration".into(),
            verified: true,
            verified_covers: None,
            note: None,
        }
    }
}
