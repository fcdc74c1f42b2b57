//! Signing in through a company's IAM Identity Center: the browser shows a page with a code, and
//! this process asks until somebody has said yes there (RFC 8628, as `aws sso login` does with
//! `--use-device-code`).

use farm::{Attempt, AwsConfig};

use crate::company_session::CompanySession;
use crate::device_code::{SCOPE, device_token};
use crate::error::{Result, SignInError};
use crate::known_profile::{Kind, check, profiles};
use crate::profile_file::{check_file, profile_section, write_settings};
use crate::{SignIn, SignInEvent};

/// How many roles are offered; who has more names one in a profile.
const MOST_ROLES: usize = 500;

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
