"""The parts of the facade, each a group of methods of Node."""
