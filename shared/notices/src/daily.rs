//! The notice of every day, to legal: what is open, and that somebody watches.
//!
//! It comes also when nothing is open, because its absence is the sign that nobody watches any more. It knows no
//! incident: it takes what was counted.

use std::{collections::BTreeSet, fmt::Write as _};

use assessment::findings::SeverityLevel;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::{
    Attributes, Notice, SUBJECT_CHARACTERS_MAX,
    machine::{bounded, instant},
    page::{Page, counted, in_zone, in_zone_briefly, left, span},
    subject::ascii,
};

/// Most incidents that the text lists.
const INCIDENTS_MAX: usize = 50;
/// Most flaws of the record that the text lists.
const FLAWS_MAX: usize = 20;
/// The sweep comes every minute; after this it is taken to stand still.
const SWEEP_SILENT_MINUTES_MAX: i64 = 5;

/// What there is to say of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daily {
    /// The day, in the organisation's zone.
    pub date: NaiveDate,
    /// The incidents that are open, in any order.
    pub open: Vec<OpenIncident>,
    /// Incidents that are closed, dismissed or part of another one.
    pub closed_count: u64,
    /// When the sweep over what is due last came to its end; `None` where that is not on record.
    pub last_sweep_at: Option<DateTime<Utc>>,
    /// Heads of timelines that were written where nobody can change them.
    pub heads_written: u64,
    /// Incidents whose record does not check out, a sentence each, without personal data.
    pub chain_flaws: Vec<String>,
}

/// An open incident, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIncident {
    /// Its name.
    pub incident_id: String,
    /// Salesforce org, 15 characters.
    pub org_id: String,
    /// How bad.
    pub severity: SeverityLevel,
    /// Where it stands, as `suspected`.
    pub status: String,
    /// The clock that ends first; `None` where none runs.
    pub most_urgent: Option<UrgentClock>,
    /// Duties whose clocks run.
    pub running_count: u64,
    /// Those of them whose time has passed.
    pub overdue_count: u64,
    /// Duties whose clocks have not started, because the moment is not on record.
    pub not_started_count: u64,
    /// Whether detection stands in for awareness.
    pub awareness_assumed: bool,
    /// Whether a person has acknowledged a message of it.
    pub acknowledged: bool,
}

/// The end of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UrgentClock {
    /// When.
    pub ends_at: DateTime<Utc>,
    /// Whether its duties only may apply.
    pub is_possible: bool,
    /// Whether it is an internal target and no limit of the law.
    pub is_target: bool,
}

/// What the notice says of the organisation.
#[derive(Clone, Debug)]
pub struct DailyContext {
    /// The controller.
    pub organisation: String,
    /// Stands in every message, so that a drill is never taken for the real thing.
    pub environment: String,
    /// Instants are shown in this zone beside UTC.
    pub time_zone: Tz,
}

/// Writes the notice of a day as of `now`. Its severity is the worst of what is open.
pub fn daily_notice(daily: &Daily, context: &DailyContext, now: DateTime<Utc>) -> Notice {
    let mut open: Vec<&OpenIncident> = daily.open.iter().collect();
    open.sort_by_key(|incident| {
        let ends_at = incident.most_urgent.map(|clock| clock.ends_at);
        let severity = std::cmp::Reverse(incident.severity);
        (ends_at.is_none(), ends_at, severity, incident.incident_id.as_str())
    });
    let notice = Day { daily, open, context, now };
    let worst = daily.open.iter().map(|incident| incident.severity).max();
    Notice {
        subject: notice.subject(),
        text: notice.text(),
        json: notice.body(worst.unwrap_or(SeverityLevel::Info)),
        attributes: Attributes {
            severity: worst.unwrap_or(SeverityLevel::Info),
            regimes: BTreeSet::new(),
            stage: "daily".to_owned(),
            org_id: "all".to_owned(),
            environment: context.environment.clone(),
            audience: "legal",
        },
    }
}

struct Day<'a> {
    daily: &'a Daily,
    open: Vec<&'a OpenIncident>,
    context: &'a DailyContext,
    now: DateTime<Utc>,
}

impl Day<'_> {
    /// What is wrong with the watch goes before what it watches.
    fn subject(&self) -> String {
        let mut news = Vec::new();
        if self.silence().is_some() {
            news.push("NOBODY WATCHES".to_owned());
        }
        if !self.daily.chain_flaws.is_empty() {
            news.push("RECORD FLAWED".to_owned());
        }
        let open = match self.open.len() {
            0 => "nothing open".to_owned(),
            open => format!("{open} open"),
        };
        news.push(open);
        if let Some(clock) = self.open.first().and_then(|incident| incident.most_urgent) {
            let at = in_zone_briefly(clock.ends_at, self.context.time_zone);
            news.push(format!("first {} {at}", self.phrase(clock)));
        } else if !self.open.is_empty() {
            news.push("no clock runs".to_owned());
        }
        let date = self.daily.date.format("%a %-d %b");
        let lead = format!("[{}] daily notice {date}: ", self.context.environment);
        let whole = lead.clone() + &news.join(", ");
        if whole.chars().count() > SUBJECT_CHARACTERS_MAX {
            // Half an instant would be worse than none.
            news.pop();
        }
        ascii(&(lead + &news.join(", ")))
    }

    fn phrase(&self, clock: UrgentClock) -> &'static str {
        match (clock.is_target, clock.is_possible, clock.ends_at <= self.now) {
            (false, false, false) => "due",
            (false, true, false) => "may be due",
            (false, false, true) => "OVERDUE since",
            (false, true, true) => "may be OVERDUE since",
            (true, _, false) => "internal target",
            (true, _, true) => "internal target passed",
        }
    }

    /// How long the sweep has been silent, where that is too long.
    fn silence(&self) -> Option<Silence> {
        match self.daily.last_sweep_at {
            None => Some(Silence::Never),
            Some(at) => Some(self.now - at)
                .filter(|silent| *silent > TimeDelta::minutes(SWEEP_SILENT_MINUTES_MAX))
                .map(Silence::For),
        }
    }

    fn text(&self) -> String {
        let mut page = Page::default();
        let Daily { date, closed_count, .. } = self.daily;
        let organisation = &self.context.organisation;
        let clocks: u64 = self.open.iter().map(|incident| incident.running_count).sum();
        page.line(&format!(
            "{organisation}: the notice of {}. {} open, {} closed. {}",
            date.format("%A %-d %B %Y"),
            counted(count(self.open.len()), "incident"),
            closed_count,
            match clocks {
                0 => "No clock runs.".to_owned(),
                1 => "The clock of 1 duty runs.".to_owned(),
                clocks => format!("The clocks of {clocks} duties run."),
            }
        ));
        page.line("This message comes every day; its absence means that nobody watches.");
        page.section("WHAT IS OPEN");
        self.incidents(&mut page);
        page.section("WHO WATCHES");
        self.watch(&mut page);
        page.section("WHAT TO DO NOW");
        self.what_to_do(&mut page);
        page.section("REFERENCE");
        page.line(&format!(
            "Daily notice {}, environment {}. Written on {}.",
            date,
            self.context.environment,
            in_zone(self.now, self.context.time_zone)
        ));
        page.line(
            "Computed from event logs and law data. This is not legal advice, and the decision is yours.",
        );
        page.0
    }

    fn incidents(&self, page: &mut Page) {
        if self.open.is_empty() {
            page.line("Nothing.");
        }
        for incident in self.open.iter().take(INCIDENTS_MAX) {
            page.item("-", &self.incident(incident));
        }
        let more = self.open.len().saturating_sub(INCIDENTS_MAX);
        if more > 0 {
            page.item("-", &format!("and {more} more: breachclock incident list"));
        }
    }

    fn incident(&self, incident: &OpenIncident) -> String {
        let mut line = format!(
            "{}: {}, {}, Salesforce org {}.",
            incident.incident_id,
            incident.severity.name().to_uppercase(),
            incident.status,
            incident.org_id
        );
        match incident.most_urgent {
            Some(clock) => {
                let at = in_zone(clock.ends_at, self.context.time_zone);
                let left = left(clock.ends_at, self.now);
                let phrase = self.phrase(clock);
                let may = if clock.is_target && clock.is_possible {
                    " (of a duty that may apply)"
                } else {
                    ""
                };
                let _ = write!(line, " First {phrase} {at}{may}; {left}.");
            }
            None => line.push_str(" No clock runs."),
        }
        let mut counts = Vec::new();
        for (number, what) in [
            (incident.running_count, "running"),
            (incident.overdue_count, "of them OVERDUE"),
            (incident.not_started_count, "not started"),
        ] {
            if number > 0 {
                counts.push(format!("{number} {what}"));
            }
        }
        if !counts.is_empty() {
            let _ = write!(line, " Duties: {}.", counts.join(", "));
        }
        if incident.awareness_assumed {
            line.push_str(
                " No person has said when the organisation became aware: detection stands in for it.",
            );
        }
        if !incident.acknowledged {
            line.push_str(" Nobody has acknowledged a message of it.");
        }
        line
    }

    fn watch(&self, page: &mut Page) {
        match (self.silence(), self.daily.last_sweep_at) {
            (Some(Silence::For(silent)), Some(at)) => page.line(&format!(
                "WARNING: deadlines were last looked at on {}, {} ago. They are looked at every minute. Until that is \
                 mended, reminders may not come: go by the instants above.",
                in_zone(at, self.context.time_zone),
                span(silent)
            )),
            (Some(_), _) => page.line(
                "WARNING: it is not on record that deadlines were ever looked at. Until that is mended, reminders may \
                 not come: go by the instants above.",
            ),
            (None, Some(at)) => page.line(&format!(
                "Deadlines were last looked at on {}.",
                in_zone(at, self.context.time_zone)
            )),
            (None, None) => {}
        }
        page.line(&format!(
            "The end of {} was put where nobody can change it.",
            counted(self.daily.heads_written, "record")
        ));
        let flaws = &self.daily.chain_flaws;
        if flaws.is_empty() {
            page.line("No record was found changed.");
            return;
        }
        page.line("WARNING: records do not check out. They may have been changed:");
        for flaw in flaws.iter().take(FLAWS_MAX) {
            page.item("-", flaw);
        }
        let more = flaws.len().saturating_sub(FLAWS_MAX);
        if more > 0 {
            page.item("-", &format!("and {more} more"));
        }
    }

    fn what_to_do(&self, page: &mut Page) {
        let mut steps = Vec::new();
        if self.silence().is_some() {
            steps.push(
                "Have operations find out why the sweep stands still (alarm on its heartbeat), today.",
            );
        }
        if !self.daily.chain_flaws.is_empty() {
            steps.push(
                "Keep the record as it is, and find out who changed it: breachclock incident verify ID says where.",
            );
        }
        if self.open.iter().any(|incident| incident.overdue_count > 0) {
            steps.push("See to what is overdue first: breachclock incident show ID");
        }
        if self.open.iter().any(|incident| !incident.acknowledged) {
            steps.push("Acknowledge what nobody has: breachclock incident acknowledge ID");
        }
        if self.open.iter().any(|incident| incident.awareness_assumed) {
            steps.push(
                "Say when the organisation became aware, and on what ground: breachclock incident aware ID AT --reason \
                 WHY",
            );
        }
        if steps.is_empty() {
            page.line("Nothing.");
        }
        for (index, step) in steps.into_iter().enumerate() {
            page.item(&format!("{}.", index.saturating_add(1)), step);
        }
    }

    fn body(&self, severity: SeverityLevel) -> Value {
        let daily = self.daily;
        bounded(|max| {
            let open: Vec<Value> =
                self.open.iter().take(max).map(|incident| summary(incident)).collect();
            let flaws: Vec<&String> = daily.chain_flaws.iter().take(max).collect();
            json!({
                "type": "daily",
                "timestamp": instant(self.now),
                "data": {
                    "alert_id": format!("daily.{}", daily.date),
                    "date": daily.date,
                    "environment": self.context.environment,
                    "organisation": self.context.organisation,
                    "severity": severity,
                    "open": open,
                    "more_open": self.open.len().saturating_sub(max),
                    "closed_count": daily.closed_count,
                    "last_sweep_at": daily.last_sweep_at.map(instant),
                    "sweep_silent": self.silence().is_some(),
                    "heads_written": daily.heads_written,
                    "chain_flaws": flaws,
                    "more_chain_flaws": daily.chain_flaws.len().saturating_sub(max),
                },
            })
        })
    }
}

/// For how long no sweep came to its end.
enum Silence {
    Never,
    For(TimeDelta),
}

fn summary(incident: &OpenIncident) -> Value {
    let most_urgent = incident.most_urgent.map(|clock| {
        json!({
            "ends_at": instant(clock.ends_at),
            "kind": if clock.is_target { "target" } else { "limit" },
            "possible": clock.is_possible,
        })
    });
    json!({
        "incident_id": incident.incident_id,
        "org_id": incident.org_id,
        "severity": incident.severity,
        "status": incident.status,
        "most_urgent": most_urgent,
        "running": incident.running_count,
        "overdue": incident.overdue_count,
        "not_started": incident.not_started_count,
        "awareness_assumed": incident.awareness_assumed,
        "acknowledged": incident.acknowledged,
    })
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
