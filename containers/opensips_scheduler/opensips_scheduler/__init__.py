"""The sidecar of a gateway: keeps what OpenSIPS reads true to the routing tables, and the contacts it holds in them."""
