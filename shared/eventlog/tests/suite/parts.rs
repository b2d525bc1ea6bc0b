//! A file that is read in parts is the file.

use eventlog::{
    reader::{Part, ReadLimits, find_parts, read_part},
    report::FileReport,
};
use proptest::prelude::*;

use crate::support::{APP, Kept, ORG, USER, directory, read_with};

const LIMITS: ReadLimits = ReadLimits {
    max_row_bytes: 400,
    max_quarantined_bytes: 64,
    max_inflated_bytes: u64::MAX,
    max_inflation_ratio: u64::MAX,
    ratio_applies_above_bytes: 0,
};

fn in_parts(log: &[u8], part_bytes: u64) -> (Kept, FileReport, Vec<Part>) {
    let parts = find_parts(log, &LIMITS, part_bytes).unwrap().unwrap();
    let mut kept = Kept::default();
    let mut report = FileReport::default();
    for part in &parts {
        let [from, until] = [part.from, part.until].map(|at| usize::try_from(at).unwrap());
        let of_part = read_part(&log[from..until], part, &directory(), &LIMITS, &mut kept).unwrap();
        report.add(&of_part);
    }
    (kept, report, parts)
}

/// The header is not in any part.
fn without_bytes(report: FileReport) -> FileReport {
    FileReport { read_bytes: 0, inflated_bytes: 0, ..report }
}

fn assert_same(log: &[u8], part_bytes: u64) {
    let (whole, report) = read_with(log, &LIMITS);
    let (kept, of_parts, parts) = in_parts(log, part_bytes);
    assert_eq!(whole.rows, kept.rows, "{parts:?}");
    assert_eq!(whole.quarantined, kept.quarantined, "{parts:?}");
    assert_eq!(without_bytes(report.unwrap()), without_bytes(of_parts), "{parts:?}");
    let is_gapless = parts.windows(2).all(|pair| pair[0].until == pair[1].from);
    assert!(is_gapless && parts.last().unwrap().until == u64::try_from(log.len()).unwrap());
}

const HEADER: &str = "EVENT_TYPE,TIMESTAMP,ORGANIZATION_ID,USER_ID,CONNECTED_APP_ID,QUERY";

#[test]
fn a_newline_inside_a_field_ends_no_part() {
    let row = |query: &str| format!("RestApi,20261124090000.000,{ORG},{USER},,\"{query}\"\n");
    // The second line of each query looks like a row of another agent.
    let hostile = format!("SELECT\nRestApi,20261124090000.000,{ORG},0055g00000Eve01,{APP},x\n");
    let log = format!("{HEADER}\n{}", row(&hostile).repeat(50));
    let (kept, report, parts) = in_parts(log.as_bytes(), 200);
    assert!(parts.len() > 20, "{}", parts.len());
    assert_eq!((report.rows, report.agent_rows, kept.rows.len()), (50, 50, 50));
    assert!(kept.rows.iter().all(|(row, _)| row.identity.user_id.as_deref() == Some(USER)));
    assert_same(log.as_bytes(), 200);
}

#[test]
fn what_cannot_be_cut_is_left_whole() {
    for log in [&b"\x1F\x8B\x08\x00"[..], b"", b"<html>", b"{\"EVENT_TYPE\":1}", b"a,b\n1,2\n"] {
        assert_eq!(find_parts(log, &LIMITS, 10).unwrap(), None, "{log:?}");
    }
}

#[test]
fn a_part_that_begins_like_gzip_is_none() {
    let row = format!("RestApi,20261124090000.000,{ORG},{USER},,\n");
    // Behind what is looked at to tell what a file is.
    let before = format!("{HEADER}\n{}", row.repeat(20));
    let log = [before.as_bytes(), b"\x1F\x8B\x08,b\n", row.as_bytes()].concat();
    assert_same(&log, 1);
}

proptest! {
    #[test]
    fn parts_of_any_size_come_to_what_the_whole_comes_to(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "RestApi,20261124090000.000,00D5g000004Hq3K,0055g00000Bot01,,\"SELECT Id\nFROM Contact\"\n",
                "RestApi,20261124090001.000,00D5g000004Hq3K,0055g00000Ann01,,\r\n",
                "\"RestApi\",\"20261124100001.000\",\"00D5g000004Hq3K\",\"0055g00000Ann01\",\"0H45g0000006mTq\",\"\"\n",
                "URI,20261124090000.000,00D5g000004Hq3K,0055g00000Ann01,,\"a \"\"quoted\"\" one\"\n",
                "RestApi,20261124090000.000,00D5g000004Hq3K,0055g00000Bot01,,\"an \"odd\" one\"\n",
                "RestApi,not a time,00D5g000004Hq3K,0055g00000Bot01,,\n",
                "Nonsense,20261124090000.000,00D5g000004Hq3K,,,\n",
                "one,field\n",
                "\n",
                "\"never closed,",
                "EVENT_TYPE,ORGANIZATION_ID,TIMESTAMP,USER_ID,QUERY,CONNECTED_APP_ID\n",
                "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            ]),
            0..40,
        ),
        part_bytes in 1_u64..600,
    ) {
        let log = format!("{HEADER}\n{}", pieces.concat());
        assert_same(log.as_bytes(), part_bytes);
    }
}
