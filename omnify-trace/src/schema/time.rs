//! The calendar behind a line's `timestamp`, for all that write or read one.

/// Year, month (1 to 12) and day (1 to 31), in UTC, of a day counted from 1970-01-01.
///
/// Proleptic Gregorian calendar, by `civil_from_days` of Howard Hinnant's "chrono-Compatible
/// Low-Level Date Algorithms".
#[inline]
#[must_use]
pub const fn date_of_day(days: i64) -> (i64, i64, i64) {
    // Years begin in March, so that the leap day is the last of its year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let (month, next_year) = if month_from_march < 10 {
        (month_from_march + 3, 0)
    } else {
        (month_from_march - 9, 1)
    };
    (year_of_era + era * 400 + next_year, month, day)
}

#[cfg(test)]
mod tests {
    use super::date_of_day;

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let mut date = (1899, 12, 31);
        for day in -25_567..=146_097 {
            let (year, month, of_month) = date;
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = match month {
                2 => 28 + i64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            date = match (of_month == last, month) {
                (false, _) => (year, month, of_month + 1),
                (true, 12) => (year + 1, 1, 1),
                (true, _) => (year, month + 1, 1),
            };
            assert_eq!(date_of_day(day), date, "day {day}");
        }
        assert_eq!(date_of_day(0), (1970, 1, 1));
    }
}
