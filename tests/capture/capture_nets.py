"""Small networks, each with one thing that makes tracing hard."""

import torch
from torch import nn
from torch.nn import functional


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        self.fc = nn.Linear(4, 5)

    def forward(self, image):
        x = self.relu(self.bn(self.conv1(image)))
        y = self.conv2(x)
        y += x
        y = functional.relu(y)
        return self.fc(torch.flatten(functional.adaptive_avg_pool2d(y, 1), 1))


class Dense(nn.Module):
    """Concatenation, grouped and depthwise convolutions."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 1)
        self.grouped = nn.Conv2d(4, 4, 3, padding=1, groups=2)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)

    def forward(self, x):
        x = self.stem(x)
        x = torch.cat([x, self.grouped(x)], dim=1)
        return torch.cat([x, self.depthwise(x)], 1)


class Unet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU())
        self.pool = nn.MaxPool2d(2)
        self.middle = nn.Conv2d(4, 8, 3, padding=1)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.out = nn.Conv2d(8, 2, 1)

    def forward(self, x):
        skip = self.down(x)
        x = self.up(functional.silu(self.middle(self.pool(skip))))
        return self.out(torch.cat((skip, x), dim=1))


class Attention(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        n, t, d = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, 2, d // 2).permute(2, 0, 3, 1, 4).unbind(0)
        x = functional.scaled_dot_product_attention(q, k, v)
        return self.proj(x.transpose(1, 2).reshape(n, t, d))


class Vit(nn.Module):
    """Tokens: the channel axis moves to the end, and stays there."""

    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 6, 4, stride=4)
        self.cls = nn.Parameter(torch.rand(1, 1, 6))
        self.norm = nn.LayerNorm(6)
        self.own = Attention(6)
        self.act = nn.GELU()
        self.mha = nn.MultiheadAttention(6, 2, batch_first=True)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], dim=1)
        x = x + self.own(self.norm(x))
        y, _ = self.mha(x, x, x)
        x = x + self.drop(self.act(y))
        return self.head(x[:, 0])


class Twice(nn.Module):
    """One ReLU for all, one convolution called twice, a module that is called relu_1."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.relu_1 = nn.ReLU()
        self.tied = self.conv

    def forward(self, x):
        x = self.relu(self.conv(x))
        x = self.relu_1(x)
        return self.relu(self.tied(x))


class Lstm(nn.Module):
    def __init__(self, *, batch_first=True):
        super().__init__()
        self.batch_first = batch_first
        self.lstm = nn.LSTM(4, 5, batch_first=batch_first)
        self.fc = nn.Linear(5, 2)

    def forward(self, x):
        if not self.batch_first:
            x = x.transpose(0, 1)
        out, (h, _) = self.lstm(x)
        out = self.fc(out)
        return {"steps": out, "nested": [h[-1], {"raw": x}]}


class Loop(nn.Module):
    """As many steps as the data asks for."""

    def __init__(self):
        super().__init__()
        self.step = nn.Linear(4, 4)
        nn.init.eye_(self.step.weight)
        nn.init.zeros_(self.step.bias)

    def forward(self, x):
        x = self.step(x)
        while x.abs().max() > 1:
            x = self.step(x) / 2
        return x


class Siamese(nn.Module):
    """Several inputs, nested lists in and out, an unused module."""

    def __init__(self):
        super().__init__()
        self.body = nn.Conv2d(3, 4, 1)
        self.unused = nn.Conv2d(3, 4, 1)
        self.blocks = nn.ModuleList([nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)])

    def forward(self, left, others, *, scale=None):
        a = self.blocks[0](self.body(left))
        b = self.blocks[1](self.body(others[0]))
        return [a, (b * scale[:, :, None, None] if scale is not None else b,)]


class Failing(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.relu = nn.ReLU()
        self.bad = Raises()

    def forward(self, x):
        return self.bad(self.relu(self.conv(x)))


class Raises(nn.Module):
    def forward(self, x):
        raise ArithmeticError("from inside the model")


IMAGES = (2, 3, 8, 8)
FOR_FX = {"residual": Residual, "dense": Dense, "unet": Unet, "twice": Twice}
