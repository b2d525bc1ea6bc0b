//! How well a purpose fits an access.

use std::collections::BTreeSet;

use eventlog::row::{Channel, Operation};

use super::line::Line;
use crate::registry::Purpose;

/// How a purpose fits a line.
pub(super) struct Fit<'a> {
    pub(super) purpose: &'a Purpose,
    pub(super) outside: BTreeSet<String>,
    pub(super) operation_outside: bool,
    pub(super) channel_outside: bool,
    pub(super) hours_outside: bool,
}

impl<'a> Fit<'a> {
    pub(super) fn of(purpose: &'a Purpose, line: &Line<'_>) -> Self {
        let allowed =
            |name: &str| purpose.objects.iter().any(|object| object.eq_ignore_ascii_case(name));
        let outside = line
            .objects
            .iter()
            .filter(|object| !allowed(&object.name))
            .map(|object| object.name.clone())
            .collect();
        let operation = line.operation();
        let channel = line.tally.key.channel;
        // No door of the agent's choosing: they tell from another side what came through one.
        let is_echo_channel = matches!(
            channel,
            Channel::ApiUsage
                | Channel::Query
                | Channel::Login
                | Channel::Automation
                | Channel::Database
                | Channel::Guard
                | Channel::Agent
        );
        // An echo that names no object may be about a job or a limit: deleting a job deletes no records.
        let says_operation =
            operation != Operation::Other && (!is_echo_channel || !line.objects.is_empty());
        let (first, last) = (line.tally.first_at, line.tally.last_at);
        Self {
            purpose,
            outside,
            operation_outside: says_operation && !purpose.operations.contains(&operation),
            channel_outside: !is_echo_channel
                && purpose.channels.as_ref().is_some_and(|channels| !channels.contains(&channel)),
            hours_outside: purpose
                .hours
                .as_ref()
                .is_some_and(|hours| !hours.contain_all(first, last)),
        }
    }

    /// The smallest fits best. Hours decide only between purposes that fit in all else.
    pub(super) fn rank(&self) -> impl Ord + use<'a> {
        let (broken, preference) = self.lasting_rank();
        let fits = self.outside.is_empty() && !self.operation_outside && !self.channel_outside;
        (broken, fits && self.hours_outside, preference)
    }

    /// What is broken that stays broken while an hour fills; then, a larger limit before a smaller one.
    pub(super) fn lasting_rank(&self) -> (impl Ord + use<'a>, impl Ord + use<'a>) {
        let hourly = std::cmp::Reverse(self.purpose.records_per_hour.unwrap_or(u64::MAX));
        let name: &'a str = &self.purpose.name;
        ((self.outside.len(), self.operation_outside, self.channel_outside), (hourly, name))
    }
}
