//! Reading a table of complaints from a CSV file, whatever its encoding, and
//! finding the columns. Knows nothing of what is done with the rows.

use std::borrow::Cow;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use csv::{ReaderBuilder, StringRecord};
use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

/// Why a file is not a table of complaints.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("the file is empty")]
    Empty,
    #[error("the file has a header line and no rows")]
    NoRows,
    #[error(
        "the file has no column for {wanted}; its columns are: {found}; \
         name the right one with --columns {wanted}=COLUMN"
    )]
    NoColumn { wanted: &'static str, found: String },
    #[error("the file has no column named {name}; its columns are: {found}")]
    NoSuchColumn { name: String, found: String },
    #[error(
        "{name} cannot be chosen with --columns; possible are: {}",
        Column::names()
    )]
    UnknownField { name: String },
    #[error("--columns takes pairs such as text=内容,received_at=时间")]
    NotAPair,
}

/// In place of the columns' names.
const NO_KNOWN_NAME: &str = "(the first line holds no name this program knows)";

/// What a column can hold.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Column {
    Text,
    ReceivedAt,
    Title,
    Name,
    Phone,
    Email,
    Account,
    Remedy,
    Category,
    Amount,
}

impl Column {
    const ALL: [Self; 10] = [
        Self::Text,
        Self::ReceivedAt,
        Self::Title,
        Self::Name,
        Self::Phone,
        Self::Email,
        Self::Account,
        Self::Remedy,
        Self::Category,
        Self::Amount,
    ];

    /// The name for `--columns`, then the headers it is guessed from, the
    /// likeliest first.
    fn headers(self) -> &'static [&'static str] {
        match self {
            Self::Text => &[
                "text",
                "content",
                "description",
                "narrative",
                "complaint",
                "complaint_text",
                "details",
                "body",
                "投诉内容",
                "内容",
                "问题描述",
                "留言详情",
                "诉求内容",
                "描述",
                "正文",
            ],
            Self::ReceivedAt => &[
                "received_at",
                "arrived_at",
                "time",
                "datetime",
                "date",
                "created_at",
                "received",
                "date_received",
                "投诉时间",
                "受理时间",
                "登记时间",
                "留言时间",
                "时间",
                "日期",
            ],
            Self::Title => &["title", "subject", "主题", "标题", "留言主题"],
            Self::Name => &[
                "name",
                "customer",
                "customer_name",
                "姓名",
                "客户姓名",
                "投诉人",
                "联系人",
            ],
            Self::Phone => &[
                "phone",
                "mobile",
                "tel",
                "telephone",
                "电话",
                "手机",
                "手机号",
                "联系电话",
            ],
            Self::Email => &["email", "e-mail", "邮箱", "电子邮箱"],
            Self::Account => &["account", "账号", "号码", "业务号码"],
            Self::Remedy => &[
                "remedy",
                "remedy_sought",
                "request",
                "诉求",
                "投诉诉求",
                "要求",
            ],
            Self::Category => &["category", "category_code", "类别", "分类", "投诉类别"],
            Self::Amount => &["amount", "金额", "涉及金额", "争议金额"],
        }
    }

    fn name(self) -> &'static str {
        self.headers().first().copied().unwrap_or_default()
    }

    fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

/// Columns named by the person; the others are guessed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Columns {
    named: Vec<(Column, String)>,
}

impl std::str::FromStr for Columns {
    type Err = TableError;

    fn from_str(text: &str) -> Result<Self, TableError> {
        let mut named = Vec::new();
        for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
            let (field, header) = pair.split_once('=').ok_or(TableError::NotAPair)?;
            let field = field.trim();
            let column = Column::ALL
                .into_iter()
                .find(|column| column.name() == field)
                .ok_or_else(|| TableError::UnknownField {
                    name: field.to_owned(),
                })?;
            named.push((column, header.trim().to_owned()));
        }
        Ok(Self { named })
    }
}

/// A file in memory, as text, with its columns found.
pub(crate) struct Table {
    text: String,
    delimiter: u8,
    places: Vec<(Column, usize)>,
    width: usize,
    /// The row in whose quoted cell the file ends.
    open_row: Option<u64>,
}

/// Reads a file as an import does, up to the complaints themselves, and gives
/// the number of rows.
///
/// # Errors
/// Why the file cannot be imported.
#[cfg(feature = "fuzzing")]
pub fn read_through(bytes: &[u8]) -> Result<u64, TableError> {
    let table = Table::read(bytes, &Columns::default())?;
    let civil = FixedOffset::east_opt(8 * 3600).unwrap_or(chrono::Offset::fix(&Utc));
    let (mut rows, mut byte) = (0, 0);
    for row in table.rows() {
        rows += 1;
        assert_eq!(row.number, rows, "rows are numbered without gaps");
        assert!(
            row.byte >= byte && row.byte <= table.bytes(),
            "rows follow each other"
        );
        byte = row.byte;
        for column in Column::ALL {
            let cell = table.cell(&row, column);
            parse_time(cell, civil);
            parse_amount(cell);
        }
        table.is_open_at_end(&row);
    }
    Ok(rows)
}

/// One row as it stands in the file.
pub(crate) struct Row {
    /// From 1, the header not counted.
    pub(crate) number: u64,
    /// The line in the file at which it begins, from 1.
    pub(crate) line: u64,
    /// Bytes of the file up to here.
    pub(crate) byte: u64,
    record: StringRecord,
}

impl Table {
    /// Decodes the file and finds the columns.
    pub(crate) fn read(bytes: &[u8], columns: &Columns) -> Result<Self, TableError> {
        let text = decode(bytes);
        if text.trim().is_empty() {
            return Err(TableError::Empty);
        }
        let delimiter = delimiter(&text);
        let mut table = Self {
            text,
            delimiter,
            places: Vec::new(),
            width: 0,
            open_row: None,
        };
        let headers = table.headers();
        table.width = headers.len();
        table.places = places(&headers, columns)?;
        if table.rows().next().is_none() {
            return Err(TableError::NoRows);
        }
        table.open_row = table.find_open_row();
        Ok(table)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.text.len() as u64
    }

    /// Cells the header has.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    fn headers(&self) -> Vec<String> {
        let mut reader = self.reader();
        let headers = reader.headers().cloned().unwrap_or_default();
        headers
            .iter()
            .map(|header| header.trim().to_owned())
            .collect()
    }

    fn reader(&self) -> csv::Reader<&[u8]> {
        ReaderBuilder::new()
            .delimiter(self.delimiter)
            .flexible(true)
            .from_reader(self.text.as_bytes())
    }

    /// The rows in order. The text is valid UTF-8 and widths are not enforced,
    /// so that reading cannot fail.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row> {
        let records = self.reader().into_records().filter_map(Result::ok);
        records.zip(1..).map(|(record, number)| {
            let position = record.position();
            Row {
                number,
                line: position.map_or(0, csv::Position::line),
                byte: position.map_or(0, csv::Position::byte),
                record,
            }
        })
    }

    /// Whether the file ends within a quoted cell of this row, so that what
    /// follows the quote was taken for one cell.
    pub(crate) fn is_open_at_end(&self, row: &Row) -> bool {
        self.open_row == Some(row.number)
    }

    /// Quotes that close, and quotes doubled within a cell, come in pairs. A
    /// single one that swallowed no line is part of a text, as in 5".
    fn find_open_row(&self) -> Option<u64> {
        let last = self.rows().last()?;
        let begin = usize::try_from(last.byte).unwrap_or_default();
        let rest = self.text.get(begin..).unwrap_or_default();
        let is_odd = rest.matches('"').count() % 2 == 1;
        let has_swallowed = last.record.iter().any(|cell| cell.contains('\n'));
        (is_odd && has_swallowed).then_some(last.number)
    }

    /// A row's cell of a column; empty when there is none.
    pub(crate) fn cell<'r>(&self, row: &'r Row, column: Column) -> &'r str {
        let place = self.places.iter().find(|(known, _)| *known == column);
        place
            .and_then(|(_, index)| row.record.get(*index))
            .unwrap_or_default()
    }
}

impl Row {
    pub(crate) fn cells(&self) -> usize {
        self.record.len()
    }

    /// Whether bytes stood here that are no text in the file's encoding.
    pub(crate) fn is_garbled(&self) -> bool {
        self.record
            .iter()
            .any(|cell| cell.contains(char::REPLACEMENT_CHARACTER))
    }

    pub(crate) fn is_blank(&self) -> bool {
        self.record.iter().all(|cell| cell.trim().is_empty())
    }
}

/// By byte order mark; else UTF-8 when it is that, also with a damaged byte
/// here and there; else GB18030, of which GBK and GB2312 are parts. Line ends
/// become `\n`, so that lines are counted alike in every file.
fn decode(bytes: &[u8]) -> String {
    decode_as_is(bytes).replace("\r\n", "\n")
}

fn decode_as_is(bytes: &[u8]) -> Cow<'_, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes)
        && [UTF_8, UTF_16LE, UTF_16BE].contains(&encoding)
    {
        let rest = bytes.get(mark..).unwrap_or_default();
        return encoding.decode_without_bom_handling(rest).0;
    }
    let utf8 = String::from_utf8_lossy(bytes);
    let broken = utf8.matches(char::REPLACEMENT_CHARACTER).count();
    let beyond_ascii = utf8.chars().filter(|c| !c.is_ascii()).count();
    // In Chinese text of another encoding few bytes happen to be UTF-8.
    if beyond_ascii >= 2 * broken {
        utf8
    } else {
        GB18030.decode_without_bom_handling(bytes).0
    }
}

/// Comma, semicolon or tab, whichever stands most often in the first line.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let count = |wanted: char| first.chars().filter(|c| *c == wanted).count();
    // Of equals the last is taken: comma.
    [';', '\t', ',']
        .into_iter()
        .max_by_key(|c| count(*c))
        .map_or(b',', |c| c as u8)
}

fn places(headers: &[String], columns: &Columns) -> Result<Vec<(Column, usize)>, TableError> {
    let find = |wanted: &str| {
        let wanted = wanted.to_lowercase();
        headers
            .iter()
            .position(|header| header.to_lowercase() == wanted)
    };
    let mut places: Vec<(Column, usize)> = Vec::new();
    for (column, header) in &columns.named {
        let index = find(header).ok_or_else(|| TableError::NoSuchColumn {
            name: header.clone(),
            found: names_to_tell(headers),
        })?;
        places.push((*column, index));
    }
    for column in Column::ALL {
        if places.iter().any(|(known, _)| *known == column) {
            continue;
        }
        let guess = column
            .headers()
            .iter()
            .filter_map(|header| find(header))
            .find(|index| !places.iter().any(|(_, taken)| taken == index));
        places.extend(guess.map(|index| (column, index)));
    }
    if places.iter().any(|(column, _)| *column == Column::Text) {
        Ok(places)
    } else {
        let wanted = Column::Text.name();
        Err(TableError::NoColumn {
            wanted,
            found: names_to_tell(headers),
        })
    }
}

/// The columns' names; without any known one the first line may be a row, and
/// hold what must not be printed.
fn names_to_tell(headers: &[String]) -> String {
    let is_known = |header: &String| {
        let header = header.to_lowercase();
        let mut names = Column::ALL.iter().flat_map(|column| column.headers());
        names.any(|name| name.to_lowercase() == header)
    };
    match headers.iter().any(is_known) {
        true => headers.join(", "),
        false => NO_KNOWN_NAME.to_owned(),
    }
}

/// A time as people write it; without a zone it is the installation's civil time.
pub(crate) fn parse_time(text: &str, civil: FixedOffset) -> Option<DateTime<Utc>> {
    const TIMES: [&str; 8] = [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y/%m/%d %H:%M:%S",
        "%Y/%m/%d %H:%M",
        "%Y年%m月%d日 %H:%M:%S",
        "%Y年%m月%d日 %H:%M",
    ];
    const DATES: [&str; 4] = ["%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日", "%Y.%m.%d"];
    let text = text.trim();
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.with_timezone(&Utc));
    }
    let naive = TIMES
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .or_else(|| {
            let date = DATES
                .iter()
                .find_map(|form| NaiveDate::parse_from_str(text, form).ok())?;
            Some(date.and_time(NaiveTime::MIN))
        })?;
    naive
        .and_local_timezone(civil)
        .single()
        .map(|at| at.with_timezone(&Utc))
}

/// An amount such as `1,234.5` or `￥30` in minor units.
pub(crate) fn parse_amount(text: &str) -> Option<i64> {
    let plain: String = suda_domain::text::to_half_width(text)
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, ',' | '¥' | '￥' | '$' | '元'))
        .collect();
    let (whole, part) = plain.split_once('.').unwrap_or((&plain, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 2 {
        return None;
    }
    let minor: i64 = format!("{part:0<2}").parse().ok()?;
    whole
        .parse::<i64>()
        .ok()?
        .checked_mul(100)?
        .checked_add(minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bytes: &[u8]) -> Vec<String> {
        let table = Table::read(bytes, &Columns::default()).unwrap();
        table
            .rows()
            .map(|row| table.cell(&row, Column::Text).to_owned())
            .collect()
    }

    #[test]
    fn every_usual_encoding_gives_the_same_text() {
        let csv = "id,内容\n1,宽带断了三天\n";
        let with_bom = [b"\xef\xbb\xbf".as_slice(), csv.as_bytes()].concat();
        let chinese = GB18030.encode(csv).0;
        let utf16: Vec<u8> = std::iter::once(0xfeff)
            .chain(csv.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        for bytes in [csv.as_bytes(), &with_bom, &chinese, &utf16] {
            assert_eq!(texts(bytes), ["宽带断了三天"]);
        }
    }

    #[test]
    fn quotes_and_line_breaks_stay_in_their_cell() {
        let csv = "text,time\r\n\"他说\"\"不行\"\"，\n然后挂了\",2020-01-01\r\n第二,\n";
        assert_eq!(texts(csv.as_bytes()), ["他说\"不行\"，\n然后挂了", "第二"]);
        let table = Table::read(csv.as_bytes(), &Columns::default()).unwrap();
        let lines: Vec<u64> = table.rows().map(|row| row.line).collect();
        assert_eq!(lines, [2, 4]);
    }

    #[test]
    fn one_broken_byte_garbles_its_row_and_not_the_file() {
        let mut bytes = "text\n宽带一\n宽带二\n".as_bytes().to_vec();
        bytes[6] = 0xff;
        let table = Table::read(&bytes, &Columns::default()).unwrap();
        let garbled: Vec<bool> = table.rows().map(|row| row.is_garbled()).collect();
        assert_eq!(garbled, [true, false]);
    }

    #[test]
    fn missing_columns_and_rows_are_named() {
        let read = |csv: &str, columns: &str| {
            let columns = columns.parse::<Columns>()?;
            Table::read(csv.as_bytes(), &columns).map(|_| ())
        };
        assert!(matches!(read("", ""), Err(TableError::Empty)));
        assert!(matches!(read("text,time\n", ""), Err(TableError::NoRows)));
        let error = read("a,b\n1,2\n", "").unwrap_err().to_string();
        assert!(error.contains("text") && !error.contains("a, b"), "{error}");
        let error = read("time,b\n1,2\n", "").unwrap_err().to_string();
        assert!(error.contains("time, b"), "{error}");
        let row = read("钱小满,13800138077\n,\n", "").unwrap_err().to_string();
        assert!(!row.contains('钱') && !row.contains("138"), "{row}");
        let error = read("a,b\n1,2\n", "text=c").unwrap_err().to_string();
        assert!(error.contains("named c"), "{error}");
        assert!(read("a,b\n1,2\n", "text=a").is_ok());
        assert!(matches!(
            read("a\n1\n", "colour=a"),
            Err(TableError::UnknownField { .. })
        ));
        assert!(matches!(read("a\n1\n", "text"), Err(TableError::NotAPair)));
    }

    #[test]
    fn times_and_amounts_are_read_as_people_write_them() {
        let civil = FixedOffset::east_opt(8 * 3600).unwrap();
        let utc = |text| parse_time(text, civil).map(|at| at.to_rfc3339());
        assert_eq!(
            utc("2018-05-17 08:32:04").unwrap(),
            "2018-05-17T00:32:04+00:00"
        );
        assert_eq!(utc("2018/5/7 8:32").unwrap(), "2018-05-07T00:32:00+00:00");
        assert_eq!(
            utc("2018-05-17T08:32:04Z").unwrap(),
            "2018-05-17T08:32:04+00:00"
        );
        assert_eq!(utc("2018年5月17日").unwrap(), "2018-05-16T16:00:00+00:00");
        assert_eq!(utc("yesterday"), None);
        assert_eq!(parse_amount("￥1,234.5"), Some(123_450));
        assert_eq!(parse_amount("30元"), Some(3_000));
        assert_eq!(parse_amount("-3"), None);
    }
}
