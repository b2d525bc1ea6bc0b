//! One SELECT, while its words go by.

use std::collections::BTreeSet;

use super::{MAX_FIELD_BYTES, QueryShape, words::Word};
use crate::objects::{canonical_object, is_object_name, object_of_relationship};

/// Most objects and relationships that a FROM names. Salesforce allows fewer.
const MAX_SOURCES: usize = 20;

/// Words that end the list behind FROM and so are no aliases.
const CLAUSES: [&str; 11] = [
    "WHERE", "USING", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "ALL", "UPDATE",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Between SELECT and FROM.
    Select,
    /// The next name is an object, or a relationship.
    From,
    /// Behind an object, where an alias may stand.
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
    /// Inside FIELDS, where ALL, STANDARD or CUSTOM stands.
    Wildcard,
    /// Inside TYPEOF, where the relationship stands.
    TypeofRelationship,
    /// Inside TYPEOF, where an object stands.
    TypeofObject,
    /// Inside TYPEOF, where fields stand.
    TypeofFields,
}

/// A field as it is written, and the relationship of the TYPEOF that it stands in.
#[derive(Clone, Copy, Debug)]
struct Field<'a> {
    relationship: Option<&'a str>,
    path: &'a str,
}

/// What stands behind FROM: `Contact c`, or `c.Account a`.
#[derive(Clone, Copy, Debug)]
struct Source<'a> {
    path: &'a str,
    alias: Option<&'a str>,
}

/// What a field's path may begin with, and what that stands for.
#[derive(Debug)]
struct Owner<'a> {
    alias: Option<&'a str>,
    name: &'a str,
    /// `Contact`, or `Contact.Account` for a relationship.
    prefix: String,
}

/// One SELECT, while it is walked.
#[derive(Debug)]
pub(super) struct Select<'a> {
    pub(super) phase: Phase,
    /// Parentheses open inside this SELECT.
    pub(super) depth: usize,
    /// Whether this SELECT stands in the field list of another.
    is_child: bool,
    fields: Vec<Field<'a>>,
    /// What stands in FIELDS.
    wildcards: BTreeSet<&'static str>,
    counts: usize,
    item: Item,
    relationship: Option<&'a str>,
    sources: Vec<Source<'a>>,
}

impl<'a> Select<'a> {
    pub(super) fn new(is_child: bool) -> Self {
        Self {
            phase: Phase::Select,
            depth: 0,
            is_child,
            fields: Vec::new(),
            wildcards: BTreeSet::new(),
            counts: 0,
            item: Item::Open,
            relationship: None,
            sources: Vec::new(),
        }
    }

    /// Whether only numbers of records are asked for.
    pub(super) fn is_count(&self) -> bool {
        self.counts > 0 && self.fields.is_empty() && self.wildcards.is_empty()
    }

    /// A subquery of this SELECT has ended.
    pub(super) fn close_subquery(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.item = Item::Taken;
    }

    /// Takes a word; `next` is the one behind it.
    pub(super) fn step(&mut self, word: Word<'a>, next: Option<Word<'a>>) {
        match (word, self.phase) {
            (Word::Open, _) => self.depth = self.depth.saturating_add(1),
            (Word::Close, _) => self.depth = self.depth.saturating_sub(1),
            (Word::Comma, Phase::Select) if self.depth == 0 && self.item == Item::Taken => {
                self.item = Item::Open;
            }
            (Word::Comma, Phase::Alias) => self.phase = Phase::From,
            (Word::Name(name), Phase::Select) => self.step_fields(word, name, next),
            (Word::Name(path), Phase::From) => {
                if self.sources.len() < MAX_SOURCES {
                    self.sources.push(Source { path, alias: None });
                }
                self.phase = Phase::Alias;
            }
            (Word::Name(name), Phase::Alias) => self.step_alias(word, name),
            (Word::Number(_) | Word::Other, Phase::Alias) => self.phase = Phase::Rest,
            _ => {}
        }
    }

    fn step_fields(&mut self, word: Word<'a>, name: &'a str, next: Option<Word<'a>>) {
        // No field can be called FROM, so that even a TYPEOF without its END stops here.
        if word.is("FROM") && self.depth == 0 {
            self.phase = Phase::From;
            return;
        }
        let is_call = next == Some(Word::Open);
        match self.item {
            Item::Open if word.is("TYPEOF") && !is_call => self.item = Item::TypeofRelationship,
            Item::Open if is_call && (word.is("COUNT") || word.is("COUNT_DISTINCT")) => {
                self.counts = self.counts.saturating_add(1);
                self.item = Item::Taken;
            }
            Item::Open if is_call && word.is("FIELDS") => self.item = Item::Wildcard,
            // Any other function gives the field that stands in it.
            Item::Open if is_call => {}
            Item::Open => {
                self.item = Item::Taken;
                self.fields.push(Field { relationship: None, path: name });
            }
            Item::Wildcard => {
                self.item = Item::Taken;
                let which = ["STANDARD", "CUSTOM"].into_iter().find(|which| word.is(which));
                self.wildcards.insert(which.unwrap_or("ALL"));
            }
            // `TYPEOF What WHEN Account THEN Phone, Name ELSE Id END`
            Item::TypeofRelationship => {
                self.relationship = Some(name);
                self.item = Item::TypeofObject;
            }
            Item::TypeofObject | Item::TypeofFields if word.is("END") => {
                self.relationship = None;
                self.item = Item::Taken;
            }
            Item::TypeofObject | Item::TypeofFields if word.is("WHEN") => {
                self.item = Item::TypeofObject;
            }
            Item::TypeofObject | Item::TypeofFields if word.is("THEN") || word.is("ELSE") => {
                self.item = Item::TypeofFields;
            }
            Item::TypeofFields if !is_call => {
                self.fields.push(Field { relationship: self.relationship, path: name });
            }
            Item::TypeofFields | Item::TypeofObject | Item::Taken => {}
        }
    }

    fn step_alias(&mut self, word: Word<'a>, name: &'a str) {
        if word.is("AS") {
            return;
        }
        let is_clause = CLAUSES.iter().any(|clause| word.is(clause));
        match self.sources.last_mut() {
            Some(source) if !is_clause && source.alias.is_none() => source.alias = Some(name),
            _ => self.phase = Phase::Rest,
        }
    }

    /// Adds what this SELECT asks for.
    pub(super) fn finish(self, shape: &mut QueryShape) {
        let Some((base, joined)) = self.sources.split_first() else { return };
        let name = last_step(base.path);
        // A subquery reads over a relationship, `FROM Contacts` or `FROM a.Contacts`.
        let object =
            if self.is_child { object_of_relationship(name) } else { canonical_object(name) };
        if !shape.add_object(object) {
            return;
        }
        let mut owners = vec![Owner { alias: base.alias, name, prefix: object.to_owned() }];
        for source in joined {
            let Some(prefix) = resolve(&owners, object, source.path) else { continue };
            let name = last_step(source.path);
            let child = object_of_relationship(name);
            let is_child = !child.eq_ignore_ascii_case(name) && shape.add_object(child);
            let prefix = if is_child { child.to_owned() } else { prefix };
            owners.push(Owner { alias: source.alias, name, prefix });
        }
        for which in self.wildcards {
            shape.add_wildcard(object, which);
        }
        for field in &self.fields {
            if shape.is_full() {
                break;
            }
            let start = field.relationship.unwrap_or(field.path);
            let Some(resolved) = resolve(&owners, object, start) else { continue };
            match field.relationship {
                Some(_) => shape.add_field(&resolved, field.path),
                None => shape.add_path(&resolved),
            }
        }
    }
}

fn last_step(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// A path with its object in front, whether it began with an alias, an object's name or neither; `None` for one that
/// is too long. An alias may stand for a long path, and be used many times.
fn resolve(owners: &[Owner<'_>], object: &str, path: &str) -> Option<String> {
    if path.len() > MAX_FIELD_BYTES {
        return None;
    }
    let split = path.split_once('.').and_then(|(first, rest)| {
        let is_called = |name: &str| name.eq_ignore_ascii_case(first);
        let owner = owners.iter().find(|owner| {
            owner.alias.is_some_and(is_called)
                || is_called(owner.name)
                || (is_called(object) && owner.prefix == object)
        })?;
        Some((owner.prefix.as_str(), rest))
    });
    let (prefix, rest) = split.unwrap_or((object, path));
    let resolved = format!("{prefix}.{rest}");
    (resolved.len() <= MAX_FIELD_BYTES).then_some(resolved)
}

/// Whether every step of `Contact.Account.Name` can be a name.
pub(super) fn is_path(path: &str) -> bool {
    path.split('.').all(is_object_name)
}
