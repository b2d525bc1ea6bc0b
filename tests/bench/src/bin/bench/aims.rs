//! What we aim at, beside what was measured.

use std::fmt::Write as _;

use crate::{readers::Reader, runs::Measured, table::megabytes};

/// How many times as fast as another reader ours shall be, by the title of the file.
const SPEED_AIMS: [(&str, Reader, f64); 3] = [
    ("few groups", Reader::Csv, 8.0),
    ("few groups", Reader::Polars, 6.0),
    ("many groups", Reader::Csv, 2.5),
];

/// Most time for gzip, over the decompressor's own.
const INFLATE_FACTOR_MAX: f64 = 1.2;

/// How many times as fast two threads shall be as one.
const TWO_THREADS_FACTOR_MIN: f64 = 1.8;

const PEAK_MEMORY_BYTES_MAX: u64 = 64_000_000;

/// A table of aims. An aim that this run cannot tell of is left out.
pub(crate) fn markdown(measured: &[Measured]) -> String {
    let mut text = String::from("| aim | measured | |\n|---|---|---|\n");
    let mut aim = |aim: String, measured: String, is_met: bool| {
        // Writing to a string does not fail.
        let _ =
            writeln!(text, "| {aim} | {measured} | {} |", if is_met { "met" } else { "missed" });
    };
    for ours in Reader::OURS {
        let name = ours.name();
        for (title, other, wanted) in SPEED_AIMS {
            let Some(times) = times_as_fast(measured, title, ours, other) else { continue };
            aim(
                format!("{name}, {title}: {wanted} × {}", other.name()),
                format!("{times:.2}"),
                times >= wanted,
            );
        }
        for file in measured {
            let Some(result) = file.of(ours) else { continue };
            if let Some(alone) = file.of(Reader::Inflate) {
                let factor = result.median() / alone.median();
                aim(
                    format!("{name}, gzip: at most {INFLATE_FACTOR_MAX} times the decompressor"),
                    format!("{factor:.2}"),
                    factor <= INFLATE_FACTOR_MAX,
                );
            }
        }
        let peak_memory_bytes = measured.iter().filter_map(|file| file.of(ours));
        if let Some(peak) = peak_memory_bytes.map(|result| result.peak_memory_bytes).max() {
            let largest = measured.iter().map(|file| file.truth.bytes).max().unwrap_or_default();
            aim(
                format!("{name}: memory under 64 MB, whatever the size"),
                format!(
                    "{:.1} MB, files up to {:.2} GB",
                    megabytes(peak),
                    megabytes(largest) / 1_000.0
                ),
                peak < PEAK_MEMORY_BYTES_MAX,
            );
        }
    }
    let two_files = measured.iter().find_map(|file| {
        Some((file.of(Reader::ScanOnOne)?.median(), file.of(Reader::ScanOnTwo)?.median()))
    });
    if let Some((on_one, on_two)) = two_files {
        let name = Reader::Scan.name();
        let times = on_one / on_two;
        aim(
            format!("{name}, two files: {TWO_THREADS_FACTOR_MIN} times as fast on two threads"),
            format!("{times:.2}"),
            times >= TWO_THREADS_FACTOR_MIN,
        );
    }
    text
}

fn times_as_fast(measured: &[Measured], title: &str, ours: Reader, other: Reader) -> Option<f64> {
    let file = measured.iter().find(|file| file.title == title)?;
    Some(file.of(other)?.median() / file.of(ours)?.median())
}

#[cfg(test)]
mod tests {
    use bench::data::Truth;

    use super::*;
    use crate::runs::Measurement;

    fn file(title: &'static str, results: &[(Reader, f64, u64)]) -> Measured {
        Measured {
            title,
            truth: Truth { rows: 1, agent_rows: 1, bytes: 2_000_000_000, stored_bytes: 1 },
            groups: None,
            results: results
                .iter()
                .map(|(reader, seconds, peak_memory_bytes)| Measurement {
                    reader: *reader,
                    seconds: vec![*seconds],
                    peak_memory_bytes: *peak_memory_bytes,
                })
                .collect(),
        }
    }

    #[test]
    fn an_aim_is_met_from_its_number_on_and_left_out_where_nobody_was_beside() {
        let text = markdown(&[
            file("few groups", &[(Reader::Scan, 1.0, 64_000_000), (Reader::Csv, 8.0, 0)]),
            file("few groups, gzip", &[(Reader::Scan, 1.3, 10), (Reader::Inflate, 1.0, 0)]),
            file("two files", &[(Reader::ScanOnOne, 1.9, 10), (Reader::ScanOnTwo, 1.0, 0)]),
        ]);
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| `breachclock scan`, few groups: 8 × csv crate | 8.00 | met |",
                "| `breachclock scan`, gzip: at most 1.2 times the decompressor | 1.30 | missed |",
                "| `breachclock scan`: memory under 64 MB, whatever the size | 64.0 MB, files up to 2.00 GB | missed |",
                "| `breachclock scan`, two files: 1.8 times as fast on two threads | 1.90 | met |",
            ]
        );
    }
}
