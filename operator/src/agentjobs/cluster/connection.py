"""A connection with an account of its own: the pod's service account, or a kubeconfig's user."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config.incluster_config import load_incluster_config
from kubernetes.aio.config.kube_config import load_kube_config

from agentjobs.cluster.client import CHUNK_BYTES, Cluster


class Account:
    """Sends requests as the Kubernetes client is configured, with tokens that it renews."""

    def __init__(self, api: ApiClient) -> None:
        self.api = api

    async def send(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str],
        query: Mapping[str, str],
        body: Any,
    ) -> aiohttp.ClientResponse:
        method, url, headers, _, _ = await self.api.param_serialize(
            method,
            path,
            header_params=headers,
            query_params=list(query.items()),
            auth_settings=["BearerToken"],
        )
        answer = await self.api.call_api(method, url, header_params=headers, body=body)
        response: aiohttp.ClientResponse = answer.response
        return response


@asynccontextmanager
async def connect(kubeconfig: str | None) -> AsyncIterator[Cluster]:
    """Connects with the pod's service account, or with the kubeconfig file at this path."""
    configuration = Configuration()
    if kubeconfig:
        await load_kube_config(config_file=kubeconfig, client_configuration=configuration)  # type: ignore[no-untyped-call]
    else:
        load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    # By default aiohttp asks the environment for a proxy and a password, in a thread, before every
    # request. Kopf does not, either. The client's buffer of 2 MiB for each connection would be more
    # than all the rest together.
    configuration.client_session_kwargs = {"trust_env": False, "read_bufsize": 2 * CHUNK_BYTES}
    async with ApiClient(configuration) as api:
        api.user_agent = "agentjobs-operator"
        yield Cluster(Account(api))
