//! Tallies and registry to verdicts, signals, score, severity and subject estimate.
//!
//! In go the tallies of [`eventlog`] (what an agent did, by hour, object, channel and operation) and the
//! [`Configuration`] (what each agent is for, and what the objects hold). Out come two things:
//!
//! - [`DayFindings`](findings::DayFindings), by [`judge_day`]: one agent's UTC day in one org. Every row gets
//!   one of three verdicts. *Compliant*: one purpose covers it. *Violation*: a rule is broken. *Gap*: it cannot
//!   be decided, and [`GapReason`](findings::GapReason) says why; a gap is never silently either of the others.
//! - [`Findings`](findings::Findings), by [`fold`]: the days of an episode together, with score, severity and
//!   the number of persons as an interval.
//!
//! Both are pure functions of sets. The same tallies in any order give the same bytes, a day judged twice
//! changes nothing, and one more row never lowers a weight or the score. There is no clock, no I/O and no
//! configuration beyond what is handed in.
//!
//! [`deadlines`] is here for the words of the configuration only: what a customer declares of law is checked against
//! the law data and kept as [`deadlines::LawSettings`]. The judgement of accesses does not look at it.
//!
//! Nothing here holds personal data: object, field and purpose names, ids and counts only. A name that cannot
//! be an object's is not repeated in any sentence.
//!
//! ## How a score comes about
//!
//! Each broken rule makes one [`Signal`](findings::Signal) a day: a weight in points and one sentence that can
//! be read aloud. The weight comes from the one table in `weights.rs`, by what the records hold, how many
//! there were and what was done. The score is the sum of the weights over the rules, each rule once, cut at
//! 100. From [`INCIDENT_SCORE`] on it is an incident; below, a note. Thus a bulk export of contacts by an
//! agent that may only read them over REST weighs 50 for the operation and 25 for the channel, and the reader
//! of the alert sees both with their reasons. Sandboxes are judged alike; what becomes of it is decided by
//! the incident.
//!
//! The score says how sure we are that something went wrong. How bad that would be is another question, and
//! [`severity`] answers it: category by number of persons, at the upper bound, by the matrix in
//! `data/severity-matrix.json`.
//!
//! [`SCORING_VERSION`] names the table. A change of a weight or a rule changes it, so that a judgement of
//! yesterday stays explainable by the table of yesterday.

pub mod configuration;
pub mod data_map;
pub mod delivery;
mod document;
pub mod findings;
mod fold;
mod judge;
mod problem;
pub mod registry;
mod section;
pub mod severity;
mod weights;
mod words;

pub use configuration::{Configuration, ConfigurationError, ConfigurationFile, ConfigurationFiles};
pub use fold::{SCORE_MAX, fold};
pub use judge::{UNNAMED_OBJECT, judge_day};
pub use weights::SCORING_VERSION;

/// From this score on, findings are an incident.
pub const INCIDENT_SCORE: u32 = 40;
