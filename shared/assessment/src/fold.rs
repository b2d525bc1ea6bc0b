//! The days of an episode, folded into one set of findings.
//!
//! **Signals** merge by rule. The weight is that of the heaviest day, and so is the sentence (the earliest of
//! equals), with the span of days behind it where there are several. The heaviest day, rather than a sum,
//! because a rule broken on two days is not two reasons; it is monotone, since one more day or one more row
//! can only raise it. **The score** is the sum of the weights, cut at 100.
//!
//! **Persons** are an interval, worked out object by object over the personal data exposed:
//! - `exact`: distinct record ids of objects whose every record stands for one person.
//! - `lower`: for such an object its distinct ids or the largest single answer, whichever is more, since one
//!   answer holds no record twice; added over the objects. Where only other objects were touched, records may
//!   all be about one person, so that the honest lower bound is 1. A person who is kept as contact and as lead
//!   counts as two.
//! - `upper`: for each object the records counted, cut to its population, or the population itself where rows
//!   did not count; added over the objects. Unknown where rows did not count and no population is declared.
//!
//! **Severity** is judged by category at each category's own upper bound.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    configuration::Configuration,
    data_map::DataMap,
    findings::{
        DataCategory, DayFindings, Findings, ObjectExposure, Rule, Signal, SubjectBasis,
        SubjectEstimate,
    },
    judge::{EVIDENCE_MAX, trim},
    severity::{Exposure, severity},
    words::{between, counted},
};

/// The most that a score can be.
pub const SCORE_MAX: u32 = 100;

/// Folds the days of one agent in one org; `None` where no day has a signal. The order of the days does not
/// show. Where a day is given more than once, the one with most rows stands: an hour's tallies only grow.
pub fn fold(days: &[DayFindings], configuration: &Configuration) -> Option<Findings> {
    let mut by_day: BTreeMap<_, &DayFindings> = BTreeMap::new();
    let whose = days.iter().map(|day| (&day.org_id, &day.agent)).min()?;
    for day in days.iter().filter(|day| (&day.org_id, &day.agent) == whose) {
        by_day
            .entry(day.day)
            .and_modify(|known| {
                if completeness(day) > completeness(known) {
                    *known = day;
                }
            })
            .or_insert(day);
    }
    let days: Vec<&DayFindings> = by_day.into_values().collect();
    let signals = signals(&days);
    let first_event_at = signals.iter().map(|signal| signal.first_at).min()?;
    let last_event_at = signals.iter().map(|signal| signal.last_at).max()?;
    let score = signals.iter().fold(0_u32, |sum, signal| sum.saturating_add(signal.weight));
    let exposures = exposures(&days);
    let estimates: Vec<Estimated> = exposures
        .iter()
        .map(|(object, exposure)| Estimated::of(object, exposure, &configuration.data_map))
        .collect();
    let sum = |of: fn(&DayFindings) -> u64| {
        days.iter().fold(0_u64, |sum, day| sum.saturating_add(of(day)))
    };
    let gaps = sums(days.iter().flat_map(|day| &day.gaps));
    let unsure_row_counts = sums(days.iter().flat_map(|day| &day.unsure_row_counts));
    let newest = days.iter().map(|day| &day.scoring_version).max()?;
    Some(Findings {
        org_id: whose.0.clone(),
        agent: whose.1.clone(),
        first_event_at,
        last_event_at,
        score: score.min(SCORE_MAX),
        signals,
        severity: severity(&by_category(&estimates)),
        subject_estimate: estimate(&estimates),
        exposures,
        row_count: sum(|day| day.suspect_row_count),
        unsure_row_counts,
        record_count: sum(|day| day.suspect_record_count),
        gaps,
        scoring_version: newest.clone(),
    })
}

fn sums<'a, K: Copy + Ord + 'a>(
    counts: impl Iterator<Item = (&'a K, &'a u64)>,
) -> BTreeMap<K, u64> {
    let mut sums = BTreeMap::new();
    for (key, rows) in counts {
        let sum: &mut u64 = sums.entry(*key).or_default();
        *sum = sum.saturating_add(*rows);
    }
    sums
}

/// More of a day's rows first; what follows only makes the choice between equals the same in any order.
fn completeness(day: &DayFindings) -> impl Ord {
    let weights: u32 = day.signals.iter().fold(0, |sum, signal| sum.saturating_add(signal.weight));
    let reasons: Vec<String> = day.signals.iter().map(|signal| signal.reason.clone()).collect();
    (day.row_count, day.suspect_record_count, weights, reasons)
}

/// One signal for each rule, the heaviest first.
fn signals(days: &[&DayFindings]) -> Vec<Signal> {
    let mut by_rule: BTreeMap<Rule, Vec<&Signal>> = BTreeMap::new();
    for signal in days.iter().flat_map(|day| &day.signals) {
        by_rule.entry(signal.rule).or_default().push(signal);
    }
    let mut merged: Vec<Signal> =
        by_rule.into_values().filter_map(|signals| merge(&signals)).collect();
    merged.sort_by_key(|signal| (std::cmp::Reverse(signal.weight), signal.rule));
    merged
}

/// The signals of one rule, one a day, in the order of days.
fn merge(signals: &[&Signal]) -> Option<Signal> {
    let earliest = std::cmp::Reverse;
    let heaviest =
        signals.iter().max_by_key(|signal| (signal.weight, earliest(signal.first_at)))?;
    let mut merged = (*heaviest).clone();
    if signals.len() == 1 {
        return Some(merged);
    }
    merged.row_count = 0;
    merged.record_count = 0;
    for signal in signals {
        merged.row_count = merged.row_count.saturating_add(signal.row_count);
        merged.record_count = merged.record_count.saturating_add(signal.record_count);
        merged.objects.extend(signal.objects.iter().cloned());
        merged.evidence.extend(signal.evidence.iter().cloned());
        merged.first_at = merged.first_at.min(signal.first_at);
        merged.last_at = merged.last_at.max(signal.last_at);
    }
    while merged.evidence.len() > EVIDENCE_MAX {
        merged.evidence.pop_last();
    }
    let total = match merged.rule {
        Rule::OutdatedTls => counted(merged.row_count, "login"),
        _ => counted(merged.record_count, "record"),
    };
    merged.reason = format!(
        "On {}: {} The like on {} days, {total} in all, {}.",
        heaviest.first_at.format("%-d %B %Y"),
        heaviest.reason,
        signals.len(),
        between(merged.first_at, merged.last_at)
    );
    Some(merged)
}

fn exposures(days: &[&DayFindings]) -> BTreeMap<String, ObjectExposure> {
    let mut folded: BTreeMap<String, ObjectExposure> = BTreeMap::new();
    for (object, exposure) in days.iter().flat_map(|day| &day.exposures) {
        let known = folded.entry(object.clone()).or_default();
        known.category = known.category.max(exposure.category);
        known.row_count = known.row_count.saturating_add(exposure.row_count);
        known.record_count = known.record_count.saturating_add(exposure.record_count);
        known.uncounted_row_count =
            known.uncounted_row_count.saturating_add(exposure.uncounted_row_count);
        known.largest_record_count = known.largest_record_count.max(exposure.largest_record_count);
        known.record_ids.extend(exposure.record_ids.iter().cloned());
        known.record_ids_cut |= exposure.record_ids_cut;
        known.fields.extend(exposure.fields.iter().cloned());
    }
    trim(&mut folded);
    folded
}

/// The persons behind one object.
struct Estimated {
    category: DataCategory,
    exact: u64,
    /// At least so many, where each record stands for one person.
    lower: u64,
    /// Whether any record was touched at all.
    touched: bool,
    upper: Option<u64>,
    basis: SubjectBasis,
}

impl Estimated {
    fn of(object: &str, exposure: &ObjectExposure, data_map: &DataMap) -> Self {
        let classified = data_map.object(object);
        let category = exposure.category.unwrap_or(DataCategory::ContactIdentity);
        let ids = u64::try_from(exposure.record_ids.len()).unwrap_or(u64::MAX);
        let seen = exposure.record_count.max(ids);
        let person = classified.person_object;
        let at_least = ids.max(exposure.largest_record_count);
        let (upper, basis) = match (exposure.uncounted_row_count, classified.population) {
            // More ids than the declared population show that the population is out of date.
            (0, Some(population)) if population < seen => {
                (Some(population.max(ids)), SubjectBasis::ObjectPopulation)
            }
            (0, _) if exposure.record_count > ids => (Some(seen), SubjectBasis::RecordsCounted),
            (0, _) => (Some(seen), SubjectBasis::RecordIds),
            (_, Some(population)) => (Some(population.max(ids)), SubjectBasis::ObjectPopulation),
            (_, None) => (None, SubjectBasis::Uncounted),
        };
        let lower = if person { at_least } else { 0 };
        Self {
            category,
            exact: if person { ids } else { 0 },
            lower,
            touched: seen > 0,
            upper: upper.map(|upper| upper.max(lower)),
            basis,
        }
    }

    fn is_personal(&self) -> bool {
        self.category != DataCategory::NonPersonal
    }
}

/// Bounds of several objects together.
fn bounds<'a>(estimates: impl Iterator<Item = &'a Estimated>) -> SubjectEstimate {
    let mut all = SubjectEstimate { upper: Some(0), ..SubjectEstimate::default() };
    let mut touched = false;
    for one in estimates {
        all.exact = all.exact.saturating_add(one.exact);
        // The persons behind two objects may be the same: only the largest number is certain.
        all.lower = all.lower.max(one.lower);
        all.upper = all.upper.zip(one.upper).map(|(sum, upper)| sum.saturating_add(upper));
        all.basis = all.basis.max(one.basis);
        touched |= one.touched;
    }
    if touched {
        all.lower = all.lower.max(1);
        all.upper = all.upper.map(|upper| upper.max(1));
    }
    all
}

fn estimate(estimates: &[Estimated]) -> SubjectEstimate {
    bounds(estimates.iter().filter(|one| one.is_personal()))
}

fn by_category(estimates: &[Estimated]) -> Vec<Exposure> {
    let categories: BTreeSet<DataCategory> = estimates.iter().map(|one| one.category).collect();
    categories
        .into_iter()
        .map(|category| {
            let of_it = bounds(estimates.iter().filter(|one| one.category == category));
            Exposure {
                category,
                subjects_lower: of_it.lower,
                subjects_upper: of_it.upper,
                modifiers: BTreeSet::new(),
            }
        })
        .collect()
}
