//! What the files in `~/.aws` say of the profile that is used.

use std::path::PathBuf;

use aws_config::profile::{self, ProfileFileLoadError, ProfileSet};
use aws_runtime::env_config::file::EnvConfigFiles as ProfileFiles;
use aws_types::os_shim_internal::{Env, Fs};

use crate::error::{FarmError, Result};

/// How many profiles may stand one behind the other.
const MOST_SOURCES: usize = 16;

/// The part of a profile that the SDK leaves to whoever uses it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ProfileSettings {
    /// A file of certificates.
    pub(super) ca_bundle: Option<PathBuf>,
    /// A session of `aws login`, where its keys are used.
    pub(super) login: Option<Login>,
}

/// A profile of `aws login`: its session is renewed in the region in which it began
/// (aws/aws-cli#10613), whichever the farm is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) profile: String,
    pub(super) region: String,
}

/// Reads the profile of that name, else the environment's.
///
/// # Errors
/// [`FarmError::Credentials`] where a profile is asked for that is not there, or whose files cannot
/// be read; [`FarmError::NeedsCode`] where one asks for a code that cannot be typed here.
pub(super) async fn read(name: Option<&str>) -> Result<ProfileSettings> {
    let files = ProfileFiles::default();
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let has_keys = is_set("AWS_ACCESS_KEY_ID");
    // Keys in the environment come before a profile that is named there, and only before that one.
    let is_asked_for = name.is_some() || (is_set("AWS_PROFILE") && !has_keys);
    match profile::load(&Fs::real(), &Env::real(), &files, name.map(|name| name.to_owned().into()))
        .await
    {
        Ok(profiles) => settings(&profiles, is_asked_for, has_keys),
        Err(error) if name.is_some() => Err(unreadable(name, &error)),
        Err(_) => Ok(ProfileSettings::default()),
    }
}

fn unreadable(profile: Option<&str>, error: &ProfileFileLoadError) -> FarmError {
    let profile = profile.map(str::to_owned);
    FarmError::Credentials { profile, reason: protocol::sentence(error) }
}

fn settings(profiles: &ProfileSet, is_asked_for: bool, has_keys: bool) -> Result<ProfileSettings> {
    let selected = profiles.selected_profile();
    let Some(profile) = profiles.get_profile(selected) else {
        if !is_asked_for {
            return Ok(ProfileSettings::default());
        }
        let mut others: Vec<&str> = profiles.profiles().collect();
        others.sort_unstable();
        return Err(FarmError::NoProfile {
            profile: selected.to_owned(),
            others: others.join(", "),
        });
    };
    // Keys in the environment come before every profile but one that was asked for.
    let is_used = is_asked_for || !has_keys;
    let mut next = is_used.then(|| selected.to_owned());
    for _ in 0..MOST_SOURCES {
        let Some(found) = next.take().and_then(|name| profiles.get_profile(&name)) else { break };
        if let (Some(device), Some(_)) = (found.get("mfa_serial"), found.get("role_arn")) {
            let (profile, device) = (found.name().to_owned(), device.to_owned());
            return Err(FarmError::NeedsCode { profile, device });
        }
        next = found.get("source_profile").map(str::to_owned);
    }
    let login = profile.get("login_session").and(profile.get("region")).filter(|_| is_used);
    let login =
        login.map(|region| Login { profile: selected.to_owned(), region: region.to_owned() });
    Ok(ProfileSettings { ca_bundle: profile.get("ca_bundle").map(from_home), login })
}

/// A path in which `~` is the home, as in the other files of `~/.aws`.
fn from_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), dirs::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "[profile artist]\nregion = eu-west-1\nca_bundle = /etc/company.pem\n\
        [profile coded]\nrole_arn = arn:aws:iam::1:role/r\nmfa_serial = arn:aws:iam::1:mfa/me\n\
        source_profile = artist\n\
        [profile chained]\nrole_arn = arn:aws:iam::1:role/s\nsource_profile = coded\n\
        [profile login]\nlogin_session = arn:aws:iam::1:user/me\nregion = us-east-1\n\
        [profile round]\nrole_arn = arn:aws:iam::1:role/s\nsource_profile = round\n";

    async fn read_in_memory(name: Option<&str>, has_keys: bool) -> Result<ProfileSettings> {
        let fs = Fs::from_map([("config".to_owned(), CONFIG.as_bytes().to_vec())].into());
        let env = Env::from_slice(&[("AWS_CONFIG_FILE", "config"), ("AWS_PROFILE", "coded")]);
        let asked = name.map(|name| name.to_owned().into());
        let files = ProfileFiles::default();
        let profiles = profile::load(&fs, &env, &files, asked).await.unwrap();
        settings(&profiles, name.is_some(), has_keys)
    }

    #[tokio::test]
    async fn a_profile_that_asks_for_a_code_is_refused_also_behind_another_one() {
        for (name, has_keys) in [(Some("coded"), true), (Some("chained"), true), (None, false)] {
            let error = read_in_memory(name, has_keys).await.unwrap_err().to_string();
            assert!(error.contains("one-time code"), "{error}");
        }
        assert!(read_in_memory(None, true).await.is_ok(), "keys in the environment come first");
        assert!(read_in_memory(Some("round"), false).await.is_ok());
    }

    #[tokio::test]
    async fn a_session_of_a_browser_is_renewed_where_it_began() {
        let found = read_in_memory(Some("login"), true).await.unwrap().login.unwrap();
        assert_eq!((found.profile.as_str(), found.region.as_str()), ("login", "us-east-1"));
        assert_eq!(read_in_memory(Some("artist"), true).await.unwrap().login, None);
    }

    #[test]
    fn a_certificate_may_be_named_from_the_home() {
        assert_eq!(from_home("~/ca.pem"), dirs::home_dir().unwrap().join("ca.pem"));
        assert_eq!(from_home("/etc/~/ca.pem"), PathBuf::from("/etc/~/ca.pem"));
    }

    #[tokio::test]
    async fn a_profile_that_is_not_there_is_named_with_those_that_are() {
        let artist = read_in_memory(Some("artist"), true).await.unwrap();
        assert_eq!(artist.ca_bundle, Some("/etc/company.pem".into()));
        let error = read_in_memory(Some("artits"), true).await.unwrap_err().to_string();
        insta::assert_snapshot!(error, @r#"there is no profile "artits" in ~/.aws; there are: artist, chained, coded, login, round"#);
    }
}
