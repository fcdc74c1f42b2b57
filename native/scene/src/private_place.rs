//! Places of a computer that hold what is nobody else's business: no scene is a reason to send it.

use std::path::{Path, PathBuf};

/// Below a home: keys, credentials, key rings, the profiles of browsers and mail.
const OF_A_HOME: &[&str] = &[
    ".aws",
    ".azure",
    ".bash_history",
    ".boto",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".claude",
    ".claude.json",
    ".codex",
    ".config/BraveSoftware",
    ".config/chromium",
    ".config/gcloud",
    ".config/gh",
    ".config/git/credentials",
    ".config/glab-cli",
    ".config/google-chrome",
    ".config/hub",
    ".config/microsoft-edge",
    ".config/op",
    ".config/rclone",
    ".docker",
    ".env",
    ".gem/credentials",
    ".git-credentials",
    ".gitconfig",
    ".gnupg",
    ".gsutil",
    ".huggingface",
    ".kube",
    ".local/share/keyrings",
    ".local/share/kwalletd",
    ".mozilla",
    ".my.cnf",
    ".netrc",
    ".npmrc",
    ".password-store",
    ".pgpass",
    ".pki",
    ".pypirc",
    ".python_history",
    ".s3cfg",
    ".ssh",
    ".terraform.d",
    ".thunderbird",
    ".vault-token",
    ".zsh_history",
    "_netrc",
    // macOS.
    "Library/Application Support/BraveSoftware",
    "Library/Application Support/Firefox",
    "Library/Application Support/Google/Chrome",
    "Library/Application Support/Microsoft Edge",
    "Library/Cookies",
    "Library/Keychains",
    "Library/Mail",
    "Library/Messages",
    "Library/Safari",
    // Windows.
    "AppData/Local/BraveSoftware",
    "AppData/Local/Google/Chrome",
    "AppData/Local/Microsoft/Credentials",
    "AppData/Local/Microsoft/Edge",
    "AppData/Local/Microsoft/Vault",
    "AppData/Local/Packages/Microsoft.MicrosoftEdge_8wekyb3d8bbwe",
    "AppData/Local/Packages/microsoft.windowscommunicationsapps_8wekyb3d8bbwe",
    "AppData/Roaming/Microsoft/Credentials",
    "AppData/Roaming/Microsoft/Crypto",
    "AppData/Roaming/Microsoft/Protect",
    "AppData/Roaming/Microsoft/Vault",
    "AppData/Roaming/Mozilla",
    "AppData/Roaming/Thunderbird",
    "AppData/Roaming/gcloud",
    "NTUSER.DAT",
];

/// What the system keeps for itself.
const OF_THE_SYSTEM: &[&str] = &[
    "/boot",
    "/dev",
    "/etc",
    "/private/etc",
    "/private/var/db",
    "/proc",
    "/run/secrets",
    "/sys",
    "/var/lib",
    "/var/log",
    "/var/run",
    "C:/Windows/System32/config",
];

/// What is not private although the system keeps it: memory that serves as a disk, and what comes with
/// a Blender of these.
const OF_EVERYBODY: &[&str] = &["/dev/shm", "/var/lib/flatpak", "/var/lib/snapd"];

/// The places of this computer.
#[derive(Debug, Clone)]
pub(crate) struct PrivatePlaces {
    places: Vec<PathBuf>,
}

impl PrivatePlaces {
    /// Those of whoever runs this process.
    pub(crate) fn of_this_computer() -> Self {
        Self::of(std::env::home_dir().as_deref())
    }

    fn of(home: Option<&Path>) -> Self {
        let mut places: Vec<PathBuf> = OF_THE_SYSTEM.iter().map(PathBuf::from).collect();
        for home in home.into_iter().filter(|home| home.parent().is_some()) {
            // Under its own name too, where a link leads to it.
            let real = std::fs::canonicalize(home).unwrap_or_else(|_| home.to_owned());
            for home in [home, &real] {
                places.extend(OF_A_HOME.iter().map(|place| home.join(place)));
            }
        }
        Self { places }
    }

    /// Whether a file is in one of them, as it is named or where its links lead to.
    pub(crate) fn hold(&self, file: &Path) -> bool {
        let real = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        [file, &real]
            .into_iter()
            .filter(|file| !OF_EVERYBODY.iter().any(|place| file.starts_with(place)))
            .any(|file| self.places.iter().any(|place| file.starts_with(place)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_private_is_so_by_any_name() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".ssh")).unwrap();
        let key = home.path().join(".ssh/id_ed25519");
        std::fs::write(&key, b"key").unwrap();
        let places = PrivatePlaces::of(Some(home.path()));
        assert!(places.hold(&key) && places.hold(Path::new("/etc/passwd")));
        let picture = home.path().join("wood.png");
        std::fs::write(&picture, b"picture").unwrap();
        assert!(!places.hold(&picture));
        // Disks that are plugged in, and shares of a network.
        assert!(!places.hold(Path::new("/run/media/artist/disk/wood.png")));
        assert!(!places.hold(Path::new("/run/user/1000/gvfs/smb-share:server=s/wood.png")));
        assert!(!places.hold(Path::new("/dev/shm/wood.png")));
        assert!(places.hold(Path::new("/dev/sda")));
        #[cfg(unix)]
        {
            let link = home.path().join("link.png");
            std::os::unix::fs::symlink(&key, &link).unwrap();
            assert!(places.hold(&link));
        }
    }
}
