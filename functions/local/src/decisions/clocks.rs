//! The clocks of an incident, in words and as JSON.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use deadlines::Obligation;
use incident::{Clock, ClockKind, Incident};
use serde_json::{Value, json};

use crate::report::instant;

/// A clock that runs, with the duties that end with it.
pub(super) struct Running<'a> {
    pub(super) clock: Clock,
    pub(super) duties: Vec<&'a Obligation>,
}

/// The clocks that run, the most urgent first.
pub(super) fn running(incident: &Incident) -> Vec<Running<'_>> {
    let mut clocks: Vec<Running<'_>> = Vec::new();
    for duty in incident.running() {
        let Some(clock) = Clock::of(duty) else { continue };
        match clocks.last_mut().filter(|last| last.clock == clock) {
            Some(last) => last.duties.push(duty),
            None => clocks.push(Running { clock, duties: vec![duty] }),
        }
    }
    clocks
}

/// The clock to look at first, with a duty of it: the most urgent that applies or hangs on one answer alone, as messages have
/// it too. What hangs on several answers, as whether a bank paid a ransom, would hide it.
pub(super) fn first(incident: &Incident) -> Option<(Clock, &Obligation)> {
    let clocks =
        || incident.running().into_iter().filter_map(|duty| Some((Clock::of(duty)?, duty)));
    let is_near = |duty: &Obligation| duty.standing.unknown_facts().len() <= 1;
    clocks().find(|(_, duty)| is_near(duty)).or_else(|| clocks().next())
}

/// `71 h 58 min left, due Fri 27 Nov 2026 12:30 CET (11:30 UTC)`.
pub(super) fn words(clock: Clock, zone: Tz, now: DateTime<Utc>) -> String {
    format!("{}, {}", left(clock, now), end(clock, zone))
}

/// `71 h 58 min left`.
fn left(clock: Clock, now: DateTime<Utc>) -> String {
    let left = clock.ends_at - now;
    match (left > TimeDelta::zero(), clock.kind, clock.is_possible) {
        (true, ..) => format!("{} left", span(left)),
        (false, ClockKind::Limit, false) => format!("OVERDUE by {}", span(-left)),
        (false, ClockKind::Limit, true) => format!("OVERDUE by {} if it applies", span(-left)),
        (false, ClockKind::Target, _) => format!("target passed {} ago", span(-left)),
    }
}

/// `due Fri 27 Nov 2026 12:30 CET (11:30 UTC)`.
fn end(clock: Clock, zone: Tz) -> String {
    let what = match (clock.kind, clock.is_possible) {
        (ClockKind::Limit, false) => "due",
        (ClockKind::Limit, true) => "may be due",
        (ClockKind::Target, _) => "internal target",
    };
    format!("{what} {} ({} UTC)", at(clock.ends_at, zone), clock.ends_at.format("%H:%M"))
}

/// `Fri 27 Nov 2026 12:30 CET`.
pub(super) fn at(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%a %-d %b %Y %H:%M %Z").to_string()
}

/// Hours up to 99, as the law counts them; days beyond.
fn span(delta: TimeDelta) -> String {
    let (hours, minutes) = (delta.num_hours(), delta.num_minutes() % 60);
    match hours {
        0 => format!("{minutes} min"),
        1..100 => format!("{hours} h {minutes} min"),
        _ => format!("{} d {} h", hours / 24, hours % 24),
    }
}

/// A clock for machines.
pub(super) fn json(clock: Clock, duties: &[&Obligation], now: DateTime<Utc>) -> Value {
    let regimes: Vec<&str> = duties.iter().map(|duty| duty.regime_id.as_str()).collect();
    json!({
        "ends_at": instant(clock.ends_at),
        "kind": clock.kind,
        "possible": clock.is_possible,
        "remaining_minutes": (clock.ends_at - now).num_minutes(),
        "duties": regimes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_says_what_is_left_and_never_more() {
        let now: DateTime<Utc> = "2026-11-24T11:30:00Z".parse().unwrap();
        let told = |kind, is_possible, seconds: i64| {
            let ends_at = now + TimeDelta::seconds(seconds);
            words(Clock { ends_at, kind, is_possible }, chrono_tz::Europe::Berlin, now)
        };
        assert_eq!(
            told(ClockKind::Limit, false, 72 * 3600 - 1),
            "71 h 59 min left, due Fri 27 Nov 2026 12:29 CET (11:29 UTC)"
        );
        assert_eq!(
            told(ClockKind::Limit, true, 59),
            "0 min left, may be due Tue 24 Nov 2026 12:30 CET (11:30 UTC)"
        );
        let overdue = told(ClockKind::Limit, false, 0);
        assert!(overdue.starts_with("OVERDUE by 0 min, due "), "{overdue}");
        let may_be = told(ClockKind::Limit, true, -3600);
        assert!(may_be.starts_with("OVERDUE by 1 h 0 min if it applies, may be due "), "{may_be}");
        let target = told(ClockKind::Target, false, -60);
        assert!(target.starts_with("target passed 1 min ago, internal target "), "{target}");
        let days = told(ClockKind::Limit, false, 100 * 3600);
        assert!(days.starts_with("4 d 4 h left, due "), "{days}");
    }
}
