use aws_config::profile::{Profile, ProfileSet};
use url::Url;

use crate::error::{Result, SignInError};
use crate::known_profile::profiles;

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
    pub(crate) fn among(self, profiles: &ProfileSet, profile: &str) -> Result<Self> {
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

/// The IAM Identity Center through which a profile signs in; none of other profiles.
pub async fn company_session(profile: &str) -> Option<CompanySession> {
    let profiles = profiles().await.ok()?;
    session_of(&profiles, profiles.get_profile(profile)?)
}

fn session_of(profiles: &ProfileSet, profile: &Profile) -> Option<CompanySession> {
    let owned = |name| profile.get(name).map(str::to_owned);
    if let Some(name) = profile.get("sso_session") {
        let session = profiles.sso_session(name)?;
        return Some(CompanySession {
            name: name.to_owned(),
            start_url: session.get("sso_start_url")?.to_owned(),
            region: session.get("sso_region")?.to_owned(),
        });
    }
    // Before sessions had names, the address was one.
    let start_url = owned("sso_start_url")?;
    Some(CompanySession { name: start_url.clone(), start_url, region: owned("sso_region")? })
}

#[cfg(test)]
mod tests {
    use aws_config::profile;
    use aws_runtime::env_config::file::EnvConfigFiles as ProfileFiles;
    use aws_types::os_shim_internal::{Env, Fs};

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

    const CONFIG: &str = "[profile login]\nlogin_session = arn:aws:iam::1:user/anna\n\
        [profile company]\nsso_session = studio\n\
        [profile old]\nsso_start_url = https://old.example/start\nsso_region = eu-west-1\n\
        [sso-session studio]\nsso_start_url = https://s.example/start\nsso_region = us-east-1\n";

    async fn set() -> ProfileSet {
        let fs = Fs::from_map([("config".to_owned(), CONFIG.as_bytes().to_vec())].into());
        let env = Env::from_slice(&[("AWS_CONFIG_FILE", "config")]);
        profile::load(&fs, &env, &ProfileFiles::default(), None).await.unwrap()
    }

    #[tokio::test]
    async fn a_profile_of_a_company_knows_where_it_signs_in() {
        let set = set().await;
        let session = |name| session_of(&set, set.get_profile(name).unwrap());
        assert_eq!(session("company").unwrap().start_url, "https://s.example/start");
        assert_eq!(session("old").unwrap().region, "eu-west-1");
        assert_eq!(session("login"), None);
    }

    #[tokio::test]
    async fn a_session_of_the_same_page_is_the_same_and_no_other_is_replaced() {
        let set = set().await;
        let typed = |url: &str| CompanySession::typed(url, "us-east-1").unwrap();
        let same = typed("https://s.example/start/").among(&set, "company").unwrap();
        assert_eq!(same.name, "studio");
        let other = typed("https://other.example/start").among(&set, "company").unwrap_err();
        assert!(matches!(other, SignInError::InUse { .. }), "{other}");
        let new = typed("https://s.example/start").among(&set, "new").unwrap();
        assert_eq!(new.name, "s-example");
    }
}
