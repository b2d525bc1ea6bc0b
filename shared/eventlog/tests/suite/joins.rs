//! Rows that do not say whose they are.

use std::collections::BTreeSet;

use eventlog::{
    attribution::{AgentKey, AttributedBy, Attribution},
    event_type::{EventType, Witness},
    joins::{Confidence, JoinKey, JoinKind, Joined, KnownLinks, Link, LinkedCaller, offered_links},
    reader::{QuarantinedRow, ReadLimits, RowSink, SinkError, read_log},
    report::FileReport,
    row::{AccessRow, Identity},
};

use crate::support::{APP, ORG, USER, directory, read};

const PERSON: &str = "0055g00000Ann01";

/// Knows some links, and keeps what is asked for and what comes.
#[derive(Default)]
struct Knowing {
    links: KnownLinks,
    sought: Vec<Vec<JoinKey>>,
    rows: Vec<(AccessRow, Attribution)>,
}

impl RowSink for Knowing {
    fn agent_row(&mut self, row: AccessRow, attribution: Attribution) -> Result<(), SinkError> {
        self.rows.push((row, attribution));
        Ok(())
    }

    fn unclaimed(&mut self, sought: Vec<JoinKey>) -> Result<Option<Joined>, SinkError> {
        let joined = self.links.join(&directory(), &sought);
        self.sought.push(sought);
        Ok(joined)
    }

    fn quarantined(&mut self, row: QuarantinedRow) -> Result<(), SinkError> {
        Err(row.reason.to_string().into())
    }
}

fn read_knowing(links: KnownLinks, log: &[u8]) -> (Knowing, FileReport) {
    let mut sink = Knowing { links, ..Knowing::default() };
    let report = read_log(log, &directory(), &ReadLimits::default(), &mut sink).unwrap();
    (sink, report)
}

fn key(kind: JoinKind, value: &str) -> JoinKey {
    JoinKey { org_id: ORG.to_owned(), kind, value: value.to_owned() }
}

fn app(id: &str) -> LinkedCaller {
    LinkedCaller {
        event_type: EventType::BulkApiRequest,
        identity: Identity { connected_app_id: Some(id.to_owned()), ..Identity::default() },
    }
}

const ALL_KEYS: [(&str, &str); 4] = [
    ("REQUEST_ID", "request-1"),
    ("SESSION_KEY", "session-1"),
    ("LOGIN_KEY", "login-1"),
    ("JOB_ID", "7505g00000JOB01AAA"),
];

/// A log of one row.
fn log(columns: &[(&str, &str)]) -> Vec<u8> {
    let common = [("ORGANIZATION_ID", ORG), ("TIMESTAMP", "20261124091500.128")];
    let line = |part: fn(&(&str, &str)) -> String| {
        let parts: Vec<String> = common.iter().chain(columns).map(part).collect();
        parts.join(",") + "\n"
    };
    (line(|(name, _)| (*name).to_owned()) + &line(|(_, value)| (*value).to_owned())).into_bytes()
}

/// The kinds of the links that a row with all keys offers, and the identity in them.
fn offered(columns: &[(&str, &str)]) -> Vec<(JoinKind, Identity)> {
    let (kept, _) = read(&log(&[columns, &ALL_KEYS].concat()));
    let (row, attribution) = &kept.rows[0];
    let links = offered_links(row, attribution);
    links.into_iter().map(|link| (link.key.kind, link.caller.identity)).collect()
}

#[test]
fn an_application_offers_its_job_session_and_login_and_nothing_but_its_own_mark() {
    let links = offered(&[
        ("EVENT_TYPE", "BulkApiRequest"),
        ("USER_ID", PERSON),
        ("CONNECTED_APP_ID", APP),
        ("CLIENT_NAME", "acme/1.2.3"),
    ]);
    let kinds: Vec<_> = links.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [JoinKind::Job, JoinKind::Session, JoinKind::Login]);
    let mark = Identity { connected_app_id: Some(APP.to_owned()), ..Identity::default() };
    assert!(links.iter().all(|(_, identity)| *identity == mark), "{links:?}");
}

#[test]
fn a_call_for_a_report_or_a_file_offers_its_request_too() {
    for (uri, expected) in [
        ("/services/data/v60.0/analytics/reports/00O5g00000ABCDE", true),
        ("/services/data/v60.0/sobjects/ContentVersion/0685g00000ABCDE/VersionData", true),
        ("/services/data/v60.0/sobjects/Contact/0035g00000ABCDE", false),
    ] {
        let links = offered(&[
            ("EVENT_TYPE", "RestApi"),
            ("USER_ID", PERSON),
            ("CONNECTED_APP_ID", APP),
            ("METHOD", "GET"),
            ("URI", uri),
        ]);
        let has_request = links.iter().any(|(kind, _)| *kind == JoinKind::Request);
        assert_eq!(has_request, expected, "{uri}");
    }
}

#[test]
fn a_call_about_a_bulk_job_names_it_in_its_address() {
    let (kept, _) = read(&log(&[
        ("EVENT_TYPE", "RestApi"),
        ("USER_ID", PERSON),
        ("CONNECTED_APP_ID", APP),
        ("METHOD", "GET"),
        ("URI", "/services/data/v60.0/jobs/query/7505g00000JOB01AAA/results"),
    ]));
    let (row, attribution) = &kept.rows[0];
    let links = offered_links(row, attribution);
    let keys: Vec<_> = links.into_iter().map(|link| link.key).collect();
    assert_eq!(keys, [key(JoinKind::Job, "7505g00000JOB01")]);
    assert_eq!(row.record_ids.len(), 0, "a job is no record");
}

/// It acts inside the session of the person that it talks to.
#[test]
fn a_bot_never_offers_the_session_it_acts_in() {
    let links = offered(&[
        ("EVENT_TYPE", "RestApi"),
        ("USER_ID", PERSON),
        ("BOT_ID", "0Xx5g0000008aBcAAA"),
        ("PLANNER_ID", "16j5g0000008aBcAAA"),
    ]);
    let bot = Identity { bot_id: Some("0Xx5g0000008aBc".to_owned()), ..Identity::default() };
    assert_eq!(links, [(JoinKind::Job, bot.clone()), (JoinKind::Request, bot)]);
}

#[test]
fn a_registered_user_and_a_joined_row_offer_nothing() {
    assert_eq!(offered(&[("EVENT_TYPE", "RestApi"), ("USER_ID", USER)]), []);

    let links = [Link { key: key(JoinKind::Session, "session-1"), caller: app(APP) }];
    let log = log(&[&[("EVENT_TYPE", "BulkApi"), ("USER_ID", PERSON)][..], &ALL_KEYS].concat());
    let (knowing, _) = read_knowing(links.into_iter().collect(), &log);
    let (row, attribution) = &knowing.rows[0];
    assert_eq!(offered_links(row, attribution), []);
}

type Columns = [(&'static str, &'static str)];

#[test]
fn what_a_machine_may_have_done_seeks_and_what_a_person_did_does_not() {
    let rows: [(&Columns, &[JoinKind]); 13] = {
        use JoinKind::{Job, Login, Request, Session};
        [
            (&[("EVENT_TYPE", "BulkApi")], &[Job, Session, Request, Login]),
            (&[("EVENT_TYPE", "BulkApi2")], &[Job, Session, Request, Login]),
            (&[("EVENT_TYPE", "ReportExport")], &[Job, Session, Request, Login]),
            (&[("EVENT_TYPE", "RestApi")], &[Job, Session, Login]),
            (&[("EVENT_TYPE", "API"), ("API_TYPE", "P")], &[Job, Session, Login]),
            (
                &[("EVENT_TYPE", "Report"), ("ORIGIN", "ReportRunUsingSynchronousApi")],
                &[Job, Session, Request, Login],
            ),
            (&[("EVENT_TYPE", "Report"), ("ORIGIN", "ReportRunFromClassic")], &[]),
            (
                &[("EVENT_TYPE", "ContentTransfer"), ("TRANSACTION_TYPE", "VersionDownloadApi")],
                &[Job, Session, Request, Login],
            ),
            (
                &[("EVENT_TYPE", "ContentTransfer"), ("TRANSACTION_TYPE", "VersionDownloadAction")],
                &[],
            ),
            (&[("EVENT_TYPE", "URI")], &[]),
            (&[("EVENT_TYPE", "Login")], &[]),
            (&[("EVENT_TYPE", "RestApi"), ("CONNECTED_APP_NAME", "Salesforce Mobile")], &[]),
            (&[("EVENT_TYPE", "API"), ("API_TYPE", "T"), ("CLIENT_NAME", "SfdcInternalAPI/")], &[]),
        ]
    };
    for (columns, expected) in rows {
        let log = log(&[columns, &[("USER_ID", PERSON)], &ALL_KEYS].concat());
        let (knowing, report) = read_knowing(KnownLinks::default(), &log);
        let kinds: Vec<JoinKind> =
            knowing.sought.iter().flatten().map(|sought| sought.kind).collect();
        assert_eq!(kinds, expected, "{columns:?}");
        assert_eq!(report.unclaimed_rows, u64::from(!expected.is_empty()), "{columns:?}");
        assert_eq!((report.other_rows, report.agent_rows), (1, 0), "{columns:?}");
    }
}

#[test]
fn a_joined_row_is_an_agents_and_says_over_which_key() {
    let log = log(&[&[("EVENT_TYPE", "BulkApi"), ("USER_ID", PERSON)][..], &ALL_KEYS].concat());
    let link = |kind, value: &str, caller| Link { key: key(kind, value), caller };
    let (login, session, job) = (
        link(JoinKind::Login, "login-1", app("0H4000000000001")),
        link(JoinKind::Session, "session-1", app("0H4000000000002")),
        link(JoinKind::Job, "7505g00000JOB01", app(APP)),
    );
    let mut links = Vec::new();
    let mut smaller: Option<AccessRow> = None;
    for (more, agent, by) in [
        (login, "unregistered:app:0H4000000000001", JoinKind::Login),
        (session, "unregistered:app:0H4000000000002", JoinKind::Session),
        (job, "support-copilot", JoinKind::Job),
    ] {
        links.push(more);
        let (knowing, report) = read_knowing(links.clone().into_iter().collect(), &log);
        let (row, attribution) = knowing.rows[0].clone();
        assert_eq!(
            attribution,
            Attribution::Agent {
                agent: AgentKey(agent.to_owned()),
                purpose: None,
                by: AttributedBy::ConnectedApp,
                joined_by: Some(by),
            }
        );
        assert_eq!(directory().attribute_row(&row), attribution, "also when it was kept");
        assert_eq!((report.agent_rows, report.joined_rows, report.unclaimed_rows), (1, 1, 0));
        // Of two copies the smaller stays: it is the one that was joined by the surer key.
        if let Some(before) = smaller.replace(row.clone()) {
            assert_eq!(before.row_hash, row.row_hash);
            assert!(row < before);
        }
    }
}

/// A name that anybody can take does not hide who really holds the session, however many are offered.
#[test]
fn a_key_of_many_callers_is_the_surest_ones() {
    let client = |name: String| LinkedCaller {
        event_type: EventType::RestApi,
        identity: Identity { client_name: Some(name), ..Identity::default() },
    };
    let session = key(JoinKind::Session, "session-1");
    let names = (0..100).map(|number| client(format!("python-client-{number}")));
    let callers: Vec<_> = names.chain([app(APP), app("0H4000000000009")]).collect();
    for order in [callers.clone(), callers.into_iter().rev().collect()] {
        let mut links = KnownLinks::default();
        for caller in order {
            links.add(session.clone(), [caller]);
        }
        let joined = links.join(&directory(), std::slice::from_ref(&session)).unwrap();
        let surest = [app(APP), app("0H4000000000009")].into_iter().min().unwrap();
        assert_eq!((joined.by, joined.caller), (JoinKind::Session, surest));
    }
}

/// What is read of a key from a table is cut at its end: keys sort by how sure their callers are.
#[test]
fn surer_callers_sort_first() {
    let nobody = Identity::default;
    let text = || Some("text".to_owned());
    let marks = [
        Identity { bot_id: text(), ..nobody() },
        Identity { planner_id: text(), ..nobody() },
        Identity { connected_app_id: text(), ..nobody() },
        Identity { client_category: text(), user_id: text(), ..nobody() },
        Identity { client_name: text(), ..nobody() },
        Identity { user_agent: text(), ..nobody() },
    ];
    let callers = marks.map(|identity| LinkedCaller { identity, ..app(APP) });
    let keys: Vec<String> = callers.iter().map(LinkedCaller::sort_key).collect();
    assert!(keys.is_sorted(), "{keys:?}");
    assert!(callers.is_sorted());
    // Among equals the two orders are one, so that a key read from a table is cut where it would be cut here.
    let apps: Vec<LinkedCaller> = (0..40).map(|number| app(&format!("0H4{number:012}"))).collect();
    let by_order = BTreeSet::from_iter(&apps);
    let mut by_key: Vec<&LinkedCaller> = apps.iter().collect();
    by_key.sort_by_key(|caller| caller.sort_key());
    assert!(by_order.into_iter().eq(by_key));
}

#[test]
fn a_caller_of_people_leads_nowhere() {
    let mobile = LinkedCaller {
        event_type: EventType::BulkApiRequest,
        identity: Identity {
            connected_app_name: Some("Salesforce Mobile".to_owned()),
            ..Identity::default()
        },
    };
    let job = key(JoinKind::Job, "7505g00000JOB01");
    let mut links = KnownLinks::default();
    links.add(job.clone(), [mobile]);
    assert_eq!(links.join(&directory(), &[job]), None);
}

/// The same caller's rows are many; each session among them is asked for.
#[test]
fn a_known_caller_is_asked_for_again_with_another_key() {
    let header = "EVENT_TYPE,TIMESTAMP,ORGANIZATION_ID,USER_ID,SESSION_KEY\n";
    let row = |session| format!("RestApi,20261124090000.000,{ORG},{PERSON},{session}\n");
    let log = [header, &row("a"), &row("a"), &row("b"), &row("a"), &row("b")].concat();
    let links = [Link { key: key(JoinKind::Session, "b"), caller: app(APP) }];
    let (knowing, report) = read_knowing(links.into_iter().collect(), log.as_bytes());
    assert_eq!((report.unclaimed_rows, report.joined_rows), (3, 2));
    let asked: Vec<&str> = knowing.sought.iter().map(|keys| keys[0].value.as_str()).collect();
    assert_eq!(asked, ["a", "b", "b"], "what nobody knows is asked for once");
}

#[test]
fn every_join_has_its_confidence() {
    use AttributedBy::{Bot, ClientName, ConnectedApp, User, UserAgent};
    for (by, joined_by, expected) in [
        (Bot, None, Confidence::Certain),
        (User, None, Confidence::Certain),
        (ConnectedApp, Some(JoinKind::Job), Confidence::High),
        (ConnectedApp, Some(JoinKind::Session), Confidence::High),
        (Bot, Some(JoinKind::Request), Confidence::Moderate),
        (ConnectedApp, Some(JoinKind::Login), Confidence::Moderate),
        (ClientName, None, Confidence::Low),
        (UserAgent, Some(JoinKind::Job), Confidence::Low),
    ] {
        let found = Confidence::of(by, joined_by, Witness::EventLogFile);
        assert_eq!(found, expected, "{by:?} {joined_by:?}");
        let at_the_gateway = Confidence::of(by, joined_by, Witness::Gateway);
        assert_eq!(at_the_gateway, expected.max(Confidence::High), "{by:?} {joined_by:?}");
    }
}
