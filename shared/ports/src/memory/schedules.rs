//! Schedules in memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::lock;
use crate::{Clock, Result, Schedule, Scheduled, Scheduler};

/// Schedules in memory. They wake nobody: whoever moves the clock asks what is due.
pub struct MemorySchedules {
    clock: Arc<dyn Clock>,
    by_alert: Mutex<BTreeMap<String, Schedule>>,
}

impl MemorySchedules {
    /// None yet; what lies behind is told by this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, by_alert: Mutex::default() }
    }

    /// Takes out those whose instant has come, the earliest first.
    pub fn due(&self, now: DateTime<Utc>) -> Vec<Schedule> {
        let mut by_alert = lock(&self.by_alert);
        let mut due: Vec<Schedule> = by_alert
            .extract_if(.., |_, schedule| schedule.at <= now)
            .map(|(_, schedule)| schedule)
            .collect();
        due.sort_by(|a, b| (a.at, &a.alert_id).cmp(&(b.at, &b.alert_id)));
        due
    }

    /// Those that stand, in the order of their alerts.
    pub fn standing(&self) -> Vec<Schedule> {
        lock(&self.by_alert).values().cloned().collect()
    }

    /// Loses them all.
    pub fn clear(&self) {
        lock(&self.by_alert).clear();
    }
}

#[async_trait]
impl Scheduler for MemorySchedules {
    async fn put(&self, schedule: &Schedule) -> Result<Scheduled> {
        if schedule.at <= self.clock.now() {
            return Ok(Scheduled::Past);
        }
        lock(&self.by_alert).insert(schedule.alert_id.clone(), schedule.clone());
        Ok(Scheduled::Yes)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use incident::IncidentId;

    use super::*;
    use crate::memory::ManualClock;

    #[tokio::test]
    async fn what_is_due_comes_out_once_and_the_earliest_first() {
        let start: DateTime<Utc> = "2026-11-24T10:00:00Z".parse().unwrap();
        let schedules = MemorySchedules::new(Arc::new(ManualClock::at(start)));
        for (alert_id, minutes) in [("a", 3), ("b", 1), ("c", 2), ("c", 4)] {
            let schedule = Schedule {
                incident_id: IncidentId("BC-1".to_owned()),
                alert_id: alert_id.to_owned(),
                at: start + TimeDelta::minutes(minutes),
            };
            assert_eq!(schedules.put(&schedule).await.unwrap(), Scheduled::Yes);
        }
        let due = |minutes| {
            let due = schedules.due(start + TimeDelta::minutes(minutes));
            due.into_iter().map(|schedule| schedule.alert_id).collect::<String>()
        };
        assert_eq!(due(0), "");
        assert_eq!(due(3), "ba");
        assert_eq!(due(3), "");
        schedules.clear();
        assert_eq!(due(100), "");
    }
}
