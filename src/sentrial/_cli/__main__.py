"""The command where another distribution has taken its name: ``python -m sentrial._cli doctor``."""

from sentrial._cli.commands import sentrial

if __name__ == "__main__":
    sentrial(prog_name="sentrial")
