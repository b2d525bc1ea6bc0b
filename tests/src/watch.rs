//! The two ways in which a due message is noticed, the sweep and the schedules, and each without the other.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::LocalStack;
use crate::interface;

/// What CDK's name of the sweep's rule begins with, behind that of the stack.
const SWEEP_RULE: &str = "EveryMinute";

impl LocalStack {
    /// Turns the rule of the sweep off.
    ///
    /// # Errors
    /// When there is no such rule.
    pub async fn stop_sweep(&self) -> Result<()> {
        self.set_sweep("DisableRule").await
    }

    /// Turns it on again.
    ///
    /// # Errors
    /// When there is no such rule.
    pub async fn start_sweep(&self) -> Result<()> {
        self.set_sweep("EnableRule").await
    }

    async fn set_sweep(&self, action: &str) -> Result<()> {
        let endpoint = self.emulator().endpoint();
        let listed = interface::events(endpoint, "ListRules", &json!({})).await?;
        let rules = listed.get("Rules").and_then(Value::as_array).into_iter().flatten();
        let mut names = rules.filter_map(|rule| rule.get("Name")?.as_str());
        let name = names.find(|name| name.contains(SWEEP_RULE));
        let name = name.context("the stack has no rule for the sweep")?;
        interface::events(endpoint, action, &json!({ "Name": name })).await?;
        Ok(())
    }

    /// Removes all schedules of reminders with their group, so that none can be made either.
    ///
    /// # Errors
    /// When the emulator does not answer.
    pub async fn lose_schedules(&self) -> Result<()> {
        let delete = self.schedules().delete_schedule_group().name(&self.outputs().schedule_group);
        delete.send().await.context("cannot delete the schedules")?;
        Ok(())
    }

    /// Makes their group again where it is not there.
    ///
    /// # Errors
    /// When the emulator does not answer.
    pub async fn allow_schedules(&self) -> Result<()> {
        let group = &self.outputs().schedule_group;
        match self.schedules().create_schedule_group().name(group).send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(error) if error.is_conflict_exception() => Ok(()),
                _ => bail!("cannot make the group of the schedules: {error}"),
            },
        }
    }
}
