"""Expressions under clip augmentation: mirrored clips swap left and right, as words."""

import re

# "left" and "right" alone, hyphenated ("left-hand"), or with one of these endings; letters on
# either side ("bright", "upright", "cleft", "lefty") make it another word.
_ENDINGS = "most|wards?|side|sides|hand|handed|hander|er"
_SIDE_WORD = re.compile(rf"(?<![A-Za-z])(left|right)(?=(?:{_ENDINGS})?(?![A-Za-z]))", re.IGNORECASE)
# The past of "to leave" is no side. Heuristic: behind "who", "has", ... and before an object or
# the end of the clause it is the verb; "right" in the same place is kept too, so that swapping
# twice always gives the first text back.
_VERB_LEFT = re.compile(
    r"\b(?:(?:who|that|which|has|have|had|having)\s+(?:(?:just|already|has|had)\s+)*(left|right)\b(?!-)"
    r"(?=\s+(?:the|a|an|his|her|their|its|first|last|early|later)\b|\s*[.,;!?]|\s*$)"
    r"|(?:is|was|are|were|been|being)\s+(left|right)\b(?=\s+(?:behind|alone|out)\b))",
    re.IGNORECASE,
)
_MIRRORED = {"left": "right", "right": "left"}

_STEMS = "enter|leav|exit|arriv|depart|appear|disappear|vanish|grow|shrink|start|stop|begin|end"
_STEMS += "|ris|fall|approach|reced|climb|descend|ascend|drop|jump|land|open|clos|pick|put|pass"
_STEMS += "|accelerat|slow|revers|turn|becom|com|sink|soar|lift|lower|div|emerg|advanc|retreat"
_FORMS = "came|grew|grown|shrank|shrunk|began|begun|rose|risen|fell|fallen|became"
_FORMS += "|bigger|smaller|larger|closer|nearer|farther|further|away|towards?|forwards?|backwards?"
_FORMS += "|into|onto|out|off|first|last|then|before|after|finally|later|late|until|onwards?"
_FORMS += "|sank|sunk|dove|clockwise|anticlockwise|counterclockwise"
_DIRECTIONAL = re.compile(
    r"\b(?:left|right|up|down)(?:most|wards?)?\b"
    rf"|\b(?:{_STEMS})(?:es|s|e|ed|ing|ping|ped|ning|ting)?\b"
    rf"|\b(?:{_FORMS})\b",
    re.IGNORECASE,
)


def _with_case_of(word: str, model: str) -> str:
    if model.isupper():
        return word.upper()
    return word.capitalize() if model[0].isupper() else word


def swap_left_right(expression: str) -> str:
    """Exchange left and right as words, for a mirrored clip.

    Compounds are swapped too (leftmost, rightwards, left-hand); letters inside other words
    (bright, upright, cleft) never are. "left" as the past of "to leave" is kept where the words
    around it show the verb ("the man who left the room"); an ambiguous one counts as a side.

    Args:
        expression: Any text.

    Returns:
        The expression of the mirrored clip; swapping twice gives the first one back.

    >>> swap_left_right("the bright car on the left-hand side moving rightwards")
    'the bright car on the right-hand side moving leftwards'
    >>> swap_left_right("the man who left the room")
    'the man who left the room'
    """
    verbs = {match.start(match.lastindex or 0) for match in _VERB_LEFT.finditer(expression)}

    def mirrored(match: re.Match[str]) -> str:
        word = match.group(1)
        if match.start(1) in verbs:
            return word
        return _with_case_of(_MIRRORED[word.lower()], word)

    return _SIDE_WORD.sub(mirrored, expression)


def is_directional(expression: str) -> bool:
    """Whether the expression may become false when the clip is played backwards.

    A word list, on the safe side: directions, rising and sinking, entering and leaving, growing
    and shrinking, starting and stopping, and words of order such as "first" or "then".

    Args:
        expression: Any text.

    Returns:
        True if one of the words occurs.

    >>> is_directional("the circle moving up"), is_directional("the bright red circle")
    (True, False)
    """
    return _DIRECTIONAL.search(expression) is not None
