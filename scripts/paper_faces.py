"""Cut faces of fixed weight out of the variable one, for documents: a PDF is made faster of them.

The renderer would cut each weight that a document uses out of the variable face again, document by
document. Run it when the face changes: ``.venv/bin/python scripts/paper_faces.py``.
"""

from pathlib import Path
from typing import Final

from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

STATIC: Final = Path(__file__).resolve().parent.parent / "portal" / "static"
VARIABLE: Final = STATIC / "vendor" / "inter" / "inter-latin-wght-normal.woff2"
WEIGHTS: Final = (400, 600)


def main() -> None:
    """Write one file per weight beside the style sheet of documents."""
    for weight in WEIGHTS:
        face = instantiateVariableFont(TTFont(VARIABLE), {"wght": weight}, updateFontNames=False)
        face["OS/2"].usWeightClass = weight
        face.flavor = "woff2"
        face.save(STATIC / "documents" / f"inter-{weight}.woff2")


if __name__ == "__main__":
    main()
