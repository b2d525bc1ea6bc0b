//! When logs that stay away are a blind spot, and when they are a night, a weekend, a holiday or a late file.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]

use std::collections::BTreeSet;

use assessment::delivery::{
    AlertKind, Arrival, Arrivals, BlindSpot, DayArrivals, Delivery, DeliveryAlert, DeliveryVerdict,
    News, OrgDelivery, PublishedAlert, Scope, Watch, judge,
};
use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc, Weekday};
use eventlog::{
    audit_trail::{LogTampering, MAX_TAMPERING_ROWS, TamperingRow},
    event_type::EventType,
    report::HourCount,
    row::Hour,
};
use proptest::prelude::*;

const ORG: &str = "00D5g000004Hq3K";

/// A Monday, 00:00 UTC.
fn start() -> DateTime<Utc> {
    "2026-10-05T00:00:00Z".parse().unwrap()
}

fn hours(count: i64) -> TimeDelta {
    TimeDelta::hours(count)
}

/// Every hour of `days` days that `comes` says, so many hours after its end.
fn come(
    arrivals: &mut Arrivals,
    event_type: EventType,
    days: i64,
    late_hours: i64,
    comes: impl Fn(DateTime<Utc>) -> bool,
) {
    for hour in 0..days * 24 {
        let at = start() + hours(hour);
        if comes(at) {
            let landed_at = at + hours(1 + late_hours);
            arrivals.add(event_type, Hour::containing(at), Arrival::at(landed_at, 10));
        }
    }
}

fn always(_: DateTime<Utc>) -> bool {
    true
}

fn at_work(at: DateTime<Utc>) -> bool {
    !matches!(at.weekday(), Weekday::Sat | Weekday::Sun) && (8..18).contains(&at.hour())
}

fn one(event_type: EventType, days: i64, comes: impl Fn(DateTime<Utc>) -> bool) -> Arrivals {
    let mut arrivals = Arrivals::default();
    come(&mut arrivals, event_type, days, 4, comes);
    arrivals
}

fn judged(arrivals: &Arrivals, now: DateTime<Utc>) -> OrgDelivery {
    judge(arrivals, &BTreeSet::new(), start(), now)
}

fn rest(arrivals: &Arrivals, now: DateTime<Utc>) -> Delivery {
    judged(arrivals, now).types[&EventType::RestApi].clone()
}

fn is_silent(delivery: &Delivery) -> bool {
    matches!(delivery.verdict, DeliveryVerdict::Silent { .. })
}

/// The first full hour after `from` at which the type is silent.
fn silent_after(arrivals: &Arrivals, from: DateTime<Utc>) -> Option<i64> {
    (0..24 * 40).find(|hour| is_silent(&rest(arrivals, from + hours(*hour))))
}

#[test]
fn a_type_that_comes_around_the_clock_is_silent_after_three_hours_that_are_overdue() {
    let arrivals = one(EventType::RestApi, 28, always);
    let stop = start() + TimeDelta::days(28);
    let healthy = rest(&arrivals, stop + hours(12));
    assert_eq!(healthy.verdict, DeliveryVerdict::OnTime);
    assert_eq!((healthy.habit_hours_per_week, healthy.hour_count), (168, 672));
    assert_eq!(healthy.lateness.unwrap().p95_minutes, 240);
    assert_eq!(healthy.overdue_after_minutes, 12 * 60);
    let late = rest(&arrivals, stop + hours(14));
    assert_eq!((late.verdict, late.missing_hour_count), (DeliveryVerdict::Late, 2));
    assert_eq!(silent_after(&arrivals, stop), Some(15));
    let silent = rest(&arrivals, stop + hours(15));
    assert_eq!(silent.verdict, DeliveryVerdict::Silent { since: Hour::containing(stop) });
}

#[test]
fn a_long_silence_stays_one() {
    let arrivals = one(EventType::RestApi, 28, always);
    let silent = rest(&arrivals, start() + TimeDelta::days(28 + 60));
    assert!(is_silent(&silent));
    assert_eq!(silent.habit_hours_per_week, 168);
    assert_eq!(silent.missing_hours.len(), 100);
    assert_eq!(silent.missing_hour_count, 60 * 24 - 12);
}

#[test]
fn nights_weekends_and_a_holiday_are_no_silence_and_three_days_at_work_are() {
    let arrivals = one(EventType::RestApi, 28, at_work);
    let monday = start() + TimeDelta::days(28);
    for hour in -72..42 {
        let delivery = rest(&arrivals, monday + hours(hour));
        assert!(!is_silent(&delivery), "{hour} hours after the last weekend: {delivery:?}");
    }
    // Monday is a holiday, Tuesday is a day at work like any other.
    let mut after = arrivals.clone();
    for hour in 8..18 {
        let at = monday + hours(24 + hour);
        after.add(EventType::RestApi, Hour::containing(at), Arrival::at(at + hours(5), 10));
    }
    for hour in 0..48 {
        assert!(!is_silent(&rest(&after, monday + hours(hour))), "{hour}");
    }
    let holiday = rest(&after, monday + hours(47));
    assert_eq!((holiday.verdict, holiday.missing_hour_count), (DeliveryVerdict::Late, 10));
    // Nobody comes back: the first hour of Wednesday, 8:00 to 9:00, is overdue at 21:00.
    assert_eq!(silent_after(&arrivals, monday), Some(2 * 24 + 21));
}

#[test]
fn a_quiet_type_is_never_silent() {
    let now_and_then = |at: DateTime<Utc>| at.ordinal() % 5 == 3 && at.hour() == at.day() % 24;
    let arrivals = one(EventType::RestApi, 28, now_and_then);
    assert_eq!(rest(&arrivals, start() + TimeDelta::days(28)).hour_count, 6);
    assert_eq!(silent_after(&arrivals, start() + TimeDelta::days(20)), None);
}

#[test]
fn a_weekly_job_is_silent_after_three_weeks() {
    let weekly = |at: DateTime<Utc>| at.weekday() == Weekday::Mon && at.hour() == 3;
    let arrivals = one(EventType::RestApi, 28, weekly);
    let third_monday = start() + TimeDelta::days(28 + 14) + hours(4 + 12);
    assert_eq!(
        silent_after(&arrivals, start() + TimeDelta::days(22)),
        Some((third_monday - start()).num_hours() - 22 * 24)
    );
}

#[test]
fn a_single_hour_that_did_not_come_is_counted_and_ages_out() {
    let hole = start() + hours(26 * 24 + 9);
    let arrivals = one(EventType::RestApi, 28, |at| at != hole);
    let end = start() + TimeDelta::days(28);
    let delivery = rest(&arrivals, end);
    assert_eq!(delivery.verdict, DeliveryVerdict::Late);
    assert_eq!(delivery.missing_hours, [Hour::containing(hole)]);
    let mut filled = arrivals.clone();
    filled.add(EventType::RestApi, Hour::containing(hole), Arrival::at(end, 1));
    assert_eq!(rest(&filled, end).verdict, DeliveryVerdict::OnTime);
}

#[test]
fn too_short_a_history_is_learning_and_says_until_when() {
    let arrivals = one(EventType::RestApi, 13, always);
    let until = start() + TimeDelta::days(14);
    for days in [1, 13, 40] {
        let delivery = rest(&arrivals, start() + TimeDelta::days(days));
        assert_eq!(delivery.verdict, DeliveryVerdict::Learning { until }, "after {days} days");
    }
}

#[test]
fn daily_delivery_is_late_by_habit_and_not_silent() {
    // The file of a day lands 30 hours after its end.
    let mut arrivals = Arrivals::default();
    for hour in 0..28 * 24 {
        let at = start() + hours(hour);
        let landed_at = start() + TimeDelta::days(hour / 24 + 1) + hours(30);
        arrivals.add(EventType::RestApi, Hour::containing(at), Arrival::at(landed_at, 10));
    }
    let landed_at = start() + TimeDelta::days(28) + hours(30);
    let delivery = rest(&arrivals, landed_at + hours(23));
    assert_eq!(delivery.verdict, DeliveryVerdict::OnTime, "just before the next file");
    assert_eq!(delivery.lateness.unwrap().longest_minutes, (23 + 30) * 60);
    assert!(silent_after(&arrivals, landed_at).unwrap() <= 36);
}

#[test]
fn history_that_was_loaded_afterwards_delays_an_alert_by_days_and_not_for_ever() {
    let mut arrivals = Arrivals::default();
    let loaded_at = start() + TimeDelta::days(28);
    for hour in 0..28 * 24 {
        let at = Hour::containing(start() + hours(hour));
        arrivals.add(EventType::RestApi, at, Arrival::at(loaded_at, 10));
    }
    assert_eq!(silent_after(&arrivals, loaded_at), Some(104));
}

#[test]
fn hours_that_have_not_begun_are_mistakes_and_hide_no_silence() {
    let mut arrivals = one(EventType::RestApi, 28, always);
    let stop = start() + TimeDelta::days(28);
    let wrong: DateTime<Utc> = "2090-01-01T00:00:00Z".parse().unwrap();
    arrivals.add(EventType::RestApi, Hour::containing(wrong), Arrival::at(stop, 1));
    assert!(is_silent(&rest(&arrivals, stop + hours(20))));
}

/// A row's time can be anything. One that is mistaken makes no type known, and costs no more than any other.
#[test]
fn a_type_whose_only_hour_cannot_be_is_no_blind_spot() {
    let arrivals = one(EventType::RestApi, 28, always);
    let now = start() + TimeDelta::days(28);
    let before = judged(&arrivals, now);
    for wrong in ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2031-01-01T00:00:00Z"] {
        let mut arrivals = arrivals.clone();
        let wrong = Hour::containing(wrong.parse().unwrap());
        arrivals.add(EventType::Login, wrong, Arrival::at(now, 1));
        assert_eq!(judged(&arrivals, now), before);
        arrivals.add(EventType::RestApi, wrong, Arrival::at(now, 1));
        assert_eq!(judged(&arrivals, now), before);
    }
}

#[test]
fn a_type_that_never_came_and_is_not_expected_any_more_is_forgotten() {
    let arrivals = one(EventType::RestApi, 28, always);
    let now = start() + TimeDelta::days(28);
    let due = BTreeSet::from([EventType::Api]);
    let watch = Watch::begun(start()).after(ORG, &judge(&arrivals, &due, start(), now), true);
    let api = BlindSpot { scope: Scope::EventType(EventType::Api), since: None };
    assert_eq!((watch.open.as_slice(), watch.owed.len()), ([api].as_slice(), 1));
    let watch = watch.after(ORG, &judged(&arrivals, now), true);
    assert_eq!((watch.open.as_slice(), watch.owed.len()), ([].as_slice(), 1), "and nobody is told");
    let watch = watch.after(ORG, &judge(&arrivals, &due, start(), now), true);
    assert_eq!(watch.owed.len(), 2, "expected again, it is a blind spot again");
}

#[test]
fn an_org_from_which_nothing_comes_is_one_blind_spot() {
    let mut arrivals = Arrivals::default();
    for event_type in EventType::ALL {
        come(&mut arrivals, event_type, 28, 4, always);
    }
    let stop = start() + TimeDelta::days(28);
    let since = Some(Hour::containing(stop));
    let silent = judged(&arrivals, stop + hours(20));
    assert!(silent.types.values().all(is_silent));
    assert_eq!(silent.blind_spots(), [BlindSpot { scope: Scope::Org, since }]);
    come(&mut arrivals, EventType::Login, 29, 4, always);
    let partly = judged(&arrivals, stop + hours(24)).blind_spots();
    assert_eq!(partly.len(), EventType::ALL.len() - 1);
    assert!(!partly.iter().any(|spot| spot.scope == Scope::EventType(EventType::Login)));
}

#[test]
fn a_type_that_has_to_come_is_missed_without_a_habit() {
    let due = BTreeSet::from([EventType::Api, EventType::Report]);
    let arrivals = one(EventType::Api, 2, always);
    let verdicts = |now: DateTime<Utc>| {
        let delivery = judge(&arrivals, &due, start(), now);
        (delivery.types[&EventType::Api].verdict, delivery.types[&EventType::Report].verdict)
    };
    let learning = |until| DeliveryVerdict::Learning { until };
    let (two_weeks, four_days) = (start() + TimeDelta::days(14), start() + hours(101));
    assert_eq!(verdicts(start() + hours(100)), (learning(two_weeks), learning(four_days)));
    let never = DeliveryVerdict::NeverCame;
    assert_eq!(verdicts(start() + hours(101)), (learning(two_weeks), never));
    let since = Hour::containing(start() + TimeDelta::days(2));
    assert_eq!(
        verdicts(start() + hours(10 * 24)),
        (DeliveryVerdict::Silent { since }, never),
        "a week without it"
    );
}

/// What an alert about blind spots says.
fn of_spots(alert: &DeliveryAlert) -> Option<(AlertKind, Vec<BlindSpot>)> {
    match &alert.news {
        News::BlindSpots { kind, blind_spots } => Some((*kind, blind_spots.clone())),
        News::Tampering { .. } => None,
    }
}

#[test]
fn a_silence_is_told_once_and_once_more_when_it_ends() {
    let mut arrivals = one(EventType::RestApi, 28, always);
    come(&mut arrivals, EventType::Login, 60, 4, always);
    let stop = start() + TimeDelta::days(28);
    let mut watch = Watch::begun(start());
    for hour in -48..72 {
        let delivery = judged(&arrivals, stop + hours(hour));
        watch = watch.after(ORG, &delivery, true);
        assert_eq!(watch.owed.len(), usize::from(hour >= 15), "{hour}");
    }
    // A single late hour moves the end of what came, and is neither an end nor a second silence.
    arrivals.add(EventType::RestApi, Hour::containing(stop), Arrival::at(stop + hours(72), 1));
    watch = watch.after(ORG, &judged(&arrivals, stop + hours(72)), true);
    assert_eq!(watch.owed.len(), 1);
    assert_eq!(watch.open[0].since, Some(Hour::containing(stop)));

    let published = |alert_id: &str| PublishedAlert {
        alert_id: alert_id.to_owned(),
        at: stop,
        message_id: "m".to_owned(),
    };
    let first = watch.owed[0].clone();
    let (kind, spots) = of_spots(&first).unwrap();
    assert_eq!(kind, AlertKind::Silent);
    watch = watch.after_publishing(published(&first.alert_id));
    assert!(watch.owed.is_empty());

    come(&mut arrivals, EventType::RestApi, 31, 4, |at| at > stop);
    watch = watch.after(ORG, &judged(&arrivals, stop + hours(73)), true);
    assert_eq!(of_spots(&watch.owed[0]), Some((AlertKind::Resumed, spots)));
    assert!(watch.open.is_empty());
    let again = watch.after(ORG, &judged(&arrivals, stop + hours(73)), true);
    assert_eq!(again, watch, "looking again changes nothing");
}

#[test]
fn a_type_that_was_silent_before_the_org_was_has_not_come_back_with_that() {
    let mut arrivals = one(EventType::RestApi, 28, always);
    come(&mut arrivals, EventType::Login, 32, 4, always);
    let stop = start() + TimeDelta::days(28);
    let mut watch = Watch::begun(start());
    for hour in 0..200 {
        watch = watch.after(ORG, &judged(&arrivals, stop + hours(hour)), true);
    }
    let scopes = |watch: &Watch| watch.open.iter().map(|spot| spot.scope).collect::<Vec<_>>();
    let rest_is_open = Scope::EventType(EventType::RestApi);
    assert_eq!(scopes(&watch), [Scope::Org, rest_is_open]);
    assert_eq!(watch.owed.len(), 2);
    // Long after, the arrivals that are looked at do not reach back to the type.
    arrivals.0.remove(&EventType::RestApi);
    come(&mut arrivals, EventType::Login, 45, 4, always);
    watch = watch.after(ORG, &judged(&arrivals, start() + TimeDelta::days(45)), true);
    assert_eq!(scopes(&watch), [rest_is_open]);
    let (kind, spots) = of_spots(&watch.owed[2]).unwrap();
    assert_eq!((kind, spots[0].scope), (AlertKind::Resumed, Scope::Org));
}

/// Its habit fades with the days that are looked at; that is not its coming back.
#[test]
fn a_silence_that_outlasts_what_is_looked_at_stays_one() {
    let arrivals = one(EventType::RestApi, 60, always);
    let stop = start() + TimeDelta::days(60);
    let mut watch = Watch::begun(start());
    for day in 1..120 {
        watch = watch.after(ORG, &judged(&arrivals, stop + TimeDelta::days(day)), true);
        let told: Vec<AlertKind> =
            watch.owed.iter().map(|alert| of_spots(alert).unwrap().0).collect();
        assert_eq!(told, [AlertKind::Silent], "{day} days after");
    }
    let mut arrivals = arrivals;
    come(&mut arrivals, EventType::RestApi, 180, 4, |at| at >= stop + TimeDelta::days(119));
    watch = watch.after(ORG, &judged(&arrivals, stop + TimeDelta::days(120)), true);
    assert_eq!(of_spots(watch.owed.last().unwrap()).unwrap().0, AlertKind::Resumed);
    assert!(watch.open.iter().all(|spot| spot.scope != Scope::Org), "{:?}", watch.open);
}

#[test]
fn of_an_org_of_which_nobody_is_told_the_blind_spots_are_kept_all_the_same() {
    let arrivals = one(EventType::RestApi, 28, always);
    let delivery = judged(&arrivals, start() + TimeDelta::days(30));
    let watch = Watch::begun(start()).after(ORG, &delivery, false);
    assert_eq!((watch.open.len(), watch.owed.len()), (1, 0));
}

fn tampering(row_hash: &str, minute: i64) -> TamperingRow {
    TamperingRow {
        at: start() + TimeDelta::minutes(minute),
        row_hash: row_hash.to_owned(),
        org_id: ORG.to_owned(),
        kind: LogTampering::GenerationStopped,
        user_id: Some("0055g0000Admin1".to_owned()),
    }
}

#[test]
fn each_row_about_the_logs_themselves_is_told_once_however_often_it_comes() {
    let (first, second) = (tampering("0a", 9), tampering("0b", 3));
    let watch = Watch::begun(start());
    let after = watch.after_tampering([first.clone()], start(), true);
    let ids = |watch: &Watch| -> Vec<String> {
        watch.owed.iter().map(|alert| alert.alert_id.clone()).collect()
    };
    let id = |row_hash: &str| format!("{ORG}.log-tampering.{row_hash}");
    assert_eq!(ids(&after), [id("0a")]);
    assert_eq!(after.after_tampering([first.clone()], start() + hours(9), true), after);

    let published = PublishedAlert { alert_id: id("0a"), at: start(), message_id: "m".to_owned() };
    let told = after.after_publishing(published).after_tampering([first, second], start(), true);
    assert_eq!(ids(&told), [id("0b")], "an earlier row that came later is news");
    assert_eq!(told.tampering, [tampering("0b", 3), tampering("0a", 9)]);
    let next_look = told.after(ORG, &judged(&Arrivals::default(), start()), true);
    assert_eq!((next_look.tampering, next_look.owed), (told.tampering, told.owed));
}

#[test]
fn of_an_org_of_which_nobody_is_told_the_rows_are_kept_all_the_same() {
    let watch = Watch::begun(start()).after_tampering([tampering("0a", 9)], start(), false);
    assert_eq!((watch.tampering.len(), watch.owed.len()), (1, 0));
    assert!(watch.after_tampering([tampering("0a", 9)], start(), true).owed.is_empty());
}

/// What is remembered is bounded, and a row that was forgotten is not told again.
#[test]
fn of_many_rows_the_last_are_remembered_and_none_is_told_twice() {
    let rows: Vec<_> = (0..250).map(|row| tampering(&format!("{row:03}"), row)).collect();
    let mut watch = Watch::begun(start());
    for row in &rows {
        watch = watch.after_tampering([row.clone()], start(), true);
    }
    assert_eq!((watch.tampering.len(), watch.owed.len()), (MAX_TAMPERING_ROWS, 250));
    let again = watch.after_tampering(rows, start(), true);
    assert_eq!(again, watch);
}

#[test]
fn a_watch_of_before_and_an_alert_of_every_kind_are_read_back() {
    let before = r#"{"watched_since":"2026-10-05T00:00:00Z","open":[],"published":[],"owed":[
        {"alert_id":"a","kind":"silent","blind_spots":[{"scope":"org"}],"owed_since":"2026-10-05T00:00:00Z"}]}"#;
    let watch: Watch = serde_json::from_str(before).unwrap();
    let spots = vec![BlindSpot { scope: Scope::Org, since: None }];
    assert_eq!(of_spots(&watch.owed[0]), Some((AlertKind::Silent, spots)));
    let watch = watch.after_tampering([tampering("0a", 9)], start(), true);
    let again: Watch = serde_json::from_str(&serde_json::to_string(&watch).unwrap()).unwrap();
    assert_eq!(again, watch);
}

fn file() -> impl Strategy<Value = (Vec<HourCount>, DateTime<Utc>)> {
    let hour = (0..3_usize, 0..72_i64, 1..9_u64);
    (prop::collection::vec(hour, 1..30), 0..200_i64).prop_map(|(hours_of_file, landed)| {
        let count = |(index, hour, rows): (usize, i64, u64)| HourCount {
            org_id: ORG.to_owned(),
            event_type: EventType::ALL[index],
            hour: Hour::containing(start() + hours(hour)),
            rows,
            agent_rows: 0,
        };
        (hours_of_file.into_iter().map(count).collect(), start() + hours(landed))
    })
}

/// Keeps the days of files one after the other, as a store does.
fn kept(files: &[(Vec<HourCount>, DateTime<Utc>)]) -> Arrivals {
    let mut store: Vec<DayArrivals> = Vec::new();
    for (counts, landed_at) in files {
        for mut day in DayArrivals::of_file(counts, *landed_at) {
            let key = (day.event_type, day.day);
            if let Some(at) = store.iter().position(|known| (known.event_type, known.day) == key) {
                day.join(&store.swap_remove(at));
            }
            store.push(day);
        }
    }
    store.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn files_in_any_order_and_any_number_of_times_give_the_same_delivery(
        files in prop::collection::vec(file(), 1..8),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut shuffled: Vec<_> = order.iter().map(|index| index.get(&files).clone()).collect();
        shuffled.extend(files.iter().rev().cloned());
        let (plain, shuffled) = (kept(&files), kept(&shuffled));
        prop_assert_eq!(&plain, &shuffled);
        let now = start() + TimeDelta::days(9);
        prop_assert_eq!(judged(&plain, now), judged(&shuffled, now));
    }

    /// Whatever came, one more hour never opens a blind spot at the same instant, and none is seen before it can be.
    #[test]
    fn a_silence_begins_after_the_last_hour_and_is_overdue(
        pattern in prop::collection::vec(any::<bool>(), 168),
        days in 15..40_i64,
        later in 0..400_i64,
    ) {
        let arrivals = one(EventType::RestApi, days, |at| {
            let hour = (at - start()).num_hours().rem_euclid(168);
            usize::try_from(hour).ok().and_then(|hour| pattern.get(hour)).copied().unwrap_or(false)
        });
        prop_assume!(!arrivals.0.is_empty());
        let now = start() + TimeDelta::days(days) + hours(later);
        let delivery = rest(&arrivals, now);
        let last = delivery.last_hour.unwrap();
        for hour in &delivery.missing_hours {
            prop_assert!(!arrivals.0[&EventType::RestApi].contains_key(hour));
            prop_assert!(hour.start() + hours(1 + 12) <= now);
        }
        if let DeliveryVerdict::Silent { since } = delivery.verdict {
            prop_assert_eq!(since.start(), last.start() + hours(1));
            prop_assert!(delivery.missing_hour_count >= 3);
        }
    }
}
