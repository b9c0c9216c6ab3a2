//! A value per date, from a `.csv` file with a column `date` and one column of numbers.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use csv::{ReaderBuilder, StringRecord, Trim};
use jiff::civil::Date;

use super::npy::open;
use super::spacing::check_spacing;

/// The largest magnitude of a value, far beyond any measurement; sums and squared differences stay finite.
const LARGEST: f64 = 1e30;

/// Values in the order of their dates, whose distances may vary.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The name of the column of values.
    pub name: String,
    /// The dates.
    pub dates: Vec<Date>,
    /// The values, of a magnitude of 1e30 at most.
    pub values: Vec<f64>,
    /// The sentence for the user if the distances of the dates differ.
    pub unequal: Option<String>,
}

impl Series {
    /// Reads a file without trust in its content.
    pub fn read(path: &Path) -> Result<Self> {
        let read = || -> Result<Self> {
            let mut text = Vec::new();
            open(path)?.read_to_end(&mut text)?;
            Self::parse(&text)
        };
        read().with_context(|| path.display().to_string())
    }

    /// Returns `true` if a file is a series, which has dates and no sequences.
    pub fn is_series(path: &Path) -> Result<bool> {
        let place = || path.display().to_string();
        let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(open(path).with_context(place)?);
        let head = reader.headers().map_err(|error| fault(&error)).with_context(place)?;
        let has = |name: &str| head.iter().any(|other| other.eq_ignore_ascii_case(name));
        Ok(has("date") && !has("sequence"))
    }

    fn parse(text: &[u8]) -> Result<Self> {
        let at = |position: Option<&csv::Position>| format!("line {}", line(text, position));
        let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(text);
        let head = reader.headers().map_err(|error| fault(&error).context(at(error.position())))?;
        let (date, value) = columns(head).context("line 1")?;
        let name = head[value].escape_debug().to_string();
        let mut series = Self { name, dates: Vec::new(), values: Vec::new(), unequal: None };
        for record in reader.records() {
            let record = record.map_err(|error| fault(&error).context(at(error.position())))?;
            series.push(&record[date], &record[value]).with_context(|| at(record.position()))?;
        }
        series.unequal = check_spacing(&series.dates)?;
        Ok(series)
    }

    fn push(&mut self, date: &str, value: &str) -> Result<()> {
        let date = parse_date(date)?;
        if let Some(before) = self.dates.last() {
            ensure!(*before < date, "date {date} is not after {before}");
        }
        let number: f64 = value.parse().map_err(|_| anyhow!("{}: {value:?} is not a number", self.name))?;
        ensure!(number.abs() <= LARGEST, "{}: {value} is not between -1e30 and 1e30", self.name);
        self.dates.push(date);
        self.values.push(number);
        Ok(())
    }
}

/// Parses `YYYY-MM-DD`, or `YYYY-MM` for the first day of a month.
pub fn parse_date(text: &str) -> Result<Date> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let day = if text.len() == "YYYY-MM".len() { "-01" } else { "" };
    let date = format!("{text}{day}").parse().ok().filter(|_| digits);
    date.with_context(|| format!("{text:?} is not a date, YYYY-MM-DD or YYYY-MM"))
}

/// Returns the columns of the dates and of the values.
fn columns(head: &StringRecord) -> Result<(usize, usize)> {
    let date = head.iter().position(|name| name.eq_ignore_ascii_case("date")).context("no column `date`")?;
    let mut others = (0..head.len()).filter(|&k| k != date);
    match (others.next(), others.next()) {
        (Some(value), None) => Ok((date, value)),
        (None, _) => bail!("no column of values beside `date`"),
        (Some(_), Some(_)) => {
            bail!("{} columns of values beside `date`: only one is supported", head.len() - 1)
        }
    }
}

/// Describes an error in the form of a record.
pub(super) fn fault(error: &csv::Error) -> anyhow::Error {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            anyhow!("{len} fields, but the first line has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => anyhow!("not UTF-8"),
        _ => anyhow!("{error}"),
    }
}

/// Returns the line in which a record begins. Its position is the end of the previous record, possibly some
/// empty lines above.
fn line(text: &[u8], position: Option<&csv::Position>) -> usize {
    let from = position.map_or(0, |position| position.byte() as usize).min(text.len());
    let empty = text[from..].iter().take_while(|byte| b"\r\n".contains(byte)).count();
    text[..from + empty].iter().filter(|&&byte| byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Series> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.csv");
        std::fs::write(&path, text).unwrap();
        Series::read(&path)
    }

    #[test]
    fn both_forms_of_dates_and_either_order_of_columns_are_read() {
        let series = read(b"price, Date\n1.5, 2006-01\n\n-2e3, 2006-02-28\n").unwrap();
        let dates = [parse_date("2006-01-01").unwrap(), parse_date("2006-02-28").unwrap()];
        let values = vec![1.5, -2e3];
        let name = "price".to_owned();
        assert_eq!(series, Series { name, dates: dates.to_vec(), values, unequal: None });
    }

    #[test]
    fn malformed_series_are_rejected_with_its_line() {
        for (text, expected) in [
            (&b""[..], "line 1: no column `date`"),
            (b"day,price\n", "line 1: no column `date`"),
            (b"date\n2006-01\n", "line 1: no column of values beside `date`"),
            (b"date,a,b\n2006-01,1,2\n", "line 1: 2 columns of values beside `date`: only one is supported"),
            (b"date,a\n2006-01,1\n2006-02\n", "line 3: 1 fields, but the first line has 2"),
            (b"date,a\n2006-01,1\n\n2006-13,1\n", "line 4: \"2006-13\" is not a date, YYYY-MM-DD or YYYY-MM"),
            (b"date,a\n2006-01-01T10,1\n", "line 2: \"2006-01-01T10\" is not a date, YYYY-MM-DD or YYYY-MM"),
            (b"date,a\n2006-02,1\n2006-02,2\n", "line 3: date 2006-02-01 is not after 2006-02-01"),
            (b"date,a\n2006-02,1\n2006-01,2\n", "line 3: date 2006-01-01 is not after 2006-02-01"),
            (b"date,a\n2006-02,\n", "line 2: a: \"\" is not a number"),
            (b"date,a\n2006-02,NaN\n", "line 2: a: NaN is not between -1e30 and 1e30"),
            (b"date,a\n2006-02,1e39\n", "line 2: a: 1e39 is not between -1e30 and 1e30"),
            (b"date,a\n2006-02,\xff\n", "line 2: not UTF-8"),
        ] {
            let line = crate::output::one_line(&read(text).unwrap_err());
            let reason = line.split_once("s.csv: ").expect("begins with the file").1;
            assert_eq!(reason, expected, "{}", String::from_utf8_lossy(text));
        }
        let missing = read(b"date,a\n2006-01,1\n2006-02,2\n2006-05,3\n").unwrap_err();
        let reason = "s.csv: no row between 2006-02-01 and 2006-05-01, but other dates are 1 month apart";
        assert!(format!("{missing:#}").ends_with(reason), "{missing:#}");
    }
}
