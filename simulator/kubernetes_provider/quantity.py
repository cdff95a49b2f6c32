"""Kubernetes quantities in canonical form.

Official behaviour: inputs go through the Go types, so that a quantity comes out as `Quantity.String()` of
k8s.io/apimachinery/pkg/api/resource writes it: the largest suffix that leaves no fraction.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

_PATTERN: Final = re.compile(
    r"^(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+))(?P<suffix>Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]?|[eE][+-]?\d+)$"
)
_BINARY: Final = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SUFFIX_OF: Final = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_SMALLEST: Final = Fraction(1, 10**9)


def canonical(text: str | int | float) -> str | None:
    """Writes a quantity canonically, or returns None where it is none (`1024Mi` -> `1Gi`, `0.5` -> `500m`)."""
    match = _PATTERN.match(str(text).strip())
    if match is None:
        return None
    number = Fraction(match["number"].removesuffix("."))
    suffix = match["suffix"]
    if suffix in _BINARY[1:]:
        return _binary(number * 1024 ** _BINARY.index(suffix))
    if suffix[:1] in ("e", "E") and len(suffix) > 1:
        return _exponent(number * Fraction(10) ** int(suffix[1:]))
    return _decimal(number * Fraction(10) ** _DECIMAL[suffix])


def _rounded(value: Fraction) -> Fraction:
    """Rounds away from zero to the smallest unit, 1e-9."""
    units = value / _SMALLEST
    if units.denominator == 1:
        return value
    whole = int(units) + (1 if units > 0 else -1)
    return whole * _SMALLEST


def _binary(value: Fraction) -> str:
    if -1024 < value < 1024:
        return _decimal(value)
    if value.denominator != 1:
        value = Fraction(int(value) + (1 if value > 0 else -1))
    whole, power = int(value), 0
    while power < len(_BINARY) - 1 and whole % 1024 == 0:
        whole, power = whole // 1024, power + 1
    return f"{whole}{_BINARY[power]}"


def _decimal(value: Fraction) -> str:
    mantissa, exponent = _shifted(value)
    return f"{mantissa}{_SUFFIX_OF[exponent]}"


def _exponent(value: Fraction) -> str:
    mantissa, exponent = _shifted(value)
    return f"{mantissa}e{exponent}" if exponent else f"{mantissa}"


def _shifted(value: Fraction) -> tuple[int, int]:
    """Mantissa and exponent, a multiple of three from -9 to 18, that leave no fraction."""
    if value == 0:
        return 0, 0
    value = _rounded(value)
    for exponent in range(18, -10, -3):
        mantissa = value / Fraction(10) ** exponent
        if mantissa.denominator == 1:
            return int(mantissa), exponent
    raise AssertionError("a rounded quantity is a multiple of 1e-9")
