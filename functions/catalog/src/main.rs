#![doc = include_str!("../README.md")]

use lambda::{
    environment::required,
    logging,
    metrics::{self, Metric},
    world::World,
};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use pipeline::catalog::{Loaded, load};
use ports::Ports;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let ports = World::from_environment().await.with_objects().with_catalog()?.ports();
    let bucket = required("CONFIGURATION_BUCKET")?;
    let environment = required("ENVIRONMENT")?;
    run(service_fn(|_: LambdaEvent<Value>| handle(&ports, &bucket, &environment))).await
}

/// Loads all files whatever the event says, because a configuration is accepted whole or not at all. A refusal is
/// not a failure: it is recorded and counted, and coming again would change nothing.
async fn handle(ports: &Ports, bucket: &str, environment: &str) -> Result<(), Error> {
    if let Loaded::Refused { .. } = load(ports, bucket).await? {
        let counts = [(Metric::ConfigurationRefused, 1)];
        metrics::count(environment, ports.clock.now(), &counts);
    }
    Ok(())
}
