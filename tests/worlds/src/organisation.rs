//! The organisation that every world is about: the one that the sample configuration describes.
//!
//! These values are those of `infra/config`; a test compares the two.

/// Salesforce org, 15 characters.
pub const ORG_ID: &str = "00D5g000004Hq3K";

/// Stands where real logs hold personal data: in query literals, user names, page addresses and error
/// messages, of agents' rows as of people's. It must never appear in anything that Breachclock writes.
pub const CANARY_PERSONAL_DATA: &str = "ottilie.canary.quendt@private-mail.example";

/// The agent that goes wrong in [`crate::World::morning`].
pub const SUPPORT_COPILOT: &str = "support-copilot";
/// Reconciles invoices and payments, over REST and SOAP.
pub const BILLING_RECONCILER: &str = "billing-reconciler";
/// Copies accounts, opportunities and products at night, over the Bulk API.
pub const WAREHOUSE_SYNC: &str = "warehouse-sync";
/// Books meetings; known by the name of its client alone.
pub const MEETING_SCHEDULER: &str = "meeting-scheduler";

pub(crate) const SUPPORT_BOT: &str = "0Xx5g0000008aBc";
pub(crate) const SUPPORT_APP: &str = "0H45g0000006mTq";
pub(crate) const SUPPORT_USER: &str = "0055g00000Bot01";
pub(crate) const BILLING_APP: &str = "0H45g0000009bRc";
pub(crate) const BILLING_USER: &str = "0055g00000Bot02";
pub(crate) const WAREHOUSE_APP: &str = "0H45g000000wHsY";
pub(crate) const WAREHOUSE_USER: &str = "0055g00000Bot03";
pub(crate) const SCHEDULER_CLIENT: &str = "meeting-scheduler/2.1";
/// An ordinary service account: the registry does not name it.
pub(crate) const SCHEDULER_USER: &str = "0055g00000Svc04";

/// A connected app that people use themselves.
pub(crate) const MOBILE_APP_NAME: &str = "Salesforce Mobile";
pub(crate) const MOBILE_APP: &str = "0H45g000000mOb1";

/// Where the support copilot's calls come from on a good day.
pub(crate) const SUPPORT_ADDRESS: &str = "198.51.100.21";
/// Where they come from once it has gone wrong.
pub(crate) const UNFAMILIAR_ADDRESS: &str = "192.0.2.77";

/// What a row says of the one who called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller {
    pub(crate) user_id: String,
    pub(crate) user_name: String,
    pub(crate) session_key: String,
    pub(crate) login_key: String,
    pub(crate) address: String,
    pub(crate) app_id: &'static str,
    pub(crate) app_name: &'static str,
    pub(crate) client_name: &'static str,
    pub(crate) user_agent: &'static str,
    pub(crate) bot_id: &'static str,
}

/// The 18-character form of an id: the suffix tells which of the 15 letters are capitals.
pub(crate) fn long_id(id: &str) -> String {
    if id.chars().count() != 15 {
        return id.to_owned();
    }
    let capitals: Vec<bool> = id.chars().map(|letter| letter.is_ascii_uppercase()).collect();
    let suffix = capitals.chunks(5).filter_map(|group| {
        let value =
            group.iter().rev().fold(0_usize, |value, capital| value * 2 + usize::from(*capital));
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345".chars().nth(value)
    });
    id.chars().chain(suffix).collect()
}
