"""Reads typed settings out of the CDK's context: by the names and types of the dataclasses' own fields."""

import json
import re
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

from cdk.errors import SettingsError
from cdk.settings import Environment, Settings


def read_settings(context: Mapping[str, Any]) -> Settings:
    """Read the settings of the environment that the context names.

    Parameters:
        context: all of the app's context: what `cdk.json` holds and what `-c key=value` gave.

    Raises:
        SettingsError: a key is missing, wrong or unknown.

    """
    environment = _leaf("environment", Environment, _present("environment", context))
    chosen = _chosen(context, environment)
    reader = _Reader({**chosen, **_overrides(context), "environment": environment})
    settings: Settings = reader.read(Settings, prefix="")
    unknown = sorted(set(reader.values) - reader.used)
    if unknown:
        raise SettingsError(unknown[0], "is not a setting; is it misspelt?")
    return settings


def _chosen(context: Mapping[str, Any], environment: Environment) -> dict[str, Any]:
    settings = _present("settings", context)
    if not isinstance(settings, Mapping) or environment.value not in settings:
        raise SettingsError(f"settings.{environment}", "is missing")
    chosen: dict[str, Any] = {}
    for name in ("common", environment.value):
        values = settings.get(name, {})
        if not isinstance(values, Mapping):
            raise SettingsError(f"settings.{name}", "must be an object")
        chosen.update(values)
    return chosen


def _overrides(context: Mapping[str, Any]) -> dict[str, Any]:
    # The CDK's own context keys all carry a ':', '@', '/' or '-': feature flags, cached look-ups, the CLI's messages.
    # Whatever else is there was meant for us, misspelt or not.
    own = {key: value for key, value in context.items() if re.fullmatch(r"\w+", key)}
    return {key: value for key, value in own.items() if key not in ("environment", "settings")}


def _present(key: str, values: Mapping[str, Any]) -> Any:
    if key not in values:
        raise SettingsError(key, "is missing")
    return values[key]


@dataclass
class _Reader:
    """Fills dataclasses from one flat mapping, and remembers which keys it took."""

    values: Mapping[str, Any]
    used: set[str] = field(default_factory=set)

    def read(self, model: type[Any], prefix: str) -> Any:
        hints = get_type_hints(model)
        arguments: dict[str, Any] = {}
        for item in fields(model):
            path = f"{prefix}_{item.name}" if prefix else item.name
            if is_dataclass(hints[item.name]):
                arguments[item.name] = self.read(hints[item.name], path)
                continue
            key = _camel_case(path)
            self.used.add(key)
            if key not in self.values and item.default is not MISSING:
                continue
            arguments[item.name] = _leaf(key, hints[item.name], _present(key, self.values))
        return model(**arguments)


def _camel_case(path: str) -> str:
    first, *rest = path.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _leaf(key: str, kind: Any, value: Any) -> Any:
    """One value as its type asks; a value from the command line is always a string."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        (inner,) = (argument for argument in get_args(kind) if argument is not type(None))
        return None if value in (None, "") else _leaf(key, inner, value)
    if origin is tuple:
        return _tuple(key, get_args(kind)[0], value)
    if isinstance(kind, type) and is_dataclass(kind):
        return _record(key, kind, value)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        if value not in list(kind):
            raise SettingsError(key, f"must be one of {', '.join(kind)}, not '{value}'")
        return kind(value)
    if kind is bool and str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    if kind is int and not isinstance(value, bool) and str(value).isdecimal():
        return int(value)
    if kind is str and isinstance(value, str) and value:
        return value
    raise SettingsError(key, f"must be {_MEANINGS[kind]}, not {json.dumps(value)}")


_MEANINGS = {bool: "true or false", int: "a number", str: "a text that is not empty"}


def _tuple(key: str, kind: Any, value: Any) -> tuple[Any, ...]:
    if isinstance(value, str):
        try:
            value = json.loads(value) if is_dataclass(kind) else value.split(",")
        except json.JSONDecodeError as error:
            raise SettingsError(key, f"must be JSON: {error}") from error
    if not isinstance(value, list) or not value:
        raise SettingsError(key, "must be a list that is not empty")
    return tuple(_leaf(f"{key}[{index}]", kind, item) for index, item in enumerate(value))


def _record(key: str, kind: type[Any], value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise SettingsError(key, "must be an object")
    hints = get_type_hints(kind)
    unknown = sorted(set(value) - set(hints))
    if unknown:
        raise SettingsError(f"{key}.{unknown[0]}", "is not a setting; is it misspelt?")
    for item in fields(kind):
        if item.name not in value and item.default is MISSING:
            raise SettingsError(f"{key}.{item.name}", "is missing")
    return kind(**{name: _leaf(f"{key}.{name}", hint, value[name]) for name, hint in hints.items() if name in value})
