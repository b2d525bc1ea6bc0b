//! Trigger times and law to obligations, due instants and reminder instants.
//!
//! The crate answers one question: given what is known of an incident and when it became known, which law
//! asks whom to tell whom, by when, and since which moment. It reads no clock: every instant comes in as an
//! argument, so that the same facts always give the same answer.
//!
//! Three rules hold everywhere:
//!
//! - A duty's clock starts at the moment that its law names. Where that moment is not known the answer is
//!   an obligation without a due instant, never one counted from some other moment.
//! - A fact that is not known and would decide makes the duty [`Standing::Possible`], with the fact named and
//!   the due instant kept in view. It is never a silent no.
//! - Hours are elapsed hours on the UTC line. Daylight saving cannot move them.
//!
//! The law itself is data: `law/regimes.json`, with article, source and version.
//!
//! This computes; it does not give legal advice.

mod facts;
mod law;
mod obligation;
mod reminders;

pub use facts::{Awareness, Facts, TriggerTimes, gdpr_applies_by_establishment};
pub use law::{Law, LawError, Limit, LimitUnit, Regime, TriggerKind};
pub use obligation::{Obligation, Standing, obligations};
pub use reminders::{Reminder, ReminderPolicy, Stage, reminders};
