//! The incident: what was found, which duties follow, what happened to it, and which alerts are owed.
//!
//! Every function here takes an incident as it stands and answers with a [`Change`]: the incident as it
//! will stand, the timeline entries that say why, and the alerts that are new or have moved. Nothing is
//! written here. Whoever writes a change does so whole, on the condition that the incident still has the
//! version that the change was decided on, and decides afresh where it has not; so two writers can never
//! overwrite each other.
//!
//! What is *found* converges: it is a pure function of the judged days, whatever their order. The
//! *timeline* does not: it tells when each thing became known, is only ever appended to, and each entry
//! carries the hash of the one before.
//!
//! Until a person decides, awareness in the sense of GDPR Art. 33(1) is assumed at the moment of detection, and
//! every clock says that it is assumed. An organisation may have known earlier, by other means; the messages say so.

mod alert;
mod change;
mod incident_id;
mod life;
mod timeline;

pub use alert::{Alert, AlertState};
pub use change::Change;
pub use incident_id::IncidentId;
pub use life::{Incident, Policy, Status};
pub use timeline::{TimelineEntry, TimelineHead, TimelineKind, verify};
