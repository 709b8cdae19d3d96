//! The desks' door for evidence: how far files are, and their slices. Every
//! slice has a head signed by the device; of a slice that breaks off, what
//! came is kept and checked with its chunk.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt as _;
use suda_domain::{Evidence, EvidenceId};
use suda_sync::evidence::{CHUNK, FileName, HEAD, Head, MOST_ASKED, Standing, Standings, sha256};
use suda_sync::message::{Refused, is_read};
use suda_sync::{Reply, Signed};

use super::device::{busy, signed_answer};
use super::hello::admit;
use crate::evidence::{Arrived, standing, take};
use crate::hub::Hub;
use crate::store::{Device, Reader};

/// A line that brings nothing for so long is taken for broken.
const SILENCE: Duration = Duration::from_secs(20);

/// `PUT /v1/evidence/{file}/{offset}`: the body is the slice's bytes.
pub async fn slice(
    State(hub): State<Arc<Hub>>,
    Path((file, offset)): Path<(EvidenceId, u64)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let worker = Arc::clone(&hub);
    // In a task of its own: when the line breaks the connection is given up,
    // and what came is to be kept all the same.
    let work = tokio::spawn(async move { take_slice(&worker, file, offset, &headers, body).await });
    let answer = work.await.unwrap_or(Err(Refused::Malformed));
    signed_answer(&hub, answer)
}

async fn take_slice(
    hub: &Hub,
    file: EvidenceId,
    offset: u64,
    headers: &HeaderMap,
    body: Body,
) -> Result<Reply, Refused> {
    let signed = head_of(headers).ok_or(Refused::Malformed)?;
    let head: Head = signed.peek().map_err(|_| Refused::Malformed)?;
    if !is_read(head.v) {
        return Err(Refused::Version);
    }
    let device = hub.store.device(head.device).await.map_err(busy)?;
    let device = device.ok_or(Refused::UnknownDevice)?;
    if !signed.is_from(&device.key) {
        return Err(Refused::BadSignature);
    }
    if (head.name.file, head.offset) != (file, offset) || head.bytes == 0 || head.bytes > CHUNK {
        return Err(Refused::Malformed);
    }
    if head.incarnation > device.incarnation {
        return Err(Refused::SessionExpired);
    }
    admit(hub, device.id, head.incarnation, head.session.as_deref()).await?;
    let Some(known) = known(hub, &device, head.name).await? else {
        return Ok(answer(hub, &device, vec![unknown(head.name)]));
    };
    let data = received(body.into_data_stream(), head.bytes).await?;
    // A slice that came whole has to be the one signed; what came of a broken
    // one is judged with its chunk.
    if data.len() as u64 == head.bytes && sha256(&data) != head.sha256 {
        return Err(Refused::BadSignature);
    }
    let arrived = Arrived {
        at: offset,
        data,
        chunk: head.chunk,
    };
    let standing = take(hub, head.name.complaint, &known, arrived)
        .await
        .map_err(busy)?;
    Ok(answer(hub, &device, vec![standing]))
}

fn head_of(headers: &HeaderMap) -> Option<Signed> {
    let raw = STANDARD.decode(headers.get(HEAD)?.as_bytes()).ok()?;
    serde_json::from_slice(&raw).ok()
}

/// What comes of a body, up to its end or to where the line breaks.
async fn received(mut body: BodyDataStream, bytes: u64) -> Result<Vec<u8>, Refused> {
    let mut data = Vec::new();
    loop {
        let Ok(Some(Ok(part))) = tokio::time::timeout(SILENCE, body.next()).await else {
            return Ok(data);
        };
        data.extend_from_slice(&part);
        if data.len() as u64 > bytes {
            return Err(Refused::Malformed);
        }
    }
}

/// The file, if a complaint of the device's branch has it.
async fn known(hub: &Hub, device: &Device, name: FileName) -> Result<Option<Evidence>, Refused> {
    let held = hub
        .store
        .complaint(name.complaint, Reader::Program)
        .await
        .map_err(busy)?;
    let complaint = held.map(|held| held.complaint);
    Ok(complaint
        .filter(|complaint| complaint.branch == device.branch)
        .and_then(|complaint| Some(complaint.evidence_file(name.file)?.file.clone())))
}

fn unknown(name: FileName) -> Standing {
    Standing {
        unknown: true,
        ..Standing::partial(name, 0)
    }
}

fn answer(hub: &Hub, device: &Device, files: Vec<Standing>) -> Reply {
    Reply::Evidence(Standings {
        device: device.id,
        epoch: hub.identity.epoch.clone(),
        files,
        at: hub.clock.now(),
    })
}

/// How far the named files are.
pub async fn standings(hub: &Hub, device: &Device, names: Vec<FileName>) -> Result<Reply, Refused> {
    if names.len() > MOST_ASKED {
        return Err(Refused::Malformed);
    }
    let mut files = Vec::with_capacity(names.len());
    for name in names {
        files.push(match known(hub, device, name).await? {
            None => unknown(name),
            Some(file) => {
                let stored = hub.store.evidence_stored(file.id).await.map_err(busy)?;
                standing(name, stored)
            }
        });
    }
    Ok(answer(hub, device, files))
}
