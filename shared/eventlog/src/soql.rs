//! A query's objects and fields, without its values.
//!
//! Not a parser of SOQL: it walks the words of a query once and keeps what stands where names of fields
//! and objects stand. Strings are stepped over before anything is looked at, so that no literal can come
//! out; what is not understood is left out.

use std::collections::BTreeSet;

use crate::objects::{
    MAX_NAME_CHARACTERS, canonical_object, is_object_name, is_standard_object,
    object_of_relationship,
};

/// Most words of a query that are looked at; a query may have 100,000 characters.
const MAX_WORDS: usize = 100_000;

/// Most fields kept of one query.
const MAX_FIELDS: usize = 500;

/// Most objects kept of one query.
const MAX_OBJECTS: usize = 64;

/// What a query asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryShape {
    /// Objects read, subqueries' included, in Salesforce's own spelling where it is known.
    pub objects: BTreeSet<String>,
    /// Fields selected, as `Contact.Email`, or `Contact.Account.Name` over a relationship;
    /// `Contact.FIELDS(ALL)` where that was asked.
    pub fields: BTreeSet<String>,
    /// `LIMIT` of the outer query.
    pub limit: Option<u64>,
    /// Whether only numbers of records were asked for.
    pub is_count: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word<'a> {
    Name(&'a str),
    Number(&'a str),
    Open,
    Close,
    Comma,
    Other,
}

/// Cuts a query into words; a quoted string is one `Other`.
fn words(query: &str) -> Vec<Word<'_>> {
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
            let mut characters = rest.chars();
            characters.next();
            match first {
                '(' => words.push(Word::Open),
                ')' => words.push(Word::Close),
                ',' => words.push(Word::Comma),
                '\'' => {
                    let mut escaped = false;
                    for character in characters.by_ref() {
                        if character == '\'' && !escaped {
                            break;
                        }
                        escaped = character == '\\' && !escaped;
                    }
                    words.push(Word::Other);
                }
                _ => words.push(Word::Other),
            }
            rest = characters.as_str();
        }
        rest = rest.trim_start();
    }
    words
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Between SELECT and FROM.
    Select,
    /// The next name is the object.
    From,
    /// Behind the object, where an alias may stand.
    Alias,
    /// WHERE and all that follows.
    Rest,
}

/// What became of the current item of a field list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    /// Its field is still to come.
    Open,
    /// It gave its field, or has none: what follows is an alias.
    Taken,
    /// Inside TYPEOF, where fields stand.
    TypeofFields,
    /// Inside TYPEOF, where an object stands.
    TypeofObject,
}

/// One SELECT, while it is walked.
#[derive(Debug)]
struct Level<'a> {
    phase: Phase,
    /// Parentheses open inside this SELECT.
    depth: usize,
    /// Whether this SELECT stands in the field list of another.
    is_child: bool,
    fields: Vec<&'a str>,
    has_all_fields: bool,
    counts: usize,
    item: Item,
    object: Option<&'a str>,
    alias: Option<&'a str>,
}

impl Level<'_> {
    fn new(is_child: bool) -> Self {
        Self {
            phase: Phase::Select,
            depth: 0,
            is_child,
            fields: Vec::new(),
            has_all_fields: false,
            counts: 0,
            item: Item::Open,
            object: None,
            alias: None,
        }
    }

    fn finish(self, shape: &mut QueryShape) {
        let Some(name) = self.object else { return };
        // `FROM Contact c, c.Account a` and relationships over several steps name the last part.
        let name = name.rsplit('.').next().unwrap_or(name);
        let object =
            if self.is_child { object_of_relationship(name) } else { canonical_object(name) };
        if !is_object_name(object) {
            return;
        }
        if shape.objects.len() < MAX_OBJECTS {
            shape.objects.insert(object.to_owned());
        }
        if self.has_all_fields {
            shape.fields.insert(format!("{object}.FIELDS(ALL)"));
        }
        for field in self.fields {
            let field = match field.split_once('.') {
                Some((first, rest))
                    if first.eq_ignore_ascii_case(object)
                        || self.alias.is_some_and(|alias| alias.eq_ignore_ascii_case(first)) =>
                {
                    rest
                }
                _ => field,
            };
            if is_field_path(field) && shape.fields.len() < MAX_FIELDS {
                shape.fields.insert(format!("{object}.{field}"));
            }
        }
    }
}

fn is_field_path(path: &str) -> bool {
    path.len() <= MAX_NAME_CHARACTERS && path.split('.').all(is_object_name)
}

/// What `query` asks for; empty for what is no query. Linear in the length of the query.
///
/// ```
/// let shape = eventlog::soql::shape("SELECT Name, Email FROM contact WHERE Email = 'a@b.example'");
/// assert!(shape.objects.contains("Contact"));
/// assert!(shape.fields.contains("Contact.Email"));
/// ```
pub fn shape(query: &str) -> QueryShape {
    let words = words(query);
    let mut shape = QueryShape::default();
    if let Some(Word::Name(first)) = words.first()
        && first.eq_ignore_ascii_case("FIND")
    {
        returned_objects(&words, &mut shape);
        return shape;
    }
    let mut levels: Vec<Level<'_>> = Vec::new();
    let mut previous = Word::Other;
    let mut is_outer_count = None;
    for (position, word) in words.iter().copied().enumerate() {
        let next = words.get(position.saturating_add(1)).copied();
        if let Word::Name(name) = word
            && name.eq_ignore_ascii_case("SELECT")
            && (previous == Word::Open || levels.is_empty())
        {
            let is_child = levels.last().is_some_and(|level| level.phase == Phase::Select);
            levels.push(Level::new(is_child));
        } else if let Some(level) = levels.last_mut() {
            let closes = word == Word::Close && level.depth == 0;
            if closes {
                if let Some(done) = levels.pop() {
                    done.finish(&mut shape);
                }
                if let Some(outer) = levels.last_mut() {
                    outer.depth = outer.depth.saturating_sub(1);
                    outer.item = Item::Taken;
                }
                if levels.is_empty() {
                    break;
                }
            } else {
                step(level, word, next, previous);
                if level.phase == Phase::From
                    && levels.len() == 1
                    && let Some(outer) = levels.last()
                {
                    is_outer_count.get_or_insert(
                        outer.counts > 0 && outer.fields.is_empty() && !outer.has_all_fields,
                    );
                }
            }
            if levels.len() == 1
                && let (Word::Name(name), Some(Word::Number(limit))) = (word, next)
                && name.eq_ignore_ascii_case("LIMIT")
            {
                shape.limit = limit.parse().ok();
            }
        }
        previous = word;
    }
    while let Some(level) = levels.pop() {
        level.finish(&mut shape);
    }
    shape.is_count = is_outer_count.unwrap_or(false) && !shape.objects.is_empty();
    shape
}

fn step<'a>(level: &mut Level<'a>, word: Word<'a>, next: Option<Word<'a>>, previous: Word<'a>) {
    match word {
        Word::Open => level.depth = level.depth.saturating_add(1),
        Word::Close => level.depth = level.depth.saturating_sub(1),
        Word::Comma
            if level.phase == Phase::Select && level.depth == 0 && level.item == Item::Taken =>
        {
            level.item = Item::Open;
        }
        Word::Name(name) => match level.phase {
            Phase::Select => step_select(level, name, next),
            Phase::From => {
                level.object = Some(name);
                level.phase = Phase::Alias;
            }
            Phase::Alias => {
                let is_keyword = ["WHERE", "USING", "WITH", "GROUP", "ORDER", "LIMIT", "FOR"]
                    .iter()
                    .any(|keyword| name.eq_ignore_ascii_case(keyword));
                let is_as = name.eq_ignore_ascii_case("AS");
                if !is_keyword && !is_as && previous != Word::Comma {
                    level.alias = Some(name);
                }
                if !is_as {
                    level.phase = Phase::Rest;
                }
            }
            Phase::Rest => {}
        },
        _ => {}
    }
}

fn step_select<'a>(level: &mut Level<'a>, name: &'a str, next: Option<Word<'a>>) {
    let is = |keyword: &str| name.eq_ignore_ascii_case(keyword);
    match level.item {
        // `TYPEOF What WHEN Account THEN Phone, Name ELSE Id END`
        Item::TypeofFields | Item::TypeofObject if is("END") => level.item = Item::Taken,
        Item::TypeofFields | Item::TypeofObject if is("WHEN") => level.item = Item::TypeofObject,
        Item::TypeofObject if is("THEN") || is("ELSE") => level.item = Item::TypeofFields,
        Item::TypeofFields if is("ELSE") => {}
        Item::TypeofFields => level.fields.push(name),
        Item::Open | Item::Taken if is("FROM") && level.depth == 0 => level.phase = Phase::From,
        Item::Open if is("TYPEOF") && level.depth == 0 => level.item = Item::TypeofObject,
        Item::Open if next == Some(Word::Open) => {
            if is("COUNT") || is("COUNT_DISTINCT") {
                level.counts = level.counts.saturating_add(1);
                level.item = Item::Taken;
            } else if is("FIELDS") {
                level.has_all_fields = true;
                level.item = Item::Taken;
            }
        }
        Item::Open => {
            level.item = Item::Taken;
            level.fields.push(name);
        }
        Item::TypeofObject | Item::Taken => {}
    }
}

/// `FIND {words} RETURNING Contact(Id, Name), Lead`: the objects behind RETURNING.
fn returned_objects(words: &[Word<'_>], shape: &mut QueryShape) {
    let mut depth = 0_usize;
    let mut is_returning = false;
    let mut previous = Word::Other;
    for word in words {
        match word {
            Word::Open => depth = depth.saturating_add(1),
            Word::Close => depth = depth.saturating_sub(1),
            Word::Name(name) if name.eq_ignore_ascii_case("RETURNING") => {
                is_returning = true;
                previous = Word::Comma;
                shape.objects.clear();
                continue;
            }
            // What was looked for may be any text, the word RETURNING too: only names known as
            // objects come out of a search.
            Word::Name(name)
                if is_returning
                    && depth == 0
                    && previous == Word::Comma
                    && is_standard_object(name) =>
            {
                shape.objects.insert(canonical_object(name).to_owned());
            }
            _ => {}
        }
        previous = *word;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_plain_query() {
        let shape = shape("select Id, Email from Contact where Name = 'x' order by Id limit 20");
        assert_eq!(shape.objects, set(&["Contact"]));
        assert_eq!(shape.fields, set(&["Contact.Id", "Contact.Email"]));
        assert_eq!(shape.limit, Some(20));
        assert!(!shape.is_count);
    }

    #[test]
    fn relationship_paths_keep_the_object_they_start_from() {
        let shape = shape("SELECT Account.Name, c.Owner.Name, Contact.Email FROM Contact c");
        assert_eq!(
            shape.fields,
            set(&["Contact.Account.Name", "Contact.Owner.Name", "Contact.Email"])
        );
    }

    #[test]
    fn subqueries_give_their_relationship_as_object() {
        let shape = shape(
            "SELECT Name, (SELECT LastName, Birthdate FROM Contacts LIMIT 5), Phone, \
             (SELECT Id FROM Visits__r) FROM Account \
             WHERE Id IN (SELECT AccountId FROM Case WHERE Subject LIKE 'a (SELECT x FROM y)')",
        );
        assert_eq!(shape.objects, set(&["Account", "Case", "Contact", "Visits__r"]));
        assert_eq!(
            shape.fields,
            set(&[
                "Account.Name",
                "Account.Phone",
                "Case.AccountId",
                "Contact.Birthdate",
                "Contact.LastName",
                "Visits__r.Id"
            ])
        );
        assert_eq!(shape.limit, None);
    }

    #[test]
    fn counts_are_told_from_reads() {
        assert!(shape("SELECT COUNT() FROM Contact").is_count);
        assert!(shape("SELECT COUNT(Id) total, COUNT_DISTINCT(Email) FROM Contact").is_count);
        assert!(!shape("SELECT COUNT(Id), Status FROM Case GROUP BY Status").is_count);
        assert!(!shape("SELECT Id FROM Contact").is_count);
    }

    #[test]
    fn functions_aliases_fields_and_typeof() {
        let shape = shape(
            "SELECT format(Birthdate) Birthdate__f, toLabel(Level__c) l, MAX(Amount), FIELDS(ALL), \
             TYPEOF What WHEN Account THEN Phone, Industry ELSE Name END FROM Event USING SCOPE mine",
        );
        assert_eq!(
            shape.fields,
            set(&[
                "Event.Amount",
                "Event.Birthdate",
                "Event.FIELDS(ALL)",
                "Event.Industry",
                "Event.Level__c",
                "Event.Name",
                "Event.Phone"
            ])
        );
    }

    #[test]
    fn a_search_gives_the_objects_it_returns() {
        let shape =
            shape("FIND {Erika Mustermann} IN ALL FIELDS RETURNING Contact(Id, Name), lead");
        assert_eq!(shape.objects, set(&["Contact", "Lead"]));
        assert!(shape.fields.is_empty());
    }

    #[test]
    fn what_is_no_query_gives_nothing() {
        for text in ["", "00O5g000008aBcD", "'", "(((", "SELECT", "SELECT FROM", ")", "FROM x"] {
            assert_eq!(shape(text).fields, BTreeSet::new(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_walked(text in "\\PC{0,200}") {
            shape(&text);
        }

        #[test]
        fn any_soup_of_words_is_walked_and_gives_names_only(
            words in proptest::collection::vec(
                prop::sample::select(vec![
                    "SELECT", "FROM", "WHERE", "(", ")", ",", "'", "\\'", "Id", "Contact", "COUNT",
                    "TYPEOF", "WHEN", "THEN", "END", "LIMIT", "5", "FIELDS", "a.b", "FIND", "RETURNING",
                ]), 0..60)
        ) {
            let shape = shape(&words.join(" "));
            for name in shape.objects.iter().chain(&shape.fields) {
                prop_assert!(!name.contains('\''));
            }
        }

        #[test]
        fn a_literal_never_comes_out(
            before in "[ a-zA-Z(),=.]{0,10}", after in "[ a-zA-Z(),=.\\\\']{0,10}"
        ) {
            let literal = format!("{before}CANARY{after} FROM CANARY")
                .replace('\\', "\\\\").replace('\'', "\\'");
            let query = format!(
                "SELECT Id, (SELECT Name FROM Contacts WHERE Name = '{literal}') FROM Account \
                 WHERE Name = '{literal}' AND Id IN (SELECT Id FROM Case WHERE X = '{literal}') LIMIT 5"
            );
            let shape = shape(&query);
            prop_assert_eq!(shape.objects, set(&["Account", "Case", "Contact"]));
            prop_assert_eq!(shape.limit, Some(5));
            prop_assert_eq!(shape.fields, set(&["Account.Id", "Case.Id", "Contact.Name"]));
        }
    }
}
