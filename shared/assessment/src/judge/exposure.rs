//! What the lines in violation exposed, by object.

use std::collections::BTreeMap;

use super::{
    ALL_FIELDS_MAX, ALL_RECORD_IDS_MAX, FIELDS_MAX, RECORD_IDS_MAX, UNNAMED_OBJECT, line::Line,
};
use crate::findings::{ObjectExposure, Rule};

/// What the lines in violation exposed, by object. A line counts once, however many rules it broke.
pub(super) fn exposures(lines: &[Line<'_>]) -> BTreeMap<String, ObjectExposure> {
    let mut exposures: BTreeMap<String, ObjectExposure> = BTreeMap::new();
    let mut echoed: BTreeMap<String, ObjectExposure> = BTreeMap::new();
    for line in lines.iter().filter(|line| !line.rules.is_empty() && line.touches()) {
        // Objects that the purpose names stay out where the object alone was wrong.
        let object_alone = line.rules.iter().all(|rule| *rule == Rule::ObjectOutsidePurpose);
        let into = if line.counts_records { &mut exposures } else { &mut echoed };
        for object in &line.objects {
            if object_alone && !line.outside.contains(&object.name) {
                continue;
            }
            let exposure = into.entry(object.name.clone()).or_default();
            expose(exposure, line);
            exposure.category = exposure.category.max(object.known);
            exposure.fields.extend(object.fields.iter().cloned());
        }
        if line.objects.is_empty() && line.unnamed {
            expose(into.entry(UNNAMED_OBJECT.to_owned()).or_default(), line);
        }
    }
    // Where only echoes tell of an object, nobody has counted; where calls do, echoes add what they name.
    for (object, echo) in echoed {
        if object == UNNAMED_OBJECT && !exposures.is_empty() {
            continue;
        }
        if let Some(exposure) = exposures.get_mut(&object) {
            exposure.category = exposure.category.max(echo.category);
            exposure.fields.extend(echo.fields);
        } else {
            let uncounted_row_count = echo.row_count;
            exposures.insert(object, ObjectExposure { uncounted_row_count, ..echo });
        }
    }
    trim(&mut exposures);
    exposures
}

fn expose(exposure: &mut ObjectExposure, line: &Line<'_>) {
    exposure.row_count = exposure.row_count.saturating_add(line.succeeded_row_count());
    exposure.record_count = exposure.record_count.saturating_add(line.exposed_record_count());
    exposure.uncounted_row_count =
        exposure.uncounted_row_count.saturating_add(line.exposed_uncounted_row_count());
    if line.counts_records {
        exposure.largest_record_count =
            exposure.largest_record_count.max(line.tally.largest_record_count);
        // The ids of a row that names several objects cannot be told apart.
        if line.objects.len() <= 1 {
            exposure.record_ids.extend(line.tally.record_ids.iter().cloned());
            exposure.record_ids_cut |= line.tally.record_ids_cut;
        }
    }
}

/// Holds exposures to their limits, keeping the smallest: so many ids and fields an object, and so many in all. The
/// judgement of a day, and an incident, each have to fit into one item of a table, however wide the leak.
pub(crate) fn trim(exposures: &mut BTreeMap<String, ObjectExposure>) {
    let ids = fair_share(exposures.values().map(|it| it.record_ids.len()), ALL_RECORD_IDS_MAX);
    let fields = fair_share(exposures.values().map(|it| it.fields.len()), ALL_FIELDS_MAX);
    for exposure in exposures.values_mut() {
        while exposure.record_ids.len() > ids.min(RECORD_IDS_MAX) {
            exposure.record_ids.pop_last();
            exposure.record_ids_cut = true;
        }
        while exposure.fields.len() > fields.min(FIELDS_MAX) {
            exposure.fields.pop_last();
        }
    }
}

/// The largest share that all may have alike, so that together they are within the budget.
fn fair_share(sizes: impl Iterator<Item = usize>, budget: usize) -> usize {
    let mut sizes: Vec<usize> = sizes.collect();
    sizes.sort_unstable();
    let mut left = budget;
    for (index, size) in sizes.iter().enumerate() {
        let sharers = sizes.len().saturating_sub(index);
        let share = left / sharers.max(1);
        if *size > share {
            return share;
        }
        left = left.saturating_sub(*size);
    }
    usize::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_keep_all_they_have_and_the_large_share_the_rest() {
        assert_eq!(fair_share([1, 2, 3].into_iter(), 10), usize::MAX);
        assert_eq!(fair_share([2, 50, 60].into_iter(), 42), 20);
        assert_eq!(fair_share([9, 9].into_iter(), 3), 1);
        assert_eq!(fair_share([].into_iter(), 3), usize::MAX);
    }

    #[test]
    fn a_leak_over_many_objects_stays_within_the_budget() {
        let wide = |objects: usize, ids: usize| -> BTreeMap<String, ObjectExposure> {
            (0..objects)
                .map(|object| {
                    let record_ids = (0..ids).map(|id| format!("003{object:04}{id:08}")).collect();
                    (
                        format!("Object{object}__c"),
                        ObjectExposure { record_ids, ..Default::default() },
                    )
                })
                .collect()
        };
        let mut exposures = wide(50, 9_000);
        trim(&mut exposures);
        let kept: usize = exposures.values().map(|exposure| exposure.record_ids.len()).sum();
        assert!(kept <= ALL_RECORD_IDS_MAX && kept > ALL_RECORD_IDS_MAX / 2, "{kept}");
        assert!(exposures.values().all(|exposure| exposure.record_ids_cut));

        let mut narrow = wide(3, 100);
        trim(&mut narrow);
        assert!(
            narrow
                .values()
                .all(|exposure| exposure.record_ids.len() == 100 && !exposure.record_ids_cut)
        );
    }
}
