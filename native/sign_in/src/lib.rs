//! Signs a person in to AWS, and leaves what all tools of AWS read: a profile, and a cache of tokens.
//!
//! Three ways: the browser, as `aws login` does ([`sign_in_by_browser`]); a company's IAM Identity
//! Center, as `aws sso login` does ([`sign_in_by_company`]); an access key, which the operating
//! system's keychain keeps and no file ([`keep_access_key`]).

mod browser;
mod company;
mod company_session;
mod device_code;
mod error;
mod keychain;
mod known_profile;
mod loopback;
mod profile_file;
mod proof;
mod token_cache;

pub use browser::sign_in_by_browser;
pub use company::{CompanyRole, WantedRole, sign_in_by_company, use_role};
pub use company_session::{CompanySession, company_session};
pub use error::{Result, SignInError};
pub use keychain::{AccessKey, forget_access_key, keep_access_key, keychain_credentials};

/// Which profile is signed in, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The profile; where absent, "default".
    pub profile: Option<String>,
    /// The region; where absent, the profile's or the environment's.
    pub region: Option<String>,
    /// Another endpoint for every service, for an emulator.
    pub endpoint: Option<String>,
}

impl SignIn {
    /// The profile's name: what is set, else the environment's, else "default", as AWS's tools have
    /// it.
    #[must_use]
    pub fn profile_name(&self) -> String {
        let of_environment = || std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
        self.profile.clone().or_else(of_environment).unwrap_or_else(|| "default".to_owned())
    }

    /// Looks that what is about to be written would be used.
    fn check_environment(&self) -> Result<()> {
        if self.profile.is_none() && environment_has_key() {
            return Err(SignInError::EnvironmentFirst);
        }
        Ok(())
    }
}

/// Whether the environment has an access key, which comes before a profile that nobody names.
fn environment_has_key() -> bool {
    std::env::var_os("AWS_ACCESS_KEY_ID").is_some_and(|value| !value.is_empty())
}

/// What is told while somebody signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInEvent {
    /// A page that the browser shall show.
    Page {
        /// Its address.
        address: String,
        /// The code that the page shows too, so that a person can compare.
        code: Option<String>,
    },
    /// One of several roles that somebody has to choose from: nothing is used yet.
    Role(CompanyRole),
    /// It is done.
    SignedIn {
        /// Who, as AWS names them.
        identity: String,
    },
}
