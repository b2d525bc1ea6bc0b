//! The whole pipeline in one process, against ports in memory, with virtual time and a seed.
//!
//! A story (a few log files, then three and a half days) is run once undisturbed, and then again and again with
//! messages duplicated, reordered, delayed, dropped and delivered again, several worked on at once with their calls
//! interleaved, calls refused, and calls that take effect but whose answer is lost. Whatever happens, the checkers
//! ask the same:
//!
//! - the findings are those of the undisturbed run, to the byte;
//! - every alert that came to be owed was published at least once, or withdrawn for a more urgent one;
//! - every clock that ran out is recorded as overdue;
//! - the chain of every timeline is whole;
//! - no personal data stands in a log line, a message, an extract or a table.
//!
//! `SIMULATION_SEEDS=10000` runs more seeds; `SIMULATION_SEED=17` repeats one.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]

mod simulator;

use simulator::{Faults, Outcome, Story, simulate};

/// How many seeds the suite runs.
const SEEDS: u64 = 100;

fn seeds() -> Vec<u64> {
    let variable = |name| std::env::var(name).ok().map(|value: String| value.parse().unwrap());
    match (variable("SIMULATION_SEED"), variable("SIMULATION_SEEDS")) {
        (Some(seed), _) => vec![seed],
        (None, count) => (0..count.unwrap_or(SEEDS)).collect(),
    }
}

fn assert_same(expected: &Outcome, found: &Outcome, what: &str) {
    let broken = found.broken();
    assert!(broken.is_empty(), "{what}: {broken:#?}");
    assert_eq!(expected.findings, found.findings, "{what}: the findings differ");
}

#[test]
fn whatever_happens_the_findings_are_the_same_and_no_alert_is_lost() {
    let story = Story::morning();
    let undisturbed = simulate(&story, &Faults::none());
    assert_eq!(undisturbed.incident_count(), 1, "the story holds one leak");
    assert_same(&undisturbed, &undisturbed, "the undisturbed run");
    for seed in seeds() {
        let disturbed = simulate(&story, &Faults::seeded(seed));
        assert_same(&undisturbed, &disturbed, &format!("SIMULATION_SEED={seed}"));
    }
}

#[test]
fn a_failure_at_any_single_call_loses_nothing() {
    let story = Story::short();
    let undisturbed = simulate(&story, &Faults::none());
    assert!(undisturbed.call_count > 20, "{}", undisturbed.call_count);
    // The clocks of a leak make many like calls; of those a fifth.
    let morning = undisturbed.call_count_of_the_morning;
    for call in (0..morning).chain((morning..undisturbed.call_count).step_by(5)) {
        for (effect, faults) in [
            ("refused", Faults::refuse_call(call)),
            ("answer lost", Faults::lose_answer_of_call(call)),
        ] {
            let disturbed = simulate(&story, &faults);
            assert_same(&undisturbed, &disturbed, &format!("call {call} {effect}"));
        }
    }
}

#[test]
fn hourly_late_and_daily_files_in_any_order_give_the_same_findings() {
    let undisturbed = simulate(&Story::morning(), &Faults::none());
    let late_and_daily = Story::morning_late_and_daily();
    for seed in 0..20 {
        let found = simulate(&late_and_daily, &Faults::reordered(seed));
        assert_same(&undisturbed, &found, &format!("order of seed {seed}"));
    }
}

/// What comes late is given to its agent, counted once, and taken from whoever had it before.
#[test]
fn rows_that_do_not_say_whose_they_are_go_to_the_same_agents_whatever_lands_first() {
    let story = Story::joined();
    let undisturbed = simulate(&story, &Faults::none());
    let counts = |agent, event_type| undisturbed.counts(agent, event_type);
    let (copilot, python) = ("support-copilot", "unregistered:client:python-requests");
    // Two batches of a job and one of another, whose login would have led to the other agent.
    assert_eq!(counts(copilot, "BulkApi"), [3, 60_007, 3]);
    assert_eq!(counts(python, "BulkApi"), [1, 90, 1]);
    assert_eq!(counts(python, "RestApi"), [1, 500, 1]);
    assert_eq!(counts(copilot, "ReportExport"), [1, 0, 1]);
    assert_eq!(
        undisturbed.incident_count(),
        1,
        "the job that was exported makes one, some hundred records do not"
    );

    let agents = [copilot, python];
    let expected = agents.map(|agent| undisturbed.judged(agent));
    let check = |faults: &Faults, what: &str| {
        let disturbed = simulate(&story, faults);
        let broken = disturbed.broken();
        assert!(broken.is_empty(), "{what}: {broken:#?}");
        assert_eq!(expected, agents.map(|agent| disturbed.judged(agent)), "{what}");
    };
    for seed in seeds().into_iter().step_by(4) {
        check(&Faults::seeded(seed), &format!("SIMULATION_SEED={seed}"));
    }
    for call in (0..undisturbed.call_count_of_the_morning).step_by(3) {
        let faults = if call % 2 == 0 {
            Faults::refuse_call(call)
        } else {
            Faults::lose_answer_of_call(call)
        };
        check(&faults, &format!("call {call} fails"));
    }
}

#[test]
fn a_file_that_is_read_in_parts_gives_the_same_findings_whatever_happens() {
    let undisturbed = simulate(&Story::joined(), &Faults::none());
    let in_parts = Story::joined().in_parts();
    let found = simulate(&in_parts, &Faults::none());
    let left = |line: &String| line.contains("left a file to be read in parts");
    assert!(found.spoken.iter().any(left));
    let agents = ["support-copilot", "unregistered:client:python-requests"];
    let expected = agents.map(|agent| undisturbed.judged(agent));
    for seed in seeds().into_iter().step_by(3) {
        let found = simulate(&in_parts, &Faults::seldom(seed));
        let broken = found.broken();
        assert!(broken.is_empty(), "SIMULATION_SEED={seed}: {broken:#?}");
        assert_eq!(expected, agents.map(|agent| found.judged(agent)), "SIMULATION_SEED={seed}");
    }
}

#[test]
fn a_configuration_that_changes_meanwhile_leaves_nothing_judged_by_the_old_one() {
    for (agent, name, from, to) in [
        ("help-copilot", "agents.yaml", "name: support-copilot", "name: help-copilot"),
        ("support-copilot", "data-map.yaml", "population: 48200", "population: 1200"),
    ] {
        let story = Story::morning().reconfigured(name, from, to);
        let undisturbed = simulate(&story, &Faults::none());
        let before = simulate(&Story::morning(), &Faults::none());
        assert_ne!(before.judged(agent), undisturbed.judged(agent), "the change shows");
        for seed in seeds().into_iter().step_by(4) {
            let disturbed = simulate(&story, &Faults::seeded(seed));
            let what = format!("{name} changed, SIMULATION_SEED={seed}");
            let broken = disturbed.broken();
            assert!(broken.is_empty(), "{what}: {broken:#?}");
            assert_eq!(undisturbed.judged(agent), disturbed.judged(agent), "{what}");
        }
    }
}

#[test]
fn a_seed_repeats_exactly() {
    for seed in 0..5 {
        let run = || {
            let outcome = simulate(&Story::morning(), &Faults::seeded(seed));
            (outcome.call_count, outcome.alerts, outcome.incidents)
        };
        assert_eq!(run(), run(), "SIMULATION_SEED={seed}");
    }
}

#[test]
fn the_checkers_notice_what_they_are_for() {
    let mut outcome = simulate(&Story::short(), &Faults::none());
    assert!(outcome.broken().is_empty());
    outcome.published.clear();
    assert!(outcome.broken().iter().any(|broken| broken.contains("was never published")));

    let mut outcome = simulate(&Story::short(), &Faults::none());
    outcome.spoken.push(format!("user {}", worlds::CANARY_PERSONAL_DATA));
    assert!(outcome.broken().iter().any(|broken| broken.contains("personal data")));

    let mut outcome = simulate(&Story::short(), &Faults::none());
    outcome.incidents.first_mut().unwrap().timeline.remove(1);
    assert!(outcome.broken().iter().any(|broken| broken.contains("record")));
}
