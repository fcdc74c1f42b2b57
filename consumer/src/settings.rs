use std::time::Duration;

use crate::blender::programs::Programs;
use crate::error::{ConsumerError, Result};

/// What the consumer is told by its environment.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// `BUCKET_NAME`.
    pub(crate) bucket: String,
    /// `QUEUE_URL`.
    pub(crate) queue_url: String,
    /// `BLENDER`: Blender's executable, or a Python that has the `bpy` module. `OLDER_BLENDERS`, none
    /// by default: others, as in "4.5=/usr/bin/python3.11".
    pub(crate) blenders: Programs,
    /// `LEASE_SECONDS`, 60 by default: how long a task stays hidden without being renewed.
    pub(crate) lease: Duration,
    /// `DEAD_LETTER_QUEUE_URL`: where the messages go of tasks that are given up; nowhere where it is
    /// not set.
    pub(crate) dead_letters_url: Option<String>,
    /// `MAX_TRIES`, 5 by default: after how many tries a task is given up.
    pub(crate) max_tries: u32,
    /// `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`, in MiB: where Lambda would end this process. No limit
    /// where it is not set.
    pub(crate) memory_bytes: Option<u64>,
    /// `MAXIMUM_CONCURRENCY`: how many workers the queue has, so that an image may be split among
    /// them. None is split for speed where it is not set.
    pub(crate) workers: Option<u32>,
    /// `HANG_SECONDS`, 300 by default: how long Blender may say nothing of its work.
    pub(crate) silence: Duration,
    /// Whether no file that this process may read is anybody else's: so inside Lambda, which says
    /// so with `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) files_are_ours: bool,
    /// `OWNS_TEMPORARY_FOLDER`, set in the container's image: whatever lies in the folder for
    /// temporary files was left by a job.
    pub(crate) owns_temporary_folder: bool,
    /// Who this is, in task records.
    pub(crate) name: String,
}

impl Settings {
    pub(crate) fn from_environment() -> Result<Self> {
        Self::from(|name| std::env::var(name).ok())
    }

    fn from(variable: impl Fn(&'static str) -> Option<String>) -> Result<Self> {
        let required =
            |name, expected| {
                variable(name)
                    .filter(|value| !value.is_empty())
                    .ok_or_else(|| ConsumerError::Setting { name, expected, got: "not set".into() })
            };
        let number = |name, expected, range: std::ops::RangeInclusive<u32>, default: u32| {
            let Some(text) = variable(name) else { return Ok(default) };
            text.parse().ok().filter(|value| range.contains(value)).ok_or_else(|| {
                ConsumerError::Setting { name, expected, got: format!("\"{text}\"") }
            })
        };
        let host = || variable("HOSTNAME").unwrap_or_else(|| "worker".into());
        Ok(Self {
            bucket: required("BUCKET_NAME", "the name of the stack's bucket")?,
            queue_url: required("QUEUE_URL", "the address of the stack's queue")?,
            blenders: {
                let newest = required("BLENDER", "the path of Blender or of a Python with bpy")?;
                let older = variable("OLDER_BLENDERS").unwrap_or_default();
                Programs::new(newest.into(), &older).ok_or(ConsumerError::Setting {
                    name: "OLDER_BLENDERS",
                    expected: "versions and programs, as in 4.5=/usr/bin/python3.11",
                    got: format!("\"{older}\""),
                })?
            },
            lease: Duration::from_secs(
                number("LEASE_SECONDS", "3 to 43200", 3..=43_200, 60)?.into(),
            ),
            dead_letters_url: variable("DEAD_LETTER_QUEUE_URL").filter(|url| !url.is_empty()),
            max_tries: number("MAX_TRIES", "1 to 1000", 1..=1000, 5)?,
            memory_bytes: match number(
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                "0 to 10485760",
                0..=10_485_760,
                0,
            )? {
                0 => None,
                mebibytes => Some(u64::from(mebibytes) << 20),
            },
            workers: match number("MAXIMUM_CONCURRENCY", "0 to 100000", 0..=100_000, 0)? {
                0 | 1 => None,
                workers => Some(workers),
            },
            silence: Duration::from_secs(
                number("HANG_SECONDS", "5 to 43200", 5..=43_200, 300)?.into(),
            ),
            files_are_ours: variable("AWS_LAMBDA_RUNTIME_API").is_some(),
            owns_temporary_folder: variable("OWNS_TEMPORARY_FOLDER").is_some_and(|set| set == "1"),
            name: variable("AWS_LAMBDA_LOG_STREAM_NAME")
                .unwrap_or_else(|| format!("{}:{}", host(), std::process::id())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&'static str, &str)]) -> Result<Settings> {
        Settings::from(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn what_is_missing_or_out_of_range_is_named() {
        let all = [("BUCKET_NAME", "b"), ("QUEUE_URL", "q"), ("BLENDER", "/usr/bin/blender")];
        assert_eq!(from(&all).unwrap().lease, Duration::from_secs(60));
        let missing = from(&all[..2]).unwrap_err().to_string();
        let with = |name, value| from(&[&all[..], &[(name, value)]].concat());
        let short = with("LEASE_SECONDS", "1").unwrap_err().to_string();
        let older = with("OLDER_BLENDERS", "/usr/bin/python3.11").unwrap_err().to_string();
        insta::assert_snapshot!(format!("{missing}\n{short}\n{older}"), @r#"
        the environment variable BLENDER is not set: expected the path of Blender or of a Python with bpy
        the environment variable LEASE_SECONDS is "1": expected 3 to 43200
        the environment variable OLDER_BLENDERS is "/usr/bin/python3.11": expected versions and programs, as in 4.5=/usr/bin/python3.11
        "#);
    }
}
