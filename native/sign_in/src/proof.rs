//! What proves that who fetches the tokens is who opened the browser: a verifier and a key
//! (RFC 7636, PKCE; RFC 9449, `DPoP`).

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p256::SecretKey;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::rand_core::{OsRng, RngCore as _};
use p256::elliptic_curve::sec1::ToEncodedPoint as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::error::{Result, SignInError};

/// A text that only this process knows, and whose digest the browser takes along.
#[derive(Debug)]
pub(crate) struct Verifier(String);

impl Verifier {
    pub(crate) fn new() -> Self {
        let mut bytes = [0; 48];
        OsRng.fill_bytes(&mut bytes);
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    pub(crate) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.as_bytes()))
    }
}

/// An identifier that nobody can guess.
pub(crate) fn random_id() -> Uuid {
    let mut bytes = [0; 16];
    OsRng.fill_bytes(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// The key that every token of a session is bound to.
pub(crate) struct ProofKey(SecretKey);

impl ProofKey {
    pub(crate) fn new() -> Self {
        Self(SecretKey::random(&mut OsRng))
    }

    /// As AWS's tools keep it: SEC 1 with the curve's name, which p256 leaves out and everything else
    /// asks for (RFC 5915, section 3).
    pub(crate) fn to_pem(&self) -> String {
        let mut der = vec![0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20];
        der.extend_from_slice(&self.0.to_bytes());
        der.extend_from_slice(&[0xa0, 0x0a, 0x06, 0x08]);
        // prime256v1, 1.2.840.10045.3.1.7.
        der.extend_from_slice(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]);
        der.extend_from_slice(&[0xa1, 0x44, 0x03, 0x42, 0x00]);
        der.extend_from_slice(self.0.public_key().to_encoded_point(false).as_bytes());
        let text = STANDARD.encode(der);
        let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        let lines = lines.join("\n");
        format!("-----BEGIN EC PRIVATE KEY-----\n{lines}\n-----END EC PRIVATE KEY-----\n")
    }

    /// The header `DPoP` of a `POST` to an address.
    ///
    /// # Errors
    /// [`SignInError::Answer`] where the key has no point, which does not happen.
    pub(crate) fn proof(&self, address: &str, now: SystemTime) -> Result<String> {
        let point = self.0.public_key().to_encoded_point(false);
        let (Some(x), Some(y)) = (point.x(), point.y()) else {
            return Err(unusable(&"the key has no point"));
        };
        let header = json!({
            "typ": "dpop+jwt",
            "alg": "ES256",
            "jwk": {
                "kty": "EC",
                "x": URL_SAFE_NO_PAD.encode(x),
                "y": URL_SAFE_NO_PAD.encode(y),
                "crv": "P-256",
            },
        });
        let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let payload = json!({"jti": random_id(), "htm": "POST", "htu": address, "iat": seconds});
        let parts = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let message = parts.join(".");
        let signature: Signature = SigningKey::from(&self.0).sign(message.as_bytes());
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes())))
    }
}

fn unusable(reason: &impl ToString) -> SignInError {
    SignInError::Answer { reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::VerifyingKey;
    use p256::ecdsa::signature::Verifier as _;

    use super::*;

    #[test]
    fn a_challenge_is_the_digest_of_its_verifier() {
        // The example of RFC 7636, appendix B.
        let verifier = Verifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned());
        assert_eq!(verifier.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert_eq!(Verifier::new().text().len(), 64);
        assert_ne!(Verifier::new().text(), Verifier::new().text());
    }

    #[test]
    fn a_proof_is_signed_by_the_key_and_names_the_address() {
        let key = ProofKey::new();
        let proof = key.proof("https://a.example/v1/token", SystemTime::now()).unwrap();
        let (message, signature) = proof.rsplit_once('.').unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let signature = Signature::from_slice(&bytes).unwrap();
        VerifyingKey::from(key.0.public_key()).verify(message.as_bytes(), &signature).unwrap();
        let payload = URL_SAFE_NO_PAD.decode(message.split_once('.').unwrap().1).unwrap();
        let payload: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(payload["htu"], "https://a.example/v1/token");
        assert_eq!(payload["htm"], "POST");
    }

    #[test]
    fn a_key_is_kept_as_the_tools_of_aws_read_it() {
        let key = ProofKey::new();
        let pem = key.to_pem();
        // So begin the keys in AWS's own examples.
        assert!(pem.starts_with("-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE"), "{pem}");
        assert!(pem.lines().all(|line| line.len() <= 64));
        assert_eq!(SecretKey::from_sec1_pem(&pem).unwrap(), key.0);
    }
}
