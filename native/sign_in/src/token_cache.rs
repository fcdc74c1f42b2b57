//! The tokens that all tools of AWS share: `~/.aws/login/cache` and `~/.aws/sso/cache`.

use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use farm::TokenCache;
use serde::Serialize;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::error::{Result, SignInError};
use crate::profile_file::write_private;

/// What `aws login` keeps (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-login-credentials.html>).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoginToken<'a> {
    pub(crate) access_token: LoginKeys<'a>,
    pub(crate) token_type: &'a str,
    pub(crate) refresh_token: &'a str,
    pub(crate) id_token: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) dpop_key: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoginKeys<'a> {
    pub(crate) access_key_id: &'a str,
    pub(crate) secret_access_key: &'a str,
    pub(crate) session_token: &'a str,
    pub(crate) account_id: &'a str,
    pub(crate) expires_at: String,
}

/// What `aws sso login` keeps (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html>).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CompanyToken<'a> {
    pub(crate) start_url: &'a str,
    pub(crate) region: &'a str,
    pub(crate) access_token: &'a str,
    pub(crate) expires_at: String,
    pub(crate) client_id: &'a str,
    pub(crate) client_secret: &'a str,
    pub(crate) registration_expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<&'a str>,
}

/// Keeps the tokens of a session of `aws login`.
///
/// # Errors
/// [`SignInError::File`], [`SignInError::NoHome`].
pub(crate) fn keep_login(session: &str, token: &LoginToken<'_>) -> Result<()> {
    keep(TokenCache::Login, &hex::encode(Sha256::digest(session.trim())), token)
}

/// Keeps the tokens of a session of `aws sso login`.
///
/// # Errors
/// [`SignInError::File`], [`SignInError::NoHome`].
pub(crate) fn keep_company(session: &str, token: &CompanyToken<'_>) -> Result<()> {
    keep(TokenCache::Company, &hex::encode(Sha1::digest(session)), token)
}

fn keep(cache: TokenCache, name: &str, token: &impl Serialize) -> Result<()> {
    let path = cache.folder().ok_or(SignInError::NoHome)?.join(format!("{name}.json"));
    match serde_json::to_vec(token) {
        Ok(bytes) => write_private(&path, &bytes),
        Err(error) => Err(SignInError::Answer { reason: error.to_string() }),
    }
}

/// A moment so many seconds from now, as the caches write it.
///
/// # Errors
/// [`SignInError::Answer`] of a moment that no calendar has.
pub(crate) fn in_seconds(seconds: i32) -> Result<String> {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    written(DateTime::from(SystemTime::now() + Duration::from_secs(seconds)).secs())
}

/// A moment in seconds since 1970, as the caches write it.
///
/// # Errors
/// [`SignInError::Answer`] of a moment that no calendar has.
pub(crate) fn written(seconds: i64) -> Result<String> {
    let text = DateTime::from_secs(seconds).fmt(Format::DateTime);
    text.map_err(|error| SignInError::Answer { reason: error.to_string() })
}
