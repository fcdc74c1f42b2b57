use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::{Digest, keys};

use super::hash_cache::{HashCache, HashedFile};
use super::large_file::{self, LargeFile, Started};
use super::limits::Limits;
use super::meter::Meter;
use super::put_file::CONFLICT_PAUSES;
use super::share::Share;
use crate::aws::counted_body::SentBytes;
use crate::aws::multipart::Completion;
use crate::aws::storage::Storage;
use crate::error::{FarmError, Result};

/// How long the network may be gone before an upload gives up.
const OFFLINE_LIMIT: Duration = Duration::from_secs(600);

/// The longest pause between two tries.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// What the parts of one upload share.
pub(super) struct Transfer<'a> {
    pub(super) storage: &'a Storage,
    pub(super) cache: &'a HashCache,
    pub(super) limits: Limits,
    pub(super) meter: Arc<Meter>,
    /// After how long the bucket deletes an object.
    pub(super) retention: Duration,
    pub(super) on_trouble: &'a (dyn Fn(String) + Send + Sync),
}

/// Whether a blob had to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Sent,
    WasThere,
}

impl Transfer<'_> {
    /// Whether the bucket has a blob and keeps it long enough. One that is past half its time is
    /// made new, so that no blob of a pack is deleted under a job that still renders.
    pub(super) async fn has(&self, key: &str, size_bytes: u64) -> Result<bool> {
        let Some(found) = self.patiently(|| self.storage.look(key)).await? else {
            return Ok(false);
        };
        let is_whole = found.size_bytes == size_bytes;
        if is_whole && found.age < self.retention / 2 {
            return Ok(true);
        }
        if is_whole && size_bytes <= Storage::MAX_COPY_BYTES {
            return match self.patiently(|| self.storage.renew(key)).await {
                Ok(()) => Ok(true),
                // The lifecycle rule was quicker.
                Err(FarmError::NoObject { .. }) => Ok(false),
                Err(error) => Err(error),
            };
        }
        // Damaged, or too large to copy: a conditional put only works where nothing is.
        self.patiently(|| self.storage.delete(key)).await?;
        Ok(false)
    }

    /// Makes the bucket have these bytes. They were read once, so they are what was hashed.
    pub(super) async fn put(&self, key: &str, bytes: Bytes, file_bytes: u64) -> Result<Outcome> {
        let share: Arc<dyn SentBytes> = Share::new(&self.meter, file_bytes, bytes.len() as u64);
        let sent = self.patiently(|| self.storage.put_bytes_if_absent(key, &bytes, &share)).await?;
        Ok(if sent { Outcome::Sent } else { Outcome::WasThere })
    }

    /// Sends a large file in parts; goes on where an earlier run, or the network, ended.
    pub(super) async fn put_large(&self, file: HashedFile<'_>) -> Result<Outcome> {
        let key = keys::blob(file.digest);
        let bucket = self.storage.bucket();
        let whole = LargeFile { key: &key, path: file.path, size_bytes: file.identity.size_bytes };
        let shares = Mutex::new(HashMap::new());
        let share_of = |number: i32, bytes| {
            let mut shares = shares.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(
                shares.entry(number).or_insert_with(|| Share::new(&self.meter, bytes, bytes)),
            )
        };
        let (mut progressed, mut parts_there) = (Instant::now(), 0);
        let mut conflicts = CONFLICT_PAUSES.into_iter();
        loop {
            let started = self.begin(&key, &file).await?;
            if started.parts_there() > parts_there {
                (progressed, parts_there) = (Instant::now(), started.parts_there());
            }
            let sent =
                large_file::send(self.storage, &whole, &started, &self.limits, share_of).await;
            match sent {
                Ok(completion) => {
                    self.cache.forget_upload(bucket, file.digest);
                    match (completion, conflicts.next()) {
                        (Completion::Done, _) => return Ok(Outcome::Sent),
                        (Completion::WasThere, _) => return Ok(Outcome::WasThere),
                        (Completion::Again, Some(pause)) => {
                            for share in
                                shares.lock().unwrap_or_else(PoisonError::into_inner).values()
                            {
                                share.take_back();
                            }
                            tokio::time::sleep(pause).await;
                        }
                        (Completion::Again, None) => {
                            return Err(FarmError::Throttled {
                                action: "write to the bucket".into(),
                                reason: format!("{key} is being written by others"),
                            });
                        }
                    }
                }
                // Another Blender finished the same upload, or gave it up.
                Err(FarmError::NoObject { .. }) if progressed.elapsed() < OFFLINE_LIMIT => {
                    self.cache.forget_upload(bucket, file.digest);
                    if self.has(&key, whole.size_bytes).await? {
                        return Ok(Outcome::WasThere);
                    }
                }
                Err(error) if error.is_transient() && progressed.elapsed() < OFFLINE_LIMIT => {
                    (self.on_trouble)(protocol::sentence(&error));
                    tokio::time::sleep(MAX_PAUSE).await;
                }
                // The parts that are there stay for the next run.
                Err(error) => return Err(error),
            }
        }
    }

    async fn begin(&self, key: &str, file: &HashedFile<'_>) -> Result<Started> {
        let bucket = self.storage.bucket();
        if let Some(upload) = self.cache.find_upload(bucket, file) {
            let resumed =
                self.patiently(|| large_file::resume(self.storage, key, upload.clone())).await?;
            if let Some(started) = resumed {
                return Ok(started);
            }
        }
        let started = self.patiently(|| large_file::start(self.storage, key)).await?;
        self.cache.remember_upload(bucket, file, &started.upload);
        Ok(started)
    }

    /// Takes a blob back whose bytes are not what was hashed.
    pub(super) async fn take_back(
        &self,
        path: &Path,
        digest: &Digest,
        outcome: Outcome,
    ) -> Result<()> {
        let path = path.display();
        (self.on_trouble)(format!("{path} was changed while it was sent: reading it again"));
        if outcome == Outcome::Sent {
            let key = keys::blob(digest);
            self.patiently(|| self.storage.delete(&key)).await?;
        }
        Ok(())
    }

    /// Tries again as long as the network may come back; says so each time.
    async fn patiently<T, F: Future<Output = Result<T>> + Send>(
        &self,
        work: impl Fn() -> F + Send,
    ) -> Result<T> {
        let since = Instant::now();
        let mut pause = Duration::from_secs(1);
        loop {
            match work().await {
                Err(error) if error.is_transient() && since.elapsed() < OFFLINE_LIMIT => {
                    (self.on_trouble)(protocol::sentence(&error));
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(MAX_PAUSE);
                }
                done => return done,
            }
        }
    }
}
