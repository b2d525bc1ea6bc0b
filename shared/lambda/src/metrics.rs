//! Metrics, in CloudWatch's embedded metric format: a JSON line in the log from which CloudWatch takes a number.
//!
//! The names are listed here once; `infra/lib` builds alarms on them.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

const NAMESPACE: &str = "Breachclock";

/// A metric. All are counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// The sweep ran to its end. Its absence is an alarm.
    SweepHeartbeat,
    /// Obligations that a sweep found overdue.
    ObligationsOverdue,
    /// Alerts that a sweep raised.
    AlertsOwed,
    /// Alerts that had to be raised once more, because they were not published in time.
    AlertsUnsent,
    /// Reminders for which no schedule could be made; the sweep still watches them.
    SchedulesNotMade,
    /// The heads of all timelines were put away and the daily notice went out. Its absence is an alarm.
    AttestHeartbeat,
    /// Timelines that are not whole.
    ChainsBroken,
    /// Rows that could not be read.
    RowsQuarantined,
    /// Rows that were read.
    RowsRead,
    /// Things in a log that this version does not understand.
    Gaps,
    /// Blind spots that are open in the orgs that were looked at.
    BlindSpots,
    /// A configuration was refused.
    ConfigurationRefused,
    /// Pieces of work that failed, whether or not they come again.
    WorkFailed,
}

impl Metric {
    /// Its name in CloudWatch.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SweepHeartbeat => "SweepHeartbeat",
            Self::ObligationsOverdue => "ObligationsOverdue",
            Self::AlertsOwed => "AlertsOwed",
            Self::AlertsUnsent => "AlertsUnsent",
            Self::SchedulesNotMade => "SchedulesNotMade",
            Self::AttestHeartbeat => "AttestHeartbeat",
            Self::ChainsBroken => "ChainsBroken",
            Self::RowsQuarantined => "RowsQuarantined",
            Self::RowsRead => "RowsRead",
            Self::Gaps => "Gaps",
            Self::BlindSpots => "BlindSpots",
            Self::ConfigurationRefused => "ConfigurationRefused",
            Self::WorkFailed => "WorkFailed",
        }
    }
}

/// Writes counts to standard output, in the environment's dimension.
pub fn count(environment: &str, now: DateTime<Utc>, counts: &[(Metric, u64)]) {
    #[expect(clippy::print_stdout, reason = "standard output is where the format is read from")]
    {
        println!("{}", line(environment, now, counts));
    }
}

fn line(environment: &str, now: DateTime<Utc>, counts: &[(Metric, u64)]) -> Value {
    let definitions: Vec<Value> = counts
        .iter()
        .map(|(metric, _)| json!({ "Name": metric.name(), "Unit": "Count" }))
        .collect();
    let mut line = json!({
        "_aws": {
            "Timestamp": now.timestamp_millis(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["Environment"]],
                "Metrics": definitions,
            }],
        },
        "Environment": environment,
    });
    if let Some(fields) = line.as_object_mut() {
        fields.extend(
            counts.iter().map(|(metric, value)| (metric.name().to_owned(), (*value).into())),
        );
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_defines_every_metric_that_it_carries() {
        let now = DateTime::from_timestamp_millis(1_764_000_000_123).unwrap();
        let counts = [(Metric::SweepHeartbeat, 1), (Metric::AlertsOwed, 3)];
        assert_eq!(
            line("demo", now, &counts),
            json!({
                "_aws": {
                    "Timestamp": 1_764_000_000_123_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "Breachclock",
                        "Dimensions": [["Environment"]],
                        "Metrics": [
                            { "Name": "SweepHeartbeat", "Unit": "Count" },
                            { "Name": "AlertsOwed", "Unit": "Count" },
                        ],
                    }],
                },
                "Environment": "demo",
                "SweepHeartbeat": 1,
                "AlertsOwed": 3,
            })
        );
    }
}
