"""The frame of the command line: exit codes, one-line errors, help, reuse by scripts."""

from __future__ import annotations

import importlib
import inspect
import io
import logging
import os
import signal
import statistics
import subprocess
import sys
import textwrap
import time
from typing import Annotated

import pytest
from cyclopts import Parameter

from cnnvis.cli import _app, main, run
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError


@pytest.fixture(autouse=True)
def fresh_logging():
    """`run` configures the root logger once; give each test the one it would find in a new process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def cnnvis(*arguments: str, **options) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "cnnvis", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def fail_with(error: BaseException):
    def job() -> None:
        """Do it."""
        raise error

    return job


def test_help_names_every_verb():
    done = cnnvis("--help")
    assert done.returncode == 0
    assert done.stderr == ""
    for verb in _app.VERBS:
        assert f" {verb} " in done.stdout
    assert "--debug" in done.stdout


def test_no_arguments_shows_help():
    assert cnnvis().stdout == cnnvis("--help").stdout


def test_help_is_quick_and_loads_nothing_heavy():
    code = (
        "import sys; sys.argv = ['cnnvis', '--help']; from cnnvis.cli import main; main(); "
        "print('LOADED', *(n for n in ('numpy', 'torch', 'vtkmodules', 'pyvista', 'PyQt5') if n in sys.modules))"
    )
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        seconds.append(time.perf_counter() - start)
    assert done.stdout.splitlines()[-1] == "LOADED"
    # 300 ms is the aim on a quiet machine (benchmarks); this only catches a heavy import that slipped in.
    assert statistics.median(seconds) < 1.0


def test_version():
    assert cnnvis("--version").stdout == f"cnnvis {importlib.import_module('cnnvis').__version__}\n"


@pytest.mark.parametrize("verb", _app.VERBS)
def test_verb_is_documented(verb):
    name = _app.function_name(verb)
    function = getattr(importlib.import_module(f"cnnvis.cli.{name}"), name)
    assert inspect.getdoc(function).splitlines()[0] == _app.VERBS[verb]
    done = cnnvis(verb, "--help")
    assert done.returncode == 0
    assert " ".join(_app.VERBS[verb].split()[:5]) in done.stdout


def test_unknown_verb_is_a_usage_error_with_near_matches():
    done = cnnvis("doctr")
    assert done.returncode == 2
    assert done.stderr == "cnnvis: error: no command 'doctr'. Did you mean: doctor?\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nonsense"], "--nonsense"),
        (["--count", "many"], "--count"),
        (["--count"], "--count"),
        (["1", "2"], "2"),
    ],
)
def test_wrong_usage_is_one_line_and_2(arguments, message, capsys):
    def job(count: int = 1) -> None:
        """Do it."""

    assert run(job, arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert message in lines[0]
    assert lines[0].endswith("--help")


def test_return_values():
    assert run(lambda: None, []) == 0
    assert run(lambda: 1, []) == 1
    assert run(lambda: "a result", []) == 0


def test_own_error_is_one_line_without_its_class(capsys):
    assert run(fail_with(LayerNotFoundError("No layer 'conv9'.\nDid you mean: conv1?")), []) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.endswith(": error: No layer 'conv9'. Did you mean: conv1?\n")


def test_unexpected_error_names_its_class_and_the_way_on(capsys):
    assert run(fail_with(ZeroDivisionError("division by zero")), []) == 1
    assert capsys.readouterr().err.endswith("error: ZeroDivisionError: division by zero (--debug shows where)\n")


def test_error_without_text_names_its_class(capsys):
    assert run(fail_with(MemoryError()), []) == 1
    assert "error: MemoryError (" in capsys.readouterr().err


def test_debug_shows_the_traceback(capsys):
    assert run(fail_with(InvalidInputError("wrong")), ["--debug"]) == 1
    error = capsys.readouterr().err
    assert "Traceback" in error
    assert "in job" in error
    assert error.splitlines()[-1].endswith("error: wrong")


def test_debug_after_a_double_dash_is_an_argument(capsys):
    def job(*words: str) -> None:
        """Do it."""
        sys.stdout.write(" ".join(words))

    assert run(job, ["--", "--debug"]) == 0
    assert capsys.readouterr().out == "--debug"


def test_interrupt_is_130(capsys):
    assert run(fail_with(KeyboardInterrupt()), []) == 130
    assert capsys.readouterr().err.endswith(": interrupted\n")


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a child on Windows")
def test_ctrl_c_in_a_real_process_is_130_without_traceback():
    code = """
        import signal, sys, time
        from cnnvis.cli import run
        # A shell starts background jobs with SIGINT ignored, and children inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        def job() -> None:
            "Wait."
            print("ready", flush=True)
            time.sleep(60)
        sys.exit(run(job, []))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in error


@pytest.mark.skipif(sys.platform == "win32", reason="pipes close differently on Windows")
def test_closed_pipe_is_quiet():
    code = """
        import sys
        from cnnvis.cli import run
        def job() -> None:
            "Write much."
            for line in range(100_000):
                print(line)
        sys.exit(run(job, []))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        error = process.stderr.read()
        process.wait(timeout=30)
    assert error == b""
    assert process.returncode == 141


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110 - a device
def test_full_disk_on_output_is_one_line():
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [sys.executable, "-m", "cnnvis", "--version"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "No space left" in done.stderr


def test_warning_of_the_library_carries_the_program(capsys, monkeypatch):
    def job() -> None:
        """Do it."""
        logging.getLogger("cnnvis.capture").warning("%d channels are constant", 5)

    logging.getLogger().handlers.clear()
    monkeypatch.setattr(sys, "argv", ["somewhere/conv1_volume.py"])
    assert run(job, []) == 0
    assert capsys.readouterr().err == "conv1_volume.py: 5 channels are constant\n"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], ["written in part", "5 channels are constant"]),
        (["-q"], ["5 channels are constant"]),
        (["--quiet"], ["5 channels are constant"]),
        (["--", "-q"], ["written in part", "5 channels are constant"]),
    ],
)
def test_quiet_silences_what_is_only_worth_knowing(flags, said, capsys):
    def job(text: str = "", *, quiet: Annotated[bool, Parameter(name=("--quiet", "-q"))] = False) -> None:
        """Do it."""
        logging.getLogger("cnnvis.rendering").info("written in part")
        logging.getLogger("cnnvis.capture").warning("%d channels are constant", 5)
        logging.getLogger("another.library").info("not for the user")

    logging.getLogger().handlers.clear()
    assert run(job, flags) == 0
    assert [line.split(": ")[1] for line in capsys.readouterr().err.splitlines()] == said


def test_script_help_is_as_good_as_a_verb_s(tmp_path):
    script = tmp_path / "study.py"
    script.write_text(
        textwrap.dedent('''
            import sys
            from cnnvis.cli import run
            from cnnvis.cli._options import Size

            def study(*, size: Size = (1600, 1000), frames: int = 48) -> None:
                """Make a film.

                Parameters
                ----------
                frames : int
                    How many pictures one turn has.
                """

            sys.exit(run(study))
        ''')
    )
    done = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True, check=True)
    assert "Usage: study.py" in done.stdout
    assert "Make a film." in done.stdout
    assert "How many pictures one turn has." in done.stdout
    assert "1600x1000" in done.stdout
    assert "--debug" in done.stdout


def test_main_takes_arguments_from_the_process(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["cnnvis", "--version"])
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert main() == 0
    assert sys.stdout.getvalue().startswith("cnnvis ")
