//! Every route of the console's API with every role and with nobody signed
//! in, against the permission table. What is not in the table answers nobody.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use suda_domain::{Grade, Role};
use suda_hub::http::access::{Access, TABLE};
use suda_hub::http::openapi;
use support::{Person, TestHub};

const ROLES: [Role; 7] = [
    Role::Clerk,
    Role::BranchManager,
    Role::Expert,
    Role::Department,
    Role::Management,
    Role::Auditor,
    Role::Administrator,
];

#[test]
fn the_table_names_exactly_the_described_routes() {
    let described = serde_json::to_value(openapi()).unwrap();
    let mut routes = BTreeSet::new();
    for (path, methods) in described["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            routes.insert((method.to_uppercase(), path.clone()));
        }
    }
    let table: BTreeSet<_> = TABLE
        .iter()
        .map(|(m, p, _)| ((*m).to_owned(), (*p).to_owned()))
        .collect();
    assert_eq!(table.len(), TABLE.len(), "a route stands twice");
    assert_eq!(routes, table);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_admits_exactly_the_roles_of_the_table() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(hub.clock.now(), "多扣话费", Grade::Two).await;
    let mut nobody = hub.sign_in("clerk").await;
    nobody.cookie = "suda_session=nothing".into();
    let mut people = Vec::new();
    for role in ROLES {
        people.push((role, hub.sign_in(role.name()).await));
    }
    let mut tried = 0;
    for (method, route, access) in TABLE {
        // Signing out would end the walk, and the stream has its own test.
        if matches!(
            *route,
            "/api/login" | "/api/logout" | "/api/live" | "/s/api/look-up"
        ) {
            continue;
        }
        let path = if route.contains("complaints") {
            route.replace("{id}", &id.to_string())
        } else {
            // No such task, member or record: admitted callers learn that.
            route.replace("{id}", &uuid::Uuid::nil().to_string())
        };
        let (status, body) = send(&nobody, method, &path).await;
        assert_eq!(
            (status, &body["code"]),
            (StatusCode::UNAUTHORIZED, &json!("not_signed_in")),
            "{path}"
        );
        tried += 1;
        for (role, person) in &people {
            let (status, body) = send(person, method, &path).await;
            let refused = status == StatusCode::FORBIDDEN;
            assert_eq!(
                !refused,
                access.admits(*role),
                "{method} {path} as {}: {status} {body}",
                role.name()
            );
            tried += 1;
        }
    }
    // Neither may a browser of another site, nor anything unknown.
    let foreign = hub
        .client
        .post(hub.url("/api/logout"))
        .header("cookie", &hub.sign_in("expert").await.cookie)
        .header("origin", "https://elsewhere.example")
        .send()
        .await
        .unwrap();
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    let (status, body) = send(&hub.sign_in("administrator").await, "GET", "/api/nothing").await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::NOT_FOUND, &json!("no_such_route"))
    );
    println!(
        "{tried} calls of {} routes as {} roles and nobody",
        TABLE.len(),
        ROLES.len()
    );
    hub.stop().await;
}

/// A body no handler accepts, so that nothing changes during the walk.
async fn send(person: &Person, method: &str, path: &str) -> (StatusCode, Value) {
    let method: Method = method.parse().unwrap();
    let body = (method == Method::POST).then(|| json!({ "nothing": true }));
    // Steps without a body would succeed; they are sent to no complaint.
    let bodyless = [
        "claim",
        "renew",
        "release",
        "close",
        "acknowledge",
        "accept",
    ];
    let path = match path.rsplit_once('/') {
        Some((_, step)) if bodyless.contains(&step) && path.contains("complaints") => {
            format!("/api/complaints/{}/{step}", uuid::Uuid::nil())
        }
        _ => path.to_owned(),
    };
    person.ask(method, &path, body).await
}

#[test]
fn branch_staff_may_only_remark_from_the_console() {
    for (_, route, access) in TABLE
        .iter()
        .filter(|(_, _, a)| matches!(a, Access::Step(_)))
    {
        if access.admits(Role::Clerk) || access.admits(Role::BranchManager) {
            let remarks = [
                "evidence", "letters", "note", "reply", "progress", "people", "recuse", "seen",
            ];
            let step = route.rsplit_once('/').map_or(*route, |(_, step)| step);
            assert!(remarks.contains(&step), "{route}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_sees_its_own_complaints_only() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(hub.clock.now(), "多扣话费", Grade::Two).await;
    let path = format!("/api/complaints/{id}");
    hub.sign_in("branch_manager").await.get(&path).await;
    let stranger = hub.sign_in("clerk2").await;
    let (status, body) = stranger.ask(Method::GET, &path, None).await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::NOT_FOUND, &json!("not_found"))
    );
    assert!(
        stranger.get("/api/work-orders").await["rows"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    let note = json!({ "text": "x" });
    assert_eq!(
        stranger.refused(&format!("{path}/note"), note).await.0,
        StatusCode::NOT_FOUND
    );
    hub.stop().await;
}
