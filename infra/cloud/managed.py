"""What the stack of a managed endpoint makes in Google Cloud: services, the callers' account and its rights, a key."""

from __future__ import annotations

from typing import Any

from infra.cloud.accounts import ACCOUNT, IAM_MEMBER
from infra.cloud.apis import SERVICE, api_name
from infra.cloud.identity import SECRET_MEMBER
from infra.cloud.labels import MANAGED_BY
from infra.cloud.native_garden import native_endpoint
from infra.cloud.resource import CloudResource, IdOf, OutputOf
from infra.frameworks.vertex import VertexContainer
from infra.plan.identity import ACTS_AS, principal
from infra.plan.managed import ManagedPlan
from infra.plan.managed.managed_plan import FIRST_APIS

API_KEY = "gcp:projects/apiKey:ApiKey"
SECRET = "gcp:secretmanager/secret:Secret"
SECRET_VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
ACCOUNT_MEMBER = "gcp:serviceaccount/iAMMember:IAMMember"
GEMINI_SERVICE = "generativelanguage.googleapis.com"


def managed_resources(
    plan: ManagedPlan, container: VertexContainer | None, project_number: str | None = None
) -> tuple[CloudResource, ...]:
    """All of it, in the order in which it is made, but for what the dynamic provider makes.

    Args:
        plan: of the endpoint.
        container: that serves in place of Model Garden's own, or None.
        project_number: of its project, where `needs_number` says so.
    """
    native = plan.garden is not None and plan.garden.provider == "native"
    return (
        *_services(plan),
        *_account(plan),
        *_key(plan),
        *_readers(plan, project_number),
        *((native_endpoint(plan, container, ready(plan)),) if native else ()),
    )


def needs_number(plan: ManagedPlan) -> bool:
    """Whether anything names the project by its number, which only Google knows."""
    return bool(plan.grants)


def ready(plan: ManagedPlan) -> tuple[str, ...]:
    """Names of the resources before which nothing can be deployed or called."""
    return tuple(one.name for one in _services(plan))


def _services(plan: ManagedPlan) -> tuple[CloudResource, ...]:
    """Removing a stack leaves them on, as others of the project may need them."""
    made = []
    for api in plan.apis:
        before = FIRST_APIS[: FIRST_APIS.index(api)] if api in FIRST_APIS else FIRST_APIS
        inputs = {"project": plan.project, "service": f"{api}.googleapis.com", "disableOnDestroy": False}
        after = tuple(api_name(plan.stack, one) for one in before)
        made.append(CloudResource(SERVICE, api_name(plan.stack, api), inputs, after=after))
    return tuple(made)


def _account(plan: ManagedPlan) -> tuple[CloudResource, ...]:
    calling, name = plan.calling, f"{plan.stack}-caller"
    made = [
        CloudResource(
            ACCOUNT,
            name,
            {
                "accountId": calling.account_id,
                "project": plan.project,
                "displayName": f"Callers of {plan.stack}",
            },
            after=(api_name(plan.stack, "iam"),),
        )
    ]
    if calling.role:
        inputs = {"project": plan.project, "role": calling.role, "member": f"serviceAccount:{calling.email}"}
        after = (name, api_name(plan.stack, "cloudresourcemanager"))
        made.append(CloudResource(IAM_MEMBER, f"{name}-role", inputs, after=after))
    if calling.role:  # with a key, pods do not act as the account
        for pods in calling.callers:
            member = f"serviceAccount:{plan.project}.svc.id.goog[{pods.namespace}/{pods.service_account}]"
            inputs = {
                "serviceAccountId": f"projects/{plan.project}/serviceAccounts/{calling.email}",
                "role": ACTS_AS,
                "member": member,
            }
            made.append(
                CloudResource(
                    ACCOUNT_MEMBER, f"{name}-is-{pods.namespace}-{pods.service_account}", inputs, after=(name,)
                )
            )
    return tuple(made)


def _key(plan: ManagedPlan) -> tuple[CloudResource, ...]:
    """A key of one service, bound to the account, and its value in Secret Manager alone.

    Its id is left to Pulumi: that of a deleted key stays taken for 30 days (GoogleCloudPlatform/k8s-config-connector
    1211), and a stack that is made again must not wait so long.
    """
    calling = plan.calling
    if not calling.key_id:
        return ()
    key, secret = f"{plan.stack}-key", f"{plan.stack}-secret"
    labels = {**dict(plan.labels), **MANAGED_BY, "stack": plan.stack}
    value: dict[str, Any] = {"secret": IdOf(secret), "secretData": OutputOf(key, "keyString")}
    return (
        CloudResource(
            API_KEY,
            key,
            {
                "project": plan.project,
                "displayName": plan.stack,
                "serviceAccountEmail": calling.email,
                "restrictions": {"apiTargets": [{"service": GEMINI_SERVICE}]},
            },
            after=(f"{plan.stack}-caller", api_name(plan.stack, "apikeys"), api_name(plan.stack, "generativelanguage")),
            secrets=("keyString",),
        ),
        CloudResource(
            SECRET,
            secret,
            {
                "project": plan.project,
                "secretId": calling.key_secret,
                "replication": {"auto": {}},
                "labels": labels,
            },
            after=(api_name(plan.stack, "secretmanager"),),
        ),
        CloudResource(SECRET_VERSION, f"{secret}-version", value, secrets=("secretData",)),
    )


def _readers(plan: ManagedPlan, project_number: str | None) -> tuple[CloudResource, ...]:
    """Each caller reads the key's secret, and no other."""
    made = []
    for grant in plan.grants:
        assert project_number is not None, "the project's number was not looked up"
        for pods in plan.calling.callers:
            member = principal(plan.project, project_number, pods.namespace, pods.service_account)
            inputs = {"project": grant.project, "secretId": grant.name, "role": grant.role, "member": member}
            name = f"{pods.namespace}-{pods.service_account}-reads-{grant.name}"
            made.append(CloudResource(SECRET_MEMBER, name, inputs, after=(f"{plan.stack}-secret",)))
    return tuple(made)
