//! A `RestApi` file of any size, as a stream: memory stays flat, so that a reader's memory can be measured.

use std::io::{self, Write};

use crate::{
    agents::{Agents, read_call},
    dice::{Dice, after},
    log_file::{LogFile, Row},
    midnight,
    organisation::{Caller, SUPPORT_COPILOT},
    people::People,
    stage::{Actor, RestCall, Stage},
};

/// What a big file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BigFile {
    /// Rows, without the header.
    pub rows: u64,
    /// Rows of the support copilot, each a read of one case within its purpose. At most 300 however big
    /// the file, so that the hour's limit of 400 records is kept.
    pub agent_rows: u64,
    /// Bytes.
    pub bytes: u64,
}

const AGENT_ROWS: u64 = 300;

/// Stands for what changes from row to row while a row is cut into its fixed parts.
const GAP: &str = "\u{1}";

/// Writes `rows` rows of 24 November 2026, 09:00 to 10:00 UTC, spread evenly: people on their phones, an
/// integration that no agent is behind, and a few rows of one agent. No two rows are alike. A row takes
/// about 420 bytes; a gigabyte is about 2.4 million.
///
/// # Errors
/// Whatever `writer` answers with.
pub fn write(rows: u64, seed: u64, writer: &mut impl Write) -> io::Result<BigFile> {
    let mut dice = Dice::new(seed, 50);
    let (others, agents) = (templates(&others(seed)), templates(&agent_rows(seed)));
    let mut big_file = BigFile { rows, ..BigFile::default() };

    let header = others.header.as_bytes();
    writer.write_all(header)?;
    big_file.bytes = length(header);
    // The first row is the agent's, so that a file of any size has one.
    let step = rows.div_ceil(AGENT_ROWS).max(1);
    let mut line = Vec::new();
    for number in 0..rows {
        let is_agent = number.checked_rem(step) == Some(0);
        let choices = if is_agent { &agents.rows } else { &others.rows };
        big_file.agent_rows += u64::from(is_agent);
        let Some([start, after_time, after_request, end]) = dice.pick(choices) else { continue };

        let millisecond = number.saturating_mul(3_600_000).checked_div(rows).unwrap_or(0);
        let (minute, second) = (millisecond / 60_000, millisecond / 1_000 % 60);
        let fraction = millisecond % 1_000;
        line.clear();
        write!(
            line,
            "{start}2026112409{minute:02}{second:02}.{fraction:03}{after_time}BIG{number:019}{after_request}\
             2026-11-24T09:{minute:02}:{second:02}.{fraction:03}Z{end}"
        )?;
        writer.write_all(&line)?;
        big_file.bytes = big_file.bytes.saturating_add(length(&line));
    }
    Ok(big_file)
}

struct Templates {
    header: String,
    rows: Vec<[String; 4]>,
}

/// Rows as text, cut at the time, the request id and the derived time.
fn templates(file: &LogFile) -> Templates {
    let cut = |row: &Row| {
        let row = row
            .clone()
            .with("TIMESTAMP", GAP)
            .with("REQUEST_ID", GAP)
            .with("TIMESTAMP_DERIVED", GAP);
        let mut parts = as_text(&LogFile { rows: vec![row], ..file.clone() });
        let header_end = parts.find('\n').map_or(0, |end| end.saturating_add(1));
        parts.drain(..header_end);
        let parts: Vec<String> = parts.split(GAP).map(str::to_owned).collect();
        <[String; 4]>::try_from(parts).ok()
    };
    Templates {
        header: as_text(&LogFile { rows: Vec::new(), ..file.clone() }),
        rows: file.rows.iter().filter_map(cut).collect(),
    }
}

fn as_text(file: &LogFile) -> String {
    String::from_utf8_lossy(&file.to_csv()).into_owned()
}

/// Some hundred calls of people and of an integration.
fn others(seed: u64) -> LogFile {
    let mut dice = Dice::new(seed, 51);
    let (mut stage, people) = (Stage::default(), People::of(seed));
    for _ in 0..10 {
        people.work(&mut stage, &mut dice, midnight(0), 100, false);
    }
    let bridge = Caller {
        user_id: "0055g00000Int05".to_owned(),
        address: "198.51.100.90".to_owned(),
        client_name: "erp-bridge",
        ..Caller::default()
    };
    for _ in 0..200 {
        let at = dice.moment(midnight(0));
        let call = RestCall {
            records: dice.between(1, 200),
            ..read_call("Order", "/services/data/v60.0/query".to_owned())
        };
        stage.rest(&mut dice, at, Actor { agent: None, caller: &bridge }, call);
    }
    rest_file(stage)
}

fn agent_rows(seed: u64) -> LogFile {
    let mut dice = Dice::new(seed, 52);
    let (mut stage, agents) = (Stage::default(), Agents::of(seed));
    let actor = Actor { agent: Some(SUPPORT_COPILOT), caller: &agents.support };
    for number in 0..50 {
        let uri = format!("/services/data/v60.0/sobjects/Case/5005g00000{}", dice.text(5));
        stage.rest(&mut dice, after(midnight(0), number), actor, read_call("Case", uri));
    }
    rest_file(stage)
}

fn rest_file(stage: Stage) -> LogFile {
    let (files, _) = stage.into_files();
    let file = files.into_iter().find(|file| file.event_type == "RestApi");
    file.unwrap_or_else(|| LogFile::empty("RestApi"))
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
