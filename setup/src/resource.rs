//! The image as a resource of the stack: what CloudFormation asks, and what it is answered
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requests.html>).

use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;
use serde_json::json;

use crate::error::{Result, SetupError};

/// CloudFormation shows no more of a reason.
const MOST_REASON_LETTERS: usize = 1000;
const ANSWER_TRIES: u32 = 4;

/// What CloudFormation asks for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ResourceRequest {
    pub(crate) request_type: RequestType,
    #[serde(rename = "ResponseURL")]
    response_url: String,
    stack_id: String,
    request_id: String,
    logical_resource_id: String,
    /// The digest of the image that is there.
    pub(crate) physical_resource_id: Option<String>,
    pub(crate) resource_properties: ImageProperties,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum RequestType {
    Create,
    Update,
    Delete,
}

/// What the template says of the image.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ImageProperties {
    pub(crate) repository_uri: String,
    /// Where parts are found instead of their sources.
    pub(crate) parts_mirror: Option<String>,
}

/// What became of the request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The image's URI, by its digest.
    Image(String),
    Deleted,
    Failed(SetupError),
}

impl ResourceRequest {
    /// Tells CloudFormation.
    ///
    /// # Errors
    /// [`SetupError::Answer`] where it does not take it.
    pub(crate) async fn answer(&self, client: &Client, outcome: &Outcome) -> Result<()> {
        let body = self.body(outcome).to_string();
        let mut reason = String::new();
        for attempt in 0..ANSWER_TRIES {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_secs(1 << attempt)).await;
            }
            // The address is signed for a request without a content type.
            let sent = client.put(&self.response_url).body(body.clone()).send().await;
            match sent.and_then(reqwest::Response::error_for_status) {
                Ok(_) => return Ok(()),
                // The address of an answer is a secret.
                Err(error) => reason = crate::download::whole_reason(&error.without_url()),
            }
        }
        Err(SetupError::Answer { reason })
    }

    fn body(&self, outcome: &Outcome) -> serde_json::Value {
        let (status, reason) = match outcome {
            Outcome::Failed(error) => {
                ("FAILED", error.to_string().chars().take(MOST_REASON_LETTERS).collect())
            }
            _ => ("SUCCESS", String::new()),
        };
        let digest = match outcome {
            Outcome::Image(uri) => uri.rsplit_once('@').map(|(_, digest)| digest.to_owned()),
            _ => self.physical_resource_id.clone(),
        };
        let mut body = json!({
            "Status": status,
            "Reason": reason,
            "PhysicalResourceId": digest.unwrap_or_else(|| "no image".to_owned()),
            "StackId": self.stack_id,
            "RequestId": self.request_id,
            "LogicalResourceId": self.logical_resource_id,
        });
        if let (Outcome::Image(uri), Some(body)) = (outcome, body.as_object_mut()) {
            body.insert("Data".into(), json!({ "ImageUri": uri }));
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(kind: &str) -> ResourceRequest {
        serde_json::from_value(json!({
            "RequestType": kind,
            "ResponseURL": "https://example.com/answer",
            "StackId": "arn:stack",
            "RequestId": "7",
            "LogicalResourceId": "Image",
            "ResourceType": "Custom::Image",
            "ServiceToken": "arn:function",
            "ResourceProperties": { "ServiceToken": "arn:function", "RepositoryUri": "host/name" },
        }))
        .unwrap()
    }

    #[test]
    fn an_image_is_named_by_its_digest() {
        let body = request("Create").body(&Outcome::Image("host/name@sha256:12".into()));
        assert_eq!(body["Status"], "SUCCESS");
        assert_eq!(body["PhysicalResourceId"], "sha256:12");
        assert_eq!(body["Data"]["ImageUri"], "host/name@sha256:12");
    }

    #[test]
    fn a_failure_says_why() {
        let error = SetupError::Download { path: "a.whl".into(), reason: "404".into() };
        let body = request("Update").body(&Outcome::Failed(error));
        assert_eq!(body["Status"], "FAILED");
        assert_eq!(body["Reason"], "cannot download a.whl: 404");
        assert_eq!(body["PhysicalResourceId"], "no image");
    }
}
