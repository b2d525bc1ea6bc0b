//! The columns of each event type, in the order of their files.
//!
//! Where a header of a live org is known, it stands here as it was seen; the Salesforce reference lists
//! columns by alphabet, so for the other types the order follows the live ones: identity first, what is
//! particular to the type in the middle, the derived columns last.

/// How sure the order of the columns is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Seen in the files of a live org.
    Observed,
    /// The documented columns, in the order that files of other types have.
    Plausible,
}

/// The header of one event type.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// `EVENT_TYPE`, as Salesforce spells it.
    pub event_type: &'static str,
    /// How sure the order is.
    pub order: Order,
    /// The columns, comma-separated, in file order.
    columns: &'static str,
}

impl Schema {
    /// The columns in file order.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.columns.split(',')
    }

    /// Whether the type has the column.
    pub fn has(&self, column: &str) -> bool {
        self.columns().any(|known| known == column)
    }

    /// The schema of that event type; `None` for a type that no world writes.
    pub fn of(event_type: &str) -> Option<&'static Self> {
        SCHEMAS.iter().find(|schema| schema.event_type == event_type)
    }
}

/// Every type that a world writes.
pub const SCHEMAS: [Schema; 13] = [
    Schema {
        event_type: "API",
        order: Order::Observed,
        columns: "EVENT_TYPE,TIMESTAMP,REQUEST_ID,ORGANIZATION_ID,USER_ID,RUN_TIME,CPU_TIME,URI,\
                  SESSION_KEY,LOGIN_KEY,REQUEST_STATUS,DB_TOTAL_TIME,API_TYPE,API_VERSION,CLIENT_NAME,\
                  METHOD_NAME,ENTITY_NAME,ROWS_PROCESSED,REQUEST_SIZE,RESPONSE_SIZE,DB_BLOCKS,\
                  DB_CPU_TIME,TIMESTAMP_DERIVED,USER_ID_DERIVED,CLIENT_IP,URI_ID_DERIVED",
    },
    Schema { event_type: "ApexRestApi", order: Order::Observed, columns: REST_COLUMNS },
    Schema {
        event_type: "ApiTotalUsage",
        order: Order::Observed,
        columns: "EVENT_TYPE,TIMESTAMP,REQUEST_ID,ORGANIZATION_ID,USER_ID,API_FAMILY,API_VERSION,\
                  API_RESOURCE,CLIENT_NAME,HTTP_METHOD,CLIENT_IP,COUNTS_AGAINST_API_LIMIT,\
                  CONNECTED_APP_ID,ENTITY_NAME,STATUS_CODE,CONNECTED_APP_NAME,USER_NAME,\
                  TIMESTAMP_DERIVED",
    },
    Schema {
        event_type: "BulkApi",
        order: Order::Plausible,
        columns: "EVENT_TYPE,TIMESTAMP,REQUEST_ID,ORGANIZATION_ID,USER_ID,RUN_TIME,CPU_TIME,URI,\
                  SESSION_KEY,LOGIN_KEY,JOB_ID,BATCH_ID,OPERATION_TYPE,ENTITY_TYPE,ROWS_PROCESSED,\
                  NUMBER_FAILURES,SUCCESS,MESSAGE,TIMESTAMP_DERIVED,USER_ID_DERIVED,CLIENT_IP,\
                  URI_ID_DERIVED",
    },
    Schema {
        event_type: "BulkApi2",
        order: Order::Plausible,
        columns: "EVENT_TYPE,TIMESTAMP,REQUEST_ID,ORGANIZATION_ID,USER_ID,RUN_TIME,CPU_TIME,URI,\
                  SESSION_KEY,LOGIN_KEY,JOB_ID,OPERATION_TYPE,ENTITY_TYPE,JOB_STATUS,\
                  RECORDS_PROCESSED,RECORDS_FAILED,RESULT_SIZE_MB,TIMESTAMP_DERIVED,\
                  USER_ID_DERIVED,CLIENT_IP,URI_ID_DERIVED",
    },
    Schema {
        event_type: "BulkApiRequest",
        order: Order::Observed,
        columns: "EVENT_TYPE,TIMESTAMP,REQUEST_ID,ORGANIZATION_ID,USER_ID,RUN_TIME,CPU_TIME,URI,\
                  SESSION_KEY,LOGIN_KEY,REQUEST_PATH,API_VERSION,JOB_ID,BATCH_ID,OPERATION_TYPE,\
                  SUCCESS,ERROR_MESSAGE,CONNECTED_APP_ID,CLIENT_NAME,CONCURRENCY_MODE,STATUS_CODE,\
                  TIMESTAMP_DERIVED,USER_ID_DERIVED,CLIENT_IP,URI_ID_DERIVED",
    },
    Schema {
        event_type: "ContentTransfer",
        order: Order::Plausible,
        columns: "EVENT_TYPE,TIMESTAMP,REQUEST_ID,ORGANIZATION_ID,USER_ID,DOCUMENT_ID,VERSION_ID,\
                  TRANSACTION_TYPE,FILE_TYPE,FILE_PREVIEW_TYPE,SIZE_BYTES,TIMESTAMP_DERIVED,\
                  USER_ID_DERIVED,DOCUMENT_ID_DERIVED,VERSION_ID_DERIVED",
    },
    Schema {
        event_type: "Login",
        order: Order::Observed,
        columns: "EVENT_TYPE,TIMESTAMP,REQUEST_ID,ORGANIZATION_ID,USER_ID,RUN_TIME,CPU_TIME,URI,\
                  SESSION_KEY,LOGIN_KEY,USER_TYPE,REQUEST_STATUS,DB_TOTAL_TIME,LOGIN_TYPE,\
                  BROWSER_TYPE,API_TYPE,API_VERSION,USER_NAME,TLS_PROTOCOL,CIPHER_SUITE,LOGIN_URL,\
                  AUTHENTICATION_METHOD_REFERENCE,LOGIN_SUB_TYPE,AUTHENTICATION_SERVICE_ID,\
                  TIMESTAMP_DERIVED,USER_ID_DERIVED,CLIENT_IP,URI_ID_DERIVED,LOGIN_STATUS,SOURCE_IP,\
                  FORWARDED_FOR_IP",
    },
    Schema {
        event_type: "Report",
        order: Order::Plausible,
        columns: "EVENT_TYPE,TIMESTAMP,REQUEST_ID,ORGANIZATION_ID,USER_ID,RUN_TIME,CPU_TIME,URI,\
                  SESSION_KEY,LOGIN_KEY,USER_TYPE,REQUEST_STATUS,DB_TOTAL_TIME,DB_BLOCKS,DB_CPU_TIME,\
                  ENTITY_NAME,DISPLAY_TYPE,RENDERING_TYPE,REPORT_ID,ROW_COUNT,NUMBER_COLUMNS,\
                  UI_NUMBER_COLUMNS,AVERAGE_ROW_SIZE,SORT,NUMBER_BUCKETS,NUMBER_EXCEPTION_FILTERS,\
                  ORIGIN,TIMESTAMP_DERIVED,USER_ID_DERIVED,CLIENT_IP,URI_ID_DERIVED,\
                  REPORT_ID_DERIVED",
    },
    Schema {
        event_type: "ReportExport",
        order: Order::Plausible,
        columns: "EVENT_TYPE,TIMESTAMP,REQUEST_ID,ORGANIZATION_ID,USER_ID,RUN_TIME,CPU_TIME,URI,\
                  SESSION_KEY,LOGIN_KEY,CLIENT_INFO,REPORT_DESCRIPTION,TIMESTAMP_DERIVED,\
                  USER_ID_DERIVED,CLIENT_IP,URI_ID_DERIVED",
    },
    Schema { event_type: "RestApi", order: Order::Plausible, columns: REST_COLUMNS },
    Schema {
        event_type: "URI",
        order: Order::Plausible,
        columns: "EVENT_TYPE,TIMESTAMP,REQUEST_ID,ORGANIZATION_ID,USER_ID,RUN_TIME,CPU_TIME,URI,\
                  SESSION_KEY,LOGIN_KEY,USER_TYPE,REQUEST_STATUS,DB_TOTAL_TIME,DB_BLOCKS,DB_CPU_TIME,\
                  REFERRER_URI,TIMESTAMP_DERIVED,USER_ID_DERIVED,CLIENT_IP,URI_ID_DERIVED",
    },
    Schema {
        event_type: "UniqueQuery",
        order: Order::Plausible,
        columns: "EVENT_TYPE,TIMESTAMP,REQUEST_ID,ORGANIZATION_ID,USER_ID,SESSION_KEY,LOGIN_KEY,\
                  QUERY_IDENTIFIER,QUERY_TYPE,SQL_ID,BOT_IDENTIFIER,BOT_SESSION_IDENTIFIER,\
                  PLANNER_IDENTIFIER,TIMESTAMP_DERIVED",
    },
];

/// `RestApi` documents the same columns as `ApexRestApi`, whose live header is known.
const REST_COLUMNS: &str = "EVENT_TYPE,TIMESTAMP,REQUEST_ID,ORGANIZATION_ID,USER_ID,RUN_TIME,CPU_TIME,URI,\
     SESSION_KEY,LOGIN_KEY,USER_TYPE,REQUEST_STATUS,DB_TOTAL_TIME,METHOD,MEDIA_TYPE,STATUS_CODE,\
     USER_AGENT,ROWS_PROCESSED,NUMBER_FIELDS,DB_BLOCKS,DB_CPU_TIME,REQUEST_SIZE,RESPONSE_SIZE,\
     ENTITY_NAME,CONNECTED_APP_ID,CLIENT_NAME,EXCEPTION_MESSAGE,QUERY,TIMESTAMP_DERIVED,\
     USER_ID_DERIVED,CLIENT_IP,URI_ID_DERIVED";
