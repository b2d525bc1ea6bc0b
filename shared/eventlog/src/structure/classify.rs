//! Which bytes of a block are quotes, commas and newlines.
//!
//! The processor's own comparison of many bytes at once where it has one, and a byte at a time elsewhere.
//!
//! This is the one module with `unsafe`, and for one reason: a function that is compiled for instructions which not
//! every processor has may only be called where they are known to be there. No address is touched: vectors are
//! the bytes of a block, taken by value. The tests compare each way with the plain one, and with the csv crate.

#![expect(
    unsafe_code,
    reason = "a function compiled for AVX2 or NEON is called after asking for it"
)]

/// Bytes that are looked at together.
pub(super) const BLOCK_BYTES: usize = 64;

/// One bit for each byte of a block, the first byte lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Masks {
    pub(super) quotes: u64,
    /// Each bit is the exclusive or of all bits of `quotes` up to it: what lies inside quotes, if the block begins
    /// outside.
    pub(super) quoted: u64,
    pub(super) commas: u64,
    pub(super) newlines: u64,
}

/// Takes what was classified.
///
/// A trait and no closure, so that taking is compiled into each processor's loop and with its instructions.
pub(super) trait Blocks {
    /// Takes a block, its masks, and ones for the bytes that are really there; says whether to go on.
    fn take(&mut self, block: &[u8; BLOCK_BYTES], masks: Masks, present: u64) -> bool;
}

/// Gives `blocks` each block, its masks, and ones for the bytes that are really there, until it wants no more.
#[inline]
pub(super) fn for_each_block(bytes: &[u8], into: &mut impl Blocks) {
    #[cfg(target_arch = "x86_64")]
    if x86_64::is_here() {
        // SAFETY: the processor was asked for what the function is compiled for.
        unsafe { x86_64::for_each_block(bytes, into) }
        return;
    }
    #[cfg(target_arch = "aarch64")]
    if aarch64::is_here() {
        // SAFETY: the processor was asked for what the function is compiled for.
        unsafe { aarch64::for_each_block(bytes, into) }
        return;
    }
    for_each_block_portably(bytes, into);
}

/// The same on any processor.
pub(super) fn for_each_block_portably(bytes: &[u8], into: &mut impl Blocks) {
    let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
    for block in blocks {
        if !into.take(block, classify_portably(block), u64::MAX) {
            return;
        }
    }
    if let Some((last, present)) = last_block(rest) {
        into.take(&last, classify_portably(&last), present);
    }
}

/// What is left behind the last whole block, filled up with zeros, and ones for its bytes.
#[inline]
fn last_block(rest: &[u8]) -> Option<([u8; BLOCK_BYTES], u64)> {
    if rest.is_empty() {
        return None;
    }
    let mut last = [0; BLOCK_BYTES];
    let mut present = 0;
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
        present = (present << 1) | 1;
    }
    Some((last, present))
}

/// Where the carriage returns are.
pub(super) fn returns(block: &[u8; BLOCK_BYTES]) -> u64 {
    mask_of(block, b'\r')
}

fn classify_portably(block: &[u8; BLOCK_BYTES]) -> Masks {
    let quotes = mask_of(block, b'"');
    Masks {
        quotes,
        quoted: running_exclusive_or(quotes),
        commas: mask_of(block, b','),
        newlines: mask_of(block, b'\n'),
    }
}

#[inline]
fn running_exclusive_or(mut bits: u64) -> u64 {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^ (bits << 32)
}

fn mask_of(block: &[u8; BLOCK_BYTES], wanted: u8) -> u64 {
    block.iter().rev().fold(0, |mask, byte| (mask << 1) | u64::from(*byte == wanted))
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::arch::x86_64::{
        __m256i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8,
        _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_set1_epi8,
    };

    use super::{BLOCK_BYTES, Blocks, Masks, last_block};

    pub(super) fn is_here() -> bool {
        std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("bmi1")
            && std::arch::is_x86_feature_detected!("pclmulqdq")
            && std::arch::is_x86_feature_detected!("popcnt")
    }

    #[target_feature(enable = "avx2,bmi1,pclmulqdq,popcnt")]
    pub(super) fn for_each_block(bytes: &[u8], into: &mut impl Blocks) {
        let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
        for block in blocks {
            if !into.take(block, classify(block), u64::MAX) {
                return;
            }
        }
        if let Some((last, present)) = last_block(rest) {
            into.take(&last, classify(&last), present);
        }
    }

    #[inline]
    #[target_feature(enable = "avx2,bmi1,pclmulqdq,popcnt")]
    fn classify(block: &[u8; BLOCK_BYTES]) -> Masks {
        // SAFETY: both are 64 bytes, and any bytes are a vector.
        let vectors: [__m256i; 2] = unsafe { std::mem::transmute(*block) };
        let quotes = mask(vectors, 0x22);
        // A product without carries by all ones adds up, at each bit, the bits up to it.
        let product =
            _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, quotes.cast_signed()), _mm_set1_epi8(-1));
        Masks {
            quotes,
            quoted: _mm_cvtsi128_si64(product).cast_unsigned(),
            commas: mask(vectors, 0x2C),
            newlines: mask(vectors, 0x0A),
        }
    }

    #[inline]
    #[target_feature(enable = "avx2,bmi1,pclmulqdq,popcnt")]
    fn mask([low, high]: [__m256i; 2], wanted: i8) -> u64 {
        let wanted = _mm256_set1_epi8(wanted);
        let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted)).cast_unsigned();
        let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted)).cast_unsigned();
        u64::from(low) | (u64::from(high) << 32)
    }
}

#[cfg(target_arch = "aarch64")]
mod aarch64 {
    use std::arch::aarch64::{
        uint8x16_t, vandq_u8, vceqq_u8, vcombine_u8, vcreate_u8, vdupq_n_u8, vgetq_lane_u64,
        vpaddq_u8, vreinterpretq_u64_u8,
    };

    use super::{BLOCK_BYTES, Blocks, Masks, last_block, running_exclusive_or};

    /// The bit of each byte's place among eight.
    const PLACES: u64 = 0x8040_2010_0804_0201;

    pub(super) fn is_here() -> bool {
        std::arch::is_aarch64_feature_detected!("neon")
    }

    #[target_feature(enable = "neon")]
    pub(super) fn for_each_block(bytes: &[u8], into: &mut impl Blocks) {
        let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
        for block in blocks {
            if !into.take(block, classify(block), u64::MAX) {
                return;
            }
        }
        if let Some((last, present)) = last_block(rest) {
            into.take(&last, classify(&last), present);
        }
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn classify(block: &[u8; BLOCK_BYTES]) -> Masks {
        let mut vectors = [vdupq_n_u8(0); 4];
        let (quarters, _) = block.as_chunks::<16>();
        for (vector, quarter) in vectors.iter_mut().zip(quarters) {
            let (words, _) = quarter.as_chunks::<8>();
            let [low, high] = words else { continue };
            *vector = vcombine_u8(
                vcreate_u8(u64::from_le_bytes(*low)),
                vcreate_u8(u64::from_le_bytes(*high)),
            );
        }
        let quotes = mask(vectors, b'"');
        Masks {
            quotes,
            quoted: running_exclusive_or(quotes),
            commas: mask(vectors, b','),
            newlines: mask(vectors, b'\n'),
        }
    }

    /// NEON has no mask of a comparison: each equal byte becomes the bit of its place, and neighbours are added up
    /// three times.
    #[inline]
    #[target_feature(enable = "neon")]
    fn mask([a, b, c, d]: [uint8x16_t; 4], wanted: u8) -> u64 {
        let wanted = vdupq_n_u8(wanted);
        let places = vcombine_u8(vcreate_u8(PLACES), vcreate_u8(PLACES));
        let low =
            vpaddq_u8(vandq_u8(vceqq_u8(a, wanted), places), vandq_u8(vceqq_u8(b, wanted), places));
        let high =
            vpaddq_u8(vandq_u8(vceqq_u8(c, wanted), places), vandq_u8(vceqq_u8(d, wanted), places));
        let halves = vpaddq_u8(low, high);
        vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(halves, halves)))
    }
}
