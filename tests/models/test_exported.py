"""Programs of torch.export: layers under their own names, and nothing in them runs on loading."""

import contextlib
import io
import json
import zipfile

import pytest
import torch
from torch import nn

from cnnvis.core.errors import CheckpointError, FileFormatError, UnsafeFileError
from cnnvis.models import load
from cnnvis.models.exported import _is_arithmetic, load_exported

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True))
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(self.drop(self.features(x).mean((2, 3))))


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """A module, its example, and the file that it was exported to with a dynamic batch size."""
    torch.manual_seed(0)
    module, example = Net().eval(), torch.randn(2, 3, 8, 8)
    path = tmp_path_factory.mktemp("export") / "net.pt2"
    exported = torch.export.export(module, (example,), dynamic_shapes=({0: torch.export.Dim("n", max=64)},))
    torch.export.save(exported, path)
    return module, example, path


def rewritten(source, target, changes):
    """Copy an archive; `changes` maps the end of a record's name to a function of its bytes, or to new bytes."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            change = next((change for end, change in changes.items() if name.endswith(end)), None)
            content = old.read(name)
            new.writestr(name, change(content) if callable(change) else content if change is None else change)
        root = old.namelist()[0].split("/")[0]
        for end, change in changes.items():
            if isinstance(change, bytes) and not any(name.endswith(end) for name in old.namelist()):
                new.writestr(f"{root}/{end}", change)
    return target


def pickled(value):
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


class Bomb:
    def __reduce__(self):
        return exec, ("import builtins; builtins.exported_bomb = True",)


@pytest.fixture
def nothing_ran():
    """Fail when a bomb went off."""
    import builtins

    yield
    ran = hasattr(builtins, "exported_bomb")
    if ran:
        del builtins.exported_bomb
    assert not ran


def test_layers_keep_their_names_and_take_hooks(program):
    module, example, path = program
    network = load(path)
    seen = []
    handle = network.module.get_submodule("features.0").register_forward_hook(lambda *args: seen.append(args[2]))
    output = network.module(example)
    handle.remove()
    torch.testing.assert_close(output, module(example))
    torch.testing.assert_close(seen[0], module.features[0](example))
    assert network.weights == network.name == "net.pt2"
    assert torch.equal(network.example[0], example)
    assert network.image.size == (8, 8)
    assert not network.module.training


def test_the_batch_size_may_differ_where_it_was_exported_as_dynamic(program):
    assert load_exported(program[2])[0](torch.zeros(5, 3, 8, 8)).shape == (5, 2)


@pytest.mark.parametrize("record", ["data/sample_inputs/model.pt", "data/constants/opaque_obj_0"])
def test_a_pickle_inside_is_refused(program, tmp_path, record, nothing_ran):
    bad = rewritten(program[2], tmp_path / "bad.pt2", {record: pickled(((Bomb(),), {}))})
    with pytest.raises(UnsafeFileError, match=r"bad\.pt2 holds"):
        load_exported(bad)


def test_a_pickled_weight_is_refused(program, tmp_path, nothing_ran):
    changes = {
        "model_weights_config.json": lambda text: text.replace(b'"use_pickle": false', b'"use_pickle": true', 1),
        "data/weights/weight_0": pickled(Bomb()),
    }
    with pytest.raises(UnsafeFileError, match=r"pickled value features\.0\.weight"):
        load_exported(rewritten(program[2], tmp_path / "bad.pt2", changes))


@pytest.mark.parametrize("root", ["", "net/"])
def test_the_format_of_older_versions_beside_the_new_one_is_refused(program, tmp_path, root, nothing_ran):
    bad = rewritten(program[2], tmp_path / "bad.pt2", {"models/model.json": b"{}"})  # sends torch to the older format
    with zipfile.ZipFile(bad, "a") as archive:
        archive.writestr(f"{root}version", "8.8")
        for name in ("exported_program.json", "state_dict.pt", "constants.pt", "example_inputs.pt"):
            archive.writestr(f"{root}serialized_{name}", pickled(Bomb()))
    with pytest.raises((UnsafeFileError, CheckpointError), match=r"bad\.pt2"):
        load_exported(bad)


def edited(edit):
    """Return a change of a program's JSON."""

    def change(content):
        data = json.loads(content)
        edit(data["graph_module"]["graph"])
        return json.dumps(data).encode()

    return change


def _symbolic_code(graph):
    sizes = graph["tensor_values"]["x"]["sizes"]
    sizes[0]["as_expr"]["expr_str"] = "exec('import builtins; builtins.exported_bomb = True')"


def _other_operator(graph):
    graph["nodes"][0]["target"] = "torch.serialization.os.system"


def _library(graph):
    graph["nodes"][0]["target"] = "torch.ops.load_library"


def _code_as_name(graph):
    graph["inputs"][0]["as_tensor"]["name"] = "x=exec('import builtins; builtins.exported_bomb = True')"


@pytest.mark.parametrize("edit", [_symbolic_code, _other_operator, _library, _code_as_name])
def test_code_in_the_program_is_refused(program, tmp_path, edit, nothing_ran):
    bad = rewritten(program[2], tmp_path / "bad.pt2", {"models/model.json": edited(edit)})
    with pytest.raises(UnsafeFileError, match=r"bad\.pt2 holds"):
        load_exported(bad)


def test_the_symbolic_bomb_is_one(program, tmp_path):
    # torch itself runs it: should this fail one day, the check may go.
    import builtins

    bad = rewritten(program[2], tmp_path / "bad.pt2", {"models/model.json": edited(_symbolic_code)})
    with contextlib.suppress(Exception):  # whatever it makes of the None that exec returns
        torch.export.load(bad)
    assert builtins.exported_bomb
    del builtins.exported_bomb


@pytest.mark.parametrize("text", ["s0", "2*s0 + 1", "Symbol('s77', positive=True, integer=True)", "Max(1, Mod(s0, 2))"])
def test_arithmetic_is_allowed(text):
    assert _is_arithmetic(text)


@pytest.mark.parametrize(
    "text",
    ["eval('1')", "open('x')", "s0.__class__", "__import__('os')", "[1 for _ in x]", "Add('f(1)')", "(lambda: 1)()",
     "x[0]", "Symbol('s')()", "1 +", "Add('__import__')+x._y"],
)  # fmt: skip
def test_anything_else_is_not(text):
    assert not _is_arithmetic(text)


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9])
def test_a_truncated_file_is_named(program, tmp_path, kept):
    content = program[2].read_bytes()
    (tmp_path / "cut.pt2").write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(CheckpointError, match=r"cut\.pt2"):
        load_exported(tmp_path / "cut.pt2")


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}"])
@pytest.mark.parametrize("record", ["models/model.json", "data/weights/model_weights_config.json"])
def test_a_damaged_program_is_named(program, tmp_path, record, content):
    bad = rewritten(program[2], tmp_path / "bad.pt2", {record: content})
    with pytest.raises(CheckpointError, match=r"bad\.pt2"):
        load_exported(bad)


def test_another_archive_is_explained(tmp_path):
    torch.save({"w": torch.zeros(2)}, tmp_path / "state.pt2")
    with pytest.raises(FileFormatError, match=r"state\.pt2 holds no program exported by torch"):
        load_exported(tmp_path / "state.pt2")
