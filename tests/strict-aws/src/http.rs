//! [`StrictHttp`]: the HTTP client of the SDK's clients.

use std::{future::pending, time::Duration};

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::Value as Json;

use crate::{
    aws::{State, StrictAws},
    call::{Call, Mistake, Phase, Reaction, Service},
    dynamo::{Failure, Moment},
    s3::{self, Request},
};

/// The HTTP client of the SDK's clients.
#[derive(Debug, Clone)]
pub(crate) struct StrictHttp(pub(crate) StrictAws);

impl HttpClient for StrictHttp {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for StrictHttp {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let aws = self.0.clone();
        HttpConnectorFuture::new(async move { aws.answer(request).await })
    }
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// The mistake of a request that is wrong, whatever is stored: its code and message.
    pub(crate) mistake: Option<(String, String)>,
}

fn disconnected() -> ConnectorError {
    ConnectorError::io("the connection broke".into())
}

impl StrictAws {
    /// Answers a request of a client: the request travels, takes effect at one moment, and the answer
    /// travels back.
    async fn answer(&self, mut request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let body = ByteStream::new(request.take_body()).collect().await;
        let body = body
            .map_err(|error| ConnectorError::io(error.into()))?
            .to_vec();
        let received = Received::new(&request, body);
        let (call, fate, latency) = {
            let mut state = self.lock();
            state.count += 1;
            let call = Call {
                number: state.count,
                service: received.service,
                operation: received.operation.clone(),
                body: received.body.clone(),
            };
            *state.calls.entry(received.operation.clone()).or_default() += 1;
            let State {
                faults,
                rng,
                fault_counts,
                ..
            } = &mut *state;
            let fate = faults.draw(rng, fault_counts);
            let (shortest, longest) = self.0.options.latency;
            let share = rng.f64();
            let latency = shortest + longest.saturating_sub(shortest).mul_f64(share) + fate.delay;
            (call, fate, latency)
        };
        // Half of the time passes on either way.
        self.travel(latency / 2).await;
        self.ask_hook(&call, Phase::Before).await?;
        if fate.lost_request {
            return Err(disconnected());
        }
        let mut answer = match fate.fails_before {
            true => received.internal_error(),
            false => self.take_effect(&received),
        };
        if fate.fails_after {
            answer = received.internal_error();
        }
        self.travel(latency - latency / 2).await;
        self.ask_hook(&call, Phase::After).await?;
        if fate.lost_answer {
            return Err(disconnected());
        }
        to_response(answer)
    }

    async fn travel(&self, duration: Duration) {
        if !duration.is_zero() {
            self.0.time.sleep(duration).await;
        }
    }

    async fn ask_hook(&self, call: &Call, phase: Phase) -> Result<(), ConnectorError> {
        let hook = self.lock().hook.clone();
        match hook.map(|hook| hook(call, phase)).unwrap_or_default() {
            Reaction::Proceed => Ok(()),
            Reaction::Disconnect => Err(disconnected()),
            Reaction::Hang => pending().await,
            Reaction::Delay(duration) => {
                self.travel(duration).await;
                Ok(())
            }
        }
    }

    fn take_effect(&self, received: &Received) -> Answer {
        let mut state = self.lock();
        let State {
            dynamo,
            s3,
            rng,
            faults,
            mistakes,
            fault_counts,
            ..
        } = &mut *state;
        let mut moment = Moment {
            now: self.0.time.elapsed(),
            faults,
            rng,
            counts: fault_counts,
            transaction_time: self.0.options.transaction_time,
        };
        let answer = match received.service {
            Service::DynamoDb => {
                let body: Result<Json, _> = serde_json::from_slice(&received.body);
                let answer = match body {
                    Ok(body) => dynamo.answer(&received.operation, &body, &mut moment),
                    Err(error) => Err(Failure::validation(error.to_string())),
                };
                dynamo_answer(answer)
            }
            Service::S3 => {
                let request = received.request.as_ref();
                let request = request.expect("a call of S3 has its request");
                s3.answer(request, &mut moment, &self.0)
            }
        };
        if let Some((code, message)) = &answer.mistake {
            mistakes.push(Mistake {
                operation: received.operation.clone(),
                code: code.clone(),
                message: message.clone(),
            });
        }
        answer
    }
}

/// A request, and the call that it is.
struct Received {
    service: Service,
    operation: String,
    body: Vec<u8>,
    /// The request of S3, which is addressed by path.
    request: Option<Request>,
}

impl Received {
    /// # Panics
    /// For services that are not implemented.
    fn new(request: &HttpRequest, body: Vec<u8>) -> Self {
        if let Some(target) = request.headers().get("x-amz-target") {
            let operation = target.strip_prefix("DynamoDB_20120810.");
            let Some(operation) = operation else {
                panic!("the strict AWS does not know the call {target}");
            };
            return Self {
                service: Service::DynamoDb,
                operation: operation.to_owned(),
                body,
                request: None,
            };
        }
        let headers = request.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let parsed = Request::new(request.method(), request.uri(), headers.collect(), body);
        Self {
            service: Service::S3,
            operation: parsed.operation().to_owned(),
            body: parsed.body.clone(),
            request: Some(parsed),
        }
    }

    fn internal_error(&self) -> Answer {
        match self.service {
            Service::DynamoDb => dynamo_answer(Err(Failure::Internal)),
            Service::S3 => s3::internal_error(),
        }
    }
}

fn dynamo_answer(answer: Result<Json, Failure>) -> Answer {
    let (status, body, mistake) = match answer {
        Ok(body) => (200, body, None),
        Err(failure) => {
            let (status, body) = failure.to_answer();
            let mistake = failure
                .is_mistake()
                .then(|| (failure.code().to_owned(), failure.message()));
            (status, body, mistake)
        }
    };
    Answer {
        status,
        headers: vec![("content-type", "application/x-amz-json-1.0".to_owned())],
        body: body.to_string().into_bytes(),
        mistake,
    }
}

fn to_response(answer: Answer) -> Result<HttpResponse, ConnectorError> {
    let other =
        |error: Box<dyn std::error::Error + Send + Sync>| ConnectorError::other(error, None);
    let status = StatusCode::try_from(answer.status).map_err(|error| other(error.into()))?;
    let mut response = HttpResponse::new(status, answer.body.into());
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}
