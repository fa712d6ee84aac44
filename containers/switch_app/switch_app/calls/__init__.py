"""The calls of this switch: how they come, which there are, what is told of them."""
