use std::fs::Metadata;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{FarmError, Result};

/// A file changed more recently than this may change again without its times showing it: file
/// systems count in steps of up to two seconds (FAT).
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// What tells that a file is still the one that was read: as long as none of this changes, its
/// bytes did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    pub(crate) size_bytes: u64,
    /// When its bytes were changed, in ns since 1970.
    pub(crate) modified_ns: i64,
    /// When anything of it was changed, also its times; 0 where the system does not tell.
    pub(crate) changed_ns: i64,
    /// Its number in the file system; 0 where there is none.
    pub(crate) inode: u64,
}

impl FileIdentity {
    pub(crate) fn of(path: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(path).map_err(FarmError::io("read", path))?;
        Ok(Self::from(&metadata))
    }

    /// Whether the file has not been touched for so long that its times can be relied on.
    pub(crate) fn is_settled(&self) -> bool {
        let now_ns = nanoseconds(SystemTime::now());
        let limit_ns = i64::try_from(SETTLED_AFTER.as_nanos()).unwrap_or(i64::MAX);
        now_ns.saturating_sub(self.modified_ns.max(self.changed_ns)) > limit_ns
    }
}

#[cfg(unix)]
impl From<&Metadata> for FileIdentity {
    fn from(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let nanoseconds =
            |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            size_bytes: metadata.len(),
            modified_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }
}

#[cfg(not(unix))]
impl From<&Metadata> for FileIdentity {
    fn from(metadata: &Metadata) -> Self {
        Self {
            size_bytes: metadata.len(),
            modified_ns: metadata.modified().map_or(0, nanoseconds),
            changed_ns: 0,
            inode: 0,
        }
    }
}

fn nanoseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
