"""Small networks of every family that channels can be removed from, with norms that do something."""

import torch
from torch import nn
from torch.nn import functional

IMAGES = (4, 3, 16, 16)
N_CLASSES = 5


def conv(n_in, n_out, kernel=3, **options):
    return nn.Conv2d(n_in, n_out, kernel, padding=kernel // 2, bias=False, **options)


class Vgg(nn.Module):
    """Convolutions in a row, and a dense layer behind a flatten that keeps positions apart."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
            *(nn.Conv2d(8, 12, 3, padding=1), nn.PReLU(12), nn.MaxPool2d(2), nn.Dropout()),
        )
        self.classifier = nn.Sequential(nn.Linear(12 * 16, 20), nn.Sigmoid(), nn.Linear(20, N_CLASSES))

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class Block(nn.Module):
    def __init__(self, n_in, n_out, stride):
        super().__init__()
        self.conv1, self.bn1 = conv(n_in, n_out, stride=stride), nn.BatchNorm2d(n_out)
        self.conv2, self.bn2 = conv(n_out, n_out), nn.BatchNorm2d(n_out)
        self.shortcut = nn.Sequential()
        if stride > 1 or n_in != n_out:
            self.shortcut = nn.Sequential(conv(n_in, n_out, 1, stride=stride), nn.BatchNorm2d(n_out))

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        y += self.shortcut(x)
        return torch.relu(y)


class Resnet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.bn = conv(3, 8), nn.BatchNorm2d(8)
        self.blocks = nn.Sequential(Block(8, 8, 1), Block(8, 12, 2), Block(12, 12, 1))
        self.fc = nn.Linear(12, N_CLASSES)

    def forward(self, x):
        x = self.blocks(torch.relu(self.bn(self.stem(x))))
        return self.fc(x.mean((2, 3)))


class PreBlock(nn.Module):
    """Norm and activation before the convolution: the stream itself is never normalised."""

    def __init__(self, width):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(width), conv(width, width)
        self.bn2, self.conv2 = nn.BatchNorm2d(width), conv(width, width)

    def forward(self, x):
        y = self.conv1(torch.relu(self.bn1(x)))
        return x + self.conv2(torch.relu(self.bn2(y)))


class PreActResnet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = conv(3, 8)
        self.blocks = nn.Sequential(PreBlock(8), PreBlock(8))
        self.bn, self.fc = nn.BatchNorm2d(8), nn.Linear(8, N_CLASSES)

    def forward(self, x):
        x = torch.relu(self.bn(self.blocks(self.stem(x))))
        return self.fc(functional.adaptive_avg_pool2d(x, 1).flatten(1))


class Inverted(nn.Module):
    """MobileNet's block: expand, depthwise, project, add."""

    def __init__(self, n_in, n_out, expansion=3):
        super().__init__()
        width = n_in * expansion
        self.expand = nn.Sequential(conv(n_in, width, 1), nn.BatchNorm2d(width), nn.ReLU6(inplace=True))
        self.depthwise = nn.Sequential(conv(width, width, groups=width), nn.BatchNorm2d(width), nn.ReLU6())
        self.project = nn.Sequential(conv(width, n_out, 1), nn.BatchNorm2d(n_out))
        self.adds = n_in == n_out

    def forward(self, x):
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.adds else y


class Mobilenet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(conv(3, 6), nn.BatchNorm2d(6), nn.ReLU6())
        self.blocks = nn.Sequential(Inverted(6, 6), Inverted(6, 8), Inverted(8, 8))
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, N_CLASSES))

    def forward(self, x):
        return self.head(self.blocks(self.stem(x)))


class DenseStep(nn.Module):
    def __init__(self, n_in, growth):
        super().__init__()
        self.bn, self.conv = nn.BatchNorm2d(n_in), conv(n_in, growth)

    def forward(self, x):
        return torch.cat([x, self.conv(torch.relu(self.bn(x)))], dim=1)


class Densenet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = conv(3, 6)
        self.steps = nn.Sequential(DenseStep(6, 4), DenseStep(10, 4), DenseStep(14, 4))
        self.fc = nn.Linear(18 * 4, N_CLASSES)

    def forward(self, x):
        x = functional.avg_pool2d(self.steps(self.stem(x)), 8)
        return self.fc(torch.relu(x).flatten(1))


class Unet(nn.Module):
    """Transposed convolution and a skip by concatenation; its classes are means over the picture."""

    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(conv(3, 6), nn.BatchNorm2d(6), nn.ReLU())
        self.middle = nn.Conv2d(6, 10, 3, padding=1)
        self.up = nn.ConvTranspose2d(10, 6, 2, stride=2)
        self.out = nn.Conv2d(12, N_CLASSES, 1)

    def forward(self, x):
        skip = self.down(x)
        x = self.up(functional.silu(self.middle(functional.max_pool2d(skip, 2))))
        return self.out(torch.cat((skip, x), dim=1)).mean((2, 3))


class Grouped(nn.Module):
    """ResNeXt's block: a convolution of two groups, and one of four, on a stream."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(conv(3, 8), nn.BatchNorm2d(8), nn.ReLU())
        self.two = nn.Sequential(conv(8, 8, groups=2), nn.BatchNorm2d(8), nn.ReLU())
        self.four = nn.Sequential(conv(8, 16, groups=4), nn.BatchNorm2d(16), nn.ReLU())
        self.fc = nn.Linear(16, N_CLASSES)

    def forward(self, x):
        x = self.stem(x)
        x = x + self.two(x)
        return self.fc(self.four(x).mean((2, 3)))


FAMILIES = {
    "vgg": Vgg,
    "resnet": Resnet,
    "pre-act resnet": PreActResnet,
    "mobilenet": Mobilenet,
    "densenet": Densenet,
    "u-net": Unet,
    "grouped": Grouped,
}


def make(family, seed=0):
    """Return a network of the family in eval mode, its norms with statistics and parameters of their own."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = FAMILIES[family]()
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            for tensor, low, high in (
                *((part.weight, 0.5, 1.5), (part.bias, -0.5, 0.5)),
                *((part.running_mean, -0.5, 0.5), (part.running_var, 0.5, 1.5)),
            ):
                tensor.data.uniform_(low, high, generator=generator)
    return net.eval()


def images(seed=0, n=IMAGES[0]):
    return torch.rand(n, *IMAGES[1:], generator=torch.Generator().manual_seed(seed)) * 2 - 1
