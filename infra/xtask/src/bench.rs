//! Our reading of logs beside that of other readers.

use anyhow::Result;

use crate::program::{Output, Program, Repository, interrupted};
use crate::setup;
use crate::steps::Steps;
use crate::{take_flag, take_value};

/// How much is read, and how often. What is not given, the bench itself decides.
pub(crate) struct Options {
    rows: Option<String>,
    runs: Option<String>,
    large: bool,
}

impl Options {
    /// Takes its own arguments out of those given.
    pub(crate) fn take_from(arguments: &mut Vec<String>) -> Result<Self> {
        Ok(Self {
            rows: take_value(arguments, "--rows")?,
            runs: take_value(arguments, "--runs")?,
            large: take_flag(arguments, "--large"),
        })
    }

    /// What concerns the files.
    fn of_files(&self) -> Vec<String> {
        Self { rows: self.rows.clone(), runs: None, large: self.large }.arguments()
    }

    fn arguments(&self) -> Vec<String> {
        let values = [("--rows", &self.rows), ("--runs", &self.runs)];
        let values = values.into_iter().filter_map(|(name, value)| {
            value.as_ref().map(|value| [name.to_owned(), value.clone()])
        });
        let large = self.large.then(|| "--large".to_owned());
        values.flatten().chain(large).collect()
    }
}

/// Builds every reader, ours as they ship and the others for speed, and has them read the same files in turn.
pub(crate) fn run(repository: &Repository, steps: &Steps, options: &Options) -> Result<()> {
    let ours = Program::new(repository, "cargo")
        .args(["build", "--release", "--package", "local", "--package", "bench"])
        .args(
            ["breachclock", "ingest_alone", "bench_data", "bench"]
                .iter()
                .flat_map(|bin| ["--bin", bin]),
        );
    steps.run("The bench and our readers, as they ship", &ours)?;
    let others = Program::new(repository, "cargo").args([
        "build",
        "--profile",
        "contenders",
        "--package",
        "bench",
        "--bin",
        "contender",
    ]);
    steps.run("The other readers, for speed", &others)?;

    let (target, scripts) = (repository.target(), repository.path("tests/bench/python"));
    let data = target.join("bench/data");
    let make_data = Program::new(repository, target.join("release/bench_data"))
        .arg(&data)
        .args(options.of_files());
    steps.run("The files that are read", &make_data)?;
    let mut bench = Program::new(repository, target.join("release/bench"))
        .arg("--ours")
        .arg(target.join("release"))
        .arg("--contenders")
        .arg(target.join("contenders"))
        .arg("--configuration")
        .arg(repository.path("infra/config"))
        .arg("--python-contenders")
        .arg(&scripts)
        .arg("--data")
        .arg(&data)
        .args(options.arguments());
    let mut modules = Vec::new();
    for (name, label) in [("polars", "Polars"), ("duckdb", "DuckDB")] {
        let folder = target.join("bench/python").join(name);
        let requirements = scripts.join(name).join("requirements.txt");
        match setup::python(repository, steps, &folder, &requirements, label) {
            Ok(()) => {
                bench = bench.arg(format!("--{name}")).arg(folder.join("bin/python3"));
                modules.push(folder);
            }
            Err(problem) if interrupted() => return Err(problem),
            Err(problem) => {
                eprintln!("{problem:#}\n{label} cannot be installed here and is left out.");
            }
        }
    }
    // For modules that had to be installed into plain folders.
    bench.env("PYTHONPATH", std::env::join_paths(modules)?).run(Output::Terminal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_passed_on_as_they_were_given() {
        let mut arguments: Vec<String> =
            ["--large", "--rows", "900", "--runs", "3", "left"].map(str::to_owned).to_vec();
        let options = Options::take_from(&mut arguments).unwrap();
        assert_eq!(options.arguments(), ["--rows", "900", "--runs", "3", "--large"]);
        assert_eq!(options.of_files(), ["--rows", "900", "--large"]);
        assert_eq!(arguments, ["left"]);
    }
}
