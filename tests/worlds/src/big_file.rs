//! A `RestApi` file of any size, as a stream: memory stays flat, so that a reader's memory can be measured.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

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

/// Whose rows a big file holds, besides the few of one agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Callers {
    /// The forty people and the integration of the organisation.
    #[default]
    Organisation,
    /// Users of an organisation so large that the rows fall into about this many groups by user, object
    /// and client; each row is of one of them, drawn evenly.
    Groups(u64),
}

/// Writes `rows` rows of 24 November 2026, 09:00 to 10:00 UTC, spread evenly: people on their phones, an
/// integration that no agent is behind, and a few rows of one agent. No two rows are alike. A row takes
/// about 420 bytes; a gigabyte is about 2.4 million.
///
/// # Errors
/// Whatever `writer` answers with.
pub fn write(rows: u64, seed: u64, writer: &mut impl Write) -> io::Result<BigFile> {
    write_of(rows, seed, Callers::Organisation, writer)
}

/// [`write`], with other callers.
///
/// # Errors
/// Whatever `writer` answers with.
pub fn write_of(
    rows: u64,
    seed: u64,
    callers: Callers,
    writer: &mut impl Write,
) -> io::Result<BigFile> {
    let mut dice = Dice::new(seed, 50);
    let others = match callers {
        Callers::Organisation => Templates::of(&others(seed)),
        Callers::Groups(_) => Templates::of_any_user(&others(seed)),
    };
    let agents = Templates::of(&agent_rows(seed));
    let mut big_file = BigFile { rows, ..BigFile::default() };

    let header = others.header.as_bytes();
    writer.write_all(header)?;
    big_file.bytes = length(header);
    // The first row is the agent's, so that a file of any size has one.
    let step = rows.div_ceil(AGENT_ROWS).max(1);
    let mut line = Vec::new();
    for number in 0..rows {
        let is_agent = number.checked_rem(step) == Some(0);
        big_file.agent_rows += u64::from(is_agent);
        let (template, user) = match (is_agent, callers) {
            (true, _) => (dice.pick(&agents.rows), 0),
            (false, Callers::Organisation) => (dice.pick(&others.rows), 0),
            (false, Callers::Groups(groups)) => others.of_group(dice.below(groups)),
        };
        let Some(template) = template else { continue };
        line.clear();
        let millisecond = number.saturating_mul(3_600_000).checked_div(rows).unwrap_or(0);
        write_row(&mut line, template, Changing { number, millisecond, user })?;
        writer.write_all(&line)?;
        big_file.bytes = big_file.bytes.saturating_add(length(&line));
    }
    Ok(big_file)
}

/// What changes from row to row.
#[derive(Clone, Copy)]
struct Changing {
    number: u64,
    /// Since the start of the hour.
    millisecond: u64,
    user: u64,
}

/// A column whose value changes from row to row.
#[derive(Clone, Copy)]
enum Slot {
    Time,
    Request,
    DerivedTime,
    User,
    DerivedUser,
}

impl Slot {
    const ALL: [(Slot, &str, char); 5] = [
        (Slot::Time, "TIMESTAMP", '\u{1}'),
        (Slot::Request, "REQUEST_ID", '\u{2}'),
        (Slot::DerivedTime, "TIMESTAMP_DERIVED", '\u{3}'),
        (Slot::User, "USER_ID", '\u{4}'),
        (Slot::DerivedUser, "USER_ID_DERIVED", '\u{5}'),
    ];

    /// The slot that the letter stands for while a row is cut into its pieces.
    fn of(letter: char) -> Option<Self> {
        Self::ALL.iter().find(|(.., mark)| *mark == letter).map(|(slot, ..)| *slot)
    }
}

/// Whether the letter stands for a slot; nothing else in a row is such a letter.
fn is_mark(letter: char) -> bool {
    letter < '\u{6}'
}

/// A part of a row that stays, and what comes after it.
struct Piece {
    text: String,
    then: Option<Slot>,
}

fn write_row(line: &mut Vec<u8>, pieces: &[Piece], changing: Changing) -> io::Result<()> {
    let Changing { number, millisecond, user } = changing;
    let (minute, second) = (millisecond / 60_000, millisecond / 1_000 % 60);
    let fraction = millisecond % 1_000;
    for Piece { text, then } in pieces {
        line.extend_from_slice(text.as_bytes());
        match then {
            None => {}
            Some(Slot::Time) => write!(line, "2026112409{minute:02}{second:02}.{fraction:03}")?,
            Some(Slot::Request) => write!(line, "BIG{number:019}")?,
            Some(Slot::DerivedTime) => {
                write!(line, "2026-11-24T09:{minute:02}:{second:02}.{fraction:03}Z")?;
            }
            Some(Slot::User) => write!(line, "0055g00{user:08}")?,
            // An id without capitals ends in AAA.
            Some(Slot::DerivedUser) => write!(line, "0055g00{user:08}AAA")?,
        }
    }
    Ok(())
}

/// Rows as text, cut where they change.
struct Templates {
    header: String,
    rows: Vec<Vec<Piece>>,
}

impl Templates {
    /// Rows that keep their user.
    fn of(file: &LogFile) -> Self {
        Self::cut(file, |column| !column.starts_with("USER_ID"))
    }

    /// One row for each object and client, of whatever user.
    fn of_any_user(file: &LogFile) -> Self {
        let mut seen = BTreeSet::new();
        let mut is_new = |row: &Row| {
            seen.insert((row.value("ENTITY_NAME").to_owned(), row.value("CLIENT_NAME").to_owned()))
        };
        let rows = file.rows.iter().filter(|row| is_new(row)).cloned().collect();
        Self::cut(&LogFile { rows, ..file.clone() }, |_| true)
    }

    fn cut(file: &LogFile, changes: impl Fn(&str) -> bool) -> Self {
        let slots = || Slot::ALL.iter().filter(|(_, column, _)| changes(column));
        let pieces = |row: &Row| {
            let row = slots().fold(row.clone(), |row, (_, column, mark)| row.with(column, *mark));
            let text = as_text(&LogFile { rows: vec![row], ..file.clone() });
            let row = text.split_inclusive('\n').skip(1).collect::<String>();
            let cut = row.split_inclusive(is_mark).map(|part| Piece {
                text: part.trim_end_matches(is_mark).to_owned(),
                then: part.chars().next_back().and_then(Slot::of),
            });
            cut.collect()
        };
        Self {
            header: as_text(&LogFile { rows: Vec::new(), ..file.clone() }),
            rows: file.rows.iter().map(pieces).collect(),
        }
    }

    /// The row and the user of a group; each user has one group for each row.
    fn of_group(&self, group: u64) -> (Option<&Vec<Piece>>, u64) {
        let rows = u64::try_from(self.rows.len()).unwrap_or(u64::MAX);
        let row = usize::try_from(group.checked_rem(rows).unwrap_or(0)).unwrap_or(0);
        (self.rows.get(row), group.checked_div(rows).unwrap_or(0))
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
