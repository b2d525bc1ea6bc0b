//! The running clocks of an incident as messages speak of them: which, how many duties, in which words.

use chrono::{DateTime, Utc};
use deadlines::Obligation;
use incident::{Alert, Clock, ClockKind, Incident};

/// A clock that runs, with the duties that end with it: those that hang on the fewest questions first.
#[derive(Clone, Debug)]
pub(crate) struct RunningClock<'a> {
    pub(crate) clock: Clock,
    pub(crate) duties: Vec<&'a Obligation>,
}

impl RunningClock<'_> {
    pub(crate) fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.clock.ends_at <= now
    }

    /// The words that lead to the instant when it ends: `due`, `target of 3 duties passed`. `with_count` names the number of
    /// duties where there are several.
    pub(crate) fn phrase(&self, with_count: bool, now: DateTime<Utc>) -> String {
        let Clock { kind, is_possible, .. } = self.clock;
        let count = self.duties.len();
        let (duties, of_duties) = if with_count && count > 1 {
            (format!("{count} duties "), format!(" of {count} duties"))
        } else {
            (String::new(), String::new())
        };
        let possible = if is_possible { "possible " } else { "" };
        let may_be = if is_possible { "may be " } else { "" };
        match (kind, self.is_over(now)) {
            (ClockKind::Limit, false) => format!("{duties}{may_be}due"),
            (ClockKind::Limit, true) => format!("{duties}{may_be}OVERDUE since"),
            (ClockKind::Target, false) => format!("{possible}target{of_duties}"),
            (ClockKind::Target, true) => format!("{possible}target{of_duties} passed"),
        }
    }
}

/// The clocks that run, the most urgent first.
pub(crate) fn running_clocks(incident: &Incident) -> Vec<RunningClock<'_>> {
    let mut clocks: Vec<RunningClock<'_>> = Vec::new();
    for duty in incident.running() {
        let Some(clock) = Clock::of(duty) else { continue };
        match clocks.last_mut().filter(|last| last.clock == clock) {
            Some(last) => last.duties.push(duty),
            None => clocks.push(RunningClock { clock, duties: vec![duty] }),
        }
    }
    for clock in &mut clocks {
        let questions = |duty: &&Obligation| duty.standing.unknown_facts().len();
        // Stable: of equals, by name.
        clock.duties.sort_by_key(questions);
    }
    clocks
}

/// The clock that a message speaks of first: its own, or for news the one to look at.
///
/// For news that is the nearest limit of the law which applies, or hangs on one answer alone: what hangs on several
/// answers, as whether a ransom was paid by a bank, would hide it. Where there is none, the nearest target that applies;
/// else whatever ends first.
pub(crate) fn clock_in_focus<'a>(
    clocks: &[RunningClock<'a>],
    alert: &Alert,
) -> Option<RunningClock<'a>> {
    if let Some(clock) = alert.clock {
        return clocks.iter().find(|running| running.clock == clock).cloned();
    }
    let is_near = |running: &&RunningClock<'_>| {
        let questions = running.duties.first().map(|duty| duty.standing.unknown_facts().len());
        running.clock.kind == ClockKind::Limit && questions.is_some_and(|questions| questions <= 1)
    };
    clocks
        .iter()
        .find(is_near)
        .or_else(|| clocks.iter().find(|running| !running.clock.is_possible))
        .or_else(|| clocks.first())
        .cloned()
}
