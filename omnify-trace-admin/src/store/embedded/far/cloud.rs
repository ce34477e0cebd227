//! An object store of the `object_store` crate, called from threads that may block.

use std::{fmt, future::Future, io, ops::Range, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::{
    Error, ObjectStore, ObjectStoreExt, ObjectStoreScheme, path::Path, prefix::PrefixStore,
};
use tokio::runtime::Runtime;
use tracing::subscriber::NoSubscriber;

use super::{Named, Objects};

/// A call that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// An object store, and the threads that its clients run on.
pub(crate) struct Cloud {
    store: Arc<dyn ObjectStore>,
    runtime: Option<Runtime>,
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The store's own `Debug` may tell keys.
        f.write_str("Cloud")
    }
}

impl Cloud {
    pub(crate) fn new(store: Arc<dyn ObjectStore>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("store-far")
            // Lines about sending lines would be sent in their turn.
            .on_thread_start(|| {
                std::mem::forget(tracing::subscriber::set_default(NoSubscriber::new()));
            })
            .enable_all()
            .build()?;
        Ok(Self {
            store,
            runtime: Some(runtime),
        })
    }

    /// The store of an address, with what the environment says of keys and regions.
    pub(crate) fn at(address: &str) -> Result<Self, String> {
        crate::tls::provide();
        let url = url::Url::parse(address).map_err(|error| error.to_string())?;
        if let Some(feature) = missing_feature(&url) {
            return Err(format!(
                "this program was built without the feature `{feature}`, which knows such addresses; \
                 build it with `--features {feature}`"
            ));
        }
        let environment = std::env::vars_os().filter_map(|(name, value)| {
            Some((
                name.into_string().ok()?.to_ascii_lowercase(),
                value.into_string().ok()?,
            ))
        });
        let (store, prefix) =
            object_store::parse_url_opts(&url, environment).map_err(|error| error.to_string())?;
        if url.scheme() == "file" {
            std::fs::create_dir_all(url.path()).map_err(|error| error.to_string())?;
        }
        let store = Arc::new(PrefixStore::new(store, prefix));
        Self::new(store).map_err(|error| error.to_string())
    }

    /// Waits for a call that runs on the store's own threads.
    fn call<T: Send + 'static>(
        &self,
        call: impl Future<Output = object_store::Result<T>> + Send + 'static,
    ) -> io::Result<T> {
        let Some(runtime) = &self.runtime else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let task = runtime.spawn(async move {
            let _ = tell.send(call.await);
        });
        match told.recv_timeout(PATIENCE) {
            Ok(answer) => answer.map_err(|error| match error {
                Error::NotFound { .. } => io::Error::new(io::ErrorKind::NotFound, error),
                other => io::Error::other(other),
            }),
            Err(_) => {
                task.abort();
                Err(io::ErrorKind::TimedOut.into())
            }
        }
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting is not allowed where this may be dropped: on a thread of another runtime.
            runtime.shutdown_background();
        }
    }
}

impl Objects for Cloud {
    fn list(&self) -> io::Result<Vec<Named>> {
        let listed = self.store.list(None);
        let all = self.call(listed.try_collect::<Vec<_>>())?;
        let named = all.into_iter().map(|object| Named {
            name: object.location.to_string(),
            bytes: object.size,
        });
        Ok(named.filter(|named| !named.name.contains('/')).collect())
    }

    fn get(&self, name: &str) -> io::Result<Bytes> {
        let (store, path) = (Arc::clone(&self.store), Path::from(name));
        self.call(async move { store.get(&path).await?.bytes().await })
    }

    fn get_range(&self, name: &str, range: Range<u64>) -> io::Result<Bytes> {
        let (store, path) = (Arc::clone(&self.store), Path::from(name));
        self.call(async move { store.get_range(&path, range).await })
    }

    fn put(&self, name: &str, bytes: Bytes) -> io::Result<()> {
        let (store, path) = (Arc::clone(&self.store), Path::from(name));
        self.call(async move { store.put(&path, bytes.into()).await.map(drop) })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let (store, path) = (Arc::clone(&self.store), Path::from(name));
        let removed = self.call(async move { store.delete(&path).await });
        match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

/// The feature of this crate that the address needs and that was not compiled in.
fn missing_feature(url: &url::Url) -> Option<&'static str> {
    let (scheme, _) = ObjectStoreScheme::parse(url).ok()?;
    let (feature, compiled_in) = match scheme {
        ObjectStoreScheme::AmazonS3 => ("aws", cfg!(feature = "aws")),
        ObjectStoreScheme::GoogleCloudStorage => ("gcp", cfg!(feature = "gcp")),
        ObjectStoreScheme::MicrosoftAzure => ("azure", cfg!(feature = "azure")),
        _ => return None,
    };
    (!compiled_in).then_some(feature)
}
