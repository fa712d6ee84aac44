"""An image that was built, carried to a directory that is laid out as a registry is."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.support.dockerfiles import ROOT
from tests.support.images import ImageStore

NAME = "switch-webserver"


def run(store: ImageStore, script: str, **settings: str) -> None:
    environment = {**store.environment, "BUILDER": "buildah", **settings}
    command = [ROOT / "containers" / script, NAME]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr


def test_an_image_of_two_architectures(store: ImageStore, tmp_path: Path) -> None:
    """Both are of this machine's: which one is which, the registry learns from the images themselves."""
    image = f"localhost/somleng-switch/{NAME}"
    registry = f"oci:{tmp_path}"
    for architecture in ("amd64", "arm64"):
        store.buildah("tag", image, f"{image}:1a2b-{architecture}")
        run(store, "push.sh", TAG=f"1a2b-{architecture}", REGISTRY=registry)
    run(store, "join.sh", TAG="1a2b", REGISTRY=registry)

    layout = tmp_path / NAME
    index: Any = json.loads((layout / "index.json").read_text())
    tags = {each["annotations"]["org.opencontainers.image.ref.name"]: each for each in index["manifests"]}
    assert set(tags) == {"1a2b", "1a2b-amd64", "1a2b-arm64"}
    joined: Any = json.loads(blob(layout, tags["1a2b"]["digest"]))
    assert {each["digest"] for each in joined["manifests"]} == {tags["1a2b-amd64"]["digest"]}
    # What runs is whole.
    manifest: Any = json.loads(blob(layout, tags["1a2b-amd64"]["digest"]))
    configuration: Any = json.loads(blob(layout, manifest["config"]["digest"]))
    assert configuration["config"]["User"] == "508:508"
    assert all(blob(layout, layer["digest"]) for layer in manifest["layers"])


def blob(layout: Path, digest: str) -> bytes:
    return (layout / "blobs" / digest.replace(":", "/")).read_bytes()
