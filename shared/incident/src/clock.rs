//! Duties that end at the same instant, watched as one.
//!
//! A leak that concerns ten laws does not owe ten messages an hour: whatever ends at the same instant, by the same
//! kind of limit and with the same certainty, is one clock with one set of reminders. Each message names all duties that
//! the clock stands for when it is written.

use std::fmt;

use chrono::{DateTime, Utc};
use deadlines::{Obligation, Standing};
use serde::{Deserialize, Serialize};

/// What ends a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockKind {
    /// A limit of the law.
    Limit,
    /// An internal target of a duty to which the law gives no number.
    Target,
}

/// A clock of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Clock {
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// What ends then.
    pub kind: ClockKind,
    /// True where the duties only may apply, because a fact that would decide is not known.
    pub is_possible: bool,
}

impl Clock {
    /// The clock that watches a duty; `None` for one that never falls due.
    pub fn of(obligation: &Obligation) -> Option<Self> {
        let kind = if obligation.due_at.is_some() { ClockKind::Limit } else { ClockKind::Target };
        Some(Self {
            ends_at: obligation.watched_at()?,
            kind,
            is_possible: matches!(obligation.standing, Standing::Possible { .. }),
        })
    }
}

impl fmt::Display for Clock {
    /// A stable name for keys, as `due-20261127T113000.000Z` or `target-20261127T113000.000Z-possible`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ClockKind::Limit => "due",
            ClockKind::Target => "target",
        };
        let possible = if self.is_possible { "-possible" } else { "" };
        write!(formatter, "{kind}-{}{possible}", self.ends_at.format("%Y%m%dT%H%M%S%.3fZ"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_of_different_ends_kinds_and_certainty_have_different_names() {
        let ends_at = "2026-11-27T11:30:00.250Z".parse().unwrap();
        let limit = Clock { ends_at, kind: ClockKind::Limit, is_possible: false };
        let target = Clock { kind: ClockKind::Target, ..limit };
        let possible = Clock { is_possible: true, ..limit };
        assert_eq!(limit.to_string(), "due-20261127T113000.250Z");
        assert_eq!(target.to_string(), "target-20261127T113000.250Z");
        assert_eq!(possible.to_string(), "due-20261127T113000.250Z-possible");
    }
}
