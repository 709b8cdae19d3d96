//! How the hub is reached from outside: the address customers are told, and
//! the proxies before it.

use clap::Args;
use reqwest::Url;

use crate::hub::Hub;
use crate::status::address::TrustedProxy;
use crate::store::StoreError;

/// Where the status page is, below the public address.
const PAGE: &str = "s";

#[derive(Args)]
pub(super) struct Public {
    /// The address customers reach this hub by, such as
    /// https://complaints.example.com: receipts and texts then name the status
    /// page. Kept until another is given; an empty one takes it back.
    #[arg(long, env = "SUDA_HUB_PUBLIC_URL", value_name = "URL", value_parser = page)]
    public_url: Option<Page>,
    /// A proxy before the hub whose X-Forwarded-For is believed: an address or
    /// a network such as 10.0.0.0/8. May be repeated. Without one the address
    /// of the connection counts.
    #[arg(
        long,
        env = "SUDA_HUB_TRUSTED_PROXY",
        value_name = "ADDR",
        value_delimiter = ','
    )]
    trusted_proxy: Vec<TrustedProxy>,
}

/// The status page's address, or that there is none.
#[derive(Clone, Debug)]
struct Page(Option<String>);

fn page(text: &str) -> Result<Page, String> {
    if text.is_empty() {
        return Ok(Page(None));
    }
    let is_web = |url: &Url| matches!(url.scheme(), "https" | "http") && url.has_host();
    // The pages name their files from the root.
    let is_plain =
        |url: &Url| url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let url = text.parse().ok().filter(is_web).filter(is_plain);
    let url = url.ok_or("a whole address such as https://complaints.example.com")?;
    let base = url.as_str().trim_end_matches('/');
    Ok(Page(Some(format!("{base}/{PAGE}"))))
}

impl Public {
    /// Before anybody is served.
    pub(super) async fn apply(self, hub: &Hub) -> Result<(), StoreError> {
        hub.status.trust(self.trusted_proxy.into_iter().collect());
        match self.public_url {
            Some(Page(url)) => hub.store.use_status_url(url.as_deref()).await,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn the_page_stands_below_a_whole_address() {
        for text in ["https://c.example.com", "https://c.example.com/"] {
            let page = page(text).unwrap().0;
            assert_eq!(page.as_deref(), Some("https://c.example.com/s"));
        }
        let port = page("http://10.0.0.1:8460").unwrap().0;
        assert_eq!(port.as_deref(), Some("http://10.0.0.1:8460/s"));
        assert_eq!(page("").unwrap().0, None);
        for wrong in [
            "c.example.com",
            "ftp://x",
            "https://x/?a",
            "https://x/#a",
            "https://x/suda",
        ] {
            assert!(page(wrong).is_err(), "{wrong}");
        }
    }
}
