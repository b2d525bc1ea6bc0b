//! Days: which of them are worked on, and when they end.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{
    DateTime, Datelike, Days, MappedLocalTime, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::law::LawError;

const EMBEDDED: &str = include_str!("../law/holidays.json");

/// More free days in a row than any country has; a calendar that has more is broken.
const FREE_DAYS_MAX: u32 = 366;

/// Which two days are no working days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekend {
    /// Most of the world.
    SaturdaySunday,
    /// Egypt.
    FridaySaturday,
}

impl Weekend {
    const fn has(self, day: Weekday) -> bool {
        match self {
            Self::SaturdaySunday => matches!(day, Weekday::Sat | Weekday::Sun),
            Self::FridaySaturday => matches!(day, Weekday::Fri | Weekday::Sat),
        }
    }
}

/// Public holidays by calendar: a country, or a part of one, as `GB-EAW`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holidays {
    source: String,
    years: BTreeSet<i32>,
    calendars: BTreeMap<String, BTreeMap<NaiveDate, String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "schema")]
    _schema: String,
    source: String,
    years: BTreeSet<i32>,
    calendars: BTreeMap<String, BTreeMap<NaiveDate, String>>,
}

impl Holidays {
    pub(crate) fn embedded() -> Result<Self, LawError> {
        let File { source, years, calendars, .. } = LawError::reading("holidays.json", EMBEDDED)?;
        Ok(Self { source, years, calendars })
    }

    /// Where the holidays come from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The years that are on file. In any other year weekends alone are free.
    pub fn years(&self) -> &BTreeSet<i32> {
        &self.years
    }

    /// The names of the calendars.
    pub fn calendars(&self) -> impl Iterator<Item = &str> {
        self.calendars.keys().map(String::as_str)
    }

    pub(crate) fn has(&self, calendar: &str) -> bool {
        self.calendars.contains_key(calendar)
    }

    /// The working week that these calendars make together. A calendar that is not on file adds no holiday.
    pub(crate) fn working_week<'a>(
        &'a self,
        calendars: impl IntoIterator<Item = &'a str>,
        weekend: Weekend,
        closed: Option<Closure>,
    ) -> WorkingWeek<'a> {
        let calendars = calendars.into_iter().filter_map(|name| self.calendars.get(name)).collect();
        WorkingWeek { years: &self.years, calendars, weekend, closed }
    }
}

/// Days of each year on which offices are closed, as the turn of the year in Japan. It may run over New Year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closure {
    /// First day.
    pub from: MonthDay,
    /// Last day.
    pub until: MonthDay,
}

/// A day of any year, as `12-29`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MonthDay {
    month: u32,
    day: u32,
}

impl TryFrom<String> for MonthDay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        // A leap year, so that every day that there is can be named.
        let date = NaiveDate::parse_from_str(&format!("2024-{text}"), "%Y-%m-%d")
            .map_err(|_| format!("{text} is no day of a year; write month and day, as 12-29"))?;
        Ok(Self::of(date))
    }
}

impl From<MonthDay> for String {
    fn from(day: MonthDay) -> Self {
        format!("{:02}-{:02}", day.month, day.day)
    }
}

impl MonthDay {
    fn of(date: NaiveDate) -> Self {
        Self { month: date.month(), day: date.day() }
    }
}

impl Closure {
    fn has(self, date: NaiveDate) -> bool {
        let day = MonthDay::of(date);
        if self.from <= self.until {
            self.from <= day && day <= self.until
        } else {
            self.from <= day || day <= self.until
        }
    }
}

/// Which days are worked on.
#[derive(Clone, Debug)]
pub(crate) struct WorkingWeek<'a> {
    years: &'a BTreeSet<i32>,
    calendars: Vec<&'a BTreeMap<NaiveDate, String>>,
    weekend: Weekend,
    closed: Option<Closure>,
}

impl WorkingWeek<'_> {
    pub(crate) fn is_working(&self, date: NaiveDate) -> bool {
        !self.weekend.has(date.weekday())
            && !self.closed.is_some_and(|closure| closure.has(date))
            && !self.calendars.iter().any(|holidays| holidays.contains_key(&date))
    }

    /// The first working day after `date`.
    pub(crate) fn next(&self, date: NaiveDate) -> Option<NaiveDate> {
        let mut day = date;
        for _ in 0..FREE_DAYS_MAX {
            day = day.succ_opt()?;
            if self.is_working(day) {
                return Some(day);
            }
        }
        None
    }

    /// `date` itself where it is a working day, or the first one after it.
    pub(crate) fn this_or_next(&self, date: NaiveDate) -> Option<NaiveDate> {
        if self.is_working(date) { Some(date) } else { self.next(date) }
    }

    /// The working day that is `count` working days after `date`.
    pub(crate) fn after(&self, date: NaiveDate, count: u32) -> Option<NaiveDate> {
        (0..count).try_fold(date, |day, _| self.next(day))
    }

    pub(crate) const fn has_no_calendar(&self) -> bool {
        self.calendars.is_empty()
    }

    /// Whether the holidays of that year are on file.
    pub(crate) fn knows(&self, date: NaiveDate) -> bool {
        !self.calendars.is_empty() && self.years.contains(&date.year())
    }
}

/// An instant with which calendars can be asked. Where a year has more or fewer than four digits something is wrong with
/// the instant, and the calendars of the library end somewhere beyond.
pub(crate) fn countable(at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (1_000..=9_998).contains(&at.year()).then_some(at)
}

/// The local date of an instant.
pub(crate) fn date_in(instant: DateTime<Utc>, zone: Tz) -> NaiveDate {
    instant.with_timezone(&zone).date_naive()
}

/// The last second of a day, with which it is written that the day ends.
pub(crate) fn end_of_day() -> NaiveTime {
    // The fallback is never taken: 23:59:59 is a time.
    NaiveTime::from_hms_opt(23, 59, 59).unwrap_or_default()
}

/// A wall-clock time of a day in a zone. Where the clock shows it twice, the first is `earliest`; where the clock
/// leaps over it, it is the instant at which the clock would have shown it without the leap.
pub(crate) fn instant_at(date: NaiveDate, time: NaiveTime, zone: Tz) -> Option<Wall> {
    let local = date.and_time(time);
    if !(1_000..=9_998).contains(&date.year()) {
        return None;
    }
    match local.and_local_timezone(zone) {
        MappedLocalTime::Single(at) => Some(Wall::once(at.to_utc())),
        MappedLocalTime::Ambiguous(a, b) => {
            Some(Wall { earliest: a.to_utc().min(b.to_utc()), latest: a.to_utc().max(b.to_utc()) })
        }
        MappedLocalTime::None => {
            // Leaps are hours long, that of a country that changes sides of the date line a day.
            [1, 3, 25, 49].into_iter().find_map(|hours| {
                let back = TimeDelta::hours(hours);
                let before = local.checked_sub_signed(back)?.and_local_timezone(zone).latest()?;
                before.to_utc().checked_add_signed(back).map(Wall::once)
            })
        }
    }
}

/// The one or two instants at which a clock on a wall shows a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wall {
    pub(crate) earliest: DateTime<Utc>,
    pub(crate) latest: DateTime<Utc>,
}

impl Wall {
    pub(crate) const fn once(at: DateTime<Utc>) -> Self {
        Self { earliest: at, latest: at }
    }
}

/// `date` and so many days.
pub(crate) fn days_after(date: NaiveDate, days: u32) -> Option<NaiveDate> {
    date.checked_add_days(Days::new(u64::from(days)))
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Holidays {
        pub(crate) fn without(mut self, calendar: &str) -> Self {
            self.calendars.remove(calendar);
            self
        }
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_closure_runs_over_new_year() {
        let closure: Closure =
            serde_json::from_str(r#"{"from": "12-29", "until": "01-03"}"#).unwrap();
        for (day, closed) in [
            ("2026-12-28", false),
            ("2026-12-29", true),
            ("2027-01-03", true),
            ("2027-01-04", false),
        ] {
            assert_eq!(closure.has(date(day)), closed, "{day}");
        }
        let inside: Closure =
            serde_json::from_str(r#"{"from": "08-01", "until": "08-15"}"#).unwrap();
        assert!(inside.has(date("2026-08-15")) && !inside.has(date("2026-08-16")));
        assert!(serde_json::from_str::<MonthDay>("\"13-01\"").is_err());
        assert_eq!(serde_json::to_string(&closure).unwrap(), r#"{"from":"12-29","until":"01-03"}"#);
    }

    #[test]
    fn a_time_that_is_shown_twice_has_two_instants_and_one_that_is_leapt_over_has_one() {
        let time = |text: &str| text.parse::<NaiveTime>().unwrap();
        let berlin = chrono_tz::Europe::Berlin;
        let twice = instant_at(date("2026-10-25"), time("02:30:00"), berlin).unwrap();
        assert_eq!(twice.latest - twice.earliest, TimeDelta::hours(1));
        assert_eq!(twice.earliest.to_rfc3339(), "2026-10-25T00:30:00+00:00");
        let leapt = instant_at(date("2026-03-29"), time("02:30:00"), berlin).unwrap();
        assert_eq!(leapt.earliest.to_rfc3339(), "2026-03-29T01:30:00+00:00");
        // Samoa had no 30 December 2011.
        let skipped =
            instant_at(date("2011-12-30"), end_of_day(), chrono_tz::Pacific::Apia).unwrap();
        assert_eq!(skipped.earliest.to_rfc3339(), "2011-12-31T09:59:59+00:00");
    }

    #[test]
    fn egypt_works_on_sundays() {
        let holidays = Holidays::embedded().unwrap();
        let egypt = holidays.working_week(["EG"], Weekend::FridaySaturday, None);
        assert!(egypt.is_working(date("2026-10-11")), "a Sunday");
        assert!(!egypt.is_working(date("2026-10-09")), "a Friday");
        assert_eq!(egypt.after(date("2026-10-07"), 3), Some(date("2026-10-13")));
        assert!(egypt.knows(date("2026-10-07")) && !egypt.knows(date("2028-01-05")));
    }
}
