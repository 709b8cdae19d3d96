//! From which address somebody asks. Behind a proxy every connection comes
//! from the proxy, and anybody can write a forwarded header: it counts only
//! when the connection comes from a proxy that the operator has named.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;

/// Proxies whose `X-Forwarded-For` is believed. None by default.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

/// One of them: an address, or a network such as `10.0.0.0/8`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TrustedProxy(IpNet);

/// Neither an address nor a network.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an address such as 10.0.0.1 or a network such as 10.0.0.0/8")]
pub struct NoProxy;

impl FromStr for TrustedProxy {
    type Err = NoProxy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let one = || text.parse::<IpAddr>().map(IpNet::from);
        let net = text.parse::<IpNet>().or_else(|_| one());
        net.map(Self).map_err(|_| NoProxy)
    }
}

impl FromIterator<TrustedProxy> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = TrustedProxy>>(proxies: I) -> Self {
        Self(proxies.into_iter().map(|TrustedProxy(net)| net).collect())
    }
}

impl TrustedProxies {
    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }

    /// Who asks, of a connection from `peer` with the values of its
    /// `X-Forwarded-For` headers in order. Each proxy appends whom it was
    /// asked by: read from the end, the first that is no trusted proxy is the
    /// client. What stands before it, the client has written itself.
    pub fn client<'h>(
        &self,
        peer: IpAddr,
        forwarded: impl DoubleEndedIterator<Item = &'h str>,
    ) -> IpAddr {
        let mut client = plain(peer);
        let hops = forwarded.rev().flat_map(|line| line.rsplit(','));
        for hop in hops {
            if !self.trusts(client) {
                break;
            }
            let Some(address) = address(hop.trim()) else {
                break;
            };
            client = plain(address);
        }
        client
    }
}

/// An address as proxies write it, perhaps with a port.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.trim_start_matches('[');
    let bare = bare.split_once(']').map_or(bare, |(address, _)| address);
    let with_port = || hop.parse().map(|at: std::net::SocketAddr| at.ip());
    bare.parse().or_else(|_| with_port()).ok()
}

/// An IPv4 address in the clothes of IPv6 is the IPv4 address.
fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// What tries are counted under: an IPv4 address, or the network of 64 bits
/// that one subscriber of IPv6 has to themselves.
pub fn counted(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(proxies: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let proxies: TrustedProxies = proxies.iter().map(|p| p.parse().unwrap()).collect();
        let peer = peer.parse().unwrap();
        proxies.client(peer, forwarded.iter().copied()).to_string()
    }

    #[test]
    fn a_forwarded_address_counts_only_from_a_named_proxy() {
        let header = ["203.0.113.9"];
        assert_eq!(client(&[], "10.0.0.1", &header), "10.0.0.1");
        assert_eq!(client(&["10.0.0.2"], "10.0.0.1", &header), "10.0.0.1");
        assert_eq!(client(&["10.0.0.1"], "10.0.0.1", &header), "203.0.113.9");
        assert_eq!(
            client(&["10.0.0.0/8"], "::ffff:10.0.0.1", &header),
            "203.0.113.9"
        );
    }

    #[test]
    fn what_the_client_wrote_itself_is_not_believed() {
        let trusted = ["10.0.0.0/8"];
        let forged = ["1.2.3.4, 203.0.113.9, 10.0.0.7"];
        assert_eq!(client(&trusted, "10.0.0.1", &forged), "203.0.113.9");
        let two_lines = ["1.2.3.4", "203.0.113.9:51234, 10.0.0.7"];
        assert_eq!(client(&trusted, "10.0.0.1", &two_lines), "203.0.113.9");
        let nonsense = ["203.0.113.9, unknown"];
        assert_eq!(client(&trusted, "10.0.0.1", &nonsense), "10.0.0.1");
        assert_eq!(client(&trusted, "10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn a_subscriber_of_ipv6_is_one_whatever_address_they_take() {
        let one = counted("2001:db8:1:2::1".parse().unwrap());
        assert_eq!(one, counted("2001:db8:1:2:ffff::9".parse().unwrap()));
        assert_ne!(one, counted("2001:db8:1:3::1".parse().unwrap()));
    }
}
