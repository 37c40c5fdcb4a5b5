"""Pairs things of two lists so that the sum of their scores is the largest.

The graph of the pairs that have a score falls into small parts (boxes that overlap nothing else
are parts of two); each is solved by the Hungarian method (Kuhn, Munkres; the form with
potentials, O(n^3)). A part of more than `LARGEST` on a side, hundreds of boxes on one spot, is
paired greedily, the best score first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

LARGEST: Final = 60

Pair = tuple[int, int]
Scores = Mapping[Pair, float]
"""Of (place in the first list, place in the second); above 0, a pair that is not there
cannot be made."""


def best_pairs(scores: Scores) -> list[Pair]:
    """The pairs, in rising order; nothing stands in two of them."""
    found: list[Pair] = []
    for part in _parts(scores):
        rows, columns = sorted({i for i, _ in part}), sorted({j for _, j in part})
        small = max(len(rows), len(columns)) <= LARGEST
        found += _hungarian(part, rows, columns) if small else _greedy(part)
    return sorted(found)


def _parts(scores: Scores) -> Iterator[dict[Pair, float]]:
    """The connected parts of the graph."""
    of_row: dict[int, list[Pair]] = defaultdict(list)
    of_column: dict[int, list[Pair]] = defaultdict(list)
    for pair in scores:
        of_row[pair[0]].append(pair)
        of_column[pair[1]].append(pair)
    seen: set[Pair] = set()
    for first in scores:
        if first in seen:
            continue
        part, waiting = {}, [first]
        seen.add(first)
        while waiting:
            i, j = pair = waiting.pop()
            part[pair] = scores[pair]
            beside = (*of_row.pop(i, ()), *of_column.pop(j, ()))
            waiting += [each for each in beside if each not in seen]
            seen.update(beside)
        yield part


def _greedy(part: Scores) -> list[Pair]:
    taken: list[Pair] = []
    rows: set[int] = set()
    columns: set[int] = set()
    for i, j in sorted(part, key=lambda pair: (-part[pair], pair)):
        if i not in rows and j not in columns:
            taken.append((i, j))
            rows.add(i)
            columns.add(j)
    return taken


def _hungarian(part: Scores, rows: list[int], columns: list[int]) -> list[Pair]:
    """Of a square matrix that is filled up with zeros: a pair of score 0 is no pair."""
    size = max(len(rows), len(columns))
    cost = [[0.0] * size for _ in range(size)]
    for n, i in enumerate(rows):
        for m, j in enumerate(columns):
            cost[n][m] = -part.get((i, j), 0.0)
    chosen = _assignment(cost)
    pairs = [
        (rows[n], columns[m])
        for m, n in enumerate(chosen)
        if n < len(rows) and m < len(columns)
    ]
    return [pair for pair in pairs if pair in part]


def _assignment(cost: list[list[float]]) -> list[int]:
    """The row of each column at the least cost in all; rows and columns count from 0 here,
    from 1 inside, where 0 is the row or column that is being placed."""
    size = len(cost)
    of_row, of_column = [0.0] * (size + 1), [0.0] * (size + 1)
    row_of, way = [0] * (size + 1), [0] * (size + 1)
    for row in range(1, size + 1):
        row_of[0], column = row, 0
        least, used = [float("inf")] * (size + 1), [False] * (size + 1)
        while row_of[column] != 0:
            used[column] = True
            here, step, following = row_of[column], float("inf"), 0
            for j in range(1, size + 1):
                if used[j]:
                    continue
                left = cost[here - 1][j - 1] - of_row[here] - of_column[j]
                if left < least[j]:
                    least[j], way[j] = left, column
                if least[j] < step:
                    step, following = least[j], j
            _shift(used, row_of, of_row, of_column, least, step)
            column = following
        while column:
            row_of[column] = row_of[way[column]]
            column = way[column]
    return [row - 1 for row in row_of[1:]]


def _shift(
    used: list[bool],
    row_of: list[int],
    of_row: list[float],
    of_column: list[float],
    least: list[float],
    step: float,
) -> None:
    """Move the potentials by the step after which one more pair is tight."""
    for j in range(len(used)):
        if used[j]:
            of_row[row_of[j]] += step
            of_column[j] -= step
        else:
            least[j] -= step
