"""The parts of the transfer-function editor: values, points moved by hand, plots, tools."""
