//! Conditions on facts, answered yes, no or not known.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{facts::Facts, places::Places};

/// Longer lists are counted in a ground, not written out.
const LISTED_VALUES_MAX: usize = 5;

/// An answer. Not known is never a no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The condition does not hold.
    No,
    /// A fact is missing that would decide.
    Unknown,
    /// The condition holds.
    Yes,
}

/// A condition, as it stands in the law data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// One of these holds.
    Any {
        /// The alternatives.
        of: Vec<Condition>,
    },
    /// All of these hold.
    All {
        /// The parts.
        of: Vec<Condition>,
    },
    /// The fact is this value.
    Eq {
        /// Name of the fact.
        fact: String,
        /// The value.
        value: Value,
    },
    /// The fact is another value.
    Neq {
        /// Name of the fact.
        fact: String,
        /// The value that it must not be.
        value: Value,
    },
    /// The fact is one of these values.
    In {
        /// Name of the fact.
        fact: String,
        /// The values.
        values: Vec<Value>,
    },
    /// The fact is a list that holds one of these values.
    AnyOf {
        /// Name of the fact.
        fact: String,
        /// The values.
        values: Vec<Value>,
    },
    /// The fact is a country of a group of the places file, as `EU`.
    InGroup {
        /// Name of the fact.
        fact: String,
        /// Name of the group.
        group: String,
    },
    /// The fact is a number greater than this.
    Gt {
        /// Name of the fact.
        fact: String,
        /// The number.
        value: u64,
    },
    /// The fact is a number not less than this.
    Gte {
        /// Name of the fact.
        fact: String,
        /// The number.
        value: u64,
    },
    /// The fact is a number less than this.
    Lt {
        /// Name of the fact.
        fact: String,
        /// The number.
        value: u64,
    },
    /// The fact is a number not greater than this.
    Lte {
        /// Name of the fact.
        fact: String,
        /// The number.
        value: u64,
    },
}

/// One fact that bears on a duty: what the law asks, what is known, and what follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ground {
    /// Name of the fact.
    pub fact: String,
    /// What the law asks of it, as `is true` or `is more than 500`.
    pub asked: String,
    /// What is known of it, as it stands in JSON; absent where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<String>,
    /// What follows.
    pub answer: Answer,
}

impl fmt::Display for Ground {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.known {
            Some(known) => write!(formatter, "{} is {known}", self.fact),
            None => write!(formatter, "{} is not known", self.fact),
        }
    }
}

/// What conditions are asked of: the facts, and the place whose law it is.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) places: &'a Places,
    pub(crate) jurisdiction: &'a str,
}

impl Condition {
    /// Answers the condition.
    pub(crate) fn answer(&self, scope: Scope<'_>) -> Answer {
        match self {
            Self::Any { of } => {
                of.iter().map(|part| part.answer(scope)).max().unwrap_or(Answer::No)
            }
            Self::All { of } => all(of, scope),
            leaf => {
                let fact = leaf.fact();
                match scope.facts.at_place(fact, scope.jurisdiction) {
                    Some(value) => leaf.of_value(value, scope),
                    None if elsewhere(fact, scope).is_some() => Answer::No,
                    None => Answer::Unknown,
                }
            }
        }
    }

    /// Adds the grounds that decide the answer: of alternatives those that hold, of a failed whole the parts that
    /// failed.
    pub(crate) fn grounds(&self, scope: Scope<'_>, grounds: &mut Vec<Ground>) {
        match self {
            Self::Any { of } => {
                let answer = self.answer(scope);
                for part in of.iter().filter(|part| part.answer(scope) == answer) {
                    part.grounds(scope, grounds);
                }
            }
            Self::All { of } => grounds_of_all(of, scope, self.answer(scope), grounds),
            leaf => grounds.push(leaf.ground(scope)),
        }
    }

    /// The fact of a condition on one.
    fn fact(&self) -> &str {
        match self {
            Self::Any { .. } | Self::All { .. } => "",
            Self::Eq { fact, .. }
            | Self::Neq { fact, .. }
            | Self::In { fact, .. }
            | Self::AnyOf { fact, .. }
            | Self::InGroup { fact, .. }
            | Self::Gt { fact, .. }
            | Self::Gte { fact, .. }
            | Self::Lt { fact, .. }
            | Self::Lte { fact, .. } => fact,
        }
    }

    /// Every fact that the condition names.
    pub fn facts(&self) -> Vec<&str> {
        match self {
            Self::Any { of } | Self::All { of } => of.iter().flat_map(Self::facts).collect(),
            leaf => vec![leaf.fact()],
        }
    }

    /// The groups that the condition names.
    pub(crate) fn groups(&self) -> Vec<&str> {
        match self {
            Self::Any { of } | Self::All { of } => of.iter().flat_map(Self::groups).collect(),
            Self::InGroup { group, .. } => vec![group],
            _ => Vec::new(),
        }
    }

    /// Whether some `any` has no alternative, which could never hold.
    pub(crate) fn is_hollow(&self) -> bool {
        match self {
            Self::Any { of } => of.is_empty() || of.iter().any(Self::is_hollow),
            Self::All { of } => of.iter().any(Self::is_hollow),
            Self::In { values, .. } | Self::AnyOf { values, .. } => values.is_empty(),
            _ => false,
        }
    }

    fn ground(&self, scope: Scope<'_>) -> Ground {
        let fact = self.fact();
        let ground = |known: Option<String>, answer| Ground {
            fact: fact.to_owned(),
            asked: self.asked(),
            known,
            answer,
        };
        let Some(value) = scope.facts.at_place(fact, scope.jurisdiction) else {
            return match elsewhere(fact, scope) {
                Some(known) => ground(Some(known), Answer::No),
                None => ground(None, Answer::Unknown),
            };
        };
        let answer = self.of_value(value, scope);
        ground(Some(self.shown(value, answer, scope)), answer)
    }

    fn of_value(&self, value: &Value, scope: Scope<'_>) -> Answer {
        match self {
            Self::Neq { value: other, .. } => yes_or_no(match value {
                Value::Array(values) => !values.contains(other),
                value => value != other,
            }),
            Self::Gt { value: limit, .. } => {
                compare(value, |lower| lower > *limit, |upper| upper <= *limit)
            }
            Self::Gte { value: limit, .. } => {
                compare(value, |lower| lower >= *limit, |upper| upper < *limit)
            }
            Self::Lt { value: limit, .. } => {
                opposite(compare(value, |lower| lower >= *limit, |upper| upper < *limit))
            }
            Self::Lte { value: limit, .. } => {
                opposite(compare(value, |lower| lower > *limit, |upper| upper <= *limit))
            }
            _ => yes_or_no(match value {
                Value::Array(values) => values.iter().any(|value| self.matches(value, scope)),
                value => self.matches(value, scope),
            }),
        }
    }

    /// Whether one value is what a condition of equality asks for.
    fn matches(&self, value: &Value, scope: Scope<'_>) -> bool {
        match self {
            Self::Eq { value: asked, .. } => value == asked,
            Self::In { values, .. } | Self::AnyOf { values, .. } => values.contains(value),
            Self::InGroup { group, .. } => {
                value.as_str().is_some_and(|country| scope.places.is_in(country, group))
            }
            _ => false,
        }
    }

    /// What is known, short enough for a sentence, and the same in whatever order a list was given.
    fn shown(&self, value: &Value, answer: Answer, scope: Scope<'_>) -> String {
        let Value::Array(values) = value else { return value.to_string() };
        if answer == Answer::Yes
            && let Some(found) =
                values.iter().filter(|value| self.matches(value, scope)).map(Value::to_string).min()
        {
            return found;
        }
        if values.len() > LISTED_VALUES_MAX {
            return format!("a list of {} others", values.len());
        }
        let mut shown: Vec<String> = values.iter().map(Value::to_string).collect();
        shown.sort_unstable();
        format!("[{}]", shown.join(","))
    }

    fn asked(&self) -> String {
        let list =
            |values: &[Value]| values.iter().map(Value::to_string).collect::<Vec<_>>().join(" or ");
        match self {
            Self::Any { .. } => "holds in one of its alternatives".to_owned(),
            Self::All { .. } => "holds in all of its parts".to_owned(),
            Self::Eq { value, .. } => format!("is {value}"),
            Self::Neq { value, .. } => format!("is not {value}"),
            Self::In { values, .. } => format!("is {}", list(values)),
            Self::AnyOf { values, .. } => format!("holds {}", list(values)),
            Self::InGroup { group, .. } => format!("is a country of the {group}"),
            Self::Gt { value, .. } => format!("is more than {value}"),
            Self::Gte { value, .. } => format!("is {value} or more"),
            Self::Lt { value, .. } => format!("is less than {value}"),
            Self::Lte { value, .. } => format!("is {value} or less"),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |of: &[Self], word: &str| {
            of.iter().map(ToString::to_string).collect::<Vec<_>>().join(word)
        };
        match self {
            Self::Any { of } => write!(formatter, "({})", joined(of, " or ")),
            Self::All { of } => write!(formatter, "({})", joined(of, " and ")),
            leaf => {
                write!(formatter, "{} {}", leaf.fact(), leaf.asked())
            }
        }
    }
}

/// Whether all of the conditions hold.
pub(crate) fn all(conditions: &[Condition], scope: Scope<'_>) -> Answer {
    conditions.iter().map(|condition| condition.answer(scope)).min().unwrap_or(Answer::Yes)
}

/// The grounds of all of the conditions. Where some fail, those that failed.
pub(crate) fn grounds_of_all(
    conditions: &[Condition],
    scope: Scope<'_>,
    answer: Answer,
    grounds: &mut Vec<Ground>,
) {
    for condition in conditions {
        if answer != Answer::No || condition.answer(scope) == Answer::No {
            condition.grounds(scope, grounds);
        }
    }
}

/// A region is not affected where it is known that its country is not, so nobody need ask for regions.
fn elsewhere(fact: &str, scope: Scope<'_>) -> Option<String> {
    if fact != "subject_region" && fact != "subject_count_in_region" {
        return None;
    }
    let (country, _) = scope.jurisdiction.split_once('-')?;
    let known = scope.facts.get("subject_country")?;
    let is_there = match known {
        Value::Array(values) => values.iter().any(|value| value.as_str() == Some(country)),
        value => value.as_str() == Some(country),
    };
    (!is_there).then(|| format!("in no part of {country}"))
}

const fn yes_or_no(holds: bool) -> Answer {
    if holds { Answer::Yes } else { Answer::No }
}

const fn opposite(answer: Answer) -> Answer {
    match answer {
        Answer::No => Answer::Yes,
        Answer::Unknown => Answer::Unknown,
        Answer::Yes => Answer::No,
    }
}

/// Compares a number or an interval. Anything else says nothing about a number, which is not known then.
fn compare(
    value: &Value,
    surely: impl Fn(u64) -> bool,
    surely_not: impl Fn(u64) -> bool,
) -> Answer {
    let (lower, upper) = match value.as_u64() {
        Some(exact) => (Some(exact), Some(exact)),
        None => {
            (value.get("lower").and_then(Value::as_u64), value.get("upper").and_then(Value::as_u64))
        }
    };
    if lower.is_some_and(surely) {
        Answer::Yes
    } else if upper.is_some_and(surely_not) {
        Answer::No
    } else {
        Answer::Unknown
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(condition: Value, facts: Value) -> (Answer, Vec<String>) {
        let condition: Condition = serde_json::from_value(condition).unwrap();
        let facts: Facts = serde_json::from_value(facts).unwrap();
        let places = Places::embedded().unwrap();
        let mut grounds = Vec::new();
        let scope = Scope { facts: &facts, places: &places, jurisdiction: "US-CA" };
        let answer = condition.answer(scope);
        condition.grounds(scope, &mut grounds);
        (answer, grounds.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_missing_fact_is_not_a_no_whatever_the_comparison() {
        for condition in [
            json!({"op": "eq", "fact": "death", "value": true}),
            json!({"op": "neq", "fact": "death", "value": true}),
            json!({"op": "in", "fact": "death", "values": [true]}),
            json!({"op": "gt", "fact": "death", "value": 5}),
            json!({"op": "lt", "fact": "death", "value": 5}),
            json!({"op": "in_group", "fact": "death", "group": "EU"}),
        ] {
            assert_eq!(
                answer(condition, json!({})),
                (Answer::Unknown, vec!["death is not known".to_owned()])
            );
        }
    }

    #[test]
    fn an_interval_decides_only_where_both_ends_agree() {
        let more_than_500 = || json!({"op": "gt", "fact": "n", "value": 500});
        let given = |value: Value| answer(more_than_500(), json!({ "n": value })).0;
        assert_eq!(given(json!({"lower": 501, "upper": null})), Answer::Yes);
        assert_eq!(given(json!({"lower": 500, "upper": null})), Answer::Unknown);
        assert_eq!(given(json!({"lower": 0, "upper": 500})), Answer::No);
        assert_eq!(given(json!({"lower": 0, "upper": 501})), Answer::Unknown);
        assert_eq!(given(json!("many")), Answer::Unknown);
        assert_eq!(given(json!({"by_place": {"US-CA": 501}})), Answer::Yes);
        assert_eq!(given(json!({"by_place": {"US-NY": 501}})), Answer::Unknown);
        let fewer = json!({"op": "lt", "fact": "n", "value": 500});
        assert_eq!(answer(fewer.clone(), json!({"n": 499})).0, Answer::Yes);
        assert_eq!(answer(fewer, json!({"n": 500})).0, Answer::No);
        let at_most = json!({"op": "lte", "fact": "n", "value": 500});
        assert_eq!(answer(at_most.clone(), json!({"n": 500})).0, Answer::Yes);
        assert_eq!(answer(at_most, json!({"n": 501})).0, Answer::No);
        let at_least = json!({"op": "gte", "fact": "n", "value": 500});
        assert_eq!(answer(at_least.clone(), json!({"n": 500})).0, Answer::Yes);
        assert_eq!(answer(at_least, json!({"n": 499})).0, Answer::No);
    }

    #[test]
    fn an_interval_that_reaches_over_the_limit_leaves_the_question_open() {
        for (op, open, yes, no) in [
            ("gt", [500, 501], [501, 502], [499, 500]),
            ("gte", [499, 500], [500, 501], [498, 499]),
            ("lt", [499, 500], [498, 499], [500, 501]),
            ("lte", [500, 501], [499, 500], [501, 502]),
        ] {
            let given = |[lower, upper]: [u64; 2]| {
                let condition = json!({"op": op, "fact": "n", "value": 500});
                answer(condition, json!({"n": {"lower": lower, "upper": upper}})).0
            };
            assert_eq!(given(open), Answer::Unknown, "{op}");
            assert_eq!(given(yes), Answer::Yes, "{op}");
            assert_eq!(given(no), Answer::No, "{op}");
        }
    }

    #[test]
    fn a_long_list_is_counted_and_not_written_out() {
        let german = json!({"op": "eq", "fact": "subject_country", "value": "DE"});
        let told = |countries: &[&str]| {
            answer(german.clone(), json!({"subject_country": countries})).1.join("")
        };
        assert_eq!(
            told(&["US", "FR", "JP", "BR", "CH"]),
            r#"subject_country is ["BR","CH","FR","JP","US"]"#
        );
        assert_eq!(
            told(&["US", "FR", "JP", "BR", "CH", "IT"]),
            "subject_country is a list of 6 others"
        );
    }

    #[test]
    fn one_alternative_that_holds_needs_no_other_fact() {
        let either = json!({"op": "any", "of": [
            {"op": "eq", "fact": "a", "value": true},
            {"op": "all", "of": [
                {"op": "eq", "fact": "b", "value": true},
                {"op": "eq", "fact": "c", "value": true},
            ]},
        ]});
        assert_eq!(
            answer(either.clone(), json!({"a": true})),
            (Answer::Yes, vec!["a is true".to_owned()])
        );
        assert_eq!(
            answer(either.clone(), json!({"a": false, "b": true})),
            (Answer::Unknown, vec!["b is true".to_owned(), "c is not known".to_owned()])
        );
        assert_eq!(
            answer(either, json!({"a": false, "b": true, "c": false})),
            (Answer::No, vec!["a is false".to_owned(), "c is false".to_owned()])
        );
    }

    #[test]
    fn a_list_holds_where_one_value_does() {
        let here = json!({"op": "eq", "fact": "subject_country", "value": "DE"});
        assert_eq!(
            answer(here.clone(), json!({"subject_country": ["US", "DE"]})),
            (Answer::Yes, vec!["subject_country is \"DE\"".to_owned()])
        );
        assert_eq!(answer(here, json!({"subject_country": ["US"]})).0, Answer::No);
        let not_here = json!({"op": "neq", "fact": "subject_country", "value": "DE"});
        assert_eq!(answer(not_here, json!({"subject_country": ["US", "DE"]})).0, Answer::No);
    }

    #[test]
    fn a_region_needs_no_answer_where_its_country_is_not_affected() {
        let california = json!({"op": "eq", "fact": "subject_region", "value": "US-CA"});
        let german = answer(california.clone(), json!({"subject_country": ["DE"]}));
        assert_eq!(german, (Answer::No, vec!["subject_region is in no part of US".to_owned()]));
        assert_eq!(
            answer(california.clone(), json!({"subject_country": ["DE", "US"]})).0,
            Answer::Unknown
        );
        assert_eq!(answer(california.clone(), json!({})).0, Answer::Unknown);
        assert_eq!(answer(california.clone(), json!({"subject_country": "DE"})).0, Answer::No);
        assert_eq!(answer(california, json!({"subject_country": "US"})).0, Answer::Unknown);
        let residents = json!({"op": "gt", "fact": "subject_count_in_region", "value": 500});
        assert_eq!(answer(residents.clone(), json!({"subject_country": "DE"})).0, Answer::No);
        assert_eq!(answer(residents, json!({"subject_country": "US"})).0, Answer::Unknown);
        let risk = json!({"op": "eq", "fact": "risk", "value": "risk"});
        assert_eq!(answer(risk, json!({"subject_country": "DE"})).0, Answer::Unknown);
    }

    #[test]
    fn an_unknown_comparison_is_refused_with_the_ones_there_are() {
        let refused = serde_json::from_value::<Condition>(json!({"op": "like", "fact": "a"}));
        let message = refused.unwrap_err().to_string();
        assert!(message.contains("like") && message.contains("neq"), "{message}");
    }
}
