//! Calls as a gateway in front of Salesforce saw them: access logs of Amazon API Gateway, and API Activity of OCSF.
//!
//! What each field means stands in `docs/GATEWAY.md`.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::binding::{Column, derived, moment, text};
use crate::event_type::EventType;

/// What a gateway writes for a variable that is not set.
const UNSET: &str = "-";

/// How the ids of users and of connected apps begin.
const USER_PREFIX: &str = "005";
const CONNECTED_APP_PREFIX: &str = "0H4";

/// The columns of a line of a gateway.
pub(super) fn columns(
    event_type: Option<EventType>,
    fields: &Map<String, Value>,
) -> Vec<Column<'_>> {
    let line = Line(fields);
    if event_type == Some(EventType::OcsfApiActivity) { line.ocsf() } else { line.api_gateway() }
}

/// A line, by paths of keys.
#[derive(Clone, Copy)]
struct Line<'a>(&'a Map<String, Value>);

impl<'a> Line<'a> {
    fn value(self, path: &str) -> Option<&'a Value> {
        let mut keys = path.split('.');
        let first = self.0.get(keys.next()?)?;
        keys.try_fold(first, |value, key| match value {
            Value::Array(items) => items.first()?.get(key),
            other => other.get(key),
        })
    }

    /// The first of these that says something.
    fn first(self, paths: &[&str]) -> Option<Cow<'a, str>> {
        paths
            .iter()
            .filter_map(|path| text(self.value(path)?, ""))
            .find(|text| !text.is_empty() && *text != UNSET)
    }

    fn time(self, paths: &[&str]) -> Option<Cow<'a, str>> {
        let value = paths.iter().find_map(|path| self.value(path))?;
        let at = moment(value).or_else(|| common_log_time(value.as_str()?));
        at.map(derived).or_else(|| text(value, ""))
    }

    /// Access logs of Amazon API Gateway, for REST and HTTP APIs.
    fn api_gateway(self) -> Vec<Column<'a>> {
        let mut columns = caller(self.first(&["principalId", "apiKeyId", "userArn", "caller"]));
        let path = self.first(&["path", "resourcePath"]).or_else(|| {
            // "GET /services/data/v61.0/query"
            let route = self.first(&["routeKey"])?;
            route.split_once(' ').map(|(_, path)| Cow::Owned(path.to_owned()))
        });
        let query = self.first(&["query", "queryString"]);
        let time = self.time(&["requestTimeEpoch", "requestTime"]);
        let others = [
            ("TIMESTAMP_DERIVED", time),
            ("URI", address(path, query)),
            ("ORGANIZATION_ID", self.first(&["salesforceOrgId"])),
            ("REQUEST_ID", self.first(&["requestId"])),
            ("METHOD", self.first(&["httpMethod"])),
            ("STATUS_CODE", self.first(&["status"])),
            ("RESPONSE_SIZE", self.first(&["responseLength"])),
            ("SOURCE_IP", self.first(&["ip", "sourceIp"])),
            ("USER_AGENT", self.first(&["userAgent"])),
        ];
        columns.extend(present(others));
        columns
    }

    /// API Activity of OCSF.
    fn ocsf(self) -> Vec<Column<'a>> {
        let mut columns = caller(self.first(&["actor.user.uid", "actor.user.name"]));
        let app = self.first(&["actor.app_uid"]);
        if let Some(app) = app {
            if app.starts_with(CONNECTED_APP_PREFIX) {
                columns.push(("CONNECTED_APP_ID".into(), app));
            } else if !columns.iter().any(|(name, _)| name == "CLIENT_NAME") {
                columns.push(("CLIENT_NAME".into(), app));
            }
        }
        let url = self.first(&["http_request.url.path"]);
        let query = self.first(&["http_request.url.query_string"]);
        let whole = self.first(&["http_request.url.url_string"]);
        let org_id = [
            "unmapped.salesforce_org_id",
            "unmapped.salesforceOrgId",
            "cloud.org.uid",
            "actor.user.org.uid",
        ];
        let others = [
            ("TIMESTAMP_DERIVED", self.time(&["time", "time_dt"])),
            ("URI", address(url, query).or_else(|| address(whole, None))),
            ("ORGANIZATION_ID", self.first(&org_id)),
            ("REQUEST_ID", self.first(&["metadata.uid", "api.request.uid", "http_request.uid"])),
            ("METHOD", self.first(&["http_request.http_method", "api.operation"])),
            ("API_RESOURCE", self.first(&["api.operation"])),
            ("STATUS_CODE", self.first(&["http_response.code", "api.response.code"])),
            ("RESPONSE_SIZE", self.first(&["http_response.length"])),
            ("SOURCE_IP", self.first(&["src_endpoint.ip"])),
            ("USER_AGENT", self.first(&["http_request.user_agent"])),
            ("CONNECTED_APP_NAME", self.first(&["actor.app_name"])),
        ];
        columns.extend(present(others));
        columns
    }
}

fn present<'a, const N: usize>(
    columns: [(&'static str, Option<Cow<'a, str>>); N],
) -> impl Iterator<Item = Column<'a>> {
    columns.into_iter().filter_map(|(name, value)| Some((Cow::Borrowed(name), value?)))
}

/// Who called: Salesforce's own id where the gateway knows one, else the name that the gateway has for the caller.
fn caller(principal: Option<Cow<'_, str>>) -> Vec<Column<'_>> {
    let Some(principal) = principal else { return Vec::new() };
    let is_id = |prefix: &str| {
        matches!(principal.len(), 15 | 18)
            && principal.starts_with(prefix)
            && principal.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let column = if is_id(USER_PREFIX) {
        "USER_ID"
    } else if is_id(CONNECTED_APP_PREFIX) {
        "CONNECTED_APP_ID"
    } else {
        "CLIENT_NAME"
    };
    vec![(Cow::Borrowed(column), principal)]
}

/// The address of the call at Salesforce: without host, stage or base path in front of `/services/`.
fn address<'a>(path: Option<Cow<'a, str>>, query: Option<Cow<'a, str>>) -> Option<Cow<'a, str>> {
    let path = path?;
    let before_query = path.split('?').next().unwrap_or_default();
    let start = before_query.find("/services/").unwrap_or(0);
    let mut address = path.get(start..).unwrap_or_default().to_owned();
    if let Some(query) = query {
        address.push(if address.contains('?') { '&' } else { '?' });
        address.push_str(query.strip_prefix('?').unwrap_or(&query));
    }
    Some(Cow::Owned(address))
}

/// `24/Nov/2026:09:15:00 +0000`
fn common_log_time(text: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_str(text, "%d/%b/%Y:%H:%M:%S %z").ok()?;
    Some(at.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_begins_where_salesforce_begins() {
        for (path, query, expected) in [
            (
                "/prod/services/data/v61.0/query",
                Some("q=SELECT+Id+FROM+Lead"),
                "/services/data/v61.0/query?q=SELECT+Id+FROM+Lead",
            ),
            (
                "https://x.my.salesforce.com/services/data/v61.0/limits?a=/services/",
                None,
                "/services/data/v61.0/limits?a=/services/",
            ),
            ("/other", None, "/other"),
        ] {
            let address = address(Some(path.into()), query.map(Cow::Borrowed));
            assert_eq!(address.as_deref(), Some(expected));
        }
    }

    #[test]
    fn the_time_of_the_common_log_format_is_read() {
        let at = common_log_time("24/Nov/2026:10:15:00 +0100").unwrap();
        assert_eq!(derived(at), "2026-11-24T09:15:00.000Z");
    }
}
