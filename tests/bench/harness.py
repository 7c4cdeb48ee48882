"""How a benchmark is written and measured.

    @bench("ledger.sqlite.single", limit=1.4, unit="s/op")
    def single(shop: Workshop) -> Pair:
        book = shop.enter(a_book(shop.tmp))
        return lambda: book.post(), lambda: raw.execute(...)

A benchmark answers a pair of callables, ours and the reference (None where there is none), and the
harness times them. A callable that answers a number has measured itself (an operation out of
many): that number is taken. Where that does not fit, the benchmark is a generator and yields
(ours, reference) once per round; `shop.ours_first(round)` says whose turn it is to begin.

Smaller is better, always. The ratio is the median of ours over the median of the reference, taken
in one run from rounds that alternate, so that a machine that slows down slows both.
"""

import gc
import importlib
import json
import os
import pkgutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Final, TypeVar

T = TypeVar("T")

Timed = Callable[[], object]
"""Does the work once. Answers a float to report its own time, anything else to be timed."""

Pair = tuple[Timed, Timed | None]
Rounds = Iterator[tuple[float, float | None]]

Emit = Callable[[str], None]
"""Writes one line to the real stdout."""

FEWEST_ROUNDS: Final = 5


@dataclass
class Workshop:
    """What a benchmark is given: a folder, things to clean up afterwards, a place for remarks."""

    tmp: Path
    rounds: int
    detail: dict[str, object] = field(default_factory=dict)
    """Goes into the result line: sizes, versions, what else was seen."""
    _stack: ExitStack = field(default_factory=ExitStack, repr=False)

    def enter(self, manager: AbstractContextManager[T]) -> T:
        """Enter a context manager; it is left after the last round."""
        return self._stack.enter_context(manager)

    def callback(self, function: Callable[[], object]) -> None:
        """Call `function` after the last round, in reverse order."""
        self._stack.callback(function)

    @staticmethod
    def ours_first(round_number: int) -> bool:
        """Whose turn it is to begin: alternating, as the second finds the caches warm."""
        return round_number % 2 == 0


@dataclass(frozen=True)
class Benchmark:
    """A benchmark with its promise."""

    name: str
    limit: float | None
    unit: str
    rounds: int
    function: Callable[[Workshop], Pair | Rounds]


@dataclass(frozen=True)
class Result:
    """What one benchmark found; one line of JSON."""

    name: str
    ours: float | None
    reference: float | None
    ratio: float | None
    limit: float | None
    unit: str
    detail: dict[str, object]

    @property
    def kept(self) -> bool:
        """Whether the promise holds: on the ratio, or on ours where there is no reference."""
        if self.ours is None:
            return False
        measured = self.ours if self.reference is None else self.ratio
        return self.limit is None or (measured is not None and measured <= self.limit)

    def line(self) -> str:
        """The result as one line of JSON."""
        return json.dumps(self.__dict__, ensure_ascii=False, default=str)


REGISTRY: Final[dict[str, Benchmark]] = {}


def bench(
    name: str,
    *,
    limit: float | None,
    unit: str = "s/op",
    rounds: int = 7,
    registry: dict[str, Benchmark] = REGISTRY,
) -> Callable[[Callable[[Workshop], Pair | Rounds]], Callable[[Workshop], Pair | Rounds]]:
    """Declare a benchmark under a dotted name; `limit` is the largest ratio that is allowed."""
    if rounds < FEWEST_ROUNDS:
        raise ValueError(f"{name}: a median of fewer than {FEWEST_ROUNDS} rounds says little")
    if name in registry:
        raise ValueError(f"two benchmarks are called {name}")

    def declare(
        function: Callable[[Workshop], Pair | Rounds],
    ) -> Callable[[Workshop], Pair | Rounds]:
        registry[name] = Benchmark(name, limit, unit, rounds, function)
        return function

    return declare


def discover(package: ModuleType) -> None:
    """Import every module of the package that declares a benchmark.

    Others are left alone: a program that a benchmark starts (stock.py) must not run here.
    """
    for folder in package.__path__:
        for module in pkgutil.iter_modules([folder]):
            source = Path(folder) / f"{module.name}.py"
            if source.is_file() and "\n@bench(" in source.read_text(encoding="utf-8"):
                importlib.import_module(f"{package.__name__}.{module.name}")


def choose(names: Iterable[str], only: str) -> list[str]:
    """The names to run: all, exactly one, or those that begin with a prefix ending in a dot."""
    chosen = sorted(
        name
        for name in names
        if not only or name == only or (only.endswith(".") and name.startswith(only))
    )
    if not chosen:
        raise LookupError(f"no benchmark is called {only!r}; there are: {', '.join(sorted(names))}")
    return chosen


def measure(benchmark: Benchmark) -> Result:
    """Run one benchmark and compare."""
    with tempfile.TemporaryDirectory(prefix="bank-bench-") as folder, ExitStack() as stack:
        shop = Workshop(tmp=Path(folder), rounds=benchmark.rounds, _stack=stack)
        made = benchmark.function(shop)
        if not gc.get_freeze_count():  # a run of tests keeps its own frozen, and goes on after this
            gc.collect()
            gc.freeze()  # what is loaded by now is not walked again between the rounds
            stack.callback(gc.unfreeze)
        rounds = list(_alternate(made, shop) if isinstance(made, tuple) else made)
    if len(rounds) < FEWEST_ROUNDS:
        raise ValueError(f"{benchmark.name}: {len(rounds)} rounds, at least {FEWEST_ROUNDS} wanted")
    ours = [mine for mine, _ in rounds]
    theirs = [reference for _, reference in rounds if reference is not None]
    if theirs and len(theirs) != len(ours):
        raise ValueError(f"{benchmark.name}: a reference in some rounds only")
    detail = {"rounds": len(rounds), "ours_range": _range(ours)} | shop.detail
    if theirs:
        detail["reference_range"] = _range(theirs)
    mine = statistics.median(ours)
    reference = statistics.median(theirs) if theirs else None
    return Result(
        name=benchmark.name,
        ours=_short(mine),
        reference=None if reference is None else _short(reference),
        ratio=None if reference is None else _short(mine / reference),
        limit=benchmark.limit,
        unit=benchmark.unit,
        detail=detail,
    )


def failure(benchmark: Benchmark, error: BaseException) -> Result:
    """The line of a benchmark that could not be measured; it has not kept its promise."""
    detail: dict[str, object] = {"error": f"{type(error).__name__}: {error}"}
    return Result(benchmark.name, None, None, None, benchmark.limit, benchmark.unit, detail)


def stdout_for_results_only() -> Emit:
    """Send everything printed from here on to stderr, by children too; answer a way to stdout."""
    sys.stdout.flush()
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def emit(line: str) -> None:
        results.write(f"{line}\n")
        results.flush()

    return emit


def _alternate(pair: Pair, shop: Workshop) -> Rounds:
    ours, reference = pair
    for warm_up in (ours, reference):
        if warm_up is not None:
            warm_up()
    for number in range(shop.rounds):
        if reference is None:
            yield _time(ours), None
        elif shop.ours_first(number):
            mine = _time(ours)
            yield mine, _time(reference)
        else:
            theirs = _time(reference)
            yield _time(ours), theirs


def _time(work: Timed) -> float:
    gc.collect()  # what the other side left behind is not ours to clean up
    started = time.perf_counter()
    answer = work()
    elapsed = time.perf_counter() - started
    return answer if isinstance(answer, float) else elapsed


def _range(values: Sequence[float]) -> list[float]:
    return [_short(min(values)), _short(max(values))]


def _short(value: float) -> float:
    return float(f"{value:.4g}")
