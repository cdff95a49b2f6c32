"""The proxy before every engine: Caddy as a sidecar that asks for a key, while the engine listens on loopback alone.

A path is compared as it was sent, not as it is meant: no case, no `..`, no `//` and no escape can make one path into
another. What matches none of the few that are served gets the same answer as a wrong key.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from infra.plan.serving_plan import ServingPlan

PORT, METRICS_PORT = 8090, 8091
HEALTH_PATH, METRICS_PATH = "/health", "/metrics"
KEYS = "/etc/servestack/keys"
KEY_NAMES = ("current", "next")
_RUN_AS_USER = 65534
_CPU, _MEMORY, _EPHEMERAL_STORAGE = "100m", "128Mi", "128Mi"


@dataclass(frozen=True)
class ProxySidecar:
    """What the templates need to render the proxy.

    Attributes:
        config: the Caddyfile.
        port: where callers and the kubelet come; `metrics_port` where collectors do.
        secrets: names of the Secrets with the keys: one, or none where no key is asked for.
        cpu, memory, ephemeral_storage: Kubernetes quantities.
    """

    image: str
    capabilities: tuple[str, ...]
    config: str
    secrets: tuple[str, ...]
    port: int = PORT
    metrics_port: int = METRICS_PORT
    health_path: str = HEALTH_PATH
    keys_path: str = KEYS
    run_as_user: int = _RUN_AS_USER
    cpu: str = _CPU
    memory: str = _MEMORY
    ephemeral_storage: str = _EPHEMERAL_STORAGE

    @property
    def config_checksum(self) -> str:
        """On the pod, so that another configuration makes new pods: a running proxy does not read it again."""
        return hashlib.sha256(self.config.encode()).hexdigest()


def sidecar(plan: ServingPlan, engine_port: int, health_path: str, metrics_path: str = METRICS_PATH) -> ProxySidecar:
    """The proxy of one endpoint.

    Args:
        plan: of the endpoint.
        engine_port: where the engine listens on loopback.
        health_path: where the engine answers 200 once the model is loaded.
        metrics_path: where the engine answers in Prometheus' format.
    """
    access = plan.access
    asks = access.authentication == "key"
    return ProxySidecar(
        image=access.proxy_image,
        capabilities=access.proxy_capabilities,
        config=_caddyfile(engine_port, health_path, metrics_path, plan.timing.drain_seconds, asks_for_key=asks),
        secrets=(access.secret,) if asks else (),
    )


def _caddyfile(engine_port: int, health_path: str, metrics_path: str, grace_seconds: int, *, asks_for_key: bool) -> str:
    """Caddyfile with blanks, as YAML cannot show tabs in a block of text.

    The key is compared with files that are read at each request: a missing or empty one admits nobody, and the pattern
    before it refuses keys that are too short to be one. Connections to the engine are not kept, as engines close idle
    ones without warning. `flush_interval` is left out: streams are flushed anyway, and with it an answer would go on
    after its caller has left.
    """
    keys = " ".join(f'"Bearer {{file.{KEYS}/{name}}}"' for name in KEY_NAMES)
    key_lines = (
        '    header_regexp Authorization "^Bearer [!-~]{16,}$"\n'
        f"    vars {{http.request.header.Authorization}} {keys}\n"
    )
    refusal = (
        '{"error":{"message":"No valid key, or a path that is not served.","type":"invalid_request_error"}}'
        if asks_for_key
        else '{"error":{"message":"This path is not served.","type":"invalid_request_error"}}'
    )
    rewrite = "" if metrics_path == METRICS_PATH else f"    rewrite {metrics_path}\n"
    status = 401 if asks_for_key else 404
    return f"""\
{{
  admin off
  auto_https off
  persist_config off
  grace_period {grace_seconds}s
  servers {{
    protocols h1
    timeouts {{
      read_header 10s
    }}
  }}
}}

http://:{PORT} {{
  @health {{
    method GET
    vars {{http.request.uri}} {HEALTH_PATH}
  }}
  handle @health {{
    rewrite {health_path}
    reverse_proxy 127.0.0.1:{engine_port} {{
      header_up -Authorization
      transport http {{
        keepalive off
      }}
    }}
  }}
  @api {{
    vars_regexp {{http.request.uri}} "^/v1(/[A-Za-z0-9][A-Za-z0-9._:-]*)+([?].*)?$"
{key_lines if asks_for_key else ""}  }}
  handle @api {{
    request_body {{
      max_size 64MB
    }}
    reverse_proxy 127.0.0.1:{engine_port} {{
      header_up -Authorization
      transport http {{
        keepalive off
      }}
    }}
  }}
  handle {{
    header Content-Type application/json
    header WWW-Authenticate Bearer
    respond `{refusal}` {status}
  }}
}}

http://:{METRICS_PORT} {{
  @metrics {{
    method GET
    vars {{http.request.uri}} {METRICS_PATH}
  }}
  handle @metrics {{
{rewrite}    reverse_proxy 127.0.0.1:{engine_port} {{
      header_up -Authorization
      transport http {{
        keepalive off
      }}
    }}
  }}
  handle {{
    respond 404
  }}
}}
"""
