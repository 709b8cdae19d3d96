//! The customer's status page: who is let in and what they are shown. Rules
//! without HTTP; the doors are in `http::status`.

pub mod address;
pub mod limits;
pub mod token;
pub mod view;
pub mod way;

use std::sync::OnceLock;

use suda_sync::SecretKey;

use self::address::TrustedProxies;
use self::limits::Limits;
use self::token::TokenKey;

/// What the status page's doors share in one process.
pub struct StatusDoor {
    pub limits: Limits,
    pub tokens: TokenKey,
    proxies: OnceLock<TrustedProxies>,
}

impl StatusDoor {
    pub fn new(key: &SecretKey) -> Self {
        Self {
            limits: Limits::new(key),
            tokens: TokenKey::of(key),
            proxies: OnceLock::new(),
        }
    }

    /// Names the proxies whose word about an address counts; once, before
    /// anybody is served.
    pub fn trust(&self, proxies: TrustedProxies) {
        if self.proxies.set(proxies).is_err() {
            tracing::warn!("the trusted proxies were named before; they stay");
        }
    }

    /// Those named; none trusts nobody.
    pub fn proxies(&self) -> &TrustedProxies {
        self.proxies.get_or_init(TrustedProxies::default)
    }
}
