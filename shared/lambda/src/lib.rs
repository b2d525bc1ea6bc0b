//! What every function does at start and around every batch, so that a function itself is only its own few lines.
//!
//! - [`environment`]: each variable is read once, and a missing one is named.
//! - [`logging`]: one JSON object a line, without time (CloudWatch adds it).
//! - [`metrics`]: the embedded metric format, one line a metric.
//! - [`world`]: the ports of AWS, each made from the variables that it needs.
//! - [`landed`]: which objects an SQS message speaks of, in every shape in which S3 tells of them.
//! - [`queue`]: when a failed message comes again.
//! - [`changes`]: what changed, out of a batch of a DynamoDB stream.

pub mod changes;
pub mod environment;
pub mod landed;
pub mod logging;
pub mod metrics;
pub mod queue;
pub mod world;
