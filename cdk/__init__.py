"""The AWS infrastructure: settings, stacks, and the bundling of what the functions carry."""
