//! The pages' files from a directory, and a plain page when they are missing.

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};

use crate::hub::Hub;

const ENTRY: &str = "console.html";
const STATUS: &str = "status.html";
const MARK: &str = "suda.svg";
const MISSING: &str = "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>诉达</title>\
<h1>找不到控制台的文件</h1><p>请用 <code>suda-hub serve --ui 目录</code> 启动，目录中应有 console.html。</p>\
<p>The console's files are missing: start with <code>--ui DIR</code>, a directory that holds console.html.</p>";

/// Where the console's files are: as told, else beside the program, else where
/// the package puts them.
pub fn find(told: Option<PathBuf>) -> Option<PathBuf> {
    if told.is_some() {
        return told;
    }
    let beside = std::env::current_exe()
        .ok()
        .and_then(|exe| Some(exe.parent()?.join("ui")));
    let mut places: Vec<PathBuf> = beside.into_iter().collect();
    places.push("/usr/share/suda-hub/ui".into());
    if cfg!(debug_assertions) {
        places.push(concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui/dist").into());
    }
    places.into_iter().find(|place| place.join(ENTRY).is_file())
}

pub async fn root() -> Redirect {
    Redirect::to("/console")
}

/// The console; its own router takes the rest of the address.
pub async fn console(State(hub): State<Arc<Hub>>) -> Response {
    page(&hub, ENTRY).await
}

/// The customer's status page; what stands behind it in the address is for
/// the page.
pub async fn status(State(hub): State<Arc<Hub>>) -> Response {
    page(&hub, STATUS).await
}

async fn page(hub: &Hub, entry: &str) -> Response {
    let Some(dir) = &hub.ui else { return missing() };
    match tokio::fs::read(dir.join(entry)).await {
        Ok(page) => {
            let headers = [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CACHE_CONTROL, "no-cache"),
            ];
            (headers, page).into_response()
        }
        Err(error) => {
            tracing::warn!(%error, entry, "a page cannot be read");
            missing()
        }
    }
}

fn missing() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, Html(MISSING)).into_response()
}

/// The mark in the browser's tab.
pub async fn mark(State(hub): State<Arc<Hub>>) -> Response {
    let read = async |dir: &PathBuf| tokio::fs::read(dir.join(MARK)).await.ok();
    let found = match &hub.ui {
        Some(dir) => read(dir).await,
        None => None,
    };
    match found {
        Some(bytes) => ([(header::CONTENT_TYPE, content_type(MARK))], bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Hashed names: what is there never changes.
pub async fn asset(State(hub): State<Arc<Hub>>, Path(path): Path<String>) -> Response {
    let not_found = StatusCode::NOT_FOUND.into_response();
    let Some(dir) = &hub.ui else { return not_found };
    let plain = path
        .split('/')
        .all(|part| !part.is_empty() && !part.starts_with('.') && !part.contains('\\'));
    if !plain {
        return not_found;
    }
    match tokio::fs::read(dir.join("assets").join(&path)).await {
        Ok(bytes) => {
            let headers = [
                (header::CONTENT_TYPE, content_type(&path)),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ];
            (headers, bytes).into_response()
        }
        Err(_) => not_found,
    }
}

/// The kinds of files a Vite build makes.
fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "woff" => "font/woff",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}
