//! What a row has in common with the rows before it, kept so that it is worked out once.
//!
//! Nearly all rows of a file are of one type, org and hour, and come from callers that came before. What is
//! recalled is compared with the bytes of the row itself, so that recalling changes nothing but the time it takes.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{event_type::EventType, normalise::Fields, objects::id_15, timestamp};

/// Most callers that are recalled at a time; a file of more is read as well, only slower.
const MAX_CALLERS: usize = 4_096;

/// Longest text of a caller that is recalled.
const MAX_CALLER_BYTES: usize = 1_024;

/// `2026-11-24T09:`
const HOUR_CHARACTERS: usize = 14;

/// A caller that says nothing of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Person {
    /// Whatever else its rows say.
    Surely,
    /// Unless a row is joined to one that says more.
    UnlessJoined,
}

#[derive(Debug, Default)]
pub(crate) struct Recall {
    event_type: Option<(Vec<u8>, EventType)>,
    org: Option<(Vec<u8>, String)>,
    hour: Option<([u8; HOUR_CHARACTERS], DateTime<Utc>)>,
    people: HashMap<Vec<u8>, Person, foldhash::fast::RandomState>,
    caller: Vec<u8>,
    unclaimed: HashSet<Vec<u8>, foldhash::fast::RandomState>,
    sought: Vec<u8>,
}

impl Recall {
    /// The type of that name.
    pub(crate) fn event_type(&mut self, name: &[u8]) -> Option<EventType> {
        match &self.event_type {
            Some((known, event_type)) if known == name => Some(*event_type),
            _ => {
                let event_type = std::str::from_utf8(name).ok().and_then(EventType::from_name)?;
                self.event_type = Some((name.to_vec(), event_type));
                Some(event_type)
            }
        }
    }

    /// Whether the last row had this type.
    pub(crate) fn is_last_event_type(&self, name: &[u8]) -> bool {
        self.event_type.as_ref().is_some_and(|(known, _)| known == name)
    }

    /// The org id of that text, cut to 15 characters; `None` where it is no id.
    pub(crate) fn org_id(&mut self, text: &[u8]) -> Option<&str> {
        if self.org.as_ref().is_none_or(|(known, _)| known != text) {
            let org_id = std::str::from_utf8(text).ok().and_then(id_15)?;
            self.org = Some((text.to_vec(), org_id));
        }
        self.org.as_ref().map(|(_, org_id)| org_id.as_str())
    }

    /// The moment that `TIMESTAMP_DERIVED` tells.
    pub(crate) fn moment(&mut self, text: &[u8]) -> Option<DateTime<Utc>> {
        let parts = text.split_first_chunk::<HOUR_CHARACTERS>();
        if let (Some((hour, rest)), Some((known, start))) = (parts, &self.hour)
            && hour == known
            && let Some(milliseconds) = within_hour(rest)
        {
            return start.checked_add_signed(TimeDelta::milliseconds(milliseconds));
        }
        let at = std::str::from_utf8(text).ok().and_then(timestamp::parse_derived)?;
        if let Some((hour, rest)) = parts
            && let Some(milliseconds) = within_hour(rest)
        {
            self.hour = at
                .checked_sub_signed(TimeDelta::milliseconds(milliseconds))
                .map(|start| (*hour, start));
        }
        Some(at)
    }

    /// Whether this caller, known by the same columns, was found to be no agent. Notes the caller for
    /// [`Recall::is_a_person`].
    pub(crate) fn person(&mut self, event_type: EventType, fields: &Fields<'_>) -> Option<Person> {
        spell(&mut self.caller, event_type, fields, &fields.caller_columns());
        self.people.get(self.caller.as_slice()).copied()
    }

    /// Whether nobody knew a row with the same keys. Notes the keys for [`Recall::is_unclaimed`].
    pub(crate) fn knows_as_unclaimed(
        &mut self,
        event_type: EventType,
        fields: &Fields<'_>,
    ) -> bool {
        spell(&mut self.sought, event_type, fields, &fields.join_columns());
        self.unclaimed.contains(self.sought.as_slice())
    }

    /// Nobody knows the row that was last asked for.
    pub(crate) fn is_unclaimed(&mut self) {
        if self.sought.len() > MAX_CALLER_BYTES {
            return;
        }
        if self.unclaimed.len() >= MAX_CALLERS {
            self.unclaimed.clear();
        }
        self.unclaimed.insert(self.sought.clone());
    }

    /// The caller that was last asked for is no agent.
    pub(crate) fn is_a_person(&mut self, person: Person) {
        if self.caller.len() > MAX_CALLER_BYTES {
            return;
        }
        if self.people.len() >= MAX_CALLERS {
            self.people.clear();
        }
        self.people.insert(self.caller.clone(), person);
    }
}

/// The type and some columns as bytes that no other row has.
fn spell(
    into: &mut Vec<u8>,
    event_type: EventType,
    fields: &Fields<'_>,
    columns: &[Option<usize>],
) {
    into.clear();
    into.extend_from_slice(event_type.name().as_bytes());
    // Absent columns count as empty ones: a header in the middle of the file may have others.
    for column in columns {
        let value = fields.column(*column);
        into.extend_from_slice(&value.len().to_le_bytes());
        into.extend_from_slice(&value);
    }
}

/// Milliseconds of `mm:ss.fffZ`; `None` for any other form, and for a leap second.
fn within_hour(rest: &[u8]) -> Option<i64> {
    let [m1, m2, b':', s1, s2, b'.', f1, f2, f3, b'Z'] = rest else { return None };
    let digits = [m1, m2, s1, s2, f1, f2, f3].map(|byte| byte.wrapping_sub(b'0'));
    let [m1, m2, s1, s2, f1, f2, f3] = digits;
    if digits.iter().any(|digit| *digit > 9) || m1 > 5 || s1 > 5 {
        return None;
    }
    let two = |tens: u8, ones: u8| i64::from(tens) * 10 + i64::from(ones);
    Some(two(m1, m2) * 60_000 + two(s1, s2) * 1_000 + i64::from(f1) * 100 + two(f2, f3))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn recalled_moments_are_those_that_are_parsed(
            texts in prop::collection::vec(
                (
                    prop::sample::select(vec!["2026-11-24T09:", "2026-11-24T10:", "2026-13-24T10:", "2026-11-24 09:"]),
                    0_u32..62, 0_u32..62, 0_u32..1000,
                    prop::sample::select(vec!["Z", "", "+0000", "+05:30", "z", "5Z"]),
                ),
                1..20,
            )
        ) {
            let mut recall = Recall::default();
            for (hour, minute, second, fraction, zone) in texts {
                let text = format!("{hour}{minute:02}:{second:02}.{fraction:03}{zone}");
                prop_assert_eq!(recall.moment(text.as_bytes()), timestamp::parse_derived(&text), "{}", text);
            }
        }
    }
}
