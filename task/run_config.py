"""Nested settings through Flower's run config, which holds scalars only."""

import json
from collections.abc import Mapping
from typing import Any


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, bool | int | float | str]:
    """Return a nested mapping as Flower's run config: dotted keys, scalars, everything else as a JSON text."""
    flat: dict[str, bool | int | float | str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        elif isinstance(value, bool | int | float | str) and not _is_json(value):
            flat[prefix + key] = value
        else:
            flat[prefix + key] = json.dumps(value)
    return flat


def unflatten(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return the nested mapping that `flatten` made flat; texts that are JSON are decoded."""
    nested: dict[str, Any] = {}
    for key, value in flat.items():
        *path, last = key.split(".")
        level = nested
        for part in path:
            level = level.setdefault(part, {})
        level[last] = json.loads(value) if _is_json(value) else value
    return nested


def _is_json(value: Any) -> bool:
    """Tell whether a scalar of the run config is a text that `unflatten` decodes: a list, mapping, text or null."""
    return isinstance(value, str) and (value.startswith(("[", "{", '"')) or value == "null")
