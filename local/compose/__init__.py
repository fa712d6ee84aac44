"""What `local/compose.yaml` runs beside the product's own containers: stand-ins, and what deploys the stacks."""
