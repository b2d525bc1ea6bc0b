//! The incident: what was found, which duties follow, what happened to it, and which alerts are owed.
//!
//! An incident is what its events lead to, and nothing else. Every decision takes a [`Case`], the incident and its
//! messages as they stand, and answers with a [`Change`]: the incident as it will stand, the timeline entries that say
//! why, and the alerts that are new or have moved. Nothing is written here. Whoever writes a change does so whole, on
//! the condition that the incident still has the version that the change was decided on, and decides afresh where it has
//! not; so two writers can never overwrite each other.
//!
//! What is *found* converges: it is a pure function of the judged days, whatever their order. The *timeline* does not:
//! it tells when each thing became known, is only ever appended to, and each entry carries the hash of the one before.
//! [`Case::replay`] makes the case out of the timeline alone, so that an incident or an alert that was changed in the table
//! without an entry is found by [`audit`].
//!
//! Until a person decides, awareness in the sense of GDPR Art. 33(1) is assumed at the moment of detection, and every
//! clock says that it is assumed. An organisation may have known earlier, by other means; the messages say so.
//!
//! # The life of an incident
//!
//! ```text
//! suspected ──▶ confirmed ──▶ contained ──▶ notified ──▶ closed
//!     │             │             │             │           │
//!     └─────────────┴─────────────┴─────────────┴──▶ dismissed │   new evidence, or a person, reopens
//! ```
//!
//! | status | how it comes about |
//! |---|---|
//! | suspected | the judgement of the logs says incident |
//! | confirmed | a person confirms it, sets the moment of awareness, or assesses the risk |
//! | contained | a measure is recorded |
//! | notified | something was sent, and no clock runs |
//! | closed | a person says so; refused while a clock runs or a late notification has no reasons |
//! | dismissed | a person says that it is no personal data breach, with the reason |
//! | merged | it is part of another incident, where its clocks go on |

mod alert;
mod audit;
mod case;
mod change;
mod clock;
mod command;
mod draft;
mod event;
mod incident;
mod incident_id;
mod judge;
mod life;
mod timeline;

pub use alert::{Alert, AlertState};
pub use audit::{Flaw, audit};
pub use case::Case;
pub use change::Change;
pub use clock::{Clock, ClockKind};
pub use command::{Action, Command, Outcome, Refusal};
pub use draft::{Deciding, Policy};
pub use event::{Event, Part, PlannedAlert};
pub use incident::{
    Ending, Incident, NotNotified, Notification, Phase, RiskLevel, Statement, Status,
};
pub use incident_id::IncidentId;
pub use life::Opening;
pub use timeline::{CommandMark, TimelineEntry, TimelineHead};
