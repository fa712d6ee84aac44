"""The switch's own passwords: made up by AWS, the same in every region, in no template."""

import re

from tests.cdk.conftest import Templates


def test_a_secret_is_found_by_its_name_alone(staging: Templates) -> None:
    """A hyphen and six characters at its end are taken for those that Secrets Manager adds itself."""
    for secret in staging["secrets"].properties("AWS::SecretsManager::Secret"):
        assert not re.search(r"-[^-]{6}$", secret["Name"])


def test_secrets_are_made_up_and_copied_to_every_other_region(staging: Templates) -> None:
    secrets = staging["secrets"].resources("AWS::SecretsManager::Secret")
    assert [each["Properties"]["Name"] for each in secrets] == [
        "somleng-switch/staging/event-socket-password",
        "somleng-switch/staging/http-password",
    ]
    for secret in secrets:
        assert "SecretString" not in secret["Properties"]
        assert secret["Properties"]["GenerateSecretString"] == {"ExcludePunctuation": True, "PasswordLength": 40}
        assert secret["Properties"]["ReplicaRegions"] == [{"Region": "us-east-1"}]
        assert secret["DeletionPolicy"] == "Retain"
