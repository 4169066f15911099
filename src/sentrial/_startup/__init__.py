"""The folder that ``sentrial run`` puts on the path of the programs it starts."""
