//! The moments that a log writes, all in UTC.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

/// Takes `count` decimal digits off the front.
fn number(bytes: &[u8], count: usize) -> Option<(u32, &[u8])> {
    let (digits, rest) = bytes.split_at_checked(count)?;
    digits
        .iter()
        .try_fold(0_u32, |value, digit| {
            digit
                .is_ascii_digit()
                .then(|| value.checked_mul(10)?.checked_add(u32::from(digit.wrapping_sub(b'0'))))?
        })
        .map(|value| (value, rest))
}

/// Takes `.` and up to nine digits off the front as nanoseconds; further digits are dropped. `.13` is
/// 130 milliseconds.
fn fraction(bytes: &[u8]) -> (u32, &[u8]) {
    let Some(mut rest) = bytes.strip_prefix(b".") else { return (0, bytes) };
    let mut nanoseconds = 0_u32;
    let mut unit = 100_000_000_u32;
    while let Some((digit, behind)) = number(rest, 1) {
        nanoseconds = nanoseconds.saturating_add(digit.saturating_mul(unit));
        unit /= 10;
        rest = behind;
    }
    (nanoseconds, rest)
}

fn instant(
    date: (u32, u32, u32),
    time: (u32, u32, u32),
    nanoseconds: u32,
) -> Option<DateTime<Utc>> {
    let year = i32::try_from(date.0).ok()?;
    // A leap second is the last one of its minute: chrono holds no 60.
    let second = time.2.min(59);
    if time.2 > 60 {
        return None;
    }
    NaiveDate::from_ymd_opt(year, date.1, date.2)?
        .and_hms_nano_opt(time.0, time.1, second, nanoseconds)
        .map(|naive| naive.and_utc())
}

/// `TIMESTAMP`: `yyyyMMddHHmmss`, optionally with a fraction.
pub(crate) fn parse_compact(text: &str) -> Option<DateTime<Utc>> {
    let (year, rest) = number(text.as_bytes(), 4)?;
    let (month, rest) = number(rest, 2)?;
    let (day, rest) = number(rest, 2)?;
    let (hour, rest) = number(rest, 2)?;
    let (minute, rest) = number(rest, 2)?;
    let (second, rest) = number(rest, 2)?;
    let (nanoseconds, rest) = fraction(rest);
    rest.is_empty().then(|| instant((year, month, day), (hour, minute, second), nanoseconds))?
}

/// `TIMESTAMP_DERIVED`: RFC 3339, with or without fraction, with `Z`, an offset, or an offset that lacks
/// its colon.
pub(crate) fn parse_derived(text: &str) -> Option<DateTime<Utc>> {
    let (year, rest) = number(text.as_bytes(), 4)?;
    let (month, rest) = number(rest.strip_prefix(b"-")?, 2)?;
    let (day, rest) = number(rest.strip_prefix(b"-")?, 2)?;
    let rest = rest.strip_prefix(b"T").or_else(|| rest.strip_prefix(b" "))?;
    let (hour, rest) = number(rest, 2)?;
    let (minute, rest) = number(rest.strip_prefix(b":")?, 2)?;
    let (second, rest) = number(rest.strip_prefix(b":")?, 2)?;
    let (nanoseconds, rest) = fraction(rest);
    let offset_minutes = match rest.split_first() {
        Some((b'Z' | b'z', [])) => 0,
        Some((sign @ (b'+' | b'-'), rest)) => {
            let (hours, rest) = number(rest, 2)?;
            let (minutes, rest) = number(rest.strip_prefix(b":").unwrap_or(rest), 2)?;
            if !rest.is_empty() || hours > 23 || minutes > 59 {
                return None;
            }
            let offset = i64::from(hours) * 60 + i64::from(minutes);
            if *sign == b'-' { -offset } else { offset }
        }
        _ => return None,
    };
    instant((year, month, day), (hour, minute, second), nanoseconds)?
        .checked_sub_signed(TimeDelta::minutes(offset_minutes))
}

/// A moment as relays and exports write it: as `TIMESTAMP_DERIVED`, or in milliseconds since 1970.
pub(crate) fn parse_relayed(text: &str) -> Option<DateTime<Utc>> {
    parse_derived(text)
        // Collectors that rewrite times leave the zone out: all of them are UTC.
        .or_else(|| parse_derived(&format!("{text}Z")))
        .or_else(|| {
            let is_number = text.len() >= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
            DateTime::from_timestamp_millis(text.parse().ok().filter(|_| is_number)?)
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn compact(text: &str) -> Option<String> {
        parse_compact(text).map(|at| at.to_rfc3339())
    }

    fn derived(text: &str) -> Option<String> {
        parse_derived(text).map(|at| at.to_rfc3339())
    }

    #[test]
    fn quirk_4_a_timestamp_has_three_two_or_no_fraction_digits() {
        assert_eq!(compact("20261124091500").as_deref(), Some("2026-11-24T09:15:00+00:00"));
        assert_eq!(compact("20261124091500.7").as_deref(), Some("2026-11-24T09:15:00.700+00:00"));
        assert_eq!(compact("20261124091500.13").as_deref(), Some("2026-11-24T09:15:00.130+00:00"));
        assert_eq!(compact("20261124091500.128").as_deref(), Some("2026-11-24T09:15:00.128+00:00"));
        assert_eq!(compact("20261124091560"), compact("20261124091559"));
        for bad in ["", "2026", "20261324091500", "20261124091500x", "20261124091561"] {
            assert_eq!(compact(bad), None, "{bad}");
        }
    }

    #[test]
    fn quirk_13_a_derived_timestamp_comes_with_z_with_an_offset_and_without_its_colon() {
        let wanted = Some("2026-11-24T09:15:00.101+00:00");
        assert_eq!(derived("2026-11-24T09:15:00.101Z").as_deref(), wanted);
        assert_eq!(derived("2026-11-24T09:15:00.101+0000").as_deref(), wanted);
        assert_eq!(derived("2026-11-24T10:15:00.101+01:00").as_deref(), wanted);
        assert_eq!(derived("2026-11-24T09:15:00Z").as_deref(), Some("2026-11-24T09:15:00+00:00"));
        for bad in ["", "2026-11-24", "2026-11-24T09:15:00", "2026-11-24T09:15:00+1", "1795511700"]
        {
            assert_eq!(derived(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            parse_compact(&text);
            parse_derived(&text);
        }

        #[test]
        fn agrees_with_chrono(seconds in 0_i64..4_102_444_800, milliseconds in 0_u32..1000) {
            let at = DateTime::from_timestamp(seconds, milliseconds * 1_000_000).unwrap();
            let text = at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
            prop_assert_eq!(parse_derived(&text), Some(at));
            let text = at.format("%Y%m%d%H%M%S%.3f").to_string();
            prop_assert_eq!(parse_compact(&text), Some(at));
        }
    }
}
