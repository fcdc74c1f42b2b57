use std::io;
use std::path::{Path, PathBuf};

use protocol::JobId;

/// What can go wrong between this machine and AWS.
///
/// What the service answered and what never reached it are told apart: [`FarmError::Unreachable`]
/// and [`FarmError::Throttled`] may succeed when tried again, the others need someone to act.
#[derive(Debug, thiserror::Error)]
pub enum FarmError {
    /// No credentials at all.
    #[error("there are no AWS credentials {}; sign in (the add-on's preferences, or `render-on-lambda sign-in`), or choose a profile that is signed in", in_profile(profile.as_ref()))]
    NoCredentials {
        /// The profile, where one is set.
        profile: Option<String>,
    },
    /// Credentials that AWS refuses, or that cannot be had.
    #[error("AWS does not accept the credentials{}: {reason}; check the profile in the add-on's preferences or sign in again", of_profile(profile.as_ref()))]
    Credentials {
        /// The profile, where one is set.
        profile: Option<String>,
        /// What the credentials chain or the service said.
        reason: String,
    },
    /// A profile that is not there.
    #[error("there is no profile \"{profile}\" in ~/.aws; there {}", are(others))]
    NoProfile {
        /// The profile.
        profile: String,
        /// Those that are there.
        others: String,
    },
    /// No region, whose services could be asked.
    #[error(
        "no region is set; choose one in the add-on's preferences, with --region, in AWS_REGION, or as region in the profile"
    )]
    NoRegion,
    /// A role that is given only to who types a code of a device.
    #[error(
        "the profile \"{profile}\" asks for a one-time code of {device}, which cannot be typed here; sign in to another profile (the add-on's preferences, or `render-on-lambda sign-in`), or use one without mfa_serial"
    )]
    NeedsCode {
        /// The profile.
        profile: String,
        /// The device.
        device: String,
    },
    /// A file of certificates that cannot be used.
    #[error(
        "the certificates in {} cannot be used: {reason}; check AWS_CA_BUNDLE, or ca_bundle in the profile", path.display()
    )]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No stack of that name in that region.
    #[error(
        "there is no stack \"{stack}\" in {region}; check the stack name and the region, or deploy it"
    )]
    NoStack {
        /// The stack's name.
        stack: String,
        /// The region.
        region: String,
    },
    /// The stack is there but has not finished, or failed, deploying.
    #[error("the stack \"{stack}\" is not ready: its status is {status}")]
    StackNotReady {
        /// The stack's name.
        stack: String,
        /// What CloudFormation calls its state.
        status: String,
    },
    /// A stack of that name that is not one of this project.
    #[error(
        "the stack \"{stack}\" has no output {output}: it was not made from this project's template, or by an older version"
    )]
    NotOurStack {
        /// The stack's name.
        stack: String,
        /// The output that is not there.
        output: &'static str,
    },
    /// A stack that does not understand what this build sends.
    #[error(
        "the farm \"{stack}\" is of version {farm}, older than this one, {ours}; upgrade the stack, or use the add-on of that version"
    )]
    OlderFarm {
        /// The stack's name.
        stack: String,
        /// The version that it tells, with its protocol.
        farm: String,
        /// The version of this build, with its protocol.
        ours: String,
    },
    /// A stack whose answers this build does not understand.
    #[error(
        "the farm \"{stack}\" is of version {farm}, newer than this one, {ours}; update the add-on"
    )]
    NewerFarm {
        /// The stack's name.
        stack: String,
        /// The version that it tells, with its protocol.
        farm: String,
        /// The version of this build, with its protocol.
        ours: String,
    },
    /// A scene that none of the farm's Blenders can read.
    #[error(
        "the scene comes from Blender {}.{}, and the farm has {}.{} at the newest; upgrade the farm",
        scene.0, scene.1, farm.0, farm.1
    )]
    OldBlender {
        /// The scene's, as major and minor version.
        scene: (u16, u16),
        /// The farm's newest.
        farm: (u16, u16),
    },
    /// A job of a Blender that the farm has no more.
    #[error(
        "the job is to be rendered with Blender {}.{}, which the farm has no more; send it again",
        .0.0, .0.1
    )]
    LostBlender((u16, u16)),
    /// The function that renders cannot run.
    #[error("the farm's function {function} cannot run: {reason}")]
    Function {
        /// Its name.
        function: String,
        /// What Lambda says of it.
        reason: String,
    },
    /// The stack's bucket was deleted.
    #[error("the bucket \"{bucket}\" does not exist any more; deploy the stack again")]
    NoBucket {
        /// The bucket.
        bucket: String,
    },
    /// The stack's queue was deleted.
    #[error("the queue {queue_url} does not exist any more; deploy the stack again")]
    NoQueue {
        /// The queue.
        queue_url: String,
    },
    /// The credentials are valid but may not do this.
    #[error("AWS does not allow to {action}: {reason}")]
    NotAllowed {
        /// What was attempted.
        action: String,
        /// What the service said.
        reason: String,
    },
    /// A job's id that another job has.
    #[error(
        "the job {job} was submitted before, with other frames, files or settings; leave its id out for a new one"
    )]
    OtherJob {
        /// The job.
        job: JobId,
    },
    /// A job that was cancelled cannot be submitted again.
    #[error("the job {job} was cancelled; leave its id out to submit it anew")]
    JobCancelled {
        /// The job.
        job: JobId,
    },
    /// No answer.
    #[error(
        "cannot reach AWS to {action}: {reason}; check the network connection, the region and the endpoint"
    )]
    Unreachable {
        /// What was attempted.
        action: String,
        /// What failed, from the connection up.
        reason: String,
    },
    /// A server whose certificate is of nobody that this machine trusts.
    #[error(
        "the server that answers for AWS shows a certificate that is not trusted here ({reason}); where a company's network stands between, name its certificate in AWS_CA_BUNDLE, or as ca_bundle in the profile"
    )]
    Untrusted {
        /// What is wrong with the certificate.
        reason: String,
    },
    /// The service is overloaded or limits the rate, also after the SDK's own tries.
    #[error("AWS is too busy to {action}: {reason}")]
    Throttled {
        /// What was attempted.
        action: String,
        /// What the service said.
        reason: String,
    },
    /// Any other answer that is an error.
    #[error("AWS could not {action}: {reason}")]
    Service {
        /// What was attempted.
        action: String,
        /// The service's code and message.
        reason: String,
    },
    /// An object that should be there is not.
    #[error("{key} is not in the bucket \"{bucket}\"")]
    NoObject {
        /// The bucket.
        bucket: String,
        /// The object's key.
        key: String,
    },
    /// An object whose bytes are not those that its digest promises.
    #[error("{key} is damaged: expected the digest {expected}, got {got}")]
    Damaged {
        /// The object's key.
        key: String,
        /// The digest that was promised.
        expected: String,
        /// The digest of what came.
        got: String,
    },
    /// An object larger than such an object may be.
    #[error("{key} has more than {limit_bytes} bytes")]
    TooLarge {
        /// The object's key.
        key: String,
        /// The bound.
        limit_bytes: u64,
    },
    /// A pack that is not whole in the bucket.
    #[error(
        "pack: {missing} of {total} blobs are not in the bucket, for example that of {example}"
    )]
    PackIncomplete {
        /// How many blobs are missing.
        missing: usize,
        /// How many blobs the pack has.
        total: usize,
        /// The path of a file in the first one.
        example: String,
    },
    /// No pack of that id.
    #[error("pack: there is no pack {pack} in the bucket")]
    NoPack {
        /// The pack.
        pack: String,
    },
    /// A bundle that does not hold what the manifest promises.
    #[error("the bundle {} does not hold {path} as the manifest says: {reason}", bundle.display())]
    BadBundle {
        /// The zip.
        bundle: PathBuf,
        /// The file's path in the pack.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file that was changed each time it was read.
    #[error("{} keeps changing while it is read; wait until it is written and render again", path.display())]
    FileChanging {
        /// The file.
        path: PathBuf,
    },
    /// An endpoint without TLS that is not on this machine.
    #[error(
        "the endpoint {endpoint} has no encryption: use https:// (http:// only for an emulator on this machine)"
    )]
    InsecureEndpoint {
        /// The endpoint.
        endpoint: String,
    },
    /// A file on this machine.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was attempted, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// Stopped because the user said so.
    #[error("cancelled")]
    Cancelled,
    /// A document that does not follow the protocol.
    #[error(transparent)]
    Protocol(#[from] protocol::ProtocolError),
    /// The scene could not be traced or packed.
    #[error(transparent)]
    Scene(#[from] scene::SceneError),
}

/// The result of work on the farm.
pub type Result<T> = std::result::Result<T, FarmError>;

impl FarmError {
    /// Whether the same call may succeed later without anyone doing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Throttled { .. })
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

fn of_profile(profile: Option<&String>) -> String {
    profile.map_or_else(String::new, |profile| format!(" of the profile \"{profile}\""))
}

fn are(others: &str) -> String {
    if others.is_empty() { "is none at all".to_owned() } else { format!("are: {others}") }
}

fn in_profile(profile: Option<&String>) -> String {
    let on_this_computer = || "on this computer".to_owned();
    profile.map_or_else(on_this_computer, |profile| format!("in the profile \"{profile}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_happened_where_and_what_to_do() {
        let errors = [
            FarmError::NoCredentials { profile: None },
            FarmError::NoCredentials { profile: Some("artist".into()) },
            FarmError::Credentials {
                profile: Some("artist".into()),
                reason: "the token has expired".into(),
            },
            FarmError::NoStack { stack: "farm".into(), region: "eu-central-1".into() },
            FarmError::NeedsCode {
                profile: "artist".into(),
                device: "arn:aws:iam::1:mfa/artist".into(),
            },
            FarmError::Certificates {
                path: "/etc/company.pem".into(),
                reason: "there is no certificate in it".into(),
            },
            FarmError::OlderFarm {
                stack: "farm".into(),
                farm: "0.1.0 (protocol 1)".into(),
                ours: "0.1.0 (protocol 2)".into(),
            },
            FarmError::NewerFarm {
                stack: "farm".into(),
                farm: "0.3.0 (protocol 3)".into(),
                ours: "0.2.0 (protocol 2)".into(),
            },
            FarmError::OldBlender { scene: (5, 3), farm: (5, 2) },
            FarmError::LostBlender((4, 5)),
            FarmError::Function {
                function: "farm-Consumer".into(),
                reason: "its image was deleted (InvalidImage)".into(),
            },
            FarmError::NotOurStack { stack: "farm".into(), output: "QueueUrl" },
            FarmError::NoBucket { bucket: "farm-bucket".into() },
            FarmError::Untrusted { reason: "invalid peer certificate: UnknownIssuer".into() },
            FarmError::Unreachable {
                action: "find the stack".into(),
                reason: "connection refused".into(),
            },
            FarmError::PackIncomplete { missing: 2, total: 9, example: "wood.png".into() },
            FarmError::FileChanging { path: "/show/cache.abc".into() },
            FarmError::InsecureEndpoint { endpoint: "http://farm".into() },
        ];
        let messages = errors.map(|error| error.to_string());
        insta::assert_snapshot!(messages.join("\n"));
    }
}
