//! The adapters for AWS. Each holds one client and the name of one thing, and maps every error of the SDK to
//! [`PortError`] with the service's own words; no request or response body goes into an error.

mod access;
mod catalog;
mod incidents;
mod item;
mod joins;
mod objects;
mod publisher;
mod schedules;
mod table;

pub use access::DynamoAccess;
pub use catalog::DynamoCatalog;
pub use incidents::DynamoIncidents;
pub use joins::DynamoJoins;
pub use objects::S3Objects;
pub use publisher::SnsPublisher;
pub use schedules::{EventBridgeSchedules, ScheduleTarget};

use crate::PortError;

/// Says what the service said, cause by cause. Never the debug form of an SDK error: that one holds the response,
/// and a response may hold what must not be logged.
fn unavailable(call: &'static str, error: impl std::error::Error) -> PortError {
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        reason.push_str(": ");
        reason.push_str(&error.to_string());
        cause = error.source();
    }
    PortError::Unavailable { call, reason }
}
