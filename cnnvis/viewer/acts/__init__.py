"""What the commands of the window do, by what they act on."""
