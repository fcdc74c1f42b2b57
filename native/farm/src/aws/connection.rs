use std::net::IpAddr;
use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;

use super::http_client::http_client;
use super::profile::{self, ProfileSettings};
use crate::error::{FarmError, Result};

/// How to find the farm. No secret is in here: credentials come by the SDK's own chain, or from who
/// keeps them.
#[derive(Debug, Clone)]
pub struct FarmSettings {
    /// The name of the CloudFormation stack.
    pub stack: String,
    /// The region; where absent, the profile's or the environment's.
    pub region: Option<String>,
    /// The profile in `~/.aws`; where absent, the SDK's default chain.
    pub profile: Option<String>,
    /// Another endpoint for every service, for an emulator.
    pub endpoint: Option<String>,
    /// What gives the profile's credentials where its file does not: a keychain.
    pub credentials: Option<SharedCredentialsProvider>,
}

/// A loaded configuration of the AWS SDK.
#[derive(Debug, Clone)]
pub struct AwsConfig {
    /// What the clients of the services are made of.
    pub sdk: SdkConfig,
    /// The profile whose credentials are used, where one is set.
    pub profile: Option<String>,
}

impl AwsConfig {
    /// Loads what the settings name.
    ///
    /// # Errors
    /// Those of [`AwsConfig::load`].
    pub async fn of(settings: &FarmSettings) -> Result<Self> {
        let (region, profile) = (settings.region.as_deref(), settings.profile.as_deref());
        let mut config = Self::load(region, profile, settings.endpoint.as_deref()).await?;
        if let Some(credentials) = settings.credentials.clone() {
            config.sdk = config.sdk.into_builder().credentials_provider(credentials).build();
        }
        Ok(config)
    }

    /// Loads region, endpoint and credentials by the SDK's chain; nothing is sent yet except what
    /// the chain itself needs.
    ///
    /// # Errors
    /// [`FarmError::InsecureEndpoint`] where an endpoint is neither encrypted nor on this machine,
    /// [`FarmError::Credentials`], [`FarmError::NoProfile`] and [`FarmError::NeedsCode`] of a
    /// profile that cannot be used, [`FarmError::Certificates`].
    pub async fn load(
        region: Option<&str>,
        profile: Option<&str>,
        endpoint: Option<&str>,
    ) -> Result<Self> {
        let settings = profile::read(profile).await?;
        Self::load_with(region, profile, endpoint, settings, None).await
    }

    /// Loads what somebody needs who is about to sign in to a profile: it need not be there yet, nor
    /// have credentials that can be used.
    ///
    /// # Errors
    /// Those of [`AwsConfig::load`] but those of the profile.
    pub async fn load_to_sign_in(
        region: Option<&str>,
        profile: &str,
        endpoint: Option<&str>,
    ) -> Result<Self> {
        let settings = profile::read(Some(profile)).await.unwrap_or_default();
        Self::load_with(region, Some(profile), endpoint, settings, None).await
    }

    async fn load_with(
        region: Option<&str>,
        profile: Option<&str>,
        endpoint: Option<&str>,
        settings: ProfileSettings,
        answer_limit: Option<Duration>,
    ) -> Result<Self> {
        let http_client = http_client(settings.ca_bundle)?;
        let mut timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .operation_attempt_timeout(Duration::from_secs(300));
        timeouts.set_read_timeout(answer_limit);
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http_client.clone())
            .timeout_config(timeouts.build())
            .retry_config(RetryConfig::standard().with_max_attempts(4));
        if let Some(region) = region {
            loader = loader.region(Region::new(region.to_owned()));
        }
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        if let Some(endpoint) = endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        let mut sdk = loader.load().await;
        let login = settings.login.map(|login| (login.profile, Some(Region::new(login.region))));
        let named = profile.map(|profile| (profile.to_owned(), sdk.region().cloned()));
        if let Some((profile, region)) = login.or(named) {
            // By itself the chain would take keys of the environment before the chosen profile.
            let provider =
                ProviderConfig::without_region().with_region(region).with_http_client(http_client);
            let chosen = ProfileFileCredentialsProvider::builder().profile_name(profile);
            let chosen = SharedCredentialsProvider::new(chosen.configure(&provider).build());
            sdk = sdk.into_builder().credentials_provider(chosen).build();
        }
        if let Some(endpoint) = sdk.endpoint_url().filter(|endpoint| !is_secure(endpoint)) {
            return Err(FarmError::InsecureEndpoint { endpoint: endpoint.to_owned() });
        }
        if sdk.region().is_none() {
            return Err(FarmError::NoRegion);
        }
        Ok(Self { sdk, profile: profile.map(str::to_owned) })
    }

    /// Loads everything from the environment, as inside Lambda, where the services are near: what
    /// is not answered within 20 s is asked again.
    ///
    /// # Errors
    /// Those of [`AwsConfig::load`].
    pub async fn from_environment() -> Result<Self> {
        let settings = profile::read(None).await?;
        Self::load_with(None, None, None, settings, Some(Duration::from_secs(20))).await
    }

    /// The region's name.
    #[must_use]
    pub fn region_name(&self) -> String {
        self.sdk.region().map_or_else(|| "no region".to_owned(), ToString::to_string)
    }
}

/// Whether an endpoint is encrypted, or a loopback address where that does not matter.
fn is_secure(endpoint: &str) -> bool {
    if endpoint.starts_with("https://") {
        return true;
    }
    let Some(rest) = endpoint.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next(),
        None => authority.split(':').next(),
    }
    .unwrap_or_default();
    // Docker's name, in a container, for the machine that it runs on.
    let is_this_machine = matches!(host, "localhost" | "host.docker.internal");
    is_this_machine || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_secure;

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for endpoint in [
            "https://s3.example.com",
            "http://127.0.0.1:4566",
            "http://localhost:1/x",
            "http://[::1]:9",
            "http://host.docker.internal:4566",
        ] {
            assert!(is_secure(endpoint), "{endpoint}");
        }
        for endpoint in [
            "http://s3.example.com",
            "http://127.0.0.1.example.com:80",
            "http://host.docker.internal.example.com",
            "http://127.0.0.1@example.com",
            "ftp://localhost",
            "localhost:4566",
        ] {
            assert!(!is_secure(endpoint), "{endpoint}");
        }
    }
}
