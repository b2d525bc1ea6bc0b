//! Logs: what happened, in counts, names and ids. Never a query text, a field value, a user name or an address.

use tracing_subscriber::EnvFilter;

/// Logs to standard output as JSON, at the level of `RUST_LOG`, `info` where it is not set.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // A second call, as tests make, keeps the first subscriber.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .without_time()
        .with_target(false)
        .with_env_filter(filter)
        .try_init();
}
