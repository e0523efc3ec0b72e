"""YAML files of the user, read strictly, and the checks of their values. Each error names the key, its value and the remedy."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from virshort.errors import InputError, nearest


class _Loader(yaml.SafeLoader):
    """YAML with two of its traps removed: PyYAML lets the last of two equal keys win, and reads 1e-4 as text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"{key.value} is given twice", key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def read_yaml(path: Path, option: str) -> Any:
    """The content of a file of the user. option: what names the file. Raises InputError naming the file and the line."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except yaml.MarkedYAMLError as e:
        line = f"line {e.problem_mark.line + 1}: " if e.problem_mark else ""
        raise InputError(f"{path.name}: {line}{e.problem}: correct the YAML") from e
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        raise InputError(f"{path.name}: not readable as YAML: {e}") from e
    except OSError as e:
        raise InputError(f"{path.name}: {e.strerror}: give an existing file with {option}") from e


def text(values: Mapping[str, Any], key: str) -> str:
    """A value that is text."""
    value = values[key]
    if not isinstance(value, str):
        raise InputError(f"{key} is {value!r}: must be text: put it in quotes")
    return value


def choice(values: Mapping[str, Any], key: str, choices: Sequence[str]) -> str:
    """A value that is one of some words."""
    value = values[key]
    if value is True and "true" in choices:  # YAML reads `labels: true` as a truth value
        return "true"
    if value is None:
        raise InputError(f"{key} is missing: it can be {', '.join(choices)}")
    if value not in choices:
        raise InputError(f"{key} is {value!r}: {nearest(str(value), choices)}")
    return value


def flag(values: Mapping[str, Any], key: str) -> bool:
    """A value that is true or false."""
    value = values[key]
    if not isinstance(value, bool):
        raise InputError(f"{key} is {value!r}: must be true or false")
    return value


def whole_number(values: Mapping[str, Any], key: str, low: int, high: int) -> int:
    """A whole number from low to high."""
    value = values[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1 != 0 or not low <= value <= high:
        raise InputError(f"{key} is {value!r}: must be a whole number from {low} to {high}")
    return int(value)


def number(values: Mapping[str, Any], key: str, low: float, high: float) -> float:
    """A number from low to high."""
    value = values[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InputError(f"{key} is {value!r}: must be a number from {low} to {high}")
    return float(value)
