"""A statement's tokens with a place in them, for reading a statement from its front."""

from __future__ import annotations

from duckdb import token_type

from sartor.sql.lexer import IDENTIFIER, KEYWORD, STRING, unquoted


class Cursor:
    """One statement, read from the front; what looks further on looks behind the place only."""

    __slots__ = ("_kinds", "_place", "_words")

    def __init__(self, words: list[str], kinds: list[token_type]) -> None:
        self._words = words
        self._kinds = kinds
        self._place = 0

    def word(self) -> str:
        """The bare word at the place, upper-case; empty if there is none."""
        return self._bare(self._place)

    def peek(self) -> str:
        """The text of the token at the place; empty at the end."""
        return self._words[self._place] if self._place < len(self._words) else ""

    def skip(self, count: int = 1) -> None:
        self._place += count

    def skip_to(self, word: str) -> bool:
        """Go to this bare word outside parentheses; stays where it is if there is none."""
        depth = 0
        for place in range(self._place, len(self._words)):
            text = self._words[place]
            depth += (text == "(") - (text == ")")
            if depth == 0 and self._bare(place) == word:
                self._place = place
                return True
        return False

    def skip_group(self) -> None:
        """Go behind the parenthesis that closes the one at the place."""
        depth = 0
        while self._place < len(self._words):
            text = self.peek()
            depth += (text == "(") - (text == ")")
            self._place += 1
            if depth == 0:
                return

    def name(self) -> tuple[str, ...]:
        """Read a name of one or more parts, lower-case and without quotes; empty if there is none."""
        parts = []
        while self._place < len(self._words):
            kind = self._kinds[self._place]
            if kind is STRING:
                parts.append(self.peek()[1:-1].replace("''", "'").lower())
            elif kind is KEYWORD or kind is IDENTIFIER:
                parts.append(unquoted(self.peek()).lower())
            else:
                return ()
            self._place += 1
            if self.peek() != ".":
                return tuple(parts)
            self._place += 1
        return ()

    def count(self, words: frozenset[str]) -> int:
        """How many bare words from the place on are among these, where a word of that meaning may stand.

        What follows a dot or AS is a name.
        """
        return sum(
            1
            for place in range(self._place, len(self._words))
            if self._bare(place) in words and (place == 0 or (self._words[place - 1] != "." and self._bare(place - 1) != "AS"))
        )

    def calls(self, functions: frozenset[str]) -> bool:
        """Whether any of these functions is called from the place on; names upper-case, quoted or not."""
        words = self._words
        return any(
            words[place + 1] == "(" and self._kinds[place] is not STRING and unquoted(words[place]).upper() in functions
            for place in range(self._place, len(words) - 1)
        )

    def assigned(self) -> frozenset[str] | None:
        """The columns that an UPDATE sets, lower-case, from behind its table's name; None if the tokens do not prove them all."""
        if self.word() == "AS":
            self.skip()
        if self.word() != "SET":
            self.skip()
        if self.word() != "SET":
            return None
        columns, more = set(), True
        while more:
            self.skip()
            name = self.name()
            if len(name) != 1 or self.peek() != "=":
                return None
            columns.add(name[0])
            more = False
            depth = 0
            while self._place + 1 < len(self._words) and not more:
                self._place += 1
                text, kind = self.peek(), self._kinds[self._place]
                if kind not in (KEYWORD, IDENTIFIER, STRING):
                    depth += sum(text.count(sign) for sign in "([{") - sum(text.count(sign) for sign in ")]}")
                    if "," in text and (text != "," or depth < 0):
                        return None
                    more = text == "," and depth == 0
                elif depth == 0 and self.word() in ("FROM", "WHERE", "RETURNING"):
                    return frozenset(columns) if self._bare(self._place - 1) != "DISTINCT" else None
            if depth:
                return None
        return frozenset(columns)

    def rest(self) -> str:
        """What stands from the place on, joined by spaces."""
        return " ".join(self._words[self._place :])

    def _bare(self, place: int) -> str:
        if place < len(self._words) and self._kinds[place] in (KEYWORD, IDENTIFIER):
            return self._words[place].upper()
        return ""


def split(words: list[str], kinds: list[token_type]) -> list[Cursor]:
    """The statements of a text, empty ones left out."""
    statements, begin = [], 0
    for place in (*(i for i, word in enumerate(words) if word == ";"), len(words)):
        if place > begin:
            statements.append(Cursor(words[begin:place], kinds[begin:place]))
        begin = place + 1
    return statements
