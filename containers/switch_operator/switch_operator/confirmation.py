"""Asks a person before something is changed."""

import getpass
from typing import TextIO

from switch_operator.errors import NotDone, WrongUse


class Terminal:
    """Whoever gives the commands.

    Args:
        answers: standard input.
        questions: where questions go: not standard output, which belongs to the result.

    """

    def __init__(self, answers: TextIO, questions: TextIO) -> None:
        self._answers, self._questions = answers, questions

    def confirm(self, what: str, *, yes: bool) -> None:
        """Return when it may be done.

        Args:
            what: what is going to be done.
            yes: whether it was confirmed already, with `--yes`.

        Raises:
            WrongUse: when nobody can be asked.
            NotDone: when the answer is not yes.

        """
        if yes:
            return
        if not self._answers.isatty():
            raise WrongUse(f"{what}: standard input is no terminal, so nobody can be asked; confirm with --yes")
        self._questions.write(f"{what}\nType yes to go on: ")
        self._questions.flush()
        if self._answers.readline().strip().lower() != "yes":
            raise NotDone("not confirmed: nothing was changed")

    def password(self, whose: str) -> str:
        """Return a password: asked for twice at a terminal and not shown, else the first line of standard input.

        Raises:
            WrongUse: when it is empty, or the two are not the same.

        """
        if not self._answers.isatty():
            password = self._answers.readline().rstrip("\r\n")
            if not password:
                raise WrongUse(f"no password of {whose} on standard input: its first line is taken")
            return password
        password = getpass.getpass(f"Password of {whose}: ", stream=self._questions)
        if not password:
            raise WrongUse(f"the password of {whose} is empty")
        if getpass.getpass("Once more: ", stream=self._questions) != password:
            raise WrongUse("the two passwords are not the same")
        return password
