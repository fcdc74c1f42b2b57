//! A pack on this machine: a folder or a zip that opens anywhere.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::error::{Result, SceneError};
use crate::pack::{PackPlan, PlannedFile};

/// How much is copied between two looks at the progress.
const CHUNK_BYTES: usize = 1 << 20;

/// How far the writing of a local pack is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PackProgress {
    /// Files that are written.
    pub files_done: u64,
    /// All files.
    pub files_total: u64,
    /// Bytes that are written.
    pub bytes_done: u64,
    /// All bytes.
    pub bytes_total: u64,
}

/// Writes a pack to `to`: a zip where its name ends in `.zip`, else a new or empty folder.
///
/// A zip appears whole or not at all; its files are stored as they are, which every tool can read.
/// `on_progress` is called about once for each MiB; where it gives false, the work ends.
///
/// # Errors
/// [`SceneError::NotEmpty`], [`SceneError::IsThere`], [`SceneError::Io`]; of kind `Interrupted` where it was ended.
pub fn write_pack(
    plan: &PackPlan,
    to: &Path,
    mut on_progress: impl FnMut(PackProgress) -> bool,
) -> Result<()> {
    let mut progress =
        PackProgress { files_total: plan.files.len() as u64, ..PackProgress::default() };
    for file in &plan.files {
        let metadata =
            std::fs::metadata(&file.source).map_err(SceneError::io("read", &file.source))?;
        progress.bytes_total += metadata.len();
    }
    let mut report = |progress: &PackProgress| {
        let ended = SceneError::io("go on writing", to);
        let go_on = on_progress(*progress);
        if go_on { Ok(()) } else { Err(ended(std::io::ErrorKind::Interrupted.into())) }
    };
    if to.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip")) {
        write_zip(plan, to, &mut progress, &mut report)
    } else {
        write_folder(plan, to, &mut progress, &mut report)
    }
}

type Report<'a> = dyn FnMut(&PackProgress) -> Result<()> + 'a;

fn write_folder(
    plan: &PackPlan,
    to: &Path,
    progress: &mut PackProgress,
    report: &mut Report<'_>,
) -> Result<()> {
    std::fs::create_dir_all(to).map_err(SceneError::io("make the folder", to))?;
    let mut entries = std::fs::read_dir(to).map_err(SceneError::io("read the folder", to))?;
    if entries.next().is_some() {
        return Err(SceneError::NotEmpty { path: to.to_owned() });
    }
    let written = write_files(plan, to, progress, report);
    if written.is_err() {
        // Nothing but the pack was in it; half of one would be in the way of the next.
        for entry in std::fs::read_dir(to).into_iter().flatten().flatten() {
            let path = entry.path();
            let _ = if path.is_dir() {
                std::fs::remove_dir_all(path)
            } else {
                std::fs::remove_file(path)
            };
        }
    }
    written
}

fn write_files(
    plan: &PackPlan,
    to: &Path,
    progress: &mut PackProgress,
    report: &mut Report<'_>,
) -> Result<()> {
    for file in &plan.files {
        let target = file.path.under(to);
        let folder = target.parent().unwrap_or(to);
        std::fs::create_dir_all(folder).map_err(SceneError::io("make the folder", folder))?;
        let mut written = File::create(&target).map_err(SceneError::io("write", &target))?;
        copy(file, &mut written, &target, progress, report)?;
    }
    Ok(())
}

fn write_zip(
    plan: &PackPlan,
    to: &Path,
    progress: &mut PackProgress,
    report: &mut Report<'_>,
) -> Result<()> {
    if to.exists() {
        return Err(SceneError::IsThere { path: to.to_owned() });
    }
    let failed = |error: zip::result::ZipError| SceneError::io("write", to)(error.into());
    let folder = match to.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder).map_err(SceneError::io("make the folder", folder))?;
    let partial = tempfile::Builder::new()
        .prefix(".packing-")
        .tempfile_in(folder)
        .map_err(SceneError::io("write into", folder))?;
    let mut zip = ZipWriter::new(partial);
    for file in &plan.files {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(true)
            .unix_permissions(0o644);
        let name = String::from_utf8(file.path.names());
        let name = name.as_deref().unwrap_or(file.path.as_str());
        zip.start_file(name, options).map_err(failed)?;
        copy(file, &mut zip, to, progress, report)?;
    }
    let partial = zip.finish().map_err(failed)?;
    partial.persist_noclobber(to).map_err(|error| SceneError::io("write", to)(error.error))?;
    Ok(())
}

fn copy(
    file: &PlannedFile,
    to: &mut impl Write,
    target: &Path,
    progress: &mut PackProgress,
    report: &mut Report<'_>,
) -> Result<()> {
    let mut source = File::open(&file.source).map_err(SceneError::io("read", &file.source))?;
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let count = source.read(&mut buffer).map_err(SceneError::io("read", &file.source))?;
        if count == 0 {
            break;
        }
        to.write_all(buffer.get(..count).unwrap_or_default())
            .map_err(SceneError::io("write", target))?;
        progress.bytes_done += count as u64;
        report(progress)?;
    }
    progress.files_done += 1;
    report(progress)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::PackPath;

    fn plan(folder: &Path) -> PackPlan {
        let path = |text: &str| PackPath::try_from(text.to_owned()).unwrap();
        let source = folder.join("source");
        std::fs::write(&source, b"bytes").unwrap();
        let file =
            |text| PlannedFile { path: path(text), source: source.clone(), opens_without: false };
        let files = vec![file("project/a.blend"), file("project/tex/ü.png")];
        PackPlan::of_files(path("project/a.blend"), files)
    }

    #[test]
    fn a_folder_and_a_zip_hold_every_file() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(folder.path());
        let mut last = PackProgress::default();
        let mut keep = |progress| {
            last = progress;
            true
        };
        write_pack(&plan, &folder.path().join("pack"), &mut keep).unwrap();
        write_pack(&plan, &folder.path().join("pack.zip"), &mut keep).unwrap();
        assert_eq!(std::fs::read(folder.path().join("pack/project/tex/ü.png")).unwrap(), b"bytes");
        let zip = File::open(folder.path().join("pack.zip")).unwrap();
        let mut zip = zip::ZipArchive::new(zip).unwrap();
        assert_eq!(zip.by_name("project/tex/ü.png").unwrap().size(), 5);
        assert_eq!((last.files_done, last.bytes_done, last.bytes_total), (2, 10, 10));
    }

    #[test]
    fn what_is_there_is_never_written_over_and_an_ended_zip_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(folder.path());
        let taken = write_pack(&plan, folder.path(), |_| true);
        assert!(matches!(taken, Err(SceneError::NotEmpty { .. })));
        let zip = folder.path().join("there.zip");
        std::fs::write(&zip, b"mine").unwrap();
        let taken = write_pack(&plan, &zip, |_| true);
        assert!(matches!(taken, Err(SceneError::IsThere { .. })));
        assert_eq!(std::fs::read(&zip).unwrap(), b"mine");
        let inner = folder.path().join("inner");
        assert!(write_pack(&plan, &inner.join("pack.zip"), |_| false).is_err());
        assert_eq!(std::fs::read_dir(&inner).unwrap().count(), 0);
        assert!(write_pack(&plan, &inner, |_| false).is_err());
        assert_eq!(std::fs::read_dir(&inner).unwrap().count(), 0);
    }
}
