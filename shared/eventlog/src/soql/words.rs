//! Cuts the text of a query into words.

/// Most words of a query that are looked at; a query may have 100,000 characters.
const MAX_WORDS: usize = 100_000;

/// A word of a query. Values that stand in quotes are `Other`, so that they never come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word<'a> {
    Name(&'a str),
    Number(&'a str),
    Open,
    Close,
    Comma,
    Other,
}

impl Word<'_> {
    /// Whether this is `keyword`, which queries may write in any case.
    pub(super) fn is(self, keyword: &str) -> bool {
        matches!(self, Self::Name(name) if name.eq_ignore_ascii_case(keyword))
    }
}

/// The words of a query, each once, in time that grows with its length.
pub(super) fn words(query: &str) -> Vec<Word<'_>> {
    // A `%` is part of a word so that what is still percent-encoded falls out as no name.
    let is_name = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | ':' | '%')
    };
    let mut words = Vec::new();
    let mut rest = query.trim_start();
    while let Some(first) = rest.chars().next() {
        if words.len() == MAX_WORDS {
            break;
        }
        if is_name(first) {
            let end = rest.find(|character| !is_name(character)).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            words.push(if first.is_ascii_alphabetic() {
                Word::Name(word)
            } else if first.is_ascii_digit() {
                Word::Number(word)
            } else {
                Word::Other
            });
            rest = behind;
        } else {
            let behind = rest.get(first.len_utf8()..).unwrap_or_default();
            rest = match first {
                '\'' => behind_unescaped(behind, '\''),
                _ => behind,
            };
            words.push(match first {
                '(' => Word::Open,
                ')' => Word::Close,
                ',' => Word::Comma,
                _ => Word::Other,
            });
        }
        rest = rest.trim_start();
    }
    words
}

/// What stands behind the first `end` that no backslash escapes; nothing where there is none.
pub(super) fn behind_unescaped(text: &str, end: char) -> &str {
    let mut characters = text.chars();
    let mut escaped = false;
    for character in characters.by_ref() {
        if character == end && !escaped {
            break;
        }
        escaped = character == '\\' && !escaped;
    }
    characters.as_str()
}
