//! The life of an incident as its callers see it: opened, extended, swept, published, decided on, merged and split,
//! audited.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests may")]

mod audit;
mod behaviour;
mod bounds;
mod decisions;
mod joining;
mod model;
mod properties;
mod refusals;
mod support;
