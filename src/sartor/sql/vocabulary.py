"""Allow-lists: the functions that a statement may hold if anything in it is to be replaced, and the words that forbid it.

A function is here if its value depends on its arguments alone, if it can not raise on one row and not on another depending on
which rows are read first, and, for aggregates, if the order of its input does not matter.
"""

from __future__ import annotations

from sartor.core.derived import ORDER_COLUMN

SCALAR_FUNCTIONS = frozenset(
    """
    abs sign round floor ceil ceiling trunc greatest least coalesce nullif ifnull if isnan isinf isfinite even
    lower upper lcase ucase length len strlen substr substring left right trim ltrim rtrim replace reverse contains
    starts_with ends_with prefix suffix instr position strpos concat concat_ws lpad rpad regexp_matches like_escape
    year quarter month week weekday day dayofmonth dayofweek dayofyear isodow isoyear yearweek hour minute second
    millisecond microsecond date_part datepart date_trunc datetrunc date_diff datediff date_sub datesub dayname monthname
    strftime last_day extract epoch epoch_ms try_cast struct_extract
    now current_date current_timestamp today
    """.split()
)
EXACT_AGGREGATES = frozenset("count sum avg min max bool_and bool_or bit_and bit_or bit_xor".split())
FLOAT_AGGREGATES = frozenset("stddev stddev_samp stddev_pop var_samp var_pop variance".split())
# Words that look like a call when a parenthesis follows them.
STRUCTURE = frozenset(
    """
    in and or not exists values as on using from join where select when then else case by distinct all any some with
    materialized between like ilike union except intersect having filter cast is interval decimal numeric varchar char
    rollup cube sets grouping exclude over table limit offset end set similar glob
    """.split()
)
REFUSED_WORDS = frozenset(
    """
    ROWID OVER QUALIFY WINDOW SAMPLE TABLESAMPLE LATERAL ASOF POSITIONAL NATURAL PIVOT UNPIVOT RECURSIVE UNNEST COLUMNS
    SUMMARIZE DESCRIBE SHOW EXPLAIN COLLATE TRY LAMBDA FILENAME FILE_ROW_NUMBER FILE_INDEX PERCENT SEMI ANTI GENERATED
    """.split()
)

REFUSED_OPERATORS = frozenset(("->", "->>", "**", "^", "@>", "<@", "~", "!~", "[", "{", "#", "`"))
CALLED = STRUCTURE | SCALAR_FUNCTIONS | EXACT_AGGREGATES | FLOAT_AGGREGATES


def refusal(words: tuple[str, ...]) -> str | None:
    """Why these template tokens forbid any replacement, told without parsing; None if they do not.

    >>> refusal(("select", "random", "(", ")", "from", "t"))
    'it calls random, which is not on the list of functions that are known to be safe'
    """
    for place, word in enumerate(words):
        upper = word.upper()
        if upper in REFUSED_WORDS:
            return f"it uses {upper}"
        if word[0] == '"':
            if words[place + 1 : place + 2] == ("(",):
                return f"it calls {word}, a quoted name"
        elif place + 1 < len(words) and words[place + 1] == "(" and (word[0].isalpha() or word[0] == "_"):
            if word.lower() not in CALLED:
                return f"it calls {word.lower()}, which is not on the list of functions that are known to be safe"
        elif word in REFUSED_OPERATORS:
            return f"it uses the operator {word}"
        if word.strip('"').lower() == ORDER_COLUMN:
            return f"it uses the name {ORDER_COLUMN}, which copies have a column of"
    return None
