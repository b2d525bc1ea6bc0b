//! What is known of an incident, and when each thing happened.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{calendar::countable, trigger::TriggerKind};

/// Facts by name, as the conditions of a regime ask for them (`role`, `risk`, `gdpr_applies` …). A name that
/// is absent, or present with `null`, is not known.
///
/// A fact takes one of these forms:
///
/// | form | example | read as |
/// |---|---|---|
/// | a value | `"controller"`, `true`, `501` | itself |
/// | a list | `["DE", "US"]` | all of these hold, and no others |
/// | an interval | `{"lower": 400, "upper": 900}` | a number between the two; without `upper`, no bound is known |
/// | by place | `{"by_place": {"US-CA": 501}}` | the value for the regime's jurisdiction; not known elsewhere |
/// | a group | `{"classification": {"major": true}}` | facts named `classification.major` |
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts(BTreeMap<String, Value>);

impl Facts {
    /// Adds or replaces a fact.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// All facts, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The fact of that name, if it is known. A dot leads into a group.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let direct = self.0.get(name);
        let found = direct.or_else(|| {
            let (group, rest) = name.split_once('.')?;
            rest.split('.').try_fold(self.0.get(group)?, |value, key| value.get(key))
        });
        found.filter(|value| !value.is_null())
    }

    /// The fact as it stands for one place: an ISO 3166 code, as `JP` or `US-CA`.
    pub(crate) fn at_place(&self, name: &str, place: &str) -> Option<&Value> {
        let value = self.get(name)?;
        match value.get("by_place") {
            Some(by_place) => by_place.get(place).filter(|value| !value.is_null()),
            None => Some(value),
        }
    }

    /// A fact that is one text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }
}

/// When the controller became aware, and on whose word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awareness {
    /// The instant. Where several are on record and none is ruled out, the earliest.
    pub at: DateTime<Utc>,
    /// True while no person has decided: the incident's policy took another moment in its place.
    pub assumed: bool,
    /// The latest instant that can still be defended, where that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_defensible: Option<DateTime<Utc>>,
}

impl Awareness {
    /// As a person decided.
    pub const fn decided(at: DateTime<Utc>) -> Self {
        Self { at, assumed: false, latest_defensible: None }
    }

    /// As policy has it until a person decides.
    pub const fn assumed(at: DateTime<Utc>) -> Self {
        Self { at, assumed: true, latest_defensible: None }
    }

    /// The same, with another instant that can be defended as well. An earlier one changes nothing.
    #[must_use]
    pub fn or_as_late_as(self, latest: DateTime<Utc>) -> Self {
        Self { latest_defensible: Some(latest).filter(|latest| *latest > self.at), ..self }
    }
}

/// Name of a regime → when its message was sent. Of a report that was sent again with news, the latest sending: Del.
/// Reg. (EU) 2025/301 Art. 5(1)(c).
pub type Sent = BTreeMap<String, DateTime<Utc>>;

/// The moments from which clocks start. They are kept apart, because each law names its own, and none ever
/// stands in for another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TriggerTimes {
    /// When the first access happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred: Option<DateTime<Utc>>,
    /// When Salesforce wrote the log that tells of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logged: Option<DateTime<Utc>>,
    /// When the log that tells of it reached us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub landed: Option<DateTime<Utc>>,
    /// When the judgement said incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detected: Option<DateTime<Utc>>,
    /// When the organisation that has the duty became aware: GDPR Art. 33(1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aware: Option<Awareness>,
    /// When the incident was assessed and found to be one that is notified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assessed: Option<DateTime<Utc>>,
    /// When the incident was classified: DORA Art. 18.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classified: Option<DateTime<Utc>>,
    /// When a listed company determined that the incident is material: Form 8-K Item 1.05.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub materiality_determined: Option<DateTime<Utc>>,
    /// When a causal link was established, or its reasonable likelihood: AI Act Art. 73(2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causal_link_established: Option<DateTime<Utc>>,
    /// When the first notification was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_sent: Option<DateTime<Utc>>,
    /// When the notification proper was sent: NIS2 Art. 23(4)(b).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_sent: Option<DateTime<Utc>>,
    /// When the intermediate report was sent; of several, the latest: Del. Reg. (EU) 2025/301 Art. 5(1)(c).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intermediate_sent: Option<DateTime<Utc>>,
    /// When an incident that went on for long was handled: NIS2 Art. 23(4)(e).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident_handled: Option<DateTime<Utc>>,
    /// When a corrective measure became available: CRA Art. 14(2)(c).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrective_measure_available: Option<DateTime<Utc>>,
}

impl TriggerTimes {
    /// The moment of that kind, and only of that kind.
    pub fn of(&self, kind: TriggerKind) -> Option<Awareness> {
        let plain = match kind {
            TriggerKind::Aware => return self.aware,
            TriggerKind::Occurred => self.occurred,
            TriggerKind::Logged => self.logged,
            TriggerKind::Landed => self.landed,
            TriggerKind::Detected => self.detected,
            TriggerKind::Assessed => self.assessed,
            TriggerKind::Classified => self.classified,
            TriggerKind::MaterialityDetermined => self.materiality_determined,
            TriggerKind::CausalLinkEstablished => self.causal_link_established,
            TriggerKind::InitialSent => self.initial_sent,
            TriggerKind::NotificationSent => self.notification_sent,
            TriggerKind::IntermediateSent => self.intermediate_sent,
            TriggerKind::IncidentHandled => self.incident_handled,
            TriggerKind::CorrectiveMeasureAvailable => self.corrective_measure_available,
        };
        plain.map(Awareness::decided)
    }

    /// The same, with the moment of that kind.
    #[must_use]
    pub fn with(mut self, kind: TriggerKind, at: DateTime<Utc>) -> Self {
        let moment = match kind {
            TriggerKind::Aware => {
                self.aware = Some(Awareness::decided(at));
                return self;
            }
            TriggerKind::Occurred => &mut self.occurred,
            TriggerKind::Logged => &mut self.logged,
            TriggerKind::Landed => &mut self.landed,
            TriggerKind::Detected => &mut self.detected,
            TriggerKind::Assessed => &mut self.assessed,
            TriggerKind::Classified => &mut self.classified,
            TriggerKind::MaterialityDetermined => &mut self.materiality_determined,
            TriggerKind::CausalLinkEstablished => &mut self.causal_link_established,
            TriggerKind::InitialSent => &mut self.initial_sent,
            TriggerKind::NotificationSent => &mut self.notification_sent,
            TriggerKind::IntermediateSent => &mut self.intermediate_sent,
            TriggerKind::IncidentHandled => &mut self.incident_handled,
            TriggerKind::CorrectiveMeasureAvailable => &mut self.corrective_measure_available,
        };
        *moment = Some(at);
        self
    }

    /// The same without moments that no calendar can count from: they are as good as not known.
    pub(crate) fn countable(mut self) -> Self {
        self.aware = self.aware.filter(|aware| countable(aware.at).is_some()).map(|aware| {
            Awareness { latest_defensible: aware.latest_defensible.and_then(countable), ..aware }
        });
        for moment in [
            &mut self.occurred,
            &mut self.logged,
            &mut self.landed,
            &mut self.detected,
            &mut self.assessed,
            &mut self.classified,
            &mut self.materiality_determined,
            &mut self.causal_link_established,
            &mut self.initial_sent,
            &mut self.notification_sent,
            &mut self.intermediate_sent,
            &mut self.incident_handled,
            &mut self.corrective_measure_available,
        ] {
            *moment = moment.and_then(countable);
        }
        self
    }

    /// The earliest moment on record, whatever its kind. It never starts a clock; it only tells which law was in
    /// force where a clock's own start is not known.
    pub(crate) fn earliest(&self) -> Option<DateTime<Utc>> {
        TriggerKind::ALL.iter().filter_map(|kind| self.of(*kind)).map(|moment| moment.at).min()
    }
}

/// Member states of the EU, and Iceland, Liechtenstein and Norway, where the GDPR applies by the EEA Agreement.
const EEA: [&str; 30] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS",
    "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// Whether the GDPR applies to a controller established in `country` (ISO 3166-1 alpha-2): GDPR Art. 3(1).
///
/// `None` for an establishment elsewhere: the GDPR may still apply by the place of the persons, Art. 3(2), and
/// that is for a person to answer.
pub fn gdpr_applies_by_establishment(country: &str) -> Option<bool> {
    EEA.contains(&country).then_some(true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_establishment_outside_the_eea_leaves_the_question_open() {
        assert_eq!(gdpr_applies_by_establishment("DE"), Some(true));
        assert_eq!(gdpr_applies_by_establishment("NO"), Some(true));
        assert_eq!(gdpr_applies_by_establishment("US"), None);
        assert_eq!(gdpr_applies_by_establishment("GB"), None);
    }

    #[test]
    fn a_dot_leads_into_a_group_and_null_is_not_known() {
        let facts = Facts::default()
            .with("classification", json!({"major": true, "other": null}))
            .with("contract.notice_hours", 24)
            .with("risk", Value::Null);
        assert_eq!(facts.get("classification.major"), Some(&json!(true)));
        assert_eq!(facts.get("classification.other"), None);
        assert_eq!(facts.get("contract.notice_hours"), Some(&json!(24)));
        assert_eq!(facts.get("risk"), None);
        assert_eq!(facts.get("risk.level"), None);
    }

    #[test]
    fn a_fact_by_place_is_known_there_only() {
        let facts = Facts::default().with("subject_count", json!({"by_place": {"JP": 3}}));
        assert_eq!(facts.at_place("subject_count", "JP"), Some(&json!(3)));
        assert_eq!(facts.at_place("subject_count", "KR"), None);
        let asked = Facts::default().with("subject_count", json!({"by_place": {"JP": null}}));
        assert_eq!(asked.at_place("subject_count", "JP"), None);
    }

    #[test]
    fn only_a_later_instant_can_be_defended_as_the_latest() {
        let at = "2026-11-24T10:00:00Z".parse().unwrap();
        let second = chrono::TimeDelta::seconds(1);
        let latest = |latest| Awareness::decided(at).or_as_late_as(latest).latest_defensible;
        assert_eq!(latest(at - second), None);
        assert_eq!(latest(at), None);
        assert_eq!(latest(at + second), Some(at + second));
    }

    #[test]
    fn a_moment_that_no_calendar_can_count_from_is_as_good_as_not_known() {
        let at = "2026-11-24T10:00:00Z".parse().unwrap();
        let aware = Awareness::decided(at).or_as_late_as(DateTime::<Utc>::MAX_UTC);
        let times = TriggerTimes { aware: Some(aware), ..TriggerTimes::default() };
        assert_eq!(times.countable().aware, Some(Awareness::decided(at)));
        for kind in TriggerKind::ALL {
            let times = TriggerTimes::default().with(kind, DateTime::<Utc>::MIN_UTC);
            assert_eq!(times.countable(), TriggerTimes::default(), "{kind:?}");
            let times = TriggerTimes::default().with(kind, at);
            assert_eq!(times.countable(), times, "{kind:?}");
        }
    }

    #[test]
    fn every_kind_of_moment_is_kept_apart() {
        let at = "2026-11-24T10:00:00Z".parse().unwrap();
        for kind in TriggerKind::ALL {
            let times = TriggerTimes::default().with(kind, at);
            for other in TriggerKind::ALL {
                assert_eq!(times.of(other).is_some(), other == kind, "{kind:?}, {other:?}");
            }
            assert_eq!(times.earliest(), Some(at));
        }
    }
}
