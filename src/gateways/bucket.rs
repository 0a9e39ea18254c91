//! Stored files in a bucket, at Amazon or whoever else speaks S3.

use object_store::aws::AmazonS3Builder;
use secrecy::ExposeSecret;

use super::files::{FileError, FileStore};
use crate::settings::FileSettings;

/// The bucket as the operator described it. Nothing is asked of it yet.
pub fn open(bucket: &str, settings: &FileSettings) -> Result<FileStore, FileError> {
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        // One is deleted at a time, and not every service knows how to delete many.
        .with_disable_bulk_delete(true)
        .with_region(&settings.s3_region);
    if let Some(endpoint) = &settings.s3_endpoint {
        // Services of one's own are often reached without TLS, and know buckets by path only.
        builder = builder
            .with_endpoint(endpoint)
            .with_allow_http(endpoint.starts_with("http://"))
            .with_virtual_hosted_style_request(false);
    }
    if let (Some(id), Some(secret)) = (&settings.s3_access_key_id, &settings.s3_secret_access_key) {
        builder = builder
            .with_access_key_id(id)
            .with_secret_access_key(secret.expose_secret());
    }
    builder.build().map(FileStore::over).map_err(FileError::new)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    use bytes::Bytes;
    use futures::TryStreamExt;
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    type Objects = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

    /// As much of S3 as the store speaks: one bucket `files`, objects by path.
    async fn bucket() -> (FileStore, Objects) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let objects = Objects::default();
        let served = Arc::clone(&objects);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&served)));
            }
        });
        let settings = FileSettings {
            s3_bucket: Some("files".to_owned()),
            s3_endpoint: Some(format!("http://{address}")),
            s3_region: "cn-north-1".to_owned(),
            s3_access_key_id: Some("id".to_owned()),
            s3_secret_access_key: Some("secret".into()),
        };
        (open("files", &settings).unwrap(), objects)
    }

    async fn serve(stream: TcpStream, objects: Objects) {
        let mut stream = BufStream::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await.unwrap() == 0 {
                return;
            }
        }
        let header = |name: &str| {
            let prefix = format!("{name}: ");
            let lower = head.to_lowercase();
            lower
                .lines()
                .find_map(|it| it.strip_prefix(&prefix).map(str::to_owned))
        };
        assert!(header("authorization").unwrap().contains("cn-north-1/s3"));
        let length = header("content-length").map_or(0, |it| it.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        let mut words = head.split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let once = header("if-none-match").is_some();
        let (status, answer) = answer(&objects, (method, path, query), once, body);
        let length = answer.len();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\netag: \"1\"\r\nlast-modified: Tue, 02 Jan 2024 03:04:05 GMT\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        if method != "HEAD" {
            stream.write_all(&answer).await.unwrap();
        }
        stream.flush().await.unwrap();
    }

    fn answer(
        objects: &Objects,
        (method, path, query): (&str, &str, &str),
        once: bool,
        body: Vec<u8>,
    ) -> (&'static str, Vec<u8>) {
        let mut objects = objects.lock().unwrap();
        let known = objects.get(path).cloned();
        match (method, known) {
            ("GET", None) if path == "/files" => ("200 OK", listed(&objects, query)),
            ("GET" | "HEAD", Some(bytes)) => ("200 OK", bytes),
            ("GET" | "HEAD", None) => ("404 Not Found", Vec::new()),
            ("PUT", Some(_)) if once => ("412 Precondition Failed", Vec::new()),
            ("PUT", _) => {
                objects.insert(path.to_owned(), body);
                ("200 OK", Vec::new())
            }
            ("DELETE", _) => {
                objects.remove(path);
                ("204 No Content", Vec::new())
            }
            other => panic!("{other:?}"),
        }
    }

    fn listed(objects: &BTreeMap<String, Vec<u8>>, query: &str) -> Vec<u8> {
        let prefix = query.split('&').find_map(|it| it.strip_prefix("prefix="));
        let prefix = format!("/files/{}", prefix.unwrap_or_default().replace("%2F", "/"));
        let found = objects.keys().filter(|key| key.starts_with(&prefix));
        let found = found.map(|key| {
            let key = key.trim_start_matches("/files/");
            format!("<Contents><Key>{key}</Key><Size>3</Size><ETag>1</ETag><LastModified>2024-01-02T03:04:05.000Z</LastModified></Contents>")
        });
        let found: String = found.collect();
        format!("<ListBucketResult>{found}</ListBucketResult>").into_bytes()
    }

    #[tokio::test]
    async fn a_bucket_keeps_files_as_a_folder_does() {
        let (store, objects) = bucket().await;
        let key = "/upload/20240102/a.png";
        assert!(store.open(key).await.unwrap().is_none());
        assert!(!store.has(key).await.unwrap());
        store.put(key, Bytes::from_static(b"png")).await.unwrap();
        let paths: Vec<_> = objects.lock().unwrap().keys().cloned().collect();
        assert_eq!(paths, ["/files/upload/20240102/a.png"]);
        let opened = store.open(key).await.unwrap().unwrap();
        assert_eq!(opened.size, 3);
        let bytes: Vec<Bytes> = opened.bytes.try_collect().await.unwrap();
        assert_eq!(bytes.concat(), b"png");
        // The first keeps its place.
        let (same, other) = (Bytes::from_static(b"png"), Bytes::from_static(b"gif"));
        assert!(store.put_once(key, same).await.unwrap());
        assert!(!store.put_once(key, other).await.unwrap());
        assert!(store.has(key).await.unwrap());
        assert_eq!(store.keys("/upload").await.unwrap(), [key]);
        store.delete(key).await.unwrap();
        store.delete(key).await.unwrap();
        assert_eq!(store.keys("/upload").await.unwrap(), [""; 0]);
    }
}
