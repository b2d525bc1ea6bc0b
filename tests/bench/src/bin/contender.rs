//! Reads one `RestApi` file with somebody else's reader: `contender csv|simd-csv|inflate FILE`.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufReader},
    path::PathBuf,
    time::Instant,
};

use anyhow::Context as _;
use bench::{Answer, Found};
use clap::{Parser, ValueEnum};
use flate2::bufread::MultiGzDecoder;

#[derive(Parser)]
struct Arguments {
    reader: Reader,
    file: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Reader {
    Csv,
    SimdCsv,
    Inflate,
}

const BUFFER_BYTES: usize = 256 * 1024;

fn main() -> anyhow::Result<()> {
    let Arguments { reader, file } = Arguments::parse();
    let began = Instant::now();
    let source =
        File::open(&file).with_context(|| format!("{} cannot be opened", file.display()))?;
    let found = match reader {
        Reader::Csv => with_csv(source),
        Reader::SimdCsv => with_simd_csv(source),
        Reader::Inflate => inflate(source),
    }
    .with_context(|| format!("{} cannot be read", file.display()))?;
    Answer { seconds: began.elapsed().as_secs_f64(), found }.print()?;
    Ok(())
}

/// The `csv` crate as its own manual says it is fastest: one record, used again for every row.
fn with_csv(source: File) -> anyhow::Result<Found> {
    let mut reader = csv::ReaderBuilder::new().buffer_capacity(BUFFER_BYTES).from_reader(source);
    let columns = Columns::bind(reader.byte_headers()?.iter())?;
    let mut record = csv::ByteRecord::new();
    let mut groups = Groups::default();
    while reader.read_byte_record(&mut record)? {
        groups.add(columns.of(|column| record.get(column)));
    }
    Ok(groups.finish())
}

/// `simd-csv` without a copy. Quotes are taken off and doubled ones left, which the compared columns never hold.
fn with_simd_csv(source: File) -> anyhow::Result<Found> {
    let mut reader =
        simd_csv::ZeroCopyReaderBuilder::with_capacity(BUFFER_BYTES).from_reader(source);
    let columns = Columns::bind(reader.byte_headers()?.iter())?;
    let mut groups = Groups::default();
    while let Some(record) = reader.read_byte_record()? {
        groups.add(columns.of(|column| record.unquote(column)));
    }
    Ok(groups.finish())
}

/// What the decompressor alone takes, with the buffer that our reader gives it.
fn inflate(source: File) -> anyhow::Result<Found> {
    let mut inflating = MultiGzDecoder::new(BufReader::with_capacity(128 * 1024, source));
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut bytes = 0_u64;
    loop {
        let count = match io::Read::read(&mut inflating, &mut buffer) {
            Ok(0) => return Ok(Found::Inflated { bytes }),
            Ok(count) => u64::try_from(count)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(error.into()),
        };
        bytes = bytes.saturating_add(count);
    }
}

/// Where the compared columns stand.
struct Columns {
    user: usize,
    object: usize,
    client: usize,
    records: usize,
}

impl Columns {
    fn bind<'a>(header: impl Iterator<Item = &'a [u8]>) -> anyhow::Result<Self> {
        let names: Vec<&[u8]> = header.collect();
        let at = |name: &str| {
            let found = names.iter().position(|column| *column == name.as_bytes());
            found.with_context(|| format!("no column {name}"))
        };
        Ok(Self {
            user: at("USER_ID")?,
            object: at("ENTITY_NAME")?,
            client: at("CLIENT_NAME")?,
            records: at("ROWS_PROCESSED")?,
        })
    }

    /// User, object, client and records of a row; empty where the row is too short.
    fn of<'a>(&self, field: impl Fn(usize) -> Option<&'a [u8]>) -> [&'a [u8]; 4] {
        [self.user, self.object, self.client, self.records]
            .map(|column| field(column).unwrap_or_default())
    }
}

#[derive(Default)]
struct Group {
    rows: u64,
    records: u64,
}

/// Rows and records by user, object and client. A group that is known costs no allocation.
#[derive(Default)]
struct Groups {
    by_key: HashMap<Vec<u8>, Group, foldhash::fast::RandomState>,
    key: Vec<u8>,
}

impl Groups {
    fn add(&mut self, [user, object, client, records]: [&[u8]; 4]) {
        self.key.clear();
        for part in [user, object, client] {
            self.key.extend_from_slice(part);
            self.key.push(0);
        }
        let group = match self.by_key.get_mut(&self.key) {
            Some(group) => group,
            None => self.by_key.entry(self.key.clone()).or_default(),
        };
        group.rows = group.rows.saturating_add(1);
        group.records = group.records.saturating_add(number(records));
    }

    fn finish(self) -> Found {
        let sum = |part: fn(&Group) -> u64| self.by_key.values().map(part).sum();
        Found::Grouped {
            rows: sum(|group| group.rows),
            groups: u64::try_from(self.by_key.len()).unwrap_or(u64::MAX),
            records: sum(|group| group.records),
        }
    }
}

/// The number that the digits stand for; nothing where there is none.
fn number(digits: &[u8]) -> u64 {
    str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
