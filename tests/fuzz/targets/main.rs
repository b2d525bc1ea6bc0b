//! What a hostile or broken file may do to the reader of logs: be read or be refused, in bounded memory, in time that
//! is in proportion to its length, and to the same effect in whatever pieces it comes.
//!
//! Each module but those of the last group is one target. A target is an ordinary test: `cargo test` runs it over its
//! corpus, `__fuzz__/TARGET/corpus`, over what fuzzing once found, `__fuzz__/TARGET/crashes`, and over some random
//! input. `cargo xtask fuzz` builds the same tests with coverage for libFuzzer, and runs them for as long as it is told.
//!
//! Input is taken twice where words make it up: as it stands, and as a sequence of words, one for each byte
//! ([`soup`]). So random bytes become files that are nearly right, without a corpus.

#[cfg(test)]
mod csv;
#[cfg(test)]
mod extract;
#[cfg(test)]
mod growth;
#[cfg(test)]
mod gzip;
#[cfg(test)]
mod inputs;
mod json;
#[cfg(test)]
mod soql;
#[cfg(test)]
mod tally;
#[cfg(test)]
mod timestamps;

#[cfg(test)]
mod bounds;

#[cfg(test)]
mod allocations;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod soup;
