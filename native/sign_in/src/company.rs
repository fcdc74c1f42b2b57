//! Signing in through a company's IAM Identity Center: the browser shows a page with a code, and
//! this process asks until somebody has said yes there (RFC 8628, as `aws sso login` does with
//! `--use-device-code`).

use std::time::{Duration, Instant};

use aws_config::profile::ProfileSet;
use aws_sdk_ssooidc::error::ProvideErrorMetadata as _;
use aws_sdk_ssooidc::operation::register_client::RegisterClientOutput;
use farm::{Attempt, AwsConfig};
use url::Url;

use crate::error::{Result, SignInError};
use crate::known_profile::{Kind, check, profiles, session_of};
use crate::profile_file::{check_file, profile_section, write_settings};
use crate::token_cache::{CompanyToken, in_seconds, keep_company, written};
use crate::{SignIn, SignInEvent};

const CLIENT_NAME: &str = "Render on Lambda";
const SCOPE: &str = "sso:account:access";
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// How many roles are offered; who has more names one in a profile.
const MOST_ROLES: usize = 500;

/// How long a session's name may be.
const MOST_NAME_LETTERS: usize = 64;

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
        // Some companies share a host.
        let path = address.as_ref().map(Url::path).unwrap_or_default();
        let path = path.trim_end_matches('/').trim_end_matches("/start");
        let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
        let name = format!("{host}{path}");
        Ok(Self {
            name: name.chars().map(plain).take(MOST_NAME_LETTERS).collect(),
            start_url: start_url.to_owned(),
            region: region.trim().to_owned(),
        })
    }

    /// Whether both lead to the same page.
    fn is_same(&self, other: &Self) -> bool {
        let page = |one: &Self| one.start_url.trim_end_matches(['/', '#']).to_owned();
        self.region == other.region && page(self) == page(other)
    }

    /// This session, by the name that the files have for it already. A profile of another company is
    /// left alone, and so is a section of that name that leads elsewhere.
    fn among(self, profiles: &ProfileSet, profile: &str) -> Result<Self> {
        let of_profile = profiles.get_profile(profile);
        match of_profile.and_then(|found| session_of(profiles, found)) {
            Some(known) if known.is_same(&self) => return Ok(known),
            Some(_) => {
                let kind = "another IAM Identity Center";
                return Err(SignInError::InUse { profile: profile.to_owned(), kind });
            }
            None => {}
        }
        let found = profiles.sso_session(&self.name).and_then(|one| one.get("sso_start_url"));
        if found.is_some_and(|start_url| start_url != self.start_url) {
            let name = format!("{}-{profile}", self.name);
            return Ok(Self { name, ..self });
        }
        Ok(self)
    }
}

/// The role that somebody asks for by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedRole {
    /// The account's twelve digits.
    pub account_id: String,
    /// The role.
    pub role: String,
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

/// Signs in through a company. A profile that names its role already is signed in by it; else the
/// wanted role is written into it, or the only one; else the roles are told, and [`use_role`] takes
/// one.
///
/// # Errors
/// [`SignInError::InUse`] where the profile has other credentials, of another company or role too;
/// [`SignInError::Refused`], [`SignInError::TooLate`]; [`SignInError::Farm`] of a call;
/// [`SignInError::File`] of `~/.aws`.
pub async fn sign_in_by_company(
    sign_in: &SignIn,
    session: CompanySession,
    wanted: Option<&WantedRole>,
    told: impl Fn(SignInEvent),
) -> Result<()> {
    let name = sign_in.profile_name();
    profile_section(&name)?;
    sign_in.check_environment()?;
    check_file()?;
    let known = profiles().await?;
    check(&known, &name, Kind::Company)?;
    let session = session.among(&known, &name)?;
    let given = known.get_profile(&name).and_then(|found| {
        let setting = |name| found.get(name).map(str::to_owned);
        Some(WantedRole { account_id: setting("sso_account_id")?, role: setting("sso_role_name")? })
    });
    if given.is_some() && wanted.is_some_and(|wanted| Some(wanted) != given.as_ref()) {
        return Err(SignInError::InUse { profile: name, kind: "another role of the company" });
    }
    let (region, endpoint) = (Some(session.region.as_str()), sign_in.endpoint.as_deref());
    let config = AwsConfig::load_to_sign_in(region, &name, endpoint).await?;
    let token = device_token(&config, &session, &told).await?;
    let signed_in = |account: &str, role: &str| {
        told(SignInEvent::SignedIn { identity: format!("{role} ({account})") });
    };
    if let Some(given) = given {
        signed_in(&given.account_id, &given.role);
        return Ok(());
    }
    let roles = roles(&config, &token).await?;
    let is_wanted = |one: &&CompanyRole| {
        wanted.is_none_or(|role| role.account_id == one.account_id && role.role == one.role)
    };
    let mut chosen = roles.iter().filter(is_wanted);
    match (chosen.next(), chosen.next()) {
        (None, _) => Err(SignInError::Refused { reason: no_role(wanted, &roles) }),
        (Some(only), None) => {
            write_role(sign_in, &session, only).await?;
            signed_in(&only.account_id, &only.role);
            Ok(())
        }
        (Some(_), Some(_)) => {
            roles.into_iter().map(SignInEvent::Role).for_each(told);
            Ok(())
        }
    }
}

/// Writes a role of a company into a profile that is still as it was.
///
/// # Errors
/// [`SignInError::InUse`] where the profile has other credentials by now; [`SignInError::Typed`] of
/// what has no place in a profile, [`SignInError::File`], [`SignInError::NoHome`].
pub async fn use_role(sign_in: &SignIn, session: CompanySession, role: &CompanyRole) -> Result<()> {
    let (name, known) = (sign_in.profile_name(), profiles().await?);
    check(&known, &name, Kind::Company)?;
    write_role(sign_in, &session.among(&known, &name)?, role).await
}

async fn write_role(sign_in: &SignIn, session: &CompanySession, role: &CompanyRole) -> Result<()> {
    let name = sign_in.profile_name();
    let section = profile_section(&name)?;
    let known = profiles().await?;
    let found = known.get_profile(&name);
    let mut of_profile = Vec::new();
    // A profile from before sessions had names has the address itself.
    if found.is_none_or(|found| found.get("sso_start_url").is_none()) {
        let of_session = [
            ("sso_start_url", session.start_url.as_str()),
            ("sso_region", session.region.as_str()),
            ("sso_registration_scopes", SCOPE),
        ];
        write_settings(&format!("sso-session {}", session.name), &of_session)?;
        of_profile.push(("sso_session", session.name.as_str()));
    }
    of_profile.push(("sso_account_id", role.account_id.as_str()));
    of_profile.push(("sso_role_name", role.role.as_str()));
    if found.is_none_or(|found| found.get("region").is_none()) {
        let region = sign_in.region.as_deref().unwrap_or(&session.region);
        of_profile.push(("region", region));
    }
    write_settings(&section, &of_profile)
}

fn no_role(wanted: Option<&WantedRole>, roles: &[CompanyRole]) -> String {
    let Some(wanted) = wanted.filter(|_| !roles.is_empty()) else {
        return "you may use no account there; whoever runs it can give you one".to_owned();
    };
    let names = roles.iter().map(|one| format!("{}/{}", one.account_id, one.role));
    format!(
        "you may not use {}/{}; you may use {}",
        wanted.account_id,
        wanted.role,
        names.collect::<Vec<_>>().join(", ")
    )
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
        let shared = "https://start.home.awsapps.cn/directory/one";
        let shared = CompanySession::typed(shared, "cn-north-1").unwrap();
        assert_eq!(shared.name, "start-home-awsapps-cn-directory-one");
        for wrong in ["", "studio", "http://studio.awsapps.com", "file:///etc", "https://a\nb"] {
            assert!(CompanySession::typed(wrong, "us-east-1").is_err(), "{wrong:?}");
        }
    }
}
