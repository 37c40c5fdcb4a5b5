"""The stable codes of losses, how each weighs, and what it means in words.

A code never changes its meaning: programs accept losses by code. docs/exchange.md has the
same table for people, a test compares the two.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Weight(StrEnum):
    """How much a code matters to who has to accept it."""

    LOST = "lost"  # information that was there is not on the other side
    KEPT = "kept"  # Darkroom cannot show it; an export in the same format brings it back
    CHANGED = "changed"  # the same meaning in another form, within what the words say
    CHECK = "check"  # nothing is lost; a person should look whether it was meant so


class LossCode(StrEnum):
    """Every code; see `MEANINGS`."""

    # reading
    SHAPE_KEPT = "shape-kept"
    LINE = "line"
    MASK = "mask"
    PARTS = "parts"
    KEYPOINTS = "keypoints"
    ATTRIBUTES_KEPT = "attributes-kept"
    RECORDS_KEPT = "records-kept"
    FURTHER_ANNOTATIONS = "further-annotations"
    EMBEDDED_PICTURE = "embedded-picture"
    ZERO_AREA = "zero-area"
    MISSING_PICTURE = "missing-picture"
    AMBIGUOUS_NAME = "ambiguous-name"
    SAME_PICTURE = "same-picture"
    COMMENTS = "comments"
    TEXT_BESIDE = "text-beside"
    FITTED = "fitted"
    LABEL_CHANGED = "label-changed"
    TWIN_CLASSES = "twin-classes"
    CLASS_ORDER = "class-order"
    BACKSLASHES = "backslashes"
    DUPLICATE_NAMES = "duplicate-names"
    OUT_OF_PICTURE = "out-of-picture"
    SIZE_DIFFERS = "size-differs"
    SIZE_SWAPPED = "size-swapped"
    ORIGIN_GUESSED = "origin-guessed"
    TASK_GUESSED = "task-guessed"
    CONFIDENCE = "confidence"
    PICTURE_REFUSED = "picture-refused"
    PICTURES_LEFT = "pictures-left"
    FILES_IGNORED = "files-ignored"
    READ_ONLY = "read-only"
    # writing
    SHAPE = "shape"
    ROTATION = "rotation"
    OUTLINE = "outline"
    WHOLE_PICTURE = "whole-picture"
    ATTRIBUTES = "attributes"
    CLASS_DETAILS = "class-details"
    UNUSED_CLASSES = "unused-classes"
    STATE = "state"
    SPLIT = "split"
    FOREIGN_FIELDS = "foreign-fields"
    SIZE_UNKNOWN = "size-unknown"
    CORNERS = "corners"
    ROUNDED = "rounded"
    IDS_CHANGED = "ids-changed"
    NAMES_CHANGED = "names-changed"
    LAYOUT = "layout"
    CELLS_GUARDED = "cells-guarded"
    RELATIONS = "relations"
    ATTRIBUTES_AS_TEXT = "attributes-as-text"
    CHARACTERS = "characters"
    METADATA_KEPT = "metadata-kept"
    PICTURE_UNAVAILABLE = "picture-unavailable"
    CROP_SHAPE = "crop-shape"
    CROP_EMPTY = "crop-empty"
    CROP_CLIPPED = "crop-clipped"
    CROP_COLOURS = "crop-colours"
    CROP_DEPTH = "crop-depth"
    CROP_UNAVAILABLE = "crop-unavailable"


MEANINGS: Final[dict[LossCode, tuple[Weight, str]]] = {
    LossCode.SHAPE_KEPT: (
        Weight.KEPT,
        "A shape that Darkroom does not draw is kept for an export in the same format.",
    ),
    LossCode.LINE: (Weight.KEPT, "An open line is kept, and shown as its points."),
    LossCode.MASK: (Weight.KEPT, "A mask of pixels is kept, and shown as the box around it."),
    LossCode.PARTS: (
        Weight.KEPT,
        "An outline of several parts is kept, and shown as the box around it.",
    ),
    LossCode.KEYPOINTS: (Weight.KEPT, "Keypoints of an object are kept, and not shown."),
    LossCode.ATTRIBUTES_KEPT: (
        Weight.KEPT,
        "Attributes that are no flat values, or too many, are kept, and not shown.",
    ),
    LossCode.RECORDS_KEPT: (
        Weight.KEPT,
        "Records that are no shapes, labels or attributes are kept, and not shown.",
    ),
    LossCode.FURTHER_ANNOTATIONS: (
        Weight.KEPT,
        "Further annotations of a task, cancelled ones, predictions: kept, and not shown.",
    ),
    LossCode.EMBEDDED_PICTURE: (
        Weight.LOST,
        "A picture inside a label file is left out; pictures come as files of their own.",
    ),
    LossCode.ZERO_AREA: (Weight.LOST, "A box without an area is left out."),
    LossCode.MISSING_PICTURE: (
        Weight.LOST,
        "Annotations of a picture that is not there are left out.",
    ),
    LossCode.AMBIGUOUS_NAME: (
        Weight.LOST,
        "Annotations are left out where several pictures have the name that they give.",
    ),
    LossCode.SAME_PICTURE: (
        Weight.LOST,
        (
            "Several files of the archive are the same picture. It is stored once, with the"
            " annotations of the first; those of the others are left out."
        ),
    ),
    LossCode.COMMENTS: (Weight.LOST, "Comments in a file are left out."),
    LossCode.TEXT_BESIDE: (Weight.LOST, "Text beside elements of XML is left out."),
    LossCode.FITTED: (
        Weight.CHANGED,
        "Four corners became a turned box that is less than a tenth of a pixel away.",
    ),
    LossCode.LABEL_CHANGED: (
        Weight.CHANGED,
        "Space around a label's name, or its form of Unicode, was changed.",
    ),
    LossCode.TWIN_CLASSES: (Weight.CHANGED, "Several classes of one name became one."),
    LossCode.CLASS_ORDER: (
        Weight.CHECK,
        "Numbers or ids of classes differ, from each other or the collection's; names decide.",
    ),
    LossCode.BACKSLASHES: (Weight.CHECK, "Backslashes in file names were read as slashes."),
    LossCode.DUPLICATE_NAMES: (
        Weight.CHECK,
        "Pictures in different folders have the same name; they are matched by folder, too.",
    ),
    LossCode.OUT_OF_PICTURE: (
        Weight.CHECK,
        "A shape reaches out of its picture; it is kept as it is.",
    ),
    LossCode.SIZE_DIFFERS: (
        Weight.CHECK,
        "The file tells another size than the picture has; coordinates are kept as they are.",
    ),
    LossCode.SIZE_SWAPPED: (
        Weight.CHECK,
        "The file tells width and height the other way round than the picture has them.",
    ),
    LossCode.ORIGIN_GUESSED: (
        Weight.CHECK,
        "Nothing tells whether pixels are counted from 0 or from 1: 1 was taken.",
    ),
    LossCode.TASK_GUESSED: (
        Weight.CHECK,
        "Lines of four corners may be turned boxes or outlines: boxes were taken.",
    ),
    LossCode.CONFIDENCE: (
        Weight.CHECK,
        "Lines end with a confidence, as predictions do; it became an attribute.",
    ),
    LossCode.PICTURE_REFUSED: (
        Weight.LOST,
        (
            "A picture of the archive is not taken: damaged, too large, of another kind, or in"
            " the trash here."
        ),
    ),
    LossCode.PICTURES_LEFT: (
        Weight.CHECK,
        "Pictures of the archive are not stored: not wished, or without the right to upload.",
    ),
    LossCode.FILES_IGNORED: (
        Weight.CHECK,
        "Files that are neither labels of this format nor pictures are left alone.",
    ),
    LossCode.READ_ONLY: (
        Weight.LOST,
        "Pictures that were accepted stay as they are until somebody opens them again.",
    ),
    LossCode.SHAPE: (Weight.LOST, "A shape that the format cannot hold is left out."),
    LossCode.ROTATION: (Weight.LOST, "A turned box is written as the upright box around it."),
    LossCode.OUTLINE: (Weight.LOST, "An outline is written as the box around it."),
    LossCode.WHOLE_PICTURE: (Weight.LOST, "A label of the whole picture is left out."),
    LossCode.ATTRIBUTES: (Weight.LOST, "Attributes are left out."),
    LossCode.CLASS_DETAILS: (
        Weight.LOST,
        "Colours, numbers or attribute definitions of classes are left out.",
    ),
    LossCode.UNUSED_CLASSES: (Weight.LOST, "Classes that no annotation has are left out."),
    LossCode.STATE: (
        Weight.LOST,
        "States of pictures are left out: whether they are begun, done, skipped or accepted.",
    ),
    LossCode.SPLIT: (Weight.LOST, "The parting into train, val and test is left out."),
    LossCode.FOREIGN_FIELDS: (
        Weight.LOST,
        "Fields that came with a file of another format are left out.",
    ),
    LossCode.SIZE_UNKNOWN: (
        Weight.LOST,
        "Pictures whose size is not known are left out with their annotations.",
    ),
    LossCode.CORNERS: (Weight.CHANGED, "A box is written as the outline of its four corners."),
    LossCode.ROUNDED: (
        Weight.CHANGED,
        "Numbers lead back to float64s that differ by less than a millionth of a pixel.",
    ),
    LossCode.IDS_CHANGED: (Weight.CHANGED, "Ids that were there twice got new numbers."),
    LossCode.NAMES_CHANGED: (
        Weight.CHANGED,
        "Pictures whose files would have got one name were numbered.",
    ),
    LossCode.LAYOUT: (Weight.CHANGED, "Lists of pictures became folders of pictures."),
    LossCode.CELLS_GUARDED: (
        Weight.CHANGED,
        "Cells that a spreadsheet would run as a formula begin with an apostrophe.",
    ),
    LossCode.RELATIONS: (
        Weight.LOST,
        "Relations to annotations that are gone are left out.",
    ),
    LossCode.ATTRIBUTES_AS_TEXT: (
        Weight.CHANGED,
        "Values of an attribute that is now a number, now text or yes and no are text.",
    ),
    LossCode.CHARACTERS: (
        Weight.LOST,
        "Control characters, which XML cannot hold, are replaced by U+FFFD.",
    ),
    LossCode.METADATA_KEPT: (
        Weight.CHECK,
        "Metadata cannot be taken out of pictures of this kind: they are written with it.",
    ),
    LossCode.PICTURE_UNAVAILABLE: (
        Weight.LOST,
        "Pictures that are damaged, not ready or gone are left out.",
    ),
    LossCode.CROP_SHAPE: (
        Weight.LOST,
        "Points and labels of whole pictures have no crop.",
    ),
    LossCode.CROP_EMPTY: (
        Weight.LOST,
        "Shapes that cover no pixel of their picture have no crop.",
    ),
    LossCode.CROP_CLIPPED: (
        Weight.CHECK,
        "Crops of shapes that reach out of their picture end at its edge.",
    ),
    LossCode.CROP_COLOURS: (
        Weight.CHANGED,
        "Crops of CMYK, Lab, float and 32-bit pictures are as shown, in 8-bit sRGB.",
    ),
    LossCode.CROP_DEPTH: (
        Weight.CHANGED,
        "Crops of colour pictures with more than 8 bits a channel have 8 bits.",
    ),
    LossCode.CROP_UNAVAILABLE: (
        Weight.LOST,
        "Crops of pictures that cannot be decoded, or went meanwhile, are left out.",
    ),
}
