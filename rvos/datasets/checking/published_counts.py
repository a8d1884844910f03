"""How many videos, expressions, ... each release of a benchmark holds."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Release:
    """The counts of one split of one release.

    Attributes:
        name: Name of the release.
        counts: Numbers that were published, or asserted by released code.

    >>> Release("2017", {"videos": 30}).matches({"videos": 30, "frames": 1999})
    True
    """

    name: str
    counts: Mapping[str, int]

    def matches(self, found: Mapping[str, int]) -> bool:
        """Whether the counts on disk are those of this release.

        Args:
            found: What was counted; may hold more than was published.

        Returns:
            True if all published numbers agree.
        """
        return all(found.get(name) == number for name, number in self.counts.items())


def _referring(name: str, images: int, objects: int, expressions: int) -> tuple[Release]:
    counts = {"images": images, "objects": objects, "expressions": expressions}
    return (Release(name, counts),)


def _motion(videos: int, *expressions: int) -> tuple[Release, ...]:
    return tuple(
        Release(f"version {number}", {"videos": videos, "expressions": count})
        for number, count in enumerate(expressions, start=1)
    )


# Benchmark -> split -> releases. "all" is the benchmark as a whole.
PUBLISHED: Mapping[str, Mapping[str, tuple[Release, ...]]] = {
    "ref_youtube_vos": {
        "train": (Release("2020", {"videos": 3471, "expressions": 12_913, "objects": 6388}),),
        "valid": (Release("2020", {"videos": 202, "expressions": 834, "frames": 5486}),),
        "test": (Release("2020", {"videos": 305}),),
    },
    "mevis": {
        "train": _motion(1662, 23_051, 27_502),
        "valid_u": _motion(50, 793, 907),
        "valid": _motion(140, 2236, 2523),
    },
    "ref_davis17": {
        "train": (Release("2018", {"videos": 60}),),
        "valid": (
            Release("2018", {"videos": 30, "expressions": 244, "frames": 1999, "objects": 61}),
        ),
    },
    "a2d_sentences": {
        "all": (Release("2018", {"videos": 3782, "expressions": 6655, "spoilt rows": 1}),),
    },
    "jhmdb_sentences": {
        "test": (Release("MTTR's list", {"videos": 928, "samples": 2784, "frames": 31_838}),),
    },
    "refcoco": {
        "train": _referring("unc", 16_994, 42_404, 120_624),
        "val": _referring("unc", 1500, 3811, 10_834),
        "testA": _referring("unc", 750, 1975, 5657),
        "testB": _referring("unc", 750, 1810, 5095),
    },
    "refcoco+": {
        "train": _referring("unc", 16_992, 42_278, 120_191),
        "val": _referring("unc", 1500, 3805, 10_758),
        "testA": _referring("unc", 750, 1975, 5726),
        "testB": _referring("unc", 750, 1798, 4889),
    },
    "refcocog": {
        "train": _referring("umd", 21_899, 42_226, 80_512),
        "val": _referring("umd", 1300, 2573, 4896),
        "test": _referring("umd", 2600, 5023, 9602),
    },
}
