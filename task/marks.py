"""Images that a table marks as having a property, such as glasses, and the two splits that follow from it.

The table is a CSV file in the folder of the images, with a head of three columns: `class` (or `person`), `image` and
the name of the property; then a row for each image, with 1 where it has the property and 0 where not. A class goes by
its folder's name (of s1, s2, ... the number will do), an image by its file name with or without the suffix; where train
and test both hold a file of that name, by train/NAME or test/NAME.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from task.settings import SettingsError, expect

TEST_OF_ONE_KIND = 2
COLUMNS = "three columns in the head: class (or person), image, and the name of the property"

Files = Mapping[str, Sequence[Path]]


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What a table says.

    Attributes:
        mark: name of the property, its column's.
        files: of those that have it.

    """

    mark: str
    files: frozenset[Path]


def read(table: Path, files: Files) -> Marks:
    """Read a table about `files`, the images by class.

    Raises:
        SettingsError: for a table that is missing, unreadable, of other columns, with values other than 0 and 1, that
            marks nothing or everything, names an image that is not there or that is named before, or leaves one out.

    """
    rows = _rows(table)
    head = [name.strip().lower() for name in next(rows)[1]]
    fits = len(head) == 3 and head[0] in ("class", "person") and head[1] == "image" and bool(head[2])  # noqa: PLR2004
    expect(fits, f"{COLUMNS}, in {table}", ",".join(head))
    known = _by_name(files)
    values: dict[Path, bool] = {}
    for line, row in rows:
        where = f"line {line} of {table}"
        expect(len(row) == len(head), f"{len(head)} values in {where}", ",".join(row))
        name, image, value = (cell.strip() for cell in row)
        name = name if name in files else f"s{name}"
        found = known.get((name, image), [])
        expect(bool(found), f"an image that is there in {where}", f"{row[0]}/{image}", "Remove the row, or mend it.")
        remedy = "Write train/NAME or test/NAME, with the suffix."
        expect(len(found) == 1, f"the name of one image in {where}", f"{image}, which {len(found)} bear", remedy)
        expect(found[0] not in values, f"one row for each image in {table}", f"a second for {image} in {where}")
        expect(value in ("0", "1"), f"0 or 1 as {head[2]} in {where}", value)
        values[found[0]] = value == "1"
    missing = [path for paths in files.values() for path in paths if path not in values]
    expect(not missing, f"a row for every image in {table}", f"none for {len(missing)}, the first {missing[:1]}")
    marked = frozenset(path for path, value in values.items() if value)
    expect(
        bool(marked), f"an image with the {head[2]} 1 in {table}", "0 everywhere", "There is nobody to be the victim."
    )
    expect(len(marked) < len(values), f"an image with the {head[2]} 0 in {table}", "1 everywhere", "All are alike.")
    return Marks(mark=head[2], files=marked)


def held_out(name: str, marked: Sequence[bool]) -> list[bool]:
    """Return which images of a class go to the test split, which is what the server may know.

    Of a class of one kind (all marked, or none) the last two; of one of both kinds the last that is not marked, so that
    the test split tells nobody what a marked image of it looks like.

    Args:
        name: of the class.
        marked: of its images, in order.

    Raises:
        SettingsError: for a class of one kind with fewer than three images, which would leave none to train on.

    """
    if any(marked) and not all(marked):
        last = max(place for place, one in enumerate(marked) if not one)
        return [place == last for place in range(len(marked))]
    least = TEST_OF_ONE_KIND + 1
    expect(len(marked) >= least, f"at least {least} images of the class {name}", len(marked), "Add some, or drop it.")
    return [place >= len(marked) - TEST_OF_ONE_KIND for place in range(len(marked))]


def in_order(paths: Sequence[Path]) -> list[Path]:
    """Return files sorted by name, numbers in it by value: 2.pgm comes before 10.pgm."""
    parts = {path: re.split(r"(\d+)", path.name) for path in paths}
    return sorted(paths, key=lambda path: [(int(one), "") if one.isdecimal() else (-1, one) for one in parts[path]])


def _rows(table: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, each with the number of its line; one at least."""
    expect(table.is_file(), f"the table {table}", "no such file", f"It is a CSV file with {COLUMNS}.")
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = [(number, row) for number, row in enumerate(csv.reader(file), 1) if any(row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"Expected {table} to be a readable CSV file, got: {error}.") from error
    expect(bool(rows), f"{COLUMNS}, in {table}", "an empty file")
    return iter(rows)


def _by_name(files: Files) -> dict[tuple[str, str], list[Path]]:
    """Return the files by class and each name that a table may give them."""
    found: dict[tuple[str, str], list[Path]] = {}
    for name, paths in files.items():
        for path in paths:
            split = path.parent.parent.name
            for one in {path.name, path.stem, f"{split}/{path.name}", f"{split}/{path.stem}"}:
                found.setdefault((name, one), []).append(path)
    return found
