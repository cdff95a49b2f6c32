"""Who calls: API keys at the Gemini API, access tokens at Vertex AI."""

from __future__ import annotations

from simulator.managed.errors import DENIED, INVALID, UNAUTHENTICATED, ApiError, error_info
from simulator.managed.google import GEMINI, VERTEX, Google, KeyState, Verdict
from simulator.managed.routing import Request

_EXPECTED = (
    "Expected OAuth 2 access token, login cookie or other valid authentication credential. See "
    "https://developers.google.com/identity/sign-in/web/devconsole-project."
)


def gemini_project(google: Google, request: Request, method: str) -> str:
    """The project of the key that a native call of the Gemini API carries.

    Args:
        google: knows the keys.
        request: with the key in `x-goog-api-key` or `?key=`.
        method: of the API, such as "GenerativeService.GenerateContent".

    Raises:
        ApiError: there is no key, or it may not.
    """
    key = request.headers.get("x-goog-api-key") or request.query.get("key", "")
    if key:
        return _project_of(google, google.accepts(key), method)
    if request.bearer:  # no access token is good for anything here
        raise _unsupported()
    raise ApiError(
        DENIED,
        "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other "
        "form of API consumer identity to call this API.",
    )


def openai_project(google: Google, request: Request, method: str) -> str:
    """The project of the key that a call of the OpenAI-compatible routes carries.

    Args:
        google: knows the keys.
        request: with the key as bearer. A second one beside it is refused; public reports name the headers
            `openai-organization` and `openai-project` as taken for credentials too.
        method: of the API, such as "GenerativeService.GenerateContent".

    Raises:
        ApiError: there is no key, there are several, or it may not.
    """
    if not request.bearer:
        raise ApiError(INVALID, "Missing or invalid Authorization header.")
    others = ("x-goog-api-key", "openai-organization", "openai-project")
    if "key" in request.query or any(request.headers.get(name) for name in others):
        raise ApiError(INVALID, "Multiple authentication credentials received. Please pass only one.")
    return _project_of(google, google.accepts(request.bearer), method)


def check_token(request: Request) -> None:
    """Whether a call of Vertex AI carries an access token; any will do.

    Raises:
        ApiError: it carries none.
    """
    if not request.bearer:
        message = f"Request is missing required authentication credential. {_EXPECTED}"
        raise ApiError(UNAUTHENTICATED, message, error_info("CREDENTIALS_MISSING", VERTEX))


def _project_of(google: Google, state: KeyState, method: str) -> str:
    if state.verdict is Verdict.UNKNOWN:
        message = "API key not valid. Please pass a valid API key."
        raise ApiError(INVALID, message, error_info("API_KEY_INVALID", GEMINI))
    google.check(state.project, GEMINI)
    if state.verdict is Verdict.BLOCKED:
        name = f"google.ai.generativelanguage.v1beta.{method}"
        consumer = f"projects/{google.number(state.project)}"
        info = error_info("API_KEY_SERVICE_BLOCKED", GEMINI, consumer=consumer, apiName=GEMINI, methodName=name)
        raise ApiError(DENIED, f"Requests to this API {GEMINI} method {name} are blocked.", info)
    if state.verdict is not Verdict.ACCEPTED:
        raise _unsupported()
    return state.project


def _unsupported() -> ApiError:
    """A standard key that is not taken any more is answered like a wrong token (Kilo-Org/kilocode #11763, #12162)."""
    message = f"Request had invalid authentication credentials. {_EXPECTED}"
    return ApiError(UNAUTHENTICATED, message, error_info("ACCESS_TOKEN_TYPE_UNSUPPORTED", GEMINI))
