"""What S3 refuses, in words that say which object it was and what can be done."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from streamsql.errors import OperationalError
from streamsql.io.storages.s3_settings import S3Settings, has_credentials

_AWS = re.compile(
    r"AWS Error (?P<code>\w+|\[code \d+\])(?: \(HTTP status (?P<status>\d+)\))? "
    r"during (?P<operation>\w+) operation: (?P<text>.*)",
    re.DOTALL,
)
_OWN_CODE = re.compile(r"Unable to parse ExceptionName: (\w+) Message: (.*)", re.DOTALL)
_REQUEST = re.compile(r" \(Request ID: [^)]*\)")
_CURL = re.compile(r"curlCode: \d+, ([^;]*)")

_ALLOWS = {
    "ListObjectsV2": "s3:ListBucket of the bucket",
    "HeadObject": "s3:GetObject and s3:ListBucket",
    "GetObject": "s3:GetObject",
    "DeleteObject": "s3:DeleteObject",
}
"""What must be allowed for each request; for any other it is writing."""

_CREDENTIALS = {
    "INVALID_ACCESS_KEY_ID": "the access key is not known there",
    "SIGNATURE_DOES_NOT_MATCH": "the secret key does not belong to the access key",
    "INVALID_CLIENT_TOKEN_ID": "the session token is not known there",
    "ExpiredToken": "the session token has expired",
    "InvalidToken": "the session token is not known there",
    "REQUEST_TIME_TOO_SKEWED": "the clock of this machine is wrong",
}

_OTHER_REGION = ("PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException")


def explained(doing: str, path: str, error: Exception, settings: S3Settings, is_gone: Callable[[str], bool]) -> OperationalError:
    """The error of a request that was refused: `doing` is what was to be done with what is at `path`."""
    text, hint = _reason(path, error, settings, is_gone)
    return OperationalError(f"cannot {doing} 's3://{path}': {text}", hint=hint)


def no_bucket(doing: str, path: str, settings: S3Settings) -> OperationalError:
    """The error where there is no bucket to do something in."""
    return OperationalError(f"cannot {doing} 's3://{path}': there is no bucket {_bucket(path)!r}", hint=_where(settings))


def is_denied(error: Exception) -> bool:
    """Whether it is only that one may not ask."""
    match = _AWS.search(str(error))
    return match is not None and match["code"] == "ACCESS_DENIED"


def _bucket(path: str) -> str:
    return path.partition("/")[0]


def _where(settings: S3Settings) -> str:
    return f"AWS_ENDPOINT_URL is {settings.endpoint}" if settings.endpoint else "AWS_ENDPOINT_URL names a server that is not AWS"


def _reason(path: str, error: Exception, settings: S3Settings, is_gone: Callable[[str], bool]) -> tuple[str, str | None]:
    if isinstance(error, FileNotFoundError):
        return "there is no such object", None
    match = _AWS.search(str(error))
    if match is None:
        double = "//" in path
        return str(error), "S3 may have keys with // in them, which cannot be read here" if double else None
    code, status, operation = match["code"], match["status"], match["operation"]
    text = _REQUEST.sub("", match["text"]).strip()
    own = _OWN_CODE.match(text)
    if own is not None:
        code, text = own[1], own[2]
    if code == "NETWORK_CONNECTION":
        curl = _CURL.search(text)
        return f"no connection to {settings.place} ({curl[1].lower() if curl else text})", _where(settings)
    if code == "NO_SUCH_BUCKET":
        return f"there is no bucket {_bucket(path)!r}", _where(settings)
    if code in _CREDENTIALS:
        return f"{_CREDENTIALS[code]} ({code})", _credentials(settings)
    if code == "ACCESS_DENIED":
        return f"access is denied ({operation} needs {_ALLOWS.get(operation, 's3:PutObject')})", _credentials(settings)
    region = settings.region or "the default one"
    if "configured region" in text or code in _OTHER_REGION or status == "301":
        return f"the bucket is in another region than {region}", "AWS_REGION says the region of the buckets"
    if status == "400":
        hint = f"the bucket may be in another region than {region} (AWS_REGION), or the session token has expired"
        return "the request was refused (HTTP 400, without a reason)", hint
    if code == "SLOW_DOWN" or status == "503":
        return (
            f"{settings.place} has too much to do (503), after {settings.attempts} attempts",
            "AWS_MAX_ATTEMPTS is the number of attempts",
        )
    if operation == "GetObject" and is_gone(path):
        return "it is gone since it was listed", None
    if text == "No response body.":
        return f"{settings.place} refuses it without a reason ({operation}: {f'HTTP {status}' if status else code})", _where(
            settings
        )
    return f"{text} ({operation}: {f'HTTP {status}' if status else code})", None


def _credentials(settings: S3Settings) -> str:
    """What to do about credentials."""
    if settings.anonymous:
        return "AWS_NO_SIGN_REQUEST is set, so that requests are anonymous"
    if not has_credentials(os.environ):
        return "no credentials are set: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
    if settings.role:
        return f"the role {settings.role} was taken, by AWS_ROLE_ARN"
    return "AWS_ACCESS_KEY_ID or AWS_PROFILE say who asks"
