"""The settings of S3: what AWS tools take from the environment, and from the profile in `~/.aws/config`.

Credentials are looked for by the AWS SDK itself: in the variables, in the files of the profile, and where the machine has a role.
"""

from __future__ import annotations

from collections.abc import Mapping
from configparser import Error as ConfigError
from configparser import RawConfigParser
from dataclasses import dataclass
from pathlib import Path

from streamsql.errors import OperationalError

TRUE = ("true", "yes", "on", "1")


@dataclass(frozen=True, slots=True)
class S3Settings:
    """How to reach S3; None where the SDK decides."""

    endpoint: str | None
    region: str | None
    anonymous: bool
    role: str | None
    """The role to take with the credentials that are found."""
    session: str | None
    certificates: str | None
    """A file of the authorities whose certificates are accepted."""
    attempts: int

    @property
    def place(self) -> str:
        """Where requests go, for messages."""
        return self.endpoint or "S3"


def s3_settings(environment: Mapping[str, str]) -> S3Settings:
    """The settings that the variables of an environment and its profile say.  Raises OperationalError where one is wrong."""
    profile = _profile(environment)
    attempts = environment.get("AWS_MAX_ATTEMPTS", "3")
    if not attempts.isdigit() or int(attempts) < 1:
        raise OperationalError(f"AWS_MAX_ATTEMPTS is no number of attempts: {attempts!r}")
    return S3Settings(
        endpoint=_first(environment.get("AWS_ENDPOINT_URL_S3"), environment.get("AWS_ENDPOINT_URL"), profile.get("endpoint_url")),
        region=_first(environment.get("AWS_REGION"), environment.get("AWS_DEFAULT_REGION"), profile.get("region")),
        anonymous=environment.get("AWS_NO_SIGN_REQUEST", "").lower() in TRUE,
        # with a web identity the SDK takes the role itself
        role=None if environment.get("AWS_WEB_IDENTITY_TOKEN_FILE") else _first(environment.get("AWS_ROLE_ARN")),
        session=_first(environment.get("AWS_ROLE_SESSION_NAME")),
        certificates=_first(environment.get("AWS_CA_BUNDLE"), profile.get("ca_bundle")),
        attempts=int(attempts),
    )


def _first(*values: str | None) -> str | None:
    return next((value for value in values if value), None)


def _profile(environment: Mapping[str, str]) -> Mapping[str, str]:
    """What the configuration file says of the profile."""
    path = Path(environment.get("AWS_CONFIG_FILE") or "~/.aws/config").expanduser()
    name = environment.get("AWS_PROFILE") or "default"
    parser = RawConfigParser()
    try:
        parser.read(path)
    except (ConfigError, OSError, UnicodeDecodeError) as error:
        raise OperationalError(f"cannot read the AWS configuration {str(path)!r}: {str(error).splitlines()[0]}") from error
    section = name if name == "default" else f"profile {name}"
    profile = dict(parser[section]) if parser.has_section(section) else {}
    comes_before = ("AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN", "AWS_NO_SIGN_REQUEST")
    if "role_arn" in profile and not any(environment.get(variable) for variable in comes_before):
        raise _not_taken(name, profile["role_arn"], profile.get("source_profile", "..."))
    return profile


def _not_taken(name: str, role: str, source: str) -> OperationalError:
    """The error for a profile that takes a role, which the SDK does not do by itself."""
    hint = f"AWS_PROFILE={source} AWS_ROLE_ARN={role} does the same"
    return OperationalError(f"the AWS profile {name!r} takes a role, and roles are taken from AWS_ROLE_ARN alone", hint=hint)


def has_credentials(environment: Mapping[str, str]) -> bool:
    """Whether the environment names credentials; a machine's role needs no naming."""
    names = (
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    )
    file = Path(environment.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials").expanduser()
    return any(environment.get(name) for name in names) or file.is_file()
