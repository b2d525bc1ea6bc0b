//! The tables as Markdown.

use std::fmt::Write as _;

use crate::{
    readers::Reader,
    runs::{Measured, Measurement, Method},
};

/// What the numbers are, and what they are not.
pub(crate) fn note(method: Method<'_>) -> String {
    let processor = match method.processor {
        Some(_) => "kept on one processor",
        None => "on whatever processor was free: `taskset` is not there to keep it on one",
    };
    format!(
        "Ours account for every row, and attribute, keep and tally those of agents; the others group every row by\n\
         user, object and client and add up its records. Each run is a process of its own with one thread of work,\n\
         {processor}, on a file that is in memory; the readers take turns, and ratios are of medians.\n\
         Gzip, and two files, are read with all processors: ours inflate in a thread of its own, and read as many\n\
         files at a time as they are told. Runs of each reader: {}.\n",
        method.runs
    )
}

/// One table over all files, and what each file is.
pub(crate) fn markdown(measured: &[Measured]) -> String {
    let mut text = String::new();
    for file in measured {
        let groups = file.groups.map(|groups| format!(" in {groups} groups")).unwrap_or_default();
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "- {}: {} rows{groups}, {} of them an agent's; {:.0} MB",
            file.title,
            file.truth.rows,
            file.truth.agent_rows,
            megabytes(file.truth.bytes)
        );
    }
    text.push_str(
        "\n| file | reader | median | best | GB/s | times the csv crate | two threads over one | peak memory |\n\
         |---|---|--:|--:|--:|--:|--:|--:|\n",
    );
    for file in measured {
        for result in &file.results {
            let _ = writeln!(text, "{}", row(file, result));
        }
    }
    text
}

fn row(file: &Measured, result: &Measurement) -> String {
    let beside = |other| file.of(other).map(|other| other.median() / result.median());
    let shown = |times: Option<f64>| times.map_or("–".to_owned(), |times| format!("{times:.2}"));
    let is_on_two = result.reader == Reader::ScanOnTwo;
    let over_one = if is_on_two { beside(Reader::ScanOnOne) } else { None };
    format!(
        "| {} | {} | {:.3} s | {:.3} s | {:.2} | {} | {} | {:.1} MB |",
        file.title,
        result.reader.name(),
        result.median(),
        result.best(),
        megabytes(file.truth.bytes) / 1_000.0 / result.median(),
        shown(beside(Reader::Csv)),
        shown(over_one),
        megabytes(result.peak_memory_bytes)
    )
}

/// Millions of bytes.
pub(crate) fn megabytes(bytes: u64) -> f64 {
    let kilobytes = bytes.checked_div(1_000).unwrap_or(0);
    f64::from(u32::try_from(kilobytes).unwrap_or(u32::MAX)) / 1_000.0
}

#[cfg(test)]
mod tests {
    use bench::data::Truth;

    use super::*;

    #[test]
    fn a_row_has_its_speed_and_its_ratio_from_medians() {
        let of = |reader, seconds: &[f64]| Measurement {
            reader,
            seconds: seconds.to_vec(),
            peak_memory_bytes: 12_345_678,
        };
        let file = Measured {
            title: "few groups",
            truth: Truth { rows: 10, agent_rows: 1, bytes: 400_000_000, stored_bytes: 400_000_000 },
            groups: Some(7),
            results: vec![of(Reader::Scan, &[0.1, 0.2, 0.9]), of(Reader::Csv, &[0.9, 1.0, 1.1])],
        };
        let text = markdown(&[file]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "- few groups: 10 rows in 7 groups, 1 of them an agent's; 400 MB",
                "",
                "| file | reader | median | best | GB/s | times the csv crate | two threads over one | peak memory |",
                "|---|---|--:|--:|--:|--:|--:|--:|",
                "| few groups | `breachclock scan` | 0.200 s | 0.100 s | 2.00 | 5.00 | – | 12.3 MB |",
                "| few groups | csv crate | 1.000 s | 0.900 s | 0.40 | 1.00 | – | 12.3 MB |",
            ]
        );
    }
}
