"""The commands, a module each: `add_to` describes one to argparse, and names what runs it."""
