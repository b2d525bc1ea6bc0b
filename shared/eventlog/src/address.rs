//! Where a call came from, in one spelling.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Stands in logs, and in [`AccessRow::source_address`](crate::row::AccessRow::source_address), for a call that
/// came from inside Salesforce.
pub const SALESFORCE_ADDRESS: &str = "Salesforce.com IP";

/// Longest text that is looked at: an IPv6 address in full with an IPv4 one at its end, and a bracket on both sides.
const MAX_BYTES: usize = 47;

/// An address in its canonical text; `None` for what is none (`N/A`, `Unknown`, a host name), which is not kept,
/// because nobody knows what it is.
///
/// IPv6 is written as RFC 5952 has it, and an IPv4 address inside IPv6 as IPv4. Logs also have addresses in
/// hexadecimal without separators: 8 digits are IPv4 and 32 are IPv6.
pub(crate) fn source_address(text: &str) -> Option<String> {
    let text = text.trim();
    if text.eq_ignore_ascii_case(SALESFORCE_ADDRESS) {
        return Some(SALESFORCE_ADDRESS.to_owned());
    }
    if text.len() > MAX_BYTES {
        return None;
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| from_hex(bare))?;
    Some(IpAddr::to_canonical(&address).to_string())
}

fn from_hex(text: &str) -> Option<IpAddr> {
    let mut four = [0; 4];
    let mut sixteen = [0; 16];
    if hex::decode_to_slice(text, &mut four).is_ok() {
        Some(Ipv4Addr::from(four).into())
    } else if hex::decode_to_slice(text, &mut sixteen).is_ok() {
        Some(Ipv6Addr::from(sixteen).into())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_spelling_of_an_address_becomes_one() {
        for (written, canonical) in [
            ("203.0.113.9", "203.0.113.9"),
            (" 203.0.113.9 ", "203.0.113.9"),
            ("CB007109", "203.0.113.9"),
            ("cb007109", "203.0.113.9"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("00000000000000000000FFFFCB007109", "203.0.113.9"),
            ("2001:db8::17", "2001:db8::17"),
            ("[2001:DB8:0:0:0:0:0:17]", "2001:db8::17"),
            ("20010DB8000000000000000000000017", "2001:db8::17"),
            ("2001:0db8:0000:0000:0000:0000:192.168.100.100", "2001:db8::c0a8:6464"),
            ("Salesforce.com IP", SALESFORCE_ADDRESS),
            ("salesforce.com ip", SALESFORCE_ADDRESS),
        ] {
            assert_eq!(source_address(written).as_deref(), Some(canonical), "{written}");
        }
    }

    #[test]
    fn what_is_no_address_is_not_kept() {
        for text in [
            "",
            "N/A",
            "Unknown",
            "null",
            "-",
            "host.example",
            "erika@example.com",
            "203.0.113",
            "203.0.113.999",
            "203.0.113.9, 198.51.100.1",
            "CB00710",
            "CB0071090",
            "fe80::1%eth0",
            "\u{661}.1.1.1",
        ] {
            assert_eq!(source_address(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_address_is_the_same_however_it_is_written(bits in any::<u128>(), is_four in any::<bool>()) {
            let (address, hex) = if is_four {
                let four = Ipv4Addr::from_bits(u32::try_from(bits >> 96).unwrap());
                (IpAddr::from(four), hex::encode_upper(four.octets()))
            } else {
                let sixteen = Ipv6Addr::from_bits(bits);
                (IpAddr::from(sixteen), hex::encode_upper(sixteen.octets()))
            };
            let canonical = source_address(&address.to_string());
            prop_assert_eq!(&canonical, &Some(address.to_canonical().to_string()));
            prop_assert_eq!(&source_address(&hex), &canonical);
            prop_assert_eq!(&source_address(canonical.as_deref().unwrap()), &canonical);
        }

        #[test]
        fn nothing_but_an_address_comes_out(text in "\\PC{0,60}") {
            if let Some(kept) = source_address(&text) {
                prop_assert!(kept == SALESFORCE_ADDRESS || kept.parse::<IpAddr>().is_ok());
            }
        }
    }
}
