//! A query's objects and fields, without its values.
//!
//! Not a parser of SOQL: it walks the words of a query once and keeps what stands where names of fields
//! and objects stand. Strings are stepped over before anything is looked at, so that no literal can come
//! out; what is not understood is left out. Time and memory grow with the length of the text, whatever it is.
//!
//! **Objects** are those behind FROM, subqueries' included. A subquery in a field list names a relationship:
//! `Contacts` is taken for `Contact`, and one that cannot be told (`Visits__r`) stays as it is written.
//!
//! **Fields** are those that are selected, and not those that only filter, group or sort:
//!
//! | query | field |
//! |---|---|
//! | `SELECT c.Email, Contact.Phone FROM Contact c` | `Contact.Email`, `Contact.Phone` |
//! | `SELECT Account.Owner.Email, Parent__r.X__c FROM Contact` | `Contact.Account.Owner.Email`, `Contact.Parent__r.X__c` |
//! | `SELECT a.Name FROM Contact c, c.Account a` | `Contact.Account.Name` |
//! | `SELECT TYPEOF What WHEN Account THEN Phone END FROM Event` | `Event.What.Phone` |
//! | `SELECT toLabel(Level__c) l, MAX(Amount) FROM Case` | `Case.Level__c`, `Case.Amount` |
//! | `SELECT COUNT(Id) FROM Case` | none: a number tells no field |
//! | `SELECT FIELDS(ALL) FROM Lead` | `Lead.FIELDS(ALL)`, likewise `STANDARD` and `CUSTOM` |
//! | `FIND {…} RETURNING Lead(Name WHERE …)` | `Lead.Name` |
//!
//! A path keeps the object that it starts from, because the query alone does not say where a relationship leads.
//!
//! Source of the grammar: Salesforce, *SOQL and SOSL Reference*, "SOQL SELECT Syntax", "Alias Notation",
//! "TYPEOF", "SOSL Syntax".

mod search;
mod select;
mod words;

use std::{borrow::Cow, collections::BTreeSet};

use percent_encoding::percent_decode_str;

use self::{
    select::{Phase, Select, is_path},
    words::{Word, words},
};
use crate::objects::is_object_name;

/// Most fields kept of one query.
const MAX_FIELDS: usize = 500;

/// Most objects kept of one query.
const MAX_OBJECTS: usize = 64;

/// Longest field kept, in bytes. Salesforce lets a path take five relationships.
const MAX_FIELD_BYTES: usize = 255;

/// What a query asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryShape {
    /// Objects read, subqueries' included, in Salesforce's own spelling where it is known.
    pub objects: BTreeSet<String>,
    /// Fields selected, as `Contact.Email`, or `Contact.Account.Name` over a relationship;
    /// `Contact.FIELDS(ALL)`, `Contact.FIELDS(STANDARD)` or `Contact.FIELDS(CUSTOM)` where that was asked.
    pub fields: BTreeSet<String>,
    /// `LIMIT` of the outer query.
    pub limit: Option<u64>,
    /// Whether only numbers of records were asked for.
    pub is_count: bool,
}

impl QueryShape {
    /// Says whether the object is kept.
    fn add_object(&mut self, object: &str) -> bool {
        if self.objects.contains(object) {
            return true;
        }
        let fits = is_object_name(object) && self.objects.len() < MAX_OBJECTS;
        fits && self.objects.insert(object.to_owned())
    }

    fn add_field(&mut self, prefix: &str, path: &str) {
        if path.len() <= MAX_FIELD_BYTES {
            self.add_path(&format!("{prefix}.{path}"));
        }
    }

    fn add_path(&mut self, path: &str) {
        if path.len() <= MAX_FIELD_BYTES && is_path(path) && !self.is_full() {
            self.fields.insert(path.to_owned());
        }
    }

    /// Stands above the limit of fields, because it stands for more of them than any other entry.
    fn add_wildcard(&mut self, object: &str, which: &str) {
        self.fields.insert(format!("{object}.FIELDS({which})"));
    }

    fn is_full(&self) -> bool {
        self.fields.len() >= MAX_FIELDS
    }
}

/// What `query` asks for; empty for what is no query. Linear in the length of the query.
///
/// ```
/// let shape = eventlog::soql::shape("SELECT Name, Email FROM contact WHERE Email = 'a@b.example'");
/// assert!(shape.objects.contains("Contact"));
/// assert!(shape.fields.contains("Contact.Email"));
/// ```
pub fn shape(query: &str) -> QueryShape {
    let query = decoded(query);
    let mut shape = QueryShape::default();
    match search::search_term(&query) {
        Some(search_term) => search::returned(search_term, &mut shape),
        None => selected(&words(&query), &mut shape),
    }
    shape
}

/// The text of a query that is still as it stood in an address: `SELECT+Id`, `SELECT%20Id`, `FIND%20%7B…`.
fn decoded(query: &str) -> Cow<'_, str> {
    let begins = |keyword: &str| {
        query.split_at_checked(keyword.len()).is_some_and(|(first, behind)| {
            first.eq_ignore_ascii_case(keyword) && behind.starts_with(['+', '%'])
        })
    };
    if begins("SELECT") || begins("FIND") {
        let spaced = query.replace('+', " ");
        Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
    } else {
        Cow::Borrowed(query)
    }
}

fn selected(words: &[Word<'_>], shape: &mut QueryShape) {
    let mut selects: Vec<Select<'_>> = Vec::new();
    let mut previous = Word::Other;
    let mut is_outer_count = None;
    for (position, word) in words.iter().copied().enumerate() {
        let next = words.get(position.saturating_add(1)).copied();
        if word.is("SELECT") && (previous == Word::Open || selects.is_empty()) {
            let is_child = selects.last().is_some_and(|outer| outer.phase == Phase::Select);
            selects.push(Select::new(is_child));
        } else if word == Word::Close && selects.last().is_some_and(|select| select.depth == 0) {
            if let Some(done) = selects.pop() {
                done.finish(shape);
            }
            match selects.last_mut() {
                Some(outer) => outer.close_subquery(),
                None => break,
            }
        } else if let Some(select) = selects.last_mut() {
            select.step(word, next);
            if let [outer] = selects.as_slice() {
                if outer.phase == Phase::From {
                    is_outer_count.get_or_insert(outer.is_count());
                }
                if let Some(Word::Number(limit)) = next
                    && outer.phase == Phase::Rest
                    && outer.depth == 0
                    && word.is("LIMIT")
                {
                    shape.limit = limit.parse().ok();
                }
            }
        }
        previous = word;
    }
    while let Some(select) = selects.pop() {
        select.finish(shape);
    }
    shape.is_count = is_outer_count.unwrap_or(false) && !shape.objects.is_empty();
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
             TYPEOF e.What WHEN Account THEN Phone, Industry WHEN Case THEN toLabel(Status) \
             ELSE Name END, FORMAT(convertCurrency(Price__c)) p, \
             DISTANCE(Place__c, GEOLOCATION(52.5, 13.4), 'km') FROM Event e USING SCOPE mine",
        );
        assert_eq!(
            shape.fields,
            set(&[
                "Event.Amount",
                "Event.Birthdate",
                "Event.FIELDS(ALL)",
                "Event.Level__c",
                "Event.Place__c",
                "Event.Price__c",
                "Event.What.Industry",
                "Event.What.Name",
                "Event.What.Phone",
                "Event.What.Status"
            ])
        );
    }

    #[test]
    fn an_alias_of_a_relationship_stands_for_it() {
        let shape = shape(
            "SELECT c.LastName, a.Name, o.Email, k.Subject, v.Day__c \
             FROM Contact c, c.Account AS a, a.Owner o, c.Cases k, c.Visits__r v WHERE a.Name = 'x'",
        );
        assert_eq!(shape.objects, set(&["Case", "Contact"]));
        assert_eq!(
            shape.fields,
            set(&[
                "Case.Subject",
                "Contact.Account.Name",
                "Contact.Account.Owner.Email",
                "Contact.LastName",
                "Contact.Visits__r.Day__c"
            ])
        );
    }

    #[test]
    fn a_clause_behind_the_object_is_no_alias() {
        for clause in [
            "WHERE Limit.Id = NULL",
            "USING SCOPE delegated",
            "WITH SECURITY_ENFORCED",
            "WITH DATA CATEGORY Geography__c AT usa__c",
            "GROUP BY ROLLUP(Limit.Id, Status)",
            "HAVING COUNT(Id) > 1",
            "ORDER BY Limit.Id",
            "LIMIT :limit",
            "OFFSET 5",
            "FOR VIEW",
            "FOR REFERENCE",
            "FOR UPDATE",
            "ALL ROWS",
            "UPDATE TRACKING",
        ] {
            let alias = clause.split(' ').next().unwrap();
            let query = format!("SELECT {alias}.Id, Name FROM Case {clause}");
            let shape = shape(&query);
            let expected = format!("Case.{alias}.Id");
            assert_eq!(shape.fields, set(&["Case.Name", &expected]), "{query}");
            assert_eq!(shape.limit, None, "{query}");
        }
    }

    #[test]
    fn which_of_its_fields_is_told_for_each_object() {
        let shape = shape(
            "SELECT FIELDS(standard), fields(CUSTOM), (SELECT FIELDS(ALL) FROM Contacts LIMIT 200) \
             FROM Account LIMIT 200",
        );
        assert_eq!(
            shape.fields,
            set(&["Account.FIELDS(CUSTOM)", "Account.FIELDS(STANDARD)", "Contact.FIELDS(ALL)"])
        );
        assert!(!shape.is_count);
    }

    #[test]
    fn a_query_as_it_stands_in_an_address_is_decoded() {
        for query in [
            "SELECT+Id,Account.Name+FROM+Contact+WHERE+Name='Mc+Coy'+LIMIT+7",
            "select%20Id%2CAccount.Name%0AFROM%20Contact%20WHERE%20Name%3D%27x%27%20LIMIT%207",
        ] {
            let shape = shape(query);
            assert_eq!(shape.fields, set(&["Contact.Account.Name", "Contact.Id"]), "{query}");
            assert_eq!(shape.limit, Some(7), "{query}");
        }
    }

    #[test]
    fn a_query_that_is_cut_off_gives_what_is_sure() {
        let query = "SELECT Email, (SELECT Subject FROM Cases WHERE Name = 'x)') FROM Contact WHERE X = 'y z'";
        let up_to = |wanted: &str| {
            let (before, _) = query.split_once(wanted).unwrap();
            shape(&format!("{before}{wanted}"))
        };
        assert_eq!(up_to("SELECT Email, (SELECT Subject"), QueryShape::default());
        assert_eq!(up_to("FROM Cases WHERE Name = 'x").fields, set(&["Case.Subject"]));
        let whole = shape(query);
        assert_eq!(whole.fields, set(&["Case.Subject", "Contact.Email"]));
        assert_eq!(up_to("X = 'y"), whole);
    }

    #[test]
    fn a_search_gives_the_objects_and_fields_it_returns() {
        for query in [
            "FIND {Erika Mustermann} IN ALL FIELDS RETURNING Contact(Id, toLabel(Level__c), Name \
             WHERE Email = 'a@b.example' AND Age__c > 3 ORDER BY Phone LIMIT 5), lead, \
             Visit__c(Day__c USING ListView = Mine) LIMIT 20",
            "find {RETURNING User(Email\\}) RETURNING User(Email} RETURNING contact(Id, toLabel(Level__c), \
             Name), Lead, Visit__c(Day__c ORDER BY Name) UPDATE TRACKING, VIEWSTAT",
            "FIND 'Erika RETURNING User(Email)' RETURNING Contact(toLabel(Level__c), Name, Id), Lead, \
             Visit__c(Day__c)",
            "FIND+%7BErika%7D+RETURNING+Contact(Id,Name,toLabel(Level__c)),Lead,Visit__c(Day__c)",
        ] {
            let shape = shape(query);
            assert_eq!(shape.objects, set(&["Contact", "Lead", "Visit__c"]), "{query}");
            let fields = ["Contact.Id", "Contact.Level__c", "Contact.Name", "Visit__c.Day__c"];
            assert_eq!(shape.fields, set(&fields), "{query}");
        }
    }

    #[test]
    fn what_was_searched_for_never_comes_out() {
        for query in [
            "FIND {Erika} RETURNING Mustermann(Geboren, Wohnhaft)",
            "FIND Erika RETURNING Mustermann, Wohnhaft(Hier)",
            "FIND {Erika RETURNING Contact(Wohnhaft)",
            "FINDER RETURNING Contact(Wohnhaft)",
        ] {
            assert_eq!(shape(query), QueryShape::default(), "{query}");
        }
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
                    "TYPEOF", "WHEN", "THEN", "END", "LIMIT", "5", "FIELDS", "ALL", "ELSE", "AS", "a.b", "FIND", "RETURNING", "{", "}",
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
