"""A registry's digest of a tag: `GET /v2/NAME/manifests/TAG` of the OCI distribution-spec, and its token challenge."""

from __future__ import annotations

import hashlib
import json
import re
import urllib.parse
import urllib.request

from infra.lock_client.asking import Answer, Asker, AskingError, short
from infra.lock_client.settings import MIRRORS, Settings, is_private
from infra.plan.registry import DOCKER_HUB, parts_of

# What a tag may name, in one answer: an index of several architectures, or the manifest of one (OCI image-spec 1.1,
# and Docker's own types from before it).
_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_DOCKER_HUB_API = "registry-1.docker.io"


def digest(asker: Asker, known: Settings, reference: str) -> str:
    """Digest of the image, of all its architectures where there are several, checked against what was received.

    Raises:
        AskingError: refused, not found, or an answer that is no image or contradicts itself.
    """
    registry, path = parts_of(reference)
    name, _, tag = path.rpartition(":")
    base, prefix = _address(known, registry)
    url = f"{base}/v2/{prefix}{name}/manifests/{tag}"
    secret = known.password(registry) if registry not in known.mirrors else known.password(_netloc(base))
    if secret and not is_private(base):
        raise AskingError(
            f"the address in {MIRRORS} begins with http, which shows its password to everyone. Use https."
        )
    headers = {"Accept": ", ".join(_TYPES)}
    answer = asker.get(url, headers)
    if answer.status == 401:
        answer = asker.get(url, headers, _authorization(asker, answer, base, f"{prefix}{name}", secret))
    if answer.status != 200:
        raise AskingError(_refused(answer, known, registry, secret))
    return _checked(answer)


def _address(known: Settings, registry: str) -> tuple[str, str]:
    """Where a registry's API is, and what comes before names there: the path of a mirror's address."""
    mirror = known.mirrors.get(registry)
    if mirror is None:
        return f"https://{_DOCKER_HUB_API if registry == DOCKER_HUB else registry}", ""
    parts = urllib.parse.urlsplit(mirror)
    prefix = parts.path.strip("/")
    return f"{parts.scheme}://{parts.netloc}", f"{prefix}/" if prefix else ""


def _authorization(asker: Asker, refused: Answer, base: str, name: str, secret: str) -> str:
    """What the registry wants to see: a token of the server that it names, or user and password.

    Source: distribution.github.io/distribution/spec/auth/token.
    """
    kind, _, rest = refused.headers.get("WWW-Authenticate", "").strip().partition(" ")
    basic = f"Basic {secret}" if secret else ""
    if kind.lower() != "bearer":
        return basic
    asked = _parameters(rest)
    try:
        realm = urllib.parse.urlsplit(asked.get("realm", ""))
    except ValueError:
        realm = urllib.parse.urlsplit("")
    safe = realm.scheme == "https" or (realm.scheme == "http" and base.startswith("http://"))
    if not safe or not realm.hostname or "@" in realm.netloc:
        raise AskingError("it names no safe address for tokens.")
    words = {"scope": asked.get("scope") or f"repository:{name}:pull"}
    if "service" in asked:
        words["service"] = asked["service"]
    query = "&".join(filter(None, [realm.query, urllib.parse.urlencode(words)]))
    answer = asker.get(urllib.parse.urlunsplit(realm._replace(query=query, fragment="")), {}, basic)
    if answer.status != 200:
        return basic
    try:
        made = json.loads(answer.body)
        token = made.get("token") or made.get("access_token")
    except (ValueError, AttributeError, RecursionError):
        token = None
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
        raise AskingError(f"{realm.hostname} answers without a token.")
    return f"Bearer {token}"


def _parameters(text: str) -> dict[str, str]:
    pairs = (one.partition("=") for one in urllib.request.parse_http_list(text))
    return {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs}


def _checked(answer: Answer) -> str:
    made = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
    stated = answer.headers.get("Docker-Content-Digest", made)
    if stated != made:
        raise AskingError(f"the digest does not match: {short(stated)} is stated, and what came has {made}. Run again.")
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip()
    try:
        version = json.loads(answer.body).get("schemaVersion")
    except (ValueError, AttributeError, RecursionError):
        version = None
    if kind not in _TYPES or version != 2:
        raise AskingError(f"what came is no image's manifest, but {short(kind) or 'of no type'}.")
    return made


def _refused(answer: Answer, known: Settings, registry: str, secret: str) -> str:
    if answer.status in (401, 403):
        helped = not secret and known.helped & {registry, "*"}
        how = "Docker's credential helper is not asked: " if helped else ""
        said = "its credentials are not accepted" if secret else f"{how}none are known"
        where = f"not there, or not to be seen (HTTP {answer.status}; {said})"
        return f"{where}. Correct the name, or run: docker login {registry}"
    if answer.status == 404:
        return "no such image or tag (HTTP 404). Correct engine.image or engine.version."
    return f"{registry} answers HTTP {answer.status}."


def _netloc(address: str) -> str:
    return urllib.parse.urlsplit(address).netloc
