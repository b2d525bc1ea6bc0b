//! The facts that may be declared: those that a law or an own duty asks for.

use std::collections::BTreeMap;

use deadlines::{AskedFact, FactForm, Law, Places};
use serde_json::Value;

use super::{LEVELS, TRUTHS, place};
use crate::{
    document::{Node, Text},
    problem::{Problems, nearest},
    section::{quoted, scalar, whole_number},
};

/// What law and own duties ask for.
pub(super) struct Asked<'law> {
    places: &'law Places,
    by_law: BTreeMap<String, AskedFact>,
    by_own_duties: BTreeMap<String, FactForm>,
}

impl<'law> Asked<'law> {
    pub(super) fn by(law: &'law Law) -> Self {
        let mut by_law = law.asked_facts();
        let words = LEVELS.iter().map(|(word, _)| (*word).to_owned()).collect();
        by_law.insert("severity".to_owned(), AskedFact { form: FactForm::Words, words });
        Self { places: law.places(), by_law, by_own_duties: BTreeMap::new() }
    }

    pub(super) fn places(&self) -> &'law Places {
        self.places
    }

    /// The form in which a fact is asked for; `None` for a fact that nobody asks for.
    pub(super) fn form(&self, fact: &str) -> Option<FactForm> {
        self.by_law
            .get(fact)
            .map(|asked| asked.form)
            .or_else(|| self.by_own_duties.get(fact).copied())
    }

    /// The names of all facts that somebody asks for.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_law.keys().chain(self.by_own_duties.keys()).map(String::as_str)
    }

    /// The fact of the law whose name `given` nearly is.
    pub(super) fn nearest_of_law(&self, given: &str) -> Option<&str> {
        nearest(given, self.by_law.keys().map(String::as_str))
    }

    /// Notes that an own duty asks for a fact in a form.
    pub(super) fn ask(&mut self, fact: &str, form: FactForm) {
        if !self.by_law.contains_key(fact) {
            self.by_own_duties.entry(fact.to_owned()).or_insert(form);
        }
    }

    /// One value of a fact, in the form in which it is asked for. A word that is nearly one of the law's is taken for
    /// a slip: it would answer no.
    pub(super) fn value(
        &self,
        fact: &str,
        form: FactForm,
        node: &Node,
        path: &str,
        problems: &mut Problems<'_>,
    ) -> Option<Value> {
        match form {
            FactForm::Truth => {
                let text = scalar(node, path, problems)?;
                let truth = TRUTHS.iter().find(|(word, _)| *word == text.text);
                if truth.is_none() {
                    problems.add(
                        text.at,
                        format!("{path}: {} is neither true nor false", quoted(&text.text)),
                        "write one of the two",
                    );
                }
                truth.map(|(_, truth)| Value::from(*truth))
            }
            FactForm::Number => {
                let text = scalar(node, path, problems)?;
                whole_number(&text, path, 0..=u32::MAX, problems).map(Value::from)
            }
            FactForm::Place => {
                place::place(node, path, self.places, problems).map(|text| Value::from(text.text))
            }
            FactForm::Words => {
                let text = scalar(node, path, problems)?;
                self.word(fact, &text, path, problems).then(|| Value::from(text.text))
            }
        }
    }

    fn word(&self, fact: &str, text: &Text, path: &str, problems: &mut Problems<'_>) -> bool {
        let Some(AskedFact { words, .. }) = self.by_law.get(fact) else { return true };
        if words.contains(&text.text) {
            return true;
        }
        let Some(word) = nearest(&text.text, words.iter().map(String::as_str)) else { return true };
        problems.add(
            text.at,
            format!("{path}: {} is asked for by no law", quoted(&text.text)),
            format!("did you mean {word}?"),
        );
        false
    }
}
