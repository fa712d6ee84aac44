"""The Lambda functions around the switch."""
