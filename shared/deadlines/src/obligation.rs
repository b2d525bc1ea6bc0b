//! One duty, judged for one incident.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    facts::{Awareness, Facts, TriggerTimes},
    law::{Law, Limit, LimitUnit, Regime, TriggerKind},
};

/// Whether a duty applies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    /// Every condition holds.
    Applies,
    /// A fact that would decide is not known; the due instant is the one that would count.
    Possible {
        /// The facts to be answered.
        unknown_facts: Vec<String>,
    },
    /// A condition does not hold.
    DoesNotApply {
        /// The facts that say so.
        because: Vec<String>,
    },
}

impl Standing {
    /// The word, as it stands in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Applies => "applies",
            Self::Possible { .. } => "possible",
            Self::DoesNotApply { .. } => "does_not_apply",
        }
    }

    /// The facts to be answered; none where the duty is decided.
    pub fn unknown_facts(&self) -> &[String] {
        match self {
            Self::Possible { unknown_facts } => unknown_facts,
            _ => &[],
        }
    }

    /// The facts for which the duty does not apply; none where it does or may.
    pub fn because(&self) -> &[String] {
        match self {
            Self::DoesNotApply { because } => because,
            _ => &[],
        }
    }
}

/// One duty of one law for one incident: who tells whom, by when, since which moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obligation {
    /// Name of the regime, as `eu-gdpr-33-1`.
    pub regime_id: String,
    /// What the duty is.
    pub title: String,
    /// Article and paragraph.
    pub article: String,
    /// Who has the duty.
    pub who_notifies: String,
    /// Who is told.
    pub who_is_told: String,
    /// Whether it applies.
    #[serde(flatten)]
    pub standing: Standing,
    /// The moment that the law names as the start.
    pub starts_at: TriggerKind,
    /// When that was; absent where it is not known, and then there is no due instant.
    pub started_at: Option<DateTime<Utc>>,
    /// True where no person has yet said when the clock started.
    pub start_assumed: bool,
    /// The earliest defensible end of the limit, UTC.
    pub due_at: Option<DateTime<Utc>>,
    /// The limit itself.
    pub limit: Limit,
    /// Whether the notification may come in phases.
    pub phased: bool,
    /// What the notification says.
    pub content_items: Vec<String>,
    /// Version of the law file.
    pub law_version: String,
}

impl Obligation {
    /// Whether its clock has to be watched.
    pub fn is_open(&self) -> bool {
        self.due_at.is_some() && !matches!(self.standing, Standing::DoesNotApply { .. })
    }
}

/// Judges every regime that is in force when its clock starts. A regime that does not apply is in the
/// answer too, and says why.
pub fn obligations(law: &Law, facts: &Facts, times: &TriggerTimes) -> Vec<Obligation> {
    law.regimes
        .iter()
        .filter(|regime| {
            let reference = start(regime, times).map(|start| start.at).or(times.detected);
            reference.is_none_or(|instant| regime.in_force_at(instant))
        })
        .map(|regime| judge(law, regime, facts, times))
        .collect()
}

fn judge(law: &Law, regime: &Regime, facts: &Facts, times: &TriggerTimes) -> Obligation {
    let standing = standing(regime, facts);
    let start = start(regime, times);
    let due_at = match standing {
        Standing::DoesNotApply { .. } => None,
        _ => start.and_then(|start| end_of(regime.limit, start.at)),
    };
    Obligation {
        regime_id: regime.id.clone(),
        title: regime.title.clone(),
        article: regime.article.clone(),
        who_notifies: regime.who_notifies.clone(),
        who_is_told: regime.who_is_told.clone(),
        standing,
        starts_at: regime.starts_at,
        started_at: start.map(|start| start.at),
        start_assumed: start.is_some_and(|start| start.assumed),
        due_at,
        limit: regime.limit,
        phased: regime.phased,
        content_items: regime.content_items.clone(),
        law_version: law.law_version.clone(),
    }
}

fn standing(regime: &Regime, facts: &Facts) -> Standing {
    let mut unknown_facts = Vec::new();
    let mut because = Vec::new();
    for condition in &regime.applies_when {
        match facts.get(&condition.field) {
            None => unknown_facts.push(condition.field.clone()),
            Some(fact) if condition.test.holds(fact) => {}
            Some(fact) => because.push(format!("{} is {fact}", condition.field)),
        }
    }
    match (because.is_empty(), unknown_facts.is_empty()) {
        (false, _) => Standing::DoesNotApply { because },
        (true, false) => Standing::Possible { unknown_facts },
        (true, true) => Standing::Applies,
    }
}

fn start(regime: &Regime, times: &TriggerTimes) -> Option<Awareness> {
    let known = |at| Awareness { at, assumed: false };
    match regime.starts_at {
        TriggerKind::Occurred => times.occurred.map(known),
        TriggerKind::Detected => times.detected.map(known),
        TriggerKind::Aware => times.aware,
    }
}

fn end_of(limit: Limit, start: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match limit.unit {
        LimitUnit::Hours => start.checked_add_signed(TimeDelta::hours(i64::from(limit.value))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn facts() -> Facts {
        Facts::default()
            .with("role", "controller")
            .with("personal_data_breach", true)
            .with("gdpr_applies", true)
            .with("risk", "risk")
    }

    fn aware(at: DateTime<Utc>) -> TriggerTimes {
        TriggerTimes { aware: Some(Awareness { at, assumed: false }), ..TriggerTimes::default() }
    }

    fn art_33(facts: &Facts, times: &TriggerTimes) -> Obligation {
        obligations(&Law::embedded().unwrap(), facts, times)
            .into_iter()
            .find(|obligation| obligation.regime_id == "eu-gdpr-33-1")
            .unwrap()
    }

    #[test]
    fn detection_is_never_taken_for_awareness() {
        let detected = "2026-11-09T07:00:00Z".parse().unwrap();
        let times = TriggerTimes { detected: Some(detected), ..TriggerTimes::default() };
        let obligation = art_33(&facts(), &times);
        assert_eq!(obligation.due_at, None);
        assert_eq!(obligation.standing, Standing::Applies);
    }

    #[test]
    fn an_unanswered_risk_keeps_the_clock_in_view_and_names_itself() {
        let obligation = art_33(
            &facts().with("risk", serde_json::Value::Null),
            &aware("2026-11-02T08:15:00Z".parse().unwrap()),
        );
        assert_eq!(
            obligation.standing,
            Standing::Possible { unknown_facts: vec!["risk".to_owned()] }
        );
        assert_eq!(obligation.due_at, Some("2026-11-05T08:15:00Z".parse().unwrap()));
        assert!(obligation.is_open());
    }

    #[test]
    fn an_unlikely_risk_ends_the_duty_and_says_why() {
        let obligation = art_33(
            &facts().with("risk", "unlikely"),
            &aware("2026-11-02T08:15:00Z".parse().unwrap()),
        );
        assert_eq!(
            obligation.standing,
            Standing::DoesNotApply { because: vec!["risk is \"unlikely\"".to_owned()] }
        );
        assert!(!obligation.is_open());
    }

    proptest! {
        #[test]
        fn an_earlier_start_never_gives_a_later_due(a in 0_i64..4_000_000_000, b in 0_i64..4_000_000_000) {
            let (early, late) = (a.min(b), a.max(b));
            let due = |seconds| {
                art_33(&facts(), &aware(DateTime::from_timestamp(seconds, 0).unwrap())).due_at
            };
            // Before 25 May 2018 the duty was not law; the helper would find none.
            prop_assume!(early > 1_527_300_000);
            prop_assert!(due(early) <= due(late));
        }

        #[test]
        fn daylight_saving_never_moves_the_end(seconds in 1_527_300_000_i64..4_000_000_000) {
            let start = DateTime::from_timestamp(seconds, 0).unwrap();
            let due = art_33(&facts(), &aware(start)).due_at.unwrap();
            prop_assert_eq!(due - start, TimeDelta::hours(72));
        }
    }
}
