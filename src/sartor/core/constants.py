"""Every threshold of ours: name, default, range, what it trades, what measured it. Nothing else holds one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constant:
    """A declared choice.

    Attributes:
        default: the value in use until a tuner says otherwise.
        low, high: the range that makes sense.
        trades: what more and less of it gives.
        measured_by: the command or decision page that the default rests on; "declared" where nothing was measured.
    """

    default: float
    low: float
    high: float
    trades: str
    measured_by: str


_LAYOUTS = "docs/decisions/017-layouts.md"
_PREDICATES = "docs/decisions/016-predicate-cache.md"

DECISION_CACHE_ENTRIES = Constant(4096, 64, 1 << 20, "memory of cached decisions against analysing again", "declared")
HANDED_TEXTS = Constant(
    16, 1, 4096, "texts of a template that take its statements' literals as values: memory against making them anew", "declared"
)
DISCARD_SHARE = Constant(
    0.10,
    0.0,
    1.0,
    "share of runs discarded because a write came between, after which a template goes plain",
    "DESIGN.md",
)
HISTORY_RUNS = Constant(32, 8, 1024, "memory of a template's run times against how fast a slow-down is noticed", "declared")
OBSERVED_TOGETHER = Constant(
    64,
    1,
    4096,
    "statements whose observations are taken in together: fewer cold caches against how soon a slow-down is noticed",
    "python -m benchmarks overhead",
)
LOG_BATCH = Constant(256, 1, 1 << 16, "memory of unfolded observations against how often they are folded", "declared")
LOG_SAMPLE = Constant(16, 1, 1024, "statements kept of a template against the size of the log", "declared")
LOG_TEMPLATES = Constant(20_000, 100, 1 << 20, "memory of the log against the long tail of templates", "declared")
LOG_BYTES = Constant(64 << 20, 1 << 20, 1 << 34, "the size of the folder beside the database", "declared")
MAXIMAL_GROUPS = Constant(
    50_000,
    0,
    100_000,
    "groups whose sequence is relied on: more serve more top-k statements, up to where DuckDB restarts its hash table",
    "docs/decisions/003-row-order.md",
)
SORT_KEY_CANDIDATES = Constant(32, 1, 1024, "keys estimated in a round against the time that estimating takes", "declared")
SORT_KEY_COLUMNS = Constant(3, 1, 3, "longer keys serve narrower templates at the cost of more candidates", "declared")
SORT_KEY_COLUMN_GROUPS = Constant(4, 1, 32, "templates of a key whose columns are tried alone and together", "declared")
SAMPLE_ROWS = Constant(100_000, 1_000, 1 << 24, "the error of an estimate against the time to draw it", "declared")
SAMPLE_ROWS_PER_GROUP = Constant(
    1_000, 16, 122_880, "the error of a row group's bounds against the time to sort the sample by each key", "declared"
)
ROW_GROUP_ROWS = Constant(122_880, 2_048, 1 << 20, "rows of a row group: DuckDB's own default", "DuckDB 2.0")
VECTOR_ROWS = Constant(2_048, 2_048, 2_048, "rows that are decoded together: DuckDB's own", "DuckDB 2.0")
ZONE_MAP_TEXT_BYTES = Constant(
    12,
    12,
    12,
    "of a text what a row group's bounds hold: DuckDB's own",
    "DuckDB 2.0: 25 of 25 row groups read at 13 equal bytes, 9 at 11",
)
VALUE_SAMPLE_ROWS = Constant(200, 10, 10_000, "values tried against the bounds of all row groups, against the time of it", "declared")
PART_SAMPLE_ROWS = Constant(8, 1, 1_000, "sampled rows that tell whether a vector holds a row that passes", "declared")
KEPT_ROW_SECONDS = Constant(
    10e-9, 0.0, 1e-3, "seconds to group or hand out a row that passes: no order of the rows spares it", "declared"
)
ESTIMATE_STATEMENTS = Constant(3, 1, 16, "statements of a template that an estimate looks at", "declared")
FIXED_QUERY_SECONDS = Constant(
    0.0005, 0.0, 1.0, "the part of a query's time that no layout changes", "DESIGN.md: select 1, point query"
)
BUILD_SECONDS_PER_CELL = Constant(40e-9, 0.0, 1.0, "seconds to sort and store one number", "20 M rows x 5 columns in 3.9 s")
BUILD_SECONDS_PER_TEXT = Constant(
    110e-9, 0.0, 1.0, "seconds to sort and store one value of no fixed width", "elections: 3.6 M rows x 6 texts, 2 numbers in 3.0 s"
)
STORE_SHARE = Constant(
    0.7,
    0.0,
    1.0,
    "what storing columns in the order of their table takes of sorting and storing them",
    "20 M rows x 9 columns in 5.1 s",
)
LOOKUP_SECONDS = Constant(30e-6, 0.0, 1e-3, "what a look-up in memory is expected to take", "python -m benchmarks lookups")
LOOKUP_BUILD_SECONDS_PER_CELL = Constant(
    40e-9, 0.0, 1.0, "seconds to read one value into memory and put it in the order of the key", "python -m benchmarks lookups"
)
LOOKUP_TEXT_BYTES = Constant(24, 1, 10_000, "bytes in memory of a text whose length is not known", "declared")
ORDER_ROW_SECONDS = Constant(70e-9, 0.0, 1e-3, "seconds that ORDER BY takes for a row's key", "python -m benchmarks copies")
ORDER_CELL_SECONDS = Constant(16e-9, 0.0, 1e-3, "seconds that ORDER BY takes to carry one number along", "python -m benchmarks copies")
ORDER_TEXT_SECONDS = Constant(80e-9, 0.0, 1e-3, "seconds that ORDER BY takes to carry one text along", "python -m benchmarks copies")
ORDER_BORDER_SECONDS = Constant(
    0.7e-9,
    0.0,
    1e-3,
    "seconds that ORDER BY takes, for each border that columns are cut at, to tell the cell of a row",
    "docs/decisions/013-building-through-recluster.md",
)
STREAM_CUT_SECONDS = Constant(
    6e-9,
    0.0,
    1e-3,
    "seconds for each column that is cut, to tell the cell of a row",
    "docs/decisions/013-building-through-recluster.md",
)
STREAM_SECONDS = Constant(
    0.05,
    0.0,
    10.0,
    "seconds that a stream takes besides its rows, and that ORDER BY gains by small tables",
    "python -m benchmarks copies",
)
STREAM_KEY_SECONDS = Constant(25e-9, 0.0, 1e-3, "seconds to work out a row's place from a number", "python -m benchmarks copies")
STREAM_TEXT_KEY_SECONDS = Constant(40e-9, 0.0, 1e-3, "seconds to work out a row's place from a text", "python -m benchmarks copies")
STREAM_CELL_SECONDS = Constant(10e-9, 0.0, 1e-3, "seconds to take one number in and hand it out", "python -m benchmarks copies")
STREAM_TEXT_SECONDS = Constant(60e-9, 0.0, 1e-3, "seconds to take one text in and hand it out", "python -m benchmarks copies")
STREAM_MEMORY_SHARE = Constant(
    0.5, 0.0, 1.0, "share of the free memory that a stream may use: beyond it ORDER BY spills to disk", "declared"
)
KERNEL_START_SECONDS = Constant(
    1.0, 0.0, 60.0, "seconds to import compiled kernels", "docs/decisions/013-building-through-recluster.md"
)
KERNEL_COMPILE_SECONDS = Constant(
    6.0, 0.0, 600.0, "seconds to compile them, once on a machine", "docs/decisions/013-building-through-recluster.md"
)
COMPRESSED_SHARE = Constant(0.45, 0.01, 2.0, "stored bytes for each byte of the types' width", "declared")
SORT_SECONDS_PER_ROW = Constant(40e-9, 0.0, 1e-3, "seconds to bring one row back into order", "140 k rows in 6 ms")
JOIN_KEY_SHARE = Constant(0.5, 0.0, 1.0, "row groups still read when only a join restricts the key", "declared")
KEY_DISTINCT_SHARE = Constant(
    0.7, 0.5, 1.0, "keys looked for in vain against keys missed", "DuckDB's distinct counts: 1,249 of 1,000, 263 k of 300 k"
)
KEY_FIRST_ROWS = Constant(122_880, 2_048, 1 << 24, "rows looked at before all are: enough to find most duplicates", "declared")
KEY_SECONDS_PER_ROW = Constant(100e-9, 0.0, 1e-3, "seconds to find out whether a row's key comes twice", "6 M rows in 0.64 s")
INCLUSION_SHARE = Constant(
    0.05,
    0.0,
    1.0,
    "what templates take that counts for looking whether one view may answer them with others: it spares building another one",
    "declared",
)
VIEW_CANDIDATES = Constant(192, 1, 4096, "views estimated in a round against the time that estimating takes", "declared")
VIEW_UNIONS = Constant(
    8, 0, 64, "blocks over one join whose views are united two by two, against the number of candidates", "declared"
)
VIEW_FINE_SHARE = Constant(
    0.1,
    0.0,
    1.0,
    "values of a key, of the table's rows, from which views that share it are united: each union is estimated",
    "declared",
)
VIEW_SORT_KEYS = Constant(
    2, 0, 3, "keys that a view's rows are sorted by: the second helps where the first is often equal", "declared"
)
VIEW_SAMPLE_ROWS = Constant(
    100_000, 1_000, 1 << 24, "the error of a view's foretold size against the time to draw the sample", "declared"
)
VIEW_SAMPLE_GROWTH = Constant(10, 1, 1000, "joined rows looked at for each row drawn: more would not pay", "declared")
VIEW_READ_SECONDS = Constant(20e-9, 0.0, 1e-3, "seconds to read a group of a view and put it together", "300 k groups in 6.1 ms")
VIEW_DISTINCT_SECONDS = Constant(
    40e-9, 0.0, 1e-3, "seconds to see whether a group's key came before, for count(DISTINCT)", "0.1 to 2 M groups: 19 to 52 ns"
)
VIEW_SCAN_SECONDS = Constant(8e-9, 0.0, 1e-3, "seconds to look at a group of a view that does not pass", "300 k groups in 2.4 ms")
VIEW_JOIN_SECONDS = Constant(
    45e-9, 0.0, 1e-3, "seconds to join one row of the tables of a view", "lineitem and orders, 7.5 M rows in 0.35 s"
)
VIEW_PAIR_SECONDS = Constant(
    150e-9, 0.0, 1e-3, "seconds to find for one row in which group its value counts", "20 M rows, 15 M pairs in 2.1 to 3.2 s"
)
VIEW_CELL_SECONDS = Constant(4e-9, 0.0, 1e-3, "seconds to take one value of a row into its group", "6 M rows, 8 values in 0.1 s")
VIEW_GROUP_SECONDS = Constant(1e-6, 0.0, 1e-3, "seconds to make, sort and store a group", "6.0 M groups of 5 columns in 4.9 s")
BLOCK_FILL = Constant(
    0.85, 0.1, 1.0, "the share of a stored object's blocks that is filled", "views of 150 k to 1.5 M groups: 0.74 to 1.08"
)
TEXT_COMPRESSED_SHARE = Constant(
    0.5, 0.01, 1.0, "stored bytes for each byte of a text in a dictionary", "customers' names in a view of 1.5 M groups"
)
FILE_CLOCK_SECONDS = Constant(
    2.0, 0.0, 60.0, "files written just now are not copied: file systems tell times this coarsely", "FAT: 2 s"
)
CSV_SCAN_SHARE = Constant(
    0.05, 0.0, 1.0, "the time to read rows of a copy against that to parse them", "20 ms against 660 ms at 4 M rows"
)
APPRAISED_SHARE = Constant(
    0.7,
    0.1,
    1.0,
    "what of a template is foretold to be spared before other components are not asked, against the time that they take",
    "elections",
)
TRIAL_GAIN = Constant(0.05, 0.0, 0.9, "the least gain worth an alternative against keeping plain", "declared")
TRIAL_PAIRS = Constant(9, 3, 100, "pairs of runs in a trial against its time", "declared")
TRIAL_SURE_GAIN = Constant(
    5.0,
    2.0,
    100.0,
    "two pairs are enough at this ratio each: more of them against the time of plain runs",
    "declared: other work doubles a run",
)
TRIAL_RUNS = Constant(
    6, 3, 100, "plain runs that the trials of a template are expected to take: more time for them leaves less to build in", "declared"
)
TRIAL_SHARE = Constant(
    0.5, 0.1, 0.9, "the share of the seconds left after appraising that building may take: the rest is for trials", "declared"
)
LAYOUT_BITS = Constant(
    8, 1, 64, "conditions that one copy is ordered by: each one more splits the rows of those behind it in two", "declared"
)
LAYOUT_JOINS = Constant(
    3,
    0,
    8,
    "tables in a row that a condition is looked up through: a change of any of them ends it until it is found anew",
    "declared",
)
LAYOUT_CUTS = Constant(32, 2, 63, "conditions that a tree may be cut by, against the time to grow it", "declared")
LAYOUT_RANGES = Constant(
    8, 1, 64, "ranges of leaves that a statement is asked with: more leave out more, and take longer to plan and to test", "declared"
)
LAYOUT_REPEATS = Constant(
    2, 1, 16, "how often conditions are seen among a template's statements before they may be bits: each one is analysed", "declared"
)
LAYOUT_STATEMENTS = Constant(6, 1, 16, "statements of a template that an estimate looks at, against the time of it", "declared")
LAYOUT_SINGLE_BITS = Constant(
    2, 0, 64, "conditions that a copy of their own is proposed for, against the time to estimate it", "declared"
)
LAYOUT_CANDIDATES = Constant(64, 1, 1024, "layouts of a table estimated in a round against the time that estimating takes", "declared")
LAYOUT_CELL_BITS = Constant(
    12, 4, 16, "cells that a curve goes through: more follow the values closer and take longer to tell apart when building", _LAYOUTS
)
LAYOUT_DIMENSIONS = Constant(
    4, 2, 4, "columns of a curve: each one more widens the ranges that a row group holds of the others", "declared"
)
LAYOUT_OUTLIER_SHARE = Constant(
    0.005,
    0.0001,
    0.1,
    "share of rows at each end that counts as outliers: more of them make a longer part that each statement reads",
    "docs/decisions/027-outliers.md",
)
LAYOUT_SORTED_PARTS = Constant(
    256, 16, 4096, "parts of the column that cells of a grid are sorted by: more take longer to tell apart when building", _LAYOUTS
)
LAYOUT_OUTLIER_PARTS = Constant(
    128,
    2,
    512,
    "parts of a column in which another one is looked at: fewer are wider, more have fewer rows of the sample each",
    "declared",
)
LAYOUT_CUT_SECONDS = Constant(
    10e-9, 0.0, 1e-3, "seconds to tell the part of one column that a row lies in, beyond what a copy by one key takes", _LAYOUTS
)
LAYOUT_BIT_SECONDS = Constant(20e-9, 0.0, 1e-3, "seconds to find out whether a condition holds for one row", _LAYOUTS)
PREDICATE_SECONDS = Constant(
    0.005,
    0.0,
    10.0,
    "what a statement has to take for its restriction to be remembered: below, less is spared than watching costs",
    _PREDICATES,
)
PREDICATE_SHARE = Constant(
    0.25,
    0.0,
    1.0,
    "share of the row groups that ranges may leave in: a row group read with ranges takes up to twice its time",
    _PREDICATES,
)
PREDICATE_RANGES = Constant(
    16, 1, 1000, "ranges of row ids in a condition: each is compared with every row of a row group that is read", _PREDICATES
)
PREDICATE_ENTRIES = Constant(1024, 1, 1 << 20, "restrictions that are remembered, some 2 kB each", "declared")
PREDICATE_GAIN = Constant(
    0.9, 0.1, 1.0, "share of its plain time that a statement may take with ranges before they are let go of", "declared"
)
PREDICATE_JUDGED = Constant(3, 1, 100, "runs in a row that were too slow: more are surer and later", "declared")
PREDICATE_RETRY = Constant(
    100, 0, 1 << 20, "runs until what did not pay is tried again: finding it out takes about one run each time", "declared"
)
KEPT_SECONDS = Constant(
    0.001, 0.0, 10.0, "what a statement has to take for its result to be kept: keeping one takes some 10 µs and memory", "declared"
)
KEPT_ANALYSED_SECONDS = Constant(
    0.01,
    0.0,
    10.0,
    "what its runs have to take for its template to be analysed for that alone: up to 3 ms",
    "python -m benchmarks overhead",
)
KEPT_FRAME_SECONDS = Constant(
    0.004, 0.0, 10.0, "the same where it was fetched as a frame, which DuckDB makes of it in 0.35 ms", "a tenth may be lost by it"
)
KEPT_FRAME_ROW_SECONDS = Constant(
    20e-6, 0.0, 1.0, "the same for each row of it: 0.7 µs for four columns, some 2 µs for twelve", "a tenth may be lost by it"
)
KEPT_VALUES = Constant(2_000, 1, 1 << 20, "rows of a result that is kept: the time to hand them out against asking again", "declared")
KEPT_BYTES = Constant(64 << 20, 0, 1 << 40, "memory of the results that are kept against asking again", "declared")
KEPT_SHARE = Constant(1 / 64, 0.0, 1.0, "of that memory one result may take: large ones against many", "declared")
SETS_OF_PARAMETERS = Constant(64, 1, 1 << 20, "sets of parameters of one text that something is remembered for: memory", "declared")
PLAIN_RUNS = Constant(32, 1, 4096, "memory of plain results against running statements again for each alternative", "declared")
PLAIN_ROWS = Constant(10_000, 1, 1 << 24, "rows of a plain result that is kept for other alternatives: memory", "declared")
DRAIN_SECONDS = Constant(0.0005, 0.0, 1.0, "how often it is looked whether a served statement has ended", "a served look-up: 1 ms")
IDLE_SECONDS = Constant(2.0, 0.05, 3600.0, "how soon upkeep begins against how often somebody asks just then", "declared")
IDLE_LOOK_SECONDS = Constant(0.1, 0.01, 10.0, "how soon idle time is noticed against waking up in vain", "declared")
AUTOTUNE_SECONDS = Constant(5.0, 0.1, 3600.0, "seconds of reads before the first round: later ones know more", "declared")
AUTOTUNE_ROUND_SECONDS = Constant(60.0, 1.0, 3600.0, "the budget of a round in idle time", "as `tune`")
REFRESH_SECONDS = Constant(0.02, 0.0, 60.0, "what a refresh is expected to take before one was measured", "an append of 1,000 rows")
RESIDUAL_JOIN_ROWS = Constant(
    30_000,
    0,
    1 << 40,
    "rows of a table that are restricted to those which appended rows are joined with: 0.5 ms to plan against 35 ns for each row",
    "shop of 20 M items: 3 new orders and 800,000 customers in 30 ms without, 1.4 with",
)
RESIDUAL_SECONDS = Constant(0.0007, 0.0, 1.0, "what a residual is expected to cost a statement", "docs/status.md")
REPORT_TEMPLATES = Constant(40, 5, 1000, "templates in a picture of the report against its length", "declared")
REPORT_STATEMENTS = Constant(
    6, 1, 100, "statements of a template that a report runs to see what they read of a copy, against its time", "as LAYOUT_STATEMENTS"
)
REPORT_SECONDS = Constant(
    10.0, 0.0, 3600.0, "the time that a report may run statements for: with less of it fewer templates are told of", "declared"
)
REPORT_BLOCKS = Constant(
    1024, 16, 1 << 20, "row groups that are drawn one by one: more make the page large and its tiles too small to see", "declared"
)
REPORT_DECISIONS = Constant(200, 10, 100_000, "decisions in the report's history against its length", "declared")
PUT_BACK_RUNS = Constant(4, 2, 100, "runs that a look back rests on: more of them are surer and later", "declared")
PUT_BACK_EVERY = Constant(4, 1, 1000, "served runs between two looks back: looking costs two medians", "declared")
PUT_BACK_RATIO = Constant(1.03, 1.0, 2.0, "how much slower than plain a served template may get before it is put back", "declared")
PUT_BACK_DEVIATIONS = Constant(
    2.33, 0.0, 6.0, "standard deviations of the rank sum by which served runs have to be slower", "one accident in a hundred"
)
PROBATION_RUNS = Constant(
    6,
    2,
    100,
    "runs of each kind in a first probation, as many more in each later one",
    "shop: templates 1.7 times as fast were put back without",
)
TRIAL_STATEMENTS = Constant(3, 1, 16, "alternatives tried for each template against the time of a round", "declared")
PAYBACK_REPEATS = Constant(
    4, 0.1, 1000, "how often what was observed is expected to come again: more builds what pays back later", "declared"
)
DRIFT_PATIENCE = Constant(
    1.0,
    0.25,
    16.0,
    "times what a move costs that staying has to have cost first: more moves later, and less often in vain",
    "python -m benchmarks run layouts: drift; tests/tuner/test_drift.py",
)
DRIFT_PATIENCE_MOST = Constant(
    16.0, 1.0, 1024.0, "the patience that moves which do not pay may lead to, against how late a lasting drift is followed", "declared"
)
SOLVE_SECONDS = Constant(5.0, 0.1, 60.0, "a better choice against the time to find it", "declared: a hundred candidates take 0.1")
SOLVE_GAP = Constant(1e-3, 0.0, 0.1, "the share of the best gain that may be missed against the time to prove the rest", "declared")
SCARCE_SHARE = Constant(
    0.5, 0.0, 1.0, "how full the storage is before what serves is weighed against others anew: estimating takes time", "declared"
)
REBUILDS_COUNTED = Constant(
    4, 0, 1000, "changes of a table that are each expected to end in a refresh: more come in bursts", "declared"
)
MENDING_SHARE = Constant(
    0.1, 0.0, 1.0, "what mending takes of building", "shop, 20 M items: 1.7 s for copies and 0.4 s for views that are built in 26 s"
)
TOLD_ROWS = Constant(
    256,
    0,
    4096,
    "groups that a text tells instead of asking tables for them: 8 take 0.5 ms, 256 0.6, 1,024 1.1; joins 4",
    "docs/decisions/028-told-rows.md",
)
TAIL_DEPTH = Constant(
    3.0,
    1.0,
    1000.0,
    "row groups of a tail read beside one of the sorted rows before it is sorted again: one run as long as these has two",
    "docs/decisions/026-tails.md",
)
TAIL_SHARE = Constant(
    0.25,
    0.01,
    10.0,
    "rows behind the sorted ones, of those, before a copy is sorted again: less writes more, 2 + 1 / share times what came",
    "docs/decisions/026-tails.md",
)
CHANGE_BLOCK_BITS = Constant(
    14, 11, 20, "smaller blocks of row ids leave fewer rows to compare and more blocks to count", "docs/decisions/010-views-mended.md"
)
MEND_SHARE = Constant(
    0.05,
    0.0,
    1.0,
    "share of a copy's rows that may go, change or stand behind the sorted ones before it is built anew: reading gets slower",
    "docs/decisions/009-mending.md",
)
EXPORT_ROWS = Constant(2_000_000, 1_000, 1 << 30, "the error of an export's shares against the time to count them", "declared")
EXPORT_DEPTHS = Constant(64, 4, 1024, "steps of an exported histogram against its size", "declared")
EXPORT_FREQUENT = Constant(100, 0, 10_000, "values that get their own step in an exported histogram against its size", "declared")
EXPORT_BATCH = Constant(50, 1, 1000, "literals placed in one scan against the time to plan it", "declared")
IMPORT_STATEMENTS = Constant(
    2_000, 1, 1 << 20, "how near an imported workload's counts are to the recorded ones against its size", "declared"
)
SCRATCH_BYTES = Constant(
    512 << 20, 0, 1 << 36, "memory that sorts keep for the next one against touching new pages", "docs/kernels.md"
)
RESULT_BYTES = Constant(
    2 << 30,
    0,
    1 << 40,
    "memory of results that nobody has any longer, kept against touching new pages",
    "docs/kernels.md",
)
RESULT_LEAST_BYTES = Constant(
    32 << 20,
    1 << 16,
    1 << 30,
    "from how many bytes on the C library asks the system for each result and gives it back; what is smaller it keeps, and in caches",
    "DEFAULT_MMAP_THRESHOLD_MAX of glibc, mallopt(3); docs/decisions/030-result-memory.md",
)
PROGRESS_SECONDS = Constant(0.05, 0.001, 1.0, "how soon a sort on several threads tells its progress and can be cancelled", "declared")
BUCKET_CELLS = Constant(
    32, 2, 1024, "cells of a table for a bucket: how finely it tells words apart against the cache it takes", "docs/kernels.md"
)
BUCKET_EXCESS = Constant(
    3.0,
    1.5,
    100.0,
    "how much fuller than the mean a table's bucket may be before a tree is used, which classifies slower",
    "docs/kernels.md",
)
PACK_SAMPLE_ROOTS = Constant(
    5.0,
    1.0,
    100.0,
    "sampled rows, in square roots of all rows, that foresee which look alike: half a row for each shows in five pairs",
    "declared",
)
ALIKE_PASSES = Constant(
    20.0, 1.0, 1000.0, "passes over a column that it takes to put a row that looks like another in order", "docs/kernels.md"
)
TRIMMED_SHARE = Constant(0.001, 0.0, 0.1, "share of a sample at each end that a table does not spend cells on", "docs/kernels.md")
SPLIT_SAMPLE_ROWS = Constant(
    4096, 64, 1 << 20, "rows drawn to split a column for threads: how unequal the parts are against the time to draw", "declared: 1 %"
)
BUCKET_SAMPLE_ROWS = Constant(
    64, 8, 4096, "rows sampled for a bucket: how even buckets get against the time to draw and sort them", "docs/kernels.md"
)
BUCKET_ROWS = Constant(8_192, 256, 1 << 20, "rows meant for a bucket: fewer are sorted faster and cost more calls", "docs/kernels.md")
BUCKETS_MOST = Constant(1_024, 2, 16_384, "more buckets make smaller ones, but their lines leave the second cache", "docs/kernels.md")
COST_ROWS = Constant(
    131_072, 4_096, 1 << 24, "rows that the costs are measured on: more tell more about large columns and take longer", "declared"
)
MODEL_ROW_SECONDS = Constant(
    58e-9, 0.0, 1e-3, "seconds to draw and sort a row of the sample that buckets are learned from", "10 M rows: 131,072 in 7.6 ms"
)
DUPLICATE_SHARE = Constant(
    0.5, 0.0, 1.0, "sampled rows that equal another before keys are left to np.sort, which likes them", "docs/kernels.md"
)
INDEX_ERROR = Constant(16, 1, 4096, "words searched around an estimate against the knots of the model", "docs/kernels.md")
INDEX_MODEL_SHARE = Constant(
    0.01, 0.0, 1.0, "bytes of a model for each byte of keys, against words searched around its estimates", "docs/kernels.md"
)
INDEX_TRIED = Constant(16_384, 64, 1 << 20, "look-ups tried with and without the model against the time to build an index", "declared")
INDEX_GAIN = Constant(
    1.3, 1.0, 10.0, "how much faster look-ups have to be with the model before it is used for them", "docs/kernels.md"
)
INDEX_BUFFER_SHARE = Constant(
    0.02, 0.0, 1.0, "keys inserted or deleted before they are merged: look-ups ask the buffers too", "declared"
)
INDEX_BUFFER_ROWS = Constant(1_024, 1, 1 << 24, "keys that a buffer may hold in any case before it is merged", "declared")
INDEX_GALLOP = Constant(
    3.0,
    0.0,
    1e6,
    "keys for each sorted look-up up to which they walk along the keys; also look-ups for each different one from which",
    "docs/kernels.md",
)
NEAR_ROWS = Constant(
    65_536,
    1,
    1 << 30,
    "how far rows may have to go before they are brought to buckets: a gather of near rows stays in the cache",
    "docs/kernels.md",
)
DISTRIBUTION_ROWS = Constant(
    65_536, 64, 1 << 24, "the error of shares told from a sample against the time to draw and sort it", "declared"
)
PART_BUCKETS = Constant(16, 1, 1024, "fine buckets that a part is put together from: how equal parts get", "declared")
RANGE_SHARE = Constant(
    0.25, 0.01, 1.0, "share of the memory that a range of an out-of-core sort takes: its rows exist twice for a while", "declared"
)
RANGES_MOST = Constant(256, 2, 1024, "ranges of an out-of-core sort: each has an open file", "declared")
SMALL_ROWS = Constant(
    256, 1, 16_384, "rows up to which NumPy's stable sort is called: less than a microsecond is left to win", "docs/kernels.md"
)
MERGED_RUNS = Constant(
    2, 1, 64, "falls between sorted runs from which packing small columns is faster than merging", "docs/kernels.md"
)
MERGED_CHANGES = Constant(
    64,
    2,
    1 << 20,
    "rows for each change of the key from which merging small columns is left to NumPy: it gallops over what is equal",
    "docs/kernels.md",
)
STRETCH_ROWS = Constant(
    32,
    8,
    1 << 20,
    "rows for each change of the key from which stretches of equal rows are put in order as wholes",
    "docs/kernels.md",
)
COUNTED_ROWS = Constant(
    4, 1, 1 << 20, "rows for each value of a narrow small column from which they are counted instead of packed", "docs/kernels.md"
)
DICTIONARY_ROWS = Constant(2_048, 16, 1 << 20, "rows of text looked at before they are hashed, and that there must be", "declared")
DICTIONARY_REPEATS = Constant(
    4.0,
    0.5,
    1000.0,
    "half the times that a text comes, by a sample, from which hashing is faster than comparing",
    "python -m benchmarks kernels --data",
)
