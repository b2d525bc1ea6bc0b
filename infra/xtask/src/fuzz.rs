//! The fuzz targets, built with coverage and run by libFuzzer for as long as asked.
//!
//! The pinned compiler can do it: the flags are those that `cargo bolero` passes, without a sanitizer, which alone would
//! take a nightly one and which code without `unsafe` has little to show to.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::program::{Output, Program, Repository};
use crate::steps::Steps;
use crate::take_value;

const SOURCES: &str = "tests/fuzz/targets";

const COVERAGE: [&str; 7] = [
    "--cfg=fuzzing",
    "--cfg=fuzzing_libfuzzer",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Input grows to this: several rows over the limits that the targets read by.
const MAX_INPUT_BYTES: u32 = 4_096;

/// Longer than any input may take, however busy the machine.
const TIMEOUT_SECONDS: u32 = 20;

/// Which targets are fuzzed, and for how long each.
pub(crate) struct Options {
    minutes: u32,
    target: Option<String>,
}

impl Options {
    /// Takes its own arguments out of those given.
    pub(crate) fn take_from(arguments: &mut Vec<String>) -> Result<Self> {
        let minutes = match take_value(arguments, "--minutes")? {
            Some(text) => text
                .parse()
                .ok()
                .filter(|minutes| (1..=100_000).contains(minutes))
                .with_context(|| format!("`--minutes {text}`: give a whole number from 1 on"))?,
            None => 5,
        };
        let target = (!arguments.is_empty()).then(|| arguments.remove(0));
        Ok(Self { minutes, target })
    }
}

/// Fuzzes one target after the other, and stops at the first finding.
pub(crate) fn run(repository: &Repository, steps: &Steps, options: &Options) -> Result<()> {
    let targets = chosen(&all_targets(repository)?, options.target.as_deref())?;
    let place = repository.target().join("fuzz");
    let host = Program::new(repository, "rustc").args(["--print", "host-tuple"]).ask()?;
    // With a target named, the flags are for the tests and not for what builds them.
    let build = cargo(repository, &place, &host).arg("--no-run");
    steps.run("The fuzz targets, with coverage", &build)?;
    for target in targets {
        let work = place.join("work").join(&target);
        let (corpus, findings) = (work.join("corpus"), work.join("findings"));
        for folder in [&corpus, &findings] {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot create {}", folder.display()))?;
        }
        println!(
            "\n{target}: {} minutes; what it learns goes to {}",
            options.minutes,
            work.display()
        );
        cargo(repository, &place, &host)
            .args(["--", &format!("{target}::"), "--nocapture", "--test-threads=1"])
            .env("BOLERO_LIBFUZZER_ARGS", engine_arguments(repository, &target, &work, options.minutes)?)
            .run(Output::Terminal)
            .with_context(|| {
                // It also ends so when it is interrupted, or when it cannot be built.
                if fs::read_dir(&findings).is_ok_and(|mut inputs| inputs.next().is_none()) {
                    return format!("{target} ended early, without a finding");
                }
                format!(
                    "a finding: copy the input from {} to {SOURCES}/__fuzz__/{target}/crashes under a name that says \
                     what it is, where `cargo test -p fuzz` runs it from then on",
                    findings.display()
                )
            })?;
    }
    Ok(())
}

fn cargo(repository: &Repository, place: &Path, host: &str) -> Program {
    Program::new(repository, "cargo")
        .args(["test", "--package", "fuzz", "--profile", "fuzz", "--target", host, "--target-dir"])
        .arg(place)
        .env("RUSTFLAGS", COVERAGE.join(" "))
}

/// What libFuzzer is told. Bolero cuts it at spaces.
fn engine_arguments(
    repository: &Repository,
    target: &str,
    work: &Path,
    minutes: u32,
) -> Result<String> {
    let sources = repository.path(SOURCES);
    let path = |path: PathBuf| -> Result<String> {
        let text = path.display().to_string();
        if text.contains(' ') {
            bail!("the fuzzer takes no path with a space in it, such as {text}");
        }
        Ok(text)
    };
    let mut arguments = vec![
        path(work.join("corpus"))?,
        path(sources.join("__fuzz__").join(target).join("corpus"))?,
        format!("-artifact_prefix={}/", path(work.join("findings"))?),
        format!("-max_total_time={}", u64::from(minutes) * 60),
        format!("-timeout={TIMEOUT_SECONDS}"),
        format!("-max_len={MAX_INPUT_BYTES}"),
        "-print_final_stats=1".to_owned(),
    ];
    let dictionary = sources.join(format!("dictionaries/{target}.dict"));
    if dictionary.is_file() {
        arguments.push(format!("-dict={}", path(dictionary)?));
    }
    Ok(arguments.join(" "))
}

/// Every target has a corpus of its name.
fn all_targets(repository: &Repository) -> Result<Vec<String>> {
    let corpora = repository.path(SOURCES).join("__fuzz__");
    let entries =
        fs::read_dir(&corpora).with_context(|| format!("cannot read {}", corpora.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn chosen(all: &[String], wanted: Option<&str>) -> Result<Vec<String>> {
    match wanted {
        None => Ok(all.to_vec()),
        Some(name) if all.iter().any(|target| target == name) => Ok(vec![name.to_owned()]),
        Some(name) => bail!("`{name}` is not a target; there are {}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn five_minutes_of_every_target_unless_told_otherwise() {
        let options = Options::take_from(&mut words(&[])).unwrap();
        assert_eq!((options.minutes, options.target), (5, None));
        let options = Options::take_from(&mut words(&["soql", "--minutes", "30"])).unwrap();
        assert_eq!((options.minutes, options.target.as_deref()), (30, Some("soql")));
        for bad in ["0", "-1", "1.5", "soon"] {
            assert!(Options::take_from(&mut words(&["--minutes", bad])).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_target_that_is_none_is_refused_with_those_that_are() {
        let all = words(&["csv", "soql"]);
        assert_eq!(chosen(&all, None).unwrap(), all);
        assert_eq!(chosen(&all, Some("soql")).unwrap(), ["soql"]);
        let problem = chosen(&all, Some("sqol")).unwrap_err().to_string();
        assert!(problem.contains("`sqol`") && problem.contains("csv, soql"), "{problem}");
    }

    #[test]
    fn every_corpus_is_a_targets() {
        let repository = Repository::here().unwrap();
        let targets = all_targets(&repository).unwrap();
        assert!(targets.len() >= 8, "{targets:?}");
        for target in targets {
            let source = repository.path(SOURCES).join(format!("{target}.rs"));
            let text = fs::read_to_string(&source).unwrap();
            assert!(text.contains(&format!("check!(name = \"{target}\")")), "{target}");
        }
    }
}
