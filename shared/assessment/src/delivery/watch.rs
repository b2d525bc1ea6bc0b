//! From one judgement to the next: which blind spots opened and closed, what was done to the logs themselves, and which
//! alerts are owed for that.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use eventlog::{
    audit_trail::{TamperingRow, latest},
    event_type::EventType,
    row::Hour,
};
use serde::{Deserialize, Serialize};

use super::OrgDelivery;

/// Published alerts that are remembered.
const PUBLISHED_MAX: usize = 50;

/// What a blind spot covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "scope", content = "event_type", rename_all = "snake_case")]
pub enum Scope {
    /// Everything from an org.
    Org,
    /// One kind of log.
    EventType(EventType),
}

impl Scope {
    /// `org`, or the event type's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Org => "org",
            Self::EventType(event_type) => event_type.name(),
        }
    }
}

/// Something that nobody can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BlindSpot {
    /// What.
    #[serde(flatten)]
    pub scope: Scope,
    /// Its first hour; absent where the logs never came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Hour>,
}

/// What an alert about blind spots says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// Logs stay away.
    Silent,
    /// Logs that stayed away come again.
    Resumed,
}

impl AlertKind {
    /// `silent` or `resumed`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Resumed => "resumed",
        }
    }
}

/// What an alert about delivery is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum News {
    /// What opened, or closed, between two looks at an org.
    BlindSpots {
        /// Which of the two.
        kind: AlertKind,
        /// Of what, in order; never empty.
        blind_spots: Vec<BlindSpot>,
    },
    /// A row of Setup Audit Trail tells of event logs being deleted or no longer made.
    Tampering {
        /// The row.
        tampering: TamperingRow,
    },
}

/// One message owed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryAlert {
    /// Derived from org, first spot, kind and the instant of the look, or from org and row; every delivery of it has the
    /// same.
    pub alert_id: String,
    /// What it says.
    #[serde(flatten)]
    pub news: News,
    /// Since when it is owed.
    pub owed_since: DateTime<Utc>,
}

/// An alert that the topic took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedAlert {
    /// Which.
    pub alert_id: String,
    /// When.
    pub at: DateTime<Utc>,
    /// The topic's receipt.
    pub message_id: String,
}

/// What is remembered of an org's blind spots, and of what was done to its logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// When the org was first looked at.
    pub watched_since: DateTime<Utc>,
    /// The blind spots that are open, with the hours in which they began.
    pub open: Vec<BlindSpot>,
    /// The last rows of Setup Audit Trail that tell of the logs themselves, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tampering: Vec<TamperingRow>,
    /// Alerts that have not gone out, the oldest first.
    pub owed: Vec<DeliveryAlert>,
    /// The last alerts that went out, the oldest first.
    pub published: Vec<PublishedAlert>,
}

impl Watch {
    /// Nothing is known yet.
    pub fn begun(now: DateTime<Utc>) -> Self {
        Self {
            watched_since: now,
            open: Vec::new(),
            tampering: Vec::new(),
            owed: Vec::new(),
            published: Vec::new(),
        }
    }

    /// What is remembered after `delivery`. What opened since the last look is one alert however much it is, and what
    /// closed is one; where neither did, nothing is owed. `tells` is false for an org of which nobody is to be told.
    ///
    /// A spot keeps the hour that it opened with for as long as it is open, though a few late hours come in meanwhile.
    #[must_use]
    pub fn after(&self, org_id: &str, delivery: &OrgDelivery, tells: bool) -> Self {
        let before: BTreeMap<Scope, BlindSpot> =
            self.open.iter().map(|spot| (spot.scope, *spot)).collect();
        let now: BTreeMap<Scope, BlindSpot> =
            delivery.blind_spots().into_iter().map(|spot| (spot.scope, spot)).collect();
        let of = |scope: &Scope| match scope {
            Scope::Org => Some(&delivery.any_type),
            Scope::EventType(event_type) => delivery.types.get(event_type),
        };
        // What cannot be judged any more, as its last hour was too long ago, has not come back with that.
        let has_come_back = |spot: &BlindSpot| {
            let last_hour = of(&spot.scope).and_then(|delivery| delivery.last_hour);
            last_hour.is_some_and(|last| spot.since.is_none_or(|since| last >= since))
        };
        // What never came, and does not have to any more, is no blind spot, and nothing that came again.
        let is_given_up = |spot: &BlindSpot| spot.since.is_none() && of(&spot.scope).is_none();
        let before = before.values().filter(|spot| !is_given_up(spot));
        let (staying, closed): (Vec<BlindSpot>, Vec<BlindSpot>) =
            before.partition(|spot| now.contains_key(&spot.scope) || !has_come_back(spot));
        let is_new = |spot: &&BlindSpot| !self.open.iter().any(|open| open.scope == spot.scope);
        let opened: Vec<BlindSpot> = now.values().filter(is_new).copied().collect();

        let mut next = self.clone();
        if tells {
            for (kind, spots) in [(AlertKind::Resumed, &closed), (AlertKind::Silent, &opened)] {
                next.owed.extend(alert(org_id, kind, spots, delivery.as_of));
            }
        }
        next.open = staying;
        next.open.extend(opened);
        next.open.sort_unstable();
        next
    }

    /// What is remembered once these rows of the org's Setup Audit Trail are known. Each that was not known is an alert of
    /// its own, whose id is made of the row: however often it lands, it is owed once. `tells` as above.
    #[must_use]
    pub fn after_tampering(
        &self,
        rows: impl IntoIterator<Item = TamperingRow>,
        now: DateTime<Utc>,
        tells: bool,
    ) -> Self {
        let mut next = self.clone();
        next.tampering = latest(self.tampering.iter().cloned().chain(rows));
        if tells {
            let known: BTreeSet<&str> =
                self.tampering.iter().map(|row| row.row_hash.as_str()).collect();
            let is_new = |row: &&TamperingRow| !known.contains(row.row_hash.as_str());
            next.owed.extend(next.tampering.iter().filter(is_new).map(|row| DeliveryAlert {
                alert_id: format!("{}.log-tampering.{}", row.org_id, row.row_hash),
                news: News::Tampering { tampering: row.clone() },
                owed_since: now,
            }));
        }
        next
    }

    /// What is remembered once the topic has taken an alert.
    #[must_use]
    pub fn after_publishing(&self, published: PublishedAlert) -> Self {
        let mut next = self.clone();
        next.owed.retain(|alert| alert.alert_id != published.alert_id);
        next.published.push(published);
        let surplus = next.published.len().saturating_sub(PUBLISHED_MAX);
        next.published.drain(..surplus);
        next
    }
}

fn alert(
    org_id: &str,
    kind: AlertKind,
    spots: &[BlindSpot],
    now: DateTime<Utc>,
) -> Option<DeliveryAlert> {
    let first = spots.first()?;
    // A spot may close and open again with the same hour; the instant tells the two apart.
    let looked_at = now.format("%Y-%m-%dT%H%M%S");
    let alert_id = format!("{org_id}.{}.{}.{looked_at}", first.scope.name(), kind.name());
    let news = News::BlindSpots { kind, blind_spots: spots.to_vec() };
    Some(DeliveryAlert { alert_id, news, owed_since: now })
}
