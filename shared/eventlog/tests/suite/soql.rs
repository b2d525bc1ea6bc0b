//! Queries of which it is known what they ask for, and texts made to be slow.

use std::{
    collections::BTreeSet,
    fmt::Write,
    time::{Duration, Instant},
};

use eventlog::soql::shape;
use proptest::{collection::vec, option, prelude::*, sample::select};

/// A query with what it asks for.
#[derive(Clone, Debug, Default)]
struct Known {
    text: String,
    objects: BTreeSet<String>,
    fields: BTreeSet<String>,
}

/// An item of a field list. `@` stands for the object's name, its alias, or nothing.
#[derive(Clone, Debug)]
enum Item {
    Field(&'static str),
    Aggregate(&'static str, &'static str, Option<&'static str>),
    Fields(&'static str),
    Typeof { relationship: &'static str, when: Vec<(&'static str, Vec<&'static str>)> },
    Subquery { relationship: &'static str, object: &'static str, query: Box<Select> },
}

/// A SELECT whose object is still open.
#[derive(Clone, Debug)]
struct Select {
    items: Vec<Item>,
    alias: Option<&'static str>,
    is_qualified: bool,
    condition: Condition,
    tail: &'static str,
    is_lower: bool,
    space: &'static str,
}

#[derive(Clone, Debug)]
enum Condition {
    None,
    Literal(String),
    Join { object: &'static str, query: Box<Select> },
}

const PATHS: [&str; 6] =
    ["Id", "Email", "Level__c", "Account.Name", "Account.Owner.Email", "Parent__r.Place__r.X__c"];

fn path() -> impl Strategy<Value = &'static str> {
    select(PATHS.as_slice())
}

fn item() -> impl Strategy<Value = Item> {
    let function = select(vec!["toLabel(", "FORMAT(convertCurrency(", "MAX(", "calendar_year("]);
    let label = option::of(select(vec!["total", "Email", "x1"]));
    let when = vec((select(vec!["Account", "Lead", "Visit__c"]), vec(path(), 1..4)), 1..4);
    prop_oneof![
        4 => path().prop_map(Item::Field),
        2 => (function, path(), label).prop_map(|(name, of, label)| Item::Aggregate(name, of, label)),
        1 => select(vec!["ALL", "STANDARD", "CUSTOM"]).prop_map(Item::Fields),
        1 => (select(vec!["What", "Who", "Task__r.Who"]), when)
            .prop_map(|(relationship, when)| Item::Typeof { relationship, when }),
    ]
}

fn select_of(items: impl Strategy<Value = Vec<Item>>) -> impl Strategy<Value = Select> {
    let condition = prop_oneof![
        Just(Condition::None),
        "[ a-zA-Z(),.=\\\\']{0,30}".prop_map(Condition::Literal),
    ];
    let tail = select(vec![
        "",
        "ORDER BY Phone DESC NULLS LAST",
        "GROUP BY ROLLUP(Fax, Title)",
        "WITH SECURITY_ENFORCED",
        "ALL ROWS",
        "FOR UPDATE",
    ]);
    let alias = option::of(select(vec!["c", "Zz", "a1"]));
    let space = select(vec![" ", "\n", " \t "]);
    (items, alias, any::<bool>(), condition, tail, any::<bool>(), space).prop_map(
        |(items, alias, is_qualified, condition, tail, is_lower, space)| Select {
            items,
            alias,
            is_qualified,
            condition,
            tail,
            is_lower,
            space,
        },
    )
}

fn outer_select() -> impl Strategy<Value = Select> {
    let child =
        select(vec![("Contacts", "Contact"), ("Cases", "Case"), ("Visits__r", "Visits__r")]);
    let subquery =
        (child, select_of(vec(item(), 1..4))).prop_map(|((relationship, object), query)| {
            Item::Subquery { relationship, object, query: Box::new(query) }
        });
    let items = vec(prop_oneof![4 => item(), 1 => subquery], 1..8);
    let join = option::of((select(vec!["Lead", "Invoice__c"]), select_of(vec(item(), 1..2))));
    (select_of(items), join).prop_map(|(mut outer, join)| {
        if let Some((object, query)) = join {
            outer.condition = Condition::Join { object, query: Box::new(query) };
        }
        outer
    })
}

impl Select {
    fn keyword(&self, words: &str) -> String {
        let words = words.replace(' ', self.space);
        if self.is_lower { words.to_lowercase() } else { words }
    }

    /// Writes itself, behind FROM what is given, and notes what it asks for.
    fn write(&self, from: &str, object: &str, known: &mut Known) {
        known.objects.insert(object.to_owned());
        let qualifier = match self.alias {
            Some(alias) if self.is_qualified => format!("{alias}."),
            None if self.is_qualified => format!("{object}."),
            _ => String::new(),
        };
        known.text.push_str(&self.keyword("SELECT "));
        for (position, item) in self.items.iter().enumerate() {
            if position > 0 {
                known.text.push(',');
                known.text.push_str(self.space);
            }
            let mut ask = |path: String| known.fields.insert(format!("{object}.{path}"));
            match item {
                Item::Field(path) => {
                    ask((*path).to_owned());
                    write!(known.text, "{qualifier}{path}").unwrap();
                }
                Item::Aggregate(function, path, label) => {
                    ask((*path).to_owned());
                    let closing = ")".repeat(function.matches('(').count());
                    let label = label.map(|label| format!(" {label}")).unwrap_or_default();
                    write!(known.text, "{function}{qualifier}{path}{closing}{label}").unwrap();
                }
                Item::Fields(which) => {
                    ask(format!("FIELDS({which})"));
                    known.text.push_str(&self.keyword(&format!("FIELDS({which})")));
                }
                Item::Typeof { relationship, when } => {
                    let mut branches = String::new();
                    for (number, (object, paths)) in when.iter().enumerate() {
                        for path in paths {
                            ask(format!("{relationship}.{path}"));
                        }
                        let is_else = number > 0 && number + 1 == when.len();
                        let when = if is_else {
                            self.keyword(" ELSE ")
                        } else {
                            format!("{}{object}{}", self.keyword(" WHEN "), self.keyword(" THEN "))
                        };
                        branches.push_str(&when);
                        branches.push_str(&paths.join(","));
                    }
                    let (open, end) = (self.keyword("TYPEOF "), self.keyword(" END"));
                    write!(known.text, "{open}{qualifier}{relationship}{branches}{end}").unwrap();
                }
                Item::Subquery { relationship, object, query } => {
                    known.text.push('(');
                    query.write(relationship, object, known);
                    known.text.push(')');
                }
            }
        }
        let alias = self.alias.map(|alias| format!(" {alias}")).unwrap_or_default();
        write!(known.text, "{}{from}{alias}{}", self.keyword(" FROM "), self.space).unwrap();
        match &self.condition {
            Condition::None => {}
            Condition::Literal(literal) => {
                let escaped = literal.replace('\\', "\\\\").replace('\'', "\\'");
                write!(known.text, "WHERE Fax = '{escaped}' AND Title != 'x'").unwrap();
            }
            Condition::Join { object, query } => {
                known.text.push_str("WHERE Id NOT IN (");
                query.write(object, object, known);
                known.text.push(')');
            }
        }
        known.text.push_str(self.space);
        known.text.push_str(self.tail);
    }
}

proptest! {
    #[test]
    fn a_query_gives_exactly_what_it_asks_for(
        outer in outer_select(), limit in option::of(0_u64..50_001), is_custom in any::<bool>()
    ) {
        let object = if is_custom { "Patient__c" } else { "Opportunity" };
        let mut known = Known::default();
        outer.write(object, object, &mut known);
        if let Some(limit) = limit {
            write!(known.text, " LIMIT {limit} OFFSET 3").unwrap();
        }
        let found = shape(&known.text);
        prop_assert_eq!(&found.objects, &known.objects, "{}", known.text);
        prop_assert_eq!(&found.fields, &known.fields, "{}", known.text);
        prop_assert_eq!(found.limit, limit, "{}", known.text);
        prop_assert!(!found.is_count);
    }

    #[test]
    fn a_query_that_is_cut_off_anywhere_gives_no_field_that_the_whole_one_lacks(
        outer in outer_select(), cut in any::<prop::sample::Index>()
    ) {
        let mut known = Known::default();
        outer.write("Opportunity", "Opportunity", &mut known);
        let cut = cut.index(known.text.len());
        // The last word may be cut in its middle; what stands before it must be right.
        let end = known.text.get(..cut).unwrap().rfind(char::is_whitespace).unwrap_or(0);
        let text = known.text.get(..end).unwrap();
        let found = shape(text);
        prop_assert!(found.objects.is_subset(&known.objects), "{}", text);
        // A path may begin with an alias that was cut off, so that only its end is sure.
        let last = |field: &String| field.rsplit('.').next().unwrap().to_owned();
        let known: BTreeSet<String> = known.fields.iter().map(last).collect();
        prop_assert!(found.fields.iter().map(last).all(|field| known.contains(&field)));
    }
}

#[test]
fn texts_made_to_be_slow_are_not() {
    let repeated = |text: &str| text.repeat(400_000 / text.len());
    // As many as a query's first 100,000 words have room for, with what stands behind them.
    let many = |text: &str| text.repeat(40_000);
    let texts = [
        repeated("("),
        repeated("(SELECT "),
        repeated("SELECT a FROM b,"),
        repeated("'"),
        repeated("\\'"),
        format!("SELECT {} FROM Contact", repeated("TYPEOF a WHEN b THEN c ")),
        format!("SELECT {} FROM Contact", repeated("TYPEOF a.b.c,")),
        format!("SELECT {} FROM Contact", repeated("a.b.c.d.e,")),
        format!("SELECT {} FROM Contact", repeated("x")),
        format!("SELECT {} FROM Contact", repeated("x.")),
        format!("SELECT a FROM {}", repeated("x.")),
        format!("SELECT a FROM Contact c{}", repeated(",c.Account c")),
        format!("SELECT {} FROM Contact", repeated("(SELECT a.b, FIELDS(ALL) FROM x),")),
        format!("SELECT {} FROM Contact c, c.{} a", many("a.x,"), repeated("x.")),
        format!("SELECT {} FROM {} a", many("a.x,"), repeated("x")),
        format!("SELECT TYPEOF {} WHEN b THEN {} END FROM C", repeated("x."), many("a,")),
        format!("FIND {{{}", repeated("\\}")),
        format!("FIND {{x}} RETURNING {}", repeated("Contact(Id, a(b), ")),
        format!("FIND {{x}} RETURNING {}", repeated("Contact(Id),")),
        format!("SELECT+{}", repeated("%28SELECT+")),
    ];
    for text in texts {
        let start = Instant::now();
        let found = shape(&text);
        let taken = start.elapsed();
        // A quadratic walk of four hundred thousand characters takes minutes.
        assert!(taken < Duration::from_secs(5), "{:?} for {}…", taken, text.get(..40).unwrap());
        assert!(found.objects.len() <= 64 && found.fields.len() <= 500 + 64 * 3);
    }
}
