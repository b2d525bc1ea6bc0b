//! What is wrong with a configuration file, where, and what to do about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::document::Position;

/// One mistake in one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The file's name, as it was handed in.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, reason, remedy } = self;
        write!(formatter, "{file}:{line}:{column}: {reason}; {remedy}")
    }
}

/// The configuration was refused as a whole. Shows one problem a line, in the order of files and lines.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub struct ConfigurationError {
    /// Every problem that was found; never empty.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigurationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{problem}")?;
        }
        Ok(())
    }
}

/// Collects the problems of one file.
pub(crate) struct Problems<'file> {
    file: &'file str,
    found: Vec<Problem>,
}

impl<'file> Problems<'file> {
    pub(crate) fn of(file: &'file str) -> Self {
        Self { file, found: Vec::new() }
    }

    pub(crate) fn add(&mut self, at: Position, reason: String, remedy: impl Into<String>) {
        let (file, remedy) = (self.file.to_owned(), remedy.into());
        self.found.push(Problem { file, line: at.line, column: at.column, reason, remedy });
    }

    /// The problems in the order of their lines.
    pub(crate) fn into_sorted(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|problem| (problem.line, problem.column));
        self.found
    }
}

/// The word of `words` that `given` was probably meant to be.
pub(crate) fn nearest<'word>(
    given: &str,
    words: impl IntoIterator<Item = &'word str>,
) -> Option<&'word str> {
    let given = given.to_lowercase();
    let allowed = (given.chars().count() / 3).clamp(1, 4);
    words
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&given, &word.to_lowercase()), word))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// `did you mean X?`, or else all the words there are.
pub(crate) fn suggest(given: &str, words: &[&str]) -> String {
    match nearest(given, words.iter().copied()) {
        Some(word) => format!("did you mean {word}?"),
        None if words.is_empty() => "there is none yet; declare it first".to_owned(),
        None => format!("use one of {}", words.join(", ")),
    }
}
