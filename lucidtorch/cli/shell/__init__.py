"""The interactive prompt on one network: the commands of the command line, and a few of its own."""
