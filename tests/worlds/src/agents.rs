//! The registered agents on a good day: each within its purpose, its hours and its limits.

use chrono::{DateTime, Utc};

use crate::{
    dice::{Dice, after},
    organisation::{
        BILLING_APP, BILLING_RECONCILER, BILLING_USER, CANARY_PERSONAL_DATA, Caller,
        MEETING_SCHEDULER, SCHEDULER_CLIENT, SCHEDULER_USER, SUPPORT_ADDRESS, SUPPORT_APP,
        SUPPORT_BOT, SUPPORT_COPILOT, SUPPORT_USER, WAREHOUSE_APP, WAREHOUSE_SYNC, WAREHOUSE_USER,
    },
    stage::{Actor, BulkRequest, RestCall, Stage, base},
};

/// The agents' sessions were opened the day before and are kept open, so no login of theirs is in the
/// logs of a good day.
pub(crate) struct Agents {
    pub(crate) support: Caller,
    billing: Caller,
    billing_soap: Caller,
    warehouse: Caller,
    scheduler: Caller,
}

impl Agents {
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 10);
        let mut session = |user_id: &str, user_name: &str, address: &str| Caller {
            user_id: user_id.to_owned(),
            user_name: user_name.to_owned(),
            session_key: dice.text(16),
            login_key: dice.text(16),
            address: address.to_owned(),
            user_agent: "99990000",
            ..Caller::default()
        };
        let support = Caller {
            app_id: SUPPORT_APP,
            app_name: "Support Copilot",
            bot_id: SUPPORT_BOT,
            ..session(SUPPORT_USER, "support-copilot@meridian-cloud.example", SUPPORT_ADDRESS)
        };
        let billing = Caller {
            app_id: BILLING_APP,
            app_name: "Billing Reconciler",
            ..session(BILLING_USER, "billing-reconciler@meridian-cloud.example", "198.51.100.34")
        };
        let billing_soap = Caller { client_name: "BillingReconciler/4.2", ..billing.clone() };
        let warehouse = Caller {
            app_id: WAREHOUSE_APP,
            app_name: "Warehouse Sync",
            ..session(WAREHOUSE_USER, "warehouse-sync@meridian-cloud.example", "198.51.100.55")
        };
        // It works under the account of the person who set it up, whose name is personal data.
        let scheduler = Caller {
            client_name: SCHEDULER_CLIENT,
            ..session(SCHEDULER_USER, CANARY_PERSONAL_DATA, "198.51.100.68")
        };
        Self { support, billing, billing_soap, warehouse, scheduler }
    }

    /// An hour of the working day.
    pub(crate) fn work(&self, stage: &mut Stage, dice: &mut Dice, hour: DateTime<Utc>) {
        self.answer_cases(stage, dice, hour);
        self.reconcile(stage, dice, hour);
        self.book_meetings(stage, dice, hour);
    }

    /// At most 12 records a conversation, 22 conversations: under the 400 records an hour.
    fn answer_cases(&self, stage: &mut Stage, dice: &mut Dice, hour: DateTime<Utc>) {
        let actor = Actor { agent: Some(SUPPORT_COPILOT), caller: &self.support };
        let conversations = dice.between(16, 22);
        for conversation in 0..conversations {
            // Early enough that the last call of the conversation is still in this hour.
            let start = after(hour, dice.below(3_500_000));
            let case_id = format!("5005g00000{}", dice.text(5));
            let query =
                format!("SELECT Id, CaseNumber, Status, Subject FROM Case WHERE Id = '{case_id}'");
            stage.rest(dice, start, actor, query_call("Case", 1, &query));
            if conversation == 0 {
                stage.unique_query(dice, start, actor, query);
            }

            let query = format!(
                "SELECT Id, CommentBody FROM CaseComment WHERE ParentId = '{case_id}' LIMIT 5"
            );
            let comments = dice.between(0, 5);
            stage.rest(dice, after(start, 900), actor, query_call("CaseComment", comments, &query));

            if dice.percent(60) {
                let query = format!(
                    "SELECT Id, FirstName, LastName, Email FROM Contact WHERE Email = '{CANARY_PERSONAL_DATA}'"
                );
                let call = RestCall {
                    uri: format!("/services/data/v60.0/query?q={}", query.replace(' ', "+")),
                    ..query_call("Contact", 1, &query)
                };
                stage.rest(dice, after(start, 2_100), actor, call);
                if conversation < 4 {
                    stage.unique_query(dice, after(start, 2_100), actor, query);
                }
            }
            let query = "SELECT Id, Title, Summary FROM Knowledge__kav WHERE PublishStatus = 'Online' LIMIT 3";
            stage.rest(dice, after(start, 3_700), actor, query_call("Knowledge__kav", 3, query));

            let call = RestCall {
                method: "POST",
                uri: "/services/data/v60.0/sobjects/CaseComment".to_owned(),
                entity: "CaseComment",
                records: 1,
                status: 201,
                ..RestCall::default()
            };
            stage.rest(dice, after(start, 21_000), actor, call);
            let refused = dice.percent(8);
            let call = RestCall {
                method: "PATCH",
                uri: format!("/services/data/v60.0/sobjects/Case/{case_id}"),
                entity: "Case",
                records: u64::from(!refused),
                status: if refused { 400 } else { 204 },
                exception: if refused {
                    format!("SuppliedEmail: invalid email address: {CANARY_PERSONAL_DATA}")
                } else {
                    String::new()
                },
                ..RestCall::default()
            };
            stage.rest(dice, after(start, 22_400), actor, call);
        }
        let at = dice.moment(hour);
        stage.rest(dice, at, actor, describe_call("Case"));
    }

    /// At most 4 · 700 + 3 · 500 + 20 records: under the 5,000 an hour.
    fn reconcile(&self, stage: &mut Stage, dice: &mut Dice, hour: DateTime<Utc>) {
        let agent = Some(BILLING_RECONCILER);
        let rest = Actor { agent, caller: &self.billing };
        let soap = Actor { agent, caller: &self.billing_soap };
        for batch in 0..4 {
            let at = after(hour, dice.between(0, 3_000_000));
            let query = "SELECT Id, Name, Amount__c, Due_Date__c, Status__c FROM Invoice__c \
                         WHERE Status__c = 'Open' AND LastModifiedDate = TODAY ORDER BY Name LIMIT 700";
            let records = dice.between(250, 700);
            stage.rest(dice, at, rest, query_call("Invoice__c", records, query));
            if batch == 0 {
                stage.unique_query(dice, at, rest, query);
            }
            for change in 0..dice.between(2, 5) {
                let call = RestCall {
                    method: "PATCH",
                    uri: format!(
                        "/services/data/v60.0/sobjects/Invoice__c/a0B5g00000{}",
                        dice.text(5)
                    ),
                    entity: "Invoice__c",
                    records: 1,
                    status: 204,
                    ..RestCall::default()
                };
                stage.rest(dice, after(at, 40_000 + change * 1_300), rest, call);
            }
        }
        for _ in 0..3 {
            let (at, records) = (dice.moment(hour), dice.between(120, 500));
            stage.soap(dice, at, soap, "query", "Payment__c", records);
        }
        let at = dice.moment(hour);
        stage.soap(dice, at, soap, "update", "Payment__c", 12);
        let account = format!("/services/data/v60.0/sobjects/Account/0015g00000{}", dice.text(5));
        let at = dice.moment(hour);
        stage.rest(dice, at, rest, read_call("Account", account));
    }

    /// Reads records one by one, so that no query text is logged; at most 4 · 14 records an hour.
    fn book_meetings(&self, stage: &mut Stage, dice: &mut Dice, hour: DateTime<Utc>) {
        let actor = Actor { agent: Some(MEETING_SCHEDULER), caller: &self.scheduler };
        for _ in 0..dice.between(9, 14) {
            let start = after(hour, dice.below(3_500_000));
            let host = format!(
                "/services/data/v60.0/sobjects/User/0055g00000Emp{:02}",
                dice.between(1, 40)
            );
            stage.rest(dice, start, actor, read_call("User", host));
            let (guest, prefix) =
                if dice.percent(70) { ("Contact", "003") } else { ("Lead", "00Q") };
            let uri =
                format!("/services/data/v60.0/sobjects/{guest}/{prefix}5g00000{}", dice.text(5));
            stage.rest(dice, after(start, 700), actor, read_call(guest, uri));
            let call = RestCall {
                method: "POST",
                uri: "/services/data/v60.0/sobjects/Event".to_owned(),
                entity: "Event",
                records: 1,
                status: 201,
                ..RestCall::default()
            };
            stage.rest(dice, after(start, 9_000), actor, call);
            if dice.percent(20) {
                let call = RestCall {
                    method: "PATCH",
                    uri: format!("/services/data/v60.0/sobjects/Event/00U5g00000{}", dice.text(5)),
                    entity: "Event",
                    records: 1,
                    status: 204,
                    ..RestCall::default()
                };
                stage.rest(dice, after(start, 31_000), actor, call);
            }
        }
    }

    /// The night's copy: one object an hour, from 00:00 UTC, which is 01:00 in Berlin in winter. It is
    /// over before 04:00 UTC, when the purpose's hours end.
    pub(crate) fn copy_at_night(
        &self,
        stage: &mut Stage,
        dice: &mut Dice,
        midnight: DateTime<Utc>,
    ) {
        const HOUR: u64 = 3_600_000;
        for (number, object, low, high) in [
            (0, "Account", 37_000, 39_500),
            (1, "Opportunity", 88_000, 93_000),
            (3, "Account", 150, 420),
        ] {
            let start = after(midnight, number * HOUR + dice.between(60_000, 600_000));
            let records = dice.between(low, high);
            self.copy(stage, dice, start, object, records);
        }
        let start = after(midnight, 2 * HOUR + dice.between(60_000, 600_000));
        self.copy_in_batches(stage, dice, start);
    }

    /// A query job of Bulk API 2.0.
    fn copy(
        &self,
        stage: &mut Stage,
        dice: &mut Dice,
        start: DateTime<Utc>,
        object: &'static str,
        records: u64,
    ) {
        let actor = Actor { agent: Some(WAREHOUSE_SYNC), caller: &self.warehouse };
        stage.rest(dice, start, actor, describe_call(object));
        let job = Job { id: format!("7505g00000{}", dice.text(5)), object, records };
        job.run(stage, dice, actor, after(start, 5_000), 420_000);
    }

    /// The products still go over the first Bulk API, in batches.
    fn copy_in_batches(&self, stage: &mut Stage, dice: &mut Dice, start: DateTime<Utc>) {
        let actor = Actor { agent: Some(WAREHOUSE_SYNC), caller: &self.warehouse };
        let job_id = format!("7505g00000{}", dice.text(5));
        let request = |method, path: String, status| BulkRequest {
            method,
            path,
            job_id: &job_id,
            batch_id: "",
            status,
            error: String::new(),
        };
        let root = "/services/async/60.0/job";
        stage.bulk_request(dice, start, actor, request("POST", root.to_owned(), 201));
        for batch in 1..=3 {
            let at = after(start, batch * 50_000);
            let batch_id = format!("7515g00000{}", dice.text(5));
            let path = format!("{root}/{job_id}/batch");
            stage.bulk_request(
                dice,
                at,
                actor,
                BulkRequest { batch_id: &batch_id, ..request("POST", path.clone(), 201) },
            );
            let records = dice.between(900, 1_600);
            let row = base(dice, "BulkApi", after(at, 21_000), actor.caller, "/services/async")
                .with("JOB_ID", job_id.clone())
                .with("BATCH_ID", batch_id.clone())
                .with("OPERATION_TYPE", "query")
                .with("ENTITY_TYPE", "Product2")
                .with("ROWS_PROCESSED", records.to_string())
                .with("NUMBER_FAILURES", "0")
                .with("SUCCESS", "1");
            stage.put("BulkApi", actor.agent, records, row);
            stage.bulk_request(
                dice,
                after(at, 29_000),
                actor,
                BulkRequest {
                    batch_id: &batch_id,
                    ..request("GET", format!("{path}/{batch_id}/result"), 200)
                },
            );
        }
    }
}

/// A query job of Bulk API 2.0. Its `BulkApi2` row names neither app nor client, only the user.
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) object: &'static str,
    pub(crate) records: u64,
}

impl Job {
    /// Creates the job, asks how far it is, and fetches the result in parts of 10,000 records. Answers
    /// with the moment after the last part.
    pub(crate) fn run(
        &self,
        stage: &mut Stage,
        dice: &mut Dice,
        actor: Actor<'_>,
        start: DateTime<Utc>,
        run_time: u64,
    ) -> DateTime<Utc> {
        let root = "/services/data/v60.0/jobs/query";
        let path = format!("{root}/{}", self.id);
        stage.bulk_request(dice, start, actor, self.request("POST", root.to_owned(), 200));
        for poll in 1..=3 {
            let at = after(start, run_time / 4 * poll);
            stage.bulk_request(dice, at, actor, self.request("GET", path.clone(), 200));
        }
        let done = after(start, run_time);
        let row = base(dice, "BulkApi2", done, actor.caller, root)
            .with("JOB_ID", self.id.clone())
            .with("OPERATION_TYPE", "query")
            .with("ENTITY_TYPE", self.object)
            .with("JOB_STATUS", "JobComplete")
            .with("RECORDS_PROCESSED", self.records.to_string())
            .with("RECORDS_FAILED", "0")
            .with(
                "RESULT_SIZE_MB",
                self.records.saturating_mul(310).div_ceil(1_048_576).to_string(),
            );
        stage.put("BulkApi2", actor.agent, self.records, row);

        let mut at = after(done, 4_000);
        for _ in 0..self.records.div_ceil(10_000) {
            stage.bulk_request(
                dice,
                at,
                actor,
                self.request("GET", format!("{path}/results"), 200),
            );
            at = after(at, dice.between(2_000, 6_000));
        }
        at
    }

    /// Deletes the job and with it every trace but the log's.
    pub(crate) fn delete(
        &self,
        stage: &mut Stage,
        dice: &mut Dice,
        actor: Actor<'_>,
        at: DateTime<Utc>,
    ) {
        let path = format!("/services/data/v60.0/jobs/query/{}", self.id);
        stage.bulk_request(dice, at, actor, self.request("DELETE", path, 204));
    }

    fn request(&self, method: &'static str, path: String, status: u64) -> BulkRequest<'_> {
        BulkRequest { method, path, job_id: &self.id, batch_id: "", status, error: String::new() }
    }
}

/// A query over REST.
pub(crate) fn query_call<'a>(entity: &'static str, records: u64, query: &'a str) -> RestCall<'a> {
    RestCall {
        method: "GET",
        uri: "/services/data/v60.0/query".to_owned(),
        entity,
        records,
        query,
        status: 200,
        exception: String::new(),
    }
}

/// A request for the shape of an object.
pub(crate) fn describe_call(entity: &'static str) -> RestCall<'static> {
    RestCall {
        method: "GET",
        uri: format!("/services/data/v60.0/sobjects/{entity}/describe"),
        entity,
        status: 200,
        ..RestCall::default()
    }
}

/// One record read by its id.
pub(crate) fn read_call(entity: &'static str, uri: String) -> RestCall<'static> {
    RestCall { method: "GET", uri, entity, records: 1, status: 200, ..RestCall::default() }
}
