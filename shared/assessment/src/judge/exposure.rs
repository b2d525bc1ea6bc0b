//! What the lines in violation exposed, by object.

use std::collections::BTreeMap;

use super::{FIELDS_MAX, RECORD_IDS_MAX, UNNAMED_OBJECT, line::Line};
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
    for exposure in exposures.values_mut() {
        trim(exposure);
    }
    exposures
}

fn expose(exposure: &mut ObjectExposure, line: &Line<'_>) {
    exposure.row_count = exposure.row_count.saturating_add(line.succeeded_row_count());
    exposure.record_count = exposure.record_count.saturating_add(line.record_count());
    exposure.uncounted_row_count =
        exposure.uncounted_row_count.saturating_add(line.uncounted_row_count());
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

/// Holds an exposure to its limits, keeping the smallest.
pub(crate) fn trim(exposure: &mut ObjectExposure) {
    while exposure.record_ids.len() > RECORD_IDS_MAX {
        exposure.record_ids.pop_last();
        exposure.record_ids_cut = true;
    }
    while exposure.fields.len() > FIELDS_MAX {
        exposure.fields.pop_last();
    }
}
