//! The deployed system on this machine: the CDK app and the function binaries on the embedded AWS emulator.
//!
//! A [`LocalStack`] is started with fresh state on a free loopback port, deployed by the real CDK command, and asked
//! through the AWS SDK. Alerts are received by a [`WebhookReceiver`] and as [`Email`]s. Nothing of it outlives the
//! process that started it, however that process ends: see [`Supervised`].

mod adapters;
mod command;
mod emulator;
mod interface;
mod mailbox;
mod runtime_api;
mod stack;
mod supervised;
mod tampering;
mod wait;
mod watch;
mod webhook;

pub use command::Said;
pub use emulator::{Emulator, REGION, repository};
pub use mailbox::Email;
pub use runtime_api::LoneFunction;
pub use stack::{LocalStack, LostTopic, Outputs};
pub use supervised::Supervised;
pub use tampering::Original;
pub use wait::wait_until;
pub use webhook::{Answer, Notification, Received, WebhookReceiver};
