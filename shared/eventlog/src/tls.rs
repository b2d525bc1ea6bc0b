//! How the connection of a login was secured.

use serde::{Deserialize, Serialize};

/// Longest name of a cipher suite that is kept. The longest registered one has 46 characters.
const MAX_CIPHER_SUITE_BYTES: usize = 64;

/// A version of the protocol, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TlsProtocol {
    /// SSL 2.0, prohibited by RFC 6176.
    #[serde(rename = "SSL 2.0")]
    Ssl20,
    /// SSL 3.0, prohibited by RFC 7568.
    #[serde(rename = "SSL 3.0")]
    Ssl30,
    /// TLS 1.0, deprecated by RFC 8996.
    #[serde(rename = "TLS 1.0")]
    Tls10,
    /// TLS 1.1, deprecated by RFC 8996.
    #[serde(rename = "TLS 1.1")]
    Tls11,
    /// TLS 1.2.
    #[serde(rename = "TLS 1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "TLS 1.3")]
    Tls13,
}

impl TlsProtocol {
    /// `TLS 1.2`, as it is stored and said.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ssl20 => "SSL 2.0",
            Self::Ssl30 => "SSL 3.0",
            Self::Tls10 => "TLS 1.0",
            Self::Tls11 => "TLS 1.1",
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        }
    }

    /// Reads `TLS_PROTOCOL`, which says `TLSv1.2` in event log files and `TLS 1.2` in real-time events; `None` for what
    /// is empty or not known.
    fn read(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_uppercase();
        let version = |family: &str| {
            let rest = text.strip_prefix(family)?.trim_start_matches([' ', '_', '-']);
            Some(rest.strip_prefix('V').unwrap_or(rest).replace('_', "."))
        };
        match (version("TLS").as_deref(), version("SSL").as_deref()) {
            (Some("1" | "1.0"), _) => Some(Self::Tls10),
            (Some("1.1"), _) => Some(Self::Tls11),
            (Some("1.2"), _) => Some(Self::Tls12),
            (Some("1.3"), _) => Some(Self::Tls13),
            (_, Some("3" | "3.0")) => Some(Self::Ssl30),
            (_, Some("2" | "2.0")) => Some(Self::Ssl20),
            _ => None,
        }
    }
}

/// The connection of a login, as Salesforce saw it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tls {
    /// `TLS_PROTOCOL`.
    pub protocol: TlsProtocol,
    /// `CIPHER_SUITE`, as OpenSSL or the registry names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cipher_suite: Option<String>,
}

impl Tls {
    /// Reads the two columns. A cipher suite alone says nothing of the protocol.
    pub(crate) fn read(protocol: &str, cipher_suite: &str) -> Option<Self> {
        let cipher_suite = cipher_suite.trim();
        let is_name = !cipher_suite.is_empty()
            && cipher_suite.len() <= MAX_CIPHER_SUITE_BYTES
            && cipher_suite
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !["UNKNOWN", "NONE", "NULL"].iter().any(|it| cipher_suite.eq_ignore_ascii_case(it));
        Some(Self {
            protocol: TlsProtocol::read(protocol)?,
            cipher_suite: is_name.then(|| cipher_suite.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_is_read_however_it_is_written() {
        for (text, protocol) in [
            ("TLSv1.2", Some(TlsProtocol::Tls12)),
            ("TLS 1.2", Some(TlsProtocol::Tls12)),
            ("tls_1_2", Some(TlsProtocol::Tls12)),
            ("TLSv1.3", Some(TlsProtocol::Tls13)),
            ("TLSv1.1", Some(TlsProtocol::Tls11)),
            ("TLSv1", Some(TlsProtocol::Tls10)),
            ("TLS 1.0", Some(TlsProtocol::Tls10)),
            ("SSLv3", Some(TlsProtocol::Ssl30)),
            ("SSL 2.0", Some(TlsProtocol::Ssl20)),
            ("", None),
            ("N/A", None),
            ("Unknown", None),
            ("TLS", None),
            ("TLSv1.4", None),
            ("1.2", None),
        ] {
            assert_eq!(TlsProtocol::read(text), protocol, "{text}");
        }
    }

    #[test]
    fn the_weakest_protocol_comes_first_and_is_stored_by_its_name() {
        let all = ["SSL 2.0", "SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"];
        let read: Vec<TlsProtocol> = all.iter().filter_map(|it| TlsProtocol::read(it)).collect();
        assert!(read.is_sorted());
        assert_eq!(read.iter().map(|it| it.name()).collect::<Vec<_>>(), all);
        assert_eq!(serde_json::to_value(read).unwrap(), serde_json::json!(all));
    }

    #[test]
    fn only_the_name_of_a_cipher_suite_is_kept() {
        for (text, kept) in [
            ("ECDHE-RSA-AES256-GCM-SHA384", true),
            ("TLS_AES_256_GCM_SHA384", true),
            ("", false),
            ("N/A", false),
            ("Unknown", false),
            ("Erika Mustermann", false),
            (&"A".repeat(65), false),
        ] {
            let tls = Tls::read("TLSv1.2", text).unwrap();
            assert_eq!(tls.cipher_suite.as_deref(), kept.then_some(text), "{text}");
        }
        assert_eq!(Tls::read("", "ECDHE-RSA-AES256-GCM-SHA384"), None);
    }
}
