"""The containers of a deployment as processes of this machine: what each image starts, with which environment."""
