//! Which incidents a list holds, and in which order.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use incident::{Incident, IncidentId};

/// Which incidents to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that ask something of somebody.
    Open,
    /// Every one.
    All,
}

/// Where an incident stands in lists: by its opening, and where two were opened at once by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// When it was opened, which is when it was detected. One without that moment stands before all others, where it
    /// is seen.
    pub(crate) opened_at: DateTime<Utc>,
    pub(crate) incident_id: IncidentId,
}

impl Place {
    pub(crate) fn of(incident: &Incident) -> Self {
        let opened_at = incident.times.detected.unwrap_or(DateTime::UNIX_EPOCH);
        Self { opened_at, incident_id: incident.incident_id.clone() }
    }
}

/// Whether an incident is listed among the done ones.
pub(crate) const fn is_listed_done(incident: &Incident) -> bool {
    incident.status.is_done()
}

/// Incidents in the order of lists, the open ones apart from the done ones.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    open: BTreeSet<Place>,
    done: BTreeSet<Place>,
}

impl Listing {
    /// Puts an incident where it stands now, and takes it from where it stood before.
    pub(crate) fn put(&mut self, before: Option<Place>, now: Place, is_done: bool) {
        if let Some(before) = before {
            self.open.remove(&before);
            self.done.remove(&before);
        }
        if is_done { &mut self.done } else { &mut self.open }.insert(now);
    }

    /// Those that are asked for, in order.
    pub(crate) fn list(&self, which: Which) -> Vec<IncidentId> {
        let names = |places: &BTreeSet<Place>| {
            places.iter().map(|place| place.incident_id.clone()).collect()
        };
        match which {
            Which::Open => names(&self.open),
            Which::All => names(&self.open.union(&self.done).cloned().collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(id: &str, minute: i64) -> Place {
        let opened_at = DateTime::from_timestamp(minute * 60, 0).unwrap();
        Place { opened_at, incident_id: IncidentId(id.to_owned()) }
    }

    fn listed(listing: &Listing, which: Which) -> String {
        listing.list(which).into_iter().map(|id| id.0).collect()
    }

    #[test]
    fn an_incident_is_listed_once_and_moves_as_it_is_done_and_reopened() {
        let mut listing = Listing::default();
        for (id, minute) in [("c", 2), ("b", 3), ("a", 1)] {
            listing.put(None, place(id, minute), false);
        }
        assert_eq!(listed(&listing, Which::Open), "acb");
        listing.put(Some(place("c", 2)), place("c", 2), true);
        assert_eq!(listed(&listing, Which::Open), "ab");
        assert_eq!(listed(&listing, Which::All), "acb");
        listing.put(Some(place("c", 2)), place("c", 4), false);
        assert_eq!(listed(&listing, Which::Open), "abc");
        assert_eq!(listed(&listing, Which::All), "abc");
    }
}
