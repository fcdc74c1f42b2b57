//! The file of profiles, `~/.aws/config`: a setting is written, everything else stays as it is
//! (<https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>).

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::{Result, SignInError};

/// Writes settings into a section, such as "profile anna"; it is made where it is not there.
///
/// # Errors
/// [`SignInError::Typed`] for what has no place in such a file, [`SignInError::File`],
/// [`SignInError::NoHome`].
pub(crate) fn write_settings(section: &str, settings: &[(&str, &str)]) -> Result<()> {
    for (name, value) in settings {
        if value.is_empty() || value.trim() != *value || value.chars().any(char::is_control) {
            return Err(SignInError::Typed {
                what: "a setting of a profile",
                value: format!("{name} = {}", value.escape_debug()),
                expected: "one line without spaces around it",
            });
        }
    }
    change(|text| with_settings(text, section, settings))
}

/// Takes a setting out of a section; nothing where it is not there.
///
/// # Errors
/// [`SignInError::File`], [`SignInError::NoHome`].
pub(crate) fn remove_setting(section: &str, name: &str) -> Result<()> {
    change(|text| without_setting(text, section, name))
}

/// Looks that the file can be read, before anybody is asked anything.
///
/// # Errors
/// [`SignInError::File`], [`SignInError::NoHome`].
pub(crate) fn check_file() -> Result<()> {
    change(str::to_owned)
}

fn change(work: impl FnOnce(&str) -> String) -> Result<()> {
    let path = config_file()?;
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(source) => return Err(SignInError::File { action: "read", path, source }),
    };
    let changed = work(&text);
    if changed == text {
        return Ok(());
    }
    write_private(&path, changed.as_bytes())
}

/// The file, where the SDK looks for it: `~` in its variable is the home.
fn config_file() -> Result<PathBuf> {
    let folder = farm::aws_folder().ok_or(SignInError::NoHome)?;
    let Some(path) = std::env::var_os("AWS_CONFIG_FILE").filter(|path| !path.is_empty()) else {
        return Ok(folder.join("config"));
    };
    let path = PathBuf::from(path);
    match (path.strip_prefix("~"), folder.parent()) {
        (Ok(rest), Some(home)) => Ok(home.join(rest)),
        _ => Ok(path),
    }
}

/// The section of a profile's name.
///
/// # Errors
/// [`SignInError::Typed`] of a name that the tools of AWS would not find again.
pub(crate) fn profile_section(name: &str) -> Result<String> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.@+/".contains(letter);
    if name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) {
        return Err(SignInError::Typed {
            what: "a profile's name",
            value: name.escape_debug().to_string(),
            expected: "letters, digits and - _ . @ + /, 64 at the most",
        });
    }
    Ok(if name == "default" { name.to_owned() } else { format!("profile {name}") })
}

/// Writes a file that only this user may read, whole or not at all; also where it is a link.
///
/// # Errors
/// [`SignInError::File`].
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().unwrap_or(Path::new("."));
    let written = make_folder(folder).and_then(|()| {
        // Made with 0600, and in place with one step.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(&target).map_err(|error| error.error)?;
        Ok(())
    });
    written.map_err(|source| SignInError::File { action: "write", path: path.to_owned(), source })
}

/// Makes a folder for this user alone where there is none.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn with_settings(text: &str, section: &str, settings: &[(&str, &str)]) -> String {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let begin = if let Some(found) = begin_of(&lines, section) {
        found
    } else {
        if lines.last().is_some_and(|line| !line.trim().is_empty()) {
            lines.push(String::new());
        }
        lines.push(format!("[{section}]"));
        lines.len()
    };
    for (name, value) in settings {
        let of_section = lines.iter().skip(begin);
        let length = of_section.take_while(|line| !line.starts_with('[')).count();
        let line = format!("{name} = {value}");
        let mut own = lines.iter_mut().skip(begin).take(length);
        if let Some(found) = own.find(|line| is_setting(line, name)) {
            *found = line;
            continue;
        }
        let blank = lines.iter().skip(begin).take(length).rev();
        let blank = blank.take_while(|line| line.trim().is_empty()).count();
        lines.insert(begin + length - blank, line);
    }
    lines.into_iter().flat_map(|line| [line, end.to_owned()]).collect()
}

fn without_setting(text: &str, section: &str, name: &str) -> String {
    let lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let Some(begin) = begin_of(&lines, section) else { return text.to_owned() };
    let length = lines.iter().skip(begin).take_while(|line| !line.starts_with('[')).count();
    let of_section = begin..begin + length;
    let is_it = |(at, line): &(usize, String)| of_section.contains(at) && is_setting(line, name);
    lines.into_iter().enumerate().filter(|line| !is_it(line)).map(|(_, line)| line).collect()
}

/// The line behind the one that begins a section. The default profile may be called either way, and
/// where both are there, the SDK takes the longer.
fn begin_of(lines: &[String], section: &str) -> Option<usize> {
    let of = |section: &str| lines.iter().position(|line| is_section(line, section));
    let longer = (section == "default").then(|| of("profile default")).flatten();
    Some(longer.or_else(|| of(section))? + 1)
}

/// Whether a line begins a section: spaces in it do not count. One with quotes is none of the SDK's.
fn is_section(line: &str, section: &str) -> bool {
    let inside = line.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    inside.is_some_and(|(inside, _)| inside.split_whitespace().eq(section.split_whitespace()))
}

fn is_setting(line: &str, name: &str) -> bool {
    // A line that begins with a space belongs to the setting above it.
    let is_nested = line.starts_with(char::is_whitespace);
    !is_nested && line.split_once('=').is_some_and(|(found, _)| found.trim() == name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_else_is_in_the_file_stays() {
        let text = "# mine\n[default]\nregion=eu-west-1  ; near\n\n[profile  anna ]\n\
            # by hand\nlogin_session = old\ns3 =\n  login_session = nested\n\n[profile b]\nx = 1\n";
        let settings = [("login_session", "arn:new"), ("region", "us-east-1")];
        assert_eq!(
            with_settings(text, "profile anna", &settings),
            text.replace("login_session = old", "login_session = arn:new")
                .replace("nested\n", "nested\nregion = us-east-1\n")
        );
        assert_eq!(
            with_settings("[default]\na = 1", "profile new", &[("b", "2")]),
            "[default]\na = 1\n\n[profile new]\nb = 2\n"
        );
        assert_eq!(with_settings("", "default", &[("b", "2")]), "[default]\nb = 2\n");
        let windows = with_settings("[default]\r\na = 1\r\n", "default", &[("b", "2")]);
        assert_eq!(windows, "[default]\r\na = 1\r\nb = 2\r\n");
    }

    #[test]
    fn of_two_default_profiles_the_one_is_written_that_the_sdk_reads() {
        let text = "[default]\na = 1\n[profile default]\nb = 1\n";
        let written = with_settings(text, "default", &[("b", "2")]);
        assert_eq!(written, "[default]\na = 1\n[profile default]\nb = 2\n");
    }

    #[test]
    fn a_setting_is_taken_out_of_its_own_section_alone() {
        let text = "[default]\nkey = 1\r\n[profile a]\nother = 2\nkey = 3\n[profile b]\nkey = 4";
        assert_eq!(without_setting(text, "profile a", "key"), text.replace("key = 3\n", ""));
        assert_eq!(without_setting(text, "profile c", "key"), text);
    }

    #[test]
    fn names_that_would_break_the_file_are_refused() {
        assert_eq!(profile_section("default").unwrap(), "default");
        assert_eq!(profile_section("studio-1").unwrap(), "profile studio-1");
        for name in ["", "a]b", "a\nb", "a b", "[x", &"x".repeat(65)] {
            assert!(profile_section(name).is_err(), "{name:?}");
        }
        for value in ["a\nb", "", " a", "a\u{1b}"] {
            assert!(write_settings("default", &[("region", value)]).is_err(), "{value:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_private_and_a_link_stays_one() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("dot/real"), folder.path().join("config"));
        write_private(&real, b"one").unwrap();
        symlink(&real, &link).unwrap();
        write_private(&link, b"two").unwrap();
        assert_eq!(std::fs::read(&real).unwrap(), b"two");
        assert!(link.is_symlink());
        assert_eq!(real.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let above = real.parent().unwrap().metadata().unwrap();
        assert_eq!(above.permissions().mode() & 0o777, 0o700);
    }

    proptest! {
        #[test]
        fn a_setting_that_was_written_is_found_and_written_once(
            text in "([a-z \\[\\]=#\"\r\n]{0,12}\n){0,8}",
            value in "[a-z]{1,8}",
        ) {
            let once = with_settings(&text, "profile p", &[("key", &value)]);
            let line = format!("key = {value}");
            prop_assert!(once.lines().any(|found| found == line));
            prop_assert_eq!(&with_settings(&once, "profile p", &[("key", &value)]), &once);
        }
    }
}
