//! A large log is read in parts, by as many readers as the queue wakes.
//!
//! Whoever finds it large finds where it can be cut, and leaves the parts in the queue. Each part is read as a file
//! is, and noted; whoever notes the last one adds up the hours that any of them touches and closes the register. Two
//! that note at the same moment both see all parts, and do the same twice.
//!
//! A part that nobody can read must not keep the others from being judged: from time to time somebody looks, adds up
//! what was read by then, and in the end says in the register which parts were not.

use std::{collections::BTreeSet, sync::Arc};

use chrono::TimeDelta;
use eventlog::{
    reader::{Part, find_parts},
    report::FileReport,
};
use ports::{
    FileOutcome, FileRecord, LandedObject, PartRecord, PartWork, PartedObject, PartsLook, Ports,
    Work,
};
use tokio_util::io::SyncIoBridge;

use super::{
    IngestSettings, Taken, note_report,
    reading::{Body, Reading},
    refused, register, report_of, take, tally_hour, unread,
};
use crate::{
    Result, configuration,
    delivery::{note_arrivals, note_tampering},
};

/// Time between two looks.
const LOOK_AFTER: TimeDelta = TimeDelta::minutes(15);

/// Two hours: longer than a part takes that is read at the first attempt, however long its queue.
const LOOKS_MAX: i32 = 8;

/// Parts of a file that its register entry names, where they could not be read.
const REASONS_MAX: usize = 10;

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
    landed_at: chrono::DateTime<chrono::Utc>,
    parts: Vec<Part>,
) -> Result<FileRecord> {
    let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    file.outcome = FileOutcome::InParts { part_count: count };
    // Before the parts are, one of which closes the register.
    ports.access.put_file(&file).await?;
    let of = PartedObject {
        object: landed.clone(),
        e_tag: file.e_tag.clone(),
        size_bytes: file.size_bytes,
        count,
        read_at: file.read_at,
        landed_at,
    };
    for (number, part) in (0..count).zip(parts) {
        ports.queue.put(&Work::ReadPart(PartWork { of: of.clone(), number, part })).await?;
    }
    ports.queue.put_later(&Work::LookAtParts(PartsLook { of, look: 1 }), LOOK_AFTER).await?;
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
    let PartWork { of, number, part } = work;
    let file = unread_parts(of);
    let stored = configuration(ports).await?;
    let directory = Arc::new(stored.configuration.directory());
    let source = Reading {
        part: Some((*number, part.clone())),
        ..Reading::whole(&of.object, &file, &stored.configuration)
    };
    let Taken { touched, read, joined_row_count } =
        take(ports, settings, directory, &source, None).await?;
    let broken = read.as_ref().err().map(ToString::to_string);
    let record = PartRecord {
        source_hash: file.source_hash.clone(),
        number: *number,
        read_at: of.read_at,
        report: report_of(&read).cloned().unwrap_or_default(),
        joined_row_count,
        touched,
        broken: broken.clone(),
    };
    ports.access.put_part(&record).await?;
    let parts = ports.access.parts(&file.source_hash).await?;
    // Nobody looks any more where it was read so late.
    let is_after_looks = ports.clock.now() - of.read_at >= LOOK_AFTER * LOOKS_MAX;
    let closed = if is_after_looks || are_all(&parts, of) {
        Some(close(ports, settings, of, parts).await?)
    } else {
        None
    };
    match broken {
        None => Ok(closed),
        Some(reason) => {
            let reason = format!("was not read to the end of part {number}: {reason}");
            Err(refused(&of.object, &reason, closed))
        }
    }
}

/// Counts the parts that were read by now. The last look closes the register and says which were not; where one of them
/// is read after all, it closes the register anew.
pub(super) async fn look(
    ports: &Ports,
    settings: &IngestSettings,
    PartsLook { of, look }: &PartsLook,
) -> Result<Option<FileRecord>> {
    let source_hash = unread_parts(of).source_hash;
    let parts = ports.access.parts(&source_hash).await?;
    let is_whole = are_all(&parts, of);
    if !is_whole {
        let PartedObject { object: LandedObject { bucket, key, .. }, .. } = of;
        tracing::warn!(
            bucket,
            key,
            read_count = parts.len(),
            part_count = of.count,
            look,
            "parts of a file have not been read"
        );
        if i32::try_from(*look).unwrap_or(i32::MAX) < LOOKS_MAX {
            add_up(ports, settings, of, &parts).await?;
            let next = PartsLook { of: of.clone(), look: look.saturating_add(1) };
            ports.queue.put_later(&Work::LookAtParts(next), LOOK_AFTER).await?;
            return Ok(None);
        }
    }
    let seen = parts.len();
    let mut closed = close(ports, settings, of, parts).await?;
    // One that was noted meanwhile may have closed before this did.
    let parts = ports.access.parts(&source_hash).await?;
    if parts.len() > seen {
        closed = close(ports, settings, of, parts).await?;
    }
    // Where all parts were read, whoever read the last one has told of the file.
    Ok((!is_whole).then_some(closed))
}

/// The register entry of a file of whose parts nothing is known.
fn unread_parts(of: &PartedObject) -> FileRecord {
    FileRecord {
        e_tag: of.e_tag.clone(),
        size_bytes: of.size_bytes,
        ..unread(&of.object, of.read_at)
    }
}

fn are_all(parts: &[PartRecord], of: &PartedObject) -> bool {
    parts.len() >= usize::try_from(of.count).unwrap_or(usize::MAX)
}

/// What parts come to together.
struct Sum {
    report: FileReport,
    hour_count: usize,
    joined_row_count: u64,
}

/// Adds up what these parts touched.
async fn add_up(
    ports: &Ports,
    settings: &IngestSettings,
    of: &PartedObject,
    parts: &[PartRecord],
) -> Result<Sum> {
    let mut report = FileReport::default();
    let (mut touched, mut joined_row_count) = (BTreeSet::new(), 0_u64);
    for part in parts {
        report.add(&part.report);
        touched.extend(&part.touched);
        joined_row_count = joined_row_count.saturating_add(part.joined_row_count);
    }
    let hour_count = touched.len();
    for hour in touched {
        tally_hour(ports, settings, hour, of.read_at).await?;
    }
    note_arrivals(ports, &report.hours, of.landed_at).await?;
    note_tampering(ports, &report.tampering, of.read_at).await?;
    Ok(Sum { report, hour_count, joined_row_count })
}

/// Adds up what the parts touched, and closes the register.
async fn close(
    ports: &Ports,
    settings: &IngestSettings,
    of: &PartedObject,
    parts: Vec<PartRecord>,
) -> Result<FileRecord> {
    let Sum { report, hour_count, joined_row_count } = add_up(ports, settings, of, &parts).await?;
    let mut file = unread_parts(of);
    let read: BTreeSet<u32> = parts.iter().map(|part| part.number).collect();
    let missing = (0..of.count).filter(|number| !read.contains(number));
    let missing = missing.map(|number| format!("part {number}: it was never read to its end"));
    let broken = parts.into_iter().filter_map(|part| {
        let reason = part.broken?;
        Some(format!("part {}: {reason}", part.number))
    });
    let reasons: Vec<String> = broken.chain(missing).take(REASONS_MAX).collect();
    if !reasons.is_empty() {
        file.outcome = FileOutcome::Broken { reason: reasons.join("; ") };
    }
    note_report(&mut file, &report, joined_row_count);
    register(ports, &file, hour_count).await?;
    Ok(file)
}
