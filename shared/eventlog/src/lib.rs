//! Salesforce event logs: bytes to access rows to tallies. No AWS, no clock, no judgement.

pub mod attribution;
pub mod event_type;
pub mod row;
pub mod tally;
