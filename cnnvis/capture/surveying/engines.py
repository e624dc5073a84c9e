"""Who passes the shards over the network: this process, several on this machine, or a Dask cluster.

All run the same function on the same shards, and give the results back in the order of the shards: what is merged is
the same to the last bit, up to what a different number of threads changes in a forward pass.
"""

from __future__ import annotations

import logging
import multiprocessing
import pickle
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from cnnvis.capture.surveying.network import NetworkAccumulator
from cnnvis.capture.surveying.pass_over import survey_shard
from cnnvis.capture.surveying.plan import SurveyPlan
from cnnvis.capture.surveying.shards import Shard
from cnnvis.core.errors import CnnvisError, InvalidInputError, MissingDependencyError

logger = logging.getLogger(__name__)

AHEAD = 2
"""Shards that wait per process, so that none is idle."""

MAX_DEATHS = 3
"""Times that the processes may die before the survey gives up."""

Engine = Callable[[Any, SurveyPlan, Iterable[Shard]], Generator[NetworkAccumulator, None, None]]


def in_processes(workers: int) -> Engine:
    """Return an engine of several processes with one thread each. A process that dies is replaced, its share redone."""

    def run(model: Any, plan: SurveyPlan, shards: Iterable[Shard]) -> Generator[NetworkAccumulator, None, None]:
        _require_sendable(model)
        yield from _Pool(workers, model, plan).run(shards)

    return run


def _require_sendable(model: Any) -> None:
    """Raise InvalidInputError for a model that cannot be sent to other processes."""
    try:
        pickle.dumps(model)  # as other processes are sent it
    except Exception as error:
        raise InvalidInputError(
            f"{type(model).__name__} cannot be sent to other processes ({type(error).__name__}: {error}). "
            "Define its classes in a module that can be imported, or use one worker."
        ) from error


class _Pool:
    """Processes, and the shards that they have not given back yet."""

    def __init__(self, workers: int, model: Any, plan: SurveyPlan) -> None:
        self._workers, self._facts = workers, (model, plan)
        self._deaths = 0
        self._pool = self._start()
        self._waiting: deque[tuple[Shard, Future[NetworkAccumulator]]] = deque()

    def _start(self) -> ProcessPoolExecutor:
        # Spawned, not forked: torch's threads do not survive a fork.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._workers, context, initializer=_begin, initargs=self._facts)

    def run(self, shards: Iterable[Shard]) -> Generator[NetworkAccumulator, None, None]:
        try:
            for shard in shards:
                self._waiting.append((shard, self._submit(shard)))
                if len(self._waiting) >= AHEAD * self._workers:
                    yield self._next()
            while self._waiting:
                yield self._next()
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self, shard: Shard) -> Future[NetworkAccumulator]:
        try:
            return self._pool.submit(_run_shard, shard)
        except BrokenProcessPool as error:
            failed: Future[NetworkAccumulator] = Future()
            failed.set_exception(error)
            return failed

    def _next(self) -> NetworkAccumulator:
        while True:
            try:
                result = self._waiting[0][1].result()
            except BrokenProcessPool as error:
                self._restart(error)
                continue
            self._waiting.popleft()
            return result

    def _restart(self, error: BrokenProcessPool) -> None:
        self._deaths += 1
        if self._deaths > MAX_DEATHS:
            raise CnnvisError(
                f"The processes of the survey died {self._deaths} times: for want of memory, or since they cannot "
                "import the classes of the network. Use fewer workers or smaller batches, or one worker."
            ) from error
        logger.warning("A process of the survey died; what it had not finished is done again.")
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = self._start()
        self._waiting = deque((shard, self._submit(shard)) for shard, _ in self._waiting)


_own: dict[str, Any] = {}
"""Model and plan of a process."""


def _begin(model: Any, plan: SurveyPlan) -> None:
    import torch

    torch.set_num_threads(1)
    _own.update(model=model, plan=plan)


def _run_shard(shard: Shard) -> NetworkAccumulator:
    return survey_shard(_own["model"], _own["plan"], shard)


def on_dask(scheduler: str) -> Engine:
    """Return an engine on a Dask cluster; each worker needs cnnvis, the network's code and the picture files.

    Parameters
    ----------
    scheduler : str
        Address such as tcp://host:8786.

    Raises
    ------
    MissingDependencyError
        Without `distributed`.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingDependencyError("A survey on a cluster needs Dask: pip install 'cnnvis[dask]'.") from error

    def run(model: Any, plan: SurveyPlan, shards: Iterable[Shard]) -> Generator[NetworkAccumulator, None, None]:
        with Client(scheduler, set_as_default=False) as client:
            n_workers = max(1, sum(client.nthreads().values()))
            shared = client.scatter((model, plan), broadcast=True)
            waiting: deque[Any] = deque()
            for shard in shards:
                waiting.append(client.submit(_run_shared, shared, shard, pure=False))
                if len(waiting) >= AHEAD * n_workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    return run


def _run_shared(shared: tuple[Any, SurveyPlan], shard: Shard) -> NetworkAccumulator:
    import torch

    torch.set_num_threads(1)
    return survey_shard(*shared, shard)
