"""Uploads a folder with AWS Deadline Cloud's job attachments: `ENDPOINT BUCKET STATE FOLDER`.

Run by the peers' Python. Only S3 is called: the account's id comes with the credentials.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

endpoint, bucket, state, folder = sys.argv[1:]
# The library makes its clients itself: the environment is where an endpoint can be said.
os.environ |= {"AWS_ENDPOINT_URL_S3": endpoint, "HOME": state}

import boto3  # noqa: E402
import botocore.session  # noqa: E402
from botocore.config import Config  # noqa: E402
from deadline.job_attachments.models import JobAttachmentS3Settings  # noqa: E402
from deadline.job_attachments.upload import S3AssetManager  # noqa: E402

core = botocore.session.Session()
core.set_default_client_config(Config(s3={"addressing_style": "path"}))
session = boto3.Session(
    botocore_session=core,
    region_name="us-east-1",
    aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
    aws_secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
    aws_account_id="000000000000",
)
manager = S3AssetManager(
    farm_id="farm-" + "0" * 32,
    queue_id="queue-" + "0" * 32,
    job_attachment_settings=JobAttachmentS3Settings(s3BucketName=bucket, rootPrefix="deadline"),
    session=session,
)
files = [str(path) for path in Path(folder).resolve().rglob("*") if path.is_file()]
group = manager.prepare_paths_for_upload(files, [], [])
_, manifests = manager.hash_assets_and_create_manifest(
    group.asset_groups, group.total_input_files, group.total_input_bytes, hash_cache_dir=state
)
manager.upload_assets(manifests, s3_check_cache_dir=state)
