//! Draws from a seed, the same on every machine.

use chrono::{DateTime, TimeDelta, Utc};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One stream of draws. Each part of a world has a stream of its own, so that a part that is added or
/// left out changes no other. Only raw words are taken from the generator: they are fixed by the cipher,
/// whereas the ranges of the `rand` crate may be drawn differently in a later version.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self(generator)
    }

    /// A number from 0 up to and without `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64().checked_rem(bound).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low.saturating_add(self.below(high.saturating_sub(low).saturating_add(1)))
    }

    /// True in `percent` of a hundred draws.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn one_of(&mut self, choices: &[&'static str]) -> &'static str {
        self.pick(choices).copied().unwrap_or_default()
    }

    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        let index = self.below(u64::try_from(choices.len()).unwrap_or(u64::MAX));
        choices.get(usize::try_from(index).unwrap_or(0))
    }

    /// Letters and digits, as Salesforce ids and keys are made of.
    pub(crate) fn text(&mut self, length: usize) -> String {
        const ALPHABET: [char; 62] = alphabet();
        (0..length).filter_map(|_| self.pick(&ALPHABET).copied()).collect()
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// A moment in the hour that starts at `hour`, to the millisecond.
    pub(crate) fn moment(&mut self, hour: DateTime<Utc>) -> DateTime<Utc> {
        after(hour, self.below(3_600_000))
    }

    /// Puts the items in an order that the seed decides.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            let bound = u64::try_from(end).unwrap_or(0).saturating_add(1);
            items.swap(end, usize::try_from(self.below(bound)).unwrap_or(0));
        }
    }
}

/// `milliseconds` after `instant`.
pub(crate) fn after(instant: DateTime<Utc>, milliseconds: u64) -> DateTime<Utc> {
    instant
        .checked_add_signed(TimeDelta::milliseconds(i64::try_from(milliseconds).unwrap_or(0)))
        .unwrap_or(instant)
}

const fn alphabet() -> [char; 62] {
    [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H',
        'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z',
        'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r',
        's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
    ]
}
