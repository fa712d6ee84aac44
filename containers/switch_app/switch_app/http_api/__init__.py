"""What the platform and the load balancer ask over HTTP."""
