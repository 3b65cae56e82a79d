"""What running a text may do, told from its tokens alone. A statement is a read only if the tokens prove it.

What is not understood counts as having written everything and changed every name. That is always right, and costs
only that derived objects rest until they are refreshed. Functions that a user registers are taken for reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from sartor.sql.lexer import ODD_SPACE, tokens
from sartor.sql.statements import Cursor, split


@dataclass(frozen=True, slots=True)
class Effects:
    """What running a text may do.

    Attributes:
        reads_only: it is proven to change no data, no name and no setting.
        appends: tables that only get rows at their end; bare names, lower-case.
        mutates: tables whose rows may change in any other way; bare names, lower-case.
        changes: for tables of `mutates` that are changed by UPDATE and DELETE alone, the columns that are set, lower-case.
        everything: any table may change in any way.
        defines: the catalog may change.
        transaction: it begins or ends a transaction, and does nothing else. A COMMIT says `everything`, for the
            text alone does not tell what it commits.
        mixed_transaction: it does so among other statements.
        session: what names or expressions mean on this connection may change.
        settings: what is set to what, names lower-case. A name in angle brackets stands for a change that is not
            followed and that is no setting.
        harmless_session: the change can not touch what Sartor serves.
        shadows: names, lower-case, that mean something else on this connection from now on.
        attaches: names, lower-case, that mean something else on every connection of the instance from now on.
        prepares, executes: a prepared statement made, or run by name.
        checkpoint: it asks for a checkpoint.
        statements: how many statements the text holds.
    """

    reads_only: bool = False
    appends: frozenset[str] = frozenset()
    mutates: frozenset[str] = frozenset()
    changes: tuple[tuple[str, frozenset[str]], ...] = ()
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
    checkpoint: bool = False
    statements: int = 1

    @property
    def is_work(self) -> bool:
        """Whether it reads or writes data, and so belongs to the workload; settings, transactions and EXPLAIN do not."""
        return self.reads_only or self.everything or bool(self.appends) or bool(self.mutates)


Rule = Callable[[Cursor], Effects]
READ = Effects(reads_only=True)
NOTHING = Effects(session=True, harmless_session=True)
ANYTHING = Effects(everything=True, defines=True, session=True)
WRITES_ANYTHING = Effects(everything=True, defines=True)
_NOT_FOLLOWED = (("<a statement that is not followed>", ""),)

_READS = frozenset(
    """
    SELECT FROM WITH VALUES TABLE SHOW DESCRIBE DESC SUMMARIZE EXPLAIN PIVOT UNPIVOT DEALLOCATE
    """.split()
)
# What can stand inside of another statement and write.
_NESTED = frozenset(
    """
    INSERT UPDATE DELETE MERGE TRUNCATE CREATE DROP ALTER COPY CALL EXECUTE ATTACH DETACH INTO
    """.split()
)
# What can only begin a statement, or be explained.
_LEADING = frozenset(
    """
    IMPORT EXPORT INSTALL LOAD CHECKPOINT PREPARE SET RESET PRAGMA VACUUM BEGIN COMMIT ROLLBACK USE START ABORT FORCE
    """.split()
)
# All functions of DuckDB 2.0.0 and its extensions that do more than answer.
_WRITING_FUNCTIONS = frozenset(
    """
    NEXTVAL SETVAL SETSEED WRITE_LOG CHECKPOINT FORCE_CHECKPOINT COPY_DATABASE IMPORT_DATABASE ADD_PARQUET_KEY
    ENABLE_LOGGING DISABLE_LOGGING TRUNCATE_DUCKDB_LOGS DISABLE_OPTIMIZER ENABLE_OPTIMIZER DISABLE_VERIFICATION
    ENABLE_VERIFICATION DISABLE_CHECKPOINT_ON_SHUTDOWN ENABLE_CHECKPOINT_ON_SHUTDOWN CREATE_EXTERNAL_RESOURCE
    DESTROY_EXTERNAL_RESOURCE REGISTER_EXTERNAL_RESOURCE DEREGISTER_EXTERNAL_RESOURCE REGISTER_EXTERNAL_RESOURCE_TYPE
    JSON_EXECUTE_SERIALIZED_SQL FROM_SUBSTRAIT FROM_SUBSTRAIT_JSON DBGEN DSDGEN POSTGRES_EXECUTE MYSQL_EXECUTE
    SQLITE_ATTACH POSTGRES_ATTACH MSSQL_EXEC LOAD_AWS_CREDENTIALS CREATE_FTS_INDEX DROP_FTS_INDEX HNSW_COMPACT_INDEX
    START_UI STOP_UI_SERVER
    """.split()
)
_SUSPECT = _NESTED | _LEADING | _WRITING_FUNCTIONS
_ROW_CHANGES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "COPY"})
# These DuckDB counts among the changes, though nothing is changed.
_COUNTED_FIRST = frozenset({"EXPLAIN", "DEALLOCATE", "SHOW", "DESCRIBE", "DESC", "SUMMARIZE"})
_COUNTED_ANYWHERE = frozenset({"PIVOT", "UNPIVOT", "PIVOT_WIDER", "PIVOT_LONGER"})
_PLAIN_READS = _READS - _COUNTED_FIRST
_WORD = re.compile("[A-Z_]+")
_HARMLESS_PRAGMAS = frozenset(
    """
    table_info show_tables show_tables_expanded database_list database_size version storage_info functions
    collations user_agent platform metadata_info show enable_profiling disable_profiling enable_profile
    disable_profile enable_progress_bar disable_progress_bar enable_print_progress_bar
    disable_print_progress_bar verify_parallelism disable_verify_parallelism enable_object_cache
    disable_object_cache
    """.split()
)


def classify(text: str) -> Effects:
    """What running this text may do; never raises.

    >>> classify("select 1").reads_only, classify("with d as (delete from t returning *) from d").everything
    (True, True)
    >>> sorted(classify("insert into main.Items values (1)").appends)
    ['items']
    """
    if _plainly_reads(text):
        return READ
    try:
        words, kinds, _ = tokens(text)
    except ValueError:
        return _odd(text)
    if not words:
        return READ
    if words[0].upper() in _READS and ";" not in words and '"' not in text and "`" not in text:
        upper = set(map(str.upper, words))
        if _SUSPECT.isdisjoint(upper):
            counted = words[0].upper() in _COUNTED_FIRST or not _COUNTED_ANYWHERE.isdisjoint(upper)
            return NOTHING if counted else READ
    effects = [_one(cursor) for cursor in split(words, kinds)]
    if len(effects) == 1:
        return effects[0]
    return _joined(effects) if effects else READ


def _plainly_reads(text: str) -> bool:
    """Whether a text is one read, told without tokens: no suspect word stands anywhere, not even in a string or a comment."""
    if ";" in text or not text.isascii() or not text.lstrip()[:1].isalpha():
        return False
    words = _WORD.findall(text.upper())
    return bool(words) and words[0] in _PLAIN_READS and _SUSPECT.isdisjoint(words) and _COUNTED_ANYWHERE.isdisjoint(words)


def _odd(text: str) -> Effects:
    """A text that the tokenizer reads otherwise than the parser; names in it are not trusted."""
    plain = ODD_SPACE.sub(" ", text)
    if plain != text and classify(plain).reads_only:
        return READ
    return ANYTHING


def _joined(parts: list[Effects]) -> Effects:
    """The effects of several statements run one after the other.

    What a text of several statements prepares is not followed, nor a transaction that it leaves open or ends for
    another text, nor settings beside new names.
    """
    inner = [part for part in parts if not part.transaction]
    settings = tuple(setting for part in inner for setting in part.settings)
    shadows: frozenset[str] = frozenset().union(*(part.shadows for part in inner))
    followed = _balanced([part.transaction for part in parts if part.transaction])
    for part in inner:
        followed &= not part.session or part.harmless_session or bool(part.settings or part.shadows)
        followed &= part.prepares is None and not (part.settings and shadows)
    return Effects(
        reads_only=all(part.reads_only for part in parts),
        appends=frozenset().union(*(part.appends for part in inner)),
        mutates=frozenset().union(*(part.mutates for part in inner)),
        changes=_joined_changes(inner),
        everything=not followed or any(part.everything for part in inner),
        defines=not followed or any(part.defines for part in inner),
        mixed_transaction=len(inner) < len(parts),
        session=not followed or any(part.session for part in inner),
        settings=settings if followed else settings + _NOT_FOLLOWED,
        harmless_session=followed and all(part.harmless_session or not part.session for part in inner),
        shadows=shadows if followed else frozenset(),
        attaches=frozenset().union(*(part.attaches for part in inner)),
        checkpoint=any(part.checkpoint for part in inner),
        statements=len(parts),
    )


def _joined_changes(parts: list[Effects]) -> tuple[tuple[str, frozenset[str]], ...]:
    """Of the tables that no part changes in another way."""
    found: dict[str, frozenset[str]] = {}
    rough: set[str] = set()
    for part in parts:
        changes = dict(part.changes)
        rough |= part.mutates - changes.keys()
        for name, columns in changes.items():
            found[name] = found.get(name, frozenset()) | columns
    return tuple((name, columns) for name, columns in found.items() if name not in rough)


def _balanced(transactions: list[str]) -> bool:
    """Whether each transaction that the text begins is ended by it, and none other."""
    begins, ends = transactions[::2], transactions[1::2]
    return len(begins) == len(ends) and all(kind == "begin" for kind in begins) and "begin" not in ends


def _one(cursor: Cursor) -> Effects:
    """The effects of one statement."""
    first = cursor.word()
    if first in _READS or cursor.peek() == "(":
        return _read(cursor)
    rule = _RULES.get(first)
    if rule is None:
        return ANYTHING
    if cursor.calls(_WRITING_FUNCTIONS - {"NEXTVAL"}):
        return ANYTHING
    cursor.skip()
    return rule(cursor)


def _read(cursor: Cursor) -> Effects:
    forbidden = _NESTED | _LEADING if cursor.word() == "EXPLAIN" else _NESTED
    found = cursor.count(forbidden)
    if not found and not cursor.calls(_WRITING_FUNCTIONS):
        counted = cursor.word() in _COUNTED_FIRST or cursor.count(_COUNTED_ANYWHERE)
        return NOTHING if counted else READ
    if cursor.word() == "WITH" and cursor.count(_ROW_CHANGES) == 1 and cursor.skip_to("INSERT"):
        cursor.skip()
        return _insert(cursor)
    return WRITES_ANYTHING


def _insert(cursor: Cursor) -> Effects:
    replaces = cursor.word() == "OR"
    if replaces:
        cursor.skip(2)
    if cursor.word() != "INTO":
        return WRITES_ANYTHING
    cursor.skip()
    name = cursor.name()
    conflict = cursor.count(frozenset({"CONFLICT"}))
    updates = cursor.count(frozenset({"UPDATE"}))
    if not name or cursor.count(_NESTED - {"UPDATE", "INTO"}) or updates > (1 if conflict else 0):
        return WRITES_ANYTHING
    names = frozenset({name[-1]})
    return Effects(mutates=names) if replaces or conflict else Effects(appends=names)


def _update(cursor: Cursor) -> Effects:
    effects = _mutates(cursor, _NESTED)
    columns = cursor.assigned() if effects.mutates else None
    return effects if columns is None else _changes(effects, columns)


def _changes(effects: Effects, columns: frozenset[str]) -> Effects:
    return replace(effects, changes=tuple((name, columns) for name in effects.mutates))


def _delete(cursor: Cursor) -> Effects:
    if cursor.word() != "FROM":
        return WRITES_ANYTHING
    cursor.skip()
    return _changes(_mutates(cursor, _NESTED), frozenset())


def _merge(cursor: Cursor) -> Effects:
    if cursor.word() != "INTO":
        return WRITES_ANYTHING
    cursor.skip()
    return _mutates(cursor, frozenset({"WITH", "MERGE", "TRUNCATE", "COPY", "INTO"}))


def _truncate(cursor: Cursor) -> Effects:
    if cursor.word() == "TABLE":
        cursor.skip()
    return _mutates(cursor, _NESTED)


def _mutates(cursor: Cursor, forbidden: frozenset[str]) -> Effects:
    name = cursor.name()
    if not name or cursor.count(forbidden):
        return WRITES_ANYTHING
    return Effects(mutates=frozenset({name[-1]}))


def _copy(cursor: Cursor) -> Effects:
    if cursor.peek() == "(":
        return WRITES_ANYTHING if cursor.count(_NESTED) else READ
    name = cursor.name()
    if cursor.peek() == "(":
        cursor.skip_group()
    if not name or cursor.count(_NESTED):
        return WRITES_ANYTHING
    match cursor.word():
        case "FROM" if name != ("from",) and cursor.count(frozenset({"DATABASE"})) == 0:
            return Effects(appends=frozenset({name[-1]}))
        case "TO":
            return READ
        case _:
            return ANYTHING  # COPY FROM DATABASE a TO b


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
    if not name or kind not in _CREATED or cursor.count(_NESTED):
        return ANYTHING
    if temporary or name[0] == "temp":
        return Effects(defines=True, session=True, shadows=frozenset({name[-1]}))
    return Effects(defines=True, mutates=frozenset({name[-1]}) if replaces else frozenset())


_CREATED = frozenset({"TABLE", "VIEW", "MACRO", "FUNCTION", "INDEX", "SEQUENCE", "SCHEMA", "TYPE", "SECRET"})
_DROPPED = frozenset({"VIEW", "INDEX", "MACRO", "FUNCTION", "SEQUENCE", "TYPE", "SECRET"})


def _drop(cursor: Cursor) -> Effects:
    kind = cursor.word()
    cursor.skip()
    if kind == "MACRO" and cursor.word() == "TABLE":
        cursor.skip()
    if cursor.word() == "IF":
        cursor.skip(2)
    if kind in _DROPPED:
        return Effects(defines=True)
    names = set()
    while kind == "TABLE":
        name = cursor.name()
        if not name:
            return ANYTHING
        names.add(name[-1])
        if cursor.peek() != ",":
            return Effects(defines=True, mutates=frozenset(names))
        cursor.skip()
    return ANYTHING


def _alter(cursor: Cursor) -> Effects:
    if cursor.word() == "TABLE" and not cursor.count(frozenset({"RENAME"})):
        cursor.skip()
        if cursor.word() == "IF":
            cursor.skip(2)
        name = cursor.name()
        if name:
            return Effects(defines=True, mutates=frozenset({name[-1]}))
    return WRITES_ANYTHING if cursor.word() == "TABLE" else ANYTHING


def _set(cursor: Cursor) -> Effects:
    while cursor.word() in ("GLOBAL", "SESSION", "LOCAL"):
        cursor.skip()
    if cursor.word() == "VARIABLE":
        return NOTHING
    name = cursor.name()
    return Effects(session=True, settings=((name[-1], cursor.rest()),)) if name else ANYTHING


def _use(cursor: Cursor) -> Effects:
    return Effects(session=True, settings=(("schema", cursor.rest()),))


def _pragma(cursor: Cursor) -> Effects:
    name = cursor.name()
    if name and name[-1] in _HARMLESS_PRAGMAS:
        return NOTHING
    if name and cursor.peek() == "=":
        return Effects(session=True, settings=((name[-1], cursor.rest()),))
    return ANYTHING


def _attach(cursor: Cursor) -> Effects:
    if cursor.skip_to("AS"):
        cursor.skip()
        name = cursor.name()
        if name:
            return Effects(session=True, harmless_session=True, attaches=frozenset(name[-1:]), defines=True)
    return Effects(session=True, settings=(("attach", ""),), defines=True)


def _detach(cursor: Cursor) -> Effects:
    return Effects(session=True, harmless_session=True, defines=True)


def _prepare(cursor: Cursor) -> Effects:
    name = cursor.name()
    if not name or not cursor.skip_to("AS"):
        return ANYTHING
    cursor.skip()
    return Effects(session=True, harmless_session=True, prepares=(name[-1], _one(cursor)))


def _execute(cursor: Cursor) -> Effects:
    name = cursor.name()
    return replace(WRITES_ANYTHING, executes=name[-1]) if name else ANYTHING


def _transaction(kind: Literal["begin", "commit", "rollback"]) -> Rule:
    return lambda cursor: Effects(transaction=kind)


def _commit(cursor: Cursor) -> Effects:
    """Whoever knows the transaction knows better what it commits."""
    return replace(WRITES_ANYTHING, transaction="commit")


def _checkpoint(cursor: Cursor) -> Effects:
    return Effects(session=True, harmless_session=True, checkpoint=True)


def _harmless(cursor: Cursor) -> Effects:
    return WRITES_ANYTHING if cursor.count(_ROW_CHANGES) else NOTHING


_RULES: dict[str, Rule] = {
    "INSERT": _insert,
    "UPDATE": _update,
    "DELETE": _delete,
    "MERGE": _merge,
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
    "DETACH": _detach,
    "INSTALL": _harmless,
    "CHECKPOINT": _checkpoint,
    "FORCE": _checkpoint,
    "VACUUM": _harmless,
    "ANALYZE": _harmless,
    "EXPORT": _harmless,
    "PREPARE": _prepare,
    "EXECUTE": _execute,
    "BEGIN": _transaction("begin"),
    "START": _transaction("begin"),
    "COMMIT": _commit,
    "END": _commit,
    "ROLLBACK": _transaction("rollback"),
    "ABORT": _transaction("rollback"),
}
