//! The profiles of this machine, and whether each can be used as it is.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aws_config::profile::{self, Profile, ProfileSet};
use aws_runtime::env_config::file::EnvConfigFiles as ProfileFiles;
use aws_runtime::fs_util::{Os, home_dir};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_types::os_shim_internal::{Env, Fs};
use serde::Deserialize;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// How long a session of `aws login` is renewed without its browser
/// (<https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sign-in.html>).
const LOGIN_LENGTH: Duration = Duration::from_secs(12 * 3600);

/// A profile in `~/.aws`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownProfile {
    /// Its name.
    pub name: String,
    /// The region that it names.
    pub region: Option<String>,
    /// Whether it can be used.
    pub state: ProfileState,
}

/// Whether a profile can be used as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileState {
    /// Somebody has signed in with a browser, and it holds.
    SignedIn,
    /// Somebody has signed in with a browser; whether it can still be renewed, AWS alone knows.
    MayHaveEnded,
    /// Nobody has signed in, or too long ago.
    SignedOut,
    /// A key in the file, or what gets one without asking: a program, a role.
    Ready,
    /// It asks for a one-time code of a device, which cannot be typed here.
    NeedsCode,
    /// Nothing in it says how credentials are had.
    Empty,
}

/// All profiles, by name; none where there are no files of profiles, or they cannot be read.
pub async fn profiles() -> Vec<KnownProfile> {
    let files = ProfileFiles::default();
    let Ok(set) = profile::load(&Fs::real(), &Env::real(), &files, None).await else {
        return Vec::new();
    };
    let cache = |cache: TokenCache, file: &str| std::fs::read(cache.folder()?.join(file)).ok();
    let mut found = known(&set, &cache, SystemTime::now());
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

/// A cache of tokens that all tools of AWS share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenCache {
    /// That of `aws login`.
    Login,
    /// That of `aws sso login`.
    Company,
}

impl TokenCache {
    /// Its folder, where the SDK looks for it; none on a computer that has no home.
    #[must_use]
    pub fn folder(self) -> Option<PathBuf> {
        let own = || std::env::var_os("AWS_LOGIN_CACHE_DIRECTORY").filter(|path| !path.is_empty());
        match self {
            Self::Login => {
                own().map(PathBuf::from).or_else(|| Some(aws_folder()?.join("login").join("cache")))
            }
            Self::Company => Some(aws_folder()?.join("sso").join("cache")),
        }
    }
}

/// `~/.aws`, by the SDK's own rule of where the home is.
#[must_use]
pub fn aws_folder() -> Option<PathBuf> {
    Some(PathBuf::from(home_dir(&Env::real(), Os::real())?).join(".aws"))
}

/// Reads a file of a cache.
type ReadCache<'a> = dyn Fn(TokenCache, &str) -> Option<Vec<u8>> + 'a;

fn known(set: &ProfileSet, cache: &ReadCache<'_>, now: SystemTime) -> Vec<KnownProfile> {
    let profiles = set.profiles().filter_map(|name| set.get_profile(name));
    profiles
        .map(|profile| KnownProfile {
            name: profile.name().to_owned(),
            region: profile.get("region").map(str::to_owned),
            state: state(set, profile, cache, now),
        })
        .collect()
}

fn state(
    set: &ProfileSet,
    profile: &Profile,
    cache: &ReadCache<'_>,
    now: SystemTime,
) -> ProfileState {
    // In the SDK's order.
    if let Some(session) = profile.get("sso_session").or_else(|| profile.get("sso_start_url")) {
        let name = format!("{}.json", hex::encode(Sha1::digest(session)));
        let token = cache(TokenCache::Company, &name);
        return token.map_or(ProfileState::SignedOut, |text| sso_state(&text, now));
    }
    if let Some(session) = profile.get("login_session") {
        let name = format!("{}.json", hex::encode(Sha256::digest(session.trim())));
        let token = cache(TokenCache::Login, &name);
        return token.map_or(ProfileState::SignedOut, |text| login_state(&text, now));
    }
    if profile.get("role_arn").is_some() {
        if profile.get("mfa_serial").is_some() {
            return ProfileState::NeedsCode;
        }
        let source = profile.get("source_profile").filter(|name| *name != profile.name());
        return match source.and_then(|name| set.get_profile(name)) {
            // One step: who chains roles knows what they do.
            Some(source) if source.get("role_arn").is_none() => state(set, source, cache, now),
            _ => ProfileState::Ready,
        };
    }
    // The last one is ours: the keychain has the key.
    let ready = ["credential_process", "aws_access_key_id", "render_on_lambda_access_key"];
    if ready.into_iter().any(|setting| profile.get(setting).is_some()) {
        return ProfileState::Ready;
    }
    ProfileState::Empty
}

/// What `aws login` keeps.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoginToken {
    access_token: LoginAccess,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoginAccess {
    expires_at: String,
}

/// What `aws sso login` keeps.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SsoToken {
    expires_at: String,
    refresh_token: Option<String>,
    registration_expires_at: Option<String>,
}

/// Keys of fifteen minutes are renewed for as long as the session lasts, whose begin nobody wrote down.
fn login_state(text: &[u8], now: SystemTime) -> ProfileState {
    let token: Option<LoginToken> = serde_json::from_slice(text).ok();
    let expires = token.and_then(|token| moment(&token.access_token.expires_at));
    of_times(expires, expires.map(|expires| expires + LOGIN_LENGTH), now)
}

/// A token is renewed while the company lets the session last, and the registration at the longest.
fn sso_state(text: &[u8], now: SystemTime) -> ProfileState {
    let Some(token) = serde_json::from_slice::<SsoToken>(text).ok() else {
        return ProfileState::SignedOut;
    };
    let is_renewed = token.refresh_token.is_some();
    let renewed = token.registration_expires_at.filter(|_| is_renewed);
    of_times(moment(&token.expires_at), renewed.and_then(|text| moment(&text)), now)
}

fn of_times(
    expires: Option<SystemTime>,
    renewed_until: Option<SystemTime>,
    now: SystemTime,
) -> ProfileState {
    if expires.is_some_and(|expires| now < expires) {
        ProfileState::SignedIn
    } else if renewed_until.is_some_and(|until| now < until) {
        ProfileState::MayHaveEnded
    } else {
        ProfileState::SignedOut
    }
}

fn moment(text: &str) -> Option<SystemTime> {
    let time = DateTime::from_str(text, Format::DateTime).ok()?;
    SystemTime::try_from(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "[default]\naws_access_key_id = AKIA\naws_secret_access_key = s\n\
        [profile login]\nlogin_session = arn:aws:iam::1:user/anna\nregion = eu-west-1\n\
        [profile company]\nsso_session = studio\nsso_account_id = 1\nsso_role_name = Artist\n\
        [sso-session studio]\nsso_start_url = https://studio.awsapps.com/start\n\
        [profile through]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = login\n\
        [profile coded]\nrole_arn = arn:aws:iam::1:role/r\nmfa_serial = m\nsource_profile = login\n\
        [profile tool]\ncredential_process = /bin/keys\n\
        [profile kept]\nrender_on_lambda_access_key = keychain\n[profile nothing]\nregion = us-east-1\n";

    /// The states by name, where both caches say the same, or are not there.
    async fn states(token: Option<&str>) -> String {
        let fs = Fs::from_map([("config".to_owned(), CONFIG.as_bytes().to_vec())].into());
        let env = Env::from_slice(&[("AWS_CONFIG_FILE", "config")]);
        let set = profile::load(&fs, &env, &ProfileFiles::default(), None).await.unwrap();
        let cache = |_: TokenCache, _: &str| token.map(|token| token.as_bytes().to_vec());
        let now = moment("2026-11-30T12:00:00Z").unwrap();
        let mut found = known(&set, &cache, now);
        found.sort_by(|one, other| one.name.cmp(&other.name));
        let words = found.iter().map(|one| format!("{} {:?}", one.name, one.state));
        words.collect::<Vec<_>>().join(", ")
    }

    #[tokio::test]
    async fn a_profile_can_be_used_or_somebody_has_to_sign_in() {
        let out = "coded NeedsCode, company SignedOut, default Ready, kept Ready, login SignedOut, \
                   nothing Empty, through SignedOut, tool Ready";
        assert_eq!(states(None).await, out);
        let token = |moment: &str| {
            format!(r#"{{"accessToken": {{"expiresAt": "{moment}"}}, "expiresAt": "{moment}"}}"#)
        };
        assert_eq!(states(Some(&token("2026-11-29T12:00:00Z"))).await, out);
        assert_eq!(states(Some("no token")).await, out);
        let signed_in = states(Some(&token("2026-11-30T12:10:00Z"))).await;
        assert_eq!(
            signed_in,
            "coded NeedsCode, company SignedIn, default Ready, kept Ready, login SignedIn, nothing Empty, \
             through SignedIn, tool Ready"
        );
    }

    #[test]
    fn a_renewed_session_holds_longer_than_its_token() {
        let now = moment("2026-11-30T12:00:00Z").unwrap();
        let later = moment("2027-02-02T00:00:00Z").unwrap();
        let old = r#"{"expiresAt": "2026-11-30T11:00:00Z"}"#;
        let renewed = r#"{"expiresAt": "2026-11-30T11:00:00Z", "refreshToken": "r",
            "registrationExpiresAt": "2027-02-01T00:00:00Z"}"#;
        assert_eq!(sso_state(old.as_bytes(), now), ProfileState::SignedOut);
        assert_eq!(sso_state(renewed.as_bytes(), now), ProfileState::MayHaveEnded);
        assert_eq!(sso_state(renewed.as_bytes(), later), ProfileState::SignedOut);
        let login = r#"{"accessToken": {"expiresAt": "2026-11-30T11:00:00Z"}}"#;
        assert_eq!(login_state(login.as_bytes(), now), ProfileState::MayHaveEnded);
        assert_eq!(login_state(login.as_bytes(), later), ProfileState::SignedOut);
    }
}
