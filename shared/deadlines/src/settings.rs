//! What a customer declares of law.

use serde::{Deserialize, Serialize};

use crate::{
    duty::OwnDuty,
    facts::Facts,
    law::{Law, LawError},
    reminders::ReminderPolicy,
    target::InternalTargets,
};

/// What a customer declares of law: the file `law` of the configuration. Everything has a default, so that a folder
/// without the file is judged by the law alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LawSettings {
    /// What holds of the organisation in every incident. What is known of an incident itself goes before it.
    pub facts: Facts,
    /// Duties beside the law: contracts, insurers, works councils.
    pub duties: Vec<OwnDuty>,
    /// Targets for duties to which the law gives no number.
    pub targets: InternalTargets,
    /// When to remind.
    pub reminders: ReminderPolicy,
}

impl LawSettings {
    /// The law that this version was built with, and the customer's own duties behind it.
    ///
    /// # Errors
    /// When a duty cannot be computed, with its name and the reason.
    pub fn law(&self) -> Result<Law, LawError> {
        Law::embedded()?.and_own_duties(self.duties.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_declared_is_the_law_alone_with_the_default_targets_and_reminders() {
        let settings: LawSettings = serde_json::from_str("{}").unwrap();
        assert_eq!(settings, LawSettings::default());
        assert_eq!(settings.law().unwrap(), Law::embedded().unwrap());
        assert_eq!(settings.targets, InternalTargets::default());
        assert_eq!(settings.reminders, ReminderPolicy::default());
    }

    #[test]
    fn own_duties_stand_behind_the_law() {
        let duties = serde_json::json!({"duties": [{
            "id": "insurer", "title": "Notice to the insurer", "basis": "Policy, clause 7",
            "who_notifies": "the insured", "who_is_told": "the insurer", "starts_at": "aware",
            "limit": {"value": 24, "unit": "hours"},
        }]});
        let settings: LawSettings = serde_json::from_value(duties).unwrap();
        let law = settings.law().unwrap();
        assert_eq!(law.regimes.len(), Law::embedded().unwrap().regimes.len() + 1);
        assert_eq!(law.regimes.last().unwrap().id, "own-insurer");
    }
}
