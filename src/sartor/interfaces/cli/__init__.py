"""The command line: `sartor --help`."""
