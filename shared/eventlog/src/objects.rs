//! Names of objects and ids of records, as Salesforce writes them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

/// A prefix of three characters and the standard object whose ids begin with it, one pair a line.
/// Prefixes that several objects share are left out.
static KEY_PREFIXES: &str = include_str!("../data/key_prefixes.txt");

static OBJECT_BY_PREFIX: LazyLock<BTreeMap<&'static str, &'static str>> =
    LazyLock::new(|| KEY_PREFIXES.lines().filter_map(|line| line.split_once(' ')).collect());

static SPELLING: LazyLock<BTreeMap<String, &'static str>> = LazyLock::new(|| {
    OBJECT_BY_PREFIX.values().map(|name| (name.to_ascii_lowercase(), *name)).collect()
});

/// What a report, a dashboard, a list view, a job or an app is called by: ids that name no record of
/// anybody.
const NOT_RECORDS: [&str; 8] = ["00B", "00D", "00O", "01Z", "01g", "0H4", "750", "751"];

/// Longest name of an object or a field that is kept. Salesforce allows 40 characters, 15 of namespace
/// and the suffix.
pub(crate) const MAX_NAME_CHARACTERS: usize = 80;

/// Most objects kept of one row.
pub(crate) const MAX_OBJECTS_PER_ROW: usize = 64;

/// Most record ids kept of one row.
pub(crate) const MAX_RECORD_IDS_PER_ROW: usize = 2_000;

/// The standard object whose record ids begin as `record_id` does; `None` for a custom object, whose
/// prefix differs from org to org.
///
/// ```
/// assert_eq!(eventlog::objects::object_of_record_id("0035g00000AbCdE"), Some("Contact"));
/// ```
pub fn object_of_record_id(record_id: &str) -> Option<&'static str> {
    OBJECT_BY_PREFIX.get(record_id.get(..3)?).copied()
}

/// Salesforce's own spelling of an object's name: `contact` is `Contact`. The name of a custom object
/// stays as it is.
pub fn canonical_object(name: &str) -> &str {
    SPELLING.get(&name.to_ascii_lowercase()).copied().unwrap_or(name)
}

/// Whether this is the name of a standard object, in any case.
pub(crate) fn is_standard_object(name: &str) -> bool {
    SPELLING.contains_key(&name.to_ascii_lowercase())
}

/// The object behind a child relationship of a query, if it is the plural of a standard one.
pub(crate) fn object_of_relationship(name: &str) -> &str {
    let lower = name.to_ascii_lowercase();
    let singulars = [
        lower.strip_suffix("ies").map(|stem| format!("{stem}y")),
        lower.strip_suffix("es").map(str::to_owned),
        lower.strip_suffix('s').map(str::to_owned),
    ];
    singulars
        .iter()
        .flatten()
        .find_map(|singular| SPELLING.get(singular).copied())
        .unwrap_or_else(|| canonical_object(name))
}

/// Whether this could be the name of an object.
pub(crate) fn is_object_name(name: &str) -> bool {
    name.len() <= MAX_NAME_CHARACTERS
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// An id cut to the 15 characters that carry it; ids of 18 add a checksum, anonymised ones more.
pub(crate) fn id_15(text: &str) -> Option<String> {
    let id = text.get(..15)?;
    (text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .then(|| id.to_owned())
}

/// The id of a record in `text`, cut to 15 characters: starts with a digit and is no report's, no job's.
pub(crate) fn record_id(text: &str) -> Option<String> {
    let has_length = matches!(text.len(), 15 | 18);
    let id = id_15(text)?;
    let is_record = has_length
        && id.bytes().any(|byte| byte.is_ascii_digit())
        && !NOT_RECORDS.iter().any(|prefix| id.starts_with(prefix));
    is_record.then_some(id)
}

/// The names in a column that holds a set of them, whatever stands between.
pub(crate) fn object_set(text: &str) -> BTreeSet<String> {
    text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_')
        .filter(|name| is_object_name(name))
        .map(|name| canonical_object(name).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_objects_that_hold_people_are_known_by_their_prefix() {
        for (id, object) in [
            ("0015g00000AbCdE", "Account"),
            ("0035g00000AbCdE", "Contact"),
            ("00Q5g00000AbCdE", "Lead"),
            ("5005g00000AbCdE", "Case"),
            ("0055g00000AbCdE", "User"),
            ("0PK5g00000AbCdE", "Individual"),
            ("5705g00000AbCdE", "LiveChatTranscript"),
            ("0695g00000AbCdE", "ContentDocument"),
        ] {
            assert_eq!(object_of_record_id(id), Some(object));
        }
        assert_eq!(object_of_record_id("a0B5g00000AbCdE"), None);
        assert_eq!(object_of_record_id("\u{e4}\u{e4}"), None);
    }

    #[test]
    fn quirk_6_ids_of_15_18_and_anonymised_20_characters_are_cut_to_15() {
        assert_eq!(id_15("0055g00000Bot01").as_deref(), Some("0055g00000Bot01"));
        assert_eq!(id_15("0055g00000Bot01AAA").as_deref(), Some("0055g00000Bot01"));
        assert_eq!(id_15("0055g00000Bot01AAAxy").as_deref(), Some("0055g00000Bot01"));
        assert_ne!(id_15("0055g00000Bot01"), id_15("0055g00000bot01"));
        assert_eq!(id_15("short"), None);
        assert_eq!(id_15("0055g00000Bot0\u{e4}"), None);
    }

    #[test]
    fn a_set_of_names_is_read_whatever_separates_them() {
        let wanted = BTreeSet::from(["Case".to_owned(), "Contact".to_owned(), "Foo__c".to_owned()]);
        for text in ["Case,contact,Foo__c", "Contact; Case; Foo__c", "[Foo__c|case|Contact]"] {
            assert_eq!(object_set(text), wanted, "{text}");
        }
        assert!(object_set("").is_empty());
    }

    #[test]
    fn reports_and_jobs_are_no_records() {
        assert_eq!(record_id("00O5g000008aBcD"), None);
        assert_eq!(record_id("7505g000008aBcD"), None);
        assert_eq!(record_id("communications"), None);
        assert_eq!(record_id("0035g00000AbCdEAAQ").as_deref(), Some("0035g00000AbCdE"));
    }

    #[test]
    fn plural_relationships_name_their_object() {
        assert_eq!(object_of_relationship("Contacts"), "Contact");
        assert_eq!(object_of_relationship("Opportunities"), "Opportunity");
        assert_eq!(object_of_relationship("Invoices__r"), "Invoices__r");
    }
}
