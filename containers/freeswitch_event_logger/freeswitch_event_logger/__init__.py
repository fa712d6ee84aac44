"""The sidecar beside FreeSWITCH: what happens there becomes logs, metrics, call heartbeats and delivered records."""
