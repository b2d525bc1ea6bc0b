//! How a limit is counted: `law/counting-rules.json`.
//!
//! Hours are elapsed hours on the UTC line. Days, months and working days are counted on the calendar of a named
//! zone and end with the last second of a day, or at the hour that a rule names. Where law or facts leave two
//! readings, the earliest end that can be defended is the one that counts, and the latest stands beside it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{
    calendar::{
        Closure, Holidays, Wall, Weekend, WorkingWeek, countable, date_in, days_after, end_of_day,
        instant_at,
    },
    condition::{Answer, Condition, Scope},
    law::{LawError, Limit, LimitUnit, Regime},
};

const EMBEDDED: &str = include_str!("../law/counting-rules.json");

/// One rule of counting, or one adjustment of what was counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountingRule {
    /// Stable name, as `eu-1182-days`.
    pub id: String,
    /// What it says.
    pub meaning: String,
    /// How it is computed.
    #[serde(flatten)]
    pub method: Method,
    /// Where it was read.
    pub source: String,
    /// Whether it was checked against that source.
    pub verified: bool,
    /// Worked examples. Each is a test.
    pub examples: Vec<serde_json::Value>,
}

/// How a rule is computed. The first six count a limit; the rest change the end of what was counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum Method {
    /// Hours on the UTC line from the exact start.
    ElapsedHours,
    /// Days on the calendar.
    CalendarDays {
        /// 1 where the day after the start is day one, 0 where the day of the start is.
        first_day: u32,
    },
    /// To the same day of a later month, or its last day where there is no such day.
    CalendarMonths,
    /// Working days after the day of the start.
    WorkingDays {
        /// Holiday calendars.
        holidays: Vec<String>,
        /// The weekend.
        weekend: Weekend,
        /// The hour at which the last day ends, where it is not midnight.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<NaiveTime>,
        /// Whether the last day ends by the clock of the regime's place only.
        #[serde(default)]
        at_place: bool,
    },
    /// Days after the end of the calendar year of the start.
    DaysAfterYearEnd,
    /// A day of the calendar year after that of the start.
    DateOfNextYear {
        /// Month, 1 to 12.
        month: u32,
        /// Day of the month.
        day: u32,
    },
    /// Hours from the next full clock hour.
    FullClockHours,
    /// These holidays are free as well.
    AlsoClosed {
        /// Holiday calendars.
        holidays: Vec<String>,
    },
    /// A last day that is no working day gives way to the next one that is.
    NextWorkingDay {
        /// Holiday calendars; without any, that of the authority's country.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        holidays: Option<Vec<String>>,
        /// The weekend.
        weekend: Weekend,
        /// Days of each year that are free as well.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        closed: Option<Closure>,
    },
    /// At least two working days lie inside the limit.
    TwoWorkingDays {
        /// The weekend.
        weekend: Weekend,
    },
    /// A limit that ends on a day that is no working day runs until noon of the next one that is.
    NoonOfNextWorkingDay {
        /// The weekend.
        weekend: Weekend,
        /// The rule is not there for these.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        not_when: Vec<Condition>,
        /// Facts without which it can only be defended.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        must_be_known: Vec<String>,
        /// For these it can only be defended.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        doubtful_when: Vec<Condition>,
    },
    /// Nothing is counted: a convention of the answer.
    Convention,
}

impl Method {
    const fn counts(&self) -> bool {
        matches!(
            self,
            Self::ElapsedHours
                | Self::CalendarDays { .. }
                | Self::CalendarMonths
                | Self::WorkingDays { .. }
                | Self::DaysAfterYearEnd
                | Self::DateOfNextYear { .. }
        )
    }

    const fn unit(&self) -> Option<LimitUnit> {
        match self {
            Self::ElapsedHours => Some(LimitUnit::Hours),
            Self::CalendarDays { .. } | Self::DaysAfterYearEnd => Some(LimitUnit::Days),
            Self::CalendarMonths => Some(LimitUnit::Months),
            Self::WorkingDays { .. } => Some(LimitUnit::BusinessDays),
            _ => None,
        }
    }

    fn calendars(&self) -> &[String] {
        match self {
            Self::WorkingDays { holidays, .. }
            | Self::AlsoClosed { holidays }
            | Self::NextWorkingDay { holidays: Some(holidays), .. } => holidays,
            _ => &[],
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "schema")]
    _schema: String,
    rules: Vec<CountingRule>,
}

/// All rules of counting, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountingRules(BTreeMap<String, CountingRule>);

impl CountingRules {
    pub(crate) fn embedded(holidays: &Holidays) -> Result<Self, LawError> {
        let file: File = LawError::reading("counting-rules.json", EMBEDDED)?;
        let mut rules = BTreeMap::new();
        for rule in file.rules {
            let unknown = rule.method.calendars().iter().find(|calendar| !holidays.has(calendar));
            if let Some(calendar) = unknown {
                return Err(LawError::Rule {
                    rule_id: rule.id,
                    reason: format!("there is no holiday calendar {calendar}"),
                });
            }
            rules.insert(rule.id.clone(), rule);
        }
        Ok(Self(rules))
    }

    /// The rule of that name.
    pub fn get(&self, id: &str) -> Option<&CountingRule> {
        self.0.get(id)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &CountingRule> {
        self.0.values()
    }

    fn method(&self, id: &str) -> Option<&Method> {
        self.0.get(id).map(|rule| &rule.method)
    }

    /// What is wrong with the rules that a regime names.
    pub(crate) fn problem_of(&self, regime: &Regime) -> Option<String> {
        let unknown = |id: &str| format!("there is no counting rule {id}");
        if let Some(id) = &regime.counting {
            let Some(method) = self.method(id) else { return Some(unknown(id)) };
            if !method.counts() {
                return Some(format!("{id} does not count a limit"));
            }
            let unit = regime.limit.map(|limit| limit.unit);
            if unit != method.unit() {
                return Some(format!(
                    "{id} does not count {}",
                    unit.map_or("nothing", LimitUnit::word)
                ));
            }
        }
        for id in regime.extension.iter().chain(&regime.latest_readings) {
            match self.method(id) {
                None => return Some(unknown(id)),
                Some(method) if method.counts() || *method == Method::Convention => {
                    return Some(format!("{id} changes no end"));
                }
                Some(_) => {}
            }
        }
        None
    }
}

/// What counting needs beside the regime: facts, calendars and zones.
pub(crate) struct Count<'a> {
    pub(crate) rules: &'a CountingRules,
    pub(crate) holidays: &'a Holidays,
    pub(crate) scope: Scope<'a>,
    /// The organisation's zone.
    pub(crate) organisation: Tz,
    /// The zone of the regime's place, where it is known.
    pub(crate) place: Option<Tz>,
    /// The holiday calendar of the authority's country, where it is known.
    pub(crate) authority_calendar: Option<&'a str>,
}

/// The start of a clock and the latest start that can be defended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    pub(crate) at: DateTime<Utc>,
    pub(crate) latest: DateTime<Utc>,
}

/// The two ends of a limit, and what was not known in counting it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) due: DateTime<Utc>,
    pub(crate) latest: DateTime<Utc>,
    pub(crate) caveats: BTreeSet<String>,
}

/// An end under way: the instants, and the day that it falls on.
#[derive(Clone, Copy, Debug)]
struct End {
    wall: Wall,
    day: NaiveDate,
}

/// Where a date is read off and where the last day ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Zones {
    date: Tz,
    end: Tz,
}

impl<'a> Count<'a> {
    /// Counts the limit of a regime. `None` where it has no limit to be counted, or where its end lies beyond the
    /// calendar.
    ///
    /// `second` is the start of the regime's second limit, where that is known.
    pub(crate) fn ends(
        &self,
        regime: &Regime,
        limit: Option<Limit>,
        start: Start,
        second: Option<DateTime<Utc>>,
    ) -> Option<Ends> {
        let counting = match (&regime.counting, limit) {
            (Some(id), _) => self.rules.method(id)?,
            // A limit that a contract sets for a duty without one is in hours.
            (None, Some(Limit { unit: LimitUnit::Hours, .. })) => &Method::ElapsedHours,
            (None, _) => return None,
        };
        let mut caveats = BTreeSet::new();
        let mut due: Option<DateTime<Utc>> = None;
        let mut latest: Option<DateTime<Utc>> = None;
        for zones in self.zones(counting) {
            let end = self.count(counting, limit, start.at, zones, &[])?;
            self.note_uncounted_holidays(counting, end.day, &mut caveats);
            let end = Self::capped(regime, end, start.at, second, zones)?;
            let (sure, defensible) = self.extended(regime, end, zones, &mut caveats)?;
            let late = self.late(regime, counting, limit, start, second, zones, &mut caveats)?;
            due = Some(due.map_or(sure.wall.earliest, |due| due.min(sure.wall.earliest)));
            latest = [defensible.wall.latest, late].into_iter().chain(latest).max();
            if let Some(latest_limit) = regime.latest_limit {
                let other = self.count(counting, Some(latest_limit), start.latest, zones, &[])?;
                latest = latest.max(Some(other.wall.latest));
            }
        }
        let due = due?;
        let latest = latest.map_or(due, |latest| latest.max(due));
        Some(Ends { due, latest, caveats })
    }

    /// The readings of where a date is read off and where a day ends, where organisation and place have two clocks.
    fn zones(&self, counting: &Method) -> Vec<Zones> {
        let here = Zones { date: self.organisation, end: self.organisation };
        let Some(place) = self.place else { return vec![here] };
        let end_there = Zones { date: self.organisation, end: place };
        let there = Zones { date: place, end: place };
        let mut zones = match counting {
            Method::WorkingDays { at_place: true, .. } => vec![end_there, there],
            // The year of the start is the organisation's year.
            Method::DaysAfterYearEnd | Method::DateOfNextYear { .. } => vec![here, end_there],
            Method::ElapsedHours => vec![here, there],
            _ => vec![here, end_there, there],
        };
        zones.dedup();
        zones
    }

    fn count(
        &self,
        counting: &Method,
        limit: Option<Limit>,
        start: DateTime<Utc>,
        zones: Zones,
        also_closed: &[String],
    ) -> Option<End> {
        let value = limit.map_or(0, |limit| limit.value);
        let day = date_in(start, zones.date);
        let mut until = end_of_day();
        let last = match counting {
            Method::ElapsedHours => {
                let at = countable(start.checked_add_signed(TimeDelta::hours(i64::from(value)))?)?;
                return Some(End { wall: Wall::once(at), day: date_in(at, zones.end) });
            }
            Method::CalendarDays { first_day } => {
                days_after(day, value.checked_add(*first_day)?.checked_sub(1)?)?
            }
            Method::CalendarMonths => day.checked_add_months(Months::new(value))?,
            Method::WorkingDays { holidays, weekend, until: hour, .. } => {
                until = hour.unwrap_or(until);
                let calendars = holidays.iter().chain(also_closed).map(String::as_str);
                self.holidays.working_week(calendars, *weekend, None).after(day, value)?
            }
            Method::DaysAfterYearEnd => {
                days_after(NaiveDate::from_ymd_opt(day.year(), 12, 31)?, value)?
            }
            Method::DateOfNextYear { month, day: of_month } => {
                NaiveDate::from_ymd_opt(day.year().checked_add(1)?, *month, *of_month)?
            }
            _ => return None,
        };
        Some(End { wall: instant_at(last, until, zones.end)?, day: last })
    }

    /// Cuts an end to that of the second limit. A start after the end of the second limit leaves the first alone,
    /// as Del. Reg. (EU) 2025/301 Art. 5(2) has it for a late classification.
    fn capped(
        regime: &Regime,
        end: End,
        start: DateTime<Utc>,
        second: Option<DateTime<Utc>>,
        zones: Zones,
    ) -> Option<End> {
        let (Some(second_limit), Some(second)) = (&regime.second_limit, second) else {
            return Some(end);
        };
        let cap =
            countable(second.checked_add_signed(TimeDelta::hours(i64::from(second_limit.value)))?)?;
        if start > cap || end.wall.earliest <= cap {
            return Some(end);
        }
        Some(End { wall: Wall::once(cap), day: date_in(cap, zones.end) })
    }

    /// The end after the regime's extension: as it surely is, and as it can be defended.
    fn extended(
        &self,
        regime: &Regime,
        end: End,
        zones: Zones,
        caveats: &mut BTreeSet<String>,
    ) -> Option<(End, End)> {
        let Some(method) = regime.extension.as_deref().and_then(|id| self.rules.method(id)) else {
            return Some((end, end));
        };
        let moved = self.adjusted(method, end, end.day, zones, caveats)?;
        Some(match self.extension_holds(method, end, caveats) {
            Answer::Yes => (moved, moved),
            Answer::Unknown => (end, moved),
            Answer::No => (end, end),
        })
    }

    /// Whether an extension is there for this organisation.
    fn extension_holds(&self, method: &Method, end: End, caveats: &mut BTreeSet<String>) -> Answer {
        let Method::NoonOfNextWorkingDay { not_when, must_be_known, doubtful_when, weekend } =
            method
        else {
            return Answer::Yes;
        };
        let holds = |condition: &Condition| condition.answer(self.scope) == Answer::Yes;
        if not_when.iter().any(holds) {
            return Answer::No;
        }
        let unknown = must_be_known.iter().find(|fact| self.scope.facts.get(fact).is_none());
        if let Some(fact) = unknown {
            if !self.week(None, *weekend, None).is_working(end.day) {
                caveats.insert(format!(
                    "whether the end moves from a day off to noon of the next working day depends on {fact}"
                ));
            }
            return Answer::Unknown;
        }
        if doubtful_when.iter().any(holds) { Answer::Unknown } else { Answer::Yes }
    }

    /// The latest end that can be defended.
    #[expect(clippy::too_many_arguments, reason = "one reading of one limit has that many parts")]
    fn late(
        &self,
        regime: &Regime,
        counting: &Method,
        limit: Option<Limit>,
        start: Start,
        second: Option<DateTime<Utc>>,
        zones: Zones,
        caveats: &mut BTreeSet<String>,
    ) -> Option<DateTime<Utc>> {
        let readings: Vec<&Method> =
            regime.latest_readings.iter().filter_map(|id| self.rules.method(id)).collect();
        let also_closed: Vec<String> = readings
            .iter()
            .filter_map(|method| match method {
                Method::AlsoClosed { holidays } => Some(holidays.as_slice()),
                _ => None,
            })
            .flatten()
            .cloned()
            .collect();
        let by_full_hours = readings.contains(&&Method::FullClockHours);
        let mut end = self.count(counting, limit, start.latest, zones, &also_closed)?;
        if by_full_hours {
            let from = next_full_hour(start.latest, zones.date)?;
            end = Self::full_hours_end(from, limit?.value, zones)?;
        }
        // A start that falls on the very end of the second limit can be read as one after it.
        let second = match (&regime.second_limit, second) {
            (Some(limit), Some(second)) => {
                let hours = TimeDelta::hours(i64::from(limit.value));
                second
                    .checked_add_signed(hours)
                    .filter(|cap| start.latest < *cap)
                    .map(|_| (second, limit.value))
            }
            _ => None,
        };
        if let Some((second, hours)) = second {
            let from = if by_full_hours { next_full_hour(second, zones.date)? } else { second };
            let cap = Self::full_hours_end(from, hours, zones)?;
            end = [end, cap].into_iter().min_by_key(|end| end.wall.latest)?;
        }
        let (_, mut end) = self.extended(regime, end, zones, caveats)?;
        let start_day = date_in(start.latest, zones.date);
        for method in readings {
            end = self.adjusted(method, end, start_day, zones, caveats)?;
        }
        Some(end.wall.latest)
    }

    /// So many hours from a full hour. The end on midnight is the end of the day before.
    fn full_hours_end(from: DateTime<Utc>, hours: u32, zones: Zones) -> Option<End> {
        let at = countable(from.checked_add_signed(TimeDelta::hours(i64::from(hours)))?)?;
        let last_second = at.checked_sub_signed(TimeDelta::seconds(1))?;
        Some(End { wall: Wall::once(at), day: date_in(last_second, zones.end) })
    }

    fn adjusted(
        &self,
        method: &Method,
        end: End,
        start_day: NaiveDate,
        zones: Zones,
        caveats: &mut BTreeSet<String>,
    ) -> Option<End> {
        let (last, until) = match method {
            Method::NextWorkingDay { holidays, weekend, closed } => {
                let week = self.week(holidays.as_deref(), *weekend, *closed);
                Self::note_gaps(&week, end.day, caveats);
                (week.this_or_next(end.day)?, end_of_day())
            }
            Method::TwoWorkingDays { weekend } => {
                let week = self.week(None, *weekend, None);
                Self::note_gaps(&week, end.day, caveats);
                (week.after(start_day, 2)?.max(end.day), end_of_day())
            }
            Method::NoonOfNextWorkingDay { weekend, .. } => {
                let week = self.week(None, *weekend, None);
                Self::note_gaps(&week, end.day, caveats);
                (week.this_or_next(end.day)?, NaiveTime::from_hms_opt(12, 0, 0)?)
            }
            _ => return Some(end),
        };
        if last == end.day {
            return Some(end);
        }
        Some(End { wall: instant_at(last, until, zones.end)?, day: last })
    }

    fn week(
        &self,
        holidays: Option<&'a [String]>,
        weekend: Weekend,
        closed: Option<Closure>,
    ) -> WorkingWeek<'a> {
        match holidays {
            Some(names) => {
                self.holidays.working_week(names.iter().map(String::as_str), weekend, closed)
            }
            None => self.holidays.working_week(self.authority_calendar, weekend, closed),
        }
    }

    fn note_uncounted_holidays(
        &self,
        counting: &Method,
        day: NaiveDate,
        caveats: &mut BTreeSet<String>,
    ) {
        if let Method::WorkingDays { holidays, weekend, .. } = counting {
            let names = holidays.iter().map(String::as_str);
            Self::note_gaps(&self.holidays.working_week(names, *weekend, None), day, caveats);
        }
    }

    /// Says where holidays were not known, so that a later end may be there than the one given.
    fn note_gaps(week: &WorkingWeek<'_>, day: NaiveDate, caveats: &mut BTreeSet<String>) {
        if week.knows(day) {
            return;
        }
        caveats.insert(if week.has_no_calendar() {
            "the authority's country is not known (authority_country), so weekends alone were taken as free"
                .to_owned()
        } else {
            format!("public holidays of {} are not on file, so weekends alone were taken as free", day.year())
        });
    }
}

/// The beginning of the next full hour of the clock in that zone: the hour in which the event falls is not
/// counted, Reg. (EEC, Euratom) 1182/71 Art. 3(1).
fn next_full_hour(at: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    let local = at.with_timezone(&zone);
    let into_hour = TimeDelta::minutes(i64::from(local.minute()))
        .checked_add(&TimeDelta::seconds(i64::from(local.second())))?
        .checked_add(&TimeDelta::nanoseconds(i64::from(local.nanosecond())))?;
    at.checked_sub_signed(into_hour)?.checked_add_signed(TimeDelta::hours(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_counts_by_a_calendar_which_is_not_on_file_is_refused() {
        let holidays = Holidays::embedded().unwrap();
        for calendar in ["US", "BR-OPT", "JP"] {
            let message = CountingRules::embedded(&holidays.clone().without(calendar))
                .unwrap_err()
                .to_string();
            assert!(message.contains(&format!("no holiday calendar {calendar}")), "{message}");
        }
    }
}
