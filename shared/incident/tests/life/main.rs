//! The life of an incident as its callers see it: opened, extended, swept, published.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests may")]

mod behaviour;
mod model;
mod support;
