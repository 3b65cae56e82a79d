"""A statement's tokens with a place in them, for reading a statement from its front."""

from __future__ import annotations

from sartor.sql.tokens import Token


class Cursor:
    """One statement, read from the front; everything that looks further on looks behind the place only."""

    __slots__ = ("_place", "_tokens")

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._place = 0

    def word(self) -> str:
        """The bare word at the place, upper-case; empty if there is none."""
        if self._place < len(self._tokens) and self._tokens[self._place].kind == "w":
            return self._tokens[self._place].text.upper()
        return ""

    def peek(self) -> str:
        """The text of the token at the place; empty at the end."""
        return self._tokens[self._place].text if self._place < len(self._tokens) else ""

    def words(self) -> set[str]:
        """All bare words from the place on, upper-case."""
        return {token.text.upper() for token in self._tokens[self._place :] if token.kind == "w"}

    def skip(self, count: int = 1) -> None:
        self._place += count

    def skip_to(self, word: str) -> bool:
        """Go to this bare word outside parentheses; stays where it is if there is none."""
        depth = 0
        for place in range(self._place, len(self._tokens)):
            token = self._tokens[place]
            depth += (token.text == "(") - (token.text == ")")
            if depth == 0 and token.kind == "w" and token.text.upper() == word:
                self._place = place
                return True
        return False

    def skip_group(self) -> None:
        """Go behind the parenthesis that closes the one at the place."""
        depth = 0
        while self._place < len(self._tokens):
            text = self.peek()
            depth += (text == "(") - (text == ")")
            self._place += 1
            if depth == 0:
                return

    def name(self) -> str:
        """Read a name of one or more parts; gives its last part, lower-case and without quotes, or empty if there is none."""
        last = ""
        while self._place < len(self._tokens):
            token = self._tokens[self._place]
            if token.kind == "w":
                last = token.text.lower()
            elif token.kind in "qs":
                last = token.text[1:-1].replace('""', '"').lower()
            else:
                return ""
            self._place += 1
            if self.peek() != ".":
                return last
            self._place += 1
        return ""

    def opens_with(self, words: frozenset[str]) -> bool:
        """Whether a parenthesis behind the place opens directly on one of these words."""
        tokens = self._tokens
        return any(
            tokens[place].text == "("
            and tokens[place + 1].kind == "w"
            and tokens[place + 1].text.upper() in words
            for place in range(self._place, len(tokens) - 1)
        )

    def rest(self) -> str:
        """What stands from the place on, joined by spaces."""
        return " ".join(token.text for token in self._tokens[self._place :])


def split(tokens: list[Token]) -> list[Cursor]:
    """The statements of a text, empty ones left out."""
    statements: list[list[Token]] = [[]]
    for token in tokens:
        if token.text == ";" and token.kind == "o":
            statements.append([])
        else:
            statements[-1].append(token)
    return [Cursor(statement) for statement in statements if statement]
