"""What running a text may do, told from its tokens alone. A statement is a read only if the tokens prove it.

What is not understood counts as having written everything and changed every name: that is always right, and costs only that
derived objects rest until they are refreshed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from sartor.sql.statements import Cursor, split
from sartor.sql.tokens import tokenize


@dataclass(frozen=True, slots=True)
class Effects:
    """What running a text may do.

    Attributes:
        reads_only: it is proven to change no data, no name and no setting.
        appends: tables that only get rows at their end; bare names, lower-case.
        mutates: tables whose rows may change in any other way; bare names, lower-case.
        everything: any table may change in any way.
        defines: the catalog may change.
        transaction: it begins or ends a transaction, and does nothing else.
        mixed_transaction: it does so among other statements.
        session: what names or expressions mean on this connection may change.
        settings: what is set to what, names lower-case; an empty tuple while `session` holds means "not followed".
        harmless_session: the change can not touch what Sartor serves.
        shadows: names, lower-case, that mean something else on this connection from now on.
        attaches: names, lower-case, that mean something else on every connection of the instance from now on.
        prepares, executes: a prepared statement made, or run by name.
    """

    reads_only: bool = False
    appends: frozenset[str] = frozenset()
    mutates: frozenset[str] = frozenset()
    everything: bool = False
    defines: bool = False
    transaction: Literal["", "begin", "commit", "rollback"] = ""
    mixed_transaction: bool = False
    session: bool = False
    settings: tuple[tuple[str, str], ...] = ()
    harmless_session: bool = False
    shadows: frozenset[str] = frozenset()
    attaches: frozenset[str] = frozenset()
    prepares: tuple[str, Effects] | None = None
    executes: str = ""
    statements: int = 1


Rule = Callable[[Cursor], Effects]
READ = Effects(reads_only=True)
ANYTHING = Effects(everything=True, defines=True, session=True)

_READS = frozenset(
    "SELECT FROM WITH VALUES TABLE SHOW DESCRIBE DESC SUMMARIZE EXPLAIN PIVOT UNPIVOT DEALLOCATE".split()
)
_WRITES = frozenset(
    "INSERT UPDATE DELETE MERGE TRUNCATE CREATE DROP ALTER COPY CALL EXECUTE ATTACH DETACH INTO NEXTVAL IMPORT EXPORT "
    "INSTALL LOAD CHECKPOINT FORCE_CHECKPOINT PREPARE SET RESET PRAGMA VACUUM BEGIN COMMIT ROLLBACK "
    "WRITE_LOG SETSEED POSTGRES_EXECUTE MYSQL_EXECUTE SQLITE_ATTACH POSTGRES_ATTACH".split()
)
_HARMLESS_PRAGMAS = frozenset(
    "table_info show_tables show_tables_expanded database_list database_size version storage_info functions collations "
    "user_agent platform metadata_info show enable_profiling disable_profiling enable_profile disable_profile "
    "enable_progress_bar disable_progress_bar enable_print_progress_bar disable_print_progress_bar "
    "verify_parallelism disable_verify_parallelism enable_object_cache disable_object_cache".split()
)


def classify(text: str) -> Effects:
    """What running this text may do; never raises.

    >>> classify("select 1").reads_only, classify("with d as (delete from t returning *) from d").everything
    (True, True)
    >>> sorted(classify("insert into main.Items values (1)").appends)
    ['items']
    """
    statements = split(tokenize(text))
    if not statements:
        return READ
    effects = [_one(cursor) for cursor in statements]
    return effects[0] if len(effects) == 1 else _joined(effects)


def _joined(parts: list[Effects]) -> Effects:
    """The effects of several statements run one after the other."""
    followed = all(
        part.settings or part.harmless_session or not part.session or part.shadows for part in parts
    )
    return Effects(
        reads_only=all(part.reads_only for part in parts),
        appends=frozenset().union(*(part.appends for part in parts)),
        mutates=frozenset().union(*(part.mutates for part in parts)),
        everything=any(part.everything or part.executes for part in parts),
        defines=any(part.defines for part in parts),
        mixed_transaction=any(part.transaction or part.mixed_transaction for part in parts),
        session=any(part.session for part in parts),
        settings=sum((part.settings for part in parts), ()) if followed else (),
        harmless_session=all(part.harmless_session or not part.session for part in parts),
        shadows=frozenset().union(*(part.shadows for part in parts)),
        attaches=frozenset().union(*(part.attaches for part in parts)),
        statements=len(parts),
    )


def _one(cursor: Cursor) -> Effects:
    """The effects of one statement."""
    first = cursor.word()
    if first in _READS or cursor.peek() == "(":
        return _read(cursor)
    rule = _RULES.get(first)
    if rule is None:
        return ANYTHING
    cursor.skip()
    return rule(cursor)


def _read(cursor: Cursor) -> Effects:
    found = cursor.words() & _WRITES
    if not found:
        return READ
    if cursor.word() == "WITH" and found <= {"INSERT", "INTO", "NEXTVAL"} and cursor.skip_to("INSERT"):
        cursor.skip()
        return _insert(cursor)
    return replace(ANYTHING, session=False)


def _changes_within(cursor: Cursor) -> bool:
    """Whether a statement holds another one that writes, in parentheses."""
    return cursor.opens_with(frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"}))


def _insert(cursor: Cursor) -> Effects:
    words = cursor.words()
    replaces = cursor.word() == "OR"
    if _changes_within(cursor) or not cursor.skip_to("INTO"):
        return replace(ANYTHING, session=False)
    cursor.skip()
    name = cursor.name()
    if not name or words & {"EXECUTE", "CALL", "TRUNCATE", "CREATE", "DROP", "ALTER", "COPY"}:
        return replace(ANYTHING, session=False)
    names = frozenset({name})
    if replaces or "CONFLICT" in words:
        return Effects(mutates=names)
    return Effects(appends=names)


def _mutate_after(word: str) -> Rule:
    def rule(cursor: Cursor) -> Effects:
        if _changes_within(cursor) or (word and not cursor.skip_to(word)):
            return replace(ANYTHING, session=False)
        if word:
            cursor.skip()
        name = cursor.name()
        return Effects(mutates=frozenset({name})) if name else replace(ANYTHING, session=False)

    return rule


def _truncate(cursor: Cursor) -> Effects:
    if cursor.word() == "TABLE":
        cursor.skip()
    name = cursor.name()
    return Effects(mutates=frozenset({name})) if name else replace(ANYTHING, session=False)


def _copy(cursor: Cursor) -> Effects:
    words = cursor.words()
    if "DATABASE" in words or _changes_within(cursor):
        return ANYTHING
    if cursor.peek() == "(":
        return READ if not words & (_WRITES - {"INTO"}) else replace(ANYTHING, session=False)
    name = cursor.name()
    if cursor.peek() == "(":
        cursor.skip_group()
    if name and cursor.word() == "FROM":
        return Effects(appends=frozenset({name}))
    return READ if name and cursor.word() == "TO" else replace(ANYTHING, session=False)


def _create(cursor: Cursor) -> Effects:
    replaces = temporary = False
    while cursor.word() in ("OR", "REPLACE", "TEMP", "TEMPORARY", "LOCAL", "PERSISTENT", "UNIQUE"):
        replaces |= cursor.word() == "REPLACE"
        temporary |= cursor.word() in ("TEMP", "TEMPORARY")
        cursor.skip()
    kind = cursor.word()
    cursor.skip()
    if cursor.word() == "IF":
        cursor.skip(3)
    name = cursor.name()
    if kind == "TRIGGER" or _changes_within(cursor) or not name:
        return ANYTHING
    if temporary:
        return Effects(defines=True, session=True, shadows=frozenset({name}))
    if kind == "TABLE":
        return Effects(defines=True, mutates=frozenset({name}) if replaces else frozenset())
    if kind in ("VIEW", "MACRO", "FUNCTION", "INDEX", "SEQUENCE", "SCHEMA", "TYPE", "SECRET"):
        return Effects(defines=True)
    return ANYTHING


def _drop(cursor: Cursor) -> Effects:
    kind = cursor.word()
    cursor.skip()
    if cursor.word() == "IF":
        cursor.skip(2)
    if kind in ("VIEW", "INDEX", "MACRO", "FUNCTION", "SEQUENCE", "TYPE", "SECRET"):
        return Effects(defines=True)
    if kind != "TABLE":
        return ANYTHING
    names = []
    while True:
        names.append(cursor.name())
        if cursor.peek() != ",":
            break
        cursor.skip()
    return Effects(defines=True, mutates=frozenset(names)) if all(names) else ANYTHING


def _alter(cursor: Cursor) -> Effects:
    if cursor.word() == "TABLE" and "RENAME" not in cursor.words():
        cursor.skip()
        if cursor.word() == "IF":
            cursor.skip(2)
        name = cursor.name()
        if name:
            return Effects(defines=True, mutates=frozenset({name}))
    return ANYTHING


def _set(cursor: Cursor) -> Effects:
    while cursor.word() in ("GLOBAL", "SESSION", "LOCAL"):
        cursor.skip()
    if cursor.word() == "VARIABLE":
        return Effects(session=True, harmless_session=True)
    name = cursor.name()
    return Effects(session=True, settings=((name, cursor.rest()),)) if name else ANYTHING


def _use(cursor: Cursor) -> Effects:
    return Effects(session=True, settings=(("schema", cursor.rest()),))


def _pragma(cursor: Cursor) -> Effects:
    name = cursor.name()
    if name in _HARMLESS_PRAGMAS:
        return Effects(session=True, harmless_session=True)
    if cursor.peek() == "=":
        return Effects(session=True, settings=((name, cursor.rest()),))
    return ANYTHING


def _attach(cursor: Cursor) -> Effects:
    if cursor.skip_to("AS"):
        cursor.skip()
        name = cursor.name()
        if name:
            return Effects(session=True, harmless_session=True, attaches=frozenset({name}), defines=True)
    return Effects(session=True, settings=(("attach", ""),), defines=True)


def _prepare(cursor: Cursor) -> Effects:
    name = cursor.name()
    if not name or not cursor.skip_to("AS"):
        return ANYTHING
    cursor.skip()
    return Effects(session=True, harmless_session=True, prepares=(name, _one(cursor)))


def _execute(cursor: Cursor) -> Effects:
    name = cursor.name()
    return replace(ANYTHING, session=False, executes=name) if name else ANYTHING


def _end(kind: Literal["begin", "commit", "rollback"]) -> Rule:
    return lambda cursor: Effects(transaction=kind)


def _nothing(cursor: Cursor) -> Effects:
    return Effects(session=True, harmless_session=True)


_RULES: dict[str, Rule] = {
    "INSERT": _insert,
    "UPDATE": _mutate_after(""),
    "DELETE": _mutate_after("FROM"),
    "MERGE": _mutate_after("INTO"),
    "TRUNCATE": _truncate,
    "COPY": _copy,
    "CREATE": _create,
    "DROP": _drop,
    "ALTER": _alter,
    "SET": _set,
    "RESET": _set,
    "USE": _use,
    "PRAGMA": _pragma,
    "ATTACH": _attach,
    "DETACH": _nothing,
    "INSTALL": _nothing,
    "CHECKPOINT": _nothing,
    "FORCE": _nothing,
    "VACUUM": _nothing,
    "ANALYZE": _nothing,
    "EXPORT": _nothing,
    "PREPARE": _prepare,
    "EXECUTE": _execute,
    "BEGIN": _end("begin"),
    "START": _end("begin"),
    "COMMIT": _end("commit"),
    "END": _end("commit"),
    "ROLLBACK": _end("rollback"),
    "ABORT": _end("rollback"),
}
