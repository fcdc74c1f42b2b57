//! Having somebody say yes in a browser that may be anywhere: a page with a code, and asking until it is
//! done (RFC 8628).

use std::time::{Duration, Instant};

use aws_sdk_ssooidc::error::ProvideErrorMetadata as _;
use aws_sdk_ssooidc::operation::register_client::RegisterClientOutput;
use farm::{Attempt, AwsConfig};
use url::Url;

use crate::SignInEvent;
use crate::company_session::CompanySession;
use crate::error::{Result, SignInError};
use crate::token_cache::{CompanyToken, in_seconds, keep_company, written};

const CLIENT_NAME: &str = "Render on Lambda";
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What the tokens are for: to list accounts and roles, and to take one.
pub(crate) const SCOPE: &str = "sso:account:access";

/// Has somebody say yes in the browser, keeps the tokens, and gives the one that asks for roles.
pub(crate) async fn device_token(
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
