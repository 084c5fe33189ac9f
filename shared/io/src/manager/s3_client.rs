//! [`LazyConnector`]: the HTTP client of buckets.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
        HttpService, ReqwestConnector,
    },
};

/// Makes clients that connect on first use. Reading the system's certificates takes longer than all else that a
/// function does before it asks for work.
#[derive(Debug, Default)]
pub(super) struct LazyConnector;

impl HttpConnector for LazyConnector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(LazyClient {
            options: options.clone(),
            client: OnceLock::new(),
        }))
    }
}

#[derive(Debug)]
struct LazyClient {
    options: ClientOptions,
    client: OnceLock<Result<HttpClient, Arc<object_store::Error>>>,
}

#[async_trait]
impl HttpService for LazyClient {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let client = self.client.get_or_init(|| {
            let client = ReqwestConnector::default().connect(&self.options);
            client.map_err(Arc::new)
        });
        match client {
            Ok(client) => client.execute(request).await,
            Err(error) => Err(HttpError::new(HttpErrorKind::Unknown, Arc::clone(error))),
        }
    }
}
