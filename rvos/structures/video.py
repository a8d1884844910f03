"""Clips, their targets and batches of them."""

from dataclasses import dataclass, field

from jaxtyping import Bool, Float, UInt8
from torch import Tensor


@dataclass
class ClipTargets:
    """Ground truth of one clip for one expression.

    Every track of the clip may be listed, not only those that the expression refers to: the others
    teach boxes and masks. N = 0 is a clip without any annotated object.

    Attributes:
        boxes_cxcywh: ``[N, T, 4]`` in [0, 1] of the unpadded frame; zeros where absent.
        masks: ``[N, T, H, W]``, True on the object, at the size of the frames.
        present: ``[N, T]``, True where the object is visible in the frame.
        referred: ``[N]``, True for the tracks that the expression refers to.
        annotated: ``[T]``, True for the frames that are annotated; the others are context, neither
            trained on nor scored. None = every frame.
    """

    boxes_cxcywh: Float[Tensor, "n t 4"]
    masks: Bool[Tensor, "n t h w"]
    present: Bool[Tensor, "n t"]
    referred: Bool[Tensor, " n"]
    annotated: Bool[Tensor, " t"] | None = None

    def annotated_frames(self) -> Bool[Tensor, " t"]:
        """Tell which frames are annotated.

        Returns:
            ``[T]``, all True where nothing is said.
        """
        if self.annotated is not None:
            return self.annotated
        return self.masks.new_ones(self.masks.shape[1])


@dataclass
class AnnotatedSequence:
    """All objects of a video, and where an annotator's expression belongs: Ref-DAVIS17.

    Attributes:
        label_maps: ``[T, H, W]`` at the video's own size: 0 on background, 255 undecided.
        annotator: Who wrote the expression, from 0.
        rank: Position of the expression among those of its annotator and video, from 0.
        num_expressions: How many this annotator wrote for the video.
    """

    label_maps: UInt8[Tensor, "t h w"]
    annotator: int
    rank: int
    num_expressions: int


@dataclass
class Annotation:
    """What predictions for one expression are scored with: as annotated, before any transform.

    Attributes:
        name: Unique name in the benchmark's ground truth; the sample id where there is no other.
        masks: ``[T, H, W]`` of the annotated frames at the video's own size, True on what the
            expression refers to.
        has_target: Whether it refers to an object of the video, if perhaps one out of sight.
        box_xyxy: Corners in pixels where the benchmark has annotated a box besides; else None.
        sequence: All objects, where the benchmark scores them together; else None.
    """

    name: str
    masks: Bool[Tensor, "t h w"]
    has_target: bool
    box_xyxy: tuple[float, float, float, float] | None = None
    sequence: AnnotatedSequence | None = None


@dataclass
class BadSample:
    """A sample that could not be read, so that another one stands for it.

    Attributes:
        sample_id: Its id.
        reason: What is wrong with it, and the remedy.
    """

    sample_id: str
    reason: str


@dataclass
class VideoSample:
    """One clip with one expression, as a dataset returns it.

    Attributes:
        sample_id: Unique in the dataset, stable over runs: ``<video>/<expression id>[/<anchor>]``.
        video_id: Name of the video.
        expression: The expression, lower case, white space collapsed.
        expression_kind: ``appearance``, ``relation``, ... where the dataset knows, else ``""``.
        frame_ids: Names of the T frames, in the order of ``frames``.
        frames: ``[T, 3, H, W]``, normalised with the ImageNet statistics.
        targets: Ground truth of the clip at the frames' size.
        original_size: (height, width) of the video on disk.
        annotation: What the clip is scored with; None where nobody asked for it.
        stands_for: The sample that should be here; None where this one should.
    """

    sample_id: str
    video_id: str
    expression: str
    expression_kind: str
    frame_ids: list[str]
    frames: Float[Tensor, "t 3 h w"]
    targets: ClipTargets
    original_size: tuple[int, int]
    annotation: Annotation | None = None
    stands_for: BadSample | None = None


@dataclass
class VideoBatch:
    """Clips of equal length, padded at the bottom and right to one size.

    A plain (not frozen) dataclass, because Lightning's device transfer sets its fields.

    Attributes:
        sample_ids: B ids.
        video_ids: B names.
        expressions: B expressions.
        expression_kinds: B kinds, ``""`` where unknown.
        frame_ids: B lists of T names.
        frames: ``[B, T, 3, H, W]``, zero on padding.
        valid_pixels: ``[B, T, H, W]``, True = image, False = padding.
        targets: B targets; their masks are padded to H, W, their boxes refer to the unpadded size.
        original_sizes: B (height, width) of the videos on disk.
        clip_sizes: B (height, width) of the unpadded clips.
        annotations: What the clips are scored with; None where nobody asked for it.
        bad_samples: Those that could not be read and that other clips of the batch stand for.
    """

    sample_ids: list[str]
    video_ids: list[str]
    expressions: list[str]
    expression_kinds: list[str]
    frame_ids: list[list[str]]
    frames: Float[Tensor, "b t 3 h w"]
    valid_pixels: Bool[Tensor, "b t h w"]
    targets: list[ClipTargets]
    original_sizes: list[tuple[int, int]]
    clip_sizes: list[tuple[int, int]]
    annotations: list[Annotation] | None = None
    bad_samples: list[BadSample] = field(default_factory=list)

    def pin_memory(self) -> "VideoBatch":
        """Move the tensors to page-locked memory; called by the DataLoader."""
        self.frames = self.frames.pin_memory()
        self.valid_pixels = self.valid_pixels.pin_memory()
        for annotation in self.annotations or []:
            annotation.masks = annotation.masks.pin_memory()
        for target in self.targets:
            target.boxes_cxcywh = target.boxes_cxcywh.pin_memory()
            target.masks = target.masks.pin_memory()
            target.present = target.present.pin_memory()
            target.referred = target.referred.pin_memory()
            if target.annotated is not None:
                target.annotated = target.annotated.pin_memory()
        return self
