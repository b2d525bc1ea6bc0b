//! The notice of a day.

use assessment::findings::SeverityLevel;
use chrono::{DateTime, TimeDelta, Utc};
use notices::{Daily, DailyContext, OpenIncident, UrgentClock, daily_notice};

use crate::support::{for_people, instant, schema, well_formed};

fn now() -> DateTime<Utc> {
    instant("2026-11-25T07:00:00Z")
}

fn context() -> DailyContext {
    DailyContext {
        organisation: "Meridian Cloud GmbH".to_owned(),
        environment: "production".to_owned(),
        time_zone: chrono_tz::Europe::Berlin,
    }
}

fn quiet() -> Daily {
    Daily {
        date: now().date_naive(),
        open: Vec::new(),
        closed_count: 4,
        last_sweep_at: Some(now() - TimeDelta::seconds(41)),
        heads_written: 4,
        chain_flaws: Vec::new(),
    }
}

fn open_incident(incident_id: &str, severity: SeverityLevel) -> OpenIncident {
    OpenIncident {
        incident_id: incident_id.to_owned(),
        org_id: "00D5g000004Hq3K".to_owned(),
        severity,
        status: "suspected".to_owned(),
        most_urgent: None,
        running_count: 0,
        overdue_count: 0,
        not_started_count: 0,
        awareness_assumed: false,
        acknowledged: true,
    }
}

fn busy() -> Daily {
    let clock = |ends_at, is_possible, is_target| {
        Some(UrgentClock { ends_at: instant(ends_at), is_possible, is_target })
    };
    Daily {
        open: vec![
            OpenIncident {
                status: "notified".to_owned(),
                ..open_incident("BC-1F0C5A77D2E9", SeverityLevel::Low)
            },
            OpenIncident {
                most_urgent: clock("2026-11-27T11:03:00Z", true, false),
                running_count: 16,
                not_started_count: 10,
                awareness_assumed: true,
                acknowledged: false,
                ..open_incident("BC-509D550EFC34", SeverityLevel::Critical)
            },
            OpenIncident {
                status: "contained".to_owned(),
                most_urgent: clock("2026-11-24T22:59:59Z", false, false),
                running_count: 3,
                overdue_count: 1,
                ..open_incident("BC-7B21E04C9A13", SeverityLevel::Medium)
            },
        ],
        heads_written: 7,
        ..quiet()
    }
}

#[test]
fn three_incidents_are_open() {
    let notice = well_formed(daily_notice(&busy(), &context(), now()));
    insta::assert_json_snapshot!("three_incidents_are_open_for_machines", notice.json);
    insta::assert_snapshot!(for_people(&notice));
}

#[test]
fn nothing_is_open() {
    let notice = well_formed(daily_notice(&quiet(), &context(), now()));
    insta::assert_snapshot!(for_people(&notice));
}

#[test]
fn nobody_watches_and_a_record_was_changed() {
    let daily = Daily {
        last_sweep_at: Some(now() - TimeDelta::hours(49)),
        chain_flaws: vec!["BC-7B21E04C9A13: entry 14 does not follow from entry 13".to_owned()],
        ..busy()
    };
    let notice = well_formed(daily_notice(&daily, &context(), now()));
    insta::assert_snapshot!(for_people(&notice));
}

#[test]
fn a_sweep_is_silent_after_five_minutes_and_where_none_is_on_record() {
    let silent = |last_sweep_at| {
        let notice = daily_notice(&Daily { last_sweep_at, ..quiet() }, &context(), now());
        let is_silent = notice.json["data"]["sweep_silent"].as_bool().unwrap();
        assert_eq!(notice.text.contains("WARNING"), is_silent, "{}", notice.text);
        assert_eq!(notice.subject.contains("NOBODY WATCHES"), is_silent, "{}", notice.subject);
        is_silent
    };
    assert!(!silent(Some(now() - TimeDelta::minutes(5))));
    assert!(silent(Some(now() - TimeDelta::minutes(5) - TimeDelta::seconds(1))));
    assert!(silent(None));
}

#[test]
fn thousands_of_incidents_fit_into_a_message() {
    let mut daily = quiet();
    for index in 0..3_000 {
        let mut incident = open_incident(&format!("BC-{index:012}"), SeverityLevel::High);
        let ends_at = now() + TimeDelta::minutes(3_000 - index);
        incident.most_urgent = Some(UrgentClock { ends_at, is_possible: false, is_target: false });
        incident.running_count = 1;
        daily.open.push(incident);
        daily.chain_flaws.push(format!("BC-{index:012}: entry 1 does not begin an incident"));
    }
    let notice = well_formed(daily_notice(&daily, &context(), now()));
    let open = notice.json["data"]["open"].as_array().unwrap();
    assert_eq!(open[0]["incident_id"], "BC-000000002999", "the most urgent first");
    assert_eq!(open.len(), 40);
    assert_eq!(notice.json["data"]["more_open"], 2_960);
    assert!(notice.text.contains("and 2950 more"), "{}", notice.text);
}

#[test]
fn the_schema_refuses_what_is_not_in_it() {
    let body = daily_notice(&busy(), &context(), now()).json;
    let schema = schema();
    for field in body["data"].as_object().unwrap().keys() {
        let mut less = body.clone();
        less["data"].as_object_mut().unwrap().remove(field);
        assert!(!schema.is_valid(&less), "without {field}");
    }
    let mut more = body.clone();
    more["data"]["open"][0]["agent"] = "somebody".into();
    assert!(!schema.is_valid(&more));
}
