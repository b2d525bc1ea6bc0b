//! The file `law`: what the customer declares of law.

use std::collections::BTreeMap;

use deadlines::{InternalTargets, Law, LawSettings, ReminderPlan, ReminderPolicy};

use super::{
    LEVELS, Seen,
    asked::Asked,
    duties::{LIMIT_MAX, Regimes, duties},
    facts::facts,
};
use crate::{
    document::{Node, Text, Value},
    problem::Problems,
    section::{Section, scalar, sequence, whole_number, word},
};

/// A year: no reminder is worth more.
const MINUTES_MAX: u32 = 366 * 24 * 60;

pub(super) fn law(node: &Node, law: &Law, problems: &mut Problems<'_>) -> Option<LawSettings> {
    // A folder may say nothing of its own: the law and the defaults stand.
    if matches!(node.value, Value::Null) {
        return Some(LawSettings::default());
    }
    let keys = ["facts", "duties", "targets", "reminders"];
    let file = Section::open(node, String::new(), &keys, problems)?;
    let mut asked = Asked::by(law);
    let mut declared = Seen::default();
    let duties = duties(&file, law, (&mut asked, &mut declared), problems);
    let facts = facts(&file, &asked, problems);
    let regimes = Regimes::of(law, &duties, &declared);
    let targets = targets(&file, &regimes, problems);
    let reminders = reminders(&file, &regimes, problems);
    Some(LawSettings { facts, duties, targets, reminders })
}

fn targets(
    file: &Section<'_>,
    regimes: &Regimes<'_>,
    problems: &mut Problems<'_>,
) -> InternalTargets {
    let mut targets = InternalTargets::default();
    let Some(node) = file.get("targets") else { return targets };
    let keys = ["hours", "hours_by_severity", "hours_by_regime"];
    let Some(section) = Section::open(node, file.place("targets"), &keys, problems) else {
        return targets;
    };
    if let Some(node) = section.get("hours") {
        targets.hours = hours(node, &section.place("hours"), problems).unwrap_or(targets.hours);
    }
    targets.hours_by_severity.extend(by_name(
        &section,
        "hours_by_severity",
        is_severity,
        hours,
        problems,
    ));
    let without_limit = |name: &Text, path: &str, problems: &mut Problems<'_>| {
        let Some(has_limit) = regimes.has_limit(name, path, problems) else { return };
        if has_limit {
            problems.add(
                name.at,
                format!("{path}: {} has a limit of its own, so no target counts for it", name.text),
                "take the line out; to be told earlier, name it under `reminders: by_regime:`",
            );
        }
    };
    targets.hours_by_regime.extend(by_name(
        &section,
        "hours_by_regime",
        without_limit,
        hours,
        problems,
    ));
    targets
}

fn reminders(
    file: &Section<'_>,
    regimes: &Regimes<'_>,
    problems: &mut Problems<'_>,
) -> ReminderPolicy {
    let mut policy = ReminderPolicy::default();
    let Some(node) = file.get("reminders") else { return policy };
    let keys = ["general", "possible", "by_severity", "by_regime"];
    let Some(section) = Section::open(node, file.place("reminders"), &keys, problems) else {
        return policy;
    };
    let mut named = |key: &str, default: &mut ReminderPlan| {
        let given = section.get(key).and_then(|node| plan(node, &section.place(key), problems));
        if let Some(given) = given {
            *default = given;
        }
    };
    named("general", &mut policy.general);
    named("possible", &mut policy.possible);
    policy.by_severity.extend(by_name(&section, "by_severity", is_severity, plan, problems));
    let is_regime = |name: &Text, path: &str, problems: &mut Problems<'_>| {
        regimes.has_limit(name, path, problems);
    };
    policy.by_regime.extend(by_name(&section, "by_regime", is_regime, plan, problems));
    policy
}

/// A mapping from names to values. A value is read whatever is wrong with its name, so that all is told at once.
fn by_name<T>(
    section: &Section<'_>,
    key: &str,
    check: impl Fn(&Text, &str, &mut Problems<'_>),
    read: impl Fn(&Node, &str, &mut Problems<'_>) -> Option<T>,
    problems: &mut Problems<'_>,
) -> BTreeMap<String, T> {
    let mut found = BTreeMap::new();
    let Some(node) = section.get(key) else { return found };
    let Some(names) = Section::open_any(node, section.place(key), problems) else { return found };
    for (name, node) in names.entries() {
        check(name, names.path(), problems);
        if let Some(value) = read(node, &names.place(&name.text), problems) {
            found.insert(name.text.clone(), value);
        }
    }
    found
}

fn is_severity(name: &Text, path: &str, problems: &mut Problems<'_>) {
    word(name, path, &LEVELS, problems);
}

fn hours(node: &Node, path: &str, problems: &mut Problems<'_>) -> Option<u32> {
    let text = scalar(node, path, problems)?;
    whole_number(&text, path, 1..=LIMIT_MAX, problems)
}

fn plan(node: &Node, path: &str, problems: &mut Problems<'_>) -> Option<ReminderPlan> {
    let keys = ["remaining_percent", "remaining_minutes", "repeat_hours"];
    let section = Section::open(node, path.to_owned(), &keys, problems)?;
    if section.entries().is_empty() {
        problems.add(
            section.at(),
            format!("{path} plans nothing"),
            "add `remaining_percent:` or `remaining_minutes:`, `[]` for no reminder before the end",
        );
    }
    let mut numbers = |key: &str, max: u32| {
        let path = section.place(key);
        let nodes = section.get(key).map_or(&[][..], |node| sequence(node, &path, problems));
        let mut seen = Seen::default();
        let mut numbers = Vec::new();
        for node in nodes {
            let Some(text) = scalar(node, &path, problems) else { continue };
            let Some(number) = whole_number(&text, &path, 1..=max, problems) else { continue };
            seen.first(&number.to_string(), &path, text.at, problems);
            numbers.push(number);
        }
        numbers
    };
    let remaining_percent = numbers("remaining_percent", 99);
    let remaining_minutes = numbers("remaining_minutes", MINUTES_MAX);
    let repeat_hours = section
        .get("repeat_hours")
        .and_then(|node| hours(node, &section.place("repeat_hours"), problems));
    Some(ReminderPlan { remaining_percent, remaining_minutes, repeat_hours })
}
