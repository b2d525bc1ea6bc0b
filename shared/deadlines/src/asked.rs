//! The facts that law asks for, and in which form.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    condition::Condition,
    counting::Method,
    law::{Law, Regime},
};

/// Facts whose values are places: ISO 3166.
const PLACE_FACTS: [&str; 4] =
    ["authority_country", "establishment_country", "subject_country", "subject_region"];

/// In which form a fact is asked for. A value of another form would answer no where nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactForm {
    /// True or false.
    Truth,
    /// A whole number, or an interval.
    Number,
    /// A word, or a list of them. Others than those asked for may hold too.
    Words,
    /// A place, or a list of them: see [`Places::is_place`](crate::Places::is_place).
    Place,
}

/// One fact that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedFact {
    /// Its form.
    pub form: FactForm,
    /// The words that it is compared with.
    pub words: BTreeSet<String>,
}

impl AskedFact {
    fn in_form(form: FactForm) -> Self {
        Self { form, words: BTreeSet::new() }
    }
}

impl FactForm {
    /// The form of a fact that is compared with `value`; `None` where it is no single value.
    pub fn of(fact: &str, value: &Value) -> Option<Self> {
        match value {
            Value::String(_) if PLACE_FACTS.contains(&fact) => Some(Self::Place),
            Value::String(_) => Some(Self::Words),
            Value::Bool(_) => Some(Self::Truth),
            Value::Number(_) => Some(Self::Number),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

impl Law {
    /// Every fact that these regimes ask for, by name: in their conditions, for their limits, and in the rules by which
    /// they are counted. Not the instants that others set, which differ from incident to incident.
    pub fn asked_facts(&self) -> BTreeMap<String, AskedFact> {
        let mut asked = BTreeMap::new();
        for fact in PLACE_FACTS {
            asked.insert(fact.to_owned(), AskedFact::in_form(FactForm::Place));
        }
        for regime in &self.regimes {
            ask_of_regime(regime, &mut asked);
        }
        for rule in self.counting_rules().iter() {
            if let Method::NoonOfNextWorkingDay { not_when, doubtful_when, .. } = &rule.method {
                ask_all(not_when.iter().chain(doubtful_when), &mut asked);
            }
        }
        asked
    }
}

fn ask_of_regime(regime: &Regime, asked: &mut BTreeMap<String, AskedFact>) {
    ask_all(regime.applies_when.iter().chain(&regime.exempt_when), asked);
    if let Some(fact) = &regime.limit_from_fact {
        asked.entry(fact.clone()).or_insert_with(|| AskedFact::in_form(FactForm::Number));
    }
    if let Some(bites) = &regime.bites_from {
        let known =
            asked.entry(bites.fact.clone()).or_insert_with(|| AskedFact::in_form(FactForm::Words));
        known.words.extend(bites.days.keys().cloned());
    }
}

fn ask_all<'law>(
    conditions: impl Iterator<Item = &'law Condition>,
    asked: &mut BTreeMap<String, AskedFact>,
) {
    for condition in conditions {
        ask(condition, asked);
    }
}

fn ask(condition: &Condition, asked: &mut BTreeMap<String, AskedFact>) {
    let (fact, values) = match condition {
        Condition::Any { of } | Condition::All { of } => return ask_all(of.iter(), asked),
        Condition::Eq { fact, value } | Condition::Neq { fact, value } => {
            (fact, std::slice::from_ref(value))
        }
        Condition::In { fact, values } | Condition::AnyOf { fact, values } => {
            (fact, values.as_slice())
        }
        Condition::InGroup { fact, .. } => {
            asked.entry(fact.clone()).or_insert_with(|| AskedFact::in_form(FactForm::Place));
            return;
        }
        Condition::Gt { fact, .. }
        | Condition::Gte { fact, .. }
        | Condition::Lt { fact, .. }
        | Condition::Lte { fact, .. } => {
            asked.entry(fact.clone()).or_insert_with(|| AskedFact::in_form(FactForm::Number));
            return;
        }
    };
    let Some(form) = values.first().and_then(|value| FactForm::of(fact, value)) else { return };
    let known = asked.entry(fact.clone()).or_insert_with(|| AskedFact::in_form(form));
    known.words.extend(values.iter().filter_map(Value::as_str).map(str::to_owned));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn facts_are_known_by_the_form_in_which_they_are_asked_for() {
        let asked = Law::embedded().unwrap().asked_facts();
        let form = |fact: &str| asked.get(fact).map(|asked| asked.form);
        assert_eq!(form("listed_company"), Some(FactForm::Truth));
        assert_eq!(form("sector"), Some(FactForm::Words));
        assert_eq!(form("subject_count"), Some(FactForm::Number));
        assert_eq!(form("subject_country"), Some(FactForm::Place));
        assert_eq!(
            form("contract.notice_hours"),
            Some(FactForm::Number),
            "a limit from a contract"
        );
        assert_eq!(form("ai.annex"), Some(FactForm::Words), "the first day of a duty");
        assert_eq!(form("entity_type"), Some(FactForm::Words), "a rule of counting");
        assert_eq!(form("request_due_utc"), None, "an authority sets it in its request");
        assert_eq!(form("listed_companies"), None);
        assert!(asked["hipaa_role"].words.contains("covered_entity"));
    }

    #[test]
    fn the_law_asks_for_each_fact_in_one_form() {
        fn check(condition: &Condition, asked: &BTreeMap<String, AskedFact>) {
            let (fact, values) = match condition {
                Condition::Any { of } | Condition::All { of } => {
                    return of.iter().for_each(|part| check(part, asked));
                }
                Condition::Eq { fact, value } | Condition::Neq { fact, value } => {
                    (fact, vec![value.clone()])
                }
                Condition::In { fact, values } | Condition::AnyOf { fact, values } => {
                    (fact, values.clone())
                }
                Condition::InGroup { fact, .. } => (fact, vec![json!("DE")]),
                Condition::Gt { fact, .. }
                | Condition::Gte { fact, .. }
                | Condition::Lt { fact, .. }
                | Condition::Lte { fact, .. } => (fact, vec![json!(1)]),
            };
            for value in values {
                assert_eq!(FactForm::of(fact, &value), Some(asked[fact].form), "{fact}");
            }
        }
        let law = Law::embedded().unwrap();
        let asked = law.asked_facts();
        for regime in &law.regimes {
            for condition in regime.applies_when.iter().chain(&regime.exempt_when) {
                check(condition, &asked);
            }
        }
    }
}
