//! What each type of row says, type by type.

use eventlog::{
    row::{AccessRow, Channel, Operation},
    tls::TlsProtocol,
};

use crate::support::row_of;

fn objects(row: &AccessRow) -> Vec<&str> {
    row.objects.iter().map(String::as_str).collect()
}

fn ids(row: &AccessRow) -> Vec<&str> {
    row.record_ids.iter().map(String::as_str).collect()
}

#[test]
fn rest_api_a_query() {
    let row = row_of(
        "RestApi",
        &[
            ("METHOD", "GET"),
            ("URI", "/services/data/v61.0/query"),
            ("ENTITY_NAME", "Contact,Account"),
            ("QUERY", "SELECT Email, Account.Name FROM contact WHERE Name = 'x'"),
            ("ROWS_PROCESSED", "200"),
            ("RESPONSE_SIZE", "51000"),
            ("STATUS_CODE", "200"),
        ],
    );
    assert_eq!((row.channel, row.operation), (Channel::Rest, Operation::Read));
    assert_eq!(objects(&row), ["Account", "Contact"]);
    assert!(row.fields.contains("Contact.Email") && row.fields.contains("Contact.Account.Name"));
    assert_eq!((row.record_count, row.response_bytes), (Some(200), Some(51_000)));
    assert!(row.succeeded);
}

#[test]
fn rest_api_one_record_by_its_id() {
    let row = row_of(
        "RestApi",
        &[
            ("METHOD", "GET"),
            ("URI", "/services/data/v61.0/sobjects/Contact/0035g00000AbCdEAAQ"),
            ("ROWS_PROCESSED", "1"),
        ],
    );
    assert_eq!((objects(&row), ids(&row)), (vec!["Contact"], vec!["0035g00000AbCdE"]));
}

#[test]
fn rest_api_the_id_alone_names_the_object() {
    let row = row_of("RestApi", &[("METHOD", "GET"), ("URI_ID_DERIVED", "5005g00000AbCdEAAQ")]);
    assert_eq!((objects(&row), ids(&row)), (vec!["Case"], vec!["5005g00000AbCdE"]));
}

#[test]
fn rest_api_a_count_and_a_describe_return_no_records() {
    for columns in [
        [("QUERY", "SELECT COUNT() FROM Contact"), ("URI", "/services/data/v61.0/query")],
        [("QUERY", ""), ("URI", "/services/data/v61.0/sobjects/Contact/describe")],
    ] {
        let mut columns = columns.to_vec();
        columns.extend([("METHOD", "GET"), ("ROWS_PROCESSED", "48000")]);
        let row = row_of("RestApi", &columns);
        assert_eq!((row.operation, row.record_count), (Operation::Describe, None));
        assert_eq!(objects(&row), ["Contact"]);
    }
}

#[test]
fn rest_api_the_results_of_a_bulk_job_are_counted_by_the_job() {
    let row = row_of(
        "RestApi",
        &[
            ("METHOD", "GET"),
            ("URI", "/services/data/v61.0/jobs/query/7505g000008aBcDAAU/results"),
            ("ROWS_PROCESSED", "48000"),
        ],
    );
    assert_eq!((row.operation, row.record_count), (Operation::Export, Some(0)));
    assert!(row.record_ids.is_empty());
}

#[test]
fn refusals_and_failures_are_told() {
    for (event_type, column, value) in [
        ("RestApi", "STATUS_CODE", "403"),
        ("RestApi", "REQUEST_STATUS", "F"),
        ("API", "REQUEST_STATUS", "A"),
        ("BulkApi", "SUCCESS", "0"),
        ("BulkApi2", "JOB_STATUS", "Failed"),
        ("Login", "LOGIN_STATUS", "LOGIN_ERROR_INVALID_PASSWORD"),
    ] {
        assert!(!row_of(event_type, &[(column, value)]).succeeded, "{event_type} {column}={value}");
        assert!(row_of(event_type, &[(column, "")]).succeeded, "{event_type} {column}");
    }
}

#[test]
fn apex_rest_api_is_told_by_its_method() {
    let row = row_of(
        "ApexRestApi",
        &[
            ("METHOD", "GET"),
            ("URI", "/services/apexrest/patients"),
            ("ENTITY_NAME", "Contact"),
            ("ROWS_PROCESSED", "3"),
        ],
    );
    assert_eq!((row.channel, row.operation), (Channel::ApexRest, Operation::Read));
    assert_eq!((objects(&row), row.record_count), (vec!["Contact"], Some(3)));
}

#[test]
fn api_is_told_by_its_method_name() {
    for (method, operation) in [
        ("queryMore", Operation::Read),
        ("retrieve", Operation::Read),
        ("create", Operation::Create),
        ("upsert", Operation::Update),
        ("delete", Operation::Delete),
        ("describeSObjects", Operation::Describe),
        ("logout", Operation::Other),
    ] {
        let row = row_of("API", &[("METHOD_NAME", method), ("ENTITY_NAME", "Invoice__c")]);
        assert_eq!((row.channel, row.operation), (Channel::Soap, operation), "{method}");
        assert_eq!(objects(&row), ["Invoice__c"]);
    }
}

#[test]
fn bulk_api_2_a_query_job_is_an_export() {
    let row = row_of(
        "BulkApi2",
        &[
            ("OPERATION_TYPE", "query"),
            ("ENTITY_TYPE", "Contact"),
            ("RECORDS_PROCESSED", "48000"),
            ("RESULT_SIZE_MB", "12.5"),
            ("JOB_ID", "7505g000008aBcDAAU"),
            ("JOB_STATUS", "JobComplete"),
        ],
    );
    assert_eq!((row.channel, row.operation), (Channel::Bulk, Operation::Export));
    assert_eq!((row.record_count, row.response_bytes), (Some(48_000), Some(13_107_200)));
    assert_eq!(row.join_keys.job_id.as_deref(), Some("7505g000008aBcD"));
}

#[test]
fn bulk_api_2_an_aborted_job_has_handed_out_what_it_had() {
    let row = row_of(
        "BulkApi2",
        &[("OPERATION_TYPE", "query"), ("JOB_STATUS", "Aborted"), ("RECORDS_PROCESSED", "9000")],
    );
    assert!(row.succeeded);
}

#[test]
fn bulk_api_an_ingest_batch() {
    for (kind, operation) in [
        ("insert", Operation::Create),
        ("upsert", Operation::Update),
        ("hardDelete", Operation::Delete),
    ] {
        let row = row_of(
            "BulkApi",
            &[("OPERATION_TYPE", kind), ("ENTITY_TYPE", "Lead"), ("ROWS_PROCESSED", "200")],
        );
        assert_eq!((row.operation, row.record_count), (operation, Some(200)));
    }
}

#[test]
fn echoes_count_no_records() {
    for (event_type, columns, operation) in [
        ("BulkApiRequest", vec![("OPERATION_TYPE", "query")], Operation::Export),
        (
            "ApiTotalUsage",
            vec![
                ("API_FAMILY", "REST"),
                ("HTTP_METHOD", "GET"),
                ("API_RESOURCE", "/v61.0/query"),
                ("ENTITY_NAME", "Contact"),
            ],
            Operation::Read,
        ),
        ("ApiTotalUsage", vec![("API_FAMILY", "SOAP"), ("API_RESOURCE", "query")], Operation::Read),
        (
            "UniqueQuery",
            vec![("QUERY_IDENTIFIER", "SELECT Birthdate FROM Contact")],
            Operation::Read,
        ),
        ("Login", vec![("LOGIN_STATUS", "LOGIN_NO_ERROR")], Operation::Login),
    ] {
        let row = row_of(event_type, &columns);
        assert!(!row.event_type.counts_records());
        assert_eq!((row.operation, row.record_count), (operation, None), "{event_type}");
    }
}

#[test]
fn unique_query_names_objects_and_fields() {
    let row = row_of(
        "UniqueQuery",
        &[(
            "QUERY_IDENTIFIER",
            "SELECT Birthdate, (SELECT Subject FROM Cases) FROM Contact WHERE Id = :id",
        )],
    );
    assert_eq!((row.channel, objects(&row)), (Channel::Query, vec!["Case", "Contact"]));
    assert!(row.fields.contains("Contact.Birthdate") && row.fields.contains("Case.Subject"));
    let report = row_of("UniqueQuery", &[("QUERY_IDENTIFIER", "00O5g000008aBcD")]);
    assert!(report.objects.is_empty());
}

#[test]
fn report_runs_are_reads_and_export_renderings_exports() {
    for (rendering, origin, operation) in [
        ("W", "ReportRunFromLightning", Operation::Read),
        ("C", "", Operation::Export),
        ("X", "", Operation::Export),
        ("P", "", Operation::Export),
        ("W", "ReportExported", Operation::Export),
    ] {
        let row = row_of(
            "Report",
            &[
                ("RENDERING_TYPE", rendering),
                ("ORIGIN", origin),
                ("ROW_COUNT", "1500"),
                ("AVERAGE_ROW_SIZE", "300"),
                ("ENTITY_NAME", "Contact"),
                ("URI_ID_DERIVED", "00O5g000008aBcDEAU"),
            ],
        );
        assert_eq!(
            (row.channel, row.operation),
            (Channel::Report, operation),
            "{rendering}{origin}"
        );
        assert_eq!((row.record_count, row.response_bytes), (Some(1_500), Some(450_000)));
        assert!(row.record_ids.is_empty());
    }
}

#[test]
fn report_export_says_neither_objects_nor_rows() {
    let row = row_of("ReportExport", &[("URI", "/00O5g000008aBcD"), ("CLIENT_INFO", "x")]);
    assert_eq!((row.channel, row.operation), (Channel::ReportExport, Operation::Export));
    assert_eq!((row.record_count, row.objects.len()), (None, 0));
}

#[test]
fn content_transfer_is_one_file() {
    for (kind, operation, bytes) in [
        ("VersionDownloadApi", Operation::Export, Some(90_000)),
        ("VersionDownloadAction", Operation::Export, Some(90_000)),
        ("VersionRenditionDownload", Operation::Read, Some(90_000)),
        ("saveVersion", Operation::Create, None),
    ] {
        let row = row_of(
            "ContentTransfer",
            &[
                ("TRANSACTION_TYPE", kind),
                ("DOCUMENT_ID", "0695g00000AbCdE"),
                ("VERSION_ID", "0685g00000AbCdE"),
                ("SIZE_BYTES", "90000"),
            ],
        );
        assert_eq!((row.channel, row.operation), (Channel::File, operation), "{kind}");
        assert_eq!((row.record_count, row.response_bytes), (Some(1), bytes));
        assert_eq!((objects(&row), ids(&row)), (vec!["ContentDocument"], vec!["0695g00000AbCdE"]));
    }
}

#[test]
fn uri_pages_name_their_object_by_id_or_path() {
    for (uri, operation, object, record_ids) in [
        ("/0035g00000AbCdE", Operation::Read, vec!["Contact"], vec!["0035g00000AbCdE"]),
        ("/003/o", Operation::Read, vec!["Contact"], vec![]),
        (
            "/lightning/r/Contact/0035g00000AbCdEAAQ/view",
            Operation::Read,
            vec!["Contact"],
            vec!["0035g00000AbCdE"],
        ),
        ("/lightning/o/Invoice__c/list", Operation::Read, vec!["Invoice__c"], vec![]),
        (
            "/servlet/servlet.FileDownload?file=00P5g00000AbCdE",
            Operation::Export,
            vec!["Attachment"],
            vec!["00P5g00000AbCdE"],
        ),
        ("/00O5g000008aBcD?export=1&enc=UTF-8&xf=csv", Operation::Export, vec![], vec![]),
        (
            "/setup/own/deleteredirect.jsp?delID=0035g00000AbCdE",
            Operation::Delete,
            vec!["Contact"],
            vec!["0035g00000AbCdE"],
        ),
        ("/home/home.jsp", Operation::Other, vec![], vec![]),
    ] {
        let row = row_of("URI", &[("URI", uri)]);
        assert_eq!((row.channel, row.operation), (Channel::Ui, operation), "{uri}");
        assert_eq!((objects(&row), ids(&row)), (object, record_ids), "{uri}");
    }
}

#[test]
fn rest_api_a_wildcard_stands_for_the_fields_of_its_object() {
    let row = row_of(
        "RestApi",
        &[
            ("METHOD", "GET"),
            ("URI", "/services/data/v61.0/query?q=SELECT+FIELDS(ALL)+FROM+Contact+LIMIT+200"),
        ],
    );
    assert_eq!((row.operation, objects(&row)), (Operation::Read, vec!["Contact"]));
    assert_eq!(row.fields.iter().collect::<Vec<_>>(), ["Contact.FIELDS(ALL)"]);
}

#[test]
fn rest_api_a_search_in_the_address_names_objects_and_fields_and_not_what_was_searched_for() {
    let uri = "/services/data/v61.0/search?q=FIND+%7BErika%7D+RETURNING+Contact(Id,+Email),+Lead";
    let row = row_of("RestApi", &[("METHOD", "GET"), ("URI", uri)]);
    assert_eq!((row.operation, objects(&row)), (Operation::Read, vec!["Contact", "Lead"]));
    assert_eq!(row.fields.iter().collect::<Vec<_>>(), ["Contact.Email", "Contact.Id"]);
    assert!(!serde_json::to_string(&row).unwrap().contains("Erika"));
}

#[test]
fn login_says_how_the_connection_was_secured() {
    let login = |protocol, cipher_suite| {
        row_of("Login", &[("TLS_PROTOCOL", protocol), ("CIPHER_SUITE", cipher_suite)]).tls
    };
    let tls = login("TLSv1", "AES128-SHA").unwrap();
    assert_eq!(tls.protocol, TlsProtocol::Tls10);
    assert_eq!(tls.cipher_suite.as_deref(), Some("AES128-SHA"));
    assert_eq!(login("TLSv1.2", "no such; thing").unwrap().cipher_suite, None);
    assert_eq!(login("", "AES128-SHA"), None);
}

#[test]
fn api_total_usage_says_whether_a_call_used_up_the_limit() {
    for (text, counts) in [
        ("1", Some(true)),
        ("true", Some(true)),
        ("0", Some(false)),
        ("FALSE", Some(false)),
        ("", None),
        ("2", None),
    ] {
        let row = row_of("ApiTotalUsage", &[("COUNTS_AGAINST_API_LIMIT", text)]);
        assert_eq!(row.counts_against_api_limit, counts, "{text}");
    }
}

#[test]
fn an_address_that_is_none_is_not_kept_and_the_other_column_stands_in() {
    for (client, source, kept) in [
        ("Erika's laptop", "198.51.100.7", Some("198.51.100.7")),
        ("Salesforce.com IP", "C6336407", Some("198.51.100.7")),
        ("Salesforce.com IP", "N/A", Some("Salesforce.com IP")),
        ("203.0.113.9", "198.51.100.7", Some("203.0.113.9")),
        ("Unknown", "Erika's laptop", None),
    ] {
        let row = row_of("Login", &[("CLIENT_IP", client), ("SOURCE_IP", source)]);
        assert_eq!(row.source_address.as_deref(), kept, "{client} {source}");
    }
}

#[test]
fn a_number_for_a_user_agent_is_kept_as_a_number() {
    for (column, text, code) in [
        ("USER_AGENT", "13050000", Some(13_050_000)),
        ("BROWSER_TYPE", "10011000", Some(10_011_000)),
        ("USER_AGENT", "acme-agent/1.0", None),
        ("USER_AGENT", "99999999999999", None),
        ("USER_AGENT", "", None),
    ] {
        let row = row_of("RestApi", &[(column, text)]);
        assert_eq!(row.user_agent_code, code, "{column} {text}");
    }
}
