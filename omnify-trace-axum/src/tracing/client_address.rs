//! Who is at the other end: the peer, or whom trusted proxies name.

use std::net::{IpAddr, SocketAddr};

use http::{Extensions, HeaderMap, header};
use ipnet::IpNet;

/// The networks whose word about the client is taken.
///
/// Without any, the address of the connection is the client's, and forwarding headers are
/// ignored: anybody can write them.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
}

impl TrustedProxies {
    /// Trusts nobody.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            networks: Vec::new(),
        }
    }

    /// Trusts these networks.
    #[must_use]
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self {
            networks: networks.into_iter().collect(),
        }
    }

    /// Trusts loopback and the private networks: a proxy on the same machine or in the same cluster.
    #[must_use]
    pub fn private() -> Self {
        let networks = [
            "127.0.0.0/8",
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "::1/128",
            "fc00::/7",
        ];
        Self::new(networks.iter().filter_map(|network| network.parse().ok()))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks
            .iter()
            .any(|network| network.contains(&address))
    }

    /// The client's address: counted from the right, the first that is not a trusted proxy.
    #[must_use]
    pub fn client(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let peer = peer?;
        if self.networks.is_empty() || !self.trusts(peer) {
            return Some(peer);
        }
        let mut client = peer;
        let hops: Vec<Option<IpAddr>> = if headers.contains_key(header::FORWARDED) {
            forwarded(headers).collect()
        } else {
            forwarded_for(headers).collect()
        };
        for hop in hops.into_iter().rev() {
            // What a trusted proxy could not name ends the chain: left of it is hearsay.
            let Some(address) = hop else { break };
            client = address;
            if !self.trusts(address) {
                break;
            }
        }
        Some(client)
    }
}

/// The address of the connection, as axum's `ConnectInfo` has it.
pub(crate) fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions
        .get::<axum::extract::ConnectInfo<SocketAddr>>()
        .map(|info| info.0.ip().to_canonical())
}

fn forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    headers
        .get_all("x-forwarded-for")
        .iter()
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b','))
        .map(|hop| address(std::str::from_utf8(hop).unwrap_or_default()))
}

/// RFC 7239: `for=192.0.2.1;proto=http, for="[2001:db8::1]:4711"`.
fn forwarded(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    headers
        .get_all(header::FORWARDED)
        .iter()
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b','))
        .map(|hop| {
            std::str::from_utf8(hop)
                .unwrap_or_default()
                .split(';')
                .find_map(|pair| {
                    let (name, value) = pair.trim().split_once('=')?;
                    if name.eq_ignore_ascii_case("for") {
                        address(value.trim_matches('"'))
                    } else {
                        None
                    }
                })
        })
}

/// An address with or without port and brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let parsed = text
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()))
        .or_else(|_| text.trim_matches(['[', ']']).parse::<IpAddr>());
    parsed.ok().map(|address| address.to_canonical())
}

/// An address as text without an allocation.
#[derive(Clone, Copy)]
pub(crate) struct AddressText {
    bytes: [u8; 46],
    length: u8,
}

impl AddressText {
    pub(crate) fn new(address: IpAddr) -> Self {
        use std::io::Write;
        let mut text = Self {
            bytes: [0; 46],
            length: 0,
        };
        if let IpAddr::V4(address) = address {
            text.v4(address.octets());
        } else {
            let mut rest = &mut text.bytes[..];
            let room = rest.len();
            // 46 bytes hold every address.
            let _ = write!(rest, "{address}");
            text.length = (room - rest.len()) as u8;
        }
        text
    }

    fn v4(&mut self, octets: [u8; 4]) {
        let mut at = 0;
        for (index, octet) in octets.into_iter().enumerate() {
            if index > 0 {
                self.bytes[at] = b'.';
                at += 1;
            }
            for (unit, least) in [(100, 100), (10, 10), (1, 0)] {
                if octet >= least {
                    self.bytes[at] = b'0' + octet / unit % 10;
                    at += 1;
                }
            }
        }
        self.length = at as u8;
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(*name, http::HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn only_trusted_proxies_name_the_client() {
        let private = TrustedProxies::private();
        let cases: &[(&str, &TrustedProxies, &str, HeaderMap, &str)] = &[
            (
                "no proxy trusted",
                &TrustedProxies::none(),
                "10.0.0.1",
                headers(&[("x-forwarded-for", "9.9.9.9")]),
                "10.0.0.1",
            ),
            (
                "peer is not a proxy",
                &private,
                "8.8.8.8",
                headers(&[("x-forwarded-for", "9.9.9.9")]),
                "8.8.8.8",
            ),
            (
                "one proxy",
                &private,
                "10.0.0.1",
                headers(&[("x-forwarded-for", "9.9.9.9")]),
                "9.9.9.9",
            ),
            (
                "counted from the right",
                &private,
                "10.0.0.1",
                headers(&[("x-forwarded-for", "1.2.3.4, 9.9.9.9, 10.0.0.2")]),
                "9.9.9.9",
            ),
            (
                "several headers are one list",
                &private,
                "10.0.0.1",
                headers(&[
                    ("x-forwarded-for", "1.2.3.4"),
                    ("x-forwarded-for", "9.9.9.9"),
                ]),
                "9.9.9.9",
            ),
            (
                "junk ends the chain",
                &private,
                "10.0.0.1",
                headers(&[("x-forwarded-for", "1.2.3.4, junk")]),
                "10.0.0.1",
            ),
            (
                "with port",
                &private,
                "::1",
                headers(&[("x-forwarded-for", "9.9.9.9:1234")]),
                "9.9.9.9",
            ),
            (
                "all private",
                &private,
                "10.0.0.1",
                headers(&[("x-forwarded-for", "10.1.1.1, 10.2.2.2")]),
                "10.1.1.1",
            ),
            (
                "Forwarded wins",
                &private,
                "10.0.0.1",
                headers(&[
                    (
                        "forwarded",
                        "for=1.1.1.1, For=\"[2001:db8::1]:4711\";proto=https",
                    ),
                    ("x-forwarded-for", "9.9.9.9"),
                ]),
                "2001:db8::1",
            ),
            (
                "obfuscated",
                &private,
                "10.0.0.1",
                headers(&[("forwarded", "for=_hidden")]),
                "10.0.0.1",
            ),
            (
                "mapped peer",
                &private,
                "::ffff:10.0.0.1",
                headers(&[("x-forwarded-for", "9.9.9.9")]),
                "9.9.9.9",
            ),
        ];
        for (rule, proxies, peer, headers, expected) in cases {
            let client = proxies.client(peer.parse().ok(), headers);
            assert_eq!(client, expected.parse().ok(), "{rule}");
        }
    }

    #[test]
    fn addresses_as_text() {
        for text in [
            "0.0.0.0",
            "127.0.0.1",
            "255.255.255.255",
            "10.20.30.4",
            "192.168.100.109",
            "2001:db8::1",
        ] {
            assert_eq!(AddressText::new(text.parse().unwrap()).as_str(), text);
        }
    }
}
