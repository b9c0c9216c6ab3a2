//! The distances of the dates of a series. A forecast takes the values as equally spaced, so that a missing
//! row would shift all values after it.

use anyhow::{Result, bail};
use jiff::civil::Date;

/// Checks the distances of dates, which are in order. Returns a sentence for the user if they differ as the
/// days of a series without weekends do.
///
/// # Errors
/// Dates on the same day of their months, some of which are missing.
pub(super) fn check_spacing(dates: &[Date]) -> Result<Option<String>> {
    let month = |date: &Date| i64::from(date.year()) * 12 + i64::from(date.month());
    let (months, least_months) = distances(dates, month);
    let unequal = months.iter().position(|&months| months != least_months);
    match unequal {
        // At most one date per month: the months differ in their days.
        None if least_months > 0 => return Ok(None),
        Some(k) if least_months > 0 && are_on_the_same_day(dates) => bail!(
            "no row between {} and {}, but other dates are {} apart",
            dates[k],
            dates[k + 1],
            count(least_months, "month")
        ),
        _ => {}
    }
    let epoch = Date::constant(1970, 1, 1);
    let day = |date: &Date| epoch.duration_until(*date).as_hours() / 24;
    let (days, least_days) = distances(dates, day);
    let longer = days.iter().filter(|&&days| days != least_days).count();
    Ok((longer > 0).then(|| {
        format!(
            "{longer} of {} distances of dates are longer than {}: they are taken as equal",
            days.len(),
            count(least_days, "day")
        )
    }))
}

fn count(number: i64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Returns the distances of successive dates in a unit, and the least of them.
fn distances(dates: &[Date], unit: impl Fn(&Date) -> i64) -> (Vec<i64>, i64) {
    let distances: Vec<i64> = dates.windows(2).map(|pair| unit(&pair[1]) - unit(&pair[0])).collect();
    let least = distances.iter().copied().min().unwrap_or(0);
    (distances, least)
}

/// Returns `true` if all dates are on the same day of their months, or on the last day of a shorter month.
fn are_on_the_same_day(dates: &[Date]) -> bool {
    let day = dates.iter().map(|date| date.day()).max();
    dates
        .iter()
        .all(|date| day == Some(date.day()) || day > Some(date.day()) && date.day() == date.days_in_month())
}

#[cfg(test)]
mod tests {
    use super::super::parse_date;
    use super::*;

    fn check(dates: &[&str]) -> Result<Option<String>> {
        check_spacing(&dates.iter().map(|date| parse_date(date).unwrap()).collect::<Vec<_>>())
    }

    #[test]
    fn equally_spaced_dates_are_accepted() {
        for dates in [
            &["2006-01"][..],
            &["2006-01", "2006-02", "2006-03"],
            &["2005-10-31", "2005-11-30", "2005-12-31", "2006-01-31", "2006-02-28"],
            &["2006-01-02", "2006-02-01", "2006-03-01"],
            &["2005-01", "2005-04", "2005-07"],
            &["2005-01", "2006-01"],
            &["2006-01-02", "2006-01-09", "2006-01-16"],
            &["2006-02-27", "2006-02-28", "2006-03-01"],
        ] {
            assert_eq!(check(dates).unwrap(), None, "{dates:?}");
        }
    }

    #[test]
    fn missing_months_are_rejected_with_their_dates() {
        for (dates, reason) in [
            (
                &["2006-01", "2006-02", "2006-04"][..],
                "no row between 2006-02-01 and 2006-04-01, but other dates are 1 month apart",
            ),
            (
                &["2006-01-31", "2006-03-31", "2006-04-30"],
                "no row between 2006-01-31 and 2006-03-31, but other dates are 1 month apart",
            ),
            (
                &["2006-01", "2006-04", "2006-10"],
                "no row between 2006-04-01 and 2006-10-01, but other dates are 3 months apart",
            ),
        ] {
            assert_eq!(check(dates).unwrap_err().to_string(), reason);
        }
    }

    #[test]
    fn unequal_days_are_counted() {
        let weekend = check(&["2006-01-05", "2006-01-06", "2006-01-09", "2006-01-10"]).unwrap();
        let reason = "1 of 3 distances of dates are longer than 1 day: they are taken as equal";
        assert_eq!(weekend.unwrap(), reason);
        let meetings = check(&["2006-01-31", "2006-03-28", "2006-05-10", "2006-06-29"]).unwrap();
        let reason = "2 of 3 distances of dates are longer than 43 days: they are taken as equal";
        assert_eq!(meetings.unwrap(), reason);
    }
}
