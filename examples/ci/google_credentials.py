"""Print Google's credential configuration for a token of GitLab's: an address and a path, no secret.

The form is that of `gcloud iam workload-identity-pools create-cred-config`; Google's libraries read it from
GOOGLE_APPLICATION_CREDENTIALS and exchange the token themselves.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any


def configuration(environment: Mapping[str, str], token: str) -> dict[str, Any]:
    """Of the provider GOOGLE_PROVIDER, to act as ACCOUNT, with the token in a file."""
    account = f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{environment['ACCOUNT']}"
    return {
        "type": "external_account",
        "audience": environment["GOOGLE_PROVIDER"],
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "credential_source": {"file": token},
        "service_account_impersonation_url": f"{account}:generateAccessToken",
    }


if __name__ == "__main__":
    print(json.dumps(configuration(os.environ, sys.argv[1])))
