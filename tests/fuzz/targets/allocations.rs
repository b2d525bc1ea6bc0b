//! How much memory something takes: of this thread alone, so that tests may run side by side.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What was allocated, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allocations {
    /// Most at a time.
    pub(crate) peak_bytes: u64,
    /// All together, whether it was given back or not.
    pub(crate) total_bytes: u64,
}

/// Does something, and says what it allocated.
pub(crate) fn measured<T>(act: impl FnOnce() -> T) -> (T, Allocations) {
    let mut outcome = None;
    // A panic must not leave the counter's stack deeper than it was: a failing input is tried again, smaller.
    let info = allocation_counter::measure(|| {
        outcome = Some(catch_unwind(AssertUnwindSafe(act)));
    });
    match outcome.unwrap() {
        Ok(value) => {
            let (peak_bytes, total_bytes) = (info.bytes_max, info.bytes_total);
            (value, Allocations { peak_bytes, total_bytes })
        }
        Err(panic) => resume_unwind(panic),
    }
}

/// Does something that is no part of what is measured. What it allocates must be given back where this counts.
pub(crate) fn uncounted(act: impl FnOnce()) {
    allocation_counter::opt_out(act);
}
