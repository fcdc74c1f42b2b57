"""Signing in: by the browser, by a company, with a key; a stand-in answers for AWS."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import COMMAND, Blender
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from keychain import keychain
from local_farm import REGION, LocalFarm
from strict_front.state import SignIns

# What stands for an artist who sees the page and says yes.
BROWSER = """\
#!{python}
import os, ssl, sys, urllib.error, urllib.request
trusted = ssl.create_default_context(cafile={authority!r})
try:
    page = urllib.request.urlopen(sys.argv[1], context=trusted).read().decode()
except urllib.error.HTTPError as error:
    page = error.read().decode()
open({seen!r}, "a").write(sys.argv[1] + "\\n" + page + "\\n")
"""
COMPANY = "https://studio.awsapps.com/start"


class Desk:
    """An artist's computer: a home with nothing in it, and a browser."""

    def __init__(self, farm: LocalFarm, folder: Path) -> None:
        self.farm, self.home = farm, folder / "home"
        self.home.mkdir()
        self.seen = folder / "seen.txt"
        browser = folder / "browser"
        browser.write_text(
            BROWSER.format(
                python=sys.executable, authority=str(farm.authority), seen=str(self.seen)
            )
        )
        browser.chmod(0o755)
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "DBUS_")) and not name.lower().endswith("_proxy")
        }
        self.environment |= {
            "HOME": str(self.home),
            "BROWSER": f"{browser} %s",
            "AWS_CA_BUNDLE": str(farm.authority),
            "AWS_EC2_METADATA_DISABLED": "true",
            # Where AWS's own code asks for credentials, which --endpoint is not for.
            "AWS_ENDPOINT_URL_SIGNIN": farm.endpoint,
            "AWS_ENDPOINT_URL_SSO": farm.endpoint,
            "AWS_ENDPOINT_URL_SSO_OIDC": farm.endpoint,
        }

    def command(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *arguments, "--stack", self.farm.stack, "--endpoint", self.farm.endpoint],
            env=self.environment, input=typed, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip

    def sign_in(self, *arguments: str, typed: str = "") -> tuple[int, str]:
        done = self.command("sign-in", "--region", REGION, *arguments, typed=typed)
        return done.returncode, done.stdout + done.stderr

    def jobs(self, profile: str) -> tuple[int, str]:
        done = self.command("jobs", "--profile", profile)
        return done.returncode, done.stdout + done.stderr

    def profiles(self) -> list[dict[str, str]]:
        listed = subprocess.run(
            [COMMAND, "farm", "profiles", "--json"],
            env=self.environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return json.loads(listed.stdout)

    def config(self) -> str:
        return (self.home / ".aws" / "config").read_text()

    def cached(self, where: str) -> Path:
        (found,) = (self.home / ".aws" / where).iterdir()
        assert stat.S_IMODE(found.stat().st_mode) == 0o600
        return found


@pytest.fixture
def desk(farm: LocalFarm, tmp_path: Path) -> Iterator[Desk]:
    sts = farm.front_client("sts", farm.artist)

    def keys() -> tuple[str, str, str]:
        made = sts.get_session_token()["Credentials"]
        return made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]

    farm.front.sign_ins = SignIns(keys)
    yield Desk(farm, tmp_path)
    farm.front.sign_ins = SignIns()


def test_the_browser_leaves_a_profile_that_works_and_is_renewed(desk: Desk) -> None:
    code, words = desk.sign_in("--profile", "anna")
    assert code == 0 and "signed in as arn:aws:iam::000000000000:user/artist" in words, words
    assert "go back to Blender" in desk.seen.read_text()
    assert desk.config() == (
        "[profile anna]\nlogin_session = arn:aws:iam::000000000000:user/artist\n"
        f"region = {REGION}\n"
    )
    code, words = desk.jobs("anna")
    assert code == 0, words
    # AWS's own code takes it from here: with our key, and our refresh token, once each.
    path = desk.cached("login/cache")
    token = json.loads(path.read_text())
    # As OpenSSL reads it, and with it most tools of AWS.
    key = serialization.load_pem_private_key(token["dpopKey"].encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1"
    old = token["refreshToken"]
    token["accessToken"]["expiresAt"] = "2020-01-01T00:00:00Z"
    path.write_text(json.dumps(token))
    code, words = desk.jobs("anna")
    assert code == 0, words
    assert json.loads(path.read_text())["refreshToken"] != old
    assert desk.profiles() == [{"name": "anna", "region": REGION, "state": "signed in"}]


def test_signing_in_again_changes_nothing_else(desk: Desk) -> None:
    assert desk.sign_in()[0] == 0
    mine = desk.config() + "\n# mine\n[profile other]\nregion = eu-west-3\n"
    (desk.home / ".aws" / "config").write_text(mine)
    assert desk.sign_in()[0] == 0
    assert desk.config() == mine


def test_a_no_is_told_in_aws_s_words_and_leaves_nothing(desk: Desk) -> None:
    desk.farm.front.sign_ins.refuses = "anna has no right to sign in locally"
    code, words = desk.sign_in("--profile", "anna")
    assert code == 4
    assert "AWS did not sign you in: anna has no right to sign in locally" in words, words
    assert not (desk.home / ".aws").exists()


def test_a_profile_with_other_credentials_is_left_alone(desk: Desk) -> None:
    (desk.home / ".aws").mkdir()
    config = f"[default]\naws_access_key_id = AKIA\naws_secret_access_key = s\nregion = {REGION}\n"
    (desk.home / ".aws" / "config").write_text(config)
    code, words = desk.sign_in()
    assert code == 4 and 'the profile "default" has an access key in its file already' in words
    assert desk.config() == config and not desk.seen.exists()
    code, words = desk.sign_in("--profile", "two]\nregion = x")
    assert code == 3 and "cannot be a profile's name" in words, words


def test_a_company_offers_roles_and_one_is_chosen(desk: Desk) -> None:
    desk.farm.front.sign_ins.roles = [
        ("000000000000", "Studio", "Artist"),
        ("000000000000", "Studio", "Admin"),
    ]
    company = ("--profile", "studio", "--company", COMPANY, "--company-region", REGION)
    code, words = desk.sign_in(*company)
    assert code == 2 and "000000000000/Artist" in words and "000000000000/Admin" in words, words
    assert "shows the code" in words
    assert not (desk.home / ".aws" / "config").exists()
    code, words = desk.sign_in(*company, "--role", "000000000000/Artist")
    assert code == 0 and "studio is signed in as Artist (000000000000)" in words, words
    assert desk.config() == textwrap.dedent(
        f"""\
        [sso-session studio-awsapps-com]
        sso_start_url = {COMPANY}
        sso_region = {REGION}
        sso_registration_scopes = sso:account:access

        [profile studio]
        sso_session = studio-awsapps-com
        sso_account_id = 000000000000
        sso_role_name = Artist
        region = {REGION}
        """
    )
    code, words = desk.jobs("studio")
    assert code == 0, words
    # The profile knows its company from now on, and its role.
    desk.cached("sso/cache").unlink()
    assert desk.jobs("studio")[0] == 4
    code, words = desk.sign_in("--profile", "studio")
    assert code == 0 and "signed in as Artist (000000000000)" in words, words
    assert desk.jobs("studio")[0] == 0
    for other in (("--role", "000000000000/Admin"), ("--company", "https://other.example/start")):
        where = ("--company-region", REGION) if "--company" in other else ()
        code, words = desk.sign_in("--profile", "studio", *other, *where)
        assert code == 4 and 'the profile "studio" has another' in words, words


def test_a_role_that_a_company_does_not_offer_is_not_replaced_by_another(desk: Desk) -> None:
    desk.farm.front.sign_ins.roles = [("000000000000", "Studio", "Artist")]
    where = ("--company", COMPANY, "--company-region", REGION)
    code, words = desk.sign_in(*where, "--role", "000000000000/Admin")
    assert code == 4 and "you may not use 000000000000/Admin" in words, words
    assert "you may use 000000000000/Artist" in words
    assert not (desk.home / ".aws" / "config").exists()


def test_what_the_environment_says_comes_first_and_is_told(desk: Desk) -> None:
    desk.environment["AWS_PROFILE"] = "anna"
    code, words = desk.sign_in()
    assert code == 0 and "anna is signed in as" in words, words
    assert desk.config().startswith("[profile anna]\n")
    del desk.environment["AWS_PROFILE"]
    desk.environment |= {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s"}
    code, words = desk.sign_in()
    assert code == 4 and "AWS_ACCESS_KEY_ID" in words and "name a profile" in words, words
    assert desk.sign_in("--profile", "anna")[0] == 0


def test_profiles_that_cannot_be_read_are_said_before_the_browser_opens(desk: Desk) -> None:
    (desk.home / ".aws").mkdir()
    for wrong in (b"[default]\nregion: eu-west-1\n", b"[default]\nregion = \xff\n"):
        (desk.home / ".aws" / "config").write_bytes(wrong)
        code, words = desk.sign_in("--profile", "anna")
        assert code in (3, 4) and ".aws" in words, words
        assert not desk.seen.exists()


def test_a_default_profile_with_a_one_time_code_is_in_nobodys_way(desk: Desk) -> None:
    (desk.home / ".aws").mkdir()
    config = "[default]\nrole_arn = arn:aws:iam::1:role/r\nmfa_serial = m\nsource_profile = x\n"
    (desk.home / ".aws" / "config").write_text(config)
    code, words = desk.sign_in("--profile", "anna")
    assert code == 0, words


def test_a_company_that_offers_nothing_or_is_none(desk: Desk) -> None:
    where = ("--company-region", REGION)
    code, words = desk.sign_in("--company", COMPANY, *where)
    assert code == 4 and "you may use no account there" in words, words
    code, words = desk.sign_in("--company", "studio", *where)
    assert code == 3 and "https://studio.awsapps.com/start" in words, words
    code, words = desk.sign_in("--company", COMPANY)
    assert code == 2 and "--company-region" in words


def test_an_access_key_is_in_the_keychain_and_in_no_file(desk: Desk, tmp_path: Path) -> None:
    key, secret = desk.farm.artist
    with keychain(tmp_path / "keychain") as found:
        desk.environment |= found
        typed = f"{key}\n{secret}\n"
        code, words = desk.sign_in("--profile", "anna", "--access-key", typed=typed)
        assert code == 0 and secret not in words, words
        assert desk.config() == (
            f"[profile anna]\nrender_on_lambda_access_key = keychain\nregion = {REGION}\n"
        )
        code, words = desk.jobs("anna")
        assert code == 0, words
        code, words = desk.sign_in("--profile", "anna", "--access-key", typed=f"{secret}\n{key}\n")
        assert code == 3 and secret not in words, words
        assert desk.sign_in("--profile", "anna", "--forget-access-key")[0] == 0
        code, words = desk.jobs("anna")
        assert code == 4 and 'no AWS credentials in the profile "anna"; sign in' in words, words
        assert desk.config() == f"[profile anna]\nregion = {REGION}\n"
        assert desk.sign_in("--profile", "anna")[0] == 0
        assert holders(tmp_path, secret) == []


def test_without_a_keychain_a_key_is_refused(desk: Desk, tmp_path: Path) -> None:
    key, secret = desk.farm.artist
    desk.environment |= {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere", "DISPLAY": ""}
    code, words = desk.sign_in("--access-key", typed=f"{key}\n{secret}\n")
    assert code == 4 and "no keychain that can be used" in words, words
    assert "sign in with the browser" in words and secret not in words
    assert not (desk.home / ".aws").exists()
    assert holders(tmp_path, secret) == []


IN_BLENDER = """
    chosen = bpy.context.preferences.addons["bl_ext.user_default.render_on_lambda"].preferences
    chosen.stack, chosen.endpoint, chosen.region = sys.argv[1], sys.argv[2], sys.argv[3]
    key, secret = os.environ.pop("CANARY").split()
    # Blender prints every operator with its properties.
    bpy.app.debug_wm = True

    def pressed(operator, **values):
        getattr(bpy.ops.render_on_lambda, operator)(**values)
        return jobs.jobs().signing_in.text

    chosen.profile = "typed"
    RESULT["typed"] = pressed("keep_access_key", access_key_id=key, secret=secret)
    RESULT["kept"] = jobs.jobs().signing_in.typed_secret
    chosen.profile = "anna"
    RESULT["browser"] = pressed("sign_in")
    scene = bpy.context.scene
    scene.render.resolution_x = scene.render.resolution_y = 32
    scene.render.filepath = sys.argv[4] + "/frames/"
    scene.cycles.samples = 1
    RESULT["jobs"] = []
    for profile in ("typed", "anna"):
        chosen.profile = profile
        bpy.ops.wm.save_as_mainfile(filepath=sys.argv[4] + f"/{profile}.blend")
        bpy.ops.render_on_lambda.render_image()
        RESULT["jobs"].append(job_json())
    bpy.ops.wm.save_userpref()
    bpy.ops.wm.save_homefile()
"""


def test_what_was_typed_or_signed_in_with_is_found_nowhere(
    desk: Desk, blender: Blender, tmp_path: Path
) -> None:
    key, secret = desk.farm.artist
    tokens: list[str] = []

    def noted() -> tuple[str, str, str]:
        made = keys()
        tokens.extend(made[1:])
        return made

    keys, desk.farm.front.sign_ins.keys = desk.farm.front.sign_ins.keys, noted
    work = tmp_path / "work"
    work.mkdir()
    with keychain(tmp_path / "keychain") as found:
        desk.environment |= found | {"CANARY": f"{key} {secret}", "TMPDIR": str(work)}
        artist = replace(blender, environment=desk.environment)
        arguments = (desk.farm.stack, desk.farm.endpoint, REGION, str(work))
        process = artist.start(IN_BLENDER, *arguments)
        printed, _ = process.communicate(timeout=240)
    assert process.returncode == 0, printed
    result = json.loads(artist.result.read_text())
    assert "keychain has the access key" in result["typed"], result
    assert result["kept"] == ""
    assert "Signed in as user/artist (000000000000)" in result["browser"], result
    assert [job["state"] for job in result["jobs"]] == ["finished", "finished"], result["jobs"]
    assert len(tokens) >= 2 and all(len(token) > 20 for token in tokens)
    # What all of AWS's tools share is the one place, for this user alone.
    shared = [desk.cached("login/cache")]
    assert holders(tmp_path, tokens[-1]) == shared
    for canary in (secret, *tokens):
        assert canary not in printed
        assert [path for path in holders(tmp_path, canary) if path not in shared] == []
        assert canary not in desk.farm.log.read_text(errors="replace")
        assert canary not in bucket(desk.farm)


def holders(folder: Path, canary: str) -> list[Path]:
    """The files below a folder in which a secret is, as text or as Blender's UTF-16."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_socket():
            data = path.read_bytes()
            if any(canary.encode(coding) in data for coding in ("utf-8", "utf-16-le")):
                found.append(path)
    return found


def bucket(farm: LocalFarm) -> str:
    """Everything that the farm has of jobs: keys, documents, packs, messages that are left."""
    s3: Any = farm.client("s3")
    name = farm.outputs()["BucketName"]
    parts = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
        for one in page.get("Contents", []):
            if not one["Key"].startswith("code/"):
                body = s3.get_object(Bucket=name, Key=one["Key"])["Body"].read()
                parts.append(one["Key"] + body.decode("latin-1"))
    sqs: Any = farm.client("sqs")
    for queue in ("QueueUrl", "DeadLetterQueueUrl"):
        answer = sqs.receive_message(
            QueueUrl=farm.outputs()[queue], MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        parts += [message["Body"] for message in answer.get("Messages", [])]
    return "\n".join(parts)
