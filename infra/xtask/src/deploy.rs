//! Into a real account: build, `cdk deploy`, and the configuration into its bucket.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::binaries::{self, Target};
use crate::program::{Output, Program, Repository};
use crate::setup;
use crate::steps::Steps;

/// Deploys with the credentials and region of the environment; `cdk_arguments` go to `cdk deploy` as they are.
pub(crate) fn run(
    repository: &Repository,
    steps: &Steps,
    configuration: Option<&str>,
    cdk_arguments: &[String],
) -> Result<()> {
    let folder = match configuration {
        None => repository.path("infra/config"),
        Some(folder) => std::path::absolute(folder).context("cannot tell where --config points")?,
    };
    if !folder.is_dir() {
        bail!("{} is not a folder: --config wants a copy of infra/config", folder.display());
    }
    setup::run(repository, steps)?;
    binaries::build(repository, steps, Target::Arm64)?;
    binaries::print_sizes(repository)?;

    let outputs = repository.path(".local/deploy-outputs.json");
    let deploy = Program::new(repository, "cdk")
        .args(["deploy", "--outputs-file"])
        .arg(&outputs)
        .args(["--context", "architecture=arm64", "--context"])
        .arg(format!("configDir={}", folder.display()))
        // CDK asks on the terminal before it widens permissions; supervised programs have none to ask on.
        .args(["--require-approval", "never"])
        .args(cdk_arguments)
        .env("CDK_DISABLE_CLI_TELEMETRY", "true")
        .directory(repository.path("infra"));
    deploy.run(Output::Terminal)?;

    let bucket = configuration_bucket(&outputs)?;
    let put = Program::new(repository, "python3")
        .arg(repository.path("infra/local/put_configuration.py"))
        .arg(&bucket)
        .arg(&folder);
    steps.run("Configuration into its bucket", &put)?;
    println!("\nDeployed. Let Salesforce's logs land in the bucket named LandingBucket above.");
    Ok(())
}

fn configuration_bucket(outputs: &Path) -> Result<String> {
    let text = fs::read_to_string(outputs)
        .with_context(|| format!("cdk wrote no outputs to {}", outputs.display()))?;
    let stacks: Value = serde_json::from_str(&text)
        .with_context(|| format!("{} is not JSON", outputs.display()))?;
    stacks
        .as_object()
        .into_iter()
        .flat_map(serde_json::Map::values)
        .find_map(|stack| stack.get("ConfigurationBucket")?.as_str())
        .map(str::to_owned)
        .with_context(|| format!("{} names no ConfigurationBucket", outputs.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_bucket_is_found_whatever_the_stack_is_called() {
        let file = std::env::temp_dir().join(format!("xtask-outputs-{}", std::process::id()));
        fs::write(&file, r#"{"Breachclock-live":{"LandingBucket":"a","ConfigurationBucket":"b"}}"#)
            .unwrap();
        assert_eq!(configuration_bucket(&file).unwrap(), "b");
        fs::write(&file, r#"{"Breachclock-live":{"LandingBucket":"a"}}"#).unwrap();
        let problem = configuration_bucket(&file).unwrap_err();
        fs::remove_file(&file).unwrap();
        assert!(problem.to_string().ends_with("names no ConfigurationBucket"), "{problem}");
    }
}
