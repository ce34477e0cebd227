//! Channels whose ends know who has them and who waits.
//!
//! Who has an end is known from its first use on, or from [`Sender::here`] and its kin: it is who
//! used it last. As long as nothing is known of one sender, a receiver's wait is no part of a cycle.

use std::fmt;
use std::future::poll_fn;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::mpsc::error::{SendError, TryRecvError, TrySendError};
use tokio::sync::oneshot::error::RecvError;

use crate::sync::meta::{Meta, Mode, Owned, What};
use crate::sync::wait::Waiting;

/// One end: whoever waits on the other side waits for who has it.
#[derive(Debug)]
struct End {
    meta: Arc<Meta>,
    user: Mutex<Option<Owned>>,
}

impl End {
    fn new(meta: &Arc<Meta>) -> Self {
        meta.stranger_comes();
        Self {
            meta: Arc::clone(meta),
            user: Mutex::new(None),
        }
    }

    /// It is this code that has it.
    fn used(&self, site: &'static Location<'static>) {
        let now = self.meta.own(site);
        if self.user.lock().replace(now).is_none() {
            self.meta.stranger_goes();
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if self.user.get_mut().is_none() {
            self.meta.stranger_goes();
        }
    }
}

/// The sending end of [`channel`].
pub struct Sender<T> {
    inner: tokio::sync::mpsc::Sender<T>,
    end: End,
    room: Arc<Meta>,
}

/// The receiving end of [`channel`].
pub struct Receiver<T> {
    inner: tokio::sync::mpsc::Receiver<T>,
    end: End,
    messages: Arc<Meta>,
}

/// A `tokio::sync::mpsc::channel` with room for so many messages and a name for reports.
///
/// # Panics
/// Without any room, as tokio's.
#[track_caller]
#[must_use]
pub fn channel<T>(name: &'static str, room: usize) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = tokio::sync::mpsc::channel(room);
    let messages = Meta::of(What::Channel, Some(name));
    let room = Meta::of(What::Channel, Some(name));
    let sender = Sender {
        inner: sender,
        end: End::new(&messages),
        room: Arc::clone(&room),
    };
    let receiver = Receiver {
        inner: receiver,
        end: End::new(&room),
        messages,
    };
    (sender, receiver)
}

impl<T> Sender<T> {
    /// Says that this task (or thread) has it, before its first use.
    #[track_caller]
    #[must_use]
    pub fn here(self) -> Self {
        self.end.used(Location::caller());
        self
    }

    /// Waits for room, and sends.
    ///
    /// # Errors
    /// The receiver is gone; the message comes back.
    #[track_caller]
    pub fn send(&self, message: T) -> impl Future<Output = Result<(), SendError<T>>> {
        let site = Location::caller();
        async move {
            self.end.used(site);
            match self.inner.try_send(message) {
                Ok(()) => Ok(()),
                Err(TrySendError::Closed(message)) => Err(SendError(message)),
                Err(TrySendError::Full(message)) => {
                    let _waiting = Waiting::task(&self.room, Mode::Shared, site);
                    self.inner.send(message).await
                }
            }
        }
    }

    /// Sends if there is room.
    ///
    /// # Errors
    /// There is none, or the receiver is gone; the message comes back.
    #[track_caller]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        self.end.used(Location::caller());
        self.inner.try_send(message)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            end: End::new(&self.end.meta),
            room: Arc::clone(&self.room),
        }
    }
}

impl<T> Receiver<T> {
    /// Says that this task (or thread) has it, before its first use.
    #[track_caller]
    #[must_use]
    pub fn here(self) -> Self {
        self.end.used(Location::caller());
        self
    }

    /// Waits for a message; `None` when every sender is gone and nothing is left.
    #[track_caller]
    pub fn recv(&mut self) -> impl Future<Output = Option<T>> {
        let site = Location::caller();
        async move {
            self.end.used(site);
            match self.inner.try_recv() {
                Ok(message) => Some(message),
                Err(TryRecvError::Disconnected) => None,
                Err(TryRecvError::Empty) => {
                    let _waiting = Waiting::task(&self.messages, Mode::Shared, site);
                    self.inner.recv().await
                }
            }
        }
    }

    /// Takes a message if there is one.
    ///
    /// # Errors
    /// There is none, or every sender is gone.
    #[track_caller]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.end.used(Location::caller());
        self.inner.try_recv()
    }

    /// Takes no more messages; those on their way still come.
    pub fn close(&mut self) {
        self.inner.close();
    }
}

/// The sending end of [`oneshot`].
pub struct Answer<T> {
    inner: tokio::sync::oneshot::Sender<T>,
    end: End,
}

/// The receiving end of [`oneshot`].
pub struct Question<T> {
    inner: tokio::sync::oneshot::Receiver<T>,
    messages: Arc<Meta>,
}

/// A `tokio::sync::oneshot::channel` with a name for reports.
#[track_caller]
#[must_use]
pub fn oneshot<T>(name: &'static str) -> (Answer<T>, Question<T>) {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let messages = Meta::of(What::Channel, Some(name));
    let answer = Answer {
        inner: sender,
        end: End::new(&messages),
    };
    let question = Question {
        inner: receiver,
        messages,
    };
    (answer, question)
}

impl<T> Answer<T> {
    /// Says that this task (or thread) has it.
    #[track_caller]
    #[must_use]
    pub fn here(self) -> Self {
        self.end.used(Location::caller());
        self
    }

    /// Sends it.
    ///
    /// # Errors
    /// Nobody waits any more; the message comes back.
    pub fn send(self, message: T) -> Result<(), T> {
        self.inner.send(message)
    }
}

impl<T> Question<T> {
    /// Waits for the answer.
    ///
    /// # Errors
    /// The sending end was dropped.
    #[track_caller]
    pub fn recv(self) -> impl Future<Output = Result<T, RecvError>> {
        let site = Location::caller();
        async move {
            let mut inner = self.inner;
            let mut waiting = None;
            poll_fn(|context| {
                let poll = Pin::new(&mut inner).poll(context);
                if poll.is_pending() && waiting.is_none() {
                    waiting = Some(Waiting::task(&self.messages, Mode::Shared, site));
                }
                poll
            })
            .await
        }
    }
}

macro_rules! debug {
    ($($name:ident)*) => {$(
        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

debug! { Sender Receiver Answer Question }
