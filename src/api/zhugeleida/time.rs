//! Wall time as this surface writes it: UTC+8, without an offset.

use chrono::{DateTime, FixedOffset, Utc};

const WALL: FixedOffset = FixedOffset::east_opt(8 * 3600).expect("eight hours");

/// `YYYY-MM-DDTHH:MM:SS.mmm`.
pub fn iso(at: DateTime<Utc>) -> String {
    let wall = at.with_timezone(&WALL);
    wall.format("%Y-%m-%dT%H:%M:%S%.3f").to_string()
}

/// `YYYY-MM-DD HH:MM:SS`.
pub fn second(at: DateTime<Utc>) -> String {
    let wall = at.with_timezone(&WALL);
    wall.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// `YYYY-MM-DD`.
pub fn day(at: DateTime<Utc>) -> String {
    at.with_timezone(&WALL).format("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_iso_form_always_has_three_decimals() {
        let at = |millis| DateTime::from_timestamp_millis(millis).unwrap();
        assert_eq!(iso(at(1_528_871_213_546)), "2018-06-13T14:26:53.546");
        assert_eq!(iso(at(1_528_848_000_000)), "2018-06-13T08:00:00.000");
        assert_eq!(iso(at(1_528_819_199_999)), "2018-06-12T23:59:59.999");
    }

    #[test]
    fn a_day_begins_eight_hours_earlier_here() {
        let at = |millis| DateTime::from_timestamp_millis(millis).unwrap();
        assert_eq!(second(at(1_528_819_199_999)), "2018-06-12 23:59:59");
        assert_eq!(day(at(1_528_819_199_999)), "2018-06-12");
        assert_eq!(day(at(1_528_819_200_000)), "2018-06-13");
    }
}
