//! The commands that run the system here: the demo, the tests, the figures, the sample events.

use anyhow::{Result, bail};

use crate::binaries::{self, Target};
use crate::program::{Output, Program, Repository, interrupted};
use crate::setup;
use crate::steps::Steps;

const COMMAND_LABEL: &str = "The command breachclock";

/// The demo on the local stack.
pub(crate) fn demo(repository: &Repository, steps: &Steps, keep: bool) -> Result<()> {
    setup::run(repository, steps)?;
    binaries::build(repository, steps, Target::ThisMachine)?;
    steps.run(COMMAND_LABEL, &command(repository))?;
    let demo = harness_program(repository, steps, "demo")?;
    (if keep { demo.arg("--keep") } else { demo }).run(Output::Terminal)
}

/// The figures of the README.
pub(crate) fn figures(repository: &Repository, steps: &Steps) -> Result<()> {
    setup::run(repository, steps)?;
    binaries::build(repository, steps, Target::ThisMachine)?;
    let figures = harness_program(repository, steps, "figures")?;
    figures.run(Output::Terminal)
}

/// Writes `events/` afresh.
pub(crate) fn events(repository: &Repository, steps: &Steps) -> Result<()> {
    let write = Program::new(repository, "cargo")
        .args(["run", "--quiet", "--package", "worlds", "--bin", "worlds", "--", "write"])
        .arg(repository.path("events"));
    steps.run("Sample events", &write)
}

/// Every test. A failing part does not keep the later ones from running: one run shows all there is to mend.
pub(crate) fn test(repository: &Repository, steps: &Steps) -> Result<()> {
    setup::run(repository, steps)?;
    let cargo = |arguments: &[&str]| Program::new(repository, "cargo").args(arguments);
    let npm = |script: &str| {
        Program::new(repository, "npm")
            .args(["run", "--silent", script])
            .directory(repository.path("infra"))
    };
    let parts = [
        ("Formatting", cargo(&["fmt", "--all", "--check"])),
        ("Lints", cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])),
        // The simulation runs hundreds of seeds: under --release it would be faster to run and slower to build.
        ("Unit tests and simulation", cargo(&["test", "--workspace", "--exclude", "system-tests"])),
        ("Infrastructure: template and configuration", npm("test")),
        ("Infrastructure: cfn-lint", npm("lint:cfn")),
    ];
    let mut failed = Vec::new();
    for (label, program) in &parts {
        attempt(steps, label, program, &mut failed)?;
    }
    match binaries::build(repository, steps, Target::ThisMachine) {
        Ok(()) => {
            attempt(steps, COMMAND_LABEL, &command(repository), &mut failed)?;
            attempt(steps, "Whole system", &whole_system(repository), &mut failed)?;
        }
        Err(problem) if interrupted() => return Err(problem),
        Err(problem) => {
            eprintln!("{problem:#}");
            failed.push("Functions for this machine");
        }
    }
    if failed.is_empty() {
        println!("\nEverything passed.");
        return Ok(());
    }
    bail!("Failed: {}", failed.join("; "))
}

/// The whole-system cases whose names contain `filter`, with their output.
pub(crate) fn whole_system_only(
    repository: &Repository,
    steps: &Steps,
    filter: &str,
) -> Result<()> {
    setup::run(repository, steps)?;
    binaries::build(repository, steps, Target::ThisMachine)?;
    steps.run(COMMAND_LABEL, &command(repository))?;
    whole_system(repository).arg("--").arg(filter).run(Output::Terminal)
}

fn whole_system(repository: &Repository) -> Program {
    Program::new(repository, "cargo").args(["test", "--package", "system-tests"])
}

fn attempt(
    steps: &Steps,
    label: &'static str,
    program: &Program,
    failed: &mut Vec<&'static str>,
) -> Result<()> {
    match steps.run(label, program) {
        Ok(()) => Ok(()),
        Err(problem) if interrupted() => Err(problem),
        Err(problem) => {
            eprintln!("{problem:#}");
            failed.push(label);
            Ok(())
        }
    }
}

/// Builds `breachclock`, which demo and whole-system cases call as a person does: they look for it beside themselves.
fn command(repository: &Repository) -> Program {
    let arguments = ["build", "--package", "local", "--bin", "breachclock"];
    Program::new(repository, "cargo").args(arguments)
}

/// Builds a binary of the harness, and names it for running. It runs apart from cargo, whose build lock would
/// otherwise be held while the demo stays up.
fn harness_program(repository: &Repository, steps: &Steps, name: &str) -> Result<Program> {
    let build = Program::new(repository, "cargo").args([
        "build",
        "--package",
        "system-tests",
        "--bin",
        name,
    ]);
    steps.run(&format!("The {name} itself"), &build)?;
    Ok(Program::new(repository, repository.target().join("debug").join(name)))
}
