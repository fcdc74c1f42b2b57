"""What stands in the way is one clear sentence, and Blender goes on."""

from __future__ import annotations

import sys
from pathlib import Path

from conftest import BINARIES, Blender
from local_farm import free_port, local_farm

TRY = """
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
bpy.context.scene.frame_end = 1
try:
    RESULT["outcome"] = sorted(bpy.ops.render_on_lambda.render_animation())
except RuntimeError as error:
    RESULT["error"] = str(error)
RESULT["job"] = job_json()
RESULT["blender_goes_on"] = len(bpy.data.objects) > 0
"""


def error_of(blender: Blender, sample: Path, preferences: str = "") -> str:
    """The sentence that a job fails with."""
    result = blender.run(preferences + TRY, str(sample))
    assert result["blender_goes_on"]
    assert result["job"]["state"] == "failed", result
    error = result["job"]["error"]
    assert "\n" not in error and len(error) < 500, error
    return error


def test_no_such_stack(blender: Blender, sample: Path) -> None:
    change = "blender_with_extension.preferences().stack = 'nope'\n"
    error = error_of(blender, sample, change)
    # An artist may see the farm's own stack alone, and AWS tells nobody what is not there.
    assert error.startswith('AWS does not allow to find the stack "nope" in us-east-1')
    assert error.endswith("check the stack name and the region")
    blender.environment |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    error = error_of(blender, sample, change)
    assert error.startswith('There is no stack "nope" in us-east-1')


def test_no_network(blender: Blender, sample: Path) -> None:
    change = f"blender_with_extension.preferences().endpoint = 'http://127.0.0.1:{free_port()}'\n"
    error = error_of(blender, sample, change)
    assert error.startswith("Cannot reach AWS to find the stack: ")
    assert "refused" in error.lower()


def test_an_endpoint_without_encryption(blender: Blender, sample: Path) -> None:
    change = "blender_with_extension.preferences().endpoint = 'http://farm.example.com'\n"
    error = error_of(blender, sample, change)
    assert "has no encryption: use https://" in error


def test_no_credentials(blender: Blender, sample: Path, tmp_path: Path) -> None:
    change = "blender_with_extension.preferences().profile = 'artist'\n"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del blender.environment[name]
    config = tmp_path / "config"
    config.write_text("[profile artist]\nregion = us-east-1\n")
    blender.environment |= {
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }
    error = error_of(blender, sample, change)
    assert error.startswith('There are no AWS credentials in the profile "artist"; sign in'), error


def test_credentials_that_aws_does_not_know(blender: Blender, sample: Path) -> None:
    with local_farm(Path(sys.executable), BINARIES) as strict:
        change = f"blender_with_extension.set_farm({strict.endpoint!r}, {strict.stack!r})\n"
        blender.environment = strict.environment() | {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}
        error = error_of(blender, sample, change)
    assert error.startswith("AWS does not accept the credentials: "), error
    assert "check the profile" in error


def test_a_queue_and_a_bucket_that_are_gone(blender: Blender, sample: Path) -> None:
    with local_farm(Path(sys.executable), BINARIES) as broken:
        change = f"blender_with_extension.set_farm({broken.endpoint!r}, {broken.stack!r})\n"
        blender.environment = broken.environment()
        queue = broken.outputs()["QueueUrl"]
        broken.client("sqs").delete_queue(QueueUrl=queue)
        error = error_of(blender, sample, change)
        assert error == f"The queue {queue} does not exist any more; deploy the stack again"

        bucket = broken.outputs()["BucketName"]
        s3 = broken.client("s3")
        for item in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=item["Key"])
        s3.delete_bucket(Bucket=bucket)
        error = error_of(blender, sample, change)
        assert error == f'The bucket "{bucket}" does not exist any more; deploy the stack again'
