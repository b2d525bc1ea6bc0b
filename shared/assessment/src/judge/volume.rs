//! Records by purpose, UTC hour and UTC day, against what was declared.

use std::collections::{BTreeMap, BTreeSet};

use eventlog::row::{Hour, Operation};

use super::line::Line;
use crate::{
    findings::{DataCategory, Rule},
    registry::Purpose,
    weights::{ratio_milli, volume_weight},
    words::{count, did, listed},
};

/// A declared number of records that was passed.
pub(super) struct Breach<'a> {
    pub(super) rule: Rule,
    pub(super) purpose: &'a Purpose,
    pub(super) hour: Hour,
    pub(super) limit: u64,
    pub(super) volume: Volume,
    pub(super) weight: u32,
}

impl Breach<'_> {
    pub(super) fn sentence(&self, breach_count: usize) -> String {
        let Volume { counted, operations, .. } = &self.volume;
        // What an agent did beside the point only blurs the sentence.
        let did = match operations.first() {
            Some(operation) if operations.len() == 1 => did(*operation),
            _ => "Accessed",
        };
        let ratio = ratio_milli(*counted, self.limit);
        let times = format!("{}.{}", count(ratio / 1_000), ratio % 1_000 / 100);
        let purpose = &self.purpose.name;
        let (counted, limit) = (count(*counted), count(self.limit));
        let objects = self.volume.objects();
        if self.rule == Rule::RecordsPerDay {
            return format!(
                "{did} {counted} records for its purpose {purpose} in the UTC day, {times} times the declared \
                 {limit}: {objects}."
            );
        }
        let hour = self.hour.start().format("%H:%M");
        let more = match breach_count.saturating_sub(1) {
            0 => String::new(),
            1 => "; 1 other hour was over its limit too".to_owned(),
            more => format!("; {more} other hours were over their limit too"),
        };
        format!(
            "{did} {counted} records for its purpose {purpose} in the hour from {hour} UTC, {times} times the \
             declared {limit}: {objects}{more}."
        )
    }
}

/// Records of one purpose in one hour or one day.
#[derive(Default)]
pub(super) struct Volume {
    counted: u64,
    /// Those of accesses that the purpose allows.
    allowed: u64,
    category: Option<DataCategory>,
    records_by_object: BTreeMap<String, u64>,
    operations: BTreeSet<Operation>,
}

impl Volume {
    pub(super) fn add(&mut self, line: &Line<'_>, allowed: bool) {
        let records = line.record_count();
        self.counted = self.counted.saturating_add(records);
        if allowed {
            self.allowed = self.allowed.saturating_add(records);
        }
        self.category = self.category.max(Some(line.category()));
        for object in &line.objects {
            let known = self.records_by_object.entry(object.name.clone()).or_default();
            *known = known.saturating_add(records);
        }
        self.operations.insert(line.operation());
    }

    /// `Case and Contact`, or `mostly Contact (48,120)` where one object makes more than half.
    fn objects(&self) -> String {
        let by_records = self.records_by_object.iter().max_by_key(|(_, records)| **records);
        match by_records {
            Some((object, records))
                if self.records_by_object.len() > 1 && *records > self.counted / 2 =>
            {
                format!("mostly {object} ({})", count(*records))
            }
            _ => listed(self.records_by_object.keys().map(String::as_str)),
        }
    }
}

/// Everything of one day that counts for one purpose.
pub(super) struct PurposeDay<'a> {
    purpose: &'a Purpose,
    hours: BTreeMap<Hour, Volume>,
    day: Volume,
}

impl<'a> PurposeDay<'a> {
    pub(super) fn is_over(&self, rule: Rule, hour: Hour) -> bool {
        let volume = match rule {
            Rule::RecordsPerHour => self.hours.get(&hour),
            _ => Some(&self.day),
        };
        let limit = limit_of(rule, self.purpose);
        volume.zip(limit).is_some_and(|(volume, limit)| volume.counted > limit)
    }

    /// Whether the allowed accesses of `hour` are by themselves over the limit: of a day, from the hour on in
    /// which they pass it.
    pub(super) fn is_allowed_over(&self, rule: Rule, hour: Hour) -> bool {
        let allowed = match rule {
            Rule::RecordsPerHour => self.hours.get(&hour).map_or(0, |volume| volume.allowed),
            _ => self
                .hours
                .range(..=hour)
                .fold(0_u64, |sum, (_, volume)| sum.saturating_add(volume.allowed)),
        };
        limit_of(rule, self.purpose).is_some_and(|limit| allowed > limit)
    }

    pub(super) fn breaches(self) -> Vec<Breach<'a>> {
        let Self { purpose, hours, day } = self;
        let first = hours.keys().next().copied();
        let of_hours = hours.into_iter().map(|(hour, volume)| (Rule::RecordsPerHour, hour, volume));
        let of_day = first.map(|hour| (Rule::RecordsPerDay, hour, day));
        of_hours
            .chain(of_day)
            .filter_map(|(rule, hour, volume)| {
                let limit = limit_of(rule, purpose)?;
                let category = volume.category.unwrap_or(DataCategory::NonPersonal);
                let weight = volume_weight(volume.counted, limit, category);
                (volume.counted > limit).then_some(Breach {
                    rule,
                    purpose,
                    hour,
                    limit,
                    volume,
                    weight,
                })
            })
            .collect()
    }
}

/// Finds the hours and the days in which a purpose's limit was passed, and marks the lines that are over it.
/// Accesses that the purpose does not allow anyway never push allowed ones over: the honest work of an hour
/// stays honest when an export goes wrong beside it.
pub(super) fn volume_breaches<'a>(lines: &mut [Line<'a>]) -> Vec<Breach<'a>> {
    let mut days: BTreeMap<&'a str, PurposeDay<'a>> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.record_count() > 0) {
        let Some((purpose, allowed)) = line.counts_for else { continue };
        let day = days.entry(purpose.name.as_str()).or_insert_with(|| PurposeDay {
            purpose,
            hours: BTreeMap::new(),
            day: Volume::default(),
        });
        day.day.add(line, allowed);
        day.hours.entry(line.hour).or_default().add(line, allowed);
    }
    for line in lines.iter_mut().filter(|line| line.record_count() > 0) {
        let Some((purpose, allowed)) = line.counts_for else { continue };
        let Some(day) = days.get(purpose.name.as_str()) else { continue };
        for rule in [Rule::RecordsPerHour, Rule::RecordsPerDay] {
            let over = if allowed {
                day.is_allowed_over(rule, line.hour)
            } else {
                day.is_over(rule, line.hour)
            };
            if over {
                line.rules.insert(rule);
            }
        }
    }
    days.into_values().flat_map(PurposeDay::breaches).collect()
}

pub(super) fn limit_of(rule: Rule, purpose: &Purpose) -> Option<u64> {
    match rule {
        Rule::RecordsPerHour => purpose.records_per_hour,
        Rule::RecordsPerDay => purpose.records_per_day,
        _ => None,
    }
}
