//! What people do about the incident, by the command that they do it with.

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use incident::{Event, Incident};
use local_stack::{LocalStack, Said, WebhookReceiver, wait_until};
use ports::keys;
use serde_json::json;

use crate::page::{heading, more, quoted, said, term};

/// Who decides.
const OFFICER: &str = "Dana Okafor";
/// The clocks that are followed, one of each law and one of a contract.
const FOLLOWED: [&str; 4] =
    ["eu-gdpr-33-1", "uk-gdpr-33-1", "us-ca-civ-1798-82-individuals", "own-insurer"];
/// How long before the logs told it somebody knew.
const KNEW_EARLIER: TimeDelta = TimeDelta::minutes(95);
const TOLD_TIMEOUT: Duration = Duration::from_secs(30);

/// From the first look at the clocks to the check of the record.
pub(crate) async fn tell(
    stack: &LocalStack,
    receiver: &WebhookReceiver,
    incident: &Incident,
) -> Result<()> {
    let desk = Desk { stack, receiver, id: incident.incident_id.to_string() };
    heading("The clocks of several laws, as the command shows them to whoever asks");
    println!(
        "  The command reads the deployed tables with the AWS credentials of whoever calls it. Which stack and\n  \
         who decides are told here once, instead of by --stack and --by:\n\n  \
         $ export BREACHCLOCK_STACK=outputs.json USER=\"{OFFICER}\"\n"
    );
    desk.well(&["show", &desk.id]).await?;
    let Some(aware) = earlier(incident) else {
        term("", "The clock of this machine is behind the logs, so nothing can be decided yet.");
        return Ok(());
    };
    heading("A person has seen it, and knows since when the company knew");
    desk.acknowledge_and_set_awareness(incident, aware).await?;
    heading("The authority in Berlin is told, and the one in London need not be");
    desk.settle().await?;
    heading("Every day: that somebody watches, and the ends of the record under lock");
    desk.attest().await?;
    heading("Somebody edits the record, directly in the table");
    desk.edit_and_verify().await
}

/// The moment that a person names: before the logs told, and after the first access.
fn earlier(incident: &Incident) -> Option<DateTime<Utc>> {
    let aware = incident.times.detected? - KNEW_EARLIER;
    (aware >= incident.findings.first_event_at).then_some(aware)
}

struct Desk<'a> {
    stack: &'a LocalStack,
    receiver: &'a WebhookReceiver,
    id: String,
}

impl Desk<'_> {
    async fn acknowledge_and_set_awareness(
        &self,
        before: &Incident,
        aware: DateTime<Utc>,
    ) -> Result<()> {
        let id = self.id.as_str();
        let alerts_before = self.receiver.alerts()?.len();
        self.well(&["acknowledge", id]).await?;
        let at = aware.to_rfc3339_opts(SecondsFormat::Secs, true);
        let reason = "support was called by a customer and told us by phone";
        self.well(&["aware", id, &at, "--reason", reason]).await?;
        let after = self.incident().await?;
        println!("  Whatever counts from awareness has moved:\n");
        for regime_id in FOLLOWED {
            let duty = |incident: &Incident| {
                let duty = incident.obligation(regime_id)?;
                let ends_at = duty.watched_at()?.format("%a %-d %b %H:%M");
                Some((ends_at.to_string(), duty.starts_at.word()))
            };
            let (Some((was, counted_from)), Some((is, _))) = (duty(before), duty(&after)) else {
                bail!("{regime_id} is not among the duties that are watched");
            };
            let news = if was == is {
                format!("stays: it counts from {counted_from}")
            } else {
                format!("->  {is} UTC")
            };
            println!("    {regime_id:<32}{was}  {news}");
        }
        println!();
        let told = wait_until("the webhook to be told", TOLD_TIMEOUT, async || {
            Ok(self.receiver.alerts()?.into_iter().nth(alerts_before))
        })
        .await?;
        let (request, notification) = told;
        let at = request.at_utc.format("%H:%M:%S%.3f");
        let stage = notification.attribute("stage").unwrap_or("-");
        term("webhook", &format!("{at} UTC, stage {stage}"));
        more("", notification.subject.as_deref().unwrap_or_default());
        Ok(())
    }

    async fn settle(&self) -> Result<()> {
        let id = self.id.as_str();
        let reason = "answers to health questions are in unknown hands";
        self.well(&["risk", id, "high_risk", "--reason", reason]).await?;
        let to = "Berliner Beauftragte für Datenschutz";
        let reference = ["--reference", "711.412.5"];
        self.well(&[&["sent", id, "eu-gdpr-33-1", "--to", to][..], &reference].concat()).await?;
        let reason =
            "the British persons in these rows are published business contacts: no risk to them";
        self.well(&["decide", id, "uk-gdpr-33-1", "--not-notify", "--reason", reason]).await?;
        self.well(&["show", id]).await
    }

    async fn attest(&self) -> Result<()> {
        // Both have their rules, every minute and every day; neither may have had its time yet.
        self.stack.invoke("remind", &json!({})).await?;
        let before = self.stack.emulator().emails()?.len();
        self.stack.invoke("attest", &json!({})).await?;
        let email = wait_until("the daily notice", TOLD_TIMEOUT, async || {
            Ok(self.stack.emulator().emails()?.into_iter().nth(before))
        })
        .await?;
        quoted(&format!("Subject: {}\n\n{}", email.subject, email.body));
        let bucket = &self.stack.outputs().evidence_bucket;
        for key in self.stack.object_keys(bucket, "heads/").await? {
            println!();
            term("put away", &format!("s3://{bucket}/{key}"));
        }
        Ok(())
    }

    /// The reason of the decision not to notify is made a better one, and the record tells.
    async fn edit_and_verify(&self) -> Result<()> {
        self.well(&["verify", &self.id]).await?;
        let incident = self.incident().await?;
        let timeline = self.stack.timeline_of(&incident).await?;
        let mut decisions = timeline
            .iter()
            .filter(|entry| matches!(&entry.event, Event::Decided { notify: false, .. }));
        let decision = decisions.next().context("the decision is not on record")?;
        let sort = keys::timeline_sort(decision.sequence);
        println!("  {sort}: the reason becomes \"the authority said so by phone\".\n");
        let original = self
            .stack
            .edit_item(&incident, &sort, |entry| {
                if let Some(reason) = entry.get_mut("reason") {
                    *reason = json!("the authority said so by phone");
                }
            })
            .await?;
        let found = self.call(&["verify", &self.id]).await?;
        if found.exit_code != Some(1) {
            bail!("the edit was not found");
        }
        println!("  The entry is put back as it was.\n");
        self.stack.put_back(original).await?;
        self.well(&["verify", &self.id]).await
    }

    async fn incident(&self) -> Result<Incident> {
        let incidents = self.stack.incidents().await?;
        let found = incidents.into_iter().find(|found| found.incident_id.0 == self.id);
        found.context("the incident is gone")
    }

    /// Calls the command, which must do what it is told.
    async fn well(&self, arguments: &[&str]) -> Result<()> {
        let Said { exit_code, errors, .. } = self.call(arguments).await?;
        if exit_code != Some(0) {
            bail!("`breachclock incident {}` failed: {errors}", arguments.join(" "));
        }
        Ok(())
    }

    /// Calls the command and prints what a person would see.
    async fn call(&self, arguments: &[&str]) -> Result<Said> {
        let coloured = std::io::stdout().is_terminal();
        let answer = self.stack.breachclock(OFFICER, coloured, arguments).await?;
        let words: Vec<String> = arguments.iter().map(|word| in_a_shell(word)).collect();
        println!("  $ breachclock incident {}", words.join(" "));
        said(&answer.output);
        said(&answer.errors);
        if let Some(code @ 1..) = answer.exit_code {
            println!("    (exit code {code})");
        }
        println!();
        Ok(answer)
    }
}

/// A word as it is typed.
fn in_a_shell(word: &str) -> String {
    if word.contains(' ') { format!("\"{word}\"") } else { word.to_owned() }
}
