"""A command in this process, and the one line that it prints if it is refused."""

from vldeformer.cli import main


def run(*arguments):
    return main([str(argument) for argument in arguments])


def refusal(capsys, *arguments):
    """The one line that a refused command prints."""
    assert run(*arguments) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1 and errors[0].startswith("vldeformer: ")
    return errors[0]
