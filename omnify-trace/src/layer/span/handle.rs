//! What the registry keeps of a span for a layer.

use std::sync::Arc;

use tracing_subscriber::registry::{Extensions, ExtensionsMut};

use super::SpanState;
use crate::layer::pool;

/// A layer's handle on a span, kept in the registry.
pub(crate) struct Handle {
    layer: usize,
    state: Arc<SpanState>,
    /// Another JSON layer's, where several are at work.
    other: Option<Box<Self>>,
}

impl Handle {
    /// Keeps a layer's state beside those of other layers.
    pub(crate) fn insert(extensions: &mut ExtensionsMut<'_>, layer: usize, state: Arc<SpanState>) {
        let mut handle = Self {
            layer,
            state,
            other: None,
        };
        if let Some(first) = extensions.get_mut::<Self>() {
            std::mem::swap(first, &mut handle);
            first.other = Some(Box::new(handle));
        } else {
            extensions.insert(handle);
        }
    }

    /// The state that this layer keeps.
    pub(crate) fn find(extensions: &Extensions<'_>, layer: usize) -> Option<Arc<SpanState>> {
        let first = extensions.get::<Self>();
        let mut all = std::iter::successors(first, |handle| handle.other.as_deref());
        let handle = all.find(|handle| handle.layer == layer)?;
        Some(Arc::clone(&handle.state))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        pool::give(&mut self.state);
    }
}
