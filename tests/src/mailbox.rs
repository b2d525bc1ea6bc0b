//! The emails that went out.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// One email as SNS would send it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Email {
    /// The address
    pub to: String,
    /// The subject line
    pub subject: String,
    /// The text
    pub body: String,
}

/// All emails in a file that `infra/local/emulator.py` appends to, oldest first.
pub(crate) fn read(file: &Path) -> Result<Vec<Email>> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        // Nobody was written to yet.
        Err(problem) if problem.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(problem) => {
            return Err(problem).with_context(|| format!("cannot read {}", file.display()));
        }
    };
    // What is behind the last line's end is still being written.
    let whole = text.rfind('\n').and_then(|end| text.get(..end)).unwrap_or_default();
    whole.lines().map(|line| serde_json::from_str(line).context("an odd email")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_half_written_is_left_for_later() {
        let file = std::env::temp_dir().join(format!("mailbox-{}", std::process::id()));
        let line = r#"{"to":"a@example.com","subject":"s","body":"b\nc"}"#;
        fs::write(&file, format!("{line}\n{{\"to\":")).unwrap();
        let emails = read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        let (to, subject, body) = ("a@example.com".into(), "s".into(), "b\nc".into());
        assert_eq!(emails, [Email { to, subject, body }]);
    }

    #[test]
    fn no_file_is_no_mail() {
        assert_eq!(read(Path::new("/nowhere/mail.jsonl")).unwrap(), []);
    }
}
