//! Setup Audit Trail: rows that tell of event logs being deleted, or no longer made.
//!
//! What is documented (REST API guide, *Delete Event Monitoring Data*; Metadata API guide, `EventSettings`):
//!
//! - Log files can be deleted, as whole files, once "Delete event monitoring data" is enabled on the Setup page
//!   *Event Monitoring Settings*; enabling it is recorded in Setup Audit Trail. In metadata that setting is
//!   `enableDeleteMonitoringData`.
//! - Whoever deletes needs the permission "Delete Event Monitoring Records".
//! - Whether log files are made at all is the setting `enableEventLogGeneration`.
//!
//! What is *not* documented, and what no sample shows: the value of `Action` for any of these, the wording of `Display`,
//! and whether the deletion of a file leaves a row itself. So a row is recognised by the documented words, in whichever
//! of its columns they stand. It may miss a row that is worded otherwise; it takes a row that only speaks of these
//! settings for one that touches them, which a person can tell apart in a minute.

/// What a row of Setup Audit Trail tells about the logs themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogTampering {
    /// It concerns the deletion of event monitoring data: the setting, the permission, or a deletion.
    Deletion,
    /// The making of event logs was turned off.
    GenerationStopped,
}

/// The setting and the permission, as they are labelled and as metadata names them, without anything but letters.
const DELETION_WORDS: [&str; 3] =
    ["deleteeventmonitoringdata", "deleteeventmonitoringrecords", "deletemonitoringdata"];
/// What the logs are called, in the same form.
const LOG_WORDS: [&str; 3] = ["eventmonitoring", "eventlogfile", "eventloggeneration"];
/// How Setup Audit Trail words that something is off now. Taken from rows about other settings.
const OFF_WORDS: [&str; 5] = ["disabled", "turnedoff", "deactivated", "fromontooff", "truetofalse"];

/// Whether a row of Setup Audit Trail tells of event logs being deleted or no longer made, from its columns `Action`,
/// `Section` and `Display`. See above for how sure that is.
///
/// ```
/// use eventlog::audit_trail::{LogTampering, tells_of_log_deletion};
///
/// let display = "Enabled Delete event monitoring data";
/// assert_eq!(tells_of_log_deletion("", "", display), Some(LogTampering::Deletion));
/// assert_eq!(tells_of_log_deletion("passwordexpiry", "Password Policies", ""), None);
/// ```
pub fn tells_of_log_deletion(action: &str, section: &str, display: &str) -> Option<LogTampering> {
    // A mark between the columns, so that no word arises from the end of one and the start of the next.
    let row = [action, section, display].map(letters).join("|");
    let has_any = |words: &[&str]| words.iter().any(|word| row.contains(word));
    let speaks_of_logs = has_any(&LOG_WORDS);
    if has_any(&DELETION_WORDS) || (speaks_of_logs && row.contains("delet")) {
        Some(LogTampering::Deletion)
    } else if speaks_of_logs && has_any(&OFF_WORDS) {
        Some(LogTampering::GenerationStopped)
    } else {
        None
    }
}

/// Letters only, in lower case: labels, sentences and names in metadata become the same.
fn letters(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphabetic)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_words_are_found_in_any_column_and_spelling() {
        for (action, section, display) in [
            ("enableDeleteMonitoringData", "", ""),
            ("", "Event Monitoring Settings", "Enabled deletion"),
            ("", "", "Changed Delete Event Monitoring Data from off to on"),
            ("PermSetEnableUserPerm", "Manage Users", "permission Delete Event Monitoring Records"),
            ("", "", "Deleted 3 EventLogFile records"),
        ] {
            let found = tells_of_log_deletion(action, section, display);
            assert_eq!(found, Some(LogTampering::Deletion), "{action}|{section}|{display}");
        }
        for display in ["Disabled event log generation", "enableEventLogGeneration: true to false"]
        {
            let found = tells_of_log_deletion("", "Security", display);
            assert_eq!(found, Some(LogTampering::GenerationStopped), "{display}");
        }
    }

    #[test]
    fn rows_about_other_things_tell_nothing_of_it() {
        for (action, section, display) in [
            ("passwordexpiry", "Password Policies", "Changed password expiry policy to 180 days"),
            ("deleteduser", "Manage Users", "Deleted user"),
            ("", "Event Monitoring Settings", "Enabled event log generation"),
            ("", "Calendar", "Deleted event type Webinar"),
            ("deleteevent", "monitoringdata", ""),
            ("", "Session Settings", "Disabled session timeout"),
        ] {
            let found = tells_of_log_deletion(action, section, display);
            assert_eq!(found, None, "{action}|{section}|{display}");
        }
    }
}
