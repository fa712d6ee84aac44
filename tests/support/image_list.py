"""The images that are built, as the build script lists them."""

import re

from tests.support.dockerfiles import ROOT


def image_folders() -> dict[str, str]:
    """Return the folder of each image's Dockerfile, below the repository's root, by the image's name."""
    script = (ROOT / "containers" / "builder.sh").read_text()
    listed = script.partition("\nimages() {\n")[2].partition("\n}\n")[0]
    return dict(re.findall(r"^ +echo (\S+) (\S+) ", listed, re.MULTILINE))
