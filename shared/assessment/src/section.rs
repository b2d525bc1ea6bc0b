//! A mapping of a configuration file, read key by key, with every mistake collected.

use std::ops::RangeInclusive;

use crate::{
    document::{Node, Position, Text, Value},
    problem::{Problems, nearest, suggest},
};

/// One mapping, with its path from the top of the file for messages: `agents[1].purposes[0]`.
pub(crate) struct Section<'node> {
    path: String,
    at: Position,
    entries: &'node [(Text, Node)],
}

impl<'node> Section<'node> {
    /// Opens `node` as a mapping that may hold `known` keys. Unknown and repeated keys become problems and
    /// do not hinder the rest; anything but a mapping is one problem and `None`.
    pub(crate) fn open(
        node: &'node Node,
        path: String,
        known: &[&str],
        problems: &mut Problems<'_>,
    ) -> Option<Self> {
        let remedy = format!("give it the keys {}", known.join(", "));
        let section = Self::of_mapping(node, path, remedy, problems)?;
        for (key, _) in section.entries {
            if !known.contains(&key.text.as_str()) {
                let reason = format!("{} is not known", section.place(&key.text));
                problems.add(key.at, reason, suggest(&key.text, known));
            }
        }
        Some(section)
    }

    /// Opens `node` as a mapping whose keys are names, which the caller looks at. Repeated ones become problems.
    pub(crate) fn open_any(
        node: &'node Node,
        path: String,
        problems: &mut Problems<'_>,
    ) -> Option<Self> {
        Self::of_mapping(node, path, "write `name: value` below it".to_owned(), problems)
    }

    fn of_mapping(
        node: &'node Node,
        path: String,
        remedy: String,
        problems: &mut Problems<'_>,
    ) -> Option<Self> {
        let Value::Mapping(entries) = &node.value else {
            let subject = if path.is_empty() { "the file".to_owned() } else { path };
            problems.add(
                node.at,
                format!("{subject} is {}, not a mapping of keys to values", node.value.kind()),
                remedy,
            );
            return None;
        };
        let section = Self { path, at: node.at, entries };
        for (index, (key, _)) in entries.iter().enumerate() {
            let place = section.place(&key.text);
            if let Some((first, _)) =
                entries.iter().take(index).find(|(other, _)| other.text == key.text)
            {
                problems.add(
                    key.at,
                    format!("{place} stands already in line {}", first.at.line),
                    "keep one of the two",
                );
            }
        }
        Some(section)
    }

    /// Where the mapping starts.
    pub(crate) fn at(&self) -> Position {
        self.at
    }

    /// The path from the top of the file.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The full path of a key.
    pub(crate) fn place(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The value of a key; `None` where it is absent or empty.
    pub(crate) fn get(&self, key: &str) -> Option<&'node Node> {
        self.entries
            .iter()
            .find(|(known, _)| known.text == key)
            .map(|(_, node)| node)
            .filter(|node| !matches!(node.value, Value::Null))
    }

    /// The keys and values.
    pub(crate) fn entries(&self) -> &'node [(Text, Node)] {
        self.entries
    }

    fn required(&self, key: &str, problems: &mut Problems<'_>) -> Option<&'node Node> {
        let found = self.get(key);
        if found.is_none() {
            problems.add(
                self.at,
                format!("{} is missing", self.place(key)),
                format!("add `{key}:` here"),
            );
        }
        found
    }

    /// One value that must be there.
    pub(crate) fn text(&self, key: &str, problems: &mut Problems<'_>) -> Option<Text> {
        let node = self.required(key, problems)?;
        scalar(node, &self.place(key), problems)
    }

    /// One value that may be there.
    pub(crate) fn optional_text(&self, key: &str, problems: &mut Problems<'_>) -> Option<Text> {
        scalar(self.get(key)?, &self.place(key), problems)
    }

    /// A list that must be there and hold something.
    pub(crate) fn list(&self, key: &str, problems: &mut Problems<'_>) -> &'node [Node] {
        let Some(node) = self.required(key, problems) else { return &[] };
        let items = sequence(node, &self.place(key), problems);
        if let (Value::Sequence(_), []) = (&node.value, items) {
            problems.add(
                node.at,
                format!("{} is an empty list", self.place(key)),
                "name at least one",
            );
        }
        items
    }

    /// A list that may be absent or empty.
    pub(crate) fn optional_list(&self, key: &str, problems: &mut Problems<'_>) -> &'node [Node] {
        self.get(key).map_or(&[], |node| sequence(node, &self.place(key), problems))
    }

    /// A whole number of 1 or more that may be there.
    pub(crate) fn optional_count(
        &self,
        key: &str,
        problems: &mut Problems<'_>,
    ) -> Option<(u64, Position)> {
        let text = self.optional_text(key, problems)?;
        match text.text.parse::<u64>() {
            Ok(count) if count > 0 => Some((count, text.at)),
            Ok(_) => {
                problems.add(
                    text.at,
                    format!("{} is 0", self.place(key)),
                    "write 1 or more, or take the line out for no limit",
                );
                None
            }
            Err(_) => {
                problems.add(
                    text.at,
                    format!("{} is not a whole number", self.place(key)),
                    "write digits only, 1 or more",
                );
                None
            }
        }
    }

    /// One of a set of words that must be there.
    pub(crate) fn word<T: Copy>(
        &self,
        key: &str,
        words: &[(&str, T)],
        problems: &mut Problems<'_>,
    ) -> Option<T> {
        let text = self.text(key, problems)?;
        word(&text, &self.place(key), words, problems)
    }

    /// One of a set of words that may be there.
    pub(crate) fn optional_word<T: Copy>(
        &self,
        key: &str,
        words: &[(&str, T)],
        problems: &mut Problems<'_>,
    ) -> Option<T> {
        let text = self.optional_text(key, problems)?;
        word(&text, &self.place(key), words, problems)
    }

    /// An IANA time zone that must be there.
    pub(crate) fn time_zone(
        &self,
        key: &str,
        problems: &mut Problems<'_>,
    ) -> Option<chrono_tz::Tz> {
        let text = self.text(key, problems)?;
        let parsed = text.text.parse().ok();
        if parsed.is_none() {
            let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
            let remedy = match nearest(&text.text, names) {
                Some(name) => format!("did you mean {name}?"),
                None => "write an IANA name such as Europe/Berlin".to_owned(),
            };
            problems.add(
                text.at,
                format!("{}: {} is no time zone", self.place(key), quoted(&text.text)),
                remedy,
            );
        }
        parsed
    }
}

/// `node` as a single value.
pub(crate) fn scalar(node: &Node, place: &str, problems: &mut Problems<'_>) -> Option<Text> {
    match &node.value {
        Value::Scalar(text) if !text.trim().is_empty() => {
            Some(Text { text: text.trim().to_owned(), at: node.at })
        }
        Value::Scalar(_) | Value::Null => {
            problems.add(node.at, format!("{place} is empty"), "write a value");
            None
        }
        other => {
            problems.add(
                node.at,
                format!("{place} is {}, not a single value", other.kind()),
                "write one value behind the colon",
            );
            None
        }
    }
}

/// The items of `node`, which must be a list.
pub(crate) fn sequence<'node>(
    node: &'node Node,
    place: &str,
    problems: &mut Problems<'_>,
) -> &'node [Node] {
    if let Value::Sequence(items) = &node.value {
        items
    } else {
        problems.add(
            node.at,
            format!("{place} is {}, not a list", node.value.kind()),
            "write it as a list, each item behind `- ` or in [brackets]",
        );
        &[]
    }
}

/// `text` as a whole number of a range.
pub(crate) fn whole_number(
    text: &Text,
    place: &str,
    range: RangeInclusive<u32>,
    problems: &mut Problems<'_>,
) -> Option<u32> {
    let found = text.text.parse().ok().filter(|number| range.contains(number));
    if found.is_none() {
        let (first, last) = range.into_inner();
        let bounds =
            if last == u32::MAX { String::new() } else { format!(" from {first} to {last}") };
        problems.add(
            text.at,
            format!("{place}: {} is no whole number{bounds}", quoted(&text.text)),
            "write digits only",
        );
    }
    found
}

/// `text` as one of `words`.
pub(crate) fn word<T: Copy>(
    text: &Text,
    place: &str,
    words: &[(&str, T)],
    problems: &mut Problems<'_>,
) -> Option<T> {
    let found = words.iter().find(|(word, _)| *word == text.text).map(|(_, value)| *value);
    if found.is_none() {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        problems.add(
            text.at,
            format!("{place}: {} is not known", quoted(&text.text)),
            suggest(&text.text, &names),
        );
    }
    found
}

/// What somebody wrote, short enough to be repeated to them.
pub(crate) fn quoted(text: &str) -> String {
    const SHOWN_CHARACTERS_MAX: usize = 60;
    let mut shown: String = text
        .chars()
        .filter(|character| !character.is_control())
        .take(SHOWN_CHARACTERS_MAX)
        .collect();
    if text.chars().count() > SHOWN_CHARACTERS_MAX {
        shown.push('…');
    }
    format!("`{shown}`")
}
