//! One duty, judged for one incident.

use std::sync::Arc;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    calendar::{countable, date_in},
    condition::{self, Answer, Ground, Scope},
    counting::{Count, Ends, Start},
    facts::{Awareness, Facts, Sent, TriggerTimes},
    law::{AuthorityOf, InForce, Law, Limit, LimitUnit, Place, Regime},
    places::{Authority, Places},
    target::{InternalTarget, InternalTargets},
    trigger::TriggerKind,
};

/// Whether a duty applies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    /// Every condition holds.
    Applies,
    /// A fact that would decide is not known; the due instant is the one that would count.
    Possible {
        /// The facts to be answered.
        unknown_facts: Vec<String>,
    },
    /// A condition does not hold.
    DoesNotApply {
        /// The facts that say so.
        because: Vec<String>,
    },
    /// Not law yet at the start of its clock: a proposal, or a law before its first day. It never falls due.
    Coming {
        /// The first day, where one is set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<NaiveDate>,
    },
}

impl Standing {
    /// The word, as it stands in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Applies => "applies",
            Self::Possible { .. } => "possible",
            Self::DoesNotApply { .. } => "does_not_apply",
            Self::Coming { .. } => "coming",
        }
    }

    /// The facts to be answered; none where the duty is decided.
    pub fn unknown_facts(&self) -> &[String] {
        match self {
            Self::Possible { unknown_facts } => unknown_facts,
            _ => &[],
        }
    }

    /// The facts for which the duty does not apply; none where it does or may.
    pub fn because(&self) -> &[String] {
        match self {
            Self::DoesNotApply { because } => because,
            _ => &[],
        }
    }
}

/// What the judgement needs to know of the organisation beside the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// The zone of its calendar.
    pub time_zone: Tz,
    /// Its targets for duties without a number.
    pub targets: InternalTargets,
}

impl Organisation {
    /// With the targets that are sensible by default.
    pub fn in_zone(time_zone: Tz) -> Self {
        Self { time_zone, targets: InternalTargets::default() }
    }
}

/// A due instant as clocks on walls show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalDue {
    /// In the organisation's zone.
    pub organisation: DateTime<FixedOffset>,
    /// That zone.
    pub organisation_zone: Tz,
    /// In the zone of the authority, or of the place of the law, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<DateTime<FixedOffset>>,
    /// That zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority_zone: Option<Tz>,
}

/// One duty of one law for one incident: who tells whom, by when, since which moment.
#[expect(clippy::struct_excessive_bools, reason = "each says one thing of the law or of its data")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obligation {
    /// Name of the regime, as `eu-gdpr-33-1`.
    pub regime_id: String,
    /// What the duty is.
    pub title: Arc<str>,
    /// Whose law.
    #[serde(default)]
    pub jurisdiction: Arc<str>,
    /// Article and paragraph: the legal basis.
    pub article: Arc<str>,
    /// Who has the duty.
    pub who_notifies: Arc<str>,
    /// Who is told.
    pub who_is_told: Arc<str>,
    /// The authorities that are told, by name, where the authorities file has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorities: Vec<Authority>,
    /// The facts that would say which authority it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authority_depends_on: Vec<String>,
    /// Whether it applies.
    #[serde(flatten)]
    pub standing: Standing,
    /// Why, fact by fact; of a duty that does not apply, what ends it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grounds: Vec<Ground>,
    /// The moment that the law names as the start.
    pub starts_at: TriggerKind,
    /// When that was; absent where it is not known, and then there is no due instant.
    pub started_at: Option<DateTime<Utc>>,
    /// True where no person has yet said when the clock started.
    pub start_assumed: bool,
    /// What to ask, where the start is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<String>,
    /// The earliest defensible end of the limit, UTC.
    pub due_at: Option<DateTime<Utc>>,
    /// The latest end that can be defended; the same instant where law and facts leave one reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_defensible_at: Option<DateTime<Utc>>,
    /// The due instant on the clocks of organisation and authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_local: Option<LocalDue>,
    /// Of a duty that is coming: when it would be due if it were law.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_be_due_at: Option<DateTime<Utc>>,
    /// The limit itself; absent where the law names no number.
    pub limit: Option<Limit>,
    /// The rule by which it was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counting: Option<Arc<str>>,
    /// The internal target of a duty without a number. Never the law's limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<InternalTarget>,
    /// What was not known in counting.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caveats: Vec<String>,
    /// Whether the notification may come in phases.
    pub phased: bool,
    /// Whether the law only invites.
    #[serde(default)]
    pub voluntary: bool,
    /// The list of what the notification says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_ref: Option<Arc<str>>,
    /// What the notification says.
    pub content_items: Arc<[String]>,
    /// Exemptions, in words: for a person to weigh.
    #[serde(default, skip_serializing_if = "crate::law::is_empty")]
    pub exemptions: Arc<[String]>,
    /// Where the wording was read.
    #[serde(default)]
    pub source: Arc<str>,
    /// Whether the regime was checked against its source.
    #[serde(default)]
    pub verified: bool,
    /// Version of the regime's entry.
    #[serde(default)]
    pub regime_version: Arc<str>,
    /// Version of the law file.
    pub law_version: String,
}

impl Obligation {
    /// Whether its clock has to be watched.
    pub fn is_open(&self) -> bool {
        self.due_at.is_some() && self.may_apply()
    }

    /// The instant to watch: the due instant, or the internal target of a duty without a number.
    pub fn watched_at(&self) -> Option<DateTime<Utc>> {
        let target = || self.target.and_then(|target| target.at);
        self.due_at.or_else(target).filter(|_| self.may_apply())
    }

    fn may_apply(&self) -> bool {
        matches!(self.standing, Standing::Applies | Standing::Possible { .. })
    }
}

/// Judges every regime. One that does not apply is in the answer too, and says why; one that is not law yet is
/// shown as coming.
pub fn obligations(
    law: &Law,
    facts: &Facts,
    times: &TriggerTimes,
    organisation: &Organisation,
) -> Vec<Obligation> {
    let judge = Judge { law, facts, times: &times.countable(), sent: None, organisation };
    law.regimes.iter().map(|regime| judge.obligation(regime)).collect()
}

/// Judges every regime, as [`obligations`] does, in an incident with several laws: a clock that starts at a sending
/// starts at that of the regimes which its own regime follows, and has a gap while none of them was sent. Sendings in
/// `times` do not say by which law they were, and count for nothing here.
pub fn obligations_after(
    law: &Law,
    facts: &Facts,
    times: &TriggerTimes,
    sent: &Sent,
    organisation: &Organisation,
) -> Vec<Obligation> {
    let times = TriggerTimes {
        initial_sent: None,
        notification_sent: None,
        intermediate_sent: None,
        ..times.countable()
    };
    let judge = Judge { law, facts, times: &times, sent: Some(sent), organisation };
    law.regimes.iter().map(|regime| judge.obligation(regime)).collect()
}

#[derive(Clone, Copy)]
struct Judge<'a> {
    law: &'a Law,
    facts: &'a Facts,
    times: &'a TriggerTimes,
    /// What was sent by which regime; absent where the times say it for all.
    sent: Option<&'a Sent>,
    organisation: &'a Organisation,
}

/// Due instants, as far as there are any.
#[derive(Default)]
struct Clock {
    due: Option<DateTime<Utc>>,
    latest: Option<DateTime<Utc>>,
    would_be: Option<DateTime<Utc>>,
    caveats: Vec<String>,
}

impl Judge<'_> {
    fn obligation(self, regime: &Regime) -> Obligation {
        let start = self.start(regime);
        let authority_country = self.authority_country();
        let place = self.place(regime, authority_country);
        let shown_zone = place.or_else(|| match regime.place {
            Place::Authority => None,
            _ => self.places().time_zone(&regime.jurisdiction),
        });
        let mut grounds = Vec::new();
        let standing = self.standing(regime, start, shown_zone, &mut grounds);
        let applies_not = matches!(standing, Standing::DoesNotApply { .. });
        let may_apply = matches!(standing, Standing::Applies | Standing::Possible { .. });
        let limit = self.limit(regime);
        let clock = match start {
            Some(start) if !applies_not => {
                self.clock(regime, limit, start, place, authority_country, may_apply)
            }
            _ => Clock::default(),
        };
        let (authorities, authority_depends_on) = if applies_not {
            Default::default()
        } else {
            self.authorities(regime, authority_country)
        };
        let has_number = limit.is_some() || regime.counting.is_some() || clock.due.is_some();
        let target = (may_apply && !has_number).then(|| {
            let severity = self.facts.text("severity");
            self.organisation.targets.of(regime, severity, start.map(|start| start.at))
        });
        let content_items =
            regime.content_ref.as_deref().and_then(|content| self.law.content(content));
        Obligation {
            regime_id: regime.id.clone(),
            title: regime.title.clone(),
            jurisdiction: regime.jurisdiction.clone(),
            article: regime.article.clone(),
            who_notifies: regime.who_notifies.clone(),
            who_is_told: regime.who_is_told.clone(),
            authorities,
            authority_depends_on,
            standing,
            grounds,
            starts_at: regime.starts_at,
            started_at: start.map(|start| start.at),
            start_assumed: start.is_some_and(|start| start.assumed),
            gap: (may_apply && start.is_none()).then(|| regime.starts_at.question().to_owned()),
            due_at: clock.due,
            latest_defensible_at: clock.latest,
            due_local: clock.due.map(|due| self.local(due, shown_zone)),
            would_be_due_at: clock.would_be,
            limit,
            counting: regime.counting.clone(),
            target,
            caveats: clock.caveats,
            phased: regime.phased,
            voluntary: regime.voluntary,
            content_ref: regime.content_ref.clone(),
            content_items: content_items.cloned().unwrap_or_default(),
            exemptions: regime.exemptions.clone(),
            source: regime.source.clone(),
            verified: regime.verified,
            regime_version: regime.version.clone(),
            law_version: self.law.law_version.clone(),
        }
    }

    fn start(self, regime: &Regime) -> Option<Awareness> {
        let Some(sent) = self.sent.filter(|_| regime.starts_at.is_sending()) else {
            return self.times.of(regime.starts_at);
        };
        let sendings = regime.follows.iter().filter_map(|id| countable(*sent.get(id)?));
        // Of intermediate reports the latest counts: Del. Reg. (EU) 2025/301 Art. 5(1)(c).
        let at = if regime.starts_at == TriggerKind::IntermediateSent {
            sendings.max()
        } else {
            sendings.min()
        };
        at.map(Awareness::decided)
    }

    fn places(&self) -> &Places {
        self.law.places()
    }

    fn scope<'b>(&'b self, regime: &'b Regime) -> Scope<'b> {
        Scope { facts: self.facts, places: self.places(), jurisdiction: &regime.jurisdiction }
    }

    fn standing(
        &self,
        regime: &Regime,
        start: Option<Awareness>,
        zone: Option<Tz>,
        grounds: &mut Vec<Ground>,
    ) -> Standing {
        let scope = self.scope(regime);
        let answer = condition::all(&regime.applies_when, scope);
        condition::grounds_of_all(&regime.applies_when, scope, answer, grounds);
        if answer == Answer::No {
            return Standing::DoesNotApply {
                because: grounds.iter().map(ToString::to_string).collect(),
            };
        }
        for exemption in &regime.exempt_when {
            if exemption.answer(scope) == Answer::Yes {
                grounds.clear();
                exemption.grounds(scope, grounds);
                let because = grounds.iter().map(ToString::to_string).collect();
                return Standing::DoesNotApply { because };
            }
        }
        let zones: Vec<Tz> =
            [Some(self.organisation.time_zone), zone].into_iter().flatten().collect();
        let reference = start.map(|start| start.at).or_else(|| self.times.earliest());
        match reference.map(|at| regime.in_force_at(at, &zones)) {
            Some(InForce::NotYet) => return Standing::Coming { from: regime.in_force_from },
            Some(InForce::Ended) => {
                let until = regime.in_force_until.map(|until| until.to_string());
                let because = format!("it was law until {}", until.unwrap_or_default());
                return Standing::DoesNotApply { because: vec![because] };
            }
            None if regime.is_law_on_no_day() => return Standing::Coming { from: None },
            Some(InForce::Yes) | None => {}
        }
        let mut unknown_facts: Vec<String> = grounds
            .iter()
            .filter(|ground| ground.answer == Answer::Unknown)
            .map(|ground| ground.fact.clone())
            .collect();
        match reference.map_or(Bites::Yes, |at| self.bites(regime, at, &zones)) {
            Bites::Yes => {}
            Bites::From(from) => return Standing::Coming { from: Some(from) },
            Bites::DependsOn(fact) => unknown_facts.push(fact),
        }
        let mut known = std::collections::BTreeSet::new();
        unknown_facts.retain(|fact| known.insert(fact.clone()));
        if unknown_facts.is_empty() {
            Standing::Applies
        } else {
            Standing::Possible { unknown_facts }
        }
    }

    /// Whether a duty that is in force can apply yet.
    fn bites(&self, regime: &Regime, at: DateTime<Utc>, zones: &[Tz]) -> Bites {
        let Some(bites) = &regime.bites_from else { return Bites::Yes };
        let day = zones.iter().map(|zone| date_in(at, *zone)).max().unwrap_or(at.date_naive());
        if let Some(from) = self.facts.text(&bites.fact).and_then(|value| bites.days.get(value)) {
            return if day < *from { Bites::From(*from) } else { Bites::Yes };
        }
        match bites.days.values().min() {
            Some(first) if day < *first => Bites::From(*first),
            _ if bites.days.values().any(|from| day < *from) => {
                Bites::DependsOn(bites.fact.clone())
            }
            _ => Bites::Yes,
        }
    }

    /// The law's limit, or the one that a contract sets for a duty without one.
    fn limit(&self, regime: &Regime) -> Option<Limit> {
        regime.limit.or_else(|| {
            let hours = self.facts.get(regime.limit_from_fact.as_deref()?)?.as_u64()?;
            let value = u32::try_from(hours).ok().filter(|hours| *hours > 0)?;
            Some(Limit { value, unit: LimitUnit::Hours })
        })
    }

    fn clock(
        &self,
        regime: &Regime,
        limit: Option<Limit>,
        start: Awareness,
        place: Option<Tz>,
        authority_country: Option<&str>,
        may_apply: bool,
    ) -> Clock {
        let mut caveats = self.unreadable_facts(regime);
        let second = regime.second_limit.as_ref().and_then(|second| {
            let at = self.times.of(second.starts_at).map(|moment| moment.at);
            if at.is_none() {
                caveats.push(format!(
                    "the second limit of {} {} cannot be checked: {}",
                    second.value,
                    second.unit.word(),
                    second.starts_at.question()
                ));
            }
            at
        });
        let count = Count {
            rules: self.law.counting_rules(),
            holidays: self.law.holidays(),
            scope: self.scope(regime),
            organisation: self.organisation.time_zone,
            place,
            authority_calendar: authority_country
                .map(|country| self.places().holiday_calendar(country)),
        };
        let latest = start.latest_defensible.map_or(start.at, |latest| latest.max(start.at));
        let set_by_others = regime.due_from_fact.as_deref().and_then(|fact| self.instant(fact));
        let ends = match set_by_others {
            Some(due) => {
                Some(Ends { due, latest: due, caveats: std::collections::BTreeSet::new() })
            }
            None => count.ends(regime, limit, Start { at: start.at, latest }, second),
        };
        let Some(ends) = ends else {
            if limit.is_some() || regime.counting.is_some() {
                caveats.push(format!(
                    "the limit cannot be counted: its end after {} lies outside the calendar; check that instant",
                    start.at
                ));
            }
            return Clock { caveats, ..Clock::default() };
        };
        caveats.extend(ends.caveats);
        if may_apply {
            Clock { due: Some(ends.due), latest: Some(ends.latest), would_be: None, caveats }
        } else {
            Clock { would_be: Some(ends.due), caveats, ..Clock::default() }
        }
    }

    fn instant(&self, fact: &str) -> Option<DateTime<Utc>> {
        countable(DateTime::parse_from_rfc3339(self.facts.text(fact)?).ok()?.to_utc())
    }

    /// Facts that set a limit or a due instant and cannot be read as one.
    fn unreadable_facts(&self, regime: &Regime) -> Vec<String> {
        let mut caveats = Vec::new();
        if let Some(fact) = regime.limit_from_fact.as_deref()
            && let Some(value) = self.facts.get(fact)
            && self.limit(regime).is_none()
        {
            caveats
                .push(format!("{fact} is {value}; write a whole number of hours greater than 0"));
        }
        if let Some(fact) = regime.due_from_fact.as_deref()
            && let Some(value) = self.facts.get(fact)
            && self.instant(fact).is_none()
        {
            caveats.push(format!("{fact} is {value}; write an instant, as 2026-11-24T10:00:00Z"));
        }
        caveats
    }

    /// The country of the authority: as given, or that of an establishment in the EEA.
    fn authority_country(&self) -> Option<&str> {
        self.facts.text("authority_country").or_else(|| {
            let establishment = self.facts.text("establishment_country")?;
            self.places().is_in(establishment, "EEA").then_some(establishment)
        })
    }

    fn place(&self, regime: &Regime, authority_country: Option<&str>) -> Option<Tz> {
        match regime.place {
            Place::Organisation => None,
            Place::Authority => self.places().time_zone(authority_country?),
            Place::Zone(zone) => Some(zone),
        }
    }

    /// The authorities by name, and the facts that would narrow them down to one.
    fn authorities(
        &self,
        regime: &Regime,
        authority_country: Option<&str>,
    ) -> (Vec<Authority>, Vec<String>) {
        let countries: Vec<&str> = match &regime.authority {
            None => return (Vec::new(), Vec::new()),
            Some(AuthorityOf::Country(country)) => vec![country],
            Some(AuthorityOf::Establishment) => match authority_country {
                Some(country) => vec![country],
                // Without an establishment in the EEA there is no lead authority: every authority concerned.
                None => self.affected_countries("EEA"),
            },
        };
        let region = self.facts.text("authority_region");
        if countries.is_empty() {
            return (Vec::new(), vec!["authority_country".to_owned()]);
        }
        let found: Vec<Vec<&Authority>> =
            countries.iter().map(|country| self.places().authorities(country, region)).collect();
        let is_narrowed = found.iter().all(|candidates| candidates.len() <= 1);
        let depends_on = (!is_narrowed).then(|| "authority_region".to_owned());
        (found.into_iter().flatten().cloned().collect(), depends_on.into_iter().collect())
    }

    fn affected_countries(&self, group: &str) -> Vec<&str> {
        let countries: Vec<&str> = match self.facts.get("subject_country") {
            Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
            Some(value) => value.as_str().into_iter().collect(),
            None => Vec::new(),
        };
        let mut members: Vec<&str> =
            countries.into_iter().filter(|country| self.places().is_in(country, group)).collect();
        members.sort_unstable();
        members.dedup();
        members
    }

    fn local(&self, due: DateTime<Utc>, zone: Option<Tz>) -> LocalDue {
        let at = |zone: Tz| due.with_timezone(&zone).fixed_offset();
        LocalDue {
            organisation: at(self.organisation.time_zone),
            organisation_zone: self.organisation.time_zone,
            authority: zone.map(at),
            authority_zone: zone,
        }
    }
}

/// Whether a duty in force can apply on a day.
enum Bites {
    Yes,
    From(NaiveDate),
    DependsOn(String),
}

#[cfg(test)]
mod tests;
