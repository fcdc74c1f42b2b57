//! Answers as JSON, and which status an error has.

use farm::FarmError;
use lambda_http::http::{StatusCode, header};
use lambda_http::{Body, Response};
use protocol::sentence;
use serde_json::{Value, json};

/// An answer with a JSON body.
pub(crate) fn json_answer(status: StatusCode, body: &Value) -> Response<Body> {
    let mut answer = Response::new(Body::from(body.to_string()));
    *answer.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    answer
}

/// The answer to what the library refused. What the caller sent wrong is 400 and in words; what
/// is wrong on this side is in the log.
pub(crate) fn error_answer(error: &FarmError) -> Response<Body> {
    let status = match error {
        FarmError::Protocol(_) | FarmError::NoPack { .. } | FarmError::PackIncomplete { .. } => {
            StatusCode::BAD_REQUEST
        }
        FarmError::NoObject { .. } => StatusCode::NOT_FOUND,
        FarmError::OtherJob { .. } | FarmError::JobCancelled { .. } => StatusCode::CONFLICT,
        error if error.is_transient() => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let message = sentence(error);
    if status.is_server_error() {
        tracing::error!(error = message, "cannot answer");
    }
    json_answer(status, &json!({ "error": message }))
}
