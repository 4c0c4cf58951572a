"""S3 as inputs and outputs: the settings of AWS tools, listing, reading, whole objects, what is refused."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from io_support import columns, drain, shown

from streamsql.errors import OperationalError
from streamsql.io.open import open_sink, open_source
from streamsql.io.storages.s3 import S3Storage
from streamsql.io.storages.s3_settings import S3Settings, s3_settings
from streamsql.types import INTEGER

if TYPE_CHECKING:
    from s3_server import Bucket

SCHEMA = columns(N=INTEGER)
ROWS = pa.RecordBatch.from_arrays([pa.array([1, 2, 3], pa.int32())], schema=SCHEMA.arrow())
ROLE = "arn:aws:iam::123456789012:role/reader"


def rows_of(uri: str) -> list[tuple[object, ...]]:
    return drain(open_source(uri, SCHEMA))[0]


def test_objects_are_read(bucket: Bucket) -> None:
    bucket.put("logs/a.jsonl", '{"N": 1}\n')
    bucket.put("logs/b.jsonl", '{"N": 2}\n{"N": 3}')
    bucket.put("logs/b.txt", "rubbish")
    bucket.put("logs/deeper/c.jsonl", '{"N": 4}')
    assert rows_of(bucket.uri("logs/*.jsonl")) == [(1,), (2,), (3,)]
    assert drain(open_source(bucket.uri("logs/b.jsonl")))[0] == [(2,), (3,)]
    with pytest.raises(OperationalError, match="no such file"):
        open_source(bucket.uri("missing.jsonl"), SCHEMA)


@pytest.mark.parametrize("key", ["a b+c=d/é %20&x.jsonl", "日本/年=2024/x.jsonl", "plus+plus.jsonl", "100%.jsonl"])
def test_keys_are_taken_as_they_are(bucket: Bucket, key: str) -> None:
    bucket.put(key, '{"N": 7}\n')
    assert rows_of(bucket.uri(key)) == [(7,)]
    sink = open_sink(bucket.uri(f"out/{key}"), SCHEMA)
    sink.write(ROWS)
    sink.commit(sink.prepare())
    sink.close()
    assert bucket.keys("out/") == [f"out/{key}"]


def test_large_objects_take_few_requests(bucket: Bucket) -> None:
    lines = b"".join(b'{"N": %d}\n' % n for n in range(1_000_000))
    bucket.put("plain.jsonl", lines)
    bucket.put("packed.jsonl.gz", gzip.compress(lines, 1))
    for key, most in (("plain.jsonl", 8), ("packed.jsonl.gz", 6)):
        bucket.server.forget()
        assert sum(n for (n,) in rows_of(bucket.uri(key))) == 499_999_500_000
        assert len([each for each in bucket.server.requests if each.range]) <= most


def test_followed_objects(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.put("in/a.jsonl", '{"N": 1}\n')
    source = open_source(f"{bucket.uri('in/*.jsonl')}?follow=true", SCHEMA)
    bucket.server.forget()
    assert shown(source.poll(10).rows) == [(1,)]
    for _ in range(20):
        assert source.poll(10).rows is None
    assert len(bucket.server.requests) <= 6  # not some for each look
    monkeypatch.setattr("streamsql.io.files.LOOK_SECONDS", 0.0)
    bucket.put("in/a.jsonl", '{"N": 1}\n{"N": 2}\n{"N"')
    assert shown(source.poll(10).rows) == [(2,)]
    assert source.poll(10).rows is None
    bucket.put("in/a.jsonl", '{"N": 1}\n{"N": 2}\n{"N": 3}')
    bucket.put("in/b.jsonl", '{"N": 4}\n')
    assert shown(source.poll(10).rows) == [(3,)]
    assert shown(source.poll(10).rows) == [(4,)]


@pytest.mark.parametrize("staged", [True, False])
@pytest.mark.parametrize("ending", ["jsonl", "csv.gz", "parquet"])
def test_one_object_appears_whole_at_the_end(tmp_path: Path, bucket: Bucket, ending: str, staged: bool) -> None:
    uri = bucket.uri(f"out.{ending}")
    sink = open_sink(uri, SCHEMA, tmp_path / "staging" if staged else None)
    sink.write(ROWS)
    sink.commit(sink.prepare())
    assert bucket.keys() == []
    sink.close()
    assert rows_of(uri) == [(1,), (2,), (3,)]


def test_an_object_of_many_parts(bucket: Bucket) -> None:
    sink = open_sink(bucket.uri("out.jsonl"), SCHEMA)
    many = pa.RecordBatch.from_arrays([pa.array(range(100_000_000, 101_000_000), pa.int32())], schema=SCHEMA.arrow())
    sink.write(many)
    sink.commit(sink.prepare())
    sink.close()
    assert len({each.query["partNumber"] for each in bucket.server.requests if "partNumber" in each.query}) > 1
    assert len(bucket.get("out.jsonl")) == len('{"N": 100000000}\n') * 1_000_000


def test_a_folder_gets_an_object_a_commit(tmp_path: Path, bucket: Bucket) -> None:
    bucket.put("out/part-000007.jsonl", "of an earlier run")
    sink = open_sink(bucket.uri("out/"), SCHEMA, tmp_path / "staging")
    for _ in range(2):
        sink.write(ROWS)
        sink.commit(sink.prepare())
    sink.close()
    assert bucket.keys("out/part") == ["out/part-000001.jsonl", "out/part-000002.jsonl"]
    assert len(rows_of(bucket.uri("out/*.jsonl"))) == 6


def test_listings_of_several_pages(bucket: Bucket) -> None:
    for i in range(1050):
        bucket.put(f"t/{i % 7}/{i:04d}", "x")
    found = [entry.path for entry in S3Storage().files(f"{bucket.name}/t/")]
    assert found == sorted(f"{bucket.name}/t/{i % 7}/{i:04d}" for i in range(1050))
    assert len(bucket.server.requests) == 2
    assert S3Storage().folders(f"{bucket.name}/t/") == [str(i) for i in range(7)]


# -- settings ----------------------------------------------------------------------------------------------------------


def test_what_the_variables_say() -> None:
    nothing = {"AWS_CONFIG_FILE": "/dev/null"}
    assert s3_settings(nothing) == S3Settings(None, None, False, None, None, None, 3)
    both = {**nothing, "AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_S3": "http://s3"}
    assert s3_settings(both).endpoint == "http://s3"
    assert s3_settings({**nothing, "AWS_DEFAULT_REGION": "a"}).region == "a"
    assert s3_settings({**nothing, "AWS_DEFAULT_REGION": "a", "AWS_REGION": "b"}).region == "b"
    more = s3_settings({**nothing, "AWS_NO_SIGN_REQUEST": "true", "AWS_MAX_ATTEMPTS": "7", "AWS_ROLE_ARN": ROLE})
    assert (more.anonymous, more.attempts, more.role) == (True, 7, ROLE)
    assert s3_settings({**nothing, "AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "token"}).role is None
    with pytest.raises(OperationalError, match="AWS_MAX_ATTEMPTS is no number"):
        s3_settings({**nothing, "AWS_MAX_ATTEMPTS": "many"})


def test_what_a_profile_says(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("""
[default]
region = eu-north-1
[profile lab]
region = eu-west-3
endpoint_url = http://lab:9000
[profile other]
role_arn = arn:aws:iam::123456789012:role/reader
source_profile = lab
""")
    file = {"AWS_CONFIG_FILE": str(config)}
    assert s3_settings(file).region == "eu-north-1"
    lab = s3_settings({**file, "AWS_PROFILE": "lab"})
    assert (lab.endpoint, lab.region) == ("http://lab:9000", "eu-west-3")
    assert s3_settings({**file, "AWS_PROFILE": "lab", "AWS_REGION": "us-west-1"}).region == "us-west-1"
    with pytest.raises(OperationalError, match="the AWS profile 'other' takes a role") as raised:
        s3_settings({**file, "AWS_PROFILE": "other"})
    assert raised.value.hint == f"AWS_PROFILE=lab AWS_ROLE_ARN={ROLE} does the same"
    config.write_text("[default\nregion")
    with pytest.raises(OperationalError, match=r"cannot read the AWS configuration '.*config'"):
        s3_settings(file)


def signers(bucket: Bucket) -> set[str | None]:
    """The access keys with which one object is read."""
    bucket.server.forget()
    S3Storage().open(f"{bucket.name}/a").read()
    return {each.signer for each in bucket.server.requests if each.path != "/"}


def test_who_asks(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.put("a", "1")
    assert signers(bucket) == {"test"}
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    (of_role,) = signers(bucket)
    assert of_role is not None
    assert of_role.startswith("ASIA")  # a key for a while, from the server's STS
    monkeypatch.delenv("AWS_ROLE_ARN")
    credentials = tmp_path / "credentials"
    credentials.write_text("[lab]\naws_access_key_id = labkey\naws_secret_access_key = x\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    monkeypatch.setenv("AWS_PROFILE", "lab")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")  # other settings, so that no client of before is used
    assert signers(bucket) == {"labkey"}


def test_anonymous(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.server.client.put_object(Bucket=bucket.name, Key="a", Body=b"1", ACL="public-read")
    monkeypatch.setenv("AWS_NO_SIGN_REQUEST", "true")
    assert signers(bucket) == {None}


def certificate(folder: Path) -> tuple[str, str]:
    """The files of a certificate for this machine, signed by itself, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "s3")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + timedelta(days=36500))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(files[0]), str(files[1])


def test_a_server_with_a_certificate_of_ones_own(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from s3_server import S3Server

    bucket.put("a", "1")
    files = certificate(tmp_path)
    server = S3Server(certificate=files)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(OperationalError, match="no connection to https://127"):
        S3Storage().size(f"{bucket.name}/a")
    monkeypatch.setenv("AWS_CA_BUNDLE", files[0])
    assert S3Storage().size(f"{bucket.name}/a") == 1
    server.stop()


# -- what is refused ---------------------------------------------------------------------------------------------------


def refused(bucket: Bucket, status: int, code: str) -> tuple[str, str | None]:
    """The error, and its hint, of listing where the server answers so."""
    bucket.server.answer = lambda _: (status, code)
    with pytest.raises(OperationalError) as raised:
        list(S3Storage().files(f"{bucket.name}/t/"))
    return raised.value.message.removeprefix(f"cannot list 's3://{bucket.name}/t': "), raised.value.hint


def test_what_the_server_says_is_said_in_words(bucket: Bucket) -> None:
    who, region = "AWS_ACCESS_KEY_ID or AWS_PROFILE say who asks", "AWS_REGION says the region of the buckets"
    assert refused(bucket, 403, "AccessDenied") == ("access is denied (ListObjectsV2 needs s3:ListBucket of the bucket)", who)
    assert refused(bucket, 403, "InvalidAccessKeyId") == ("the access key is not known there (INVALID_ACCESS_KEY_ID)", who)
    assert refused(bucket, 400, "ExpiredToken") == ("the session token has expired (ExpiredToken)", who)
    assert refused(bucket, 301, "PermanentRedirect") == ("the bucket is in another region than us-east-1", region)
    assert refused(bucket, 400, "AuthorizationHeaderMalformed") == ("the bucket is in another region than us-east-1", region)
    message, hint = refused(bucket, 503, "SlowDown")
    assert message == f"{bucket.server.endpoint} has too much to do (503), after 3 attempts"
    assert hint == "AWS_MAX_ATTEMPTS is the number of attempts"


def test_a_server_that_recovers_is_asked_again(bucket: Bucket) -> None:
    bucket.put("t/a", "1")
    answers = iter([(503, "SlowDown"), (500, "InternalError")])
    bucket.server.answer = lambda _: next(answers, None)
    assert [entry.path for entry in S3Storage().files(f"{bucket.name}/t/")] == [f"{bucket.name}/t/a"]


def test_without_credentials(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    bucket.put("a", "1")
    with pytest.raises(OperationalError, match="access is denied") as raised:
        S3Storage().open(f"{bucket.name}/a")
    assert raised.value.hint == "no credentials are set: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"


def test_no_server(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(OperationalError) as raised:
        open_source("s3://b/x.jsonl", SCHEMA)
    message = "cannot read 's3://b/x.jsonl': no connection to http://127.0.0.1:9 (could not connect to server)"
    assert raised.value.message == message
    assert raised.value.hint == "AWS_ENDPOINT_URL is http://127.0.0.1:9"


def test_an_output_without_a_bucket_is_known_at_the_start(bucket: Bucket, tmp_path: Path) -> None:
    for key in ("out.jsonl", "out/"):
        with pytest.raises(OperationalError, match="there is no bucket 'nowhere'"):
            open_sink(f"s3://nowhere/{key}", SCHEMA)


def test_an_object_that_goes_away(bucket: Bucket) -> None:
    bucket.put("a", "1")
    opened = S3Storage().open(f"{bucket.name}/a")
    bucket.delete("a")
    with pytest.raises(OperationalError, match=r"cannot read 's3://.*/a': it is gone since it was listed"):
        opened.read()
    with pytest.raises(OperationalError, match=r"cannot read 's3://.*/a': there is no such object"):
        S3Storage().size(f"{bucket.name}/a")
