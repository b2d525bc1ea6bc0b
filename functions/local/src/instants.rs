//! Instants on the command line.

use chrono::{DateTime, Utc};

/// An instant with its zone, as `2026-11-24T09:30:00+01:00` or `2026-11-24T08:30Z`. What names no zone is refused: an hour more
/// or less decides whether a notification was late.
pub(crate) fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    let without_seconds = |form| DateTime::parse_from_str(text, form);
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| without_seconds("%Y-%m-%dT%H:%M%#z"))
        .or_else(|_| without_seconds("%Y-%m-%d %H:%M%#z"))
        .map(|at| at.to_utc())
        .map_err(|_| {
            "write day, time and zone, as 2026-11-24T09:30:00+01:00, or in UTC as 2026-11-24T08:30:00Z"
                .to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_has_a_zone_and_may_leave_its_seconds_out() {
        let at: DateTime<Utc> = "2026-11-24T08:30:00Z".parse().unwrap();
        for text in [
            "2026-11-24T08:30:00Z",
            "2026-11-24T08:30Z",
            "2026-11-24 08:30Z",
            "2026-11-24T09:30:00+01:00",
            "2026-11-24T09:30+01:00",
            "2026-11-24T09:30+0100",
        ] {
            assert_eq!(instant(text), Ok(at), "{text}");
        }
        for text in [
            "2026-11-24T08:30:00",
            "2026-11-24T08:30",
            "2026-11-24",
            "now",
            "",
            "2026-11-31T08:30Z",
        ] {
            assert!(instant(text).is_err(), "{text}");
        }
    }
}
