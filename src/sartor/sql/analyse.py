"""The analysis of a statement: which base tables it reads, what of them, and what may be replaced without a trace.

Whatever is not understood becomes a refusal with its reason. `analyse` never raises.
"""

from __future__ import annotations

from dataclasses import replace

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from sartor.core.analysis import Analysis
from sartor.core.block import Operand
from sartor.core.table import Catalog
from sartor.sql.algebra.select import Statement
from sartor.sql.algebra.statement import Blocks, blocks
from sartor.sql.blocks import Refused, Walk
from sartor.sql.fingerprint import Fingerprint, fingerprint
from sartor.sql.lookup import point_lookup
from sartor.sql.reads import hands_out_one_row, reads
from sartor.sql.scans import named
from sartor.sql.vocabulary import refusal

_NODES = tuple(
    getattr(exp, name)
    for name in [
        "Select",
        "Union",
        "Except",
        "Intersect",
        "Subquery",
        "With",
        "CTE",
        "From",
        "Join",
        "Table",
        "TableAlias",
        "Identifier",
        "Where",
        "Group",
        "Having",
        "Order",
        "Ordered",
        "Limit",
        "Offset",
        "Distinct",
        "Star",
        "Column",
        "Alias",
        "Literal",
        "Placeholder",
        "Parameter",
        "Boolean",
        "Null",
        "Var",
        "Tuple",
        "Paren",
        "And",
        "Or",
        "Not",
        "EQ",
        "NEQ",
        "GT",
        "GTE",
        "LT",
        "LTE",
        "NullSafeEQ",
        "NullSafeNEQ",
        "Between",
        "In",
        "Like",
        "ILike",
        "Is",
        "Add",
        "Sub",
        "Mul",
        "Div",
        "IntDiv",
        "Mod",
        "Neg",
        "DPipe",
        "Case",
        "If",
        "Cast",
        "TryCast",
        "DataType",
        "DataTypeParam",
        "Interval",
        "Exists",
        "Filter",
        "Func",
        "Cube",
        "Rollup",
        "GroupingSets",
        "Hint",
        "EscapeLike",
        "Escape",
        "Any",
        "All",
    ]
    if hasattr(exp, name)
)


def analyse(text: str, catalog: Catalog, printed: Fingerprint | None = None, *, thorough: bool = False) -> Analysis:
    """The analysis of one statement against one catalog; never raises.

    Args:
        printed: the text's fingerprint, if it is known already.
        thorough: to find also where conditions stand that zone maps see through, which takes time.
    """
    printed = printed or fingerprint(text)
    try:
        return _analyse(text, catalog, printed, thorough)
    except Refused as reason:
        return Analysis(printed.digest, (), (), str(reason), catalog.generation)
    except (SqlglotError, RecursionError) as error:
        first_line = str(error).partition("\n")[0]
        return Analysis(printed.digest, (), (), f"it could not be parsed: {first_line}", catalog.generation)


def _analyse(text: str, catalog: Catalog, printed: Fingerprint, thorough: bool) -> Analysis:
    written = {text[start:end].lower() for start, end in printed.tokens}
    with_names = named(text, printed, catalog.database)
    if with_names is not None:
        text, printed = with_names.text, with_names.printed
    words = printed.words(text)
    reason = refusal(words)
    if reason is not None:
        raise Refused(reason)
    hidden = written & catalog.macros
    if hidden:
        raise Refused(f"it names {min(hidden)}, which is a macro here")
    trees = [tree for tree in sqlglot.parse(text, read="duckdb") if tree is not None]
    if len(trees) != 1:
        raise Refused("it holds several statements")
    tree = trees[0]
    if not isinstance(tree, exp.Select | exp.SetOperation | exp.Subquery):
        raise Refused("it is not a SELECT")
    for node in tree.walk():
        if not isinstance(node, _NODES):
            raise Refused(f"it uses {type(node).__name__}, which is not understood")
    found = blocks(tree, Statement(catalog, printed, words, text)) if with_names is None else Blocks(reasons=("it reads files",))
    analysis = Analysis(
        digest=printed.digest,
        references=(),
        generation=catalog.generation,
        blocks=found.found,
        ranking=found.ranking,
        block_reasons=found.reasons,
        wanted=found.wanted,
        reads=reads(tree, words, catalog) if with_names is None else None,
        one_row=hands_out_one_row(tree),
    )
    walk = Walk(catalog, printed, words, with_names.scans if with_names is not None else {}, thorough=thorough)
    refused: Refused | None = None
    try:
        walk.statement(tree)
    except Refused as reason:
        refused = reason
    if with_names is None:
        analysis = replace(analysis, operands=_operands(tree, found, walk))
    if refused is not None:
        return replace(analysis, refusal=str(refused))
    references = tuple(walk.references)
    if with_names is not None:
        references = tuple(with_names.in_users_text(reference) for reference in references)
    return replace(
        analysis,
        lookup=point_lookup(tree, references, words, catalog) if with_names is None else None,
        references=references,
        joins=tuple(walk.joins),
        facts=tuple(sorted(walk.facts)),
        wanted=tuple(dict.fromkeys((*walk.wanted, *found.wanted))),
    )


def _operands(tree: exp.Expr, found: Blocks, walk: Walk) -> tuple[Operand, ...]:
    """The literals whose values may be handed over; none beside parameters of the statement's own."""
    if any(True for _ in tree.find_all(exp.Placeholder, exp.Parameter)):
        return ()
    return tuple(sorted({*walk.operands, *(one.operand for block in found.found for one in block.compared)}))
