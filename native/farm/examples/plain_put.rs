//! Puts every file of a folder, several at once, and nothing more: what `bench/` holds uploads to.
//!
//! `plain_put ENDPOINT BUCKET FOLDER` takes credentials from the environment.

use std::error::Error;
use std::path::PathBuf;

use aws_sdk_s3::primitives::ByteStream;
use futures_util::{StreamExt, TryStreamExt, stream};

const FILES_AT_ONCE: usize = 16;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, bucket, folder] = arguments.as_slice() else {
        return Err("usage: plain_put ENDPOINT BUCKET FOLDER".into());
    };
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
    let config = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
    let client = aws_sdk_s3::Client::from_conf(config);
    let files: Vec<PathBuf> = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    stream::iter(files)
        .map(|path| {
            let put = client.put_object().bucket(bucket).key(path.to_string_lossy());
            async move {
                put.body(ByteStream::from_path(&path).await?).send().await?;
                Ok::<_, Box<dyn Error>>(())
            }
        })
        .buffer_unordered(FILES_AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(())
}
