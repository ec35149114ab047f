"""What can be wrong with a model, its card or the images it is measured on, each with what to do about it."""

from typing import ClassVar

from coverslip.contract.errors import CoverslipError


class ModelError(CoverslipError):
    """The model {model} cannot be used; `coverslip model list` shows those that can."""

    code: ClassVar[str] = "MODEL.ERROR"


class ModelUnknown(ModelError):
    """There is no model {model} for {task} here. Choose one of {known}, or add it with `coverslip model add`."""

    code: ClassVar[str] = "MODEL.UNKNOWN"


class ModelAlreadyThere(ModelError):
    """The model {model} is in {folder} already. Add it with --replace to take the new one instead, or give it another
    id."""

    code: ClassVar[str] = "MODEL.ALREADY_THERE"


class ModelIdTaken(ModelError):
    """The id {model} is that of a model of Coverslip's own. Give yours another id in its card."""

    code: ClassVar[str] = "MODEL.ID_TAKEN"


class NoModelFound(ModelError):
    """There is no model in {place}. Give an .onnx file with its card beside it (same name, ending in .json), or a
    folder of such pairs."""

    code: ClassVar[str] = "MODEL.NONE_FOUND"


class ModelFileMissing(ModelError):
    """{path} is missing. A model is two files of the same name side by side: the network, ending in .onnx, and its
    card, ending in .json; put both there."""

    code: ClassVar[str] = "MODEL.FILE_MISSING"


class ModelFileInaccessible(ModelError):
    """{path} cannot be read or written ({reason}). Check that you may, and that its disk is attached and has room."""

    code: ClassVar[str] = "MODEL.FILE_INACCESSIBLE"


class ModelCardInvalid(ModelError):
    """The card {path} is invalid: {reason}. Correct it; docs/how-to/add-a-model.md explains every field."""

    code: ClassVar[str] = "MODEL.CARD_INVALID"


class ModelFileChanged(ModelError):
    """{path} is not the file that its card describes: its SHA-256 is {found}, the card says {expected}. Get the file
    again, or, where the new one is meant, correct sha256 and the measured quality in the card."""

    code: ClassVar[str] = "MODEL.FILE_CHANGED"


class ModelUnreadable(ModelError):
    """{path} cannot be loaded ({reason}). Export it again as ONNX in one file, weights included, with operators of
    opset 23 or lower."""

    code: ClassVar[str] = "MODEL.UNREADABLE"


class ModelShapesWrong(ModelError):
    """{path} does not do what its card says: {reason}. Correct the card, or export the model anew."""

    code: ClassVar[str] = "MODEL.SHAPES_WRONG"


class ModelKindUnusable(ModelError):
    """The model {model} is of kind {kind}, which names no tissue on slides yet. Choose one of kind features, as
    `coverslip model train-tissue` makes, in COVERSLIP_MODEL_TISSUE."""

    code: ClassVar[str] = "MODEL.KIND_UNUSABLE"


class ModelSettingsInvalid(ModelError):
    """A setting of models cannot be used: {faults}. Correct it, or unset it to get the default."""

    code: ClassVar[str] = "MODEL.SETTINGS_INVALID"


class ProviderUnavailable(ModelError):
    """This machine cannot run models with {provider}; it offers {available}. Set COVERSLIP_MODEL_PROVIDER to one of
    these or to auto, or install the onnxruntime package and drivers for {provider}."""

    code: ClassVar[str] = "MODEL.PROVIDER_UNAVAILABLE"


class ImageTooLargeForModel(ModelError):
    """The image would have {megapixels} million pixels at the model's {mpp} µm/px, more than the {limit} million that
    are analysed at once. Give a part of it, or send the whole slide to the application he-tme."""

    code: ClassVar[str] = "MODEL.IMAGE_TOO_LARGE"


class NothingToEvaluate(ModelError):
    """There are no labelled images in {folder}. Give a folder with a manifest.json, or with pairs of NAME.png and
    NAME_mask.png, or one that holds such folders."""

    code: ClassVar[str] = "MODEL.NOTHING_TO_EVALUATE"


class EvaluationSetInvalid(ModelError):
    """{path} cannot be used to evaluate: {reason}. Correct it after the description in docs/how-to/add-a-model.md."""

    code: ClassVar[str] = "MODEL.EVALUATION_SET_INVALID"


class AnnotationsUnreadable(ModelError):
    """{path} holds no annotations that can be read ({reason}). Export them from QuPath by File, Export objects as
    GeoJSON."""

    code: ClassVar[str] = "MODEL.ANNOTATIONS_UNREADABLE"


class AnnotationClassUnknown(ModelError):
    """{path} has annotations of the class {name}, which is no class of tissue. Rename it; the classes are {known}."""

    code: ClassVar[str] = "MODEL.ANNOTATION_CLASS_UNKNOWN"


class AnnotationUnusable(ModelError):
    """The annotation {name} at x {x_px}, y {y_px} in {path} cannot be trained on: {reason}."""

    code: ClassVar[str] = "MODEL.ANNOTATION_UNUSABLE"


class SlideNotForTraining(ModelError):
    """Tissue cannot be trained on {slide}: {reason}."""

    code: ClassVar[str] = "MODEL.SLIDE_NOT_FOR_TRAINING"


class TooFewClasses(ModelError):
    """The annotations show {found} only, and a model tells classes apart. Paint at least two classes, each at three
    places or more."""

    code: ClassVar[str] = "MODEL.TOO_FEW_CLASSES"
