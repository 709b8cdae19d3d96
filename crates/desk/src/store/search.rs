//! Full-text search over shingles: what is indexed, and how a query is put.

use sqlx::SqliteConnection;
use suda_domain::text::{shingles, to_half_width};
use suda_domain::{Complaint, ComplaintId};

use super::StoreError;
use super::barrier::Reader;
use super::complaints::{self, Stored};

/// Marks groups of digits of a phone number. A private-use character, which
/// the tokenizer keeps and no text contains.
const DIGITS_MARK: char = '\u{e000}';
/// Digits of a phone number that find it, wherever they stand in it.
const DIGITS: usize = 4;

/// The words under which a complaint is found: its texts, names and numbers,
/// and of phone numbers every run of four digits.
pub(crate) fn words(complaint: &Complaint) -> String {
    let intake = &complaint.intake;
    let mut texts = vec![
        complaint.reference.as_str(),
        &intake.name,
        &intake.description,
        &intake.remedy_sought,
        &intake.phone,
        &intake.email,
        &intake.account,
        &intake.business,
        &intake.cause,
        &intake.place,
    ];
    let mut phones = vec![intake.phone.as_str()];
    for contact in &intake.group {
        texts.push(&contact.name);
        phones.push(&contact.phone);
    }
    if let Some(representative) = &intake.representative {
        texts.push(&representative.name);
        phones.push(&representative.phone);
    }
    let mut words: Vec<String> = texts.into_iter().flat_map(shingles).collect();
    words.extend(phones.into_iter().flat_map(digit_groups));
    words.join(" ")
}

fn digit_groups(phone: &str) -> Vec<String> {
    let digits: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
    digits
        .windows(DIGITS)
        .map(|group| {
            std::iter::once(DIGITS_MARK)
                .chain(group.iter().copied())
                .collect()
        })
        .collect()
}

/// One thing that has to be there.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Term {
    /// These words, one after the other.
    Phrase(Vec<String>),
    /// A word that begins so.
    Beginning(String),
    /// A word that begins so, or a phone number that holds these groups of digits.
    Digits(String, Vec<String>),
}

/// What is looked for: every term must be there, Chinese as the exact run of
/// characters, Latin words by their beginning, four digits or more also within
/// a phone number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Query(Vec<Term>);

impl Query {
    /// `None` when nothing can be looked for.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let folded = to_half_width(text);
        let terms: Vec<Term> = folded
            .split_whitespace()
            .flat_map(runs)
            .map(Term::of_run)
            .collect();
        (!terms.is_empty()).then_some(Self(terms))
    }

    /// As FTS5 reads it.
    fn expression(&self) -> String {
        let terms: Vec<String> = self.0.iter().map(Term::expression).collect();
        terms.join(" AND ")
    }

    /// Whether [`words`] hold it, as the index would find.
    fn is_in(&self, words: &str) -> bool {
        let words: Vec<&str> = words.split(' ').collect();
        self.0.iter().all(|term| term.is_in(&words))
    }
}

impl Term {
    fn of_run(run: Vec<String>) -> Self {
        match run.as_slice() {
            [word] if word.len() >= DIGITS && word.chars().all(|c| c.is_ascii_digit()) => {
                Self::Digits(word.clone(), digit_groups(word))
            }
            // One Latin letter begins too many words to be a useful beginning.
            [word] if word.len() > 1 && !is_pair(word) => Self::Beginning(word.clone()),
            _ => Self::Phrase(run),
        }
    }

    fn expression(&self) -> String {
        match self {
            Self::Phrase(words) => format!("\"{}\"", words.join(" ")),
            Self::Beginning(word) => format!("\"{word}\"*"),
            Self::Digits(word, groups) => {
                let groups: Vec<String> = groups.iter().map(|g| format!("\"{g}\"")).collect();
                format!("(\"{word}\"* OR ({}))", groups.join(" AND "))
            }
        }
    }

    fn is_in(&self, words: &[&str]) -> bool {
        let begins = |start: &str| words.iter().any(|word| word.starts_with(start));
        match self {
            Self::Phrase(phrase) => words.windows(phrase.len()).any(|run| run == phrase),
            Self::Beginning(word) => begins(word),
            Self::Digits(word, groups) => {
                begins(word) || groups.iter().all(|group| words.contains(&group.as_str()))
            }
        }
    }
}

/// The words of one term, those of one Chinese run kept together.
fn runs(term: &str) -> Vec<Vec<String>> {
    let mut runs: Vec<Vec<String>> = Vec::new();
    for word in shingles(term) {
        let overlaps = runs.last().and_then(|run| run.last()).is_some_and(|last| {
            is_pair(last) && is_pair(&word) && last.chars().last() == word.chars().next()
        });
        match runs.last_mut() {
            Some(run) if overlaps => run.push(word),
            _ => runs.push(vec![word]),
        }
    }
    runs
}

/// Two characters beyond Latin: what `shingles` makes of Chinese.
fn is_pair(word: &str) -> bool {
    word.chars().count() == 2 && word.chars().all(|c| c > '\u{2e7f}')
}

/// The complaints that match, the newest first.
pub(crate) async fn find(
    conn: &mut SqliteConnection,
    text: &str,
    limit: i64,
    reader: &Reader,
) -> Result<Vec<Stored>, StoreError> {
    let Some(query) = Query::read(text) else {
        return Ok(Vec::new());
    };
    // First those that wait: one taken over in between is then found twice,
    // the other way round it would not be found at all.
    let waiting = waiting(&mut *conn, i64::MAX).await?;
    let mut rows: Vec<i64> = sqlx::query_scalar(
        "select rowid from search where search match ? order by rowid desc limit ?",
    )
    .bind(query.expression())
    .bind(limit)
    .fetch_all(&mut *conn)
    .await?;
    for (row, complaint) in waiting {
        if query.is_in(&words(&complaint)) {
            rows.push(row);
        }
    }
    rows.sort_unstable_by(|a, b| b.cmp(a));
    rows.dedup();
    rows.truncate(usize::try_from(limit).unwrap_or_default());
    complaints::of_rows(conn, &rows, reader).await
}

/// Replaces a complaint's words, after its texts have become whole. One that
/// waits is read when its turn comes.
pub(crate) async fn replace(
    conn: &mut SqliteConnection,
    id: ComplaintId,
    words: String,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert or replace into search (rowid, words) select row, ? from complaint \
         where id = ? and row <= (select row from search_upto)",
    )
    .bind(words)
    .bind(id.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// How many complaints wait for the index before a save takes them over itself.
/// Each is looked at by every search meanwhile.
pub(super) const MOST_WAITING: u32 = 200;
/// How many are taken over at once in idle moments.
pub(super) const GROUP: i64 = 50;

pub(super) async fn count_waiting(conn: &mut SqliteConnection) -> Result<u32, StoreError> {
    let count = "select count(*) from complaint where row > (select row from search_upto)";
    Ok(sqlx::query_scalar(count).fetch_one(conn).await?)
}

async fn waiting(
    conn: &mut SqliteConnection,
    most: i64,
) -> Result<Vec<(i64, Complaint)>, StoreError> {
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "select row, body from complaint where row > (select row from search_upto) \
         order by row limit ?",
    )
    .bind(most)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(row, body)| Ok((row, serde_json::from_str(&body)?)))
        .collect()
}

/// Takes the oldest that wait over into the index, at most so many; tells how
/// many there were.
pub(super) async fn take_over(conn: &mut SqliteConnection, most: i64) -> Result<usize, StoreError> {
    let taken = waiting(&mut *conn, most).await?;
    if let Some((last, _)) = taken.last() {
        let entries: Vec<(i64, String)> = taken
            .iter()
            .map(|(row, complaint)| (*row, words(complaint)))
            .collect();
        sqlx::query(
            "insert into search (rowid, words) \
             select value ->> 0, value ->> 1 from json_each(?) order by 1",
        )
        .bind(serde_json::to_string(&entries)?)
        .execute(&mut *conn)
        .await?;
        sqlx::query("update search_upto set row = ?")
            .bind(last)
            .execute(conn)
            .await?;
    }
    Ok(taken.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_become_phrases_beginnings_and_digit_groups() {
        let put = |text| Query::read(text).unwrap().expression();
        assert_eq!(put("宽带"), "\"宽带\"");
        assert_eq!(put("宽带断网"), "\"宽带 带断 断网\"");
        assert_eq!(put("宽带 断网"), "\"宽带\" AND \"断网\"");
        assert_eq!(put("WiFi慢"), "\"wifi\"* AND \"慢\"*");
        assert_eq!(put("８０００"), "(\"8000\"* OR (\"\u{e000}8000\"))");
        assert_eq!(put("a"), "\"a\"");
        assert_eq!(Query::read("，。 !"), None);
    }

    #[test]
    fn no_input_makes_an_expression_with_a_stray_quote() {
        let put = Query::read("a\"b OR * NEAR( 宽\"带").unwrap().expression();
        assert_eq!(put.matches('"').count() % 2, 0);
        assert!(put.contains("\"or\"*"), "{put}");
    }
}
