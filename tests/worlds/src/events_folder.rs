//! The files under `events/`: a morning's logs, files that cannot be read, and what Lambda hands over.

mod bad;
mod invocations;

use std::collections::BTreeMap;

use crate::World;

/// The seed of the morning under `events/morning`.
pub const SEED: u64 = 1;

/// The folders within `events/` that hold generated files and nothing else.
pub const FOLDERS: [&str; 3] = ["bad", "invocations", "morning"];

/// A file of the morning from this size on is compressed, in bytes.
const COMPRESSED_FROM: usize = 64 * 1024;

/// Every generated file: its path within `events/`, with `/`, and its bytes. Only `README.md` is written
/// by hand.
pub fn files() -> BTreeMap<String, Vec<u8>> {
    let world = World::morning(SEED);
    let mut files: BTreeMap<String, Vec<u8>> = world
        .files
        .iter()
        .map(|file| {
            let plain = file.to_csv();
            if plain.len() < COMPRESSED_FROM {
                (format!("morning/{}", file.name), plain)
            } else {
                (format!("morning/{}.gz", file.name), file.to_csv_gz())
            }
        })
        .collect();
    files
        .extend(bad::files(&world).into_iter().map(|(name, bytes)| (format!("bad/{name}"), bytes)));
    files.extend(
        invocations::files(&world)
            .into_iter()
            .map(|(name, text)| (format!("invocations/{name}"), text.into_bytes())),
    );
    files
}
