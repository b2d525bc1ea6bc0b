//! What the demo does and tells.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use incident::Incident;
use local_stack::{Emulator, LocalStack, REGION, WebhookReceiver, repository, wait_until};

use crate::decisions;
use crate::page::{done, heading, more, quoted, term, thousands};

/// One hourly batch of a dozen small files takes about a second.
const HOUR_TIMEOUT: Duration = Duration::from_mins(1);
/// How long nothing must change before an hour counts as judged.
const QUIET: Duration = Duration::from_millis(700);
const LOOK: Duration = Duration::from_millis(100);

/// Tells the whole story; with `keep` it does not come back by itself.
pub(crate) async fn tell(keep: bool) -> Result<()> {
    let configuration = repository().join("infra/config");
    heading("Breachclock, the whole system on this machine");
    let (stack, receiver) = build_up(&configuration).await?;

    heading("Tuesday, 24 November 2026: the logs of one Salesforce org land hour by hour");
    land_the_morning(&stack, &receiver).await?;

    let incidents = stack.incidents().await?;
    if incidents.is_empty() {
        bail!(
            "the morning led to no incident, which it should have; the logs of the functions are in {}",
            stack.emulator().folder().display()
        );
    }
    for incident in &incidents {
        heading("What was found");
        tell_incident(incident);
    }
    heading("Who was told");
    tell_alerts(&stack, &receiver)?;
    for incident in &incidents {
        decisions::tell(&stack, &receiver, incident).await?;
    }
    if keep {
        heading("It stays up until Ctrl-C");
        tell_how_to_look_around(&stack);
        stay(&receiver).await?;
    }
    println!();
    let started = Instant::now();
    drop(stack);
    done("everything ended, nothing left running", started.elapsed());
    Ok(())
}

async fn build_up(configuration: &Path) -> Result<(LocalStack, WebhookReceiver)> {
    let started = Instant::now();
    let emulator = Emulator::start("demo").await?;
    done(&format!("emulator of AWS at {}", emulator.endpoint()), started.elapsed());

    let started = Instant::now();
    LocalStack::bootstrap(&emulator, configuration).await?;
    done("its account prepared for CDK, as a real one would be", started.elapsed());

    let started = Instant::now();
    let stack = LocalStack::deploy(emulator, configuration).await?;
    done(
        "the CDK app deployed: buckets, queues, tables, topic and six functions",
        started.elapsed(),
    );

    let started = Instant::now();
    let receiver = WebhookReceiver::start().await?;
    stack.subscribe(&receiver).await?;
    stack.put_configuration(configuration).await?;
    done("configuration in force: organisation, org, agents and who is told", started.elapsed());
    Ok((stack, receiver))
}

/// Lands the files of `events/morning` and prints a line for each hour once it is judged.
async fn land_the_morning(stack: &LocalStack, receiver: &WebhookReceiver) -> Result<()> {
    println!("  {:<12}{:>6}{:>10}{:>13}", "hour (UTC)", "files", "log rows", "by agents");
    let mut known: BTreeMap<String, Incident> = BTreeMap::new();
    for (hour, files) in morning()? {
        let started = Instant::now();
        let alerts_before = receiver.alerts()?.len();
        let keys: Vec<String> = files.iter().map(|(key, _)| key.clone()).collect();
        for (key, body) in files {
            stack.land(&key, body).await?;
        }
        let what = format!("the files of {hour} to be read");
        let read = wait_until(&what, HOUR_TIMEOUT, async || {
            let mut read = stack.files().await?;
            read.retain(|file| keys.contains(&file.key));
            Ok((read.len() >= keys.len()).then_some(read))
        })
        .await?;
        let incidents = settle(stack).await?;
        let rows: u64 = read.iter().map(|file| file.row_count).sum();
        let agent_rows: u64 = read.iter().map(|file| file.agent_row_count).sum();
        println!(
            "  {hour:<12}{:>6}{:>10}{:>13}   {}",
            keys.len(),
            thousands(rows),
            thousands(agent_rows),
            news_of(&known, &incidents),
        );
        for incident in incidents {
            known.insert(incident.incident_id.to_string(), incident);
        }
        if let Some((request, _)) = receiver.alerts()?.get(alerts_before) {
            let after = request.at.saturating_duration_since(started).as_secs_f64();
            println!("{:44}alert received {after:.1} s after the first file landed", "");
        }
    }
    Ok(())
}

/// Key and body of a file.
type Landing = (String, Vec<u8>);

/// The files by hour of the day.
fn morning() -> Result<BTreeMap<String, Vec<Landing>>> {
    let folder = repository().join("events/morning");
    let mut hours: BTreeMap<String, Vec<Landing>> = BTreeMap::new();
    let entries =
        fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry.context("cannot list the morning")?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // EVENTTYPE_DATETHOUR_ID.csv
        let mut parts = name.split('_');
        let (event_type, hour) =
            (parts.next(), parts.next().and_then(|when| when.split('T').nth(1)));
        let (Some(event_type), Some(hour)) = (event_type, hour) else {
            bail!("{} does not name its event type and hour", path.display());
        };
        let body = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        hours.entry(format!("{hour}:00")).or_default().push((format!("{event_type}/{name}"), body));
    }
    for files in hours.values_mut() {
        files.sort();
    }
    Ok(hours)
}

/// The incidents, once they have not changed for a while.
async fn settle(stack: &LocalStack) -> Result<Vec<Incident>> {
    let mut incidents = stack.incidents().await?;
    let mut unchanged_since = Instant::now();
    while unchanged_since.elapsed() < QUIET {
        tokio::time::sleep(LOOK).await;
        let now = stack.incidents().await?;
        if now != incidents {
            (incidents, unchanged_since) = (now, Instant::now());
        }
    }
    Ok(incidents)
}

/// What an hour brought, in a few words.
fn news_of(known: &BTreeMap<String, Incident>, incidents: &[Incident]) -> String {
    let news: Vec<String> = incidents
        .iter()
        .filter_map(|incident| change(known.get(incident.incident_id.as_str()), incident))
        .collect();
    if news.is_empty() { "nothing amiss".to_owned() } else { news.join("; ") }
}

fn change(before: Option<&Incident>, incident: &Incident) -> Option<String> {
    let (agent, findings) = (incident.agent.as_str(), &incident.findings);
    let severity = findings.severity.level.name();
    let (score, records) = (findings.score, thousands(findings.record_count));
    let Some(before) = before else {
        return Some(format!("INCIDENT: {agent}, {severity}, score {score}"));
    };
    if before.findings.severity.level != findings.severity.level {
        return Some(format!("it is worse: now {severity}, score {score}, {records} records"));
    }
    (before.findings.record_count != findings.record_count)
        .then(|| format!("goes on: {records} records, score {score}"))
}

fn tell_incident(incident: &Incident) {
    let findings = &incident.findings;
    term("incident", incident.incident_id.as_str());
    term("agent", &format!("{} in Salesforce org {}", incident.agent.as_str(), incident.org_id));
    term(
        "when",
        &format!(
            "{} to {} UTC, {} log rows, {} records",
            findings.first_event_at.format("%Y-%m-%d %H:%M"),
            findings.last_event_at.format("%H:%M"),
            thousands(findings.row_count),
            thousands(findings.record_count),
        ),
    );
    let severity = &findings.severity;
    term("severity", severity.level.name());
    more("", &severity.arithmetic);
    term("score", &format!("{} of 100, from the weights of", findings.score));
    for signal in &findings.signals {
        more(&format!("{:>+4}  ", signal.weight), &signal.reason);
    }
    let mut label = "exposed";
    for (object, exposure) in &findings.exposures {
        let category = exposure.category.map_or("not classified", |category| category.label());
        term(label, &format!("{object}: {} records, {category}", thousands(exposure.record_count)));
        label = "";
    }
    let persons = findings.subject_estimate;
    let upper = persons.upper.map_or("unknown".to_owned(), thousands);
    term("persons", &format!("at least {}, at most {upper}", thousands(persons.lower)));
}

/// Prints each alert as the webhook received it, and the first email in full.
fn tell_alerts(stack: &LocalStack, receiver: &WebhookReceiver) -> Result<()> {
    for (request, notification) in receiver.alerts()? {
        let stage = notification.attribute("stage").unwrap_or("-");
        term(
            "webhook",
            &format!(
                "{} UTC, {} bytes of JSON, stage {stage}, severity {}",
                request.at_utc.format("%H:%M:%S%.3f"),
                notification.message.len(),
                notification.attribute("severity").unwrap_or("-"),
            ),
        );
    }
    let emails = stack.emulator().emails()?;
    for email in &emails {
        term("email", &format!("to {}: {}", email.to, email.subject));
    }
    let Some(email) = emails.first() else { bail!("no email went out") };
    println!("\n  The first email, as {} reads it:\n", email.to);
    quoted(&format!("Subject: {}\n\n{}", email.subject, email.body));
    Ok(())
}

fn tell_how_to_look_around(stack: &LocalStack) {
    let outputs = stack.outputs();
    println!("  Any program that speaks to AWS can look around, with these variables:\n");
    println!("    export AWS_ENDPOINT_URL={}", stack.emulator().endpoint());
    println!("    export AWS_REGION={REGION} AWS_DEFAULT_REGION={REGION}");
    println!("    export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test\n");
    println!("  The command of the last pages, as one of the people who decide:\n");
    println!(
        "    cargo run --package local -- incident list --stack {} --by NAME\n",
        stack.outputs_file().display()
    );
    println!("  With the Python that was installed for the demo, for example:\n");
    let python = ".tools/venv/bin/python3 -c";
    println!(
        "    {python} 'import boto3; [print(i[\"pk\"][\"S\"], i[\"sk\"][\"S\"]) for i in\n      \
         boto3.client(\"dynamodb\").scan(TableName=\"{}\")[\"Items\"]]'\n",
        outputs.incident_table
    );
    println!("  Let another log land, and see what comes of it here:\n");
    println!(
        "    {python} 'import boto3; boto3.client(\"s3\").upload_file(\"FILE.csv\",\n      \"{}\", \
         \"FILE.csv\")'\n",
        outputs.landing_bucket
    );
    term("incidents", &outputs.incident_table);
    term("tallies", &outputs.access_table);
    term("records", &format!("s3://{} (extracts/, quarantine/)", outputs.records_bucket));
    term("logs", &stack.emulator().folder().display().to_string());
}

/// Prints alerts as they come, for ever.
async fn stay(receiver: &WebhookReceiver) -> Result<()> {
    let mut told = receiver.alerts()?.len();
    loop {
        for (request, notification) in receiver.alerts()?.into_iter().skip(told) {
            let subject = notification.subject.unwrap_or_default();
            term("webhook", &format!("{} UTC, {subject}", request.at_utc.format("%H:%M:%S%.3f")));
            told = told.saturating_add(1);
        }
        tokio::time::sleep(LOOK).await;
    }
}
