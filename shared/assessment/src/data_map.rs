//! What objects and fields hold: the built-in map of Salesforce names, and what the customer knows better.
//!
//! A name is looked up in this order, and the first answer stands:
//! 1. the customer's own data map,
//! 2. the field as the built-in map names it, or, of a path over relationships, as it is known of the object that the
//!    last relationship is called after,
//! 3. the pattern of the field's name, in six languages,
//! 4. the object as the built-in map names it,
//! 5. nothing: unknown, evaluated as contact data and never as non-personal.
//!
//! A *hint* never decides alone: it counts as the plain category of the object. Compliance groups of
//! Salesforce's own field definitions come between 2 and 3 once they are imported.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::LazyLock,
};

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::findings::DataCategory;

/// How sure a category is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Raises a question; never decides alone.
    Hint,
    /// Used, and shown as an assumption.
    Likely,
    /// Used as it is.
    Certain,
}

/// What is known of an object or a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classified {
    /// Its category; `None` where nobody knows.
    pub category: Option<DataCategory>,
    /// How sure that is.
    pub confidence: Confidence,
    /// How many records the object has, where the customer says.
    pub population: Option<u64>,
    /// Whether each record of the object stands for one person, so that distinct records are distinct
    /// persons. A case is about a person, but ten cases may be about one.
    pub person_object: bool,
}

impl Classified {
    /// The category to evaluate with: a hint counts as plain contact data, and so does what is unknown.
    pub fn evaluated_as(&self) -> DataCategory {
        match (self.category, self.confidence) {
            (Some(category), Confidence::Likely | Confidence::Certain) => category,
            (Some(_), Confidence::Hint) | (None, _) => DataCategory::ContactIdentity,
        }
    }
}

/// What the customer says of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectDecision {
    /// Its API name.
    pub object: String,
    /// What it holds; `None` leaves the built-in answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<DataCategory>,
    /// How many records it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub population: Option<u64>,
    /// Whether each record stands for one person; `None` leaves the built-in answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_record_per_person: Option<bool>,
    /// What its fields hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldDecision>,
}

/// What the customer says of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldDecision {
    /// Its API name, without the object.
    pub field: String,
    /// What it holds.
    pub category: DataCategory,
}

/// The customer's decisions over the built-in map. Serialises as the decisions alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<ObjectDecision>", into = "Vec<ObjectDecision>")]
pub struct DataMap {
    /// By the object's name in small letters: API names do not differ by letter case alone.
    decisions: BTreeMap<String, ObjectDecision>,
}

impl From<Vec<ObjectDecision>> for DataMap {
    fn from(decisions: Vec<ObjectDecision>) -> Self {
        Self::new(decisions)
    }
}

impl From<DataMap> for Vec<ObjectDecision> {
    fn from(map: DataMap) -> Self {
        map.decisions.into_values().collect()
    }
}

impl DataMap {
    /// A map with these decisions over the built-in one.
    pub fn new(decisions: impl IntoIterator<Item = ObjectDecision>) -> Self {
        let decisions = decisions
            .into_iter()
            .map(|decision| (decision.object.to_lowercase(), decision))
            .collect();
        Self { decisions }
    }

    /// What is known of an object.
    pub fn object(&self, name: &str) -> Classified {
        let lower = name.to_lowercase();
        let decision = self.decisions.get(&lower);
        let known = BUILT_IN.objects.get(&lower);
        let (category, confidence) = match decision.and_then(|decision| decision.category) {
            Some(category) => (Some(category), Confidence::Certain),
            None => match known {
                Some(known) => (Some(known.category), known.confidence),
                None => BUILT_IN.by_prefix(&lower),
            },
        };
        let personal = category != Some(DataCategory::NonPersonal);
        let person_object = decision
            .and_then(|decision| decision.one_record_per_person)
            .unwrap_or_else(|| known.is_some_and(|known| known.person));
        Classified {
            category,
            confidence,
            population: decision.and_then(|decision| decision.population),
            person_object: personal && person_object,
        }
    }

    /// What is known of a field, named alone, as a path (`Account.Name`) or with its object in front.
    pub fn field(&self, object: &str, field: &str) -> Classified {
        let of_object = self.object(object);
        let answer =
            |category, confidence| Classified { category: Some(category), confidence, ..of_object };
        let field = strip_object(object, field);
        let lower = object.to_lowercase();
        let decision = self.decisions.get(&lower);
        let decided = decision.and_then(|decision| {
            decision.fields.iter().find(|known| known.field.eq_ignore_ascii_case(field))
        });
        if let Some(decided) = decided {
            return answer(decided.category, Confidence::Certain);
        }
        if let Some(related) = self.related_field(field)
            && let Some(category) = related.category
        {
            return answer(category, related.confidence);
        }
        // Who says that an object holds no personal data says it of its fields.
        if decision.and_then(|decision| decision.category) == Some(DataCategory::NonPersonal) {
            return of_object;
        }
        let known = BUILT_IN.objects.get(&lower);
        if let Some((category, confidence)) =
            known.and_then(|known| known.fields.get(&field.to_lowercase()))
        {
            return answer(*category, *confidence);
        }
        match classify_name(field) {
            Some((category, confidence)) => answer(category, confidence),
            None => of_object,
        }
    }

    /// The field at the end of a path whose last relationship is called after an object that the map knows:
    /// `Account.Owner__r.Pin__c` is the field `Pin__c` of `Owner__c`.
    fn related_field(&self, path: &str) -> Option<Classified> {
        let (relationships, field) = path.rsplit_once('.')?;
        let relationship = relationships.rsplit('.').next()?;
        let object = match relationship.strip_suffix("__r") {
            Some(stem) => format!("{stem}__c"),
            None => relationship.to_owned(),
        };
        self.knows(&object).then(|| self.field(&object, field))
    }

    /// What is known of the fields that FIELDS(ALL), (STANDARD) or (CUSTOM) stands for, as far as the map has them.
    fn wildcard_fields(&self, object: &str, wildcard: &str) -> Vec<Classified> {
        let lower = object.to_lowercase();
        let built_in =
            BUILT_IN.objects.get(&lower).into_iter().flat_map(|known| known.fields.keys());
        let decided = self.decisions.get(&lower).into_iter().flat_map(|it| &it.fields);
        let names: BTreeSet<String> =
            built_in.cloned().chain(decided.map(|it| it.field.to_lowercase())).collect();
        let is_asked = |name: &String| match wildcard {
            FIELDS_STANDARD => !is_custom(name),
            FIELDS_CUSTOM => is_custom(name),
            _ => true,
        };
        names.iter().filter(|name| is_asked(name)).map(|name| self.field(object, name)).collect()
    }

    /// The worst category among an object and the fields of it that a query named, FIELDS(ALL) and its like standing
    /// for every field that the map has; `None` where neither is known. Hints take no part.
    pub fn exposed(&self, object: &str, fields: &BTreeSet<String>) -> Option<DataCategory> {
        let of_object = self.object(object);
        let of_object = of_object.category.map(|_| of_object.evaluated_as());
        fields
            .iter()
            .filter(|field| belongs_to(object, field))
            .flat_map(|field| match strip_object(object, field) {
                wildcard if is_wildcard(wildcard) => self.wildcard_fields(object, wildcard),
                field => vec![self.field(object, field)],
            })
            .filter(|field| field.confidence > Confidence::Hint)
            .filter_map(|field| field.category)
            .chain(of_object)
            .max()
    }

    /// Whether the map has an entry for the object.
    pub fn knows(&self, object: &str) -> bool {
        let lower = object.to_lowercase();
        self.decisions.contains_key(&lower) || BUILT_IN.objects.contains_key(&lower)
    }
}

/// All fields of an object, its standard ones, and those that the customer added, as queries ask for them.
const FIELDS_ALL: &str = "FIELDS(ALL)";
const FIELDS_STANDARD: &str = "FIELDS(STANDARD)";
const FIELDS_CUSTOM: &str = "FIELDS(CUSTOM)";

/// Whether this stands for many fields of its object.
pub(crate) fn is_wildcard(field: &str) -> bool {
    [FIELDS_ALL, FIELDS_STANDARD, FIELDS_CUSTOM].contains(&field)
}

/// Whether a field, in small letters, was added by the customer or a package: `X__c`, and `X__pc` of persons.
fn is_custom(field: &str) -> bool {
    field.ends_with("__c") || field.ends_with("__pc")
}

/// Whether `name` can be the API name of an object: a letter, then letters, digits and underscores.
pub(crate) fn is_object_name(name: &str) -> bool {
    const CHARACTERS_MAX: usize = 80;
    name.len() <= CHARACTERS_MAX
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
}

/// The names that an object may be meant by when a subquery names a relationship: `Contacts` reads contacts,
/// `Invoices__r` reads `Invoice__c`.
pub(crate) fn singular_names(relationship: &str) -> Vec<String> {
    let (stem, ending) = match relationship.strip_suffix("__r") {
        Some(stem) => (stem, "__c"),
        None => (relationship, ""),
    };
    let mut names = Vec::new();
    if let Some(stem) = stem.strip_suffix("ies") {
        names.push(format!("{stem}y{ending}"));
    }
    if let Some(stem) = stem.strip_suffix('s') {
        names.push(format!("{stem}{ending}"));
    }
    if let Some(stem) = stem.strip_suffix("es") {
        names.push(format!("{stem}{ending}"));
    }
    if !ending.is_empty() {
        names.push(format!("{stem}{ending}"));
    }
    names
}

/// Whether `field`, written `Object.Field`, is one of `object`.
pub(crate) fn belongs_to(object: &str, field: &str) -> bool {
    field.split_once('.').is_none_or(|(owner, _)| owner.eq_ignore_ascii_case(object))
}

fn strip_object<'field>(object: &str, field: &'field str) -> &'field str {
    match field.split_once('.') {
        Some((owner, rest)) if owner.eq_ignore_ascii_case(object) => rest,
        _ => field,
    }
}

/// The category that a field's name tells, by the built-in patterns.
fn classify_name(name: &str) -> Option<(DataCategory, Confidence)> {
    let tokens = tokens(name);
    let free = BUILT_IN.outside_exceptions(&tokens);
    let mut best: Option<(bool, DataCategory, Confidence, usize)> = None;
    for run in free.split(Option::is_none) {
        let run: Vec<&str> = run.iter().flatten().copied().collect();
        for joined in joined_neighbours(&run) {
            let Some((category, confidence)) = BUILT_IN.patterns.get(&joined) else { continue };
            let sure = *confidence > Confidence::Hint;
            // Sure hits beat hints; then the worst category, the surer one, the longer one.
            let hit = (sure, *category, *confidence, joined.len());
            best = best.max(Some(hit));
        }
    }
    best.map(|(_, category, confidence, _)| (category, confidence))
}

/// A pattern is at most this many neighbouring tokens joined.
const NEIGHBOURS_MAX: usize = 4;

fn joined_neighbours(tokens: &[&str]) -> Vec<String> {
    (0..tokens.len())
        .flat_map(|start| {
            (1..=NEIGHBOURS_MAX).filter_map(move |length| {
                tokens.get(start..start.checked_add(length)?).map(<[&str]>::concat)
            })
        })
        .collect()
}

/// Splits a field's name into lower-case words without accents, custom suffix, namespace and stop words.
fn tokens(name: &str) -> Vec<String> {
    let name = name.rsplit('.').next().unwrap_or(name);
    let name = BUILT_IN
        .name_suffixes
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix.as_str()))
        .unwrap_or(name);
    let name = match name.split_once("__") {
        Some((namespace, rest))
            if namespace.chars().all(|character| character.is_ascii_alphanumeric()) =>
        {
            rest
        }
        _ => name,
    };
    let mut tokens: Vec<String> = Vec::new();
    let mut token = String::new();
    let mut after_small = false;
    for character in without_accents(name).chars() {
        if !character.is_alphanumeric() {
            tokens.push(std::mem::take(&mut token));
            after_small = false;
            continue;
        }
        if character.is_uppercase() && after_small {
            tokens.push(std::mem::take(&mut token));
        }
        after_small = character.is_lowercase() || character.is_numeric();
        token.extend(character.to_lowercase());
    }
    tokens.push(token);
    tokens.retain(|token| !token.is_empty() && !BUILT_IN.stop_words.contains(token));
    tokens
}

fn without_accents(name: &str) -> String {
    let mut spelled = String::with_capacity(name.len());
    for character in name.nfc() {
        match character {
            'ä' => spelled.push_str("ae"),
            'ö' => spelled.push_str("oe"),
            'ü' => spelled.push_str("ue"),
            'Ä' => spelled.push_str("Ae"),
            'Ö' => spelled.push_str("Oe"),
            'Ü' => spelled.push_str("Ue"),
            'ß' => spelled.push_str("ss"),
            other => spelled.push(other),
        }
    }
    spelled.nfd().filter(|character| !is_combining_mark(*character)).collect()
}

/// The built-in map, as the data file has it.
#[derive(Deserialize)]
struct CategoriesFile {
    object_prefixes: Vec<PrefixEntry>,
    name_suffixes: Vec<String>,
    stop_words: BTreeSet<String>,
    name_exceptions: Vec<String>,
    objects: Vec<ObjectEntry>,
    field_name_patterns: Vec<(String, DataCategory, Confidence)>,
}

#[derive(Deserialize)]
struct PrefixEntry {
    prefix: String,
    category: DataCategory,
    confidence: Confidence,
}

#[derive(Deserialize)]
struct ObjectEntry {
    object: String,
    category: DataCategory,
    confidence: Confidence,
    person: bool,
    fields: BTreeMap<String, (DataCategory, Confidence)>,
}

struct KnownObject {
    category: DataCategory,
    confidence: Confidence,
    person: bool,
    fields: HashMap<String, (DataCategory, Confidence)>,
}

struct BuiltIn {
    objects: HashMap<String, KnownObject>,
    prefixes: Vec<PrefixEntry>,
    patterns: HashMap<String, (DataCategory, Confidence)>,
    /// Joined tokens that take no part, small letters.
    exceptions: BTreeSet<String>,
    name_suffixes: Vec<String>,
    stop_words: BTreeSet<String>,
}

impl BuiltIn {
    fn by_prefix(&self, lower: &str) -> (Option<DataCategory>, Confidence) {
        self.prefixes
            .iter()
            .find(|entry| lower.starts_with(&entry.prefix.to_lowercase()))
            .map_or((None, Confidence::Hint), |entry| (Some(entry.category), entry.confidence))
    }

    /// The tokens, with those that an exception covers left blank.
    fn outside_exceptions<'token>(&self, tokens: &'token [String]) -> Vec<Option<&'token str>> {
        let mut free: Vec<Option<&str>> = tokens.iter().map(|token| Some(token.as_str())).collect();
        for start in 0..tokens.len() {
            for length in 1..=NEIGHBOURS_MAX {
                let end = start.saturating_add(length);
                let Some(run) = tokens.get(start..end) else { break };
                if self.exceptions.contains(&run.concat())
                    && let Some(covered) = free.get_mut(start..end)
                {
                    covered.fill(None);
                }
            }
        }
        free
    }
}

static BUILT_IN: LazyLock<BuiltIn> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the file is compiled in and read by every test")]
    let file: CategoriesFile = serde_json::from_str(include_str!("../data/categories.json"))
        .expect("data/categories.json has the shape of CategoriesFile");
    let objects = file.objects.into_iter().map(|entry| {
        let fields =
            entry.fields.into_iter().map(|(name, known)| (name.to_lowercase(), known)).collect();
        let ObjectEntry { category, confidence, person, .. } = entry;
        (entry.object.to_lowercase(), KnownObject { category, confidence, person, fields })
    });
    let patterns = file
        .field_name_patterns
        .into_iter()
        .map(|(pattern, category, confidence)| (pattern, (category, confidence)));
    BuiltIn {
        objects: objects.collect(),
        prefixes: file.object_prefixes,
        patterns: patterns.collect(),
        exceptions: file.name_exceptions.iter().map(|name| name.to_lowercase()).collect(),
        name_suffixes: file.name_suffixes,
        stop_words: file.stop_words,
    }
});

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct PatternTest {
        field: String,
        category: Option<DataCategory>,
        confidence: Option<Confidence>,
    }

    #[test]
    fn every_pattern_test_of_the_law_pack_passes() {
        let cases: Vec<PatternTest> =
            serde_json::from_str(include_str!("../tests/fixtures/pattern_tests.json")).unwrap();
        assert_eq!(cases.len(), 57);
        let wrong: Vec<String> = cases
            .into_iter()
            .filter_map(|case| {
                let expected = case.category.zip(case.confidence);
                let found = classify_name(&case.field);
                (found != expected).then(|| format!("{}: {found:?}", case.field))
            })
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn the_built_in_map_is_complete() {
        assert_eq!(BUILT_IN.objects.len(), 136);
        assert_eq!(BUILT_IN.patterns.len(), 569);
    }

    #[test]
    fn a_pattern_never_matches_inside_a_word() {
        assert_eq!(classify_name("Cassnumber__c"), None);
        assert_eq!(classify_name("Xiban"), None);
    }

    #[test]
    fn an_unknown_object_is_a_gap_and_evaluated_as_contact_data() {
        let unknown = DataMap::default().object("Mystery__c");
        assert_eq!(unknown.category, None);
        assert_eq!(unknown.confidence, Confidence::Hint);
        assert_eq!(unknown.evaluated_as(), DataCategory::ContactIdentity);
    }

    #[test]
    fn a_hint_counts_as_plain_contact_data() {
        let hint = DataMap::default().object("PersonLifeEvent");
        assert_eq!(hint.category, Some(DataCategory::SpecialCategory));
        assert_eq!(hint.evaluated_as(), DataCategory::ContactIdentity);
    }

    #[test]
    fn objects_are_found_whatever_the_letter_case() {
        assert_eq!(DataMap::default().object("contact"), DataMap::default().object("Contact"));
        assert!(DataMap::default().object("contact").person_object);
    }

    #[test]
    fn a_prefix_names_a_family_of_objects() {
        let object = DataMap::default().object("HealthCloudGA__EhrAppointment__c");
        assert_eq!(object.category, Some(DataCategory::SpecialCategory));
    }

    #[test]
    fn the_customers_word_comes_first() {
        let map = DataMap::new([ObjectDecision {
            object: "Contact".into(),
            category: Some(DataCategory::SpecialCategory),
            population: Some(10),
            one_record_per_person: None,
            fields: vec![FieldDecision {
                field: "Email".into(),
                category: DataCategory::NonPersonal,
            }],
        }]);
        assert_eq!(map.object("Contact").category, Some(DataCategory::SpecialCategory));
        assert_eq!(map.object("Contact").population, Some(10));
        assert_eq!(map.field("Contact", "Contact.Email").category, Some(DataCategory::NonPersonal));
    }

    #[test]
    fn a_telling_field_raises_the_object_that_holds_it() {
        let fields = BTreeSet::from(["Contact.Diagnosis__c".to_owned()]);
        let map = DataMap::default();
        assert_eq!(map.exposed("Contact", &fields), Some(DataCategory::SpecialCategory));
        assert_eq!(map.exposed("Lead", &fields), Some(DataCategory::ContactIdentity));
        assert_eq!(map.exposed("Mystery__c", &BTreeSet::new()), None);
    }

    #[test]
    fn a_hint_of_a_field_does_not_raise_its_object() {
        let fields = BTreeSet::from(["Contact.Gender__c".to_owned()]);
        let exposed = DataMap::default().exposed("Contact", &fields);
        assert_eq!(exposed, Some(DataCategory::ContactIdentity));
    }

    #[test]
    fn who_calls_an_object_non_personal_means_its_fields_too() {
        let map = DataMap::new([ObjectDecision {
            object: "Knowledge__kav".into(),
            category: Some(DataCategory::NonPersonal),
            population: None,
            one_record_per_person: None,
            fields: Vec::new(),
        }]);
        let fields = BTreeSet::from(["Knowledge__kav.Email__c".to_owned()]);
        assert_eq!(map.exposed("Knowledge__kav", &fields), Some(DataCategory::NonPersonal));
    }

    #[test]
    fn relationships_lead_back_to_objects() {
        assert!(singular_names("Contacts").contains(&"Contact".to_owned()));
        assert!(singular_names("Opportunities").contains(&"Opportunity".to_owned()));
        assert!(singular_names("Invoices__r").contains(&"Invoice__c".to_owned()));
    }

    fn decided(object: &str, field: &str, category: DataCategory) -> DataMap {
        DataMap::new([ObjectDecision {
            object: object.to_owned(),
            category: None,
            population: None,
            one_record_per_person: None,
            fields: vec![FieldDecision { field: field.to_owned(), category }],
        }])
    }

    #[test]
    fn a_wildcard_stands_for_every_field_that_the_map_has() {
        let exposed = |map: &DataMap, object: &str, which: &str| {
            map.exposed(object, &BTreeSet::from([format!("{object}.FIELDS({which})")]))
        };
        let built_in = DataMap::default();
        let named = BTreeSet::from(["Individual.ConvictionsCount".to_owned()]);
        assert_eq!(built_in.exposed("Individual", &named), Some(DataCategory::Criminal));
        assert_eq!(exposed(&built_in, "Individual", "ALL"), Some(DataCategory::Criminal));
        assert_eq!(exposed(&built_in, "Individual", "STANDARD"), Some(DataCategory::Criminal));
        let custom = exposed(&built_in, "Individual", "CUSTOM");
        assert_eq!(custom, built_in.exposed("Individual", &BTreeSet::new()));

        let health = decided("Contact", "Blood__c", DataCategory::SpecialCategory);
        assert_eq!(exposed(&health, "Contact", "ALL"), Some(DataCategory::SpecialCategory));
        assert_eq!(exposed(&health, "Contact", "CUSTOM"), Some(DataCategory::SpecialCategory));
        assert_ne!(exposed(&health, "Contact", "STANDARD"), Some(DataCategory::SpecialCategory));
        assert_eq!(exposed(&built_in, "Mystery__c", "ALL"), None);
    }

    #[test]
    fn a_path_leads_to_the_object_that_its_last_relationship_is_called_after() {
        let of = |map: &DataMap, path: &str| map.field("Case", path).category;
        let special = Some(DataCategory::SpecialCategory);
        let map = decided("Account", "Note7__c", DataCategory::SpecialCategory);
        assert_eq!(of(&map, "Case.Account.Note7__c"), special);
        assert_eq!(of(&map, "Case.Contact.Account.Note7__c"), special);
        assert_ne!(of(&map, "Case.Account.Contact.Note7__c"), special);
        let map = decided("Visit__c", "Note7__c", DataCategory::SpecialCategory);
        assert_eq!(of(&map, "Case.Visit__r.Note7__c"), special);
        assert_ne!(of(&map, "Case.Stay__r.Note7__c"), special);
    }

    #[test]
    fn decisions_survive_storage() {
        let map = DataMap::new([ObjectDecision {
            object: "Invoice__c".into(),
            category: Some(DataCategory::FinancialCredentials),
            population: Some(61_000),
            one_record_per_person: Some(false),
            fields: Vec::new(),
        }]);
        let text = serde_json::to_string(&map).unwrap();
        assert_eq!(serde_json::from_str::<DataMap>(&text).unwrap(), map);
    }
}
