//! The law as data.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use thiserror::Error;

use crate::{
    calendar::{Holidays, date_in},
    condition::Condition,
    counting::CountingRules,
    duty::OwnDuty,
    places::Places,
    trigger::TriggerKind,
};

const EMBEDDED_REGIMES: [(&str, &str); 3] = [
    ("regimes-europe.json", include_str!("../law/regimes-europe.json")),
    ("regimes-us.json", include_str!("../law/regimes-us.json")),
    ("regimes-world.json", include_str!("../law/regimes-world.json")),
];
const EMBEDDED_CONTENT: &str = include_str!("../law/content.json");

/// Reading a megabyte of law is worth doing once.
static EMBEDDED: LazyLock<Result<Law, LawError>> = LazyLock::new(Law::read_embedded);

/// The law data cannot be used.
#[derive(Clone, Debug, Error)]
pub enum LawError {
    /// Not the JSON that is expected.
    #[error("{file} cannot be read: {reason}; compare it with shared/deadlines/law/{file}")]
    Json {
        /// Which file.
        file: String,
        /// What the reader says.
        reason: String,
    },
    /// A regime that cannot be computed.
    #[error("regime {regime_id}: {reason}; correct it and load the law again")]
    Regime {
        /// Which regime.
        regime_id: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A rule of counting that cannot be computed.
    #[error("counting rule {rule_id}: {reason}; correct it in counting-rules.json")]
    Rule {
        /// Which rule.
        rule_id: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl LawError {
    pub(crate) fn reading<T: DeserializeOwned>(file: &str, json: &str) -> Result<T, Self> {
        serde_json::from_str(json)
            .map_err(|error| Self::Json { file: file.to_owned(), reason: error.to_string() })
    }
}

/// All regimes of one version of the law data, with the calendars and rules that they are counted by. Cheap to
/// clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Law {
    /// The day on which the data was last compared with its sources.
    pub law_version: String,
    /// The duties.
    pub regimes: Vec<Arc<Regime>>,
    base: Arc<Base>,
}

#[derive(Debug, PartialEq, Eq)]
struct Base {
    rules: CountingRules,
    holidays: Holidays,
    places: Places,
    content: BTreeMap<String, Arc<[String]>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegimesFile {
    #[serde(rename = "schema")]
    _schema: String,
    law_version: String,
    regimes: Vec<Regime>,
}

/// One duty of one law.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regime {
    /// Stable name, as `eu-gdpr-33-1`.
    pub id: String,
    /// The day on which this entry was last compared with its source.
    pub version: Arc<str>,
    /// What the duty is.
    pub title: Arc<str>,
    /// Whose law: ISO 3166 code of a country or a part of one, `EU` or `EEA`.
    pub jurisdiction: Arc<str>,
    /// Article and paragraph.
    pub article: Arc<str>,
    /// Who has the duty.
    pub who_notifies: Arc<str>,
    /// Who is told.
    pub who_is_told: Arc<str>,
    /// Which authority of the authorities file that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<AuthorityOf>,
    /// All of these must hold.
    pub applies_when: Vec<Condition>,
    /// One of these that is known to hold ends the duty. An unknown one is no question.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exempt_when: Vec<Condition>,
    /// The moment that starts the clock.
    pub starts_at: TriggerKind,
    /// Where that moment is a sending: the regimes whose sending it is. Another law's starts nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follows: Vec<String>,
    /// How long; absent where the law names no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// The fact that holds a limit in hours which a contract sets where the law names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_from_fact: Option<String>,
    /// The fact that holds the due instant where somebody sets it, as an authority in its request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_from_fact: Option<String>,
    /// A limit from another moment; the earlier of the two ends counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_limit: Option<SecondLimit>,
    /// The longest limit that can be defended, where the law's words leave a span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_limit: Option<Limit>,
    /// A number that stands in guidance only: an internal target, never a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guidance_limit: Option<Limit>,
    /// The rule by which the limit is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counting: Option<Arc<str>>,
    /// The rule that moves the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    /// Rules that lead to the latest end which can be defended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latest_readings: Vec<String>,
    /// Whose clock counts beside the organisation's.
    pub place: Place,
    /// Whether the notification may come in phases: GDPR Art. 33(4).
    pub phased: bool,
    /// Whether the law only invites.
    #[serde(default, skip_serializing_if = "is_false")]
    pub voluntary: bool,
    /// Exemptions, in words: for a person to weigh.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub exemptions: Arc<[String]>,
    /// The list of what the notification says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_ref: Option<Arc<str>>,
    /// Who may put the duty off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_note: Option<String>,
    /// First day in force; absent where it is not known or not yet set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force_from: Option<NaiveDate>,
    /// Last day in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force_until: Option<NaiveDate>,
    /// The first day on which a duty in force can apply, where that depends on a fact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bites_from: Option<BitesFrom>,
    /// How far the law has come.
    pub status: Status,
    /// Where the wording was read.
    pub source: Arc<str>,
    /// Whether the entry was checked against its source.
    pub verified: bool,
    /// What of the entry was checked, where not all was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_covers: Option<String>,
    /// What else to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

pub(crate) fn is_empty(list: &Arc<[String]>) -> bool {
    list.is_empty()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands in a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// How far a law has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Law, between its first and its last day.
    InForce,
    /// Adopted; applies from its first day on, or from no day that is known.
    Adopted,
    /// A proposal: shown as coming, and never due.
    Proposed,
}

/// Which authority is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum AuthorityOf {
    /// That of the country of the establishment: GDPR Art. 55, 56. Without one in the EEA, that of each country in
    /// which persons are affected.
    Establishment,
    /// That of one country.
    Country(String),
}

impl From<String> for AuthorityOf {
    fn from(text: String) -> Self {
        if text == "of_establishment" { Self::Establishment } else { Self::Country(text) }
    }
}

impl From<AuthorityOf> for String {
    fn from(of: AuthorityOf) -> Self {
        match of {
            AuthorityOf::Establishment => "of_establishment".to_owned(),
            AuthorityOf::Country(country) => country,
        }
    }
}

/// Whose clock counts beside the organisation's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Place {
    /// No other.
    Organisation,
    /// That of the authority's country, the place of the act: Reg. (EEC, Euratom) 1182/71 Art. 2(1).
    Authority,
    /// That of one zone.
    Zone(Tz),
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "organisation" => Ok(Self::Organisation),
            "authority" => Ok(Self::Authority),
            zone => zone.parse().map(Self::Zone).map_err(|_| {
                format!("{zone} is no place; write organisation, authority or a time zone, as Europe/Berlin")
            }),
        }
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        match place {
            Place::Organisation => "organisation".to_owned(),
            Place::Authority => "authority".to_owned(),
            Place::Zone(zone) => zone.name().to_owned(),
        }
    }
}

/// A limit, with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// How many.
    pub value: u32,
    /// Of what.
    pub unit: LimitUnit,
}

/// The unit of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitUnit {
    /// Elapsed hours on the UTC line.
    Hours,
    /// Days of the calendar.
    Days,
    /// Months of the calendar.
    Months,
    /// Working days.
    BusinessDays,
}

impl LimitUnit {
    /// The word for a sentence.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hours => "hours",
            Self::Days => "days",
            Self::Months => "months",
            Self::BusinessDays => "working days",
        }
    }
}

/// A limit in hours from another moment than the first. It counts only where the clock started before its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecondLimit {
    /// The moment that starts it.
    pub starts_at: TriggerKind,
    /// How many.
    pub value: u32,
    /// Hours.
    pub unit: LimitUnit,
    /// When it counts.
    pub note: String,
}

/// The first day on which a duty can apply, by the value of a fact, as the annex of an AI system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BitesFrom {
    /// Name of the fact.
    pub fact: String,
    /// First day by value.
    pub days: BTreeMap<String, NaiveDate>,
}

impl Law {
    /// The law that this version was built with: every regime there is.
    pub fn embedded() -> Result<Self, LawError> {
        EMBEDDED.clone()
    }

    /// The same rules, calendars and places with the regimes of another file.
    pub fn from_json(json: &str) -> Result<Self, LawError> {
        let RegimesFile { law_version, regimes, .. } = LawError::reading("regimes.json", json)?;
        Self { law_version, regimes: Vec::new(), ..Self::embedded()? }.and_regimes(regimes)
    }

    fn read_embedded() -> Result<Self, LawError> {
        let holidays = Holidays::embedded()?;
        let base = Base {
            rules: CountingRules::embedded(&holidays)?,
            holidays,
            places: Places::embedded()?,
            content: LawError::reading("content.json", EMBEDDED_CONTENT)?,
        };
        let mut law =
            Self { law_version: String::new(), regimes: Vec::new(), base: Arc::new(base) };
        for (file, json) in EMBEDDED_REGIMES {
            let RegimesFile { law_version, regimes, .. } = LawError::reading(file, json)?;
            law.law_version = law.law_version.max(law_version);
            law = law.and_regimes(regimes)?;
        }
        Ok(law)
    }

    /// Adds the duties that a customer has beside the law: contracts, insurers, works councils.
    pub fn and_own_duties(self, duties: Vec<OwnDuty>) -> Result<Self, LawError> {
        let version = self.law_version.clone();
        self.and_regimes(duties.into_iter().map(|duty| duty.into_regime(&version)).collect())
    }

    /// Only these regimes, in the order of the law. Names that there are none of are refused.
    pub fn only(mut self, ids: &[&str]) -> Result<Self, LawError> {
        if let Some(unknown) = ids.iter().find(|id| self.regime(id).is_none()) {
            return Err(LawError::Regime {
                regime_id: (*unknown).to_owned(),
                reason: "there is no such regime in the law data".to_owned(),
            });
        }
        self.regimes.retain(|regime| ids.contains(&regime.id.as_str()));
        Ok(self)
    }

    /// The regime of that name.
    pub fn regime(&self, id: &str) -> Option<&Arc<Regime>> {
        self.regimes.iter().find(|regime| regime.id == id)
    }

    /// The rules of counting.
    pub fn counting_rules(&self) -> &CountingRules {
        &self.base.rules
    }

    /// The public holidays.
    pub fn holidays(&self) -> &Holidays {
        &self.base.holidays
    }

    /// Countries and authorities.
    pub fn places(&self) -> &Places {
        &self.base.places
    }

    /// What a notification says, by the reference that regimes name.
    pub fn content(&self, content_ref: &str) -> Option<&Arc<[String]>> {
        self.base.content.get(content_ref)
    }

    /// The content lists that regimes can name, in the order of their names.
    pub fn content_refs(&self) -> impl Iterator<Item = &str> {
        self.base.content.keys().map(String::as_str)
    }

    fn and_regimes(mut self, regimes: Vec<Regime>) -> Result<Self, LawError> {
        let mut known: BTreeSet<String> =
            self.regimes.iter().map(|regime| regime.id.clone()).collect();
        for regime in regimes {
            let problem = if known.insert(regime.id.clone()) {
                self.problem_of(&regime)
            } else {
                Some("there are two of that name".to_owned())
            };
            if let Some(reason) = problem {
                return Err(LawError::Regime { regime_id: regime.id, reason });
            }
            self.regimes.push(Arc::new(regime));
        }
        for regime in &self.regimes {
            if let Some(unknown) = regime.follows.iter().find(|id| !known.contains(*id)) {
                return Err(LawError::Regime {
                    regime_id: regime.id.clone(),
                    reason: format!("it follows {unknown}, and there is no such regime"),
                });
            }
        }
        Ok(self)
    }

    fn problem_of(&self, regime: &Regime) -> Option<String> {
        let groups =
            regime.applies_when.iter().chain(&regime.exempt_when).flat_map(Condition::groups);
        for group in groups {
            if !self.places().has_group(group) {
                return Some(format!("there is no group of countries {group}"));
            }
        }
        if let Some(content_ref) = &regime.content_ref
            && self.content(content_ref).is_none()
        {
            return Some(format!("there is no content list {content_ref}"));
        }
        if let Some(AuthorityOf::Country(country)) = &regime.authority
            && self.places().authorities(country, None).is_empty()
        {
            return Some(format!("there is no authority of {country} on file"));
        }
        regime.problem().map(ToOwned::to_owned).or_else(|| self.counting_rules().problem_of(regime))
    }
}

impl Regime {
    /// The first and the last day in force, and the zones of whoever has the duty and of the place of the law: a
    /// duty that is law by either clock is law.
    pub(crate) fn in_force_at(&self, instant: DateTime<Utc>, zones: &[Tz]) -> InForce {
        if self.is_law_on_no_day() {
            return InForce::NotYet;
        }
        let days: Vec<NaiveDate> = zones.iter().map(|zone| date_in(instant, *zone)).collect();
        let (first, last) = (days.iter().min().copied(), days.iter().max().copied());
        let begins_later = self.in_force_from.zip(last).is_some_and(|(from, day)| day < from);
        let has_ended = self.in_force_until.zip(first).is_some_and(|(until, day)| until < day);
        match (begins_later, has_ended) {
            (true, _) => InForce::NotYet,
            (_, true) => InForce::Ended,
            _ => InForce::Yes,
        }
    }

    /// A proposal, or a law whose first day is not set.
    pub(crate) fn is_law_on_no_day(&self) -> bool {
        match self.status {
            Status::InForce => false,
            Status::Adopted => self.in_force_from.is_none(),
            Status::Proposed => true,
        }
    }

    fn problem(&self) -> Option<&'static str> {
        let limits = [self.limit, self.latest_limit, self.guidance_limit];
        if limits.iter().flatten().any(|limit| limit.value == 0) {
            return Some("a limit of zero would be overdue before it starts");
        }
        if self.id.is_empty() || self.article.is_empty() || self.source.is_empty() {
            return Some("a name, an article and a source must be given");
        }
        if self.in_force_from.zip(self.in_force_until).is_some_and(|(from, until)| from > until) {
            return Some("it ends before it begins");
        }
        if self.limit.is_some() && self.counting.is_none() {
            return Some("a limit needs a rule by which it is counted");
        }
        if self.second_limit.as_ref().is_some_and(|second| second.unit != LimitUnit::Hours) {
            return Some("a second limit is in hours");
        }
        if self.second_limit.as_ref().is_some_and(|second| second.starts_at.is_sending()) {
            return Some("a second limit cannot start at a sending");
        }
        match (self.starts_at.is_sending(), self.follows.is_empty()) {
            (true, true) => return Some("a clock that starts at a sending needs follows: whose"),
            (false, false) => return Some("its clock starts at no sending, so it follows nothing"),
            _ => {}
        }
        if self.applies_when.iter().chain(&self.exempt_when).any(Condition::is_hollow) {
            return Some("a condition without alternatives can never hold");
        }
        if self.bites_from.as_ref().is_some_and(|bites| bites.days.is_empty()) {
            return Some("bites_from names no day");
        }
        None
    }
}

/// Whether a regime is law at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InForce {
    /// It is.
    Yes,
    /// It begins later, or on no day that is known.
    NotYet,
    /// Its last day has passed.
    Ended,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_regime(change: impl Fn(&mut serde_json::Value)) -> Result<Law, LawError> {
        let regime = Law::embedded().unwrap().regime("eu-gdpr-33-1").unwrap().clone();
        let mut regime = serde_json::to_value(&*regime).unwrap();
        change(&mut regime);
        let file =
            serde_json::json!({"schema": "test", "law_version": "test", "regimes": [regime]});
        Law::from_json(&file.to_string())
    }

    #[test]
    fn the_embedded_law_is_sound_and_whole() {
        let law = Law::embedded().unwrap();
        assert_eq!(law.regimes.len(), 46 + 238);
        assert!(law.regimes.iter().all(|regime| !regime.version.is_empty()));
        assert_eq!(with_regime(|_| {}).unwrap().regimes.len(), 1);
    }

    #[test]
    fn what_cannot_be_computed_is_refused_with_the_regime_and_the_reason() {
        for (key, value, reason) in [
            ("id", serde_json::json!(""), "an article and a source"),
            ("article", serde_json::json!(""), "an article and a source"),
            ("source", serde_json::json!(""), "an article and a source"),
            ("latest_limit", serde_json::json!({"value": 0, "unit": "hours"}), "limit of zero"),
            ("limit", serde_json::json!({"value": 0, "unit": "hours"}), "limit of zero"),
            ("limit", serde_json::json!({"value": 3, "unit": "days"}), "does not count days"),
            ("in_force_until", serde_json::json!("2018-05-24"), "ends before it begins"),
            ("counting", serde_json::Value::Null, "rule by which it is counted"),
            ("counting", serde_json::json!("by-moon"), "no counting rule by-moon"),
            ("counting", serde_json::json!("eu-1182-3-4"), "does not count a limit"),
            ("extension", serde_json::json!("exact-hours"), "changes no end"),
            ("extension", serde_json::json!("undue-delay"), "changes no end"),
            ("latest_readings", serde_json::json!(["by-moon"]), "no counting rule by-moon"),
            ("content_ref", serde_json::json!("nothing"), "no content list nothing"),
            ("authority", serde_json::json!("XX"), "no authority of XX"),
            ("place", serde_json::json!("Mars"), "Mars is no place"),
            ("starts_at", serde_json::json!("initial_sent"), "starts at a sending needs follows"),
            ("follows", serde_json::json!(["eu-gdpr-33-2"]), "starts at no sending"),
            (
                "second_limit",
                serde_json::json!(
                    {"starts_at": "initial_sent", "value": 24, "unit": "hours", "note": "test"}
                ),
                "second limit cannot start at a sending",
            ),
            ("applies_when", serde_json::json!([{"op": "any", "of": []}]), "can never hold"),
            (
                "applies_when",
                serde_json::json!([{"op": "all", "of": [{"op": "any", "of": [
                    {"op": "eq", "fact": "risk", "value": "risk"},
                    {"op": "in", "fact": "risk", "values": []},
                ]}]}]),
                "can never hold",
            ),
            ("exempt_when", serde_json::json!([{"op": "any", "of": []}]), "can never hold"),
            (
                "applies_when",
                serde_json::json!([{"op": "all", "of": [
                    {"op": "in_group", "fact": "subject_country", "group": "XX"},
                ]}]),
                "no group of countries XX",
            ),
            ("bites_from", serde_json::json!({"fact": "ai.annex", "days": {}}), "names no day"),
            (
                "second_limit",
                serde_json::json!(
                    {"starts_at": "aware", "value": 1, "unit": "days", "note": "test"}
                ),
                "second limit is in hours",
            ),
            (
                "applies_when",
                serde_json::json!([{"op": "in_group", "fact": "subject_country", "group": "XX"}]),
                "no group of countries XX",
            ),
        ] {
            let message =
                with_regime(|regime| regime[key] = value.clone()).unwrap_err().to_string();
            assert!(message.contains(reason), "{key}: {message}");
        }
    }

    #[test]
    fn a_law_of_one_day_is_law_on_it() {
        let law = with_regime(|regime| {
            regime["in_force_until"] = regime["in_force_from"].clone();
        })
        .unwrap();
        let regime = law.regime("eu-gdpr-33-1").unwrap();
        let noon = "2018-05-25T12:00:00Z".parse().unwrap();
        assert_eq!(regime.in_force_at(noon, &[Tz::UTC]), InForce::Yes);
        assert_eq!(law.law_version, "test");
    }

    #[test]
    fn the_law_is_written_as_it_is_read() {
        let law = Law::embedded().unwrap();
        let mut written = law.regimes.iter().map(|regime| serde_json::to_value(regime).unwrap());
        for (file, json) in EMBEDDED_REGIMES {
            let read: serde_json::Value = serde_json::from_str(json).unwrap();
            for regime in read["regimes"].as_array().unwrap() {
                assert_eq!(written.next().as_ref(), Some(regime), "{file}");
            }
        }
        assert_eq!(written.next(), None);
    }

    #[test]
    fn a_regime_follows_only_what_there_is() {
        let after = |id: &str| {
            with_regime(|regime| {
                regime["starts_at"] = serde_json::json!("initial_sent");
                regime["follows"] = serde_json::json!([id]);
            })
        };
        let message = after("eu-gdpr-99").unwrap_err().to_string();
        assert!(message.contains("it follows eu-gdpr-99, and there is no"), "{message}");
        assert!(after("eu-gdpr-33-1").is_ok());
    }

    #[test]
    fn a_duty_is_law_by_either_clock() {
        let law = Law::embedded().unwrap();
        let regime = law.regime("in-dpdp-rule-7-board-72h").unwrap();
        let at = "2027-05-13T19:00:00Z".parse().unwrap();
        let (berlin, kolkata) = (chrono_tz::Europe::Berlin, chrono_tz::Asia::Kolkata);
        assert_eq!(regime.in_force_at(at, &[berlin]), InForce::NotYet);
        assert_eq!(regime.in_force_at(at, &[berlin, kolkata]), InForce::Yes);
        let old = law.regime("uk-pecr-5a-old").unwrap();
        let london = chrono_tz::Europe::London;
        let last = "2025-08-19T22:59:59Z".parse().unwrap();
        let past = "2025-08-19T23:00:00Z".parse().unwrap();
        assert_eq!(old.in_force_at(last, &[london]), InForce::Yes);
        assert_eq!(old.in_force_at(past, &[london]), InForce::Ended);
        let los_angeles = chrono_tz::America::Los_Angeles;
        assert_eq!(old.in_force_at(past, &[london, los_angeles]), InForce::Yes, "still the 19th");
    }

    #[test]
    fn a_selection_names_what_there_is() {
        let law = Law::embedded().unwrap();
        assert_eq!(law.clone().only(&["eu-gdpr-33-1"]).unwrap().regimes.len(), 1);
        let message = law.only(&["eu-gdpr-99"]).unwrap_err().to_string();
        assert!(message.contains("eu-gdpr-99"), "{message}");
    }
}
