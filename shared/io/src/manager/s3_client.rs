//! The HTTP client of buckets.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
        HttpService, ReqwestConnector,
    },
};

/// Makes clients that are made when they are first used: reading a system's certificates takes longer than
/// all else that a function does before it asks for work.
#[derive(Debug, Default)]
pub(super) struct WhenUsed;

impl HttpConnector for WhenUsed {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Client {
            options: options.clone(),
            made: OnceLock::new(),
        }))
    }
}

#[derive(Debug)]
struct Client {
    options: ClientOptions,
    made: OnceLock<Result<HttpClient, Arc<object_store::Error>>>,
}

#[async_trait]
impl HttpService for Client {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let made = self.made.get_or_init(|| {
            let client = ReqwestConnector::default().connect(&self.options);
            client.map_err(Arc::new)
        });
        match made {
            Ok(client) => client.execute(request).await,
            Err(error) => Err(HttpError::new(HttpErrorKind::Unknown, Arc::clone(error))),
        }
    }
}
