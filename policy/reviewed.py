"""What a person decided of the names that `record.py` found: which are listed, and which never.

Only classes are listed without a word. A function, or a class that honest pickles call, is listed
with the reason why a stranger may call it with any arguments: here, and nowhere else.
"""

from __future__ import annotations

import re

# The file each top-level module's names go to, named as the distribution is.
FILES = {
    "sklearn": "scikit-learn",
    "_loss": "scikit-learn",
    "category_encoders": "category-encoders",
    "imblearn": "imbalanced-learn",
    **{
        name: name
        for name in (
            *("numpy", "scipy", "pandas", "joblib", "pyarrow", "pytz"),
            *("xgboost", "lightgbm", "catboost", "statsmodels", "torch"),
        )
    },
}
STANDARD = "python"

# Classes that are listed though no recorded pickle named them: by a base, or by where they are.
BASES = frozenset(
    {
        "sklearn.base.BaseEstimator",
        "sklearn.gaussian_process.kernels.Kernel",
        "sklearn._loss.loss.BaseLoss",
        "sklearn._loss.link.BaseLink",
        "sklearn.metrics._scorer._BaseScorer",
        "sklearn.model_selection._split.BaseCrossValidator",
        "sklearn.model_selection._split.BaseShuffleSplit",
        "sklearn.neural_network._stochastic_optimizers.BaseOptimizer",
        "xgboost.sklearn.XGBModel",
        "lightgbm.sklearn.LGBMModel",
        "catboost.core.CatBoost",
        "numpy.polynomial._polybase.ABCPolyBase",
        "numpy.random.bit_generator.BitGenerator",
        "scipy.sparse._base._spbase",
        "scipy.sparse.base.spmatrix",
        "pandas._libs.tslibs.offsets.BaseOffset",
        "pandas.core.arrays.base.ExtensionArray",
        "pandas.core.indexes.base.Index",
        "pandas.core.dtypes.base.ExtensionDtype",
        "statsmodels.base.model.Results",
        "statsmodels.base.model.Model",
        "statsmodels.base.wrapper.ResultsWrapper",
        "statsmodels.genmod.cov_struct.CovStruct",
        "statsmodels.genmod.families.family.Family",
        "statsmodels.genmod.families.links.Link",
        "statsmodels.genmod.families.varfuncs.VarianceFunction",
        "statsmodels.robust.norms.RobustNorm",
    }
)
MODULES = re.compile(
    r"sklearn\._loss\._loss|sklearn\.ensemble\._gb(_losses)?"
    r"|sklearn\.ensemble\._hist_gradient_boosting\.loss|sklearn\.linear_model\._sgd_fast"
    r"|sklearn\.(metrics|neighbors)\._dist_metrics|sklearn\.tree\._(criterion|splitter)"
    r"|sklearn\.utils\._(tags|metadata_requests)|category_encoders\._contrasts"
    r"|imblearn\.(model_selection\._split|utils\._tags)|numpy\.dtypes"
    r"|pandas\._libs\.tslibs\.offsets|scipy\.interpolate\._(cubic|interpolate|bsplines|fitpack2)"
)
# Distributions of scipy, whose state is judged too: see `policy.STATES`.
DISTRIBUTIONS = re.compile(r"scipy\.stats\._(continuous|discrete)_distns")

# Never listed, whatever was recorded.
NEVER = re.compile(
    r".*\.(dask|spark|_mocking|estimator_checks|keras|tensorflow|callback\._\w+)(\..*)?"
    r"|sklearn\.datasets\..*|sklearn\.utils\._test.*|.*\._array_api"
    r"|xgboost\.(tracker|rabit|collective|federated)|statsmodels\.(sandbox|examples|datasets).*"
    r"|statsmodels\.iolib.*|pandas\.(io|plotting|_testing|util).*|pandas\.core\.computation.*"
    r"|numpy\.(lib|testing|f2py|distutils|ctypeslib|compat|typing|_typing|char).*"
)
NEVER_NAMES = {
    "builtins getattr": "an attribute by name is how a pickle reaches what it may not name",
    "builtins type": "makes classes",
    "builtins memoryview": "no model holds one",
    "numpy.core _ufunc_reconstruct": "imports by name",
    "numpy memmap": "opens files",
    "statsmodels.distributions.discrete zipoisson_gen": (
        "runs text of its state, which is judged of scipy's own distributions only"
    ),
}

# Functions, and classes that are called: why any arguments do no harm.
_MAKES = "makes a value of what it is given"
CALLED = {
    "builtins": (_MAKES, "bytearray bytes complex frozenset range set slice"),
    "_codecs": ("text to bytes: how protocols before 3 write bytes", "encode"),
    "collections": (_MAKES, "Counter OrderedDict defaultdict deque"),
    "copyreg": (
        "makes an object of a class, which is judged by itself",
        "_reconstructor __newobj__ __newobj_ex__",
    ),
    "datetime": (_MAKES, "date datetime time timedelta timezone"),
    "decimal": (_MAKES, "Decimal"),
    "operator": ("takes an item, by a key of its own", "itemgetter"),
    "fractions": (_MAKES, "Fraction"),
    "functools": ("keeps a function, which is judged by itself, with arguments", "partial"),
    "pathlib": ("a path: opens nothing", "PurePosixPath PureWindowsPath PosixPath WindowsPath"),
    "pathlib._local": (
        "a path: opens nothing",
        "PurePosixPath PureWindowsPath PosixPath WindowsPath",
    ),
    "random": ("seeds a generator", "Random"),
    "re": ("compiles a pattern", "_compile"),
    "types": (_MAKES, "SimpleNamespace"),
    "uuid": (_MAKES, "UUID"),
    "pytz": ("a time zone of its own table", "_UTC _p"),
    "_loss": (
        "what Cython writes for sklearn._loss._loss from 1.5 to 1.8: a number or two",
        "CyAbsoluteError CyExponentialLoss CyHalfBinomialLoss CyHalfGammaLoss"
        " CyHalfMultinomialLoss CyHalfPoissonLoss CyHalfSquaredError CyHalfTweedieLoss"
        " CyHalfTweedieLossIdentity CyHuberLoss CyPinballLoss",
    ),
    "sklearn._loss._loss": (
        "a number or two",
        "CyAbsoluteError CyExponentialLoss CyHalfBinomialLoss CyHalfGammaLoss"
        " CyHalfMultinomialLoss CyHalfPoissonLoss CyHalfSquaredError CyHalfTweedieLoss"
        " CyHalfTweedieLossIdentity CyHuberLoss CyPinballLoss",
    ),
    "sklearn.linear_model._sgd_fast": (
        "a number or two",
        "CyHalfBinomialLoss CyHalfSquaredError CyHuberLoss"
        " EpsilonInsensitive Hinge Huber Log ModifiedHuber SquaredEpsilonInsensitive SquaredHinge"
        " SquaredLoss",
    ),
    "sklearn.metrics._dist_metrics": ("makes an object of a class, without arguments", "newObj"),
    "sklearn.neighbors._dist_metrics": ("makes an object of a class, without arguments", "newObj"),
    "sklearn.neighbors._ball_tree": ("makes an object of a class, without arguments", "newObj"),
    "sklearn.neighbors._kd_tree": ("makes an object of a class, without arguments", "newObj"),
    "statsmodels.tsa._stl": ("allocates", "STL"),
    "statsmodels.tsa.stl._stl": ("allocates", "STL"),
    "sklearn.tree._tree": ("allocates; its indices are checked after loading", "Tree"),
    "sklearn.tree._criterion": ("allocates", "Entropy FriedmanMSE Gini MAE MSE Poisson"),
    "numpy": ("a type of array", "dtype"),
    "numpy.core.multiarray": ("an array or a number from bytes", "_reconstruct scalar"),
    "numpy._core.multiarray": ("an array or a number from bytes", "_reconstruct scalar"),
    "numpy.core.numeric": ("an array from bytes", "_frombuffer"),
    "numpy._core.numeric": ("an array from bytes", "_frombuffer"),
    "numpy._core._internal": ("a type of array", "_convert_to_stringdtype_kwargs"),
    "numpy.ma.core": ("a masked array", "MaskedConstant _mareconstruct"),
    "numpy.random._pickle": (
        "a generator, by a name of its own table",
        "__bit_generator_ctor __generator_ctor __randomstate_ctor",
    ),
    "pandas": ("a value", "Interval Period PeriodDtype StringDtype Timedelta Timestamp"),
    "pandas._libs.internals": ("a block of a frame", "_unpickle_block"),
    "pandas._libs.interval": ("a value", "Interval"),
    "pandas._libs.sparse": ("an index", "BlockIndex IntIndex"),
    "pandas._libs.tslibs.nattype": ("a value", "__nat_unpickle _nat_unpickle"),
    "pandas._libs.tslibs.period": ("a value", "Period"),
    "pandas._libs.tslibs.timedeltas": ("a value", "Timedelta _timedelta_unpickle"),
    "pandas._libs.tslibs.timestamps": ("a value", "Timestamp _unpickle_timestamp"),
    "pandas.core.arrays.string_": ("a type of column", "StringDtype"),
    "pandas.core.dtypes.dtypes": ("a type of column", "PeriodDtype"),
    "pandas.core.indexes.base": ("an index of a class, which is judged by itself", "_new_Index"),
    "pandas.core.indexes.datetimes": ("an index", "_new_DatetimeIndex"),
    "pandas.core.indexes.interval": ("an index", "_new_IntervalIndex"),
    "pandas.core.indexes.period": ("an index", "_new_PeriodIndex"),
    "pandas.core.indexes.timedeltas": ("an index", "_new_TimedeltaIndex"),
    "pandas.core.internals.blocks": ("a block of a frame, from pandas 1.3", "new_block"),
    "pandas.core.internals.managers": ("the blocks of a frame", "BlockManager"),
    "pyarrow.lib": (
        "an array from buffers",
        "_restore_array chunked_array py_buffer type_for_alias",
    ),
}
CALLED_STARTS = (
    "pandas._libs.tslibs.offsets",  # steps in time
    "statsmodels.tsa.statespace._",  # allocate a filter; its state is arrays
)
UFUNCS = "every one of them: numpy's own kind of function of numbers"

# Functions that a model may name, as a score, a distance or a step: each computes on arrays, with
# whatever arguments, and is listed as a name only, not to be called by a pickle.
FUNCTIONS = {
    "numpy": (
        "absolute add amax amin arccos arcsin arcsinh arctan arctan2 arctanh argmax argmin array"
        " asarray atleast_1d atleast_2d average cbrt ceil clip column_stack concatenate copysign"
        " cos cosh cumprod cumsum deg2rad degrees diff divide equal exp exp2 expm1 eye fabs fix"
        " floor floor_divide fmax fmin fmod full_like greater greater_equal heaviside hstack hypot"
        " identity invert isfinite isinf isnan less less_equal log log10 log1p log2 logaddexp"
        " logaddexp2 logical_and logical_not logical_or logical_xor max maximum mean median min"
        " minimum multiply nan_to_num nanmax nanmean nanmedian nanmin nanpercentile nanquantile"
        " nanstd nansum negative not_equal ones_like percentile positive power prod ptp quantile"
        " rad2deg radians ravel reciprocal remainder reshape rint round round_ sign signbit sin"
        " sinc sinh sqrt square squeeze std subtract sum tan tanh transpose true_divide trunc"
        " unique var vstack where zeros_like"
    ),
    "numpy._core._multiarray_umath": UFUNCS,
    "numpy.core._multiarray_umath": UFUNCS,
    "scipy.special._ufuncs": UFUNCS,
    "scipy.special._special_ufuncs": UFUNCS,
    "scipy._lib.array_api_compat.numpy._aliases": "asarray",
    "scipy.interpolate._interpolate": (
        "interp1d._call_linear_np interp1d._call_nearest interp1d._call_previousnext"
        " interp1d._call_spline interp1d._call_linear interp1d._call_nan_spline"
    ),
    "scipy.interpolate.interpolate": (
        "interp1d._call_linear_np interp1d._call_nearest interp1d._call_previousnext"
        " interp1d._call_spline interp1d._call_linear interp1d._call_nan_spline"
    ),
    "sklearn.cluster._kmeans": "_kmeans_single_lloyd _kmeans_single_elkan",
    "sklearn.feature_selection._mutual_info": "mutual_info_classif mutual_info_regression",
    "sklearn.feature_selection._univariate_selection": (
        "chi2 f_classif f_oneway f_regression r_regression"
    ),
    "sklearn.metrics._classification": (
        "accuracy_score balanced_accuracy_score brier_score_loss cohen_kappa_score d2_brier_score"
        " d2_log_loss_score f1_score fbeta_score hamming_loss hinge_loss jaccard_score"
        " jaccard_similarity_score log_loss matthews_corrcoef precision_score recall_score"
        " zero_one_loss"
    ),
    "sklearn.metrics._ranking": (
        "average_precision_score coverage_error dcg_score label_ranking_average_precision_score"
        " label_ranking_loss ndcg_score roc_auc_score top_k_accuracy_score"
    ),
    "sklearn.metrics._regression": (
        "d2_absolute_error_score d2_pinball_score d2_tweedie_score explained_variance_score"
        " max_error mean_absolute_error mean_absolute_percentage_error mean_gamma_deviance"
        " mean_pinball_loss mean_poisson_deviance mean_squared_error mean_squared_log_error"
        " mean_tweedie_deviance median_absolute_error r2_score root_mean_squared_error"
        " root_mean_squared_log_error"
    ),
    "sklearn.metrics._scorer": (
        "_passthrough_scorer negative_likelihood_ratio positive_likelihood_ratio"
    ),
    "sklearn.metrics.cluster._bicluster": "consensus_score",
    "sklearn.metrics.cluster._supervised": (
        "adjusted_mutual_info_score adjusted_rand_score completeness_score fowlkes_mallows_score"
        " homogeneity_score mutual_info_score normalized_mutual_info_score rand_score"
        " v_measure_score"
    ),
    "sklearn.metrics.cluster._unsupervised": (
        "calinski_harabasz_score calinski_harabaz_score davies_bouldin_score silhouette_score"
    ),
    "sklearn.metrics.pairwise": (
        "_euclidean_distances additive_chi2_kernel chi2_kernel cosine_distances cosine_similarity"
        " euclidean_distances haversine_distances laplacian_kernel linear_kernel"
        " manhattan_distances nan_euclidean_distances paired_cosine_distances paired_distances"
        " paired_euclidean_distances paired_manhattan_distances pairwise_distances"
        " pairwise_distances_argmin polynomial_kernel rbf_kernel sigmoid_kernel"
    ),
    "sklearn.model_selection._search_successive_halving": "_refit_callable",
    "sklearn.preprocessing._data": (
        "binarize maxabs_scale minmax_scale normalize power_transform quantile_transform"
        " robust_scale scale"
    ),
    # Gradient boosting with categorical columns keeps it, in a partial, for its own columns.
    "sklearn.utils.validation": "check_array",
    "statsmodels.base.l1_slsqp": "fit_l1_slsqp",
    "statsmodels.tsa.exponential_smoothing._ets_smooth": (
        "_ets_smooth_add_add _ets_smooth_add_mul _ets_smooth_mul_add _ets_smooth_mul_mul"
    ),
    # Not functions, but neither are they classes: values that are named.
    "pandas": "NA",
    "pandas._libs.missing": "NA",
    "builtins": "Ellipsis NotImplemented",
}

# What joblib's own reader makes of an array; its pickles are read here past the array's bytes.
JOBLIB = ("joblib.numpy_pickle", "NumpyArrayWrapper")

# torch is not run: the names that its own loader of weights lets through, which make tensors.
TORCH = {
    "torch._utils": "_rebuild_parameter _rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3",
    "torch.nn.parameter": "Parameter",
    "torch": "BFloat16Storage BoolStorage ByteStorage CharStorage ComplexDoubleStorage"
    " ComplexFloatStorage DoubleStorage FloatStorage HalfStorage IntStorage LongStorage"
    " ShortStorage Size Tensor bfloat16 bool complex128 complex64 device float16 float32 float64"
    " int16 int32 int64 int8 uint8",
    "torch.storage": "TypedStorage UntypedStorage",
}
TORCH_CALLED = (
    "Size Tensor _rebuild_parameter _rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 device"
)
TORCH_SPAN = "1.6-2.9"

# Listed though no recorded pickle asked for them, or called them: names, and the versions.
MORE = {
    "copyreg": ("__newobj__ __newobj_ex__", "3.8-3.13"),
    "functools": ("partial", "3.8-3.13"),
    "operator": ("itemgetter", "3.8-3.13"),
    "pandas.core.internals.blocks": ("new_block", "1.3-1.3"),
    "pathlib": ("PosixPath PureWindowsPath WindowsPath", "3.8-3.12"),
    "pathlib._local": ("PosixPath PureWindowsPath WindowsPath", "3.13-3.13"),
}
