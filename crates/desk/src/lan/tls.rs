//! TLS between the desks of a branch. Each shows a certificate over its own
//! device key; no authority is asked, as the keys themselves are pinned at the
//! pairing. OpenSSL is here already, for the database's encryption.

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Private};
use openssl::ssl::{
    Ssl, SslAcceptor, SslConnector, SslContextBuilder, SslMethod, SslRef, SslSessionCacheMode,
    SslVerifyMode, SslVersion,
};
use openssl::x509::{X509, X509NameBuilder};
use suda_sync::{PublicKey, SecretKey};

/// The name on every certificate: it says nothing, the key does.
const NAME: &str = "suda";

/// For taking connections.
pub(crate) fn acceptor(secret: &SecretKey) -> Result<SslAcceptor, ErrorStack> {
    let mut builder = SslAcceptor::mozilla_modern_v5(SslMethod::tls_server())?;
    show_own_key(&mut builder, secret)?;
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    builder.set_num_tickets(0)?;
    Ok(builder.build())
}

/// For making a connection.
pub(crate) fn connection(secret: &SecretKey) -> Result<Ssl, ErrorStack> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    show_own_key(&mut builder, secret)?;
    let mut configuration = builder.build().configure()?;
    configuration.set_use_server_name_indication(false);
    configuration.set_verify_hostname(false);
    // The callback is the connector's; configuring keeps it.
    configuration.into_ssl(NAME)
}

/// The key the other side has proven to own. TLS 1.3 has had it sign the
/// handshake (RFC 8446, section 4.4.3).
pub(crate) fn their_key(ssl: &SslRef) -> Option<PublicKey> {
    let key = ssl.peer_certificate()?.public_key().ok()?;
    if key.id() != Id::ED25519 {
        return None;
    }
    let raw: [u8; 32] = key.raw_public_key().ok()?.try_into().ok()?;
    PublicKey::from_bytes(raw).ok()
}

fn show_own_key(builder: &mut SslContextBuilder, secret: &SecretKey) -> Result<(), ErrorStack> {
    let key = PKey::private_key_from_raw_bytes(&secret.seed(), Id::ED25519)?;
    builder.set_min_proto_version(Some(SslVersion::TLS1_3))?;
    builder.set_private_key(&key)?;
    let certificate = certificate(&key)?;
    builder.set_certificate(&certificate)?;
    // Any certificate passes here, as no authority stands behind it: who it is
    // is asked of `their_key`, before anything is said.
    let mode = SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT;
    builder.set_verify_callback(mode, |_, _| true);
    Ok(())
}

fn certificate(key: &PKey<Private>) -> Result<X509, ErrorStack> {
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("CN", NAME)?;
    let name = name.build();
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    let serial = Asn1Integer::from_bn(&*BigNum::from_u32(1)?)?;
    builder.set_serial_number(&serial)?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    // Clocks at branches are wrong: the pin has no end, and neither has this
    // (RFC 5280, section 4.1.2.5).
    let from = Asn1Time::from_str("20200101000000Z")?;
    let until = Asn1Time::from_str("99991231235959Z")?;
    builder.set_not_before(&from)?;
    builder.set_not_after(&until)?;
    builder.set_pubkey(key)?;
    builder.sign(key, MessageDigest::null())?;
    Ok(builder.build())
}
