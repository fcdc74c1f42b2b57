//! What is sent as one blob: a large file, or a bundle of small ones.

use std::path::PathBuf;
use std::time::Duration;

use protocol::{Bundle, Digest, Manifest, PackPath, PackedFile, keys};
use scene::PlannedFile;

use super::blocking::blocking;
use super::file_identity::FileIdentity;
use super::hash_cache::{BundleRecipe, HashedFile};
use super::read::{self, ReadBundle};
use super::transfer::{Outcome, Transfer};
use crate::aws::storage::Storage;
use crate::error::{FarmError, Result};
use crate::transfer::bundle::{SMALL_FILE_BYTES, membership};

/// How long a file that changed while it was sent is left alone before it is read again.
const SETTLING: Duration = Duration::from_millis(300);

/// A file of the pack, as it was found on disk.
#[derive(Debug)]
pub(super) struct Member {
    path: PackPath,
    source: PathBuf,
    identity: FileIdentity,
    opens_without: bool,
}

/// One blob to make.
#[derive(Debug)]
pub(super) enum Unit {
    File(Member),
    Bundle(Vec<Member>),
}

/// The files of a blob that the bucket has now.
#[derive(Debug)]
pub(super) struct PackedUnit {
    files: Vec<PackedFile>,
    bundle: Option<Bundle>,
}

impl Member {
    pub(super) fn look(file: PlannedFile) -> Result<Self> {
        let identity = FileIdentity::of(&file.source)?;
        let opens_without = file.opens_without;
        Ok(Self { path: file.path, source: file.source, identity, opens_without })
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.identity.size_bytes
    }

    fn packed(&self, digest: Digest, size_bytes: u64) -> PackedFile {
        let (path, opens_without) = (self.path.clone(), self.opens_without);
        PackedFile { path, digest, size_bytes, bundle: None, opens_without }
    }
}

/// Divides the files of a pack into blobs, the largest first: they take longest.
///
/// The scene itself is never bundled, as it changes with every render.
pub(super) fn divide(members: Vec<Member>, scene: &PackPath) -> Vec<Unit> {
    let is_small =
        |member: &Member| member.size_bytes() <= SMALL_FILE_BYTES && member.path != *scene;
    let (small, mut large): (Vec<_>, Vec<_>) = members.into_iter().partition(is_small);
    large.sort_by_key(|member| std::cmp::Reverse(member.size_bytes()));
    let sizes: Vec<_> = small.iter().map(|member| (&member.path, member.size_bytes())).collect();
    let bundles = membership(&sizes);
    let mut small: Vec<Option<Member>> = small.into_iter().map(Some).collect();
    let bundles = bundles.into_iter().map(|bundle| {
        let take = |index: usize| small.get_mut(index).and_then(Option::take);
        Unit::Bundle(bundle.into_iter().filter_map(take).collect())
    });
    let bundles: Vec<Unit> = bundles.collect();
    large.into_iter().map(Unit::File).chain(bundles).collect()
}

/// The manifest of what was packed; the same files always give the same one.
pub(super) fn manifest(scene: &PackPath, mut packed: Vec<PackedUnit>) -> Manifest {
    let digest = |unit: &PackedUnit| unit.bundle.as_ref().map(|bundle| bundle.digest.to_string());
    packed.sort_by_cached_key(digest);
    let (mut files, mut bundles) = (Vec::new(), Vec::new());
    for unit in packed {
        let index = unit.bundle.map(|bundle| {
            bundles.push(bundle);
            u32::try_from(bundles.len() - 1).unwrap_or(u32::MAX)
        });
        files.extend(unit.files.into_iter().map(|file| PackedFile { bundle: index, ..file }));
    }
    Manifest::new(scene.clone(), files, bundles)
}

impl Unit {
    /// Makes the bucket have this blob.
    pub(super) async fn upload(self, transfer: &Transfer<'_>) -> Result<PackedUnit> {
        match self {
            Self::Bundle(members) => upload_bundle(transfer, members).await,
            Self::File(member) => {
                let file = upload_file(transfer, member).await?;
                Ok(PackedUnit { files: vec![file], bundle: None })
            }
        }
    }
}

async fn upload_file(transfer: &Transfer<'_>, mut member: Member) -> Result<PackedFile> {
    for _ in 0..read::TRIES {
        let known = transfer.cache.find(&member.source, &member.identity);
        if let Some(digest) = &known {
            hashed(transfer, 1, member.size_bytes());
            if transfer.has(&keys::blob(digest), member.size_bytes()).await? {
                counted(transfer, Outcome::WasThere, 1, member.size_bytes());
                return Ok(member.packed(digest.clone(), member.size_bytes()));
            }
        }
        if member.size_bytes() <= Storage::MULTIPART_FROM_BYTES {
            return upload_whole(transfer, member, known.is_some()).await;
        }
        let digest = if let Some(digest) = known {
            digest
        } else {
            let digest = hash_large(transfer, &mut member).await?;
            if transfer.has(&keys::blob(&digest), member.size_bytes()).await? {
                counted(transfer, Outcome::WasThere, 1, member.size_bytes());
                return Ok(member.packed(digest, member.size_bytes()));
            }
            digest
        };
        let identity = member.identity;
        let file = HashedFile { path: &member.source, identity, digest: &digest };
        let outcome = transfer.put_large(file).await?;
        if FileIdentity::of(&member.source)? == identity {
            transfer.meter.count(|progress| progress.sent_files += 1);
            return Ok(member.packed(digest, identity.size_bytes));
        }
        transfer.take_back(&member.source, &digest, outcome).await?;
        tokio::time::sleep(SETTLING).await;
        member.identity = FileIdentity::of(&member.source)?;
    }
    Err(FarmError::FileChanging { path: member.source })
}

async fn hash_large(transfer: &Transfer<'_>, member: &mut Member) -> Result<Digest> {
    let _processor = transfer.limits.processor().await;
    let source = member.source.clone();
    let read = blocking(move || read::hash(&source)).await?;
    member.identity = read.identity;
    transfer.cache.remember(&member.source, read.identity, read.digest.clone());
    hashed(transfer, 1, member.size_bytes());
    Ok(read.digest)
}

/// Sends a file from one reading: what is sent is what was hashed.
async fn upload_whole(
    transfer: &Transfer<'_>,
    member: Member,
    was_hashed: bool,
) -> Result<PackedFile> {
    let limit_bytes = Storage::MULTIPART_FROM_BYTES;
    let _memory = transfer.limits.memory(member.size_bytes()).await;
    let source = member.source.clone();
    let processor = transfer.limits.processor().await;
    let buffer = transfer.limits.buffers().take(usize::try_from(member.size_bytes()).unwrap_or(0));
    let read = blocking(move || read::read_whole(&source, limit_bytes, buffer)).await?;
    drop(processor);
    transfer.cache.remember(&member.source, read.identity, read.digest.clone());
    if !was_hashed {
        hashed(transfer, 1, member.size_bytes());
    }
    let size_bytes = read.identity.size_bytes;
    let key = keys::blob(&read.digest);
    let bytes = transfer.limits.buffers().lend(read.bytes);
    let outcome = if transfer.has(&key, size_bytes).await? {
        Outcome::WasThere
    } else {
        transfer.put(&key, bytes, size_bytes).await?
    };
    counted(transfer, outcome, 1, size_bytes);
    Ok(member.packed(read.digest, size_bytes))
}

async fn upload_bundle(transfer: &Transfer<'_>, members: Vec<Member>) -> Result<PackedUnit> {
    let count = members.len() as u64;
    let file_bytes = members.iter().map(Member::size_bytes).sum::<u64>();
    let known: Option<Vec<Digest>> = members
        .iter()
        .map(|member| transfer.cache.find(&member.source, &member.identity))
        .collect();
    if let Some(digests) = &known {
        hashed(transfer, count, file_bytes);
        let recipe = BundleRecipe::new(members.iter().map(|member| &member.path).zip(digests));
        if let Some((digest, size_bytes)) = transfer.cache.find_bundle(&recipe)
            && transfer.has(&keys::blob(&digest), size_bytes).await?
        {
            counted(transfer, Outcome::WasThere, count, file_bytes);
            let files = members.iter().zip(digests);
            let files = files
                .map(|(member, digest)| member.packed(digest.clone(), member.size_bytes()))
                .collect();
            return Ok(PackedUnit { files, bundle: Some(Bundle { digest, size_bytes }) });
        }
    }
    let _memory = transfer.limits.memory(file_bytes).await;
    let read = read_members(transfer, &members).await?;
    if known.is_none() {
        hashed(transfer, count, file_bytes);
    }
    for (member, (identity, digest)) in members.iter().zip(&read.files) {
        transfer.cache.remember(&member.source, *identity, digest.clone());
    }
    let size_bytes = read.zip.len() as u64;
    let recipe = BundleRecipe::new(
        members.iter().map(|member| &member.path).zip(read.files.iter().map(|(_, digest)| digest)),
    );
    transfer.cache.remember_bundle(&recipe, &read.digest, size_bytes);
    let key = keys::blob(&read.digest);
    let outcome = if transfer.has(&key, size_bytes).await? {
        Outcome::WasThere
    } else {
        transfer.put(&key, read.zip.into(), file_bytes).await?
    };
    counted(transfer, outcome, count, file_bytes);
    let files = members.iter().zip(read.files);
    let files = files
        .map(|(member, (identity, digest))| member.packed(digest, identity.size_bytes))
        .collect();
    Ok(PackedUnit { files, bundle: Some(Bundle { digest: read.digest, size_bytes }) })
}

async fn read_members(transfer: &Transfer<'_>, members: &[Member]) -> Result<ReadBundle> {
    let _processor = transfer.limits.processor().await;
    let sources: Vec<_> =
        members.iter().map(|member| (member.path.clone(), member.source.clone())).collect();
    let size_bytes = members.iter().map(Member::size_bytes).sum();
    blocking(move || read::read_bundle(&sources, size_bytes)).await
}

fn hashed(transfer: &Transfer<'_>, files: u64, bytes: u64) {
    transfer.meter.count(|progress| {
        progress.hashed_files += files;
        progress.hashed_bytes += bytes;
    });
}

/// Counts files as sent or skipped; the bytes that were sent were counted as they left.
fn counted(transfer: &Transfer<'_>, outcome: Outcome, files: u64, bytes: u64) {
    transfer.meter.count(|progress| match outcome {
        Outcome::Sent => progress.sent_files += files,
        Outcome::WasThere => {
            progress.skipped_files += files;
            progress.skipped_bytes += bytes;
        }
    });
}
