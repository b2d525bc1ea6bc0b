//! `cargo xtask`: everything that is done with this repository, one word each.
//!
//! Nothing is installed outside the repository: Python tools go to `.tools/`, Node modules to `infra/node_modules/`,
//! logs and the emulator's files to `.local/`, what the bench reads and reads with to `target/bench/`,
//! what the fuzzers learn to `target/fuzz/`. All are ignored by git and can be deleted at any time.

mod bench;
mod binaries;
mod checks;
mod deploy;
mod fuzz;
mod program;
mod setup;
mod steps;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::program::Repository;
use crate::steps::Steps;

const HELP: &str = "\
cargo xtask COMMAND [--verbose]

  demo [--keep]       the whole system on this machine: a morning's logs in which one agent goes wrong;
                      --keep leaves it running for a look around, until Ctrl-C
  test [FILTER]       every test: formatting, lints, units, infrastructure, the whole system on the local stack;
                      FILTER picks whole-system cases by name and runs only those
  deploy [--config DIR] [-- CDK_ARGUMENT ...]
                      build for AWS, `cdk deploy` into the account of your credentials, put the configuration there
  build [--arm64]     the function binaries, into target/lambda/NAME/bootstrap
  figures             measures the numbers that the README states
  bench [--rows N] [--runs N] [--large]
                      our reading of logs beside the csv crate, simd-csv, Polars and DuckDB, as a table;
                      --large adds a file of 10 GB, read for its peak memory
  fuzz [TARGET] [--minutes N]
                      hostile input for the reader of logs, by libFuzzer, 5 minutes of each target; needs a C++ compiler
  events              writes events/ afresh from the seeded generator
  setup               installs the pinned tools; the commands above do it by themselves when needed

--verbose shows the output of every step as it comes. Without it the output goes to .local/logs/, and is shown
when a step fails. Needed on the machine: Rust (rustup), Python 3.11 or newer, Node 20 or newer.
";

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    // Everything after `--` belongs to somebody else's program.
    let passed_on: Vec<String> = arguments
        .iter()
        .position(|argument| argument == "--")
        .map(|at| arguments.split_off(at).into_iter().skip(1).collect())
        .unwrap_or_default();
    let verbose = take_flag(&mut arguments, "--verbose");

    match run(arguments, &passed_on, verbose) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) if program::interrupted() => {
            eprintln!("\nInterrupted: {problem}");
            ExitCode::from(130)
        }
        Err(problem) => {
            eprintln!("\n{problem:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: Vec<String>, passed_on: &[String], verbose: bool) -> Result<()> {
    if arguments.is_empty() || take_flag(&mut arguments, "--help") || arguments == ["help"] {
        print!("{HELP}");
        return Ok(());
    }
    let command = arguments.remove(0);
    if !passed_on.is_empty() && command != "deploy" {
        bail!("only `deploy` passes arguments on after `--`");
    }

    program::handle_interrupts()?;
    let repository = Repository::here()?;
    let steps = Steps::new(&repository, verbose)?;
    match command.as_str() {
        "setup" => {
            nothing_left(&arguments)?;
            setup::run(&repository, &steps)
        }
        "build" => {
            let arm64 = take_flag(&mut arguments, "--arm64");
            nothing_left(&arguments)?;
            setup::run(&repository, &steps)?;
            let target =
                if arm64 { binaries::Target::Arm64 } else { binaries::Target::ThisMachine };
            binaries::build(&repository, &steps, target)?;
            binaries::print_sizes(&repository)
        }
        "demo" => {
            let keep = take_flag(&mut arguments, "--keep");
            nothing_left(&arguments)?;
            checks::demo(&repository, &steps, keep)
        }
        "test" => {
            let filter = (!arguments.is_empty()).then(|| arguments.remove(0));
            nothing_left(&arguments)?;
            match filter {
                Some(filter) => checks::whole_system_only(&repository, &steps, &filter),
                None => checks::test(&repository, &steps),
            }
        }
        "figures" => {
            nothing_left(&arguments)?;
            checks::figures(&repository, &steps)
        }
        "bench" => {
            let options = bench::Options::take_from(&mut arguments)?;
            nothing_left(&arguments)?;
            bench::run(&repository, &steps, &options)
        }
        "fuzz" => {
            let options = fuzz::Options::take_from(&mut arguments)?;
            nothing_left(&arguments)?;
            fuzz::run(&repository, &steps, &options)
        }
        "events" => {
            nothing_left(&arguments)?;
            checks::events(&repository, &steps)
        }
        "deploy" => {
            let configuration = take_value(&mut arguments, "--config")?;
            nothing_left(&arguments)?;
            deploy::run(&repository, &steps, configuration.as_deref(), passed_on)
        }
        other => bail!("`{other}` is not a command; `cargo xtask` lists them"),
    }
}

fn take_flag(arguments: &mut Vec<String>, flag: &str) -> bool {
    let before = arguments.len();
    arguments.retain(|argument| argument != flag);
    arguments.len() < before
}

fn take_value(arguments: &mut Vec<String>, flag: &str) -> Result<Option<String>> {
    let Some(at) = arguments.iter().position(|argument| argument == flag) else {
        return Ok(None);
    };
    if at + 1 >= arguments.len() {
        bail!("`{flag}` wants a value after it");
    }
    arguments.remove(at);
    Ok(Some(arguments.remove(at)))
}

fn nothing_left(arguments: &[String]) -> Result<()> {
    match arguments.first() {
        None => Ok(()),
        Some(argument) => bail!("`{argument}` is not understood here; `cargo xtask` shows what is"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_value_is_taken_with_its_flag_and_the_rest_stays() {
        let mut arguments = words(&["--config", "elsewhere", "left"]);
        assert_eq!(take_value(&mut arguments, "--config").unwrap(), Some("elsewhere".to_owned()));
        assert_eq!(arguments, ["left"]);
    }

    #[test]
    fn a_flag_without_its_value_is_refused() {
        let problem = take_value(&mut words(&["--config"]), "--config").unwrap_err();
        assert_eq!(problem.to_string(), "`--config` wants a value after it");
    }

    #[test]
    fn an_unknown_argument_is_refused_by_name() {
        let problem = nothing_left(&words(&["--kepe"])).unwrap_err();
        assert!(problem.to_string().contains("`--kepe`"), "{problem}");
    }
}
