//! The people of the organisation at work: pages, reports, files, and the applications they use
//! themselves.

use chrono::{DateTime, Utc};

use crate::{
    agents::{query_call, read_call},
    dice::{Dice, after},
    organisation::{CANARY_PERSONAL_DATA, Caller, MOBILE_APP, MOBILE_APP_NAME, long_id},
    stage::{Actor, RestCall, Stage, base},
};

const GIVEN_NAMES: [&str; 8] =
    ["anna", "boris", "claire", "dilek", "emil", "farida", "georg", "hanna"];
const FAMILY_NAMES: [&str; 5] = ["albrecht", "brandt", "celik", "dubois", "ekberg"];
const PAGES: [(&str, &str); 6] = [
    ("Contact", "003"),
    ("Account", "001"),
    ("Case", "500"),
    ("Opportunity", "006"),
    ("Lead", "00Q"),
    ("Health_Intake__c", "a0H"),
];

/// The forty people, each with the session of the day.
pub(crate) struct People(Vec<Caller>);

impl People {
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 20);
        let names = GIVEN_NAMES
            .iter()
            .flat_map(|given| FAMILY_NAMES.iter().map(move |family| (given, family)));
        let people = (1_u64..).zip(names).map(|(number, (given, family))| Caller {
            user_id: format!("0055g00000Emp{number:02}"),
            user_name: if number == 7 {
                CANARY_PERSONAL_DATA.to_owned()
            } else {
                format!("{given}.{family}@meridian-cloud.example")
            },
            session_key: dice.text(16),
            login_key: dice.text(16),
            address: if dice.percent(70) {
                "203.0.113.10".to_owned()
            } else {
                format!("203.0.113.{}", dice.between(20, 250))
            },
            ..Caller::default()
        });
        Self(people.collect())
    }

    /// An hour of the working day; `share` is how many of a hundred people are at work.
    pub(crate) fn work(
        &self,
        stage: &mut Stage,
        dice: &mut Dice,
        hour: DateTime<Utc>,
        share: u64,
        first: bool,
    ) {
        let present: Vec<&Caller> = self.0.iter().filter(|_| dice.percent(share)).collect();
        for person in &present {
            if first || dice.percent(12) {
                log_in(stage, dice, hour, person);
            }
            browse(stage, dice, hour, person);
            if dice.percent(55) {
                use_mobile_app(stage, dice, hour, person);
            }
            if dice.percent(25) {
                synchronise_outlook(stage, dice, hour, person);
            }
            if dice.percent(20) {
                move_file(stage, dice, hour, person);
            }
            if dice.percent(20) {
                run_report(stage, dice, hour, person);
            }
        }
        if let Some(person) = dice.pick(&present) {
            export_report(stage, dice, hour, person);
            stage.platform_call(dice, after(hour, 1_000), person);
            stage.platform_call(dice, after(hour, 1_801_000), person);
        }
        if let Some(person) = dice.pick(&present) {
            import_leads(stage, dice, hour, person);
        }
    }
}

fn log_in(stage: &mut Stage, dice: &mut Dice, hour: DateTime<Utc>, person: &Caller) {
    let failed = dice.percent(6);
    let at = dice.moment(hour);
    let row = base(dice, "Login", at, person, "/index.jsp")
        .with("LOGIN_TYPE", "A")
        .with("LOGIN_SUB_TYPE", "uiup")
        .with(
            "BROWSER_TYPE",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0",
        )
        .with("API_VERSION", "9998.0")
        .with("USER_NAME", person.user_name.clone())
        .with("TLS_PROTOCOL", "TLSv1.3")
        .with("CIPHER_SUITE", "TLS_AES_256_GCM_SHA384")
        .with("LOGIN_URL", "meridian-cloud.my.salesforce.com")
        .with(
            "LOGIN_STATUS",
            if failed { "LOGIN_ERROR_INVALID_PASSWORD" } else { "LOGIN_NO_ERROR" },
        )
        .with("SOURCE_IP", person.address.clone());
    stage.put("Login", None, 0, row);
}

fn browse(stage: &mut Stage, dice: &mut Dice, hour: DateTime<Utc>, person: &Caller) {
    for _ in 0..dice.between(4, 14) {
        let at = dice.moment(hour);
        let Some((_, prefix)) = dice.pick(&PAGES) else { continue };
        let record = format!("{prefix}5g00000{}", dice.text(5));
        let search = dice.percent(6);
        let uri = if search {
            format!("/_ui/search/ui/UnifiedSearchResults?str={CANARY_PERSONAL_DATA}&asPhrase=1")
        } else {
            format!("/{record}")
        };
        let row = base(dice, "URI", at, person, &uri)
            .with("REQUEST_STATUS", "S")
            .with("REFERRER_URI", dice.one_of(&["", "/home/home.jsp", "/lightning/page/home"]))
            .with("URI_ID_DERIVED", if search { String::new() } else { long_id(&record) });
        stage.put("URI", None, 0, row);
    }
    if dice.percent(15) {
        let at = dice.moment(hour);
        let Some((object, _)) = dice.pick(&PAGES) else { return };
        let query = format!(
            "SELECT Id, Name, Owner.Name FROM {object} WHERE OwnerId = :id ORDER BY Name LIMIT 50"
        );
        stage.unique_query(dice, at, Actor { agent: None, caller: person }, query);
    }
}

/// The mobile app: `RestApi` rows do not name it, the count of API calls does.
fn use_mobile_app(stage: &mut Stage, dice: &mut Dice, hour: DateTime<Utc>, person: &Caller) {
    let caller = Caller { user_agent: "20250300", ..person.clone() };
    let actor = Actor { agent: None, caller: &caller };
    for _ in 0..dice.between(1, 4) {
        let at = dice.moment(hour);
        let Some((object, prefix)) = dice.pick(&PAGES).copied() else { continue };
        match dice.below(8) {
            0 | 1 => {
                let query = format!(
                    "SELECT Id, Name, Email FROM Contact WHERE Email = '{CANARY_PERSONAL_DATA}'"
                );
                let call = RestCall {
                    uri: format!("/services/data/v60.0/query?q={}", query.replace(' ', "+")),
                    ..query_call("Contact", 1, &query)
                };
                stage.rest(dice, at, actor, call);
            }
            2 => {
                let call = RestCall {
                    method: "PATCH",
                    uri: format!(
                        "/services/data/v60.0/sobjects/{object}/{prefix}5g00000{}",
                        dice.text(5)
                    ),
                    entity: object,
                    status: 400,
                    // Salesforce writes a value that itself stands in quotes with three on each side.
                    exception: format!(
                        "\"duplicate value found,\n{CANARY_PERSONAL_DATA} is taken\""
                    ),
                    ..RestCall::default()
                };
                stage.rest(dice, at, actor, call);
            }
            3 => {
                let call = RestCall {
                    method: "GET",
                    uri: format!("/services/apexrest/visits/{}", dice.between(1, 30)),
                    entity: "Event",
                    records: dice.between(1, 9),
                    status: 200,
                    ..RestCall::default()
                };
                stage.rest(dice, at, actor, call);
            }
            _ => {
                let uri = format!(
                    "/services/data/v60.0/sobjects/{object}/{prefix}5g00000{}",
                    dice.text(5)
                );
                stage.rest(dice, at, actor, read_call(object, uri));
            }
        }
    }
    // Chatter and notifications: calls that only the count of API calls shows, with the app's name.
    let at = dice.moment(hour);
    let row = base(dice, "ApiTotalUsage", at, person, "")
        .with("API_FAMILY", "REST")
        .with("API_VERSION", "60.0")
        .with("API_RESOURCE", "/v60.0/connect/notifications")
        .with("HTTP_METHOD", "GET")
        .with("COUNTS_AGAINST_API_LIMIT", "0")
        .with("CONNECTED_APP_ID", MOBILE_APP)
        .with("CONNECTED_APP_NAME", MOBILE_APP_NAME)
        .with("STATUS_CODE", "200")
        .with("USER_NAME", person.user_name.clone());
    stage.put("ApiTotalUsage", None, 0, row);
}

fn synchronise_outlook(stage: &mut Stage, dice: &mut Dice, hour: DateTime<Utc>, person: &Caller) {
    let caller = Caller { client_name: "SForceOutlook/3.4.12", ..person.clone() };
    let actor = Actor { agent: None, caller: &caller };
    let (at, records) = (dice.moment(hour), dice.between(1, 40));
    stage.soap(dice, at, actor, "query", "Contact", records);
}

fn move_file(stage: &mut Stage, dice: &mut Dice, hour: DateTime<Utc>, person: &Caller) {
    let (at, document, version) = (dice.moment(hour), dice.text(5), dice.text(5));
    let (document, version) = (format!("0695g00000{document}"), format!("0685g00000{version}"));
    let row = base(dice, "ContentTransfer", at, person, "")
        .with(
            "TRANSACTION_TYPE",
            dice.one_of(&["VersionDownloadAction", "VersionRenditionDownload", "saveVersion"]),
        )
        .with("FILE_TYPE", dice.one_of(&["PDF", "EXCEL_X", "PNG", "WORD_X"]))
        .with("SIZE_BYTES", dice.between(9_000, 4_000_000).to_string())
        .with("DOCUMENT_ID_DERIVED", long_id(&document))
        .with("VERSION_ID_DERIVED", long_id(&version))
        .with("DOCUMENT_ID", document)
        .with("VERSION_ID", version);
    stage.put("ContentTransfer", None, 0, row);
}

fn run_report(stage: &mut Stage, dice: &mut Dice, hour: DateTime<Utc>, person: &Caller) {
    let report = format!("00O5g00000{}", dice.text(5));
    let (at, records) = (dice.moment(hour), dice.between(10, 1_800));
    report_row(stage, dice, at, person, &report, "W", records);
}

/// A person exports now and then: both of the export, and of the run that it begins with, there is a row.
fn export_report(stage: &mut Stage, dice: &mut Dice, hour: DateTime<Utc>, person: &Caller) {
    let report = format!("00O5g00000{}", dice.text(5));
    let (at, records) = (after(hour, dice.below(3_500_000)), dice.between(200, 2_400));
    report_row(stage, dice, at, person, &report, "X", records);
    let row = base(dice, "ReportExport", after(at, 4_000), person, &format!("/{report}"))
        .with("CLIENT_INFO", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0.0.0")
        .with("REPORT_DESCRIPTION", format!("Open opportunities; ask {CANARY_PERSONAL_DATA}"))
        .with("URI_ID_DERIVED", long_id(&report));
    stage.put("ReportExport", None, 0, row);
}

fn report_row(
    stage: &mut Stage,
    dice: &mut Dice,
    at: DateTime<Utc>,
    person: &Caller,
    report: &str,
    rendering: &'static str,
    records: u64,
) {
    let columns = dice.between(4, 16).to_string();
    let row = base(dice, "Report", at, person, &format!("/{report}"))
        .with("REQUEST_STATUS", "S")
        .with("ENTITY_NAME", dice.one_of(&["Opportunity", "Account", "Case", "Lead", "Contact"]))
        .with("DISPLAY_TYPE", dice.one_of(&["T", "S", "D"]))
        .with("RENDERING_TYPE", rendering)
        .with("REPORT_ID", report)
        .with("ROW_COUNT", records.to_string())
        .with("NUMBER_COLUMNS", columns.clone())
        .with("UI_NUMBER_COLUMNS", columns)
        .with("AVERAGE_ROW_SIZE", dice.between(90, 640).to_string())
        .with("NUMBER_BUCKETS", "0")
        .with("NUMBER_EXCEPTION_FILTERS", "0")
        .with("ORIGIN", "ReportRunFromLightning")
        .with("REPORT_ID_DERIVED", long_id(report))
        .with("URI_ID_DERIVED", long_id(report));
    stage.put("Report", None, 0, row);
}

/// The import wizard, which the platform runs over the first Bulk API in the person's name.
fn import_leads(stage: &mut Stage, dice: &mut Dice, hour: DateTime<Utc>, person: &Caller) {
    let (at, job, batch) = (dice.moment(hour), dice.text(5), dice.text(5));
    let row = base(dice, "BulkApi", at, person, "/services/async")
        .with("JOB_ID", format!("7505g00000{job}"))
        .with("BATCH_ID", format!("7515g00000{batch}"))
        .with("OPERATION_TYPE", "insert")
        .with("ENTITY_TYPE", "Lead")
        .with("ROWS_PROCESSED", dice.between(20, 190).to_string())
        .with("NUMBER_FAILURES", "0")
        .with("SUCCESS", "1");
    stage.put("BulkApi", None, 0, row);
}
