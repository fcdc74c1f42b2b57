//! What `CloudWatch` is told of a task: metrics in a log line (embedded metric format).
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.

use std::io::Write;

use farm::now_ms;
use protocol::{FailureClass, TaskMessage, TaskTimes};
use serde_json::{Value, json};

/// The namespace of all metrics.
const NAMESPACE: &str = "RenderOnLambda";

/// What became of one try of a task.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    /// The frame is there.
    Done {
        /// Where its time went.
        times: TaskTimes,
        /// The most memory that Blender held, in bytes.
        peak_memory_bytes: u64,
        /// Whether Blender had rendered before.
        is_warm: bool,
    },
    /// It failed.
    Failed {
        /// Whose fault it was.
        class: FailureClass,
    },
}

/// Prints the log line for one try; a closed output is nobody's trouble.
pub(crate) fn tell(outcome: &Outcome, task: &TaskMessage, try_number: u32) {
    let _ = writeln!(std::io::stdout(), "{}", log_line(outcome, task, try_number, now_ms()));
}

/// Job and frame stand in the line beside the metrics, as properties.
fn log_line(outcome: &Outcome, task: &TaskMessage, try_number: u32, now_ms: u64) -> Value {
    let metrics = match outcome {
        Outcome::Done { times, peak_memory_bytes, is_warm } => vec![
            ("Frames", "Count", json!(1)),
            ("ColdFrames", "Count", json!(u8::from(!is_warm))),
            ("FetchSeconds", "Seconds", json!(times.fetch_seconds)),
            ("StartSeconds", "Seconds", json!(times.start_seconds)),
            ("LoadSeconds", "Seconds", json!(times.load_seconds)),
            ("RenderSeconds", "Seconds", json!(times.render_seconds)),
            ("UploadSeconds", "Seconds", json!(times.upload_seconds)),
            ("TotalSeconds", "Seconds", json!(times.total_seconds)),
            ("PeakMemory", "Bytes", json!(peak_memory_bytes)),
        ],
        Outcome::Failed { class: FailureClass::Scene } => {
            vec![("SceneFailures", "Count", json!(1))]
        }
        Outcome::Failed { class: FailureClass::Machine } => {
            vec![("MachineFailures", "Count", json!(1))]
        }
    };
    let definitions: Vec<Value> =
        metrics.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect();
    let mut line = json!({
        "_aws": {
            "Timestamp": now_ms,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [[]],
                "Metrics": definitions,
            }],
        },
        "job": task.job,
        "frame": task.frame,
        "try": try_number,
    });
    if let Some(line) = line.as_object_mut() {
        line.extend(metrics.into_iter().map(|(name, _, value)| (name.to_owned(), value)));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::JobId;

    #[test]
    fn every_metric_that_is_defined_has_its_value_in_the_line() {
        for outcome in [
            Outcome::Done {
                times: TaskTimes::default(),
                peak_memory_bytes: 1 << 30,
                is_warm: false,
            },
            Outcome::Failed { class: FailureClass::Scene },
            Outcome::Failed { class: FailureClass::Machine },
        ] {
            let line = log_line(&outcome, &TaskMessage::new(JobId::now(), 7), 1, 1_700_000_000_000);
            let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
            assert!(!metrics.is_empty());
            for metric in metrics {
                assert!(line[metric["Name"].as_str().unwrap()].is_number(), "{metric}");
            }
            assert_eq!((&line["frame"], &line["try"]), (&json!(7), &json!(1)));
        }
    }
}
