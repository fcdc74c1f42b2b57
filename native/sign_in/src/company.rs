//! Signing in through a company's IAM Identity Center: the browser shows a page with a code, and
//! this process asks until somebody has said yes there (RFC 8628, as `aws sso login` does with
//! `--use-device-code`).

use std::time::{Duration, Instant};

use aws_sdk_ssooidc::error::ProvideErrorMetadata as _;
use aws_sdk_ssooidc::operation::register_client::RegisterClientOutput;
use farm::{Attempt, AwsConfig};
use url::Url;

use crate::error::{Result, SignInError};
use crate::known_profile::{Kind, check, profiles};
use crate::profile_file::{profile_section, write_settings};
use crate::token_cache::{CompanyToken, in_seconds, keep_company, written};
use crate::{SignIn, SignInEvent};

const CLIENT_NAME: &str = "Render on Lambda";
const SCOPE: &str = "sso:account:access";
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// How many roles are offered; who has more names one in a profile.
const MOST_ROLES: usize = 500;

/// The IAM Identity Center of a company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanySession {
    /// What AWS's tools call the session: the name of its section in the file of profiles.
    pub name: String,
    /// Its page, such as `https://studio.awsapps.com/start`.
    pub start_url: String,
    /// The region that it is in.
    pub region: String,
}

impl CompanySession {
    /// The session of an address that somebody typed; it is called after the address.
    ///
    /// # Errors
    /// [`SignInError::Typed`] where it is no address of a page.
    pub fn typed(start_url: &str, region: &str) -> Result<Self> {
        let start_url = start_url.trim();
        let address = Url::parse(start_url).ok().filter(|address| address.scheme() == "https");
        let host = address.as_ref().and_then(Url::host_str);
        let is_plain = start_url.chars().all(|letter| letter.is_ascii_graphic());
        let Some(host) = host.filter(|_| is_plain) else {
            return Err(SignInError::Typed {
                what: "the address of an IAM Identity Center",
                value: start_url.escape_debug().to_string(),
                expected: "https://, as in https://studio.awsapps.com/start",
            });
        };
        let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
        Ok(Self {
            name: host.chars().map(plain).collect(),
            start_url: start_url.to_owned(),
            region: region.trim().to_owned(),
        })
    }
}

/// A role in an account that somebody may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyRole {
    /// The account's twelve digits.
    pub account_id: String,
    /// What the company calls the account.
    pub account_name: String,
    /// The role.
    pub role: String,
}

/// Signs in through a company. A profile that names its role already is signed in by it, and one
/// that may have a single role gets that; else the roles are told, and [`use_role`] takes one.
///
/// # Errors
/// [`SignInError::InUse`] where the profile has other credentials; [`SignInError::Refused`], [`SignInError::TooLate`]; [`SignInError::Farm`] of a
/// call; [`SignInError::File`] of `~/.aws`.
pub async fn sign_in_by_company(
    sign_in: &SignIn,
    session: &CompanySession,
    told: impl Fn(SignInEvent),
) -> Result<()> {
    let name = sign_in.profile_name();
    profile_section(name)?;
    let known = profiles().await;
    check(known.as_ref(), name, Kind::Company)?;
    let config = AwsConfig::load(Some(&session.region), None, sign_in.endpoint.as_deref()).await?;
    let token = device_token(&config, session, &told).await?;
    let profile = known.as_ref().and_then(|known| known.get_profile(name));
    let identity = |account: &str, role: &str| SignInEvent::SignedIn {
        identity: format!("{role} ({account})"),
    };
    let given = profile.and_then(|found| {
        Some((found.get("sso_account_id")?.to_owned(), found.get("sso_role_name")?.to_owned()))
    });
    if let Some((account, role)) = given {
        told(identity(&account, &role));
        return Ok(());
    }
    let roles = roles(&config, &token).await?;
    match roles.as_slice() {
        [] => Err(SignInError::Refused {
            reason: "you may use no account there; whoever runs it can give you one".to_owned(),
        }),
        [only] => {
            use_role(sign_in, session, only)?;
            told(identity(&only.account_id, &only.role));
            Ok(())
        }
        several => {
            several.iter().cloned().map(SignInEvent::Role).for_each(told);
            Ok(())
        }
    }
}

/// Writes a role of a company into a profile.
///
/// # Errors
/// [`SignInError::Typed`] of what has no place in a profile, [`SignInError::File`],
/// [`SignInError::NoHome`].
pub fn use_role(sign_in: &SignIn, session: &CompanySession, role: &CompanyRole) -> Result<()> {
    let section = profile_section(sign_in.profile_name())?;
    let name = &session.name;
    let of_session = [
        ("sso_start_url", session.start_url.as_str()),
        ("sso_region", session.region.as_str()),
        ("sso_registration_scopes", SCOPE),
    ];
    write_settings(&format!("sso-session {name}"), &of_session)?;
    let region = sign_in.region.as_deref().unwrap_or(&session.region);
    let of_profile = [
        ("sso_session", name.as_str()),
        ("sso_account_id", role.account_id.as_str()),
        ("sso_role_name", role.role.as_str()),
        ("region", region),
    ];
    write_settings(&section, &of_profile)
}

/// Has somebody say yes in the browser, keeps the tokens, and gives the one that asks for roles.
async fn device_token(
    config: &AwsConfig,
    session: &CompanySession,
    told: &impl Fn(SignInEvent),
) -> Result<String> {
    let unusable = |reason: &str| SignInError::Answer { reason: reason.to_owned() };
    let attempt = Attempt { action: "sign in", ..Attempt::default() };
    let client = aws_sdk_ssooidc::Client::new(&config.sdk);
    let registered = client
        .register_client()
        .client_name(CLIENT_NAME)
        .client_type("public")
        .scopes(SCOPE)
        .grant_types(DEVICE_CODE)
        .grant_types("refresh_token")
        .send()
        .await;
    let registered = registered.map_err(|error| attempt.error(error))?;
    let (id, secret) = client_keys(&registered).ok_or_else(|| unusable("it names no client"))?;
    let begun = client
        .start_device_authorization()
        .client_id(id)
        .client_secret(secret)
        .start_url(&session.start_url)
        .send()
        .await;
    let begun = begun.map_err(|error| attempt.error(error))?;
    let page = begun.verification_uri_complete().or(begun.verification_uri());
    let (Some(page), Some(device)) = (page, begun.device_code()) else {
        return Err(unusable("it names no page"));
    };
    // What is opened in the browser is a page, and nothing else that a computer opens.
    check_page(page, config)?;
    let code = begun.user_code().map(str::to_owned);
    told(SignInEvent::Page { address: page.to_owned(), code });

    let seconds = u64::try_from(begun.expires_in()).unwrap_or(0).clamp(60, 1800);
    let (end, mut pause) = (
        Instant::now() + Duration::from_secs(seconds),
        Duration::from_secs(u64::try_from(begun.interval()).unwrap_or(0).clamp(1, 30)),
    );
    while Instant::now() < end {
        tokio::time::sleep(pause).await;
        let asked = client
            .create_token()
            .client_id(id)
            .client_secret(secret)
            .grant_type(DEVICE_CODE)
            .device_code(device)
            .send()
            .await;
        let answer = match asked {
            Ok(answer) => answer,
            Err(error) => match error.code() {
                Some("AuthorizationPendingException") => continue,
                Some("SlowDownException") => {
                    // So RFC 8628, section 3.5.
                    pause += Duration::from_secs(5);
                    continue;
                }
                Some("ExpiredTokenException") => break,
                Some("AccessDeniedException") => {
                    let reason = "somebody said no in the browser".to_owned();
                    return Err(SignInError::Refused { reason });
                }
                _ => return Err(attempt.error(error).into()),
            },
        };
        let token = answer.access_token().ok_or_else(|| unusable("there is no token in it"))?;
        let kept = CompanyToken {
            start_url: &session.start_url,
            region: &session.region,
            access_token: token,
            expires_at: in_seconds(answer.expires_in())?,
            client_id: id,
            client_secret: secret,
            registration_expires_at: written(registered.client_secret_expires_at())?,
            refresh_token: answer.refresh_token(),
        };
        keep_company(&session.name, &kept)?;
        return Ok(token.to_owned());
    }
    Err(SignInError::TooLate { minutes: seconds / 60 })
}

fn client_keys(registered: &RegisterClientOutput) -> Option<(&str, &str)> {
    Some((registered.client_id()?, registered.client_secret()?))
}

fn check_page(page: &str, config: &AwsConfig) -> Result<()> {
    let is_emulated = config.sdk.endpoint_url().is_some();
    let scheme = Url::parse(page).map(|address| address.scheme().to_owned());
    match scheme.as_deref() {
        Ok("https") => Ok(()),
        Ok("http") if is_emulated => Ok(()),
        _ => Err(SignInError::Answer { reason: format!("{} is no page", page.escape_debug()) }),
    }
}

/// Every role that may be taken, by the accounts' names.
async fn roles(config: &AwsConfig, token: &str) -> Result<Vec<CompanyRole>> {
    let attempt = Attempt { action: "list your accounts", ..Attempt::default() };
    let client = aws_sdk_sso::Client::new(&config.sdk);
    let mut found = Vec::new();
    let mut accounts = client.list_accounts().access_token(token).into_paginator().items().send();
    while let Some(account) = accounts.next().await {
        let account = account.map_err(|error| attempt.error(error))?;
        let Some(id) = account.account_id() else { continue };
        let asked = client.list_account_roles().access_token(token).account_id(id);
        let mut roles = asked.into_paginator().items().send();
        while let Some(role) = roles.next().await {
            let role = role.map_err(|error| attempt.error(error))?;
            found.push(CompanyRole {
                account_id: id.to_owned(),
                account_name: account.account_name().unwrap_or(id).to_owned(),
                role: role.role_name().unwrap_or_default().to_owned(),
            });
            if found.len() >= MOST_ROLES {
                return Ok(found);
            }
        }
    }
    found.sort_by(|one, other| {
        (&one.account_name, &one.role).cmp(&(&other.account_name, &other.role))
    });
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_page_of_the_web() {
        let right = CompanySession::typed(" https://d-9067.awsapps.com/start/#/\n", "us-east-1");
        assert_eq!(right.unwrap().name, "d-9067-awsapps-com");
        for wrong in ["", "studio", "http://studio.awsapps.com", "file:///etc", "https://a\nb"] {
            assert!(CompanySession::typed(wrong, "us-east-1").is_err(), "{wrong:?}");
        }
    }
}
