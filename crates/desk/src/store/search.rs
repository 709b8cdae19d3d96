//! Full-text search over shingles: what is indexed, and how a query is put.

use sqlx::SqliteConnection;
use suda_domain::text::{shingles, to_half_width};
use suda_domain::{Complaint, ComplaintId};

use super::StoreError;
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

/// The query as FTS5 reads it: every term must be there, Chinese as the exact
/// run of characters, Latin words by their beginning, four digits or more also
/// within a phone number. `None` when nothing can be looked for.
pub(crate) fn expression(text: &str) -> Option<String> {
    let folded = to_half_width(text);
    let parts: Vec<String> = folded
        .split_whitespace()
        .flat_map(runs)
        .map(|run| of_run(&run))
        .collect();
    (!parts.is_empty()).then(|| parts.join(" AND "))
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

fn of_run(run: &[String]) -> String {
    let phrase = format!("\"{}\"", run.join(" "));
    match run {
        [word] if word.len() >= DIGITS && word.chars().all(|c| c.is_ascii_digit()) => {
            let groups: Vec<String> = digit_groups(word)
                .into_iter()
                .map(|group| format!("\"{group}\""))
                .collect();
            format!("({phrase}* OR ({}))", groups.join(" AND "))
        }
        // One Latin letter begins too many words to be a useful beginning.
        [word] if word.len() == 1 || is_pair(word) => phrase,
        [_] => format!("{phrase}*"),
        _ => phrase,
    }
}

/// The complaints that match, the newest first.
pub(crate) async fn find(
    conn: &mut SqliteConnection,
    text: &str,
    limit: i64,
) -> Result<Vec<Stored>, StoreError> {
    match expression(text) {
        Some(expression) => complaints::found(conn, expression, limit).await,
        None => Ok(Vec::new()),
    }
}

/// Replaces a complaint's words, after its texts have become whole.
pub(crate) async fn replace(
    conn: &mut SqliteConnection,
    id: ComplaintId,
    words: String,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert or replace into search (rowid, words) \
         select row, ? from complaint where id = ?",
    )
    .bind(words)
    .bind(id.0)
    .execute(conn)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_become_phrases_beginnings_and_digit_groups() {
        let put = |text| expression(text).unwrap();
        assert_eq!(put("宽带"), "\"宽带\"");
        assert_eq!(put("宽带断网"), "\"宽带 带断 断网\"");
        assert_eq!(put("宽带 断网"), "\"宽带\" AND \"断网\"");
        assert_eq!(put("WiFi慢"), "\"wifi\"* AND \"慢\"*");
        assert_eq!(put("８０００"), "(\"8000\"* OR (\"\u{e000}8000\"))");
        assert_eq!(put("a"), "\"a\"");
        assert_eq!(expression("，。 !"), None);
    }

    #[test]
    fn no_input_makes_an_expression_with_a_stray_quote() {
        let put = expression("a\"b OR * NEAR( 宽\"带").unwrap();
        assert_eq!(put.matches('"').count() % 2, 0);
        assert!(put.contains("\"or\"*"), "{put}");
    }
}
