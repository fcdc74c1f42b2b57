//! The port of this computer on which the browser brings AWS's answer (RFC 8252, section 7.3).

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::error::{Result, SignInError};

const PATH: &str = "/oauth/callback";

/// What a browser sends before its question is taken for something else.
const MOST_HEADER_BYTES: usize = 64 << 10;

/// Browsers open some connections ahead, and leave them.
const MOST_CONNECTIONS: usize = 64;

/// How long a browser is given to say what it wants.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long until the next connection is taken where one could not be.
const PAUSE: Duration = Duration::from_millis(100);

/// A port that waits for one answer.
#[derive(Debug)]
pub(crate) struct Loopback {
    listener: TcpListener,
    address: SocketAddr,
}

impl Loopback {
    /// Takes a free port.
    ///
    /// # Errors
    /// [`SignInError::Loopback`].
    pub(crate) async fn bind() -> Result<Self> {
        let failed = |source| SignInError::Loopback { source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// Where the browser shall be sent with the answer.
    pub(crate) fn redirect_address(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// Waits for the answer to the question that has this state, and gives its code.
    ///
    /// # Errors
    /// [`SignInError::Refused`] where the answer is no.
    pub(crate) async fn code(self, state: &str) -> Result<String> {
        let (sender, mut answers) = mpsc::channel(1);
        let mut connections = JoinSet::new();
        let answer = loop {
            let stream = tokio::select! {
                Some(answer) = answers.recv() => break answer,
                Some(_) = connections.join_next() => continue,
                accepted = self.listener.accept(), if connections.len() < MOST_CONNECTIONS => {
                    let Ok((stream, _)) = accepted else {
                        // A browser that went away at once; whatever else it is, it is met again.
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    };
                    stream
                }
            };
            let (state, sender) = (state.to_owned(), sender.clone());
            connections.spawn(async move {
                if let Some(answer) = serve(stream, state).await {
                    // One answer is enough: of a second one nobody wants to know.
                    let _ = sender.try_send(answer);
                }
            });
        };
        answer.map_err(|reason| SignInError::Refused { reason })
    }
}

/// Answers one question of the browser; what came with it, when the browser has its page.
async fn serve(stream: TcpStream, state: String) -> Option<Answer> {
    let found = OnceLock::new();
    let service = service_fn(|request: Request<Incoming>| {
        let (page, answer) = page(&request, &state);
        let _ = answer.map(|answer| found.set(answer));
        async { Ok::<_, Infallible>(page) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(MOST_HEADER_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // A browser that went away early has brought what it brought.
    let _ = served.await;
    found.into_inner()
}

type Answer = std::result::Result<String, String>;

/// What the browser shows, and the answer where it brings one.
fn page(request: &Request<Incoming>, state: &str) -> (Response<Full<Bytes>>, Option<Answer>) {
    if request.uri().path() != PATH || request.method() != Method::GET {
        return (html(StatusCode::NOT_FOUND, "There is nothing here."), None);
    }
    match answer(request.uri().query().unwrap_or_default(), state) {
        Some(Ok(code)) => {
            let text = "You are signed in. Close this page and go back to Blender.";
            (html(StatusCode::OK, text), Some(Ok(code)))
        }
        Some(Err(reason)) => {
            let text = "You are not signed in. Go back to Blender, where it says why.";
            (html(StatusCode::OK, text), Some(Err(reason)))
        }
        None => {
            let text = "This is not the answer that Blender waits for. Sign in from there again.";
            (html(StatusCode::BAD_REQUEST, text), None)
        }
    }
}

/// The code in a query or the reason why there is none; nothing where it answers another question.
fn answer(query: &str, state: &str) -> Option<Answer> {
    let mut fields: HashMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).collect();
    if fields.get("state").is_none_or(|found| found != state) {
        return None;
    }
    if let Some(code) = fields.remove("code") {
        return Some(Ok(code.into_owned()));
    }
    let error = fields.remove("error")?;
    let described = fields.remove("error_description");
    Some(Err(described.unwrap_or(error).chars().take(300).collect()))
}

fn html(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let page = format!(
        "<!doctype html><meta charset=\"utf-8\"><title>Render on Lambda</title>\
         <body style=\"font: 18px sans-serif; margin: 4em\">{text}\n"
    );
    let mut response = Response::new(Full::new(Bytes::from(page)));
    *response.status_mut() = status;
    let value = header::HeaderValue::from_static;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, value("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, value("no-store"));
    // The page's address has the code in it: nobody is told where somebody comes from.
    headers.insert(header::REFERRER_POLICY, value("no-referrer"));
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[test]
    fn only_the_answer_to_our_own_question_counts() {
        assert_eq!(answer("code=c%2B1&state=s", "s"), Some(Ok("c+1".to_owned())));
        assert_eq!(answer("code=c&state=other", "s"), None);
        assert_eq!(answer("code=c", "s"), None);
        assert_eq!(answer("state=s", "s"), None);
        let refused = answer("error=access_denied&error_description=not+you&state=s", "s");
        assert_eq!(refused, Some(Err("not you".to_owned())));
    }

    async fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    #[tokio::test]
    async fn strangers_and_idle_connections_do_not_end_the_wait() {
        let loopback = Loopback::bind().await.unwrap();
        let address = loopback.address;
        let _idle = TcpStream::connect(address).await.unwrap();
        let waiting = tokio::spawn(async move { loopback.code("s").await });
        assert!(get(address, "/favicon.ico").await.starts_with("HTTP/1.1 404"));
        let wrong = get(address, "/oauth/callback?code=evil&state=guess").await;
        assert!(wrong.starts_with("HTTP/1.1 400"), "{wrong}");
        let right = get(address, "/oauth/callback?code=c&state=s").await;
        assert!(right.contains("go back to Blender"), "{right}");
        assert_eq!(waiting.await.unwrap().unwrap(), "c");
    }

    #[tokio::test]
    async fn a_no_is_told_in_its_own_words() {
        let loopback = Loopback::bind().await.unwrap();
        let address = loopback.address;
        let waiting = tokio::spawn(async move { loopback.code("s").await });
        get(address, "/oauth/callback?error=access_denied&state=s").await;
        let error = waiting.await.unwrap().unwrap_err().to_string();
        insta::assert_snapshot!(error, @"AWS did not sign you in: access_denied; sign in again");
    }
}
