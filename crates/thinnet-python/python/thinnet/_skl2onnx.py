"""Estimators within pipelines as ONNX files, by skl2onnx. The graph of an estimator is that of `to_onnx`."""

from __future__ import annotations

from typing import Any

from sklearn.utils.validation import check_is_fitted

from thinnet._classifier import MLPClassifier
from thinnet._export import graph, labels
from thinnet._regressor import MLPRegressor

STRING = 8  # onnx.TensorProto.STRING
OPSET = 17
"""That of `to_onnx`. None of its operators changes what it computes in a later one."""


def register_skl2onnx() -> None:
    """Teach skl2onnx these estimators, so that it converts pipelines with them.

    After one call, ``skl2onnx.to_onnx`` and ``skl2onnx.convert_sklearn`` take `MLPClassifier` and `MLPRegressor`, alone
    and as the last step of pipelines, in searches and in ensembles. The network computes in float32. Its
    input has the shape (n_samples, n_features); integers and float64 are converted.

    The outputs are those of scikit-learn's networks: ``output_label`` (n_samples,), with several labels per sample
    (n_samples, n_labels), and ``output_probability``; of a regressor ``variable`` of shape (n_samples, n_outputs).
    Several quantiles are the last axis of ``variable``.

    Options of a classifier are those of scikit-learn's: ``zipmap`` (True, False or "columns"), ``nocl`` (the labels are
    the positions of the classes) and ``output_class_labels``. The option ``return_std`` of a regressor with
    ``loss="gaussian_nll"`` adds the output ``std`` (n_samples, n_outputs), the noise in the data.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.

    Notes
    -----
    A conversion raises NotFittedError for an estimator without a fit, TypeError for classes that are neither whole
    numbers nor strings, and ValueError for an opset before 17, ``return_std`` with another loss, ``nocl`` with several
    labels per sample, and a network that makes features for a later step of a pipeline.

    Examples
    --------
    >>> import skl2onnx
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from thinnet import MLPClassifier, register_skl2onnx
    >>> X, y = load_iris(return_X_y=True)
    >>> pipe = make_pipeline(StandardScaler(), MLPClassifier(max_iter=300, random_state=1)).fit(X, y)
    >>> register_skl2onnx()
    >>> model = skl2onnx.to_onnx(pipe, X[:1].astype("float32"), options={"zipmap": False})
    >>> [output.name for output in model.graph.output]
    ['label', 'probabilities']
    """
    try:
        from skl2onnx import update_registered_converter
    except ImportError as missing:
        raise ImportError("register_skl2onnx needs skl2onnx: pip install skl2onnx") from missing
    options = {"zipmap": [True, False, "columns"], "output_class_labels": [False, True], "nocl": [True, False]}
    update_registered_converter(MLPClassifier, "ThinnetMLPClassifier", _classifier_shapes, _convert, options=options)
    update_registered_converter(
        MLPRegressor,
        "ThinnetMLPRegressor",
        _regressor_shapes,
        _convert,
        parser=_parse_regressor,
        options={"return_std": [False, True]},
    )


def _parse_regressor(scope: Any, model: MLPRegressor, inputs: list[Any], custom_parsers: Any = None) -> Any:
    """The operator of a regressor, with its outputs."""
    from skl2onnx.common.data_types import guess_tensor_type

    operator = scope.declare_local_operator("ThinnetMLPRegressor", model)
    operator.inputs = inputs
    with_std = scope.get_options(model, {"return_std": False})["return_std"]
    if with_std and model.loss != "gaussian_nll":
        raise ValueError(f'return_std needs loss="gaussian_nll", this regressor has "{model.loss}".')
    for name in ["variable", "std"] if with_std else ["variable"]:
        operator.outputs.append(scope.declare_local_variable(name, guess_tensor_type(inputs[0].type)))
    return operator.outputs


def _classifier_shapes(operator: Any) -> None:
    """Set the types and shapes of labels and probabilities."""
    from skl2onnx.common.data_types import Int64TensorType, StringTensorType

    label, probabilities = _graph(operator).graph.output
    kind = StringTensorType if label.type.tensor_type.elem_type == STRING else Int64TensorType
    operator.outputs[0].type = kind(_shape(operator, label))
    operator.outputs[1].type.shape = _shape(operator, probabilities)


def _regressor_shapes(operator: Any) -> None:
    """Set the shapes of the numbers."""
    for output, own in zip(operator.outputs, _graph(operator).graph.output, strict=False):
        output.type.shape = _shape(operator, own)


def _shape(operator: Any, output: Any) -> list[Any]:
    """The shape of an output, for the operator's number of samples."""
    sizes = [axis.dim_value for axis in output.type.tensor_type.shape.dim]
    return [operator.inputs[0].get_first_dimension(), *sizes[1:]]


def _graph(operator: Any) -> Any:
    """The operator's estimator as an ONNX model."""
    import onnx
    from skl2onnx.common.utils import check_input_and_output_numbers

    check_input_and_output_numbers(operator, input_count_range=1, output_count_range=[1, 2])
    model = operator.raw_operator
    check_is_fitted(model)
    _refuse_features(operator)
    own = labels(model)
    if isinstance(model, MLPClassifier) and operator.scope_inst.get_options(model, {"nocl": False})["nocl"]:
        if own is None:
            raise ValueError("nocl has no meaning for several labels per sample.")
        own = list(range(len(own)))
    return onnx.load_from_string(graph(model, own))


def _refuse_features(operator: Any) -> None:
    """Raise an error if another step takes what a hidden layer makes: skl2onnx would give it predictions instead."""
    outputs = {output.onnx_name for output in operator.outputs}
    for other in operator.scope_inst.operators.values():
        takes = not outputs.isdisjoint(own.onnx_name for own in other.inputs)
        if takes and not other.type.startswith("SklearnZipMap"):
            name = type(operator.raw_operator).__name__
            raise ValueError(f"skl2onnx converts {name} only as the last step: the next one takes its hidden layer.")


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the estimator's graph, from the operator's input to its outputs."""
    if container.target_opset_onnx < OPSET:
        raise ValueError(f"networks of thinnet need target_opset={OPSET} or later, got {container.target_opset_onnx}.")
    graph = _graph(operator).graph
    del graph.output[len(operator.outputs) :]
    _cast(graph, operator)
    _prune(graph)
    names: dict[str, str] = {graph.input[0].name: operator.inputs[0].onnx_name}
    names.update({own.name: output.onnx_name for own, output in zip(graph.output, operator.outputs, strict=True)})

    def renamed(name: str) -> str:
        if name not in names:
            names[name] = scope.get_unique_variable_name(name)
        return names[name]

    for constant in graph.initializer:
        constant.name = renamed(constant.name)
        container.initializers.append(constant)
    for node in graph.node:
        node.name = scope.get_unique_operator_name(node.op_type)
        node.input[:] = [renamed(name) for name in node.input]
        node.output[:] = [renamed(name) for name in node.output]
        container.nodes.append(node)
    container.node_domain_version_pair_sets.add(("", OPSET))


def _cast(graph: Any, operator: Any) -> None:
    """Convert an input that is not float32, and give float64 where skl2onnx has declared it."""
    from onnx import TensorProto, helper
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    if not isinstance(operator.inputs[0].type, FloatTensorType):
        own = graph.input[0].name
        graph.input[0].name = "given"
        graph.node.insert(0, helper.make_node("Cast", ["given"], [own], to=TensorProto.FLOAT))
    for output, declared in zip(graph.output, operator.outputs, strict=True):
        if isinstance(declared.type, DoubleTensorType):
            own, output.name = output.name, f"double_{output.name}"
            graph.node.append(helper.make_node("Cast", [own], [output.name], to=TensorProto.DOUBLE))


def _prune(graph: Any) -> None:
    """Leave out what no output needs."""
    needed = {output.name for output in graph.output}
    for node in reversed(list(graph.node)):
        if needed.isdisjoint(node.output):
            graph.node.remove(node)
        else:
            needed.update(node.input)
    for constant in list(graph.initializer):
        if constant.name not in needed:
            graph.initializer.remove(constant)
