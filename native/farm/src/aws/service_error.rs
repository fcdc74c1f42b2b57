//! Turns the SDK's errors into ours: the only place that knows the services' error codes.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use protocol::sentence;

use crate::error::FarmError;

/// What was attempted, and on what, for messages.
#[derive(Debug, Clone, Copy, Default)]
pub struct Attempt<'a> {
    /// What, as in "AWS does not allow to …".
    pub action: &'a str,
    /// The profile whose credentials are used, where one is set.
    pub profile: Option<&'a str>,
    /// The bucket, where it is about one.
    pub bucket: Option<&'a str>,
    /// The queue, where it is about one.
    pub queue_url: Option<&'a str>,
    /// The object, where it is about one.
    pub key: Option<&'a str>,
}

impl Attempt<'_> {
    /// Names the error of a call of any of AWS's services.
    #[must_use]
    pub fn error<E>(&self, error: SdkError<E, HttpResponse>) -> FarmError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match credentials_error(&error) {
            Some(CredentialsError::CredentialsNotLoaded(_)) => return self.no_credentials(),
            Some(credentials) => {
                let reason = sentence(credentials);
                // The machine's own role comes last in the chain: nothing before it has any. Where
                // the computer is none of AWS's, nobody wants to read about its metadata service.
                return if reason.contains("IMDS") {
                    self.no_credentials()
                } else {
                    self.credentials(reason)
                };
            }
            None => {}
        }
        let action = self.action.to_owned();
        match error {
            SdkError::ServiceError(service) => {
                let status = service.raw().status().as_u16();
                self.service_error(status, service.err().code(), service.err().message())
            }
            SdkError::ResponseError(response) => {
                let status = response.raw().status().as_u16();
                FarmError::Unreachable { action, reason: format!("the answer {status} breaks off") }
            }
            // What cannot even be asked is not asked better a minute later.
            SdkError::ConstructionFailure(_) => {
                FarmError::Service { action, reason: innermost(&error) }
            }
            other => match innermost(&other) {
                // So rustls begins what it says of a certificate that it does not accept.
                reason if reason.starts_with("invalid peer certificate") => {
                    FarmError::Untrusted { reason }
                }
                reason => FarmError::Unreachable { action, reason },
            },
        }
    }

    /// Names what an answer says of one of the things that it was asked for.
    pub(crate) fn refused(&self, code: Option<&str>, message: Option<&str>) -> FarmError {
        let status = if code == Some("AccessDenied") { 403 } else { 400 };
        self.service_error(status, code, message)
    }

    fn service_error(&self, status: u16, code: Option<&str>, message: Option<&str>) -> FarmError {
        let action = self.action.to_owned();
        let reason = match (code, message) {
            (Some(code), Some(message)) => format!("{message} ({code})"),
            (Some(code), None) => code.to_owned(),
            (None, _) => format!("HTTP status {status}"),
        };
        match (code.unwrap_or_default(), status) {
            ("NoSuchBucket", _) => {
                FarmError::NoBucket { bucket: self.bucket.unwrap_or_default().to_owned() }
            }
            ("AWS.SimpleQueueService.NonExistentQueue" | "QueueDoesNotExist", _) => {
                FarmError::NoQueue { queue_url: self.queue_url.unwrap_or_default().to_owned() }
            }
            (
                "InvalidAccessKeyId"
                | "InvalidClientTokenId"
                | "SignatureDoesNotMatch"
                | "ExpiredToken"
                | "ExpiredTokenException"
                | "TokenRefreshRequired"
                | "UnrecognizedClientException"
                | "InvalidSecurity"
                | "InvalidToken"
                | "InvalidSignatureException"
                | "MissingAuthenticationToken",
                _,
            ) => self.credentials(reason),
            (
                "SlowDown"
                | "InternalError"
                | "ServiceUnavailable"
                | "RequestTimeout"
                | "Throttling"
                | "ThrottlingException"
                | "RequestThrottled"
                | "TooManyRequestsException",
                _,
            )
            | (_, 429 | 500 | 502 | 503 | 504) => FarmError::Throttled { action, reason },
            ("NoSuchKey" | "NotFound" | "NoSuchUpload", _) | (_, 404) => FarmError::NoObject {
                bucket: self.bucket.unwrap_or_default().to_owned(),
                key: self.key.unwrap_or_default().to_owned(),
            },
            ("RequestTimeTooSkewed", _) => FarmError::Service {
                action,
                reason: format!("the clock of this computer is wrong; set it ({reason})"),
            },
            // An answer to HEAD has no body, and so no code: expired credentials look like this.
            ("", 400) => self.credentials(format!("{reason}: they may have expired")),
            (_, 401 | 403) => FarmError::NotAllowed { action, reason },
            _ => FarmError::Service { action, reason },
        }
    }

    fn no_credentials(&self) -> FarmError {
        FarmError::NoCredentials { profile: self.profile.map(str::to_owned) }
    }

    fn credentials(&self, reason: String) -> FarmError {
        FarmError::Credentials { profile: self.profile.map(str::to_owned), reason }
    }
}

/// The error of the credentials chain, if that is what made a call fail.
fn credentials_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CredentialsError> {
    let mut level = Some(error);
    while let Some(current) = level {
        if let Some(credentials) = current.downcast_ref::<CredentialsError>() {
            return Some(credentials);
        }
        level = current.source();
    }
    None
}

/// The cause at the bottom: `connection refused` says more than `dispatch failure`.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut current = error;
    while let Some(source) = current.source() {
        current = source;
    }
    current.to_string()
}
