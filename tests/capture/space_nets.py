"""Small networks, each with one way to share, merge or cut channels."""

import torch
from torch import nn
from torch.nn import functional


class Vgg(nn.Module):
    """Convolution, norm, activation, pooling; flattened into a dense layer, block 4."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.conv2, self.bn2 = nn.Conv2d(4, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.relu, self.pool = nn.ReLU(), nn.MaxPool2d(2)
        self.fc1, self.fc2 = nn.Linear(24, 7), nn.Linear(7, 5)

    def forward(self, x):
        x = self.pool(self.relu(self.bn1(self.conv1(x))))
        x = self.pool(self.relu(self.bn2(self.conv2(x))))
        return self.fc2(torch.sigmoid(self.fc1(x.flatten(1))))


class PreActivation(nn.Module):
    """Streams are read behind a norm and an activation of the reader's own."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.ModuleDict(
                {
                    "bn1": nn.BatchNorm2d(4),
                    "conv1": nn.Conv2d(4, 6, 3, padding=1),
                    "bn2": nn.BatchNorm2d(6),
                    "conv2": nn.Conv2d(6, 4, 3, padding=1),
                }
            )
            for _ in range(2)
        )
        self.bn = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            y = block["conv1"](functional.relu(block["bn1"](x)))
            x = x + block["conv2"](functional.relu(block["bn2"](y)))
        return self.fc(functional.relu(self.bn(x)).mean((2, 3)))


class DenseNet(nn.Module):
    """Every layer reads all that came before, side by side."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.bn, self.layer = nn.BatchNorm2d(4), nn.Conv2d(4, 2, 3, padding=1)
        self.bn_all, self.transition = nn.BatchNorm2d(6), nn.Conv2d(6, 3, 1)
        self.fc = nn.Linear(3, 5)

    def forward(self, x):
        x = self.stem(x)
        x = torch.cat([x, self.layer(functional.relu(self.bn(x)))], 1)
        x = self.transition(functional.relu(self.bn_all(x)))
        return self.fc(functional.adaptive_avg_pool2d(x, 1).flatten(1))


class SqueezeExcite(nn.Module):
    """A gate per channel, from a dense bottleneck, on an inverted residual with a depthwise convolution."""

    def __init__(self):
        super().__init__()
        self.expand, self.depthwise = nn.Conv2d(3, 6, 1), nn.Conv2d(6, 6, 3, padding=1, groups=6)
        self.act = nn.SiLU()
        self.squeeze, self.excite = nn.Linear(6, 2), nn.Linear(2, 6)
        self.project = nn.Conv2d(6, 4, 1)
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        x = self.act(self.depthwise(self.act(self.expand(x))))
        gate = self.squeeze(x.mean((2, 3)))
        gate = torch.sigmoid(self.excite(functional.relu(gate)))
        x = self.project(x * gate.view(len(x), 6, 1, 1))
        return self.fc(x.mean((2, 3)))


class Grouped(nn.Module):
    """A grouped convolution, and a depthwise one with two channels for each."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 1)
        self.grouped = nn.Conv2d(4, 6, 3, padding=1, groups=2)
        self.doubling = nn.Conv2d(6, 12, 3, padding=1, groups=6)
        self.fc = nn.Linear(12, 5)

    def forward(self, x):
        return self.fc(self.doubling(self.grouped(self.stem(x))).mean((2, 3)))


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Conv2d(3, 4, 1)
        self.classes, self.boxes = nn.Conv2d(4, 5, 1), nn.Conv2d(4, 2, 1)

    def forward(self, x):
        x = functional.relu(self.body(x))
        return {"classes": self.classes(x).mean((2, 3)), "boxes": [self.boxes(x)]}


class SharedBody(nn.Module):
    """One convolution and one norm for two images; a head reads both."""

    def __init__(self):
        super().__init__()
        self.body, self.bn = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)
        self.left, self.right = nn.Linear(4, 5), nn.Linear(4, 5)

    def forward(self, a, b):
        a = functional.relu(self.bn(self.body(a))).amax((2, 3))
        b = functional.relu(self.bn(self.body(b))).amax((2, 3))
        return self.left(a) + self.right(b)


class Shuffled(nn.Module):
    """Channels are shuffled, split and normed over: no single one can be removed."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.grow = nn.Conv2d(2, 4, 1)
        self.norm = nn.GroupNorm(2, 4)
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        x = self.conv(x)
        n, c, h, w = x.shape
        x = x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        x, _ = x.chunk(2, 1)
        return self.fc(self.norm(self.grow(x)).mean((2, 3)))


class SpatialGate(nn.Module):
    """One plane from the mean over channels is spread over all of them; a scale per channel as a bare parameter."""

    def __init__(self):
        super().__init__()
        self.conv, self.gate = nn.Conv2d(3, 8, 1), nn.Conv2d(1, 1, 3, padding=1)
        self.other = nn.Conv2d(8, 8, 1)
        self.gamma = nn.Parameter(torch.rand(8, 1, 1))
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        x = functional.relu(self.conv(x))
        x = x * torch.sigmoid(self.gate(x.mean(1, keepdim=True)))
        return self.fc((self.other(x) * self.gamma).sum((2, 3)))


def perceptron():
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 6), nn.ReLU(), nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 3))


def made_interesting(model):
    """Return the model in eval mode, with norms that do something."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -1, 1)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.uniform_(module.bias, 0.5, 1)
    return model.eval()
