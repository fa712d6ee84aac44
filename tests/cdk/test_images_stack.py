"""The repositories of the containers' images."""

import pytest

from cdk.images import SWITCH_IMAGES, ImageName
from tests.cdk.conftest import Templates
from tests.support.image_list import image_folders


def test_every_image_that_is_built_has_a_repository() -> None:
    assert set(image_folders()) == set(ImageName)


@pytest.mark.parametrize(("stack", "names"), [("images", list(ImageName)), ("images-us-east-1", SWITCH_IMAGES)])
def test_each_region_has_the_images_that_it_runs(staging: Templates, stack: str, names: list[ImageName]) -> None:
    repositories = staging[stack].properties("AWS::ECR::Repository")
    assert [each["RepositoryName"] for each in repositories] == [f"somleng-switch-staging/{name}" for name in names]


def test_a_tag_is_never_moved_and_images_are_scanned_and_kept(staging: Templates) -> None:
    for repository in staging["images"].resources("AWS::ECR::Repository"):
        properties = repository["Properties"]
        assert properties["ImageTagMutability"] == "IMMUTABLE"
        assert properties["ImageScanningConfiguration"] == {"ScanOnPush": True}
        assert "imageCountMoreThan" in properties["LifecyclePolicy"]["LifecyclePolicyText"]
        assert repository["DeletionPolicy"] == "Retain"
