use std::thread;

use notify_rust::Notification;
use pyo3::prelude::*;

#[pyfunction]
pub(crate) fn notify(title: String, text: String) -> PyResult<()> {
    // A thread of its own: a desktop that does not answer keeps nobody waiting.
    thread::Builder::new().name("notification".to_owned()).spawn(move || {
        // A desktop without notifications is no failure: the add-on tells it as well.
        let _ = Notification::new()
            .appname("Blender")
            .icon("blender")
            .summary(&title)
            .body(&as_body(text))
            .show();
    })?;
    Ok(())
}

/// The text as a desktop shows it: some read it as markup.
///
/// Source: Desktop Notifications Specification 1.2, "Markup".
#[cfg(all(unix, not(target_os = "macos")))]
fn as_body(text: String) -> String {
    let reads_markup = notify_rust::get_capabilities()
        .is_ok_and(|found| found.iter().any(|one| one == "body-markup"));
    if reads_markup {
        return text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    }
    text
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn as_body(text: String) -> String {
    text
}
