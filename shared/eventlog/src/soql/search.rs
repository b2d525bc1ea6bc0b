//! A search in SOSL: the objects and fields behind RETURNING.

use super::{
    QueryShape,
    words::{Word, behind_unescaped, words},
};
use crate::objects::{canonical_object, is_standard_object};

/// Words that end the list of an object's fields.
const CLAUSES: [&str; 5] = ["WHERE", "USING", "ORDER", "LIMIT", "OFFSET"];

/// What stands behind the word FIND; `None` where `text` is no search.
pub(super) fn search_term(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let (find, behind) = text.split_at_checked(4)?;
    let is_find = find.eq_ignore_ascii_case("FIND")
        && behind.starts_with(|next: char| next.is_whitespace() || matches!(next, '{' | '\''));
    is_find.then(|| behind.trim_start())
}

/// `FIND {words} IN ALL FIELDS RETURNING Contact(Id, Name WHERE …), Lead`, from what was searched for on.
pub(super) fn returned(search_term: &str, shape: &mut QueryShape) {
    // What is searched for may be any text. It is stepped over as a whole: in braces, `{` and `}` are escaped.
    let behind = match search_term.strip_prefix('{') {
        Some(term) => behind_unescaped(term, '}'),
        None => search_term,
    };
    let words = words(behind);
    let mut words =
        words.iter().copied().skip_while(|word| !word.is("RETURNING")).skip(1).peekable();
    let mut depth = 0_usize;
    let mut object: Option<&str> = None;
    let mut awaits_name = true;
    while let Some(word) = words.next() {
        match word {
            Word::Open => {
                awaits_name = depth == 0 || awaits_name;
                depth = depth.saturating_add(1);
            }
            Word::Close => {
                depth = depth.saturating_sub(1);
                awaits_name = false;
            }
            Word::Comma if depth == 0 => (object, awaits_name) = (None, true),
            Word::Comma => awaits_name = depth == 1 && object.is_some(),
            Word::Name(name) if depth == 0 && awaits_name => {
                awaits_name = false;
                object = Some(canonical_object(name)).filter(|_| is_known_or_custom(name));
                if object.is_some_and(|object| !shape.add_object(object)) {
                    object = None;
                }
            }
            Word::Name(_) if depth == 1 && CLAUSES.iter().any(|clause| word.is(clause)) => {
                object = None;
            }
            // A function's name is followed by the field that it is of.
            Word::Name(name) if awaits_name && words.peek() != Some(&Word::Open) => {
                awaits_name = false;
                if let Some(object) = object {
                    shape.add_field(object, name);
                }
            }
            _ => {}
        }
    }
}

/// A search that is cut off or badly escaped may let its own words through: only a name that is known as an
/// object's, or that has the suffix of a custom one, is taken for an object.
fn is_known_or_custom(name: &str) -> bool {
    is_standard_object(name) || name.rsplit_once("__").is_some_and(|(_, suffix)| suffix.len() <= 3)
}
