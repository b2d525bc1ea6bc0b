//! Where the parts of a world put their rows, each as Salesforce would log it.

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use crate::{
    Truth,
    dice::Dice,
    log_file::{LogFile, Row},
    organisation::{Caller, ORG_ID, long_id},
    schema::Schema,
};

const API_VERSION: &str = "60.0";

/// The rows so far, by event type and hour, and the truth about them.
#[derive(Default)]
pub(crate) struct Stage {
    rows: BTreeMap<(&'static str, DateTime<Utc>), Vec<Row>>,
    pub(crate) truth: Truth,
}

/// One call to REST, or to a REST service written in Apex.
#[derive(Default)]
pub(crate) struct RestCall<'a> {
    pub(crate) method: &'static str,
    pub(crate) uri: String,
    pub(crate) entity: &'static str,
    pub(crate) records: u64,
    pub(crate) query: &'a str,
    pub(crate) status: u64,
    pub(crate) exception: String,
}

/// One request to the Bulk API.
pub(crate) struct BulkRequest<'a> {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) job_id: &'a str,
    pub(crate) batch_id: &'a str,
    pub(crate) status: u64,
    pub(crate) error: String,
}

/// Who acts: what the rows say of them, and which agent it is in truth.
#[derive(Clone, Copy)]
pub(crate) struct Actor<'a> {
    pub(crate) agent: Option<&'static str>,
    pub(crate) caller: &'a Caller,
}

impl Stage {
    /// Adds a row. `agent` is the agent whose identity the row itself carries, and `records` the number of
    /// records that it says were handled.
    pub(crate) fn put(
        &mut self,
        event_type: &'static str,
        agent: Option<&'static str>,
        records: u64,
        row: Row,
    ) {
        self.truth.rows = self.truth.rows.saturating_add(1);
        if let Some(agent) = agent {
            let rows = self.truth.rows_by_agent.entry(agent.to_owned()).or_default();
            let count = rows.entry(event_type.to_owned()).or_default();
            *count = count.saturating_add(1);
            let total = self.truth.records_by_agent.entry(agent.to_owned()).or_default();
            *total = total.saturating_add(records);
        }
        let hour = row.at.duration_trunc(TimeDelta::hours(1)).unwrap_or(row.at);
        self.rows.entry((event_type, hour)).or_default().push(row);
    }

    /// The hourly files, by event type and hour.
    pub(crate) fn into_files(self) -> (Vec<LogFile>, Truth) {
        let files = self
            .rows
            .into_iter()
            .filter_map(|((event_type, hour), mut rows)| {
                rows.sort_by_key(|row| row.at);
                Schema::of(event_type).map(|schema| LogFile::new(schema, hour, 1, rows))
            })
            .collect();
        (files, self.truth)
    }

    /// A REST call, and its echo in the count of API calls.
    pub(crate) fn rest(
        &mut self,
        dice: &mut Dice,
        at: DateTime<Utc>,
        actor: Actor<'_>,
        call: RestCall<'_>,
    ) {
        let apex = call.uri.starts_with("/services/apexrest/");
        let event_type = if apex { "ApexRestApi" } else { "RestApi" };
        let resource: String = call
            .uri
            .trim_start_matches("/services/data")
            .trim_start_matches("/services")
            .chars()
            .take_while(|letter| *letter != '?')
            .collect();
        let succeeded = call.status < 400;
        let fields = if call.query.is_empty() {
            0
        } else {
            call.query.split(" FROM ").next().map_or(0, |select| select.matches(',').count() + 1)
        };
        let row = base(dice, event_type, at, actor.caller, &call.uri)
            .with("METHOD", call.method)
            .with("MEDIA_TYPE", "application/json")
            .with("STATUS_CODE", call.status.to_string())
            .with("REQUEST_STATUS", if succeeded { "S" } else { "F" })
            .with("USER_AGENT", actor.caller.user_agent)
            .with("ROWS_PROCESSED", call.records.to_string())
            .with("NUMBER_FIELDS", fields.to_string())
            .with("REQUEST_SIZE", dice.between(60, 900).to_string())
            .with("RESPONSE_SIZE", call.records.saturating_mul(dice.between(280, 420)).to_string())
            .with("ENTITY_NAME", call.entity)
            .with("CONNECTED_APP_ID", actor.caller.app_id)
            .with("CLIENT_NAME", actor.caller.client_name)
            .with("EXCEPTION_MESSAGE", call.exception)
            .with("QUERY", call.query);
        let request_id = row.value("REQUEST_ID").to_owned();
        let records = if succeeded { call.records } else { 0 };
        self.put(event_type, actor.agent, records, row);
        self.usage(
            dice,
            at,
            actor,
            Usage {
                request_id,
                family: "REST",
                method: call.method,
                resource,
                entity: call.entity,
                status: call.status,
            },
        );
    }

    /// A SOAP call, and its echo in the count of API calls.
    pub(crate) fn soap(
        &mut self,
        dice: &mut Dice,
        at: DateTime<Utc>,
        actor: Actor<'_>,
        method: &'static str,
        entity: &'static str,
        records: u64,
    ) {
        let row = soap_row(dice, at, actor.caller, method, entity, records).with("API_TYPE", "P");
        let request_id = row.value("REQUEST_ID").to_owned();
        self.put("API", actor.agent, records, row);
        self.usage(
            dice,
            at,
            actor,
            Usage {
                request_id,
                family: "SOAP",
                method: "",
                resource: method.to_owned(),
                entity,
                status: 200,
            },
        );
    }

    /// A call that the platform makes to itself: a SOAP row of no client and no address.
    pub(crate) fn platform_call(&mut self, dice: &mut Dice, at: DateTime<Utc>, user: &Caller) {
        let caller =
            Caller { address: String::new(), client_name: "SfdcInternalAPI/", ..user.clone() };
        let records = dice.between(1, 30);
        let row = soap_row(dice, at, &caller, "query", "ApexClass", records).with("API_TYPE", "T");
        self.put("API", None, records, row);
    }

    /// A request to the Bulk API, and its echo in the count of API calls.
    pub(crate) fn bulk_request(
        &mut self,
        dice: &mut Dice,
        at: DateTime<Utc>,
        actor: Actor<'_>,
        request: BulkRequest<'_>,
    ) {
        let row = base(dice, "BulkApiRequest", at, actor.caller, &request.path)
            .with("REQUEST_PATH", request.path.clone())
            .with("API_VERSION", API_VERSION)
            .with("JOB_ID", request.job_id)
            .with("BATCH_ID", request.batch_id)
            .with("OPERATION_TYPE", "query")
            .with("SUCCESS", if request.status < 400 { "1" } else { "0" })
            .with("ERROR_MESSAGE", request.error)
            .with("CONNECTED_APP_ID", actor.caller.app_id)
            .with("CLIENT_NAME", actor.caller.client_name)
            .with("CONCURRENCY_MODE", "parallel")
            .with("STATUS_CODE", request.status.to_string());
        let request_id = row.value("REQUEST_ID").to_owned();
        self.put("BulkApiRequest", actor.agent, 0, row);
        self.usage(
            dice,
            at,
            actor,
            Usage {
                request_id,
                family: "BULK",
                method: request.method,
                resource: request.path.trim_start_matches("/services/data").to_owned(),
                entity: "",
                status: request.status,
            },
        );
    }

    /// A distinct query text.
    pub(crate) fn unique_query(
        &mut self,
        dice: &mut Dice,
        at: DateTime<Utc>,
        actor: Actor<'_>,
        query: impl Into<String>,
    ) {
        let row = base(dice, "UniqueQuery", at, actor.caller, "")
            .with("QUERY_IDENTIFIER", query)
            .with("QUERY_TYPE", "soql")
            .with("SQL_ID", dice.text(13))
            .with("BOT_IDENTIFIER", actor.caller.bot_id)
            .with(
                "BOT_SESSION_IDENTIFIER",
                if actor.caller.bot_id.is_empty() { String::new() } else { dice.text(18) },
            );
        self.put("UniqueQuery", actor.agent, 0, row);
    }

    fn usage(&mut self, dice: &mut Dice, at: DateTime<Utc>, actor: Actor<'_>, usage: Usage) {
        let row = base(dice, "ApiTotalUsage", at, actor.caller, "")
            .with("REQUEST_ID", usage.request_id)
            .with("API_FAMILY", usage.family)
            .with("API_VERSION", API_VERSION)
            .with("API_RESOURCE", usage.resource)
            .with("CLIENT_NAME", actor.caller.client_name)
            .with("HTTP_METHOD", usage.method)
            .with("COUNTS_AGAINST_API_LIMIT", "1")
            .with("CONNECTED_APP_ID", actor.caller.app_id)
            .with("ENTITY_NAME", usage.entity)
            .with("STATUS_CODE", usage.status.to_string())
            .with("CONNECTED_APP_NAME", actor.caller.app_name)
            .with("USER_NAME", actor.caller.user_name.clone());
        self.put("ApiTotalUsage", actor.agent, 0, row);
    }
}

struct Usage {
    request_id: String,
    family: &'static str,
    method: &'static str,
    resource: String,
    entity: &'static str,
    status: u64,
}

fn soap_row(
    dice: &mut Dice,
    at: DateTime<Utc>,
    caller: &Caller,
    method: &'static str,
    entity: &'static str,
    records: u64,
) -> Row {
    base(dice, "API", at, caller, "Api")
        .with("API_VERSION", API_VERSION)
        .with("CLIENT_NAME", caller.client_name)
        .with("METHOD_NAME", method)
        .with("ENTITY_NAME", entity)
        .with("ROWS_PROCESSED", records.to_string())
        .with("REQUEST_SIZE", dice.between(700, 1900).to_string())
        .with("RESPONSE_SIZE", records.saturating_mul(dice.between(400, 900)).to_string())
}

/// The columns that most types share, of those that this type has.
pub(crate) fn base(
    dice: &mut Dice,
    event_type: &'static str,
    at: DateTime<Utc>,
    caller: &Caller,
    uri: &str,
) -> Row {
    let run_time = dice.between(8, 900);
    let common: [(&'static str, String); 17] = [
        ("EVENT_TYPE", event_type.to_owned()),
        ("TIMESTAMP", at.format("%Y%m%d%H%M%S%.3f").to_string()),
        ("REQUEST_ID", dice.text(22)),
        ("ORGANIZATION_ID", ORG_ID.to_owned()),
        ("USER_ID", caller.user_id.clone()),
        ("RUN_TIME", run_time.to_string()),
        ("CPU_TIME", dice.between(4, run_time).to_string()),
        ("URI", uri.to_owned()),
        ("SESSION_KEY", caller.session_key.clone()),
        ("LOGIN_KEY", caller.login_key.clone()),
        ("USER_TYPE", "Standard".to_owned()),
        ("DB_TOTAL_TIME", run_time.saturating_mul(410_000).to_string()),
        ("DB_BLOCKS", dice.between(20, 4000).to_string()),
        ("DB_CPU_TIME", dice.between(0, 40).to_string()),
        ("TIMESTAMP_DERIVED", at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()),
        ("USER_ID_DERIVED", long_id(&caller.user_id)),
        ("CLIENT_IP", caller.address.clone()),
    ];
    let schema = Schema::of(event_type);
    let mut row = Row { at, values: std::collections::BTreeMap::new() };
    for (column, value) in common {
        if schema.is_some_and(|schema| schema.has(column)) {
            row = row.with(column, value);
        }
    }
    row
}
