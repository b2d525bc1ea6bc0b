//! A wake-up at the instant of an alert.

use chrono::{DateTime, Utc};
use incident::IncidentId;
use serde::{Deserialize, Serialize};

/// When somebody has to look at an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The incident.
    pub incident_id: IncidentId,
    /// The alert; it has one schedule at most.
    pub alert_id: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl Schedule {
    /// What its target is woken with.
    pub fn wake(&self) -> Wake {
        let (incident_id, alert_id) = (self.incident_id.clone(), self.alert_id.clone());
        Wake { due: DueAlert { incident_id, alert_id } }
    }
}

/// What the target of a schedule is woken with, as JSON:
/// `{"due":{"incident_id":"BC-5F2C9A01D3E7","alert_id":"BC-5F2C9A01D3E7.eu-gdpr-33-1.overdue"}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wake {
    /// What is due.
    pub due: DueAlert,
}

/// An alert whose instant has come. Says nothing of how it stands by now: whoever is woken looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueAlert {
    /// The incident.
    pub incident_id: IncidentId,
    /// The alert.
    pub alert_id: String,
}

/// Whether a schedule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduled {
    /// It stands, and no other one of the alert.
    Yes,
    /// Its instant lies behind, so nothing would ever be woken. Nothing was changed: an earlier schedule of the alert
    /// stands as it was.
    Past,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_target_is_told_which_alert() {
        let schedule = Schedule {
            incident_id: IncidentId("BC-5F2C9A01D3E7".to_owned()),
            alert_id: "BC-5F2C9A01D3E7.eu-gdpr-33-1.overdue".to_owned(),
            at: "2026-11-27T10:00:00Z".parse().unwrap(),
        };
        let due = json!({
            "incident_id": "BC-5F2C9A01D3E7",
            "alert_id": "BC-5F2C9A01D3E7.eu-gdpr-33-1.overdue",
        });
        let sent = serde_json::to_value(schedule.wake()).unwrap();
        assert_eq!(sent, json!({ "due": due }));
        assert_eq!(serde_json::from_value::<Wake>(sent).unwrap(), schedule.wake());
    }
}
