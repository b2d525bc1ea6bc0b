//! The inputs that the suite tries beside the corpus: the same in every run, so that it fails for whoever changed
//! something and for nobody else. New ones are for `cargo xtask fuzz`.

use rand::{Rng as _, RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const SEED: u64 = 1;

/// As long as those that a fuzzer starts with.
const LONGEST_BYTES: usize = 4_096;

/// Checks so many inputs, most of them short.
pub(crate) fn each(count: u32, check: impl Fn(&[u8])) {
    let mut die = ChaCha8Rng::seed_from_u64(SEED);
    for _ in 0..count {
        let longest = die.random_range(0..=LONGEST_BYTES);
        let mut input = vec![0; die.random_range(0..=longest)];
        die.fill_bytes(&mut input);
        check(&input);
    }
}
