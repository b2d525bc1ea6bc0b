//! A large log is read in parts, by as many readers as the queue wakes.
//!
//! Whoever finds it large finds where it can be cut, and leaves the parts in the queue. Each part is read as a file
//! is, and noted; whoever notes the last one adds up the hours that any of them touches and closes the register. Two
//! that note at the same moment both see all parts, and do the same twice.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use eventlog::{
    reader::{Part, find_parts},
    report::FileReport,
};
use ports::{FileOutcome, FileRecord, LandedObject, PartRecord, PartWork, Ports, Work};
use tokio_util::io::SyncIoBridge;

use super::{
    IngestSettings, Taken, note_report,
    reading::{Body, Reading},
    refused, register, report_of, take, tally_hour, unread,
};
use crate::{Result, configuration, delivery::note_arrivals};

/// Where the object can be cut; `None` where it has to be read whole.
pub(super) async fn plan(settings: &IngestSettings, body: Body) -> Result<Option<Vec<Part>>> {
    let (limits, part_bytes) = (settings.limits, settings.part_bytes);
    let finding = tokio::task::spawn_blocking(move || {
        find_parts(SyncIoBridge::new(body), &limits, part_bytes)
    });
    // Where it breaks off, the reading will say so, and keep what came before.
    let parts = finding.await?.ok().flatten();
    Ok(parts.filter(|parts| parts.len() > 1))
}

/// Leaves the parts to others.
pub(super) async fn leave(
    ports: &Ports,
    landed: &LandedObject,
    mut file: FileRecord,
    landed_at: DateTime<Utc>,
    parts: Vec<Part>,
) -> Result<FileRecord> {
    let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    file.outcome = FileOutcome::InParts { part_count: count };
    // Before the parts are, one of which closes the register.
    ports.access.put_file(&file).await?;
    for (number, part) in (0..count).zip(parts) {
        let (object, read_at) = (landed.clone(), file.read_at);
        ports
            .queue
            .put(&Work::ReadPart(PartWork { object, number, count, part, read_at, landed_at }))
            .await?;
    }
    tracing::info!(
        bucket = file.bucket,
        key = file.key,
        size_bytes = file.size_bytes,
        part_count = count,
        "left a file to be read in parts"
    );
    Ok(file)
}

/// Reads a part, and where it is the last to be read, closes the file.
pub(super) async fn read(
    ports: &Ports,
    settings: &IngestSettings,
    work: &PartWork,
) -> Result<Option<FileRecord>> {
    let PartWork { object, number, count, part, read_at, landed_at } = work;
    let file = unread(object, *read_at);
    let directory = Arc::new(configuration(ports).await?.configuration.directory());
    let source = Reading { part: Some((*number, part.clone())), ..Reading::whole(object, &file) };
    let Taken { touched, read, joined_row_count } =
        take(ports, settings, directory, &source, None).await?;
    let broken = read.as_ref().err().map(ToString::to_string);
    let record = PartRecord {
        source_hash: file.source_hash.clone(),
        number: *number,
        read_at: *read_at,
        report: report_of(&read).cloned().unwrap_or_default(),
        joined_row_count,
        touched,
        broken: broken.clone(),
    };
    ports.access.put_part(&record).await?;
    let parts = ports.access.parts(&file.source_hash).await?;
    let closed = if parts.len() < usize::try_from(*count).unwrap_or(usize::MAX) {
        None
    } else {
        Some(close(ports, settings, file, *landed_at, parts).await?)
    };
    match broken {
        None => Ok(closed),
        Some(reason) => {
            Err(refused(object, &format!("was not read to the end of part {number}: {reason}")))
        }
    }
}

/// Adds up what all parts touched, and closes the register.
async fn close(
    ports: &Ports,
    settings: &IngestSettings,
    mut file: FileRecord,
    landed_at: DateTime<Utc>,
    parts: Vec<PartRecord>,
) -> Result<FileRecord> {
    let mut report = FileReport::default();
    let (mut touched, mut joined_row_count) = (BTreeSet::new(), 0_u64);
    for part in parts {
        report.add(&part.report);
        touched.extend(part.touched);
        joined_row_count = joined_row_count.saturating_add(part.joined_row_count);
        if let Some(reason) = part.broken {
            let reason = format!("part {}: {reason}", part.number);
            file.outcome = FileOutcome::Broken { reason };
        }
    }
    for hour in &touched {
        tally_hour(ports, settings, hour, file.read_at).await?;
    }
    note_arrivals(ports, &report.hours, landed_at).await?;
    file.size_bytes = report.read_bytes;
    note_report(&mut file, &report, joined_row_count);
    register(ports, &file, touched.len()).await?;
    Ok(file)
}
