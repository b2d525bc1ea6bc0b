//! Delivery health: which hours of which event types have come from an org, how late, and what stays away.
//!
//! A log that does not come looks just like an agent that does nothing. Salesforce makes no file for a type without
//! events, so absence by itself proves nothing; what can be known is whether a type stays away *against its habit*.
//!
//! - An [`Arrival`] says when an hour's log came. It is joined by minimum and maximum, so that the same files in any
//!   order, any number of times, give the same [`Arrivals`].
//! - [`judge`] compares the arrivals with the habit of each type, as of an instant that is handed in.
//! - [`Watch`] turns one judgement after another into alerts: one when a blind spot opens, one when it closes, and one for
//!   each row of Setup Audit Trail that tells of logs being deleted or no longer made.
//!
//! **The habit.** An hour is expected if the same hour of the week came in at least three of the four weeks before it
//! (in both or all, where there are only two or three). The weeks are those before the type was last seen, so a long
//! silence does not wear the habit down.
//!
//! **When an hour is overdue.** Hourly files come 3 to 6 hours after the event and may take longer; daily ones come
//! after a day or more, and files may be created within three days (Salesforce, *Using Event Monitoring*, REST API
//! guide). So an hour is overdue once it is later than 95 % of the type's hours were and [`SLACK_HOURS`] more, but never
//! before [`OVERDUE_HOURS_MIN`] nor after [`OVERDUE_HOURS_MAX`]. Daily delivery needs no setting: its hours are late by
//! habit.
//!
//! **When a type is silent.** A single hour that did not come is counted and shown, and is no alert. A type that comes
//! around the clock is silent after three expected hours, any other one after expected hours on three different days:
//! a night, a weekend or a public holiday is not a blind spot. A type that comes now and then, at no set hours, has no
//! habit and is never silent; neither is one that has been seen for less than [`LEARNING_DAYS`]. Where the
//! configuration says that a type has to come, a week without it is a silence whatever its habit.

mod arrivals;
mod habit;
mod watch;

pub use arrivals::{Arrival, Arrivals, DayArrivals};
pub use habit::{
    Delivery, DeliveryVerdict, HISTORY_DAYS, LEARNING_DAYS, Lateness, MISSING_HOURS_MAX,
    OVERDUE_HOURS_MAX, OVERDUE_HOURS_MIN, OrgDelivery, SLACK_HOURS, judge,
};
pub use watch::{AlertKind, BlindSpot, DeliveryAlert, News, PublishedAlert, Scope, Watch};
