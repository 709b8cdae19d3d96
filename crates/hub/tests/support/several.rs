//! Several hubs over one PostgreSQL, and who is sent from one to another.

use std::path::Path;
use std::sync::Arc;

use suda_hub::serve::Serving;
use suda_hub::store::postgres::PostgresStore;

use super::{FakeDesk, Person, TestClock, TestHub};

impl TestHub {
    /// One of several over the same database.
    pub async fn over(url: &str, clock: TestClock) -> Self {
        let store = PostgresStore::open(url).await.unwrap();
        store.join().await.unwrap();
        let listen = "127.0.0.1:0".parse().unwrap();
        let serving = Serving::over(Arc::new(store), listen, None, clock.clock(), None)
            .await
            .unwrap();
        Self::run(serving, clock, Path::new(""))
    }
}

impl Person {
    /// The same browser, sent to another process.
    pub fn at(&self, hub: &TestHub) -> Self {
        Self {
            base: hub.url(""),
            ..self.clone()
        }
    }
}

impl FakeDesk {
    /// The next requests go to this process, with the session of another.
    pub fn by(&mut self, hub: &TestHub) {
        self.url = hub.url("/v1/sync");
    }
}
