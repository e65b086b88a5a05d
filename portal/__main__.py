"""The command line: `portal`, and `python -m portal`."""

import gc
from importlib import import_module


def main() -> None:
    """Read the program, then run what is asked for.

    What is read stays for good: until then nothing looks for garbage among it, which takes a sixth
    of the time, and afterwards nothing looks through it again.
    """
    gc.disable()
    cli = import_module("portal.cli")
    gc.freeze()
    gc.enable()
    cli.main()


if __name__ == "__main__":
    main()
