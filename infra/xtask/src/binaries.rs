//! The function binaries, where the CDK app takes them from: `target/lambda/NAME/bootstrap`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::program::{Program, Repository};
use crate::steps::Steps;

/// The functions of the pipeline; each is a package and a binary of the same name.
pub(crate) const FUNCTIONS: [&str; 6] =
    ["ingest", "assess", "notify", "remind", "catalog", "attest"];

/// Where the binaries shall run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// Under the emulator, as processes of this machine: built by cargo alone, as no old C library has to be met.
    ThisMachine,
    /// On AWS, arm64: built by cargo-lambda, which links against the C library of Amazon Linux 2023.
    Arm64,
}

/// Builds all functions with one call, so that what they share is compiled once.
pub(crate) fn build(repository: &Repository, steps: &Steps, target: Target) -> Result<()> {
    let packages = FUNCTIONS.iter().flat_map(|function| ["--package", function]);
    match target {
        Target::Arm64 => {
            let build = Program::new(repository, "cargo")
                .args(["lambda", "build", "--release", "--arm64"])
                .arg("--lambda-dir")
                .arg(repository.path("target/lambda"))
                .args(packages);
            steps.run("Functions for AWS (arm64)", &build)
        }
        Target::ThisMachine => {
            let build =
                Program::new(repository, "cargo").args(["build", "--release"]).args(packages);
            steps.run("Functions for this machine", &build)?;
            FUNCTIONS.iter().try_for_each(|function| {
                let binary = repository.target().join("release").join(function);
                let bootstrap = bootstrap(repository, function);
                if let Some(folder) = bootstrap.parent() {
                    fs::create_dir_all(folder)
                        .with_context(|| format!("cannot create {}", folder.display()))?;
                }
                fs::copy(&binary, &bootstrap).with_context(|| {
                    format!("cannot copy {} to {}", binary.display(), bootstrap.display())
                })?;
                Ok(())
            })
        }
    }
}

/// Prints how large each binary is.
pub(crate) fn print_sizes(repository: &Repository) -> Result<()> {
    for function in FUNCTIONS {
        let bootstrap = bootstrap(repository, function);
        let Ok(metadata) = fs::metadata(&bootstrap) else {
            bail!("{} was not built", bootstrap.display());
        };
        println!("  {function:<10}{:>8} KiB   {}", metadata.len() / 1024, bootstrap.display());
    }
    Ok(())
}

fn bootstrap(repository: &Repository, function: &str) -> PathBuf {
    repository.path("target/lambda").join(function).join("bootstrap")
}
