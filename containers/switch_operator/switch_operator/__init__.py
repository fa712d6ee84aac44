"""The operator's command line: looks at the control plane of a deployment, and changes it safely."""
