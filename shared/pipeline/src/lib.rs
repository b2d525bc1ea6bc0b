//! Each function of the pipeline, as a sequence of calls to ports.
//!
//! The pure crates decide and the ports touch the world; this is what lies between: read, decide, write, in an
//! order that loses nothing when it is cut off anywhere and repeats without harm. The Lambda functions, the local
//! command and the simulation all run exactly these steps.
//!
//! | step | woken by | reads | writes |
//! |---|---|---|---|
//! | [`ingest`] | a landed object | the object, the hour's extracts | extracts, quarantine, tallies, arrivals, what was done to the logs, file register |
//! | [`assess`] | a changed hour | the agent's day, its judged days | the day's judgement, the incident |
//! | [`notify`] | an alert that is owed, or planned; its schedule | incident and alerts | the topic, then the alert as published; a schedule |
//! | [`remind`] | every minute | alerts that want attention | alerts as owed, obligations as overdue |
//! | [`rejudge`] | every minute | what law and configuration the open incidents were judged by | their duties, if that is another one now |
//! | [`decide`] | a person | the incident | what the person decided |
//! | [`attest`] | every day | every incident | the heads of their timelines, then the topic |
//! | [`delivery`] | every minute | an org's arrivals, what was done to its logs | its delivery health, then the topic |
//! | [`catalog`] | a changed configuration file | the configuration files | the configuration in force |

pub mod assess;
pub mod attest;
mod cases;
pub mod catalog;
pub mod decide;
pub mod delivery;
pub mod ingest;
pub mod notify;
mod policy;
pub mod rejudge;
pub mod remind;

pub use policy::policy;

use std::sync::Arc;

use deadlines::LawError;
use ports::{FileRecord, PortError, Ports, StoredConfiguration};
use thiserror::Error;

/// A step did not come to its end. What it had written stays and is harmless; run it again.
#[derive(Debug, Error)]
pub enum PipelineError {
    /// A call to the world failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// There is no configuration in force.
    #[error(
        "no configuration is in force; put the five files of the configuration folder into the configuration \
         bucket"
    )]
    NoConfiguration,
    /// A file could not be read to its end, or is not an event log.
    #[error("s3://{bucket}/{key} {reason}")]
    File {
        /// Bucket.
        bucket: String,
        /// Key.
        key: String,
        /// What is wrong with it.
        reason: String,
        /// What stands in the register of it, unless other parts of it are still to be read.
        read: Option<Box<FileRecord>>,
    },
    /// Something kept changing under our hands.
    #[error("{what} was changed by others {attempts} times while it was decided on")]
    Contended {
        /// What.
        what: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// The law that this version was built with cannot be used.
    #[error(transparent)]
    Law(#[from] LawError),
    /// A task of this process died.
    #[error("a reading task ended early: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl PipelineError {
    /// Whether trying again must fail again, so that it would only hold up others.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Port(error) => {
                matches!(error, PortError::TooLarge { .. } | PortError::Unreadable { .. })
            }
            Self::Law(_) => true,
            Self::NoConfiguration | Self::File { .. } | Self::Contended { .. } | Self::Task(_) => {
                false
            }
        }
    }
}

/// Shorthand for this crate.
pub type Result<T> = std::result::Result<T, PipelineError>;

/// How often a decision is made afresh because the incident changed meanwhile.
const DECISION_ATTEMPTS: u32 = 8;

async fn configuration(ports: &Ports) -> Result<Arc<StoredConfiguration>> {
    ports.catalog.current().await?.ok_or(PipelineError::NoConfiguration)
}
