"""The services function: keeps the gateways' routing tables true to what ECS runs and what the platform asks for."""
