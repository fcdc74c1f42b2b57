use std::thread;

use pyo3::prelude::*;

#[pyfunction]
pub(crate) fn notify(title: String, text: String) -> PyResult<()> {
    // A thread of its own: a desktop that does not answer keeps nobody waiting.
    thread::Builder::new().name("notification".to_owned()).spawn(move || show(&title, text))?;
    Ok(())
}

/// A desktop without notifications is no failure: the add-on tells it as well.
#[cfg(not(target_os = "macos"))]
fn show(title: &str, text: String) {
    let mut notification = notify_rust::Notification::new();
    let notification = notification.appname("Blender").icon("blender").summary(title);
    let _ = notification.body(&as_body(text)).show();
}

/// macOS shows them for an application that asks on its main thread, which is Blender's own.
#[cfg(target_os = "macos")]
fn show(_title: &str, _text: String) {}

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

#[cfg(windows)]
fn as_body(text: String) -> String {
    text
}
