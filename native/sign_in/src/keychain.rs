//! An access key that the operating system's keychain keeps: the Keychain of macOS, the Credential
//! Manager of Windows, the Secret Service of Linux (GNOME, KDE). The file of profiles only says so.

use std::collections::HashMap;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use keyring_core::api::CredentialStoreApi as _;
use keyring_core::{Entry, Error};
use serde::{Deserialize, Serialize};

use crate::error::{Result, SignInError};
use crate::known_profile::{KEYCHAIN_SETTING, Kind, check, profiles};
use crate::profile_file::{check_file, profile_section, remove_setting, write_settings};
use crate::{SignIn, environment_has_key};

const KEYCHAIN: &str = "keychain";

/// Under which name the keychain shows it.
const SERVICE: &str = "Render on Lambda";

/// A long-term access key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKey {
    /// Its public half, which begins with AKIA.
    pub id: String,
    /// Its secret half.
    pub secret: String,
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("AccessKey")
    }
}

impl AccessKey {
    /// A key as somebody typed it.
    ///
    /// # Errors
    /// [`SignInError::Typed`] and [`SignInError::Secret`] where it cannot be one.
    pub fn typed(id: &str, secret: &str) -> Result<Self> {
        let (id, secret) = (id.trim(), secret.trim());
        let is_key = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit();
        let wrong = |expected| {
            // Somebody who exchanged the two has typed the secret here.
            let value = if id.len() == 20 { id.to_owned() } else { "…".to_owned() };
            Err(SignInError::Typed { what: "an access key's ID", value, expected })
        };
        if id.len() < 16 || id.len() > 128 || !id.chars().all(is_key) {
            return wrong("some twenty capital letters and digits, as in AKIAIOSFODNN7EXAMPLE");
        }
        if id.starts_with("ASIA") {
            return wrong("one that begins with AKIA: this one is of a session, and soon expires");
        }
        let is_secret = |letter: char| letter.is_ascii_alphanumeric() || "+/=".contains(letter);
        if secret.len() < 16 || secret.len() > 128 || !secret.chars().all(is_secret) {
            return Err(SignInError::Secret { expected: "some forty letters, digits, + and /" });
        }
        Ok(Self { id: id.to_owned(), secret: secret.to_owned() })
    }
}

/// Puts a key into the keychain, and notes in the profile that it is there.
///
/// # Errors
/// [`SignInError::NoKeychain`] where there is none; [`SignInError::InUse`] where the profile has other
/// credentials; [`SignInError::File`] of `~/.aws`.
pub async fn keep_access_key(sign_in: &SignIn, key: AccessKey) -> Result<()> {
    let name = sign_in.profile_name();
    let section = profile_section(&name)?;
    sign_in.check_environment()?;
    check_file()?;
    let known = profiles().await?;
    check(&known, &name, Kind::Keychain)?;
    in_keychain(name.clone(), move |entry| {
        let text = serde_json::to_string(&key);
        entry.set_password(&text.map_err(|error| Error::Invalid("key".into(), error.to_string()))?)
    })
    .await?;
    let has_region = known.get_profile(&name).is_some_and(|found| found.get("region").is_some());
    let mut settings = vec![(KEYCHAIN_SETTING, KEYCHAIN)];
    settings.extend(sign_in.region.as_deref().filter(|_| !has_region).map(|one| ("region", one)));
    let written = write_settings(&section, &settings);
    if written.is_err() {
        // No profile would ever find it there.
        let _ = delete(name).await;
    }
    written
}

/// Takes a profile's key out of the keychain, and the note of it out of the profile; nothing where
/// there is none.
///
/// # Errors
/// [`SignInError::NoKeychain`], [`SignInError::File`] of `~/.aws`.
pub async fn forget_access_key(sign_in: &SignIn) -> Result<()> {
    let name = sign_in.profile_name();
    let section = profile_section(&name)?;
    delete(name).await?;
    remove_setting(&section, KEYCHAIN_SETTING)
}

async fn delete(profile: String) -> Result<()> {
    in_keychain(profile, |entry| match entry.delete_credential() {
        Err(Error::NoEntry) => Ok(()),
        deleted => deleted,
    })
    .await
}

/// What gives the key of a profile of which the keychain has one; none of other profiles, nor where
/// no profile is named and the environment has a key, which comes first.
pub async fn keychain_credentials(profile: Option<&str>) -> Option<SharedCredentialsProvider> {
    if profile.is_none() && environment_has_key() {
        return None;
    }
    let known = profiles().await.ok()?;
    let name = profile.unwrap_or(known.selected_profile());
    let is_there = known.get_profile(name)?.get(KEYCHAIN_SETTING) == Some(KEYCHAIN);
    is_there
        .then(|| SharedCredentialsProvider::new(KeychainCredentials { profile: name.to_owned() }))
}

/// Gives the key that the keychain has for a profile.
#[derive(Debug)]
struct KeychainCredentials {
    profile: String,
}

impl KeychainCredentials {
    async fn key(&self) -> Result<AccessKey> {
        let profile = self.profile.clone();
        let text = in_keychain(profile.clone(), |entry| match entry.get_password() {
            Err(Error::NoEntry) => Ok(None),
            found => found.map(Some),
        })
        .await?;
        let key = text.and_then(|text| serde_json::from_str(&text).ok());
        key.ok_or(SignInError::NoKey { profile })
    }
}

impl ProvideCredentials for KeychainCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let key = self.key().await.map_err(CredentialsError::provider_error)?;
            let found = Credentials::new(key.id, key.secret, None, None, "Keychain");
            provider::Result::Ok(found)
        })
    }
}

/// Does something with a profile's entry; keychains wait for people and for other programs.
async fn in_keychain<T: Send + 'static>(
    profile: String,
    work: impl FnOnce(&Entry) -> keyring_core::Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(move || {
        let none = HashMap::new();
        let entry = open_store()?.build(SERVICE, &profile, Some(&none))?;
        work(&entry)
    });
    match done.await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(SignInError::NoKeychain { reason: reason(&error) }),
        Err(error) => Err(SignInError::NoKeychain { reason: error.to_string() }),
    }
}

#[cfg(target_os = "linux")]
fn open_store() -> keyring_core::Result<std::sync::Arc<zbus_secret_service_keyring_store::Store>> {
    zbus_secret_service_keyring_store::Store::new()
}

#[cfg(target_os = "macos")]
fn open_store() -> keyring_core::Result<std::sync::Arc<apple_native_keyring_store::keychain::Store>>
{
    apple_native_keyring_store::keychain::Store::new()
}

#[cfg(target_os = "windows")]
fn open_store() -> keyring_core::Result<std::sync::Arc<windows_native_keyring_store::Store>> {
    windows_native_keyring_store::Store::new()
}

/// The keychain's words, in which no secret can be.
fn reason(error: &Error) -> String {
    match error {
        // These two have the bytes that were found in them.
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "what it has is damaged".to_owned(),
        other => protocol::sentence(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_has_to_look_like_a_key_and_is_not_repeated() {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let key = AccessKey::typed(" AKIAIOSFODNN7EXAMPLE\n", secret).unwrap();
        assert_eq!(key.id, "AKIAIOSFODNN7EXAMPLE");
        assert!(!format!("{key:?}").contains("wJalr"));
        let exchanged = AccessKey::typed(secret, "AKIAIOSFODNN7EXAMPLE").unwrap_err().to_string();
        assert!(!exchanged.contains("wJalr"), "{exchanged}");
        let session = AccessKey::typed("ASIAIOSFODNN7EXAMPLE", secret).unwrap_err().to_string();
        assert!(session.contains("AKIA"), "{session}");
        let short = AccessKey::typed("AKIAIOSFODNN7EXAMPLE", "hunter2").unwrap_err().to_string();
        assert!(!short.contains("hunter2"), "{short}");
    }
}
