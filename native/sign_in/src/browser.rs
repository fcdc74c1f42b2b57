//! Signing in with the browser, as at the console and as `aws login` does: OAuth 2.0 with PKCE, and
//! a redirect to this computer
//! (<https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sign-in.html>).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_signin::config::auth::{Params as AuthParams, ResolveAuthScheme};
use aws_sdk_signin::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use aws_sdk_signin::types::{AccessToken, CreateOAuth2TokenRequestBody};
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeId, AuthSchemeOption, AuthSchemeOptionsFuture,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use farm::{Attempt, AwsConfig};
use serde::Deserialize;
use url::Url;

use crate::error::{Result, SignInError};
use crate::known_profile::{Kind, check, profiles};
use crate::loopback::Loopback;
use crate::profile_file::{check_file, profile_section, write_settings};
use crate::proof::{ProofKey, Verifier, random_id};
use crate::token_cache::{LoginKeys, LoginToken, in_seconds, keep_login};
use crate::{SignIn, SignInEvent};

/// The client that signs in on the computer it runs on.
const CLIENT: &str = "arn:aws:signin:::devtools/same-device";

/// What the SDK calls it where nothing is signed.
const NO_AUTH: AuthSchemeId = AuthSchemeId::new("noAuth");

/// How long the page may stay open.
const PATIENCE: Duration = Duration::from_secs(600);

/// Signs in with the browser: tells which page it shall show, waits for its answer, and leaves a
/// profile and the tokens that renew it for twelve hours.
///
/// # Errors
/// [`SignInError::InUse`] where the profile has other credentials; [`SignInError::Refused`],
/// [`SignInError::TooLate`]; [`SignInError::Farm`] of a call; [`SignInError::File`] of `~/.aws`.
pub async fn sign_in_by_browser(sign_in: &SignIn, told: impl Fn(SignInEvent)) -> Result<()> {
    let name = sign_in.profile_name();
    let section = profile_section(&name)?;
    sign_in.check_environment()?;
    check_file()?;
    let known = profiles().await?;
    check(&known, &name, Kind::Browser)?;
    // A session is renewed in the region in which it began, and AWS's tools take the profile's.
    let of_profile = known.get_profile(&name).and_then(|profile| profile.get("region"));
    let region = of_profile.or(sign_in.region.as_deref());
    let endpoint = sign_in.endpoint.as_deref();
    let config = AwsConfig::load_to_sign_in(region, &name, endpoint).await?;

    let loopback = Loopback::bind().await?;
    let (verifier, state) = (Verifier::new(), random_id().to_string());
    let redirect = loopback.redirect_address();
    let address = page(&service_address(&config).await?, &redirect, &state, &verifier)?;
    told(SignInEvent::Page { address, code: None });
    let code = tokio::time::timeout(PATIENCE, loopback.code(&state)).await;
    let code = code.map_err(|_| SignInError::TooLate { minutes: PATIENCE.as_secs() / 60 })??;

    let identity = fetch_tokens(&config, &verifier, &code, &redirect).await?;
    let region = config.region_name();
    let mut settings = vec![("login_session", identity.as_str())];
    if of_profile.is_none() {
        settings.push(("region", region.as_str()));
    }
    write_settings(&section, &settings)?;
    told(SignInEvent::SignedIn { identity });
    Ok(())
}

/// Where the service is that both the browser and this process talk to.
async fn service_address(config: &AwsConfig) -> Result<String> {
    if let Some(endpoint) = config.sdk.endpoint_url() {
        return Ok(endpoint.to_owned());
    }
    let own = std::env::var("AWS_ENDPOINT_URL_SIGNIN").ok().filter(|address| !address.is_empty());
    if let Some(endpoint) = own {
        return Ok(endpoint);
    }
    let params = Params::builder()
        .region(config.region_name())
        .use_fips(config.sdk.use_fips().unwrap_or(false))
        .use_dual_stack(config.sdk.use_dual_stack().unwrap_or(false))
        .build();
    let params = params.map_err(|error| SignInError::Answer { reason: error.to_string() })?;
    let endpoint = DefaultResolver::new().resolve_endpoint(&params).await;
    let endpoint = endpoint.map_err(|error| SignInError::Answer { reason: error.to_string() })?;
    Ok(endpoint.url().to_owned())
}

/// The page at which a person says yes.
fn page(service: &str, redirect: &str, state: &str, verifier: &Verifier) -> Result<String> {
    let address = Url::parse_with_params(
        &format!("{}/v1/authorize", service.trim_end_matches('/')),
        [
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("state", state),
            ("code_challenge_method", "SHA-256"),
            ("scope", "openid"),
            ("redirect_uri", redirect),
            ("code_challenge", &verifier.challenge()),
        ],
    );
    match address {
        Ok(address) => Ok(address.into()),
        Err(error) => Err(SignInError::Answer { reason: format!("{service}: {error}") }),
    }
}

/// Changes the code for tokens, keeps them, and says whose they are.
async fn fetch_tokens(
    config: &AwsConfig,
    verifier: &Verifier,
    code: &str,
    redirect: &str,
) -> Result<String> {
    let key = Arc::new(ProofKey::new());
    let unusable = |reason: &str| SignInError::Answer { reason: reason.to_owned() };
    let own = aws_sdk_signin::config::Builder::from(&config.sdk)
        .auth_scheme_resolver(WithoutCredentials)
        .allow_no_auth();
    let client = aws_sdk_signin::Client::from_conf(own.build());
    let asked = CreateOAuth2TokenRequestBody::builder()
        .client_id(CLIENT)
        .grant_type("authorization_code")
        .code(code)
        .code_verifier(verifier.text())
        .redirect_uri(redirect)
        .build();
    let asked = asked.map_err(|error| unusable(&error.to_string()))?;
    let call = client.create_o_auth2_token().token_input(asked).customize();
    let prover = Arc::clone(&key);
    // At each try: a proof is good once, and for the address that is called.
    let call = call.mutate_request(move |request| {
        if let Ok(proof) = prover.proof(request.uri(), SystemTime::now()) {
            request.headers_mut().insert("dpop", proof);
        }
    });
    let attempt = Attempt { action: "sign in", ..Attempt::default() };
    let answer = call.send().await.map_err(|error| attempt.error(error))?;

    let tokens = answer.token_output().ok_or_else(|| unusable("there are no tokens in it"))?;
    let keys = tokens.access_token().ok_or_else(|| unusable("there is no key in it"))?;
    let id_token = tokens.id_token().ok_or_else(|| unusable("it does not say who that is"))?;
    let identity = identity(id_token)?;
    let account_id = identity.split(':').nth(4).unwrap_or_default();
    keep_login(
        &identity,
        &LoginToken {
            access_token: login_keys(keys, account_id, tokens.expires_in())?,
            token_type: tokens.token_type(),
            refresh_token: tokens.refresh_token(),
            id_token,
            client_id: CLIENT,
            dpop_key: &key.to_pem(),
        },
    )?;
    Ok(identity)
}

fn login_keys<'a>(
    keys: &'a AccessToken,
    account_id: &'a str,
    seconds: i32,
) -> Result<LoginKeys<'a>> {
    Ok(LoginKeys {
        access_key_id: keys.access_key_id(),
        secret_access_key: keys.secret_access_key(),
        session_token: keys.session_token(),
        account_id,
        expires_at: in_seconds(seconds)?,
    })
}

/// The claim of an identity token that is used: who signed in, as an ARN.
#[derive(Deserialize)]
struct Claims {
    sub: String,
}

/// Who signed in. The token came over TLS from AWS itself, so that its signature is not looked at
/// (`OpenID` Connect Core 1.0, section 3.1.3.7).
fn identity(id_token: &str) -> Result<String> {
    let unusable = || SignInError::Answer { reason: "it does not say who that is".to_owned() };
    let payload = id_token.split('.').nth(1).ok_or_else(unusable)?;
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).map_err(|_| unusable())?;
    let claims: Claims = serde_json::from_slice(&bytes).map_err(|_| unusable())?;
    let is_arn = claims.sub.starts_with("arn:") && claims.sub.split(':').count() >= 6;
    let is_plain = claims.sub.chars().all(|letter| letter.is_ascii_graphic());
    if is_arn && is_plain && claims.sub.len() <= 2048 { Ok(claims.sub) } else { Err(unusable()) }
}

/// Nobody has credentials yet.
#[derive(Debug)]
struct WithoutCredentials;

impl ResolveAuthScheme for WithoutCredentials {
    fn resolve_auth_scheme<'a>(
        &'a self,
        _params: &'a AuthParams,
        _config: &'a ConfigBag,
        _components: &'a RuntimeComponents,
    ) -> AuthSchemeOptionsFuture<'a> {
        AuthSchemeOptionsFuture::ready(Ok(vec![AuthSchemeOption::from(NO_AUTH)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_asked_for_with_what_proves_who_asks() {
        let verifier = Verifier::new();
        let redirect = "http://127.0.0.1:7/oauth/callback";
        let address =
            page("https://eu-west-1.signin.aws.amazon.com/", redirect, "s", &verifier).unwrap();
        let begin = "https://eu-west-1.signin.aws.amazon.com/v1/authorize?response_type=code\
            &client_id=arn%3Aaws%3Asignin%3A%3A%3Adevtools%2Fsame-device&state=s\
            &code_challenge_method=SHA-256&scope=openid\
            &redirect_uri=http%3A%2F%2F127.0.0.1%3A7%2Foauth%2Fcallback&code_challenge=";
        assert_eq!(address, format!("{begin}{}", verifier.challenge()));
    }

    #[test]
    fn who_signed_in_is_in_the_token() {
        let token = |sub: &str| {
            let claims = serde_json::json!({"sub": sub}).to_string();
            format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims))
        };
        let anna = "arn:aws:iam::123456789012:user/anna";
        assert_eq!(identity(&token(anna)).unwrap(), anna);
        for wrong in ["anna", "", "arn:aws:iam::1:user/a\nb"] {
            assert!(identity(&token(wrong)).is_err(), "{wrong:?}");
        }
        for wrong in ["", "a.b", "a.%%.c"] {
            assert!(identity(wrong).is_err(), "{wrong:?}");
        }
    }
}
