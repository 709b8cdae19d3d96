//! The desks' short questions: whether there is anything to ask for, at once or
//! as soon as there is. In one line each, because they are asked all day; of the
//! answer the status is all. Neither is signed. The session in the address is
//! the hub's own word to this desk, so nobody else is told anything; and what
//! is told saves a desk a signed question for some minutes at most
//! (`suda_sync::desk::LOOKS_MS`).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use suda_domain::DeviceId;
use suda_sync::message::Refused;

use super::device::{busy, is_news, watch};
use super::hello::admit;
use crate::hub::Hub;
use crate::store::Device;

/// Who asks, and what they know.
#[derive(Deserialize)]
pub struct Asked {
    device: DeviceId,
    incarnation: u32,
    session: String,
    cursor: u64,
    directory: u32,
}

/// `GET /v1/look/…`: answered at once.
pub async fn look(State(hub): State<Arc<Hub>>, Path(asked): Path<Asked>) -> StatusCode {
    told(async {
        let device = admitted(&hub, &asked).await?;
        let news = is_news(&hub, &device, (asked.cursor, asked.directory), None);
        hub.turns.read(news).await.map_err(busy)
    })
    .await
}

/// `GET /v1/watch/…`: answered when there is news, or after a while.
pub async fn wait(State(hub): State<Arc<Hub>>, Path(asked): Path<Asked>) -> StatusCode {
    told(async {
        let device = admitted(&hub, &asked).await?;
        let news = watch(&hub, &device, asked.cursor, asked.directory);
        news.await.map_err(busy)
    })
    .await
}

async fn told(news: impl Future<Output = Result<bool, Refused>>) -> StatusCode {
    match news.await {
        Ok(true) => StatusCode::OK,
        Ok(false) => StatusCode::NO_CONTENT,
        Err(Refused::Busy { .. }) => StatusCode::SERVICE_UNAVAILABLE,
        // It says hello, and is told in a signed answer what there is to tell.
        Err(_) => StatusCode::FORBIDDEN,
    }
}

async fn admitted(hub: &Hub, asked: &Asked) -> Result<Device, Refused> {
    let device = hub.turns.read(hub.store.device(asked.device)).await;
    let device = device.map_err(busy)?.ok_or(Refused::UnknownDevice)?;
    if asked.incarnation > device.incarnation {
        return Err(Refused::SessionExpired);
    }
    admit(hub, device.id, asked.incarnation, Some(&asked.session)).await?;
    Ok(Device {
        incarnation: asked.incarnation,
        ..device
    })
}
