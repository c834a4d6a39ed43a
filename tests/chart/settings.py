"""The settings that the chart hands to the operator."""

from __future__ import annotations

from agentjobs.operator import config_text
from agentjobs.operator.configuration import OperatorConfiguration, configuration
from tests.chart.helm import Document, of_kind


def text(documents: list[Document]) -> str:
    """What the operator's pod finds at the path that it is started with."""
    (deployment,) = of_kind(documents, "Deployment")
    spec = deployment["spec"]["template"]["spec"]
    (only,) = spec["containers"]
    subcommand, option, path = only["args"]
    (mount,) = [
        mount for mount in only["volumeMounts"] if mount["mountPath"] == path.rpartition("/")[0]
    ]
    (volume,) = [volume for volume in spec["volumes"] if volume["name"] == mount["name"]]
    (found,) = of_kind(documents, "ConfigMap")
    assert (subcommand, option, mount["readOnly"]) == ("operator", "--config", True)
    assert (
        found["metadata"]["name"]
        == volume["configMap"]["name"]
        == f"{deployment['metadata']['name']}-config"
    )
    (key,) = found["data"]
    assert key == path.rpartition("/")[2]
    return str(found["data"][key])


def settings(documents: list[Document]) -> OperatorConfiguration:
    """As the operator reads them."""
    return configuration(config_text.document(text(documents).encode()))
