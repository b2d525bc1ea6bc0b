//! Trigger times and law to obligations, due instants and reminder instants.
//!
//! The crate answers one question: given what is known of an incident and when it became known, which law
//! asks whom to tell whom, by when, and since which moment. It reads no clock: every instant comes in as an
//! argument, so that the same facts always give the same answer.
//!
//! Six rules hold everywhere:
//!
//! - A duty's clock starts at the moment that its law names. Where that moment is not known the answer is
//!   an obligation without a due instant, never one counted from some other moment.
//! - One law's message never starts another law's clock: a clock that starts at a sending starts at that of the
//!   regimes which it names ([`Regime::follows`], [`obligations_after`]).
//! - A fact that is not known and would decide makes the duty [`Standing::Possible`], with the fact named and
//!   the due instant kept in view. It is never a silent no.
//! - Hours are elapsed hours on the UTC line. Daylight saving cannot move them. Days, months and working days
//!   are counted on the calendar of a named zone.
//! - Where law or facts leave two readings, the earliest end that can be defended is due, and the latest stands
//!   beside it.
//! - A duty without a number has an internal target, which is never the law's limit.
//!
//! The law itself is data, in `law/`: regimes with article, source and version, rules of counting, holidays,
//! authorities. A customer adds duties of its own as [`OwnDuty`].
//!
//! This computes; it does not give legal advice.

mod asked;
mod calendar;
mod condition;
mod counting;
mod duty;
mod facts;
mod law;
mod obligation;
mod page;
mod places;
mod reminders;
mod settings;
mod target;
mod trigger;

pub use asked::{AskedFact, FactForm};
pub use calendar::{Closure, Holidays, MonthDay, Weekend};
pub use condition::{Answer, Condition, Ground};
pub use counting::{CountingRule, CountingRules, Method};
pub use duty::OwnDuty;
pub use facts::{Awareness, Facts, Sent, TriggerTimes, gdpr_applies_by_establishment};
pub use law::{
    AuthorityOf, BitesFrom, Law, LawError, Limit, LimitUnit, Place, Regime, SecondLimit, Status,
};
pub use obligation::{
    LocalDue, Obligation, Organisation, Standing, obligations, obligations_after,
};
pub use page::law_page;
pub use places::{Authority, Places, country_of};
pub use reminders::{Reminder, ReminderPlan, ReminderPolicy, Stage, reminders};
pub use settings::LawSettings;
pub use target::{InternalTarget, InternalTargets, TargetBasis};
pub use trigger::TriggerKind;
