//! The words of an alert: a subject, a plain text that a lawyer can act on at three in the morning, and a body
//! for machines.
//!
//! Every message answers, in this order: what happened, how bad it is, what is due and by when, what to do now,
//! and how sure we are. A message about logs that stay away says what cannot be seen, what that means and what to
//! check; the notice of a day says what is open and who watches. Numbers come from the findings; what is not known is called
//! not known. No message holds personal data: object and field names, categories and counts only, and nothing of what
//! persons wrote when they decided, nor who they are.

mod clocks;
mod daily;
mod delivery;
mod due;
mod evidence;
mod machine;
mod page;
mod questions;
mod steps;
mod subject;
mod text;

use std::collections::BTreeSet;

use assessment::findings::{DataCategory, Findings, ObjectExposure, SeverityLevel};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use incident::{Alert, Incident};
use serde_json::Value;

pub use daily::{Daily, DailyContext, OpenIncident, UrgentClock, daily_notice};
pub use delivery::{DeliveryContext, delivery_notice};
pub use questions::fact_words;

/// A subject of Amazon SNS holds fewer than 100 characters.
pub const SUBJECT_CHARACTERS_MAX: usize = 99;

/// What a message says of the organisation, beside the incident.
#[derive(Clone, Debug)]
pub struct Context {
    /// The controller.
    pub organisation: String,
    /// Stands in every alert, so that a drill is never taken for the real thing.
    pub environment: String,
    /// Due instants are shown in this zone beside UTC.
    pub time_zone: Tz,
    /// The Salesforce org's name in the configuration, where it is known.
    pub org_name: Option<String>,
    /// The agent's title, where it is registered.
    pub agent_title: Option<String>,
    /// Who answers for the agent, where it is registered.
    pub agent_owner: Option<String>,
}

/// A message, ready to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// At most [`SUBJECT_CHARACTERS_MAX`] ASCII characters, no line break.
    pub subject: String,
    /// For people.
    pub text: String,
    /// For machines: `docs/webhook.schema.json`.
    pub json: Value,
    /// For filter policies.
    pub attributes: Attributes,
}

/// What a subscription may filter on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// `info` to `critical`.
    pub severity: SeverityLevel,
    /// The regimes whose clocks the message speaks of, the nearest 50 at most: Amazon SNS counts attributes into the size of
    /// a message.
    pub regimes: BTreeSet<String>,
    /// Which message, as `opened` or `remaining-25-percent`.
    pub stage: String,
    /// Salesforce org, 15 characters; `all` for a message about all of them.
    pub org_id: String,
    /// As configured.
    pub environment: String,
    /// Whom the message is written for.
    pub audience: &'static str,
}

/// Most objects that a message lists. A message of Amazon SNS holds 256 KiB, and a reader less.
const OBJECTS_MAX: usize = 30;

/// The objects that a message lists, the worst first, and how many more there are.
fn worst_objects(findings: &Findings) -> (Vec<(&str, &ObjectExposure)>, usize) {
    let mut objects: Vec<(&str, &ObjectExposure)> =
        findings.exposures.iter().map(|(object, exposure)| (object.as_str(), exposure)).collect();
    objects.sort_by_key(|(_, exposure)| {
        // What is in no data map is judged as contact data.
        let category = exposure.category.unwrap_or(DataCategory::ContactIdentity);
        std::cmp::Reverse((category, exposure.record_count, exposure.uncounted_row_count))
    });
    let more = objects.len().saturating_sub(OBJECTS_MAX);
    objects.truncate(OBJECTS_MAX);
    (objects, more)
}

/// Most regimes that a message names in its attributes.
const REGIMES_MAX: usize = 50;

/// Writes the message of an alert as of `now`.
pub fn notice(incident: &Incident, alert: &Alert, context: &Context, now: DateTime<Utc>) -> Notice {
    let spoken_of = match alert.clock {
        Some(clock) => incident.running_with(clock),
        None => incident.running(),
    };
    let regimes: Vec<String> =
        spoken_of.into_iter().take(REGIMES_MAX).map(|duty| duty.regime_id.clone()).collect();
    Notice {
        subject: subject::subject(incident, alert, context, now),
        text: text::text(incident, alert, context, now),
        json: machine::body(incident, alert, &regimes, context, now),
        attributes: Attributes {
            severity: incident.severity(),
            regimes: regimes.into_iter().collect(),
            stage: alert.stage.name(),
            org_id: incident.org_id.clone(),
            environment: context.environment.clone(),
            audience: "legal",
        },
    }
}
