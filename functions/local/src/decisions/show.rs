//! An incident on a page: the clocks first.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use anstyle::{AnsiColor, Style};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use deadlines::{Obligation, Standing};
use incident::{Case, Clock, ClockKind, Incident, TimelineEntry};
use ports::Ports;

use super::words;

/// Entries of the timeline that are shown unless all are asked for.
const ENTRIES_MAX: usize = 12;

/// The zone in which the organisation reads its clocks.
pub(super) async fn zone(ports: &Ports) -> anyhow::Result<Tz> {
    let stored = ports.catalog.current().await?;
    Ok(stored.map_or(Tz::UTC, |stored| stored.configuration.organisation.time_zone))
}

/// A line for each incident.
pub(super) fn list(
    out: &mut impl Write,
    incidents: &[Incident],
    zone: Tz,
    now: DateTime<Utc>,
) -> io::Result<()> {
    if incidents.is_empty() {
        return writeln!(out, "No incident is open.");
    }
    for incident in incidents {
        let next = match incident.most_urgent().and_then(Clock::of) {
            Some(clock) => clock_words(clock, zone, now),
            None => "no clock runs".to_owned(),
        };
        writeln!(
            out,
            "{}  {:<8}  {:<9}  {}  {next}",
            incident.incident_id,
            incident.severity().name(),
            incident.status.name(),
            incident.agent.as_str(),
        )?;
    }
    Ok(())
}

/// Everything about one incident.
pub(super) struct Page<'a> {
    pub(super) case: &'a Case,
    pub(super) timeline: &'a [TimelineEntry],
    pub(super) zone: Tz,
    pub(super) now: DateTime<Utc>,
    pub(super) all: bool,
}

impl Page<'_> {
    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        self.head(out)?;
        self.clocks(out)?;
        self.not_started(out)?;
        self.settled(out)?;
        if self.all {
            self.coming(out)?;
        }
        self.ruled_out(out)?;
        self.history(out)?;
        writeln!(out, "\nComputed from logs and law data. This is not legal advice.")
    }

    fn head(&self, out: &mut impl Write) -> io::Result<()> {
        let incident = &self.case.incident;
        let bold = Style::new().bold();
        writeln!(
            out,
            "{bold}{}{bold:#}  {}, score {}, {}, revision {}",
            incident.incident_id,
            incident.severity().name(),
            incident.findings.score,
            incident.status.name(),
            incident.revision
        )?;
        writeln!(out, "Agent {} in the org {}", incident.agent.as_str(), incident.org_id)?;
        if let Some(aware) = incident.times.aware {
            let how = if aware.assumed {
                "assumed: nobody has said when; set it with `aware`"
            } else {
                "as a person set it"
            };
            writeln!(out, "Aware {} ({how})", self.at(aware.at))?;
        }
        match &incident.risk {
            Some(risk) => writeln!(out, "Risk {}, by {}", risk.value.name(), risk.by)?,
            None => writeln!(out, "Risk not assessed; set it with `risk`")?,
        }
        if let Some(assignee) = &incident.assigned_to {
            writeln!(out, "Assigned to {assignee}")?;
        }
        match incident.acknowledged_at {
            Some(at) => writeln!(out, "Last acknowledged {}", self.at(at))?,
            None => writeln!(out, "Nobody has acknowledged a message")?,
        }
        for part in incident.parts.keys() {
            writeln!(out, "{part} is part of it")?;
        }
        if let Some(into) = &incident.merged_into {
            writeln!(out, "It is part of {into}, where its clocks go on")?;
        }
        Ok(())
    }

    fn clocks(&self, out: &mut impl Write) -> io::Result<()> {
        let incident = &self.case.incident;
        let mut clocks: Vec<(Clock, Vec<&Obligation>)> = Vec::new();
        for duty in incident.running() {
            let Some(clock) = Clock::of(duty) else { continue };
            match clocks.last_mut().filter(|(last, _)| *last == clock) {
                Some((_, duties)) => duties.push(duty),
                None => clocks.push((clock, vec![duty])),
            }
        }
        section(out, "CLOCKS")?;
        if clocks.is_empty() {
            return writeln!(out, "  None runs.");
        }
        for (clock, duties) in clocks {
            let style = self.urgency(clock, &duties);
            writeln!(out, "  {style}{}{style:#}", clock_words(clock, self.zone, self.now))?;
            for duty in duties {
                self.duty(out, duty)?;
            }
        }
        Ok(())
    }

    fn duty(&self, out: &mut impl Write, duty: &Obligation) -> io::Result<()> {
        let whom = match duty.authorities.as_slice() {
            [] => duty.who_is_told.to_string(),
            [only] => only.english_name.clone(),
            several => {
                let question = duty.authority_depends_on.join(", ");
                format!("one of {} authorities, by {question}", several.len())
            }
        };
        writeln!(out, "    {}  {}: {whom}", duty.regime_id, duty.article)?;
        if let Standing::Possible { unknown_facts } = &duty.standing {
            writeln!(out, "      if it applies: {} not known", unknown_facts.join(", "))?;
        }
        let latest = duty.latest_defensible_at.filter(|latest| Some(*latest) != duty.due_at);
        if let Some(latest) = latest {
            writeln!(out, "      the latest end that can be defended is {}", self.at(latest))?;
        }
        if duty.start_assumed {
            writeln!(out, "      counted from an assumed {}", duty.starts_at.word())?;
        }
        if let Some(overdue) = self.case.incident.overdue_since.get(&duty.regime_id) {
            writeln!(out, "      recorded as overdue {}", self.at(*overdue))?;
        }
        Ok(())
    }

    fn not_started(&self, out: &mut impl Write) -> io::Result<()> {
        let mut by_question: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for duty in self.case.incident.not_started() {
            let question = duty.gap.as_deref().unwrap_or_default();
            by_question.entry(question).or_default().push(&duty.regime_id);
        }
        if by_question.is_empty() {
            return Ok(());
        }
        section(out, "NOT STARTED, until it is said")?;
        for (question, duties) in by_question {
            writeln!(out, "  {question}\n    {}", duties.join(", "))?;
        }
        Ok(())
    }

    fn settled(&self, out: &mut impl Write) -> io::Result<()> {
        let incident = &self.case.incident;
        if incident.notifications.is_empty() && incident.not_notified.is_empty() {
            return Ok(());
        }
        section(out, "SETTLED")?;
        for (regime_id, sent) in &incident.notifications {
            for notification in sent {
                let late = if incident.was_late(regime_id) { ", LATE" } else { "" };
                let reference = notification.reference.as_deref().unwrap_or("no reference");
                writeln!(
                    out,
                    "  {regime_id}: sent {} to {} ({reference}){late}",
                    self.at(notification.sent_at),
                    notification.recipient
                )?;
            }
        }
        for (regime_id, decision) in &incident.not_notified {
            writeln!(
                out,
                "  {regime_id}: not notified, decided {} by {}: {}",
                self.at(decision.at),
                decision.by,
                decision.reason
            )?;
        }
        Ok(())
    }

    fn coming(&self, out: &mut impl Write) -> io::Result<()> {
        let coming: Vec<_> = self
            .case
            .incident
            .obligations
            .iter()
            .filter_map(|duty| match duty.standing {
                Standing::Coming { from } => Some((duty, from)),
                _ => None,
            })
            .collect();
        if coming.is_empty() {
            return Ok(());
        }
        section(out, "COMING, not law yet")?;
        for (duty, from) in coming {
            let from = from.map_or_else(|| "no day is set".to_owned(), |day| format!("from {day}"));
            writeln!(out, "  {}  {}, {from}", duty.regime_id, duty.article)?;
        }
        Ok(())
    }

    fn ruled_out(&self, out: &mut impl Write) -> io::Result<()> {
        let ruled_out = &self.case.incident.ruled_out;
        if !self.all {
            let count = ruled_out.len();
            return writeln!(out, "\n{count} other duties do not apply; --all says why.");
        }
        section(out, "DO NOT APPLY")?;
        for (regime_id, because) in ruled_out {
            writeln!(out, "  {regime_id}: {}", because.join(", "))?;
        }
        Ok(())
    }

    fn history(&self, out: &mut impl Write) -> io::Result<()> {
        section(out, "TIMELINE")?;
        let hidden = if self.all { 0 } else { self.timeline.len().saturating_sub(ENTRIES_MAX) };
        if hidden > 0 {
            writeln!(out, "  … {hidden} earlier entries")?;
        }
        for entry in self.timeline.iter().skip(hidden) {
            let at = entry.at.with_timezone(&self.zone).format("%-d %b %H:%M:%S");
            writeln!(out, "  {:>3}  {at}  {}: {}", entry.sequence, entry.actor, words::of(entry))?;
        }
        Ok(())
    }

    fn at(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).format("%a %-d %b %Y %H:%M %Z").to_string()
    }

    /// Red where a tenth of the span or less is left, yellow where it is a quarter.
    fn urgency(&self, clock: Clock, duties: &[&Obligation]) -> Style {
        if clock.is_possible {
            return Style::new().dimmed();
        }
        let left = clock.ends_at - self.now;
        let started = duties.iter().filter_map(|duty| duty.started_at).min();
        let span = started.map_or(TimeDelta::zero(), |started| clock.ends_at - started);
        let share_left = |percent: i32| span * percent / 100;
        if left <= share_left(10) {
            AnsiColor::Red.on_default().bold()
        } else if left <= share_left(25) {
            AnsiColor::Yellow.on_default().bold()
        } else {
            Style::new().bold()
        }
    }
}

fn section(out: &mut impl Write, title: &str) -> io::Result<()> {
    let bold = Style::new().bold();
    writeln!(out, "\n{bold}{title}{bold:#}")
}

/// `71 h 58 min left, due Fri 27 Nov 2026 12:30 CET (11:30 UTC)`.
fn clock_words(clock: Clock, zone: Tz, now: DateTime<Utc>) -> String {
    let left = clock.ends_at - now;
    let left = if left < TimeDelta::zero() {
        format!("OVERDUE by {}", span(-left))
    } else {
        format!("{} left", span(left))
    };
    let what = match (clock.kind, clock.is_possible) {
        (ClockKind::Limit, false) => "due",
        (ClockKind::Limit, true) => "may be due",
        (ClockKind::Target, false) => "internal target",
        (ClockKind::Target, true) => "internal target, if it applies,",
    };
    let local = clock.ends_at.with_timezone(&zone).format("%a %-d %b %Y %H:%M %Z");
    format!("{left}, {what} {local} ({} UTC)", clock.ends_at.format("%H:%M"))
}

fn span(delta: TimeDelta) -> String {
    let (days, hours, minutes) =
        (delta.num_days(), delta.num_hours() % 24, delta.num_minutes() % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0..=3, _) => format!("{} h {minutes} min", delta.num_hours()),
        (_, _) => format!("{days} d {hours} h"),
    }
}
