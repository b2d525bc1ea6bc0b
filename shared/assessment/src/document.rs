//! A YAML file as a tree in which every key and value knows where it stands.
//!
//! Typed deserialisers stop at the first mistake; a person who edits a registry wants all of them, each
//! with line and column. Scalars stay text, so that an id made of digits is not taken for a number. JSON is
//! a part of YAML and is read the same way.

use saphyr_parser::{Event, Marker, Parser, Span, StrInput};

use crate::problem::Problems;

/// More text than any registry needs, and little enough to be read within a function's memory.
pub(crate) const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Levels of nesting; the deepest file here has six.
const DEPTH_MAX: usize = 32;

/// Where something stands: both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Position {
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    fn of(marker: &Marker) -> Self {
        Self { line: marker.line(), column: marker.col().saturating_add(1) }
    }
}

/// Text and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) at: Position,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) at: Position,
    pub(crate) value: Value,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Scalar(String),
    /// Nothing was written, or `null`.
    Null,
    Sequence(Vec<Node>),
    Mapping(Vec<(Text, Node)>),
}

impl Value {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Scalar(_) => "a single value",
            Self::Null => "empty",
            Self::Sequence(_) => "a list",
            Self::Mapping(_) => "a mapping of keys to values",
        }
    }
}

/// Reads the one document of `text`. `None` when it cannot be read, which is then among the problems.
pub(crate) fn read(text: &str, problems: &mut Problems<'_>) -> Option<Node> {
    if text.len() > FILE_BYTES_MAX {
        problems.add(
            Position::START,
            format!(
                "the file has {} bytes, more than the {FILE_BYTES_MAX} that are read",
                text.len()
            ),
            "split it or take out what is not needed",
        );
        return None;
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { parser: Parser::new_from_str(text), problems };
    reader.document()
}

struct Reader<'text, 'problems, 'file> {
    parser: Parser<'text, StrInput<'text>>,
    problems: &'problems mut Problems<'file>,
}

impl<'text> Reader<'text, '_, '_> {
    fn next(&mut self) -> Option<(Event<'text>, Span)> {
        match self.parser.next_event()? {
            Ok(event) => Some(event),
            Err(error) => {
                self.problems.add(
                    Position::of(error.marker()),
                    format!("this is not YAML: {}", error.info()),
                    "check indentation, colons and quotes around here",
                );
                None
            }
        }
    }

    fn document(&mut self) -> Option<Node> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart
                | Event::DocumentStart(_)
                | Event::DocumentEnd
                | Event::Nothing => {}
                Event::StreamEnd => {
                    let empty = Node { at: Position::START, value: Value::Null };
                    return Some(root.unwrap_or(empty));
                }
                _ if root.is_some() => {
                    self.problems.add(
                        Position::of(&span.start),
                        "the file holds a second document".to_owned(),
                        "keep one, and take out the line `---`",
                    );
                    return None;
                }
                event => root = Some(self.node(event, span, 0)?),
            }
        }
    }

    fn node(&mut self, event: Event<'text>, span: Span, depth: usize) -> Option<Node> {
        let at = Position::of(&span.start);
        if depth > DEPTH_MAX {
            self.problems.add(
                at,
                format!("values are nested more than {DEPTH_MAX} deep"),
                "flatten them as in the sample configuration",
            );
            return None;
        }
        let value = match event {
            Event::Scalar(text, style, ..) => {
                let plain = style == saphyr_parser::ScalarStyle::Plain;
                if plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL") {
                    Value::Null
                } else {
                    Value::Scalar(text.into_owned())
                }
            }
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break Value::Sequence(items),
                        (event, span) => {
                            items.push(self.node(event, span, depth.saturating_add(1))?);
                        }
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut entries = Vec::new();
                loop {
                    match self.next()? {
                        (Event::MappingEnd, _) => break Value::Mapping(entries),
                        (event, span) => {
                            let depth = depth.saturating_add(1);
                            let key = self.node(event, span, depth)?;
                            let (event, span) = self.next()?;
                            let value = self.node(event, span, depth)?;
                            entries.push((self.key(key)?, value));
                        }
                    }
                }
            }
            // An alias can stand for any number of copies of a copy, and nothing here needs one.
            Event::Alias(_) => {
                self.problems.add(
                    at,
                    "aliases (`*name`) are not read here".to_owned(),
                    "write the value out",
                );
                return None;
            }
            _ => Value::Null,
        };
        Some(Node { at, value })
    }

    fn key(&mut self, key: Node) -> Option<Text> {
        match key.value {
            Value::Scalar(text) => Some(Text { text, at: key.at }),
            other => {
                self.problems.add(
                    key.at,
                    format!("a key is {}", other.kind()),
                    "name the key by a word, as in `name: value`",
                );
                None
            }
        }
    }
}
