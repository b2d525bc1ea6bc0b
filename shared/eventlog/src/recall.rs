//! What a row has in common with the rows before it, kept so that it is worked out once.
//!
//! Nearly all rows of a file are of one type, org and hour, and come from callers that came before. What is
//! recalled is compared with the bytes of the row itself, so that recalling changes nothing but the time it takes.

use std::{
    hash::{BuildHasher as _, Hasher as _},
    ops::RangeInclusive,
    rc::Rc,
};

use chrono::{DateTime, TimeDelta, Utc};
use hashbrown::HashTable;

use crate::{columns::Columns, event_type::EventType, objects::id_15, records::Record, timestamp};

/// Most callers, and most sets of keys, that are recalled at a time; a file of more is read as well, only slower.
const MAX_KNOWN: usize = 131_072;

/// Most bytes of all texts together by which callers, or sets of keys, are recalled.
const MAX_KEY_BYTES: usize = 12 << 20;

/// Longest text by which anything is recalled.
const MAX_KNOWN_BYTES: usize = 1_024;

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

/// What rows of one type, org and caller come to.
#[derive(Clone, Debug)]
pub(crate) struct KnownCaller {
    pub(crate) event_type: EventType,
    pub(crate) org_id: Rc<str>,
    pub(crate) person: Person,
}

/// A moment, as milliseconds from the start of its hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) hour_start: DateTime<Utc>,
    pub(crate) milliseconds: u32,
}

impl Moment {
    pub(crate) fn at(self) -> DateTime<Utc> {
        let milliseconds = TimeDelta::milliseconds(i64::from(self.milliseconds));
        self.hour_start.checked_add_signed(milliseconds).unwrap_or(self.hour_start)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Recall {
    event_type: Option<(Vec<u8>, EventType)>,
    org: Option<(Vec<u8>, Rc<str>)>,
    hour: Option<([u8; HOUR_CHARACTERS], DateTime<Utc>)>,
    /// By type, org and the columns that say who acted.
    pub(crate) callers: ByColumns<KnownCaller>,
    /// By type, org and the columns that calls are joined by: whether there is anything in them, and nobody knew it.
    pub(crate) unclaimed: ByColumns<bool>,
}

impl Recall {
    /// Forgets what was told by where the columns stood, and recalls by these.
    pub(crate) fn bind(&mut self, columns: &Columns) {
        let common = [columns.event_type, columns.organization_id];
        self.callers.bind(common.into_iter().chain(columns.of_callers()));
        self.unclaimed.bind(common.into_iter().chain(columns.of_joins()));
    }

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

    /// The org id of that text, cut to 15 characters; `None` where it is no id.
    pub(crate) fn org_id(&mut self, text: &[u8]) -> Option<Rc<str>> {
        if self.org.as_ref().is_none_or(|(known, _)| known != text) {
            let org_id = std::str::from_utf8(text).ok().and_then(id_15)?;
            self.org = Some((text.to_vec(), org_id.into()));
        }
        self.org.as_ref().map(|(_, org_id)| Rc::clone(org_id))
    }

    /// The moment that `TIMESTAMP_DERIVED` tells, if it is in the hour of the last one.
    pub(crate) fn moment_in_hour(&self, text: &[u8]) -> Option<Moment> {
        let (hour, rest) = text.split_first_chunk::<HOUR_CHARACTERS>()?;
        let (known, hour_start) = self.hour.as_ref()?;
        if hour != known {
            return None;
        }
        Some(Moment { hour_start: *hour_start, milliseconds: within_hour(rest)? })
    }

    /// The moment that `TIMESTAMP_DERIVED` tells.
    pub(crate) fn moment(&mut self, text: &[u8]) -> Option<DateTime<Utc>> {
        if let Some(moment) = self.moment_in_hour(text) {
            return Some(moment.at());
        }
        let at = std::str::from_utf8(text).ok().and_then(timestamp::parse_derived)?;
        if let Some((hour, rest)) = text.split_first_chunk::<HOUR_CHARACTERS>()
            && let Some(milliseconds) = within_hour(rest)
        {
            self.hour = at
                .checked_sub_signed(TimeDelta::milliseconds(i64::from(milliseconds)))
                .map(|start| (*hour, start));
        }
        Some(at)
    }
}

/// Something known by the bytes of some columns as they stand in the row, quotes and separators and all: rows of
/// equal bytes have equal values, and unequal bytes only cost time.
#[derive(Debug)]
pub(crate) struct ByColumns<T> {
    /// Columns that stand side by side are compared in one piece.
    runs: Vec<RangeInclusive<usize>>,
    known: HashTable<Known<T>>,
    /// The bytes of each run, with its length in front, of all that is known.
    keys: Vec<u8>,
    state: foldhash::fast::RandomState,
}

#[derive(Debug)]
struct Known<T> {
    hash: u64,
    /// Where its key begins.
    key: usize,
    value: T,
}

impl<T> Default for ByColumns<T> {
    fn default() -> Self {
        let state = foldhash::fast::RandomState::default();
        Self { runs: Vec::new(), known: HashTable::new(), keys: Vec::new(), state }
    }
}

impl<T> ByColumns<T> {
    fn forget(&mut self) {
        self.known.clear();
        self.keys.clear();
    }

    fn bind(&mut self, columns: impl Iterator<Item = Option<usize>>) {
        let mut positions: Vec<usize> = columns.flatten().collect();
        positions.sort_unstable();
        self.forget();
        self.runs.clear();
        for position in positions {
            match self.runs.last_mut() {
                Some(run) if position <= run.end().saturating_add(1) => {
                    *run = *run.start()..=position;
                }
                _ => self.runs.push(position..=position),
            }
        }
    }

    /// `None` where there is nothing to tell rows apart by.
    fn hash(&self, record: &Record<'_>) -> Option<u64> {
        if self.runs.is_empty() {
            return None;
        }
        let mut hasher = self.state.build_hasher();
        for run in &self.runs {
            hasher.write(record.as_it_stands(run)?);
        }
        Some(hasher.finish())
    }

    /// What is known of rows like this.
    pub(crate) fn get(&self, record: &Record<'_>) -> Option<&T> {
        let hash = self.hash(record)?;
        let known = self.known.find(hash, |known| {
            let mut rest = self.keys.get(known.key..).unwrap_or_default();
            self.runs.iter().all(|run| {
                let bytes = record.as_it_stands(run).unwrap_or_default();
                let Some((length, behind)) = rest.split_first_chunk() else { return false };
                let Some((key, behind)) = behind.split_at_checked(bytes.len()) else {
                    return false;
                };
                rest = behind;
                *length == length_of(bytes) && key == bytes
            })
        });
        known.map(|known| &known.value)
    }

    /// Makes known what rows like this come to.
    pub(crate) fn insert(&mut self, record: &Record<'_>, value: T) {
        let Some(hash) = self.hash(record) else { return };
        if self.get(record).is_some() {
            return;
        }
        let runs = || self.runs.iter().filter_map(|run| record.as_it_stands(run));
        let length: usize = runs().map(|bytes| bytes.len().saturating_add(4)).sum();
        if length > MAX_KNOWN_BYTES {
            return;
        }
        if self.known.len() >= MAX_KNOWN || self.keys.len().saturating_add(length) > MAX_KEY_BYTES {
            self.forget();
        }
        let key = self.keys.len();
        for bytes in self.runs.iter().filter_map(|run| record.as_it_stands(run)) {
            self.keys.extend_from_slice(&length_of(bytes));
            self.keys.extend_from_slice(bytes);
        }
        let known = Known { hash, key, value };
        self.known.insert_unique(hash, known, |known| known.hash);
    }
}

fn length_of(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes()
}

/// Milliseconds of `mm:ss.fffZ`; `None` for any other form, and for a leap second.
fn within_hour(rest: &[u8]) -> Option<u32> {
    let [m1, m2, b':', s1, s2, b'.', f1, f2, f3, b'Z'] = rest else { return None };
    let digits = [m1, m2, s1, s2, f1, f2, f3].map(|byte| byte.wrapping_sub(b'0'));
    let [m1, m2, s1, s2, f1, f2, f3] = digits;
    if digits.iter().any(|digit| *digit > 9) || m1 > 5 || s1 > 5 {
        return None;
    }
    let two = |tens: u8, ones: u8| u32::from(tens) * 10 + u32::from(ones);
    Some(two(m1, m2) * 60_000 + two(s1, s2) * 1_000 + u32::from(f1) * 100 + two(f2, f3))
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
