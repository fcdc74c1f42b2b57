//! A worker's side of its keeper.

use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, Command};

use crate::blender::keeper::words::{Order, Word, line};
use crate::error::{ConsumerError, Result};

/// How long a keeper may take for what it is asked: ending what a script has left takes longest.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);

/// A keeper and the Blender below it. Dropped, it ends both.
#[derive(Debug)]
pub(crate) struct Keeper {
    child: Child,
    orders: OwnedWriteHalf,
    words: Lines<BufReader<OwnedReadHalf>>,
    /// Blender's process.
    blender: u32,
}

impl Keeper {
    /// Starts a keeper from a command that has all but its standard input.
    pub(crate) async fn start(mut command: std::process::Command) -> Result<Self> {
        let cannot = |error: std::io::Error| ConsumerError::Keeper(error.to_string());
        let (ours, theirs) = UnixStream::pair().map_err(cannot)?;
        let theirs = theirs.into_std().map_err(cannot)?;
        theirs.set_nonblocking(false).map_err(cannot)?;
        command.stdin(Stdio::from(OwnedFd::from(theirs)));
        let child = Command::from(command).spawn().map_err(cannot)?;
        let (words, orders) = ours.into_split();
        let mut keeper = Self { child, orders, words: BufReader::new(words).lines(), blender: 0 };
        match tokio::time::timeout(ANSWER_LIMIT, keeper.hear()).await {
            Ok(Ok(Some(Word::Started { process }))) => {
                keeper.blender = u32::try_from(process).unwrap_or_default();
                Ok(keeper)
            }
            Ok(Ok(other)) => Err(unexpected(other)),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(ConsumerError::Keeper("it does not answer".into())),
        }
    }

    /// Blender's process.
    pub(crate) fn blender(&self) -> u32 {
        self.blender
    }

    /// The keeper's own process, while it runs.
    pub(crate) fn process(&self) -> Option<u32> {
        self.child.id()
    }

    /// What Blender has printed goes where this process's standard output goes.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Whether Blender runs, or stands.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Lets Blender go on.
    pub(crate) async fn work(&mut self) -> Result<()> {
        self.order(Order::Work).await
    }

    /// Ends all that Blender has started, and stops it.
    pub(crate) async fn rest(&mut self) -> Result<()> {
        self.order(Order::Rest).await?;
        match tokio::time::timeout(ANSWER_LIMIT, self.hear()).await {
            Ok(Ok(Some(Word::Resting))) => Ok(()),
            Ok(Ok(other)) => Err(unexpected(other)),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(ConsumerError::Keeper("something of the frame cannot be ended".into())),
        }
    }

    /// How Blender ended, when all of it is gone; `None` where that takes too long.
    pub(crate) async fn ended(&mut self) -> Option<ExitStatus> {
        let ended = async {
            loop {
                match self.hear().await {
                    Ok(Some(Word::Ended { status })) => return Some(ExitStatus::from_raw(status)),
                    Ok(Some(Word::Started { .. } | Word::Resting)) => {}
                    Ok(None) | Err(_) => return None,
                }
            }
        };
        tokio::time::timeout(ANSWER_LIMIT, ended).await.ok().flatten()
    }

    async fn order(&mut self, order: Order) -> Result<()> {
        let written = self.orders.write_all(&line(&order)).await;
        written.map_err(|error| ConsumerError::Keeper(error.to_string()))
    }

    /// The next word; `None` where the keeper is gone.
    async fn hear(&mut self) -> Result<Option<Word>> {
        let cannot = |error: &dyn std::error::Error| ConsumerError::Keeper(error.to_string());
        let Some(word) = self.words.next_line().await.map_err(|error| cannot(&error))? else {
            return Ok(None);
        };
        serde_json::from_str(&word).map(Some).map_err(|error| cannot(&error))
    }
}

fn unexpected(word: Option<Word>) -> ConsumerError {
    ConsumerError::Keeper(match word {
        None => "it is gone".into(),
        Some(word) => format!("it said {word:?}"),
    })
}
