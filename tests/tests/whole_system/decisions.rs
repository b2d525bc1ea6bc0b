//! What people decide with the command `breachclock incident` on the deployed tables, and what it finds there that is not
//! as it was written.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use chrono::{SecondsFormat, TimeDelta, Utc};
use deadlines::{Stage, Standing};
use incident::{AlertState, Clock, Event, Incident, Status};
use local_stack::{Said, wait_until};
use ports::keys;
use serde_json::{Value, json};

use super::{ALERT_TIMEOUT, System, same};

const OFFICER: &str = "Dana Okafor";
const GDPR: &str = "eu-gdpr-33-1";
const UK_GDPR: &str = "uk-gdpr-33-1";

pub(super) async fn what_a_person_decides_moves_and_stops_the_clocks(
    system: &mut System,
) -> Result<()> {
    let incident = system.incident_of_the_morning().await?;
    let id = incident.incident_id.to_string();
    let id = id.as_str();
    let listed = well(system, &["list"]).await?;
    ensure!(listed.contains(id), "not listed: {listed}");
    let shown = well(system, &["show", id]).await?;
    for regime_id in [GDPR, UK_GDPR, "ch-fadp-24-1", "us-ca-civ-1798-82-individuals"] {
        ensure!(shown.contains(regime_id), "{regime_id} is not shown:\n{shown}");
    }
    ensure!(shown.contains("assumed"), "nothing says that awareness is assumed:\n{shown}");

    let acknowledge = ["acknowledge", id, "--command-id", "seen-at-night"];
    well(system, &acknowledge).await?;
    let acknowledged = system.the_incident().await?;
    ensure!(acknowledged.acknowledged_at.is_some(), "nobody has acknowledged it");
    well(system, &acknowledge).await?;
    same("version after the same again", &system.the_incident().await?, &acknowledged)?;

    // A person knew two hours earlier: the clocks end two hours earlier, and legal is told.
    let started = Instant::now();
    let detected = incident.times.detected.context("no moment of detection")?;
    let aware = detected - TimeDelta::hours(2);
    let at = aware.to_rfc3339_opts(SecondsFormat::Millis, true);
    well(system, &["aware", id, &at, "--reason", "the vendor called"]).await?;
    let moved = system.the_incident().await?;
    for (regime_id, hours) in [(GDPR, 72), (UK_GDPR, 72), ("own-insurer", 24)] {
        let duty = moved.obligation(regime_id).context("the duty is gone")?;
        let ends = aware + TimeDelta::hours(hours);
        let off = duty.due_at.context("no due instant")? - ends;
        ensure!(off.abs() < TimeDelta::milliseconds(1), "{regime_id} is off by {off}");
        ensure!(!duty.start_assumed, "{regime_id} is still counted from an assumption");
    }
    same("status", &moved.status, &Status::Confirmed)?;
    system.told(&incident, Stage::DutiesChanged, started).await?;

    let stale = incident.revision.to_string();
    let decision = ["decide", id, UK_GDPR, "--not-notify", "--reason", "none of them are there"];
    let refused = call(system, &[&decision[..], &["--revision", &stale]].concat()).await?;
    same("exit code of a stale decision", &refused.exit_code, &Some(1))?;
    ensure!(refused.errors.contains("has changed since revision"), "{}", refused.errors);

    well(system, &["risk", id, "risk", "--reason", "contact data in unknown hands"]).await?;
    let duty = system.the_incident().await?;
    let standing = duty.obligation(GDPR).map(|duty| duty.standing.clone());
    same("standing once the risk is known", &standing, &Some(Standing::Applies))?;

    let attachment = system.stack.emulator().folder().join("notification.txt");
    std::fs::write(&attachment, "what the authority was told")?;
    let attachment = attachment.to_string_lossy();
    let to = ["--to", "BlnBDI", "--reference", "711.412.5", "--attach", &attachment];
    well(system, &[&["sent", id, GDPR][..], &to].concat()).await?;
    well(system, &decision).await?;

    let incident = system.the_incident().await?;
    let running: Vec<&str> =
        incident.running().into_iter().map(|duty| duty.regime_id.as_str()).collect();
    for regime_id in [GDPR, UK_GDPR] {
        ensure!(incident.is_settled(regime_id), "{regime_id} is not settled");
        ensure!(!running.contains(&regime_id), "the clock of {regime_id} still runs");
    }
    ensure!(running.contains(&"own-insurer"), "the insurer's clock stopped, too");
    let shown = well(system, &["show", id]).await?;
    for settled in ["BlnBDI", "711.412.5", "none of them are there"] {
        ensure!(shown.contains(settled), "`{settled}` is not shown:\n{shown}");
    }
    let verified = well(system, &["verify"]).await?;
    ensure!(verified.contains(id), "{verified}");
    let timeline = system.stack.timeline_of(&incident).await?;
    let decided = timeline.iter().find(|entry| matches!(entry.event, Event::Decided { .. }));
    let actor = &decided.context("the decision is not on record")?.actor;
    ensure!(actor.starts_with(OFFICER) && actor.contains("arn:"), "recorded as that of {actor}");
    what_was_planned_comes_to_nothing(system, &incident).await
}

/// The end of a clock that was stopped comes, and nobody is told of it.
async fn what_was_planned_comes_to_nothing(system: &System, incident: &Incident) -> Result<()> {
    let ended = incident.obligation(GDPR).and_then(|duty| duty.due_at);
    let is_stopped = |clock: Clock| Some(clock.ends_at) == ended && !clock.is_possible;
    let overdue = async || {
        let alerts = system.stack.alerts_of(incident).await?;
        let mut planned = alerts.into_iter().filter(|alert| alert.stage == Stage::Overdue);
        let found = planned.find(|alert| alert.clock.is_some_and(is_stopped));
        found.context("nothing was planned for the end of that clock")
    };
    let started = Instant::now();
    let mut alert = overdue().await?;
    alert.due_at = Utc::now();
    system.stack.put_alert(&alert).await?;
    wait_until("the message to be withdrawn", ALERT_TIMEOUT, async || {
        Ok(matches!(overdue().await?.state, AlertState::Withdrawn { .. }).then_some(()))
    })
    .await?;
    let mut told = system.receiver.alerts()?;
    told.retain(|(request, told)| {
        request.at >= started && told.attribute("stage") == Some("overdue")
    });
    ensure!(told.is_empty(), "told that a clock has ended which was stopped");
    Ok(())
}

/// An edit of one field of an item.
struct Edit {
    what: &'static str,
    sort: String,
    path: &'static [&'static str],
    to: Value,
    /// What `verify` says of it.
    finding: String,
}

/// Sets a field, which need not be there.
fn set(record: &mut Value, path: &[&str], to: Value) {
    match path.split_first() {
        None => *record = to,
        Some((name, rest)) => {
            if let Some(fields) = record.as_object_mut() {
                set(fields.entry(*name).or_insert(Value::Null), rest, to);
            }
        }
    }
}

pub(super) async fn an_edit_made_beside_the_program_is_found(system: &mut System) -> Result<()> {
    // Nothing else may write while the record is out of joint.
    system.stack.stop_sweep().await?;
    let incident = system.incident_of_the_morning().await?;
    let id = incident.incident_id.to_string();
    well(system, &["comment", &id, "seen by legal"]).await?;
    system.stack.invoke("attest", &json!({})).await?;
    well(system, &["verify", &id]).await?;

    let alert = system.alert(&incident, Stage::Overdue).await?;
    let edit = |what, sort: &str, path, to, finding: &str| Edit {
        what,
        sort: sort.to_owned(),
        path,
        to,
        finding: finding.to_owned(),
    };
    let incident_item = keys::INCIDENT_ITEM;
    let later = || json!("2027-01-01T00:00:00Z");
    let of_alert = format!("alert {} does not say", alert.alert_id);
    let edits = [
        edit(
            "an entry",
            &keys::timeline_sort(2),
            &["actor"],
            json!("nobody"),
            "entry 2 was edited",
        ),
        edit("the incident", incident_item, &["times", "aware", "at"], later(), "in: times"),
        edit("a field of no version's", incident_item, &["waived"], json!(true), "in: waived"),
        edit("an alert", &keys::alert_sort(&alert.alert_id), &["due_at"], later(), &of_alert),
    ];
    for Edit { what, sort, path, to, finding } in edits {
        let change = |record: &mut Value| set(record, path, to);
        let original = system.stack.edit_item(&incident, &sort, change).await?;
        not_whole(system, &id, &finding).await.context(what)?;
        system.stack.put_back(original).await?;
        well(system, &["verify"]).await.with_context(|| format!("{what}, put back"))?;
    }

    // Every hash is right, and so is everything that follows from the entries: only the head of this morning tells.
    let incident = system.the_incident().await?;
    system.stack.forge_timeline(&incident, "nobody").await?;
    let forged = system.the_incident().await?;
    ensure!(forged.timeline_head != incident.timeline_head, "the forgery changed nothing");
    not_whole(system, &id, "the timeline was written anew").await?;
    heads_alone_tell(system, &id).await
}

/// Without the heads that were put away, the forgery passes: it is they that tell, and nothing else.
async fn heads_alone_tell(system: &System, id: &str) -> Result<()> {
    let bucket = &system.stack.outputs().evidence_bucket;
    for key in system.stack.object_keys(bucket, "heads/").await? {
        system.stack.objects().delete_object().bucket(bucket).key(key).send().await?;
    }
    well(system, &["verify", id]).await?;
    Ok(())
}

async fn not_whole(system: &System, id: &str, finding: &str) -> Result<()> {
    for incidents in [&["verify", id][..], &["verify"]] {
        let said = call(system, incidents).await?;
        same("exit code", &said.exit_code, &Some(1))?;
        ensure!(said.output.contains(finding), "not told `{finding}`: {}", said.output);
    }
    Ok(())
}

async fn call(system: &System, arguments: &[&str]) -> Result<Said> {
    let outputs = system.stack.outputs_file();
    let outputs = outputs.to_string_lossy();
    let stack = ["--stack", &outputs, "--by", OFFICER];
    // The environment names somebody else: what is said goes before it.
    system.stack.breachclock("nobody", false, &[&stack[..], arguments].concat()).await
}

/// Calls the command, which must do what it is told, and answers with what it printed.
async fn well(system: &System, arguments: &[&str]) -> Result<String> {
    let Said { exit_code, output, errors } = call(system, arguments).await?;
    ensure!(exit_code == Some(0), "{arguments:?} ended with {exit_code:?}: {output}{errors}");
    Ok(output)
}
