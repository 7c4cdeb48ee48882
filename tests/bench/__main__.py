"""python -m tests.bench [ONLY]: measure, print one line of JSON per benchmark, nothing else.

ONLY (argument or environment) is a benchmark's name, or a prefix that ends in a dot. The exit code
is 1 when a limit is missed or a benchmark fails, 2 when ONLY names none.
"""

import os
import subprocess
import sys
import traceback

import tests.bench
from tests.bench import harness
from tests.support.postgres import claim_run, stop_server


def main(arguments: list[str]) -> int:
    """Run what was chosen; several benchmarks run in a process each, one after the other."""
    emit = harness.stdout_for_results_only()
    for name in [name for name in os.environ if name.startswith("BANK_")]:
        if not name.startswith("BANK_TEST_"):  # this machine's own bank stays out of it
            del os.environ[name]
    claim_run()
    harness.discover(tests.bench)
    only = arguments[0] if arguments else os.environ.get("ONLY", "")
    try:
        names = harness.choose(harness.REGISTRY, only)
    except LookupError as nothing:
        sys.stderr.write(f"{nothing.args[0]}\n")
        return 2
    if names == [only]:
        return run_here(harness.REGISTRY[only], emit)
    return max([run_apart(name, emit) for name in names])


def run_here(benchmark: harness.Benchmark, emit: harness.Emit) -> int:
    """Measure in this process."""
    sys.stderr.write(f"{benchmark.name} ...\n")
    try:
        result = harness.measure(benchmark)
    except Exception as error:  # every benchmark has its line, also one that breaks
        traceback.print_exc()
        result = harness.failure(benchmark, error)
    finally:
        stop_server()
    emit(result.line())
    sys.stderr.write(f"{benchmark.name}: {'ok' if result.kept else 'MISSED'}\n")
    return 0 if result.kept else 1


def run_apart(name: str, emit: harness.Emit) -> int:
    """Measure in a process of its own: no heap, thread or cache of the benchmark before it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", name],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        env=os.environ | {"ONLY": ""},
    )
    for line in done.stdout.splitlines():
        emit(line)
    return 0 if done.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
