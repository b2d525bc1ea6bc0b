//! Tallies and registry to verdicts, signals, score, severity and subject estimate.

pub mod findings;

/// From this score on, findings are an incident.
pub const INCIDENT_SCORE: u32 = 40;
