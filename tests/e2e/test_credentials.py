"""Credentials and networks as artists have them, each against a stand-in where AWS is needed."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import PROJECT
from local_farm import REGION, LocalFarm

COMMAND = Path(sys.executable).with_name("render-on-lambda")
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
LOGIN = "arn:aws:iam::000000000000:user/artist"


class Home:
    """An artist's home folder, with what the AWS tools keep there."""

    def __init__(self, farm: LocalFarm, folder: Path) -> None:
        self.farm, self.folder = farm, folder
        (folder / ".aws").mkdir()
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("AWS_") and not name.lower().endswith("_proxy")
        }
        self.environment |= {
            "HOME": str(folder),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CA_BUNDLE": str(farm.authority),
        }

    def config(self, text: str) -> None:
        (self.folder / ".aws" / "config").write_text(textwrap.dedent(text))

    def cache(self, where: str, name: str, document: object) -> None:
        path = self.folder / ".aws" / where / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))

    def jobs(self, *arguments: str) -> tuple[int, str]:
        """Ask the farm for its jobs; the exit code and what was said."""
        done = subprocess.run(
            [COMMAND, "jobs", "--stack", self.farm.stack, "--endpoint", self.farm.endpoint,
             *arguments],
            env=self.environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def home(farm: LocalFarm, tmp_path: Path) -> Home:
    return Home(farm, tmp_path)


def keys(farm: LocalFarm) -> str:
    return f"aws_access_key_id = {farm.artist[0]}\naws_secret_access_key = {farm.artist[1]}\n"


def test_a_profile_of_the_environment_that_is_not_there_is_named_with_those_that_are(
    home: Home,
) -> None:
    home.config(f"[profile artist]\nregion = {REGION}\n{keys(home.farm)}")
    home.environment |= {"AWS_PROFILE": "artits", "AWS_REGION": REGION}
    code, words = home.jobs()
    assert code == 4 and 'no profile "artits"' in words and "artist" in words, words
    home.environment["AWS_PROFILE"] = "artist"
    assert home.jobs()[0] == 0


def test_no_region_is_said_at_once_by_all_commands(home: Home) -> None:
    home.environment |= home.farm.environment()
    del home.environment["AWS_REGION"]
    code, words = home.jobs()
    assert code == 4 and "no region is set" in words, words
    watched = subprocess.run(
        [COMMAND, "watch", "01a00000-0000-7000-8000-000000000001", "--stack", home.farm.stack,
         "--endpoint", home.farm.endpoint],
        env=home.environment, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert watched.returncode == 4 and "no region is set" in watched.stderr, watched.stderr


def test_the_environment(home: Home) -> None:
    home.environment |= home.farm.environment()
    assert home.jobs()[0] == 0


def test_no_credentials_at_all(home: Home) -> None:
    code, words = home.jobs("--region", REGION)
    assert code == 4 and "there are no AWS credentials on this computer; sign in" in words, words


def test_no_credentials_where_the_computer_is_asked_for_a_role_of_its_own(home: Home) -> None:
    del home.environment["AWS_EC2_METADATA_DISABLED"]
    # As where nobody answers, or somebody else than AWS.
    home.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://127.0.0.1:9"
    code, words = home.jobs("--region", REGION)
    assert code == 4 and "there are no AWS credentials on this computer; sign in" in words, words


def test_a_chosen_profile_comes_before_keys_in_the_environment(home: Home) -> None:
    home.config(f"[profile artist]\nregion = {REGION}\n{keys(home.farm)}")
    home.environment |= {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}
    home.environment |= {"AWS_SECRET_ACCESS_KEY": "of somebody else"}
    assert home.jobs("--profile", "artist")[0] == 0
    assert home.jobs("--region", REGION)[0] == 4
    code, words = home.jobs("--profile", "artits")
    assert code == 4 and 'there is no profile "artits" in ~/.aws; there are: artist' in words


def test_a_process_that_gives_credentials(home: Home) -> None:
    script = home.folder / "keys.sh"
    document = {"Version": 1, "AccessKeyId": home.farm.artist[0]}
    document |= {"SecretAccessKey": home.farm.artist[1], "Expiration": TOMORROW}
    script.write_text(f"#!/bin/sh\necho '{json.dumps(document)}'\n")
    script.chmod(0o755)
    home.config(f"[profile process]\nregion = {REGION}\ncredential_process = {script}\n")
    assert home.jobs("--profile", "process")[0] == 0


def test_a_role(home: Home) -> None:
    iam, outputs = home.farm.client("iam"), home.farm.outputs()
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": LOGIN}, "Action": "sts:AssumeRole"}],
    }
    role = iam.create_role(RoleName="shot", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    iam.attach_role_policy(RoleName="shot", PolicyArn=outputs["ArtistPolicyArn"])
    may = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role["Arn"]}],
    }
    iam.put_user_policy(UserName="artist", PolicyName="shot", PolicyDocument=json.dumps(may))
    home.config(
        f"[profile artist]\n{keys(home.farm)}"
        f"[profile shot]\nregion = {REGION}\nrole_arn = {role['Arn']}\nsource_profile = artist\n"
    )
    # Where the credentials themselves are asked for, which --endpoint is not for.
    home.environment["AWS_ENDPOINT_URL_STS"] = home.farm.endpoint
    code, words = home.jobs("--profile", "shot")
    assert code == 0, words


def test_a_role_that_asks_for_a_code_is_refused_in_words(home: Home) -> None:
    home.config(
        f"[profile artist]\n{keys(home.farm)}"
        f"[profile coded]\nregion = {REGION}\nrole_arn = arn:aws:iam::000000000000:role/shot\n"
        "source_profile = artist\nmfa_serial = arn:aws:iam::000000000000:mfa/artist\n"
    )
    code, words = home.jobs("--profile", "coded")
    assert code == 4
    assert 'the profile "coded" asks for a one-time code of' in words
    assert "sign in to another profile" in words


def test_a_session_of_aws_login(home: Home) -> None:
    home.config(f"[profile login]\nregion = {REGION}\nlogin_session = {LOGIN}\n")
    token = {
        "accessKeyId": home.farm.artist[0],
        "secretAccessKey": home.farm.artist[1],
        "sessionToken": "",
        "accountId": "000000000000",
        "expiresAt": TOMORROW,
    }
    name = hashlib.sha256(LOGIN.encode()).hexdigest()
    document = {
        "accessToken": token,
        "tokenType": "aws_sigv4",
        "refreshToken": "refresh",
        "idToken": "id",
        "clientId": "arn:aws:signin:::devtools/same-device",
        "dpopKey": "",
    }
    home.cache("login/cache", name, document)
    code, words = home.jobs("--profile", "login")
    assert code == 0, words
    home.cache(
        "login/cache",
        name,
        document | {"accessToken": token | {"expiresAt": "2020-01-01T00:00:00Z"}},
    )
    code, words = home.jobs("--profile", "login")
    assert code == 4 and 'credentials of the profile "login"' in words


def test_identity_center(home: Home) -> None:
    asked: list[str] = []
    found = {
        "accessKeyId": home.farm.artist[0],
        "secretAccessKey": home.farm.artist[1],
        "sessionToken": "",
        "expiration": 4_000_000_000_000,
    }

    class Portal(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["x-amz-sso_bearer_token"] + " " + self.path)
            body = json.dumps({"roleCredentials": found}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    home.config(
        f"""
        [sso-session studio]
        sso_start_url = https://studio.awsapps.com/start
        sso_region = {REGION}
        [profile studio]
        region = {REGION}
        sso_session = studio
        sso_account_id = 000000000000
        sso_role_name = Artist
        """
    )
    token = {"accessToken": "the-token", "expiresAt": TOMORROW, "region": REGION}
    token |= {"startUrl": "https://studio.awsapps.com/start"}
    home.cache("sso/cache", hashlib.sha1(b"studio").hexdigest(), token)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Portal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home.environment["AWS_ENDPOINT_URL_SSO"] = f"http://127.0.0.1:{server.server_port}"
    try:
        code, words = home.jobs("--profile", "studio")
    finally:
        server.shutdown()
    assert code == 0, words
    assert asked[0].startswith("the-token /federation/credentials?")
    home.cache(
        "sso/cache",
        hashlib.sha1(b"studio").hexdigest(),
        token | {"expiresAt": "2020-01-01T00:00:00Z"},
    )
    code, words = home.jobs("--profile", "studio")
    assert code == 4 and 'credentials of the profile "studio"' in words


@contextmanager
def web_proxy() -> Iterator[tuple[str, list[str]]]:
    """A company's proxy: CONNECT and nothing else; its address and what was asked of it."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked: list[str] = []

    def copy(source: socket.socket, target: socket.socket) -> None:
        try:
            while piece := source.recv(1 << 16):
                target.sendall(piece)
        except OSError:
            pass
        for end in (source, target):
            end.close()

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            head = client.recv(1 << 16).decode()
            asked.append(head.split("\r\n", 1)[0])
            host, port = head.split(" ", 2)[1].rsplit(":", 1)
            server = socket.create_connection((host, int(port)))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            for ends in ((client, server), (server, client)):
                threading.Thread(target=copy, args=ends, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        # What waits for a connection is woken by this, not by closing alone.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def test_a_proxy_between_here_and_aws(home: Home) -> None:
    home.environment |= home.farm.environment()
    with web_proxy() as (address, asked):
        home.environment["HTTPS_PROXY"] = address
        assert home.jobs()[0] == 0
        assert asked and all(line.startswith("CONNECT 127.0.0.1:") for line in asked)
        asked.clear()
        home.environment["NO_PROXY"] = "127.0.0.1"
        assert home.jobs()[0] == 0
        assert not asked
        del home.environment["NO_PROXY"]
    code, words = home.jobs()
    assert code == 4 and "cannot reach AWS" in words


def test_a_companys_own_certificate(home: Home) -> None:
    home.environment |= home.farm.environment()
    del home.environment["AWS_CA_BUNDLE"]
    code, words = home.jobs()
    assert code == 4 and "AWS_CA_BUNDLE" in words, words
    home.config(f"[default]\nca_bundle = {home.farm.authority}\n")
    assert home.jobs()[0] == 0
    home.environment["AWS_CA_BUNDLE"] = str(PROJECT / "README.md")
    code, words = home.jobs()
    assert code == 4 and "README.md cannot be used: there is no certificate in it" in words
