use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use protocol::{Digest, PackPath};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::file_identity::FileIdentity;

/// The file's name; another layout gets another number.
const FILE_NAME: &str = "digests-1.sqlite";

/// How many digests are kept back to be written at once.
const PENDING_DIGESTS: usize = 512;

/// How many are kept back while another Blender writes.
const MOST_PENDING_DIGESTS: usize = 8 * PENDING_DIGESTS;

/// A file above this size is worth a write of its own.
const LARGE_BYTES: u64 = 64 << 20;

/// After how many days a file is hashed again, whatever its times say.
const KEPT_DAYS: i64 = 180;

/// How long another Blender that writes is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long until it is asked again whether the other is done.
const PAUSE: Duration = Duration::from_millis(10);

/// The digests of files that were hashed before, on disk, for all Blenders of this user.
///
/// It only saves time. Where it cannot be opened, files are hashed; where it is damaged, it begins
/// anew; and every row carries a check of its own, so that what is read is what was written.
#[derive(Debug)]
pub(crate) struct HashCache {
    connection: Mutex<Option<Connection>>,
    pending: Mutex<Vec<(PathBuf, FileIdentity, Digest)>>,
    file: PathBuf,
}

impl HashCache {
    /// Opens or makes the cache in a folder.
    pub(crate) fn open(folder: &Path) -> Self {
        let file = folder.join(FILE_NAME);
        let opened = std::fs::create_dir_all(folder).ok().and_then(|()| {
            open(&file)
                .or_else(|error| if is_damage(&error) { rebuild(&file) } else { Err(error) })
                .ok()
        });
        Self { connection: Mutex::new(opened), pending: Mutex::default(), file }
    }

    /// The digest of a file that has not changed since it was hashed.
    pub(crate) fn find(&self, path: &Path, identity: &FileIdentity) -> Option<Digest> {
        let (digest, check) = self.with(|connection| {
            connection
                .prepare_cached(
                    "SELECT digest, checked FROM files WHERE path = ?1 AND size = ?2
                     AND modified_ns = ?3 AND changed_ns = ?4 AND inode = ?5",
                )?
                .query_row(
                    params![
                        path_bytes(path),
                        signed(identity.size_bytes),
                        identity.modified_ns,
                        identity.changed_ns,
                        signed(identity.inode)
                    ],
                    |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)),
                )
                .optional()
        })??;
        let digest = Digest::try_from(digest).ok()?;
        (check == file_check(path, identity, &digest)).then_some(digest)
    }

    /// Remembers the digest of a file, unless it was changed a moment ago.
    pub(crate) fn remember(&self, path: &Path, identity: FileIdentity, digest: Digest) {
        if !identity.is_settled() {
            return;
        }
        let mut pending = lock(&self.pending);
        pending.push((path.to_owned(), identity, digest));
        let is_many = pending.len().is_multiple_of(PENDING_DIGESTS);
        if is_many || identity.size_bytes >= LARGE_BYTES {
            self.write(&mut pending);
        }
    }

    /// The digest and size of the bundle that certain files with certain bytes make.
    pub(crate) fn find_bundle(&self, recipe: &BundleRecipe) -> Option<(Digest, u64)> {
        let (digest, size, check) = self.with(|connection| {
            connection
                .prepare_cached("SELECT digest, size, checked FROM bundles WHERE recipe = ?1")?
                .query_row([recipe.0.as_slice()], |row| {
                    Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?))
                })
                .optional()
        })??;
        let (digest, size) = (Digest::try_from(digest).ok()?, u64::try_from(size).ok()?);
        (check == bundle_check(recipe, &digest, size)).then_some((digest, size))
    }

    /// Remembers what bundle certain files make.
    pub(crate) fn remember_bundle(&self, recipe: &BundleRecipe, digest: &Digest, size: u64) {
        self.with(|connection| {
            connection
                .prepare_cached("INSERT OR REPLACE INTO bundles VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![
                    recipe.0.as_slice(),
                    digest.as_str(),
                    signed(size),
                    today(),
                    bundle_check(recipe, digest, size)
                ])
        });
    }

    /// The id of an upload in parts of this very file that was begun and not finished.
    pub(crate) fn find_upload(&self, bucket: &str, file: &HashedFile<'_>) -> Option<String> {
        let (upload, check): (String, Vec<u8>) = self.with(|connection| {
            connection
                .query_row(
                    "SELECT upload, checked FROM uploads WHERE bucket = ?1 AND digest = ?2",
                    [bucket, file.digest.as_str()],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()
        })??;
        (check == file_check(file.path, &file.identity, file.digest)).then_some(upload)
    }

    /// Remembers that an upload in parts has begun.
    pub(crate) fn remember_upload(&self, bucket: &str, file: &HashedFile<'_>, upload: &str) {
        self.with(|connection| {
            connection.execute(
                "INSERT OR REPLACE INTO uploads VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    bucket,
                    file.digest.as_str(),
                    upload,
                    today(),
                    file_check(file.path, &file.identity, file.digest)
                ],
            )
        });
    }

    /// Forgets an upload in parts that came to its end.
    pub(crate) fn forget_upload(&self, bucket: &str, digest: &Digest) {
        self.with(|connection| {
            connection.execute(
                "DELETE FROM uploads WHERE bucket = ?1 AND digest = ?2",
                [bucket, digest.as_str()],
            )
        });
    }

    /// Writes what was kept back.
    pub(crate) fn flush(&self) {
        self.write(&mut lock(&self.pending));
    }

    /// Writes digests; those that another Blender kept from being written wait for the next time.
    fn write(&self, digests: &mut Vec<(PathBuf, FileIdentity, Digest)>) {
        if digests.is_empty() {
            return;
        }
        let written = self.with(|connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            {
                let mut insert = transaction.prepare_cached(
                    "INSERT OR REPLACE INTO files VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?;
                for (path, identity, digest) in &*digests {
                    insert.execute(params![
                        path_bytes(path),
                        signed(identity.size_bytes),
                        identity.modified_ns,
                        identity.changed_ns,
                        signed(identity.inode),
                        digest.as_str(),
                        today(),
                        file_check(path, identity, digest)
                    ])?;
                }
            }
            transaction.commit()
        });
        // What waits has a bound too, where nothing can be written at all.
        if written.is_some() || digests.len() > MOST_PENDING_DIGESTS {
            digests.clear();
        }
    }

    /// Uses the cache; where it turns out to be damaged, it begins anew.
    fn with<T>(&self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Option<T> {
        let mut connection = lock(&self.connection);
        match work(connection.as_mut()?) {
            Ok(value) => Some(value),
            Err(error) => {
                if is_damage(&error) {
                    *connection = None;
                    *connection = rebuild(&self.file).ok();
                }
                None
            }
        }
    }
}

impl Drop for HashCache {
    fn drop(&mut self) {
        self.flush();
    }
}

/// A file with the digest that it had as long as its identity holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HashedFile<'a> {
    pub(crate) path: &'a Path,
    pub(crate) identity: FileIdentity,
    pub(crate) digest: &'a Digest,
}

/// Names the content of a bundle before it is made: its files' paths and digests.
#[derive(Debug)]
pub(crate) struct BundleRecipe([u8; 32]);

impl BundleRecipe {
    pub(crate) fn new<'a>(files: impl Iterator<Item = (&'a PackPath, &'a Digest)>) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("render-on-lambda bundle recipe 1");
        for (path, digest) in files {
            hasher
                .update(path.as_str().as_bytes())
                .update(b"\0")
                .update(digest.as_str().as_bytes());
        }
        Self(hasher.finalize().into())
    }
}

fn open(file: &Path) -> rusqlite::Result<Connection> {
    let begun = Instant::now();
    loop {
        match open_once(file) {
            // `SQLite` waits for no other that switches to the log at the same moment: two that
            // do would wait for each other (<https://www.sqlite.org/c3ref/busy_handler.html>).
            Err(error) if is_busy(&error) && begun.elapsed() < PATIENCE => {
                std::thread::sleep(PAUSE);
            }
            opened => return opened,
        }
    }
}

fn open_once(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(PATIENCE)?;
    // Readers and a writer do not wait for each other; a crash loses the last rows at most.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS files (path BLOB PRIMARY KEY, size INTEGER, modified_ns INTEGER,
            changed_ns INTEGER, inode INTEGER, digest TEXT, day INTEGER, checked BLOB) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS bundles (recipe BLOB PRIMARY KEY, digest TEXT, size INTEGER,
            day INTEGER, checked BLOB) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS uploads (bucket TEXT, digest TEXT, upload TEXT, day INTEGER,
            checked BLOB, PRIMARY KEY (bucket, digest)) WITHOUT ROWID;",
    )?;
    let oldest = today() - KEPT_DAYS;
    for table in ["files", "bundles", "uploads"] {
        // Looked for first: a Blender that only reads need not wait for one that writes.
        let old = format!("SELECT 1 FROM {table} WHERE day < ?1 LIMIT 1");
        if connection.query_row(&old, [oldest], |_| Ok(())).optional()?.is_some() {
            connection.execute(&format!("DELETE FROM {table} WHERE day < ?1"), [oldest])?;
        }
    }
    Ok(connection)
}

fn rebuild(file: &Path) -> rusqlite::Result<Connection> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        let _ = std::fs::remove_file(PathBuf::from(name));
    }
    open(file)
}

/// Whether another Blender is at it.
fn is_busy(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked))
}

/// Whether the file is not, or no longer, a database of ours.
fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase, Unknown};
    match error {
        // Unknown is what a table with other columns says.
        rusqlite::Error::SqliteFailure(failure, _) => {
            matches!(failure.code, DatabaseCorrupt | NotADatabase | Unknown)
        }
        rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::Utf8Error(..) => true,
        _ => false,
    }
}

fn file_check(path: &Path, identity: &FileIdentity, digest: &Digest) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new_derive_key("render-on-lambda digest cache 1");
    hasher.update(digest.as_str().as_bytes());
    hasher.update(&identity.size_bytes.to_le_bytes());
    hasher.update(&identity.modified_ns.to_le_bytes());
    hasher.update(&identity.changed_ns.to_le_bytes());
    hasher.update(&identity.inode.to_le_bytes());
    hasher.update(path_bytes(path));
    short(&hasher)
}

fn bundle_check(recipe: &BundleRecipe, digest: &Digest, size: u64) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new_derive_key("render-on-lambda bundle cache 1");
    hasher.update(&recipe.0).update(digest.as_str().as_bytes()).update(&size.to_le_bytes());
    short(&hasher)
}

fn short(hasher: &blake3::Hasher) -> Vec<u8> {
    hasher.finalize().as_bytes().iter().take(8).copied().collect()
}

fn path_bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

/// `SQLite` has signed integers alone; the bits are what counts.
fn signed(value: u64) -> i64 {
    value.cast_signed()
}

fn today() -> i64 {
    i64::try_from(crate::clock::now_ms() / 86_400_000).unwrap_or(0)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(digits: &str) -> Digest {
        Digest::try_from(digits.repeat(32)).unwrap()
    }

    fn identity(size_bytes: u64) -> FileIdentity {
        FileIdentity { size_bytes, modified_ns: 5, changed_ns: 6, inode: u64::MAX }
    }

    fn filled(folder: &Path) -> PathBuf {
        let cache = HashCache::open(folder);
        for number in 0..300 {
            cache.remember(Path::new(&format!("/t/{number}")), identity(number), digest("ab"));
        }
        drop(cache);
        folder.join(FILE_NAME)
    }

    #[test]
    fn a_digest_is_found_until_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path());
        let cache = HashCache::open(folder.path());
        let path = Path::new("/t/7");
        assert_eq!(cache.find(path, &identity(7)), Some(digest("ab")));
        for other in [
            FileIdentity { size_bytes: 8, ..identity(7) },
            FileIdentity { modified_ns: 4, ..identity(7) },
            FileIdentity { changed_ns: 7, ..identity(7) },
            FileIdentity { inode: 1, ..identity(7) },
        ] {
            assert_eq!(cache.find(path, &other), None, "{other:?}");
        }
        assert_eq!(cache.find(Path::new("/t/8"), &identity(7)), None);
    }

    #[test]
    fn a_file_that_was_just_written_is_not_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        std::fs::write(&file, "a").unwrap();
        let cache = HashCache::open(folder.path());
        let fresh = FileIdentity::of(&file).unwrap();
        cache.remember(&file, fresh, digest("ab"));
        cache.flush();
        assert_eq!(cache.find(&file, &fresh), None);
    }

    #[test]
    fn a_damaged_cache_gives_nothing_wrong_and_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let file = filled(folder.path());
        let whole = std::fs::read(&file).unwrap();
        let damages = (0..whole.len()).step_by(whole.len() / 60).map(|at| {
            let mut bytes = whole.clone();
            for byte in bytes.iter_mut().skip(at).take(40) {
                *byte ^= 0x55;
            }
            bytes
        });
        let cut = [Vec::new(), b"no database".to_vec(), whole[..whole.len() / 2].to_vec()];
        for damaged in damages.chain(cut) {
            std::fs::write(&file, damaged).unwrap();
            let cache = HashCache::open(folder.path());
            for number in 0..300 {
                let found = cache.find(Path::new(&format!("/t/{number}")), &identity(number));
                assert!(found.is_none_or(|found| found == digest("ab")));
            }
            cache.remember(Path::new("/new"), identity(1), digest("cd"));
            cache.flush();
            drop(cache);
            // Damage in a page that was not touched may still be there: it is named when met.
            let _ = HashCache::open(folder.path()).find(Path::new("/new"), &identity(1));
        }
    }

    #[test]
    fn two_blenders_use_it_at_once() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for blender in 0..4 {
                let folder = folder.path();
                scope.spawn(move || {
                    let cache = HashCache::open(folder);
                    for number in 0..200 {
                        let path = PathBuf::from(format!("/{blender}/{number}"));
                        cache.remember(&path, identity(number), digest("ab"));
                        cache.flush();
                    }
                });
            }
        });
        let cache = HashCache::open(folder.path());
        for blender in 0..4 {
            for number in 0..200 {
                let path = PathBuf::from(format!("/{blender}/{number}"));
                assert_eq!(cache.find(&path, &identity(number)), Some(digest("ab")), "{path:?}");
            }
        }
    }

    #[test]
    fn what_another_blender_keeps_from_being_written_waits() {
        let folder = tempfile::tempdir().unwrap();
        let cache = HashCache::open(folder.path());
        let other = open(&folder.path().join(FILE_NAME)).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        cache.remember(Path::new("/a"), identity(1), digest("ab"));
        cache.flush();
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(cache.find(Path::new("/a"), &identity(1)), None);
        cache.flush();
        assert_eq!(cache.find(Path::new("/a"), &identity(1)), Some(digest("ab")));
    }

    #[test]
    fn many_blenders_make_it_at_once() {
        for _ in 0..40 {
            let folder = tempfile::tempdir().unwrap();
            let begin = std::sync::Barrier::new(8);
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        begin.wait();
                        let cache = HashCache::open(folder.path());
                        assert!(lock(&cache.connection).is_some());
                    });
                }
            });
        }
    }

    #[test]
    fn a_folder_that_cannot_be_is_no_cache_and_no_error() {
        let cache = HashCache::open(Path::new("/dev/null/none"));
        cache.remember(Path::new("/a"), identity(1), digest("ab"));
        assert_eq!(cache.find(Path::new("/a"), &identity(1)), None);
    }
}
