"""Parse a command line, run what it names, and turn whatever happens into one line and an exit code."""

from __future__ import annotations

import atexit
import gc
import keyword
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cnnvis

if TYPE_CHECKING:
    from cyclopts import App

VERBS = {
    "architecture": "Show a whole network as the maps that its layers make of one image, in space.",
    "bundle": "Draw a whole network as bundled links, for all classes and each class.",
    "compare-networks": "Draw networks alike, side by side, and measure how compact their links are.",
    "convert": "Convert a file from one format to another, chosen by the suffixes.",
    "diagnose": "Say where a network departs from its class on an image, and whether that decides the answer.",
    "doctor": "Check that cnnvis can render here, and say what to install where it cannot.",
    "explain": "Explain how single values of a network are computed, with the actual numbers.",
    "gradients": "Show the weight gradients of a class neuron for images of several classes, as volumes and tiles.",
    "importance": "Score the importance of a network's channels by one method or several, and show where they agree.",
    "importance-curves": "Put methods of importance to the test: prune by them, beside the controls they must beat.",
    "import": "Bring in a network of another program: TensorFlow, Keras, the Unity CNN visualizer, nn_vis.",
    "info": "List every layer of a network: name, type, output shape, parameters.",
    "prune": "Write a physically smaller network, without its least important units.",
    "prune-curve": "Draw accuracy against the share of units or links removed, least important first.",
    "render": "Render a saved scene to a picture.",
    "saliency": "Show where in an image a network sees classes: Grad-CAM and occlusion, laid over the picture.",
    "survey": "Follow every channel over many images: which are alike, which are odd, which can go.",
    "timeline": "Show a training from its first weights to its last: curves, and a layer's maps of one image, "
    "epoch by epoch.",
    "view": "Open the window, to explore a network, volumes or a scene.",
    "volume": "Record layers of a network for an image, order their channels and render the volumes.",
}
"""Verb -> its line in `cnnvis --help`, so that the help needs to import none of them.

The verb `prune-curve` is the function `prune_curve` of `cnnvis/cli/prune_curve.py`; its docstring begins with the same
line (tested). A verb that is a word of Python has an underscore behind its function's name: `import_`.
"""

EPILOGUE = "Any command: --debug shows the traceback of an error. Exit status: 0 done, 1 error, 2 usage."

EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run `cnnvis <verb> ...` and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments after the program's name; default those of the process.

    Returns
    -------
    int
        0 done, 1 error, 2 wrong usage, 130 interrupted, 141 the reader of the output went away.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    verb = next((word for word in arguments if not word.startswith("-")), None)
    if verb is not None and verb not in VERBS:
        from cnnvis.core.errors import did_you_mean

        return _fail("cnnvis", f"no command {verb!r}. {did_you_mean(verb, VERBS, what='commands')}", EXIT_USAGE)
    app = _app("cnnvis", help=cnnvis.__doc__.splitlines()[0] if cnnvis.__doc__ else "")
    for name, summary in VERBS.items():
        # The verb that runs shows its whole docstring; a `help` given here would replace it.
        function = function_name(name)
        app.command(f"cnnvis.cli.{function}:{function}", name=name, help=None if name == verb else summary)
    return _run(app, arguments, program=f"cnnvis {verb}" if verb else "cnnvis")


def function_name(verb: str) -> str:
    """Return the name of a verb's function, which is that of its file too."""
    return verb.replace("-", "_") + "_" * keyword.iskeyword(verb)


def run(function: Callable[..., Any], argv: Sequence[str] | None = None) -> int:
    """Run one function as a program of its own: how a script in `pipelines/` gets the same command line as a verb.

    Parameters
    ----------
    function : callable
        Its annotated parameters are the options, its docstring is the help; it returns None or an exit code.
    argv : sequence of str, optional
        Arguments after the program's name; default those of the process.

    Returns
    -------
    int
        Exit code as of `main`.

    Examples
    --------
    >>> if __name__ == "__main__":  # doctest: +SKIP
    ...     sys.exit(run(conv1_volume))
    """
    program = Path(sys.argv[0]).name or function.__name__
    app = _app(program)
    app.default(function)
    return _run(app, list(sys.argv[1:] if argv is None else argv), program=program)


def _app(name: str, **options: Any) -> App:
    from cyclopts import App

    return App(
        name=name,
        version=f"cnnvis {cnnvis.__version__}",
        help_epilogue=EPILOGUE,
        result_action="return_value",
        suppress_keyboard_interrupt=False,
        **options,
    )


def _run(app: App, arguments: list[str], *, program: str) -> int:
    """Run `app` and return the exit code; every error becomes one line on stderr."""
    from cyclopts import CycloptsError

    debug = _take_flag(arguments, "--debug")
    _set_up_logging(program, debug=debug, quiet=not {"-q", "--quiet"}.isdisjoint(_before_dashes(arguments)))
    try:
        with _rare_collection():
            code = app(arguments, exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except CycloptsError as error:
        return _fail(program, f"{_one_line(error)} Try: {program} --help", EXIT_USAGE)
    except KeyboardInterrupt:
        sys.stderr.write(f"\n{program}: interrupted\n")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _drop_unwritable_output()  # `cnnvis info | head`: the reader has seen enough
        return EXIT_BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - the edge of the program: nothing above could handle it
        if debug:
            traceback.print_exc()
        _drop_unwritable_output()
        return _fail(program, _message(error, debug=debug), EXIT_ERROR)
    return code if isinstance(code, int) else 0


def _set_up_logging(program: str, *, debug: bool, quiet: bool) -> None:
    """Write warnings to stderr; of cnnvis also what is only worth knowing, unless quiet; with debug everything."""
    handler = logging.StreamHandler()
    if not debug:
        handler.addFilter(lambda record: record.levelno >= logging.WARNING or record.name.startswith("cnnvis"))
    level = logging.DEBUG if debug else logging.WARNING if quiet else logging.INFO
    logging.basicConfig(level=level, format=f"{program}: %(message)s", handlers=[handler])


def _drop_unwritable_output() -> None:
    """Where standard output takes no more, keep the interpreter from flushing into it at exit and failing again."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Let Python look for garbage cycles rarely, and not at all on its way out.

    Importing torch makes a million objects that stay; walking over them again and again takes a second of
    every command, a good part of it after the work is done.
    """
    threshold = gc.get_threshold()
    gc.set_threshold(20_000, 50, 100)
    atexit.register(gc.freeze)
    try:
        yield
    finally:
        gc.set_threshold(*threshold)


def _take_flag(arguments: list[str], flag: str) -> bool:
    """Remove `flag` from the arguments before `--`; return whether it was there."""
    end = len(_before_dashes(arguments))
    found = flag in arguments[:end]
    arguments[:end] = [word for word in arguments[:end] if word != flag]
    return found


def _before_dashes(arguments: Sequence[str]) -> Sequence[str]:
    """Return the arguments that may be flags, those before `--`."""
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


def _fail(program: str, message: str, code: int) -> int:
    sys.stderr.write(f"{program}: error: {message}\n")
    return code


def _message(error: Exception, *, debug: bool) -> str:
    from cnnvis.core.errors import CnnvisError

    if isinstance(error, CnnvisError):
        return _one_line(error)
    hint = "" if debug else " (--debug shows where)"
    return f"{type(error).__name__}: {_one_line(error)}".rstrip(": ") + hint


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
