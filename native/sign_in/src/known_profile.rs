//! What the files in `~/.aws` say of the profile that somebody signs in to.

use aws_config::profile::{self, ProfileSet};
use aws_runtime::env_config::file::EnvConfigFiles as ProfileFiles;
use aws_types::os_shim_internal::{Env, Fs};

use crate::error::{Result, SignInError};

/// The setting that says that the keychain has the profile's key. Other tools do not know it, and
/// find no credentials in such a profile.
pub(crate) const KEYCHAIN_SETTING: &str = "render_on_lambda_access_key";

/// What the files say; nothing where there are none.
///
/// # Errors
/// [`SignInError::Profiles`] of files that the SDK cannot read: it would not find what is written
/// into them either.
pub(crate) async fn profiles() -> Result<ProfileSet> {
    let files = ProfileFiles::default();
    let read = profile::load(&Fs::real(), &Env::real(), &files, None).await;
    read.map_err(|error| SignInError::Profiles { reason: protocol::sentence(&error) })
}

/// Which way of having credentials is about to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Browser,
    Company,
    Keychain,
}

/// Looks that nothing in a profile would come before what is about to be written.
///
/// # Errors
/// [`SignInError::InUse`].
pub(crate) fn check(profiles: &ProfileSet, name: &str, kind: Kind) -> Result<()> {
    let Some(profile) = profiles.get_profile(name) else { return Ok(()) };
    let others = [
        ("web_identity_token_file", "a web identity", None),
        ("sso_session", "IAM Identity Center", Some(Kind::Company)),
        ("sso_start_url", "IAM Identity Center", Some(Kind::Company)),
        ("sso_account_id", "IAM Identity Center", Some(Kind::Company)),
        ("credential_source", "a role", None),
        ("aws_access_key_id", "an access key in its file", None),
        ("role_arn", "a role", None),
        ("credential_process", "a program that gives credentials", None),
        ("login_session", "a sign-in by the browser", Some(Kind::Browser)),
        (KEYCHAIN_SETTING, "an access key in the keychain", Some(Kind::Keychain)),
    ];
    let found = others
        .into_iter()
        .find(|(setting, _, of)| *of != Some(kind) && profile.get(setting).is_some());
    match found {
        Some((_, kind, _)) => Err(SignInError::InUse { profile: name.to_owned(), kind }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "[default]\naws_access_key_id = AKIA\naws_secret_access_key = s\n\
        [profile login]\nlogin_session = arn:aws:iam::1:user/anna\n\
        [profile company]\nsso_session = studio\n\
        [profile old]\nsso_start_url = https://old.example/start\nsso_region = eu-west-1\n\
        [sso-session studio]\nsso_start_url = https://s.example/start\nsso_region = us-east-1\n\
        [profile new]\nregion = eu-west-1\n";

    async fn set() -> ProfileSet {
        let fs = Fs::from_map([("config".to_owned(), CONFIG.as_bytes().to_vec())].into());
        let env = Env::from_slice(&[("AWS_CONFIG_FILE", "config")]);
        profile::load(&fs, &env, &ProfileFiles::default(), None).await.unwrap()
    }

    #[tokio::test]
    async fn a_profile_with_other_credentials_is_left_alone() {
        let set = set().await;
        for name in ["login", "new", "none"] {
            check(&set, name, Kind::Browser).unwrap();
        }
        check(&set, "company", Kind::Company).unwrap();
        for (name, kind) in [
            ("default", Kind::Browser),
            ("default", Kind::Keychain),
            ("company", Kind::Browser),
            ("old", Kind::Keychain),
            ("login", Kind::Company),
        ] {
            let error = check(&set, name, kind).unwrap_err();
            assert!(matches!(error, SignInError::InUse { .. }), "{name}");
        }
    }
}
