//! Tallies and registry to verdicts, signals, score, severity and subject estimate.

pub mod configuration;
pub mod data_map;
mod document;
pub mod findings;
mod problem;
pub mod registry;
mod section;
pub mod severity;
mod words;

/// From this score on, findings are an incident.
pub const INCIDENT_SCORE: u32 = 40;
