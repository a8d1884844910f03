"""The words and phrases of the grammar, shared by the writer and the parser of sentences."""

from rvos.datasets.moving_shapes.actions import Action
from rvos.datasets.moving_shapes.meaning import Extreme, Relation
from rvos.datasets.moving_shapes.vocabulary import Colour, Shape, Size, Texture

NOUNS: dict[Shape | None, tuple[str, ...]] = {
    "circle": ("circle", "disc"),
    "square": ("square", "box"),
    "triangle": ("triangle",),
    "star": ("star",),
    "hexagon": ("hexagon",),
    "cross": ("cross",),
    None: ("object", "shape", "thing"),
}
COLOUR_WORDS: dict[Colour, tuple[str, ...]] = {
    "red": ("red",),
    "green": ("green",),
    "blue": ("blue",),
    "yellow": ("yellow",),
    "purple": ("purple", "violet"),
    "orange": ("orange",),
    "cyan": ("cyan",),
    "brown": ("brown",),
    "pink": ("pink",),
}
SIZE_WORDS: dict[Size, tuple[str, ...]] = {
    "small": ("small", "little", "tiny"),
    "large": ("large", "big", "huge"),
}
TEXTURE_WORDS: dict[Texture, tuple[str, ...]] = {
    "plain": ("plain", "solid"),
    "striped": ("striped", "stripy"),
}
TEXTURE_TAILS: dict[Texture, tuple[str, ...]] = {
    "plain": ("without stripes", "with no stripes"),
    "striped": ("with stripes",),
}
PLURALS: dict[str, str] = {
    "box": "boxes",
    "cross": "crosses",
    **{
        noun: f"{noun}s"
        for noun in (
            *("circle", "disc", "square", "triangle", "star", "hexagon"),
            *("object", "shape", "thing"),
        )
    },
}
ACTION_TAILS: dict[Action, tuple[str, ...]] = {
    "still": (
        *("standing still", "that stands still", "that does not move", "staying in place"),
        *("that stays where it is", "that is not moving"),
    ),
    "moves": ("that moves", "that is moving", "moving around", "in motion", "that moves around"),
    "circles": (
        *("moving in circles", "going round in circles", "that moves in a circle"),
        *("that goes round in circles", "circling around"),
    ),
    "zigzags": (
        *("moving in a zigzag", "that zigzags", "zigzagging", "going in zigzags"),
        *("that moves in zigzags",),
    ),
    "moves_left": (
        *("moving left", "moving to the left", "going left", "heading to the left"),
        *("that moves to the left", "that goes left", "travelling to the left"),
    ),
    "moves_right": (
        *("moving right", "moving to the right", "going right", "heading to the right"),
        *("that moves to the right", "that goes right", "travelling to the right"),
    ),
    "moves_up": (
        *("moving up", "moving upwards", "going up", "that moves up", "rising"),
        *("that climbs upwards", "heading upwards"),
    ),
    "moves_down": (
        *("moving down", "moving downwards", "going down", "that moves down", "sinking"),
        *("that drops downwards", "heading downwards"),
    ),
    "starts_late": (
        *(
            "that starts late",
            "that waits and then moves",
            "that first stands still and then moves",
        ),
        *("that waits before it moves", "starting to move late"),
    ),
    "stops": (
        *("that stops", "that moves and then stops", "that first moves and then stands still"),
        *("coming to a halt", "that comes to rest"),
    ),
    "leaves": (
        *("leaving the picture", "that leaves the picture", "going out of view"),
        *("that disappears", "moving out of the frame"),
    ),
    "enters": (
        *("entering the picture", "that enters the picture", "coming into view"),
        *("that appears", "moving into the frame"),
    ),
    "grows": (
        *("growing", "that grows", "getting bigger", "that becomes larger"),
        *("growing larger",),
    ),
    "shrinks": (
        *("shrinking", "that shrinks", "getting smaller", "that becomes smaller"),
        *("shrinking away",),
    ),
}
ACTION_ADJECTIVES: dict[Action, tuple[str, ...]] = {
    "still": ("still", "motionless", "resting"),
    "moves": ("moving",),
    "circles": ("circling",),
    "zigzags": ("zigzagging",),
    "grows": ("growing",),
    "shrinks": ("shrinking",),
    "moves_up": ("rising",),
    "moves_down": ("sinking",),
}
RELATION_PHRASES: dict[Relation, tuple[str, ...]] = {
    "left": ("left of", "to the left of", "on the left of", "on the left side of"),
    "right": ("right of", "to the right of", "on the right of", "on the right side of"),
    "above": ("above", "higher than", "over"),
    "below": ("below", "lower than", "under", "beneath"),
}
EXTREME_ADJECTIVES: dict[Extreme, tuple[str, ...]] = {
    "largest": ("largest", "biggest"),
    "smallest": ("smallest",),
    "highest": ("highest", "topmost"),
    "lowest": ("lowest",),
}
EXTREME_TAILS: dict[Extreme, tuple[str, ...]] = {
    "leftmost": ("furthest to the left", "that is furthest left"),
    "rightmost": ("furthest to the right", "that is furthest right"),
    "highest": ("furthest up", "that is highest up"),
    "lowest": ("furthest down", "that is lowest down"),
}
NUMBERS: dict[int, str] = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
_NOUN_WORDS = {noun for nouns in NOUNS.values() for noun in (*nouns, *(PLURALS[n] for n in nouns))}
_ADJECTIVES = {
    word
    for words in (COLOUR_WORDS, SIZE_WORDS, TEXTURE_WORDS)
    for choices in words.values()
    for word in choices
}


def actor_words(sentence: str) -> list[str]:
    """Find the words by which a sentence of the grammar says what the acting object looks like.

    Args:
        sentence: As written for a ``Performing``.

    Returns:
        Its adjectives, noun, and words on stripes, in order.

    Example:
        >>> actor_words("the circling small star with stripes")
        ['small', 'star', 'with', 'stripes']
        >>> actor_words("the red thing moving in circles")
        ['red', 'thing']
    """
    words = sentence.split()
    noun = next(number for number, word in enumerate(words) if word in _NOUN_WORDS)
    after = " ".join(words[noun + 1 :]) + " "
    tails = [tail for tails in TEXTURE_TAILS.values() for tail in tails]
    tail = next((tail for tail in tails if after.startswith(f"{tail} ")), "")
    return [*(word for word in words[:noun] if word in _ADJECTIVES), words[noun], *tail.split()]
