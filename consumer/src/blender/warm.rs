//! The one Blender of a worker: started before it is needed, kept while it serves.

use std::path::PathBuf;

use tokio::task::JoinHandle;

use crate::blender::child::{Blender, HOME_PREFIX};
use crate::blender::log::Log;
use crate::blender::process;
use crate::blender::setup::BlenderSetup;
use crate::error::{ConsumerError, Result};
use crate::own_folder;

/// The place of the warm Blender.
#[derive(Debug)]
pub(crate) struct WarmBlender {
    folder: PathBuf,
    state: State,
    log: Log,
}

#[derive(Debug)]
enum State {
    None,
    Starting(BlenderSetup, JoinHandle<Result<Blender>>),
    Ready(Box<Blender>),
}

impl WarmBlender {
    /// None yet; one is started when it is asked for, with its files below `folder`.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, state: State::None, log: Log::default() }
    }

    /// Starts a Blender in the background unless there is one: it imports its modules while the
    /// pack is on its way.
    pub(crate) fn prepare(&mut self, setup: BlenderSetup) {
        if matches!(self.state, State::None) {
            self.clean_up();
            let folder = self.folder.clone();
            let wanted = setup.clone();
            self.log = Log::default();
            let log = self.log.clone();
            let start = tokio::spawn(async move { Blender::start(&folder, wanted, log).await });
            self.state = State::Starting(setup, start);
        }
    }

    /// Takes the Blender out, ready; another one where it died or was started otherwise. True where
    /// it has rendered before.
    pub(crate) async fn take(&mut self, setup: &BlenderSetup) -> Result<(Blender, bool)> {
        match std::mem::replace(&mut self.state, State::None) {
            State::Ready(mut blender) if blender.setup() == setup => {
                if blender.is_alive() {
                    blender.begin_task();
                    return Ok((*blender, true));
                }
            }
            State::Starting(starting, start) if starting == *setup => {
                let started = start.await.map_err(|_| ConsumerError::Wire {
                    reason: "its start was given up".to_owned(),
                })?;
                if let Ok(mut blender) = started
                    && blender.is_alive()
                {
                    return Ok((blender, false));
                }
            }
            State::Starting(_, start) => start.abort(),
            State::Ready(_) | State::None => {}
        }
        self.clean_up();
        self.log = Log::default();
        let log = self.log.clone();
        Ok((Blender::start(&self.folder, setup.clone(), log).await?, false))
    }

    /// What the Blender prints that was started last, also where it did not come up.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// Keeps a Blender for the next task.
    pub(crate) fn put_back(&mut self, blender: Blender) {
        self.state = State::Ready(Box::new(blender));
    }

    /// The Blender that waits for the next task.
    pub(crate) fn kept(&self) -> Option<&Blender> {
        match &self.state {
            State::Ready(blender) => Some(blender),
            State::None | State::Starting(..) => None,
        }
    }

    /// Ends what is left of Blenders before, and deletes their homes: only for when there is none.
    fn clean_up(&self) {
        process::end_children();
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(HOME_PREFIX.as_bytes())
                && let Err(error) = own_folder::delete(&entry.path())
            {
                tracing::warn!(home = %entry.path().display(), %error, "cannot delete");
            }
        }
    }

    /// Ends the Blender, whatever state it is in.
    pub(crate) fn let_go(&mut self) {
        if let State::Starting(_, start) = std::mem::replace(&mut self.state, State::None) {
            start.abort();
        }
    }
}
