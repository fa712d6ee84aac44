"""The parts that stacks are made of, one idea each."""
