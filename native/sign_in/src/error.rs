use std::path::PathBuf;

use farm::FarmError;

/// What can go wrong while somebody signs in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// A call that failed.
    #[error(transparent)]
    Farm(#[from] FarmError),
    /// No port on which the browser's answer could come.
    #[error("cannot wait for the browser's answer on 127.0.0.1: {source}")]
    Loopback {
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// AWS, or the person, said no.
    #[error("AWS did not sign you in: {reason}; sign in again")]
    Refused {
        /// In AWS's words.
        reason: String,
    },
    /// Nobody answered.
    #[error("nobody signed in within {minutes} minutes; sign in again")]
    TooLate {
        /// How long was waited.
        minutes: u64,
    },
    /// An answer that says something else than it should.
    #[error("AWS's answer cannot be used: {reason}")]
    Answer {
        /// What is wrong with it.
        reason: String,
    },
    /// A profile that has credentials of another kind.
    #[error(
        "the profile \"{profile}\" has {kind} already, which would come first; name another profile"
    )]
    InUse {
        /// The profile.
        profile: String,
        /// What it has.
        kind: &'static str,
    },
    /// Keys of the environment, which nobody would ask for a profile besides.
    #[error(
        "the environment has an access key (AWS_ACCESS_KEY_ID), which comes before the default profile; name a profile"
    )]
    EnvironmentFirst,
    /// Files of profiles that cannot be read.
    #[error("the profiles in ~/.aws cannot be read: {reason}; mend the file, and sign in again")]
    Profiles {
        /// In the SDK's words.
        reason: String,
    },
    /// Something typed that cannot be.
    #[error("\"{value}\" cannot be {what}: {expected}")]
    Typed {
        /// What it should be, such as "a profile's name".
        what: &'static str,
        /// What was typed; never a secret.
        value: String,
        /// What is expected.
        expected: &'static str,
    },
    /// A secret that cannot be one; it is not repeated.
    #[error("that is no secret access key: {expected}")]
    Secret {
        /// What is expected.
        expected: &'static str,
    },
    /// A file in `~/.aws`.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// "read" or "write".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// No home, and so no `~/.aws`.
    #[error(
        "this computer does not say where your home folder is, where AWS's tools keep profiles"
    )]
    NoHome,
    /// No keychain, or one that does not answer.
    #[error(
        "this computer has no keychain that can be used ({reason}), and an access key is kept in no file; sign in with the browser instead, or use a profile"
    )]
    NoKeychain {
        /// In the keychain's words.
        reason: String,
    },
    /// A profile whose key is gone.
    #[error("the keychain has no access key for the profile \"{profile}\"; enter it again")]
    NoKey {
        /// The profile.
        profile: String,
    },
}

/// What most functions here give.
pub type Result<T> = std::result::Result<T, SignInError>;
