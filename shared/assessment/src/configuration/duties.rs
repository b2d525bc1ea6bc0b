//! Duties that the customer has beside the law.

use std::collections::BTreeSet;

use deadlines::{
    Condition, FactForm, Law, LawError, Limit, LimitUnit, Method, OwnDuty, SecondLimit, TriggerKind,
};
use serde_json::Value;

use super::{Seen, TRUTHS, asked::Asked, slug};
use crate::{
    document::{Node, Text},
    problem::{Problems, nearest},
    section::{Section, quoted, scalar, whole_number, word},
};

/// More of any unit than a contract gives.
pub(super) const LIMIT_MAX: u32 = 10_000;

const TRIGGERS: [(&str, TriggerKind); 14] = [
    ("occurred", TriggerKind::Occurred),
    ("logged", TriggerKind::Logged),
    ("landed", TriggerKind::Landed),
    ("detected", TriggerKind::Detected),
    ("aware", TriggerKind::Aware),
    ("assessed", TriggerKind::Assessed),
    ("classified", TriggerKind::Classified),
    ("materiality_determined", TriggerKind::MaterialityDetermined),
    ("causal_link_established", TriggerKind::CausalLinkEstablished),
    ("initial_sent", TriggerKind::InitialSent),
    ("notification_sent", TriggerKind::NotificationSent),
    ("intermediate_sent", TriggerKind::IntermediateSent),
    ("incident_handled", TriggerKind::IncidentHandled),
    ("corrective_measure_available", TriggerKind::CorrectiveMeasureAvailable),
];

const UNITS: [(&str, LimitUnit); 4] = [
    ("hours", LimitUnit::Hours),
    ("days", LimitUnit::Days),
    ("months", LimitUnit::Months),
    ("business_days", LimitUnit::BusinessDays),
];

pub(super) fn duties(
    file: &Section<'_>,
    law: &Law,
    (asked, declared): (&mut Asked<'_>, &mut Seen),
    problems: &mut Problems<'_>,
) -> Vec<OwnDuty> {
    let mut duties = Vec::new();
    for (index, node) in file.optional_list("duties", problems).iter().enumerate() {
        let path = format!("{}[{index}]", file.place("duties"));
        duties.extend(duty(node, path, law, (asked, declared), problems));
    }
    duties
}

fn duty(
    node: &Node,
    path: String,
    law: &Law,
    (asked, declared): (&mut Asked<'_>, &mut Seen),
    problems: &mut Problems<'_>,
) -> Option<OwnDuty> {
    const KEYS: [&str; 14] = [
        "id",
        "title",
        "basis",
        "who_notifies",
        "who_is_told",
        "applies_when",
        "starts_at",
        "follows",
        "limit",
        "counting",
        "extension",
        "second_limit",
        "content_ref",
        "phased",
    ];
    let section = Section::open(node, path, &KEYS, problems)?;
    let id = slug(&section, "id", problems);
    if let Some(id) = &id {
        declared.first(&id.text, &section.place("id"), id.at, problems);
    }
    let title = section.text("title", problems);
    let basis = section.text("basis", problems);
    let who_notifies = section.text("who_notifies", problems);
    let who_is_told = section.text("who_is_told", problems);
    let applies_when = conditions(
        section.optional_list("applies_when", problems),
        &section.place("applies_when"),
        asked,
        problems,
    );
    let starts_at = section.word("starts_at", &TRIGGERS, problems);
    let follows = section
        .optional_list("follows", problems)
        .iter()
        .zip(0_usize..)
        .filter_map(|(node, index)| {
            scalar(node, &format!("{}[{index}]", section.place("follows")), problems)
        })
        .map(|followed| followed.text)
        .collect();
    let limit = section.get("limit").map(|node| limit(node, section.place("limit"), problems));
    let is_countable =
        check_limit(&section, limit.flatten().map(|limit| limit.unit), law, problems);
    let second_limit = section
        .get("second_limit")
        .map(|node| second_limit(node, section.place("second_limit"), problems));
    let rules: Vec<&str> = law.counting_rules().iter().map(|rule| rule.id.as_str()).collect();
    let contents: Vec<&str> = law.content_refs().collect();
    let counting = known(&section, "counting", &rules, problems);
    let extension = known(&section, "extension", &rules, problems);
    let content_ref = known(&section, "content_ref", &contents, problems);
    let phased = section.optional_word("phased", &TRUTHS, problems).unwrap_or_default();
    let duty = OwnDuty {
        id: id?.text,
        title: title?.text,
        basis: basis?.text,
        who_notifies: who_notifies?.text,
        who_is_told: who_is_told?.text,
        applies_when,
        starts_at: starts_at?,
        follows,
        // A limit that could not be read must not become none.
        limit: match limit {
            None => None,
            Some(read) => Some(read?),
        },
        counting: counting?,
        extension: extension?,
        second_limit: match second_limit {
            None => None,
            Some(read) => Some(read?),
        },
        content_ref: content_ref?,
        phased,
    };
    if is_countable {
        check_counting(&section, &duty, law, problems);
    }
    Some(duty)
}

/// One of the names of the law data that may be there: `None` where it is wrong, `Some(None)` where it is absent.
#[expect(clippy::option_option, reason = "a wrong name must not become none")]
fn known(
    section: &Section<'_>,
    key: &str,
    names: &[&str],
    problems: &mut Problems<'_>,
) -> Option<Option<String>> {
    if section.get(key).is_none() {
        return Some(None);
    }
    let text = section.text(key, problems)?;
    let words: Vec<(&str, ())> = names.iter().map(|name| (*name, ())).collect();
    word(&text, &section.place(key), &words, problems)?;
    Some(Some(text.text))
}

fn limit(node: &Node, path: String, problems: &mut Problems<'_>) -> Option<Limit> {
    let section = Section::open(node, path, &["value", "unit"], problems)?;
    let value = number(&section, "value", problems);
    let unit = section.word("unit", &UNITS, problems);
    Some(Limit { value: value?, unit: unit? })
}

fn second_limit(node: &Node, path: String, problems: &mut Problems<'_>) -> Option<SecondLimit> {
    const HOURS: [(&str, LimitUnit); 1] = [("hours", LimitUnit::Hours)];
    let keys = ["starts_at", "value", "unit", "note"];
    let section = Section::open(node, path, &keys, problems)?;
    let starts_at = section.word("starts_at", &TRIGGERS, problems);
    let value = number(&section, "value", problems);
    let unit = section.word("unit", &HOURS, problems);
    let note = section.text("note", problems);
    Some(SecondLimit { starts_at: starts_at?, value: value?, unit: unit?, note: note?.text })
}

fn number(section: &Section<'_>, key: &str, problems: &mut Problems<'_>) -> Option<u32> {
    let text = section.text(key, problems)?;
    whole_number(&text, &section.place(key), 1..=LIMIT_MAX, problems)
}

/// Whether there is a limit with a rule to count it by, the unit's own included. Looked at whatever else is wrong with the duty.
fn check_limit(
    section: &Section<'_>,
    unit: Option<LimitUnit>,
    law: &Law,
    problems: &mut Problems<'_>,
) -> bool {
    let Some(limit) = section.get("limit") else {
        for key in ["counting", "extension", "second_limit"] {
            if let Some(node) = section.get(key) {
                problems.add(
                    node.at,
                    format!("{} stands without a limit", section.place(key)),
                    "add `limit:`, or take the line out for an internal target",
                );
            }
        }
        return false;
    };
    if unit == Some(LimitUnit::BusinessDays) && section.get("counting").is_none() {
        let rules = law.counting_rules().iter();
        let rules = rules.filter(|rule| matches!(rule.method, Method::WorkingDays { .. }));
        let names: Vec<&str> = rules.map(|rule| rule.id.as_str()).collect();
        problems.add(
            limit.at,
            format!("{} needs a calendar of working days", section.place("limit")),
            format!("add `counting:` with one of {}", names.join(", ")),
        );
        return false;
    }
    true
}

/// Whether the limit can be counted by the rules that are named for it, as the law itself tells. Without the extension
/// first, so that what is refused is told at the line that it stands in.
fn check_counting(section: &Section<'_>, duty: &OwnDuty, law: &Law, problems: &mut Problems<'_>) {
    let without = OwnDuty { extension: None, ..duty.clone() };
    for (key, duty) in [("counting", without), ("extension", duty.clone())] {
        let Some(node) = section.get(key) else { continue };
        if let Err(reason) = judged(law, duty) {
            let reason = format!("{}: {reason}", section.place(key));
            problems.add(node.at, reason, "docs/LAW.md tells what each rule does");
            return;
        }
    }
}

fn judged(law: &Law, duty: OwnDuty) -> Result<(), String> {
    match law.clone().only(&[]).and_then(|law| law.and_own_duties(vec![duty])) {
        Ok(_) => Ok(()),
        Err(LawError::Regime { reason, .. }) => Err(reason),
        Err(error) => Err(error.to_string()),
    }
}

/// What a condition does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Any,
    All,
    Eq,
    Neq,
    In,
    AnyOf,
    InGroup,
    Gt,
    Gte,
    Lt,
    Lte,
}

const OPERATORS: [(&str, Operator); 11] = [
    ("any", Operator::Any),
    ("all", Operator::All),
    ("eq", Operator::Eq),
    ("neq", Operator::Neq),
    ("in", Operator::In),
    ("any_of", Operator::AnyOf),
    ("in_group", Operator::InGroup),
    ("gt", Operator::Gt),
    ("gte", Operator::Gte),
    ("lt", Operator::Lt),
    ("lte", Operator::Lte),
];

impl Operator {
    /// The keys that go with it, beside `op`.
    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Any | Self::All => &["of"],
            Self::In | Self::AnyOf => &["fact", "values"],
            Self::InGroup => &["fact", "group"],
            _ => &["fact", "value"],
        }
    }

    /// The form that it asks for; `None` where the value says it.
    const fn form(self) -> Option<FactForm> {
        match self {
            Self::InGroup => Some(FactForm::Place),
            Self::Gt | Self::Gte | Self::Lt | Self::Lte => Some(FactForm::Number),
            _ => None,
        }
    }
}

fn conditions(
    nodes: &[Node],
    path: &str,
    asked: &mut Asked<'_>,
    problems: &mut Problems<'_>,
) -> Vec<Condition> {
    let read = |(index, node)| condition(node, format!("{path}[{index}]"), asked, problems);
    nodes.iter().enumerate().filter_map(read).collect()
}

fn condition(
    node: &Node,
    path: String,
    asked: &mut Asked<'_>,
    problems: &mut Problems<'_>,
) -> Option<Condition> {
    let keys = ["op", "fact", "value", "values", "group", "of"];
    let section = Section::open(node, path, &keys, problems)?;
    let operator = section.word("op", &OPERATORS, problems)?;
    for (key, _) in section.entries() {
        let name = key.text.as_str();
        if keys.contains(&name) && name != "op" && !operator.keys().contains(&name) {
            problems.add(
                key.at,
                format!("{} does not go with this `op:`", section.place(name)),
                format!("it takes {}", operator.keys().join(" and ")),
            );
        }
    }
    if matches!(operator, Operator::Any | Operator::All) {
        let of = section.list("of", problems);
        let of = conditions(of, &section.place("of"), asked, problems);
        return Some(if operator == Operator::Any {
            Condition::Any { of }
        } else {
            Condition::All { of }
        });
    }
    let fact = fact(&section, operator, asked, problems)?;
    let mut read = |node: &Node, key: &str, problems: &mut Problems<'_>| {
        compared(&fact, node, &section.place(key), asked, problems)
    };
    let mut one = |problems: &mut Problems<'_>| {
        section.text("value", problems)?;
        read(section.get("value")?, "value", problems)
    };
    Some(match operator {
        Operator::Eq => Condition::Eq { value: one(problems)?, fact },
        Operator::Neq => Condition::Neq { value: one(problems)?, fact },
        Operator::Gt => Condition::Gt { value: one(problems)?.as_u64()?, fact },
        Operator::Gte => Condition::Gte { value: one(problems)?.as_u64()?, fact },
        Operator::Lt => Condition::Lt { value: one(problems)?.as_u64()?, fact },
        Operator::Lte => Condition::Lte { value: one(problems)?.as_u64()?, fact },
        Operator::InGroup => {
            let groups: Vec<&str> = asked.places().groups().collect();
            Condition::InGroup { group: known(&section, "group", &groups, problems)??, fact }
        }
        Operator::In | Operator::AnyOf => {
            let nodes = section.list("values", problems).iter();
            let values = nodes.filter_map(|node| read(node, "values", problems)).collect();
            if operator == Operator::In {
                Condition::In { fact, values }
            } else {
                Condition::AnyOf { fact, values }
            }
        }
        // Read above.
        Operator::Any | Operator::All => return None,
    })
}

/// The fact that a condition asks for: one of the law's, or one of the customer's own whose name cannot be taken for
/// one of the law's.
fn fact(
    section: &Section<'_>,
    operator: Operator,
    asked: &mut Asked<'_>,
    problems: &mut Problems<'_>,
) -> Option<String> {
    let text = section.text("fact", problems)?;
    let place = section.place("fact");
    match (asked.form(&text.text), operator.form()) {
        (Some(form), Some(wanted)) if form != wanted => {
            problems.add(
                text.at,
                format!("{place}: {} is {}, not {}", quoted(&text.text), noun(form), noun(wanted)),
                "compare it with eq or in",
            );
            return None;
        }
        (Some(_), _) => return Some(text.text),
        (None, _) => {}
    }
    if let Some(near) = asked.nearest_of_law(&text.text) {
        problems.add(
            text.at,
            format!("{place}: {} is asked for by no law", quoted(&text.text)),
            format!("did you mean {near}? A fact of your own needs a name that is less like it"),
        );
        return None;
    }
    if !is_fact_name(&text.text) {
        problems.add(
            text.at,
            format!("{place}: {} is no name of a fact", quoted(&text.text)),
            "use up to 64 small letters, digits and underscores, a letter first",
        );
        return None;
    }
    if let Some(form) = operator.form() {
        asked.ask(&text.text, form);
    }
    Some(text.text)
}

fn is_fact_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|character| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_'
        })
}

const fn noun(form: FactForm) -> &'static str {
    match form {
        FactForm::Truth => "true or false",
        FactForm::Number => "a number",
        FactForm::Words => "a word",
        FactForm::Place => "a place",
    }
}

/// A value that a fact is compared with. Of a fact of the customer's own its first value tells the form.
fn compared(
    fact: &str,
    node: &Node,
    path: &str,
    asked: &mut Asked<'_>,
    problems: &mut Problems<'_>,
) -> Option<Value> {
    let form = match asked.form(fact) {
        Some(form) => form,
        None => form_of(&scalar(node, path, problems)?),
    };
    asked.ask(fact, form);
    asked.value(fact, form, node, path, problems)
}

fn form_of(text: &Text) -> FactForm {
    if TRUTHS.iter().any(|(word, _)| *word == text.text) {
        FactForm::Truth
    } else if text.text.chars().all(|character| character.is_ascii_digit()) {
        FactForm::Number
    } else {
        FactForm::Words
    }
}

/// The regimes by name, the law's and the customer's own.
pub(super) struct Regimes<'law> {
    law: &'law Law,
    own: BTreeSet<String>,
    own_with_limit: BTreeSet<String>,
}

impl<'law> Regimes<'law> {
    /// A duty with a mistake of its own is still `declared`: its mistake is told once, not at every mention.
    pub(super) fn of(law: &'law Law, duties: &[OwnDuty], declared: &Seen) -> Self {
        let name = |id: &str| format!("own-{id}");
        let with_limit = duties.iter().filter(|duty| duty.limit.is_some());
        Self {
            law,
            own: declared.names().into_iter().map(name).collect(),
            own_with_limit: with_limit.map(|duty| name(&duty.id)).collect(),
        }
    }

    /// Whether the regime of that name has a limit of its own, in which case no target counts for it. `None`, with a
    /// problem, where there is no such regime.
    pub(super) fn has_limit(
        &self,
        name: &Text,
        path: &str,
        problems: &mut Problems<'_>,
    ) -> Option<bool> {
        let of_law = self.law.regime(&name.text);
        let found = of_law
            .map(|regime| regime.limit.is_some() || regime.counting.is_some())
            .or_else(|| self.own.get(&name.text).map(|own| self.own_with_limit.contains(own)));
        if found.is_none() {
            let of_law = self.law.regimes.iter().map(|regime| regime.id.as_str());
            let all = of_law.chain(self.own.iter().map(String::as_str));
            let own = self.own.get(&format!("own-{}", name.text)).map(String::as_str);
            let remedy = match own.or_else(|| nearest(&name.text, all)) {
                Some(near) => format!("did you mean {near}?"),
                None => "docs/LAW.md lists the regimes; a duty of your own is `own-` and its id"
                    .to_owned(),
            };
            problems.add(
                name.at,
                format!("{path}: there is no regime {}", quoted(&name.text)),
                remedy,
            );
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_law_data() {
        assert_eq!(TRIGGERS.map(|(_, kind)| kind), TriggerKind::ALL);
        for (word, kind) in TRIGGERS {
            assert_eq!(serde_json::to_value(kind).unwrap(), word);
        }
        for (word, unit) in UNITS {
            assert_eq!(serde_json::to_value(unit).unwrap(), word);
        }
    }
}
