//! One message owed to someone at a time.

use chrono::{DateTime, TimeDelta, Utc};
use deadlines::Stage;
use serde::{Deserialize, Serialize};

use crate::{Clock, IncidentId};

/// How long an owed alert may wait for its publication before the sweep raises it again; doubled with every
/// further attempt, up to half an hour.
const FIRST_RETRY_MINUTES: i64 = 2;
const LONGEST_RETRY_MINUTES: i64 = 30;

/// One message owed to legal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Unique and derived, so that planning it twice plans it once.
    pub alert_id: String,
    /// The incident that it speaks of.
    pub incident_id: IncidentId,
    /// The clock that it speaks of; absent for news of the incident as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Clock>,
    /// Which message.
    #[serde(flatten)]
    pub stage: Stage,
    /// When it is to be sent.
    pub due_at: DateTime<Utc>,
    /// How far it has come.
    #[serde(flatten)]
    pub state: AlertState,
    /// How often it was sent again because nobody acknowledged it.
    #[serde(default)]
    pub repetition: u32,
    /// When a person acknowledged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<DateTime<Utc>>,
}

/// How far an alert has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AlertState {
    /// Waits for its time.
    Scheduled,
    /// Its time has come and it has not been published.
    Owed {
        /// Since when.
        since: DateTime<Utc>,
        /// How often it was raised.
        attempt: u32,
        /// When it is raised again if it is still owed.
        next_attempt_at: DateTime<Utc>,
    },
    /// The topic took it.
    Published {
        /// When.
        at: DateTime<Utc>,
        /// The topic's receipt.
        message_id: String,
        /// When it is sent again, unless somebody acknowledges it first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        repeat_at: Option<DateTime<Utc>>,
    },
    /// No longer to be sent.
    Withdrawn {
        /// Since when.
        at: DateTime<Utc>,
        /// Why.
        reason: String,
    },
}

impl Alert {
    /// An alert that waits for its time, with its derived id. `detail` tells alerts of the same stage apart.
    pub(crate) fn scheduled(
        incident_id: &IncidentId,
        clock: Option<Clock>,
        stage: Stage,
        detail: Option<&str>,
        due_at: DateTime<Utc>,
    ) -> Self {
        let subject = clock.map_or_else(|| "incident".to_owned(), |clock| clock.to_string());
        let mut alert_id = format!("{incident_id}.{subject}.{}", stage.name());
        if let Some(detail) = detail {
            alert_id.push('.');
            alert_id.push_str(detail);
        }
        Self {
            alert_id,
            incident_id: incident_id.clone(),
            clock,
            stage,
            due_at,
            state: AlertState::Scheduled,
            repetition: 0,
            acknowledged_at: None,
        }
    }

    /// When the sweep has to look at it next; `None` once nothing is left to do.
    pub fn attention_at(&self) -> Option<DateTime<Utc>> {
        match &self.state {
            AlertState::Scheduled => Some(self.due_at),
            AlertState::Owed { next_attempt_at, .. } => Some(*next_attempt_at),
            AlertState::Published { repeat_at, .. } => *repeat_at,
            AlertState::Withdrawn { .. } => None,
        }
    }

    /// Whether it waits for publication.
    pub fn is_owed(&self) -> bool {
        matches!(self.state, AlertState::Owed { .. })
    }

    /// Whether it waits for its time.
    pub fn is_scheduled(&self) -> bool {
        matches!(self.state, AlertState::Scheduled)
    }

    /// Whether the topic took it, and it is not owed once more.
    pub(crate) fn is_published(&self) -> bool {
        matches!(self.state, AlertState::Published { .. })
    }

    /// Whether it was raised or published: somebody hears, or has heard, of it.
    pub(crate) fn is_out(&self) -> bool {
        matches!(self.state, AlertState::Owed { .. } | AlertState::Published { .. })
    }

    /// How often it has been raised while it is owed; 0 otherwise.
    pub fn attempt(&self) -> u32 {
        match self.state {
            AlertState::Owed { attempt, .. } => attempt,
            _ => 0,
        }
    }

    /// Owed from `now` on, or owed once more; a published one is sent again.
    pub(crate) fn raise(&mut self, now: DateTime<Utc>) {
        let (since, attempt) = match self.state {
            AlertState::Owed { since, attempt, .. } => (since, attempt.saturating_add(1)),
            AlertState::Published { .. } => {
                self.repetition = self.repetition.saturating_add(1);
                (now, 1)
            }
            AlertState::Scheduled | AlertState::Withdrawn { .. } => (now, 1),
        };
        // A timeline that was tampered with may say any instant.
        let next_attempt_at = now.checked_add_signed(retry_after(attempt)).unwrap_or(now);
        self.state = AlertState::Owed { since, attempt, next_attempt_at };
    }

    /// No longer to be sent. What was sent stays sent, and is not sent again.
    pub(crate) fn withdraw(&mut self, at: DateTime<Utc>, reason: &str) {
        match self.state {
            AlertState::Published { .. } => self.quieten(),
            _ => self.state = AlertState::Withdrawn { at, reason: reason.to_owned() },
        }
    }

    /// Not sent again, whoever has acknowledged it or not.
    pub(crate) fn quieten(&mut self) {
        if let AlertState::Published { repeat_at, .. } = &mut self.state {
            *repeat_at = None;
        }
    }
}

fn retry_after(attempt: u32) -> TimeDelta {
    let doublings = attempt.saturating_sub(1).min(8);
    let minutes = FIRST_RETRY_MINUTES.saturating_mul(1_i64 << doublings);
    TimeDelta::minutes(minutes.min(LONGEST_RETRY_MINUTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owed_alert_is_raised_again_ever_more_slowly_and_never_given_up() {
        let start: DateTime<Utc> = "2026-11-24T10:00:00Z".parse().unwrap();
        let id = IncidentId("BC-1".to_owned());
        let mut alert = Alert::scheduled(&id, None, Stage::Opened, None, start);
        alert.raise(start);
        let mut waits = Vec::new();
        let mut now = start;
        for _ in 0..7 {
            let next = alert.attention_at().unwrap();
            waits.push((next - now).num_minutes());
            now = next;
            alert.raise(now);
        }
        assert_eq!(waits, [2, 4, 8, 16, 30, 30, 30]);
        assert!(
            matches!(alert.state, AlertState::Owed { since, attempt: 8, .. } if since == start)
        );
    }
}
