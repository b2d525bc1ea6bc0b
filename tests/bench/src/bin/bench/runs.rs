//! Runs in turn, each a process of its own, and the check that all of them found the same.

use std::{
    fs::File,
    io::{self, Read as _},
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use anyhow::{Context as _, Result, bail, ensure};
use bench::{
    Found,
    data::{LogData, Truth},
};
use wait4::Wait4 as _;

use crate::readers::{Programs, Reader};

/// All runs on one file.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    /// What the file is called in the tables.
    pub(crate) title: &'static str,
    pub(crate) truth: Truth,
    /// Groups by user, object and client, where somebody counted them.
    pub(crate) groups: Option<u64>,
    /// In the order in which the tables show them.
    pub(crate) results: Vec<Measurement>,
}

/// The runs of one reader on one file.
#[derive(Clone, Debug)]
pub(crate) struct Measurement {
    pub(crate) reader: Reader,
    /// Ascending.
    pub(crate) seconds: Vec<f64>,
    /// The highest of all runs.
    pub(crate) peak_memory_bytes: u64,
}

impl Measured {
    pub(crate) fn of(&self, reader: Reader) -> Option<&Measurement> {
        self.results.iter().find(|result| result.reader == reader)
    }
}

impl Measurement {
    pub(crate) fn best(&self) -> f64 {
        self.seconds.first().copied().unwrap_or(f64::NAN)
    }

    /// The middle one; of an even number, the slower of the two.
    pub(crate) fn median(&self) -> f64 {
        let middle = self.seconds.len().checked_div(2).unwrap_or(0);
        self.seconds.get(middle).copied().unwrap_or(f64::NAN)
    }
}

/// How the readers are run.
#[derive(Clone, Copy)]
pub(crate) struct Method<'a> {
    pub(crate) programs: &'a Programs,
    /// Runs of each reader on each file.
    pub(crate) runs: usize,
    /// The processor that every run is kept on, where that can be done.
    pub(crate) processor: Option<usize>,
}

/// Has every reader read the file, one after another and then all again, so that what else the machine does hits
/// each alike.
pub(crate) fn measure(
    method: Method<'_>,
    title: &'static str,
    data: &LogData,
    readers: &[Reader],
) -> Result<Measured> {
    let Method { programs, runs, processor } = method;
    warm(data)?;
    let mut results: Vec<Measurement> = readers
        .iter()
        .map(|reader| Measurement { reader: *reader, seconds: Vec::new(), peak_memory_bytes: 0 })
        .collect();
    let mut groups = None;
    for number in 1..=runs {
        eprintln!("Reading: {title}, run {number} of {runs}");
        for result in &mut results {
            let run = run(programs, result.reader, data, processor)
                .with_context(|| format!("{} on {}", result.reader.name(), data.path.display()))?;
            check(run.found, data.truth, &mut groups)
                .with_context(|| format!("{} on {}", result.reader.name(), data.path.display()))?;
            result.seconds.push(run.seconds);
            result.peak_memory_bytes = result.peak_memory_bytes.max(run.peak_memory_bytes);
        }
    }
    for result in &mut results {
        result.seconds.sort_by(f64::total_cmp);
    }
    Ok(Measured { title, truth: data.truth, groups: groups.map(|(groups, _)| groups), results })
}

struct Run {
    seconds: f64,
    peak_memory_bytes: u64,
    found: Found,
}

fn run(
    programs: &Programs,
    reader: Reader,
    data: &LogData,
    processor: Option<usize>,
) -> Result<Run> {
    let mut command = programs.command(reader, &data.path, processor);
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} cannot be started", command.get_program().display()))?;
    // Both are read to their end before the process is waited for, so that no full pipe can hold it up.
    let mut errors = child.stderr.take().context("no standard error")?;
    let complaint = thread::spawn(move || {
        let mut text = String::new();
        errors.read_to_string(&mut text).map(|_| text)
    });
    let mut printed = String::new();
    child.stdout.take().context("no standard output")?.read_to_string(&mut printed)?;
    let ended = child.wait4()?;
    let process_seconds = began.elapsed().as_secs_f64();
    if !ended.status.success() {
        let complaint = complaint.join().ok().and_then(io::Result::ok).unwrap_or_default();
        bail!("it failed ({}): {}", ended.status, complaint.trim());
    }
    let answer = reader.answer(&printed, process_seconds)?;
    Ok(Run { seconds: answer.seconds, peak_memory_bytes: ended.rusage.maxrss, found: answer.found })
}

/// Fails where a reader did not find what is true, or not the groups and records that those before it found.
fn check(found: Found, truth: Truth, grouped: &mut Option<(u64, u64)>) -> Result<()> {
    match found {
        Found::Accounted { rows, agent_rows } => ensure!(
            (rows, agent_rows) == (truth.rows, truth.agent_rows),
            "it found {rows} rows, {agent_rows} of them agents'; there are {} and {}",
            truth.rows,
            truth.agent_rows
        ),
        Found::Grouped { rows, groups, records } => {
            ensure!(rows == truth.rows, "it found {rows} rows; there are {}", truth.rows);
            let (known_groups, known_records) = *grouped.get_or_insert((groups, records));
            ensure!(
                (groups, records) == (known_groups, known_records),
                "it found {groups} groups with {records} records; another reader found \
                 {known_groups} with {known_records}"
            );
        }
        Found::Inflated { bytes } => {
            ensure!(bytes == truth.bytes, "it inflated {bytes} bytes; there are {}", truth.bytes);
        }
    }
    Ok(())
}

/// Reads the files once, so that the first reader does not wait for the disk on behalf of all others.
fn warm(data: &LogData) -> Result<()> {
    let cannot = || format!("{} cannot be read", data.path.display());
    for path in data.files().with_context(cannot)? {
        let mut file = File::open(&path).with_context(cannot)?;
        io::copy(&mut file, &mut io::sink())?;
    }
    Ok(())
}

/// The last processor, where `taskset` is there and can keep a process on it.
pub(crate) fn processor_to_pin() -> Option<usize> {
    let processor = thread::available_parallelism().ok()?.get().checked_sub(1)?;
    let mut trial = Command::new("taskset");
    trial.arg("--cpu-list").arg(processor.to_string()).arg("true");
    let status = trial.stdin(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success()).then_some(processor)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUTH: Truth = Truth { rows: 9, agent_rows: 2, bytes: 100, stored_bytes: 100 };

    #[test]
    fn whoever_finds_something_else_fails_the_bench() {
        let grouped = |rows, groups, records| Found::Grouped { rows, groups, records };
        let mut known = None;
        assert!(check(Found::Accounted { rows: 9, agent_rows: 2 }, TRUTH, &mut known).is_ok());
        assert!(check(Found::Accounted { rows: 9, agent_rows: 1 }, TRUTH, &mut known).is_err());
        assert!(check(Found::Accounted { rows: 8, agent_rows: 2 }, TRUTH, &mut known).is_err());
        assert!(check(Found::Inflated { bytes: 99 }, TRUTH, &mut known).is_err());
        assert!(check(grouped(8, 3, 30), TRUTH, &mut known).is_err());
        assert!(check(grouped(9, 3, 30), TRUTH, &mut known).is_ok());
        assert!(check(grouped(9, 3, 30), TRUTH, &mut known).is_ok());
        assert!(check(grouped(9, 4, 30), TRUTH, &mut known).is_err());
        assert!(check(grouped(9, 3, 31), TRUTH, &mut known).is_err());
    }

    #[test]
    fn best_and_median_are_of_sorted_runs() {
        let runs = |seconds: &[f64]| Measurement {
            reader: Reader::Csv,
            seconds: seconds.to_vec(),
            peak_memory_bytes: 0,
        };
        let odd = runs(&[1.0, 2.0, 9.0]);
        assert_eq!(
            (odd.best().to_bits(), odd.median().to_bits()),
            (1f64.to_bits(), 2f64.to_bits())
        );
        assert_eq!(runs(&[1.0, 2.0]).median().to_bits(), 2f64.to_bits());
    }
}
