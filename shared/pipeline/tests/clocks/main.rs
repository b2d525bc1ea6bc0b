//! The clocks of incidents in one process, against ports in memory, with virtual time and a seed.
//!
//! Incidents are open, under one law and then another; new evidence comes; people decide on what they saw a while ago;
//! the configuration changes. Meanwhile the sweep stands still for days, schedules are lost, clocks jump, messages come
//! twice and out of order, calls are refused, and answers are lost. Whatever happens, the checkers ask the same:
//!
//! - every clock that ended while it ran is recorded as overdue as soon as one of the two ways is there to notice it, and
//!   every reminder whose time has come is sent, or withdrawn for a more urgent one of the same clock, or because the clock
//!   runs no more;
//! - either way alone suffices: seeds run with the sweep only, with schedules only, and with both;
//! - after an outage of any length what was missed is sent once;
//! - what is stored is what the timeline leads to, and the chain is whole;
//! - a decision on what has changed since is refused, and the same command twice is carried out once.
//!
//! `CLOCK_SEEDS=10000` runs more seeds; `CLOCK_SEED=17` repeats one.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]

mod simulator;

use simulator::{Ways, simulate};

/// How many seeds the suite runs with both ways, and with either alone, where each step is checked.
const SEEDS: u64 = 200;
const SEEDS_OF_ONE_WAY: u64 = 50;

fn seeds(of_the_suite: u64) -> Vec<u64> {
    let variable = |name| std::env::var(name).ok().map(|value: String| value.parse().unwrap());
    match (variable("CLOCK_SEED"), variable("CLOCK_SEEDS")) {
        (Some(seed), _) => vec![seed],
        (None, count) => (0..count.unwrap_or(of_the_suite)).collect(),
    }
}

fn check(ways: Ways, is_disturbed: bool) {
    let mut overdue = 0;
    let mut published = 0;
    let seeds = seeds(if is_disturbed { SEEDS } else { SEEDS_OF_ONE_WAY });
    for &seed in &seeds {
        let outcome = simulate(seed, ways, is_disturbed);
        assert!(outcome.broken.is_empty(), "CLOCK_SEED={seed}: {:#?}", outcome.broken);
        overdue += outcome.overdue_count;
        published += outcome.published_count;
    }
    if seeds.len() >= 50 {
        assert!(overdue > 50 && published > 500, "too little happened: {overdue}, {published}");
    }
}

#[test]
fn with_both_ways_no_clock_ends_unnoticed_whatever_happens() {
    check(Ways { sweep: true, schedules: true }, true);
}

#[test]
fn the_sweep_alone_suffices() {
    check(Ways { sweep: true, schedules: false }, false);
}

#[test]
fn the_schedules_alone_suffice() {
    check(Ways { sweep: false, schedules: true }, false);
}

#[test]
fn a_seed_repeats_exactly() {
    for seed in 0..3 {
        let run = || simulate(seed, Ways { sweep: true, schedules: true }, true).timelines;
        assert_eq!(run(), run(), "CLOCK_SEED={seed}");
    }
}

#[test]
fn the_checker_notices_when_neither_way_is_there() {
    let nobody = Ways { sweep: false, schedules: false };
    let broken: usize = (0..5).map(|seed| simulate(seed, nobody, false).broken.len()).sum();
    assert!(broken > 0, "nobody watched, and the checker did not object");
}
