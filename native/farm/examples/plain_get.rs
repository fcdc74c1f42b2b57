//! Gets every object below a prefix, several at once, and does nothing more: what `bench/` holds
//! fetching to.
//!
//! `plain_get ENDPOINT BUCKET PREFIX [FOLDER]` takes credentials from the environment and prints the
//! seconds. Without a folder the bytes are read and dropped.

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use futures_util::{StreamExt, TryStreamExt, stream};

const OBJECTS_AT_ONCE: usize = 16;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (endpoint, bucket, prefix, folder) = match arguments.as_slice() {
        [endpoint, bucket, prefix] => (endpoint, bucket, prefix, None),
        [endpoint, bucket, prefix, folder] => (endpoint, bucket, prefix, Some(Path::new(folder))),
        _ => return Err("usage: plain_get ENDPOINT BUCKET PREFIX [FOLDER]".into()),
    };
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder)?;
    }
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .http_client(
            aws_smithy_http_client::Builder::new()
                .tls_provider(aws_smithy_http_client::tls::Provider::Rustls(
                    aws_smithy_http_client::tls::rustls_provider::CryptoMode::Ring,
                ))
                .build_https(),
        )
        .region("us-east-1")
        .endpoint_url(endpoint)
        .load()
        .await;
    let path_style = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
    let client = aws_sdk_s3::Client::from_conf(path_style);
    let mut keys = Vec::new();
    let mut pages = client.list_objects_v2().bucket(bucket).prefix(prefix).into_paginator().send();
    while let Some(page) = pages.next().await {
        keys.extend(page?.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
    }
    let started = Instant::now();
    let bytes: Vec<u64> = stream::iter(keys)
        .map(|key| {
            let client = &client;
            async move {
                let name = key.replace('/', "-");
                let mut body = client.get_object().bucket(bucket).key(key).send().await?.body;
                let mut file = folder.map(|at| File::create(at.join(name))).transpose()?;
                let mut bytes = 0;
                while let Some(chunk) = body.next().await {
                    let chunk = chunk?;
                    bytes += chunk.len() as u64;
                    if let Some(file) = &mut file {
                        file.write_all(&chunk)?;
                    }
                }
                Ok::<_, Box<dyn Error>>(bytes)
            }
        })
        .buffer_unordered(OBJECTS_AT_ONCE)
        .try_collect()
        .await?;
    let seconds = started.elapsed().as_secs_f64();
    println!("{}", serde_json::json!({"seconds": seconds, "bytes": bytes.iter().sum::<u64>()}));
    Ok(())
}
