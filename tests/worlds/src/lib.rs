//! Seeded worlds: the Salesforce event logs of one organisation, made by a generator.
//!
//! A [`World`] is a set of [`LogFile`]s and the [`Truth`] about them. It is about the organisation that
//! `infra/config` describes: forty people, the applications that they use themselves, and the four
//! registered agents. The headers are those of real files (see [`schema`]); every value is made up, and no
//! row is a copy of anybody's log. The same seed gives the same bytes on every machine.
//!
//! - [`World::morning`]: Tuesday, 24 November 2026. The warehouse copy has run in the night, 00:00 to 04:00
//!   UTC; from 06:00 to 12:00 UTC people and agents are at work; and at 09:12 the support copilot goes
//!   wrong. Nothing else goes outside of what the configuration allows.
//! - [`World::quiet`]: good days, without a leak. The morning without its leak is the quiet day of its seed.
//! - [`recut`]: the same rows in other files: daily, late, shuffled, repeated, with other columns.
//! - [`big_file`]: a `RestApi` file of any size, written as a stream.
//! - [`events_folder`]: the files under `events/`, of which each is one case.
//!
//! [`CANARY_PERSONAL_DATA`] stands wherever real logs hold personal data. A test that finds it in an alert,
//! a log line or an extract has found a leak of our own.

mod agents;
pub mod big_file;
mod dice;
pub mod events_folder;
mod leak;
mod log_file;
mod organisation;
mod people;
pub mod recut;
pub mod schema;
mod stage;

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, Utc, Weekday};

use crate::{agents::Agents, dice::Dice, people::People, stage::Stage};
pub use crate::{
    log_file::{Column, LogFile, Row},
    organisation::{
        BILLING_RECONCILER, CANARY_PERSONAL_DATA, MEETING_SCHEDULER, ORG_ID, SUPPORT_COPILOT,
        WAREHOUSE_SYNC,
    },
};

/// Hours of the working day that a world covers, UTC.
const WORKING_HOURS: std::ops::Range<u64> = 6..12;

/// Log files of an organisation, and what is true of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// Hourly files, sequence 1, by event type and hour.
    pub files: Vec<LogFile>,
    /// What is true of the rows.
    pub truth: Truth,
}

/// What a reader of the world must find.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// Rows in all files.
    pub rows: u64,
    /// Rows that carry an identity of a registered agent, by agent and event type.
    pub rows_by_agent: BTreeMap<String, BTreeMap<String, u64>>,
    /// Records that those rows say were returned or changed, by agent. Rows that failed, and the echoes of
    /// calls in `ApiTotalUsage` and `UniqueQuery`, count none.
    pub records_by_agent: BTreeMap<String, u64>,
    /// What left without leave.
    pub leaks: Vec<Leak>,
}

/// One agent's accesses outside of its purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// The agent.
    pub agent: String,
    /// Salesforce org, 15 characters.
    pub org: String,
    /// The first row that names an object, operation or channel outside of the purpose.
    pub first_at: DateTime<Utc>,
    /// The last such row.
    pub last_at: DateTime<Utc>,
    /// Records that left, over all objects.
    pub records: u64,
    /// Records that left, by object.
    pub objects: BTreeMap<String, u64>,
}

impl World {
    /// Tuesday, 24 November 2026: a day on which the support copilot goes wrong.
    pub fn morning(seed: u64) -> Self {
        let mut stage = good_days(seed, 1);
        let support = Agents::of(seed).support;
        leak::play(&mut stage, &mut Dice::new(seed, 30), &support, midnight(0));
        Self::of(stage)
    }

    /// Good days from 24 November 2026 on. At the weekend few people are at work; the agents are.
    pub fn quiet(seed: u64, days: u64) -> Self {
        Self::of(good_days(seed, days))
    }

    /// The rows in daily files; see [`recut::daily`].
    pub fn daily(&self) -> Vec<LogFile> {
        recut::daily(&self.files)
    }

    /// The rows in timely and late hourly files; see [`recut::late_hourly`].
    pub fn late_hourly(&self, percent_late: u64) -> Vec<LogFile> {
        recut::late_hourly(&self.files, percent_late, 1)
    }

    /// The files and rows in another order; see [`recut::shuffled`].
    pub fn shuffled(&self, seed: u64) -> Vec<LogFile> {
        recut::shuffled(&self.files, seed)
    }

    /// The files with some rows twice; see [`recut::duplicated`].
    pub fn duplicated(&self, percent: u64) -> Vec<LogFile> {
        recut::duplicated(&self.files, percent, 1)
    }

    /// The files with their columns in another order; see [`recut::with_reordered_columns`].
    pub fn with_reordered_columns(&self, seed: u64) -> Vec<LogFile> {
        recut::with_reordered_columns(&self.files, seed)
    }

    /// The files with unknown columns; see [`recut::with_extra_columns`].
    pub fn with_extra_columns(&self) -> Vec<LogFile> {
        recut::with_extra_columns(&self.files)
    }

    fn of(stage: Stage) -> Self {
        let (files, truth) = stage.into_files();
        Self { files, truth }
    }
}

fn good_days(seed: u64, days: u64) -> Stage {
    let mut stage = Stage::default();
    let (agents, people) = (Agents::of(seed), People::of(seed));
    for day in 0..days {
        let midnight = midnight(day);
        // A stream of its own for each day and hour: a longer world begins with the shorter one.
        let stream = |part: u64| 1_000 + day * 100 + part;
        agents.copy_at_night(&mut stage, &mut Dice::new(seed, stream(0)), midnight);
        let share = if matches!(midnight.weekday(), Weekday::Sat | Weekday::Sun) { 5 } else { 75 };
        for number in WORKING_HOURS {
            let hour = dice::after(midnight, number * 3_600_000);
            agents.work(&mut stage, &mut Dice::new(seed, stream(number)), hour);
            let dice = &mut Dice::new(seed, stream(50 + number));
            people.work(&mut stage, dice, hour, share, number == WORKING_HOURS.start);
        }
    }
    stage
}

/// Midnight UTC of the day, counted from 24 November 2026.
fn midnight(day: u64) -> DateTime<Utc> {
    let first = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap_or_default();
    first
        .checked_add_days(chrono::Days::new(day))
        .unwrap_or(first)
        .and_time(chrono::NaiveTime::MIN)
        .and_utc()
}
