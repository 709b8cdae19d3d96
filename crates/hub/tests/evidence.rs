//! Evidence at the hub's doors: slices of desks that break off, are altered
//! or meant for another branch; reading and adding in the console.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::StatusCode;
use serde_json::{Value, json};
use suda_domain::{ComplaintId, Evidence, EvidenceId, EvidenceKind, Fact, Grade, Lane};
use suda_sync::evidence::{CHUNK, FileName, HEAD, Head, Standing, path, sha256};
use suda_sync::message::{Refused, VERSION};
use suda_sync::{Ask, Reply, Signed, Verdict};
use support::{FakeDesk, TestHub, eventually};
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

/// A picture by its first bytes.
fn picture(bytes: usize) -> Vec<u8> {
    let mut picture = b"\xff\xd8\xff\xe0\0\x10JFIF".to_vec();
    picture.extend((picture.len()..bytes).map(|n| (n * 31 % 251) as u8));
    picture
}

/// A desk with a complaint at the hub and a file in its ledger.
struct Case {
    desk: FakeDesk,
    name: FileName,
    contents: Vec<u8>,
}

impl Case {
    async fn new(hub: &TestHub, bytes: usize) -> Self {
        let mut desk = hub.enrol("CQ0101", "clerk").await;
        let complaint = desk.hand_off(hub.clock.now(), "多扣话费", Grade::Two).await;
        let contents = picture(bytes);
        let file = Evidence {
            id: EvidenceId(Uuid::now_v7()),
            name: "账单 1.jpg".into(),
            kind: EvidenceKind::Photo,
            media_type: "image/jpeg".into(),
            bytes: bytes as u64,
            sha256: sha256(&contents).to_string(),
        };
        let name = FileName {
            complaint,
            file: file.id,
        };
        let fact = Fact::EvidenceAdded { file };
        let event = desk
            .pen
            .write(Lane::Ordinary, complaint, 1, hub.clock.now(), fact);
        let n = desk.pen.heads[1].0;
        let receipt = desk.batch(Lane::Ordinary, n, vec![event]).await;
        assert_eq!(receipt.verdicts, [Verdict::Applied]);
        Self {
            desk,
            name,
            contents,
        }
    }

    /// The signed head of the slice from `at` on.
    fn head(&self, at: usize, bytes: usize) -> String {
        let from = at - at % CHUNK as usize;
        let upto = (from + CHUNK as usize).min(self.contents.len());
        let head = Head {
            v: VERSION,
            device: self.desk.enrolled.device,
            incarnation: 1,
            session: self.desk.session.lock().unwrap().clone(),
            name: self.name,
            offset: at as u64,
            bytes: bytes as u64,
            sha256: sha256(&self.contents[at..at + bytes]),
            chunk: sha256(&self.contents[from..upto]),
        };
        let signed = Signed::seal(&head, &self.desk.key).unwrap();
        STANDARD.encode(serde_json::to_vec(&signed).unwrap())
    }

    async fn put(&self, hub: &TestHub, at: usize, bytes: usize, sent: Vec<u8>) -> Reply {
        let answer = hub
            .client
            .put(hub.url(&path(self.name.file, at as u64)))
            .header(HEAD, self.head(at, bytes))
            .body(sent)
            .send()
            .await
            .unwrap();
        let signed: Signed = answer.json().await.unwrap();
        signed.open(&self.desk.enrolled.hub_key).unwrap()
    }

    /// Sends a slice as it is and gives how the file stands.
    async fn send(&self, hub: &TestHub, at: usize, bytes: usize) -> Standing {
        let sent = self.contents[at..at + bytes].to_vec();
        only(self.put(hub, at, bytes, sent).await)
    }

    /// Sends `sent` of a slice of `bytes` bytes, and breaks off.
    async fn break_off(&self, hub: &TestHub, at: usize, bytes: usize, sent: &[u8]) {
        let mut line = tokio::net::TcpStream::connect(hub.address).await.unwrap();
        let (path, head) = (path(self.name.file, at as u64), self.head(at, bytes));
        let begin = format!(
            "PUT {path} HTTP/1.1\r\nhost: hub\r\n{HEAD}: {head}\r\ncontent-length: {bytes}\r\n\r\n"
        );
        line.write_all(begin.as_bytes()).await.unwrap();
        line.write_all(sent).await.unwrap();
        line.flush().await.unwrap();
    }

    async fn standing(&self) -> Standing {
        let files = vec![self.name];
        only(self.desk.ask(Ask::Evidence { files }).await)
    }

    async fn send_all(&self, hub: &TestHub) {
        let mut at = self.standing().await.received as usize;
        while at < self.contents.len() {
            let bytes = (self.contents.len() - at).min(CHUNK as usize - at % CHUNK as usize);
            at = self.send(hub, at, bytes).await.received as usize;
        }
    }
}

fn only(reply: Reply) -> Standing {
    match reply {
        Reply::Evidence(standings) => standings.files.into_iter().next().unwrap(),
        other => panic!("no standing: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_of_a_broken_slice_is_kept_and_the_file_goes_on_at_the_byte() {
    let hub = TestHub::start().await;
    let case = Case::new(&hub, CHUNK as usize + 1000).await;
    assert_eq!(case.standing().await, Standing::partial(case.name, 0));
    case.break_off(&hub, 0, 50_000, &case.contents[..12_345])
        .await;
    eventually("the bytes that came are stored", async || {
        case.standing().await.received == 12_345
    })
    .await;
    let half = case.send(&hub, 12_345, 100_000).await;
    assert_eq!(half, Standing::partial(case.name, 112_345));
    // A slice that is not the next one changes nothing and tells the byte.
    assert_eq!(case.send(&hub, 0, 1000).await, half);
    case.send_all(&hub).await;
    assert!(case.standing().await.complete);
    // After the end nothing is taken any more.
    assert!(case.send(&hub, 0, 1000).await.complete);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_slice_is_refused_and_nothing_of_it_kept() {
    let hub = TestHub::start().await;
    let case = Case::new(&hub, 5000).await;
    let mut altered = case.contents.clone();
    altered[4000] ^= 1;
    let reply = case.put(&hub, 0, 5000, altered.clone()).await;
    assert!(
        matches!(reply, Reply::Refused(Refused::BadSignature)),
        "{reply:?}"
    );
    assert_eq!(case.standing().await.received, 0);
    // Too much of it, and somebody else's key.
    let mut longer = case.contents.clone();
    longer.push(0);
    let reply = case.put(&hub, 0, 5000, longer).await;
    assert!(
        matches!(reply, Reply::Refused(Refused::Malformed)),
        "{reply:?}"
    );
    let mut stranger = Case::new(&hub, 5000).await;
    stranger.desk.key = suda_sync::SecretKey::from_seed([3; 32]);
    let reply = stranger.put(&hub, 0, 5000, stranger.contents.clone()).await;
    assert!(
        matches!(reply, Reply::Refused(Refused::BadSignature)),
        "{reply:?}"
    );
    // Altered and broken off, it is found with its chunk, which comes again.
    case.break_off(&hub, 0, 5000, &altered[..4500]).await;
    eventually("the bytes that came are stored", async || {
        case.standing().await.received == 4500
    })
    .await;
    assert_eq!(
        case.send(&hub, 4500, 500).await,
        Standing::partial(case.name, 0)
    );
    assert!(case.send(&hub, 0, 5000).await.complete, "the control");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_taken_only_from_the_branch_whose_complaint_names_it() {
    let hub = TestHub::start().await;
    let case = Case::new(&hub, 5000).await;
    let mut other = hub.enrol("CQ0102", "clerk2").await;
    other.hello().await;
    let files = vec![case.name];
    assert!(only(other.ask(Ask::Evidence { files }).await).unknown);
    let theirs = Case {
        desk: std::mem::replace(&mut other, hub.enrol("CQ0102", "clerk2").await),
        name: case.name,
        contents: case.contents.clone(),
    };
    assert!(theirs.send(&hub, 0, 5000).await.unknown);
    let nobodys = FileName {
        file: EvidenceId(Uuid::now_v7()),
        ..case.name
    };
    let files = vec![nobodys];
    assert!(only(case.desk.ask(Ask::Evidence { files }).await).unknown);
    assert_eq!(case.standing().await.received, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_see_the_case_reads_its_files_and_each_reading_is_written_down() {
    let hub = TestHub::start().await;
    let case = Case::new(&hub, CHUNK as usize * 2 + 77).await;
    let list = format!("/api/complaints/{}/evidence", case.name.complaint);
    let file = format!("{list}/{}", case.name.file);
    let expert = hub.sign_in("expert").await;
    let listed = expert.get(&list).await;
    assert_eq!(
        (&listed[0]["complete"], &listed[0]["file"]["name"]),
        (&json!(false), &json!("账单 1.jpg"))
    );
    let (status, body) = expert.ask(reqwest::Method::GET, &file, None).await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::CONFLICT, &json!("not_in_this_state"))
    );
    case.send_all(&hub).await;

    let get = async |login: &str, range: Option<&str>| {
        let person = hub.sign_in(login).await;
        let request = hub
            .client
            .get(hub.url(&file))
            .header("cookie", person.cookie);
        let request = match range {
            Some(range) => request.header("range", range),
            None => request,
        };
        request.send().await.unwrap()
    };
    let whole = get("expert", None).await;
    let header = |name: &str| whole.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "image/jpeg");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("content-security-policy").starts_with("sandbox; default-src 'none'"));
    assert_eq!(
        header("content-disposition"),
        "inline; filename*=UTF-8''%E8%B4%A6%E5%8D%95%201.jpg"
    );
    assert!(whole.bytes().await.unwrap() == case.contents);
    let part = get("expert", Some("bytes=262000-262399")).await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    let of = format!("bytes 262000-262399/{}", case.contents.len());
    assert_eq!(part.headers()["content-range"], of.as_str());
    assert!(part.bytes().await.unwrap() == case.contents[262_000..262_400]);
    let beyond = get("expert", Some("bytes=99999999-")).await;
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);

    // The branch sees it; another branch and a department without a task do not.
    assert_eq!(get("clerk", None).await.status(), StatusCode::OK);
    assert_eq!(get("clerk2", None).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        get("department", None).await.status(),
        StatusCode::NOT_FOUND
    );
    let reads = hub.sign_in("auditor").await;
    let reads = reads
        .get(&format!(
            "/api/complaints/{}/evidence-reads",
            case.name.complaint
        ))
        .await;
    let names: Vec<_> = reads
        .as_array()
        .unwrap()
        .iter()
        .map(|read| &read["name"])
        .collect();
    assert_eq!(names, ["姓名 expert", "姓名 expert", "姓名 clerk"]);
}

async fn upload(
    hub: &TestHub,
    cookie: &str,
    id: ComplaintId,
    name: &str,
    body: Vec<u8>,
) -> (StatusCode, Value) {
    let address = hub.url(&format!("/api/complaints/{id}/evidence?name={name}"));
    let request = hub.client.post(address).header("cookie", cookie);
    let answer = request.body(body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expert_adds_a_file_and_its_contents_decide_what_it_is() {
    let hub = TestHub::start().await;
    let case = Case::new(&hub, 100).await;
    let id = case.name.complaint;
    let cookie = hub.sign_in("expert").await.cookie;
    let contents = picture(CHUNK as usize + 3);
    let (status, body) = upload(&hub, &cookie, id, "..%2Fdir%2Freport.exe", contents.clone()).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let person = hub.sign_in("clerk").await;
    let listed = person.get(&format!("/api/complaints/{id}/evidence")).await;
    let added = &listed[1];
    assert_eq!(added["file"]["name"], "report.exe");
    assert_eq!(
        (&added["file"]["media_type"], &added["complete"]),
        (&json!("image/jpeg"), &json!(true))
    );
    let file = added["file"]["id"].as_str().unwrap();
    let read = hub
        .client
        .get(hub.url(&format!("/api/complaints/{id}/evidence/{file}")))
        .header("cookie", &person.cookie)
        .send()
        .await
        .unwrap();
    assert!(read.bytes().await.unwrap() == contents);
    for (refused, code) in [
        (b"<html>".to_vec(), "file_type_not_taken"),
        (Vec::new(), "required"),
    ] {
        let (_, body) = upload(&hub, &cookie, id, "x.jpg", refused).await;
        assert_eq!(body["code"], code);
    }
    let auditor = hub.sign_in("auditor").await.cookie;
    let (status, _) = upload(&hub, &auditor, id, "x.jpg", contents).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let listed = person.get(&format!("/api/complaints/{id}/evidence")).await;
    assert_eq!(
        listed.as_array().unwrap().len(),
        2,
        "nothing of what was refused"
    );
    let far = hub.clock.now() + chrono::TimeDelta::days(9);
    assert!(hub.hub.store.staged_before(far).await.unwrap().is_empty());
}
