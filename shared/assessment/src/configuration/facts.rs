//! What holds of the organisation in every incident.

use deadlines::{FactForm, Facts};
use serde_json::{Map, Value, json};

use super::{Seen, asked::Asked, place::meant_place};
use crate::{
    document::{self, Node, Text},
    problem::{Problems, nearest},
    section::{Section, quoted, sequence},
};

/// Facts that have a place of their own. Said twice, they could contradict each other.
const SAID_ELSEWHERE: [(&str, &str); 5] = [
    ("authority_region", "write it as `region:` in the organisation file"),
    ("establishment_country", "it is `country:` of the organisation file; take it out"),
    ("severity", "it is judged from the logs; take it out"),
    ("subject_country", "write it as `subject_countries:` of each org in the orgs file"),
    ("subject_region", "write it as `subject_countries:` of each org in the orgs file"),
];

pub(super) fn facts(file: &Section<'_>, asked: &Asked<'_>, problems: &mut Problems<'_>) -> Facts {
    let mut facts = Facts::default();
    let Some(node) = file.get("facts") else { return facts };
    let Some(section) = Section::open_any(node, file.place("facts"), problems) else {
        return facts;
    };
    let mut seen = Seen::default();
    for (key, node) in section.entries() {
        let path = section.place(&key.text);
        let mut declare = |name: &str, key: &Text, node: &Node, problems: &mut Problems<'_>| {
            let path = section.place(name);
            let Some(form) = known(name, key, &path, asked, problems) else { return };
            seen.first(name, section.path(), key.at, problems);
            if matches!(node.value, document::Value::Null) {
                return;
            }
            if let Some(value) = value(name, form, node, &path, asked, problems) {
                facts = std::mem::take(&mut facts).with(name, value);
            }
        };
        let prefix = format!("{}.", key.text);
        let is_group = asked.form(&key.text).is_none()
            && matches!(node.value, document::Value::Mapping(_))
            && asked.names().any(|name| name.starts_with(&prefix));
        if is_group {
            let Some(group) = Section::open_any(node, path, problems) else { continue };
            for (key, node) in group.entries() {
                declare(&format!("{prefix}{}", key.text), key, node, problems);
            }
        } else {
            declare(&key.text, key, node, problems);
        }
    }
    facts
}

/// The form of a fact that may be declared here.
fn known(
    name: &str,
    key: &Text,
    path: &str,
    asked: &Asked<'_>,
    problems: &mut Problems<'_>,
) -> Option<FactForm> {
    if let Some((_, remedy)) = SAID_ELSEWHERE.iter().find(|(known, _)| *known == name) {
        problems.add(key.at, format!("{path} is not declared here"), *remedy);
        return None;
    }
    let form = asked.form(name);
    if form.is_none() {
        let remedy = match nearest(name, asked.names()) {
            Some(near) => format!("did you mean {near}?"),
            None => "docs/LAW.md tells what each law asks for".to_owned(),
        };
        problems.add(key.at, format!("{path} is asked for by no law and no own duty"), remedy);
    }
    form
}

fn value(
    name: &str,
    form: FactForm,
    node: &Node,
    path: &str,
    asked: &Asked<'_>,
    problems: &mut Problems<'_>,
) -> Option<Value> {
    let document::Value::Mapping(entries) = &node.value else {
        return at_one_place(name, form, node, path, asked, problems);
    };
    if !entries.iter().any(|(key, _)| key.text == "by_place") {
        return at_one_place(name, form, node, path, asked, problems);
    }
    let section = Section::open(node, path.to_owned(), &["by_place"], problems)?;
    let node = section.get("by_place")?;
    let by_place = Section::open_any(node, section.place("by_place"), problems)?;
    let mut values = Map::new();
    for (code, node) in by_place.entries() {
        let place = by_place.place(&code.text);
        if !is_place_of_law(&code.text, asked) {
            problems.add(
                code.at,
                format!("{place}: {} is no place that a law is of", quoted(&code.text)),
                meant_place(&code.text, asked.places()),
            );
        }
        if let Some(value) = at_one_place(name, form, node, &place, asked, problems) {
            values.insert(code.text.clone(), value);
        }
    }
    Some(json!({ "by_place": values }))
}

/// Laws are of countries, of their parts, and of groups of countries.
fn is_place_of_law(code: &str, asked: &Asked<'_>) -> bool {
    asked.places().is_place(code) || asked.places().groups().any(|group| group == code)
}

fn at_one_place(
    name: &str,
    form: FactForm,
    node: &Node,
    path: &str,
    asked: &Asked<'_>,
    problems: &mut Problems<'_>,
) -> Option<Value> {
    match (&node.value, form) {
        (document::Value::Sequence(items), FactForm::Words | FactForm::Place) => {
            if items.is_empty() {
                problems.add(
                    node.at,
                    format!("{path} is an empty list"),
                    "name at least one, or write a word such as none",
                );
            }
            let mut seen = Seen::default();
            let values = sequence(node, path, problems).iter().filter_map(|node| {
                let value = asked.value(name, form, node, path, problems)?;
                seen.first(value.as_str().unwrap_or_default(), path, node.at, problems);
                Some(value)
            });
            Some(Value::from(values.collect::<Vec<_>>()))
        }
        (document::Value::Mapping(_), FactForm::Number) => {
            interval(name, node, path, asked, problems)
        }
        _ => asked.value(name, form, node, path, problems),
    }
}

fn interval(
    name: &str,
    node: &Node,
    path: &str,
    asked: &Asked<'_>,
    problems: &mut Problems<'_>,
) -> Option<Value> {
    let section = Section::open(node, path.to_owned(), &["lower", "upper"], problems)?;
    let end = |key: &str, problems: &mut Problems<'_>| {
        asked.value(name, FactForm::Number, section.get(key)?, &section.place(key), problems)
    };
    let (lower, upper) = (end("lower", problems), end("upper", problems));
    if section.get("lower").is_none() {
        problems.add(
            section.at(),
            format!("{} is missing", section.place("lower")),
            "add `lower:` here, 0 where nothing is known",
        );
    }
    let lower = lower?;
    if let (Some(least), Some(most)) = (lower.as_u64(), upper.as_ref().and_then(Value::as_u64))
        && most < least
    {
        let at = section.get("upper").map_or(section.at(), |node| node.at);
        problems.add(
            at,
            format!("{} is less than lower", section.place("upper")),
            "exchange the two",
        );
    }
    let ends = [("lower", Some(lower)), ("upper", upper)];
    let ends = ends.into_iter().filter_map(|(key, end)| Some((key.to_owned(), end?)));
    Some(Value::from(ends.collect::<Map<_, _>>()))
}
