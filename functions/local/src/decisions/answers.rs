//! Whether an answer to a question of fact can decide anything.
//!
//! A name that no law asks for decides nothing, and a value of another form than the law compares with answers no where nothing
//! is known. Both are slips that nobody would see: a duty would go off the list.

use assessment::configuration::Configuration;
use deadlines::{AskedFact, FactForm, Law, LawError};
use serde_json::Value;

/// What is wrong with an answer, and what to write; `None` where it can decide something, or says that it is not known.
pub(super) fn mistake(
    configuration: &Configuration,
    fact: &str,
    value: &Value,
) -> Result<Option<String>, LawError> {
    if fact == "risk" {
        let command = "breachclock incident risk INCIDENT LEVEL --reason WHY";
        return Ok(Some(format!("the risk is assessed, with `{command}`")));
    }
    let law = Law::embedded()?.and_own_duties(configuration.law.duties.clone())?;
    let asked = law.asked_facts();
    let Some(of_fact) = asked.get(fact) else {
        let hint = match nearest(fact, asked.keys().map(String::as_str)) {
            Some(near) => format!("did you mean {near}?"),
            None => "`breachclock incident show INCIDENT` lists what is asked for".to_owned(),
        };
        return Ok(Some(format!("no law asks for the fact {fact}; {hint}")));
    };
    let mistake = match value {
        Value::Null => None,
        Value::Array(values) => values.iter().find_map(|value| of_one(&law, of_fact, value)),
        value => of_one(&law, of_fact, value),
    };
    Ok(mistake.map(|why| format!("{value} is no answer on {fact}: {why}")))
}

fn of_one(law: &Law, asked: &AskedFact, value: &Value) -> Option<String> {
    match (asked.form, value) {
        // An object is a value by place, or an interval.
        (_, Value::Object(_))
        | (FactForm::Truth, Value::Bool(_)) => None,
        (FactForm::Number, Value::Number(number)) if number.is_u64() => None,
        (FactForm::Truth, _) => Some("write true or false, or null for not known".to_owned()),
        (FactForm::Number, _) => Some("write a whole number from 0 on, or null for not known".to_owned()),
        (FactForm::Place, Value::String(place)) if law.places().is_place(place) => None,
        (FactForm::Place, _) => Some(
            "write a code of ISO 3166, as DE or US-CA, a list of them as '[\"DE\",\"FR\"]', or null for not known"
                .to_owned(),
        ),
        (FactForm::Words, Value::String(word)) if asked.words.contains(word) => None,
        (FactForm::Words, Value::String(word)) => nearest(word, asked.words.iter().map(String::as_str))
            .map(|near| format!("did you mean {near}?")),
        (FactForm::Words, _) => {
            let words: Vec<&str> = asked.words.iter().map(String::as_str).collect();
            Some(format!("write a word, as one of: {}; or null for not known", words.join(", ")))
        }
    }
}

/// The one of these words that is nearly the given one.
fn nearest<'word>(given: &str, words: impl Iterator<Item = &'word str>) -> Option<&'word str> {
    let slips_max = (given.chars().count() / 3).clamp(1, 4);
    words
        .map(|word| (strsim::damerau_levenshtein(given, word), word))
        .filter(|(slips, _)| *slips <= slips_max)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, word)| word)
}
