//! The state rows: the fold of the ledger as lists need it.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, QueryBuilder, Row as _, Sqlite, SqliteConnection};
use suda_domain::{Complaint, ComplaintId, ReferenceNumber, StaffId};

use super::StoreError;
use super::barrier::Reader;
use super::ledger::{self, NewEvent, unsigned};
use crate::view::Scope;

/// No running clock: after all that have one.
pub(crate) const NO_DEADLINE: i64 = i64::MAX;

/// Before all that wait for nothing but their deadline: where the centre waits
/// for the branch, the longest waiting first.
pub(crate) const FIRST: i64 = i64::MIN / 2;

/// A complaint with what lists are ordered by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StateRow {
    pub(crate) complaint: Complaint,
    pub(crate) scope: Scope,
    pub(crate) rank: i64,
    pub(crate) prompt_at: Option<i64>,
}

/// A complaint as read.
pub(crate) struct Stored {
    pub(crate) row: i64,
    pub(crate) rank: i64,
    pub(crate) complaint: Complaint,
    /// Recorded on this computer.
    pub(crate) mine: bool,
    /// An event of it written here has no receipt yet, or one of another desk
    /// of the branch has come over the branch's network alone.
    pub(crate) undelivered: bool,
    /// The hub has set an event of it aside.
    pub(crate) set_aside: bool,
    /// The latest reminder shown.
    pub(crate) reminded: Option<u32>,
}

impl FromRow<'_, SqliteRow> for Stored {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let body: &str = row.try_get("body")?;
        Ok(Self {
            row: row.try_get("row")?,
            rank: row.try_get("rank")?,
            complaint: serde_json::from_str(body)
                .map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
            mine: row.try_get("mine")?,
            undelivered: row.try_get("undelivered")?,
            set_aside: row.try_get("set_aside")?,
            reminded: row.try_get("reminded")?,
        })
    }
}

/// The columns of a [`Stored`].
macro_rules! select {

    ($rest:literal) => {
        concat!(
            "select c.row, c.rank, c.body, c.mine, ",
            "exists (select 1 from event e where e.complaint = c.id and case when e.own ",
            "then e.n > coalesce((select p.acked_n from past_incarnation p where p.lane = e.lane and ",
            "p.incarnation = e.incarnation), ",
            "(select acked_n from lane_ack a where a.lane = e.lane)) ",
            "else e.hub_seq is null end) as undelivered, ",
            "exists (select 1 from set_aside s where s.complaint = c.id) as set_aside, ",
            "(select minute from reminder r where r.complaint = c.id) as reminded ",
            "from complaint c ",
            $rest
        )
    };
}

fn scope_number(scope: Scope) -> i64 {
    match scope {
        Scope::Open => 0,
        Scope::WithExperts => 1,
        Scope::Done => 2,
        // Never stored; lists of it do not look at the column.
        Scope::All => 3,
        Scope::Mine => 4,
    }
}

macro_rules! insert {
    ($rest:literal) => {
        concat!(
            "insert into complaint (id, reference, state, scope, rank, prompt_at, mine, body) ",
            "values (?, ?, ?, ?, ?, ?, ?, ?)",
            $rest
        )
    };
}

/// Adds a complaint recorded here with its three first events: together, as
/// each statement of its own would cost two changes of thread.
macro_rules! record {
    ($rest:literal) => {
        concat!(
            insert!("; "),
            "insert into event (device, incarnation, lane, n, complaint, at, body, prev, hash, ",
            "own, hub_seq) values (?,?,?,?,?,?,?,?,?,?,?), (?,?,?,?,?,?,?,?,?,?,?), ",
            "(?,?,?,?,?,?,?,?,?,?,?)",
            $rest
        )
    };
}

/// Adds a complaint recorded here, with its events.
pub(crate) async fn record(
    conn: &mut SqliteConnection,
    state: &StateRow,
    events: &[NewEvent],
) -> Result<(), StoreError> {
    let [_, _, _] = events else {
        insert(&mut *conn, state, true).await?;
        return ledger::append(conn, events).await;
    };
    let record = bind(sqlx::query(record!("")), state, own_name(state), true)?;
    ledger::bind(record, events).execute(conn).await?;
    Ok(())
}

/// Like [`record`], and commits.
pub(super) async fn record_and_commit(
    conn: &mut SqliteConnection,
    state: &StateRow,
    events: &[NewEvent],
) -> Result<(), StoreError> {
    let [_, _, _] = events else {
        record(&mut *conn, state, events).await?;
        sqlx::query("commit").execute(conn).await?;
        return Ok(());
    };
    let record = bind(
        sqlx::query(record!("; commit")),
        state,
        own_name(state),
        true,
    )?;
    ledger::bind(record, events).execute(conn).await?;
    Ok(())
}

/// Adds a complaint. The search index takes it over later.
pub(crate) async fn insert(
    conn: &mut SqliteConnection,
    state: &StateRow,
    mine: bool,
) -> Result<(), StoreError> {
    let complaint = &state.complaint;
    let taken: bool =
        sqlx::query_scalar("select exists (select 1 from complaint where reference = ?)")
            .bind(complaint.reference.as_str())
            .fetch_one(&mut *conn)
            .await?;
    let reference = match taken {
        true => second_name(complaint),
        false => own_name(state),
    };
    let insert = bind(sqlx::query(insert!("")), state, reference, mine)?;
    insert.execute(&mut *conn).await?;
    Ok(())
}

fn own_name(state: &StateRow) -> String {
    state.complaint.reference.as_str().to_owned()
}

/// What stands for a reference number that two copies of a computer have both
/// given: the second complaint is listed and found by its words, not by it.
pub(crate) fn second_name(complaint: &Complaint) -> String {
    format!("~{}~{}", complaint.reference, complaint.id)
}

fn bind<'q>(
    insert: ledger::Insert<'q>,
    state: &StateRow,
    reference: String,
    mine: bool,
) -> Result<ledger::Insert<'q>, StoreError> {
    Ok(insert
        .bind(state.complaint.id.0)
        .bind(reference)
        .bind(state.complaint.state.name())
        .bind(scope_number(state.scope))
        .bind(state.rank)
        .bind(state.prompt_at)
        .bind(mine)
        .bind(serde_json::to_string(&state.complaint)?))
}

pub(crate) async fn update(
    conn: &mut SqliteConnection,
    state: &StateRow,
) -> Result<(), StoreError> {
    sqlx::query(
        "update complaint set state = ?, scope = ?, rank = ?, prompt_at = ?, body = ? where id = ?",
    )
    .bind(state.complaint.state.name())
    .bind(scope_number(state.scope))
    .bind(state.rank)
    .bind(state.prompt_at)
    .bind(serde_json::to_string(&state.complaint)?)
    .bind(state.complaint.id.0)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn get(
    conn: &mut SqliteConnection,
    id: ComplaintId,
    reader: &Reader,
) -> Result<Option<Stored>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(select!("where c.id = "));
    query.push_bind(id.0);
    unless_barred(&mut query, reader);
    Ok(query.build_query_as().fetch_optional(conn).await?)
}

/// The row of the complaint that was added last; 0 when there is none.
pub(crate) async fn last_row(conn: &mut SqliteConnection) -> Result<i64, StoreError> {
    let last = sqlx::query_scalar("select coalesce(max(row), 0) from complaint");
    Ok(last.fetch_one(conn).await?)
}

/// Complaints added after a row, the first first. For the program itself: what
/// is shown of them is read again for who looks.
pub(crate) async fn told_after(
    conn: &mut SqliteConnection,
    row: i64,
    limit: i64,
) -> Result<Vec<(i64, Complaint)>, StoreError> {
    let rows: Vec<(i64, String)> =
        sqlx::query_as("select row, body from complaint where row > ? order by row limit ?")
            .bind(row)
            .bind(limit)
            .fetch_all(conn)
            .await?;
    rows.into_iter()
        .map(|(row, body)| Ok((row, serde_json::from_str(&body)?)))
        .collect()
}

pub(crate) async fn by_reference(
    conn: &mut SqliteConnection,
    reference: &ReferenceNumber,
    reader: &Reader,
) -> Result<Option<Stored>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(select!("where c.reference = "));
    query.push_bind(reference.as_str().to_owned());
    unless_barred(&mut query, reader);
    Ok(query.build_query_as().fetch_optional(conn).await?)
}

/// A place in a list: order within the scope, then row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) rank: i64,
    pub(crate) row: i64,
}

/// The lines of a scope after a place. [`Scope::All`] is the newest first.
pub(crate) async fn page(
    conn: &mut SqliteConnection,
    scope: Scope,
    after: Option<Place>,
    limit: i64,
    reader: &Reader,
) -> Result<Vec<Stored>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(select!("where "));
    match scope {
        Scope::All => {
            query
                .push("c.row < ")
                .push_bind(after.map_or(i64::MAX, |place| place.row));
            unless_barred(&mut query, reader);
            query.push(" order by c.row desc limit ");
        }
        scope => {
            query.push("c.scope = ").push_bind(scope_number(scope));
            behind(&mut query, after);
            unless_barred(&mut query, reader);
            query.push(" order by c.rank, c.row limit ");
        }
    }
    query.push_bind(limit);
    Ok(query.build_query_as().fetch_all(conn).await?)
}

/// Behind a place, in the order of a scope.
fn behind(query: &mut QueryBuilder<Sqlite>, after: Option<Place>) {
    let after = after.unwrap_or(Place {
        rank: i64::MIN,
        row: 0,
    });
    query
        .push(" and (c.rank, c.row) > (")
        .push_bind(after.rank)
        .push(", ")
        .push_bind(after.row)
        .push(")");
}

/// Leaves out what is not for the reader.
fn unless_barred(query: &mut QueryBuilder<Sqlite>, reader: &Reader) {
    let own = "json_each(c.body, '$.recused') r";
    // Whom the case that leads is about is not for them either, as far as it
    // is here; one of another branch bars nobody of this one.
    let of_lead = "json_each(c.body, '$.links') l join complaint lead \
                   on lead.id = unhex(replace(l.value ->> '$.to', '-', '')) \
                   join json_each(lead.body, '$.recused') r";
    for (from, which) in [
        (own, ""),
        (
            of_lead,
            "l.value ->> '$.relation' in ('duplicate', 'group') and ",
        ),
    ] {
        query
            .push(" and not exists (select 1 from ")
            .push(from)
            .push(" where ")
            .push(which);
        match reader.bound() {
            None => query.push("1)"),
            Some(about) => query
                .push("r.value ->> '$.staff' in (select value from json_each(")
                .push_bind(about)
                .push(")))"),
        };
    }
}

/// What a list shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum List {
    In(Scope),
    /// Open in the branch, and given to this one of its staff.
    Of(StaffId),
}

/// The lines of a list after a place.
pub(crate) async fn list(
    conn: &mut SqliteConnection,
    list: List,
    after: Option<Place>,
    limit: i64,
    reader: &Reader,
) -> Result<Vec<Stored>, StoreError> {
    let staff = match list {
        List::In(scope) => return page(conn, scope, after, limit, reader).await,
        List::Of(staff) => staff,
    };
    let mut query = QueryBuilder::<Sqlite>::new(select!("where c.scope = 0 and c.assigned = "));
    query.push_bind(staff.0.to_string());
    behind(&mut query, after);
    unless_barred(&mut query, reader);
    query
        .push(" order by c.rank, c.row limit ")
        .push_bind(limit);
    Ok(query.build_query_as().fetch_all(conn).await?)
}

/// How many lines a list has.
pub(crate) async fn count_list(conn: &mut SqliteConnection, list: List) -> Result<u64, StoreError> {
    let staff = match list {
        List::In(scope) => return count(conn, scope).await,
        List::Of(staff) => staff,
    };
    let n: i64 =
        sqlx::query_scalar("select count(*) from complaint where assigned = ? and scope = 0")
            .bind(staff.0.to_string())
            .fetch_one(conn)
            .await?;
    Ok(unsigned(n))
}

pub(crate) async fn count(conn: &mut SqliteConnection, scope: Scope) -> Result<u64, StoreError> {
    let n: i64 = match scope {
        Scope::All => {
            sqlx::query_scalar("select count(*) from complaint")
                .fetch_one(conn)
                .await?
        }
        scope => {
            sqlx::query_scalar("select count(*) from complaint where scope = ?")
                .bind(scope_number(scope))
                .fetch_one(conn)
                .await?
        }
    };
    Ok(unsigned(n))
}

/// How many complaints stand in each state, by the state's name.
pub(crate) async fn by_state(
    conn: &mut SqliteConnection,
) -> Result<BTreeMap<String, u64>, StoreError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "select state, count(*) from complaint indexed by complaint_scope group by state",
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(state, n)| (state, unsigned(n)))
        .collect())
}

/// The deadline that is due first among the complaints not done.
pub(crate) async fn next_deadline(conn: &mut SqliteConnection) -> Result<Option<i64>, StoreError> {
    Ok(sqlx::query_scalar(
        "select min(first) from (select min(rank) as first from complaint where scope = 0 \
         and rank > 0 union all select min(rank) from complaint where scope = 1 and rank > 0) \
         where first < ?",
    )
    .bind(NO_DEADLINE)
    .fetch_one(conn)
    .await?)
}

/// The complaints the desk has to remind of or hand off by `now`.
pub(crate) async fn prompts_due(
    conn: &mut SqliteConnection,
    now_ms: i64,
) -> Result<Vec<ComplaintId>, StoreError> {
    let ids: Vec<uuid::Uuid> = sqlx::query_scalar(
        "select id from complaint where scope = ? and prompt_at <= ? order by prompt_at",
    )
    .bind(scope_number(Scope::Open))
    .bind(now_ms)
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(ComplaintId).collect())
}

pub(crate) async fn set_reminded(
    conn: &mut SqliteConnection,
    id: ComplaintId,
    minute: u32,
) -> Result<(), StoreError> {
    sqlx::query("insert or replace into reminder (complaint, minute) values (?, ?)")
        .bind(id.0)
        .bind(minute)
        .execute(conn)
        .await?;
    Ok(())
}

/// A state row with the columns that repeat its contents.
pub(crate) struct RawState {
    pub(crate) row: i64,
    pub(crate) id: uuid::Uuid,
    pub(crate) reference: String,
    pub(crate) state: String,
    pub(crate) scope: i64,
    pub(crate) body: String,
}

impl FromRow<'_, SqliteRow> for RawState {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            row: row.try_get("row")?,
            id: row.try_get("id")?,
            reference: row.try_get("reference")?,
            state: row.try_get("state")?,
            scope: row.try_get("scope")?,
            body: row.try_get("body")?,
        })
    }
}

impl RawState {
    pub(crate) fn has_scope(&self, scope: Scope) -> bool {
        self.scope == scope_number(scope)
    }
}

/// State rows as stored, in order, for checking.
pub(crate) async fn raw(
    conn: &mut SqliteConnection,
    after_row: i64,
    limit: i64,
) -> Result<Vec<RawState>, StoreError> {
    Ok(sqlx::query_as(
        "select row, id, reference, state, scope, body from complaint where row > ? order by row \
         limit ?",
    )
    .bind(after_row)
    .bind(limit)
    .fetch_all(conn)
    .await?)
}

/// The last number recorded under `prefix`, which is everything before the
/// running number. Longer numbers are higher ones.
pub(crate) async fn last_with_prefix(
    conn: &mut SqliteConnection,
    prefix: &str,
) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "select reference from complaint where reference >= ?1 and reference < ?1 || ':' \
         order by length(reference) desc, reference desc limit 1",
    )
    .bind(prefix.to_owned())
    .fetch_optional(conn)
    .await?)
}

/// The complaints of these rows, the newest first.
pub(super) async fn of_rows(
    conn: &mut SqliteConnection,
    rows: &[i64],
    reader: &Reader,
) -> Result<Vec<Stored>, StoreError> {
    let mut query =
        QueryBuilder::<Sqlite>::new(select!("where c.row in (select value from json_each("));
    query.push_bind(serde_json::to_string(rows)?).push("))");
    unless_barred(&mut query, reader);
    query.push(" order by c.row desc");
    Ok(query.build_query_as().fetch_all(conn).await?)
}
