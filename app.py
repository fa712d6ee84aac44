"""The CDK app: `cdk synth`, `cdk deploy --all -c environment=production`; settings are in `cdk.json`."""

import sys

from aws_cdk import App

from cdk.application import build
from cdk.errors import BundlingError, SettingsError

app = App()
try:
    build(app)
except (SettingsError, BundlingError) as error:
    sys.exit(f"error: {error}")
app.synth()
