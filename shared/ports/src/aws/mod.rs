//! The adapters for AWS. Each holds one client and the name of one thing, and maps every error of the SDK to
//! [`PortError`] with the service's own words; no request or response body goes into an error.

mod access;
mod catalog;
mod incidents;
mod item;
mod objects;
mod publisher;

pub use access::DynamoAccess;
pub use catalog::DynamoCatalog;
pub use incidents::DynamoIncidents;
pub use objects::S3Objects;
pub use publisher::SnsPublisher;

use aws_smithy_types::error::display::DisplayErrorContext;

use crate::PortError;

fn unavailable(call: &'static str, error: impl std::error::Error) -> PortError {
    PortError::Unavailable { call, reason: DisplayErrorContext(error).to_string() }
}
