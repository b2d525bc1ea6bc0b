//! Logs: what happened, in counts, names and ids. Never a query text, a field value, a user name or an address.

use tracing_subscriber::{
    Layer, filter::Targets, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

/// Logs to standard output as JSON, at the levels of `RUST_LOG` (as `info` or `info,pipeline=debug`), `info` where it
/// is not set or cannot be read.
pub fn start() {
    let levels = std::env::var("RUST_LOG").ok().and_then(|levels| levels.parse::<Targets>().ok());
    let levels = levels.unwrap_or_else(|| Targets::new().with_default(tracing::Level::INFO));
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .without_time()
        .with_target(false)
        .with_filter(levels);
    // A second call, as tests make, keeps the first subscriber.
    let _ = tracing_subscriber::registry().with(lines).try_init();
}
