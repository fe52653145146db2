"""The names that are known to do harm, and what each does, in a few words.

This is no boundary: a name that is missing here is unknown, and unknown is not safe. It tells the
reader of a scan which names are there to attack, rather than merely new.
"""

from __future__ import annotations

from functools import cache

from brinery.records.scan import Global

_RUNS = "runs programs"
_EVALUATES = "evaluates text as code"
_IMPORTS = "imports by name"
_ATTRIBUTE = "reaches any attribute by name"
_PICKLE = "loads another pickle"
_READS = "reads or writes files"
_SOCKETS = "opens sockets"
_MEMORY = "reaches the machine's memory and libraries"
_PROCESS = "changes or watches the process that loads it"
_INSTALLS = "installs or builds packages, which runs their code"
_THREADS = "starts threads or processes"

# Whole modules, with all beneath them.
_MODULES = {
    _RUNS: (
        "os posix nt posixpath ntpath subprocess _posixsubprocess popen2 commands pty platform"
        " webbrowser antigravity this _winapi _aix_support _osx_support sh plumbum pexpect"
        " invoke fabric paramiko"
    ),
    _EVALUATES: (
        "code codeop runpy pdb bdb profile cProfile trace timeit doctest _pyrepl idlelib lib2to3"
        " pyclbr py_compile compileall execfile tkinter turtle _tkinter tabnanny modulefinder"
        " rlcompleter unittest pytest _pytest test IPython jinja2 numexpr patsy.eval"
    ),
    _IMPORTS: (
        "importlib imp zipimport pkgutil pydoc _imp _frozen_importlib"
        " _frozen_importlib_external logging.config logging.handlers"
        " unittest.mock mock"
    ),
    _PICKLE: "pickle _pickle cPickle marshal shelve dbm torch.hub",
    _SOCKETS: (
        "socket _socket ssl _ssl socketserver select selectors asyncore asynchat asyncio http"
        " httplib urllib urllib2 urllib3 urlparse requests httpx aiohttp smtplib smtpd ftplib"
        " poplib imaplib nntplib telnetlib xmlrpc xmlrpclib wsgiref SimpleHTTPServer"
        " BaseHTTPServer websocket websockets boto3 botocore"
    ),
    _READS: (
        "shutil _pyio tempfile glob fileinput linecache zipfile tarfile gzip bz2"
        " lzma filecmp mmap sqlite3 _sqlite3 netrc configparser plistlib mailbox"
        " mimetypes tokenize aifc wave sunau sndhdr imghdr nturl2path pathlib2 fsspec s3fs"
    ),
    _MEMORY: (
        "ctypes _ctypes cffi _cffi_backend numpy.ctypeslib gc _testcapi _testinternalcapi"
        " msvcrt winreg _winreg"
    ),
    _PROCESS: (
        "sys signal _signal faulthandler atexit inspect site sitecustomize usercustomize"
        " tracemalloc resource dis cgitb sysconfig _sysconfigdata"
        " readline rlcompleter getpass pwd grp spwd crypt fcntl termios tty syslog"
    ),
    _INSTALLS: (
        "pip ensurepip setuptools distutils venv virtualenv pkg_resources easy_install wheel"
        " numpy.distutils numpy.f2py sklearn._build_utils torch.utils.cpp_extension uv conda"
    ),
    _THREADS: (
        "multiprocessing _multiprocessing threading _thread thread concurrent sched"
        " _interpreters _xxsubinterpreters _interpchannels interpreters"
        " joblib.parallel joblib._parallel_backends joblib.pool joblib.executor"
    ),
}

# Single names of modules that hold harmless ones too.
_NAMES = {
    _EVALUATES: {
        "builtins": "eval exec compile execfile breakpoint input help raw_input __build_class__",
        "numpy.testing": "runstring",
        "numpy.testing._private.utils": "runstring rundocs",
        "numpy.testing.utils": "runstring rundocs",
        "pandas": "eval",
        "pandas.core.computation.eval": "eval",
        "pandas.core.frame": "DataFrame.eval DataFrame.query",
        "numpy.lib._utils_impl": "safe_eval",
        "numpy.lib.utils": "safe_eval",
        "sympy": "sympify",
        "sympy.core.sympify": "sympify",
        "sympy.parsing.sympy_parser": "parse_expr",
        "collections": "namedtuple",
        "dataclasses": "make_dataclass",
        "patsy": "dmatrix dmatrices",
        "patsy.highlevel": "dmatrix dmatrices",
        "scipy._lib._bunch": "_make_tuple_bunch",
        "sklearn.utils._testing": "run_doctest",
        "torch.jit": "load",
        "torch.export": "load",
        "torch._dynamo.guards": "GuardBuilder.get",
        "torch.fx.experimental.symbolic_shapes": "ShapeEnv.evaluate_guards_expression",
        "torch.utils._config_module": "ConfigModule.load_config load_config",
        "torch.utils.bottleneck.__main__": "run_cprofile run_autograd_prof",
        "mlflow.pyfunc": "load_model",
        "statsmodels.formula.api": "ols logit glm",
    },
    _IMPORTS: {
        "builtins": "__import__ __loader__",
        "numpy.core": "_ufunc_reconstruct",
        "numpy._core": "_ufunc_reconstruct",
        "six": "_import_module",
        "six.moves": "builtins",
        "setuptools._distutils": "core",
        "torch.distributed.rpc.internal": "_internal_rpc_pickler",
    },
    _ATTRIBUTE: {
        "builtins": "getattr setattr delattr globals locals vars",
        "operator": "attrgetter methodcaller call",
        "_operator": "attrgetter methodcaller call",
        "functools": "reduce partialmethod",
        "_functools": "reduce",
    },
    _PICKLE: {
        "joblib": "load Memory memory",
        "joblib.numpy_pickle": "load load_temporary_memmap _unpickle NumpyUnpickler",
        "joblib.numpy_pickle_compat": "load_compatibility NDArrayWrapper ZNDArrayWrapper"
        " ZipNumpyUnpickler",
        "joblib.memory": "Memory MemorizedFunc MemorizedResult",
        "cloudpickle": "load loads",
        "cloudpickle.cloudpickle": "load loads",
        "cloudpickle.cloudpickle_fast": "load loads",
        "dill": "load loads load_session load_module load_module_asdict",
        "dill._dill": "load loads Unpickler",
        "dill.session": "load_session load_module",
        "numpy": "load",
        "numpy.lib.npyio": "load NpzFile",
        "numpy.lib._npyio_impl": "load NpzFile",
        "numpy.lib.format": "read_array",
        "numpy.lib._format_impl": "read_array",
        "pandas": "read_pickle",
        "pandas.io.pickle": "read_pickle",
        "pandas.compat.pickle_compat": "load loads Unpickler",
        "torch": "load",
        "torch.serialization": "load",
        "torch.multiprocessing.reductions": "rebuild_storage_filename",
        "skops.io": "load loads",
        "skops.io._persist": "load loads",
        "sklearn.externals.joblib": "load",
        "sklearn.utils._joblib": "load",
        "sklearn.datasets._base": "load_files fetch_file",
        "statsmodels.iolib.smpickle": "load_pickle",
        "mlflow.sklearn": "load_model",
    },
    _READS: {
        "builtins": "open file",
        "io": "open open_code FileIO OpenWrapper",
        "_io": "open open_code FileIO",
        "codecs": "open EncodedFile StreamReaderWriter",
        "numpy": "fromfile memmap save savez savez_compressed savetxt loadtxt genfromtxt tofile"
        " DataSource fromregex ndarray.tofile ndarray.dump",
        "numpy.core.multiarray": "fromfile",
        "numpy._core.multiarray": "fromfile",
        "numpy.core.memmap": "memmap",
        "numpy._core.memmap": "memmap",
        "numpy.core.records": "fromfile",
        "numpy._core.records": "fromfile",
        "numpy.rec": "fromfile",
        "numpy.lib.npyio": "save savez savez_compressed savetxt loadtxt genfromtxt fromregex"
        " DataSource recfromcsv recfromtxt",
        "numpy.lib._npyio_impl": "save savez savez_compressed savetxt loadtxt genfromtxt fromregex"
        " recfromcsv recfromtxt",
        "numpy.lib._datasource": "DataSource Repository open",
        "numpy.lib.format": "open_memmap",
        "numpy.lib._format_impl": "open_memmap",
        "pandas": "read_csv read_table read_json read_html read_xml read_excel read_hdf read_sql"
        " read_sas read_stata read_spss read_parquet read_orc read_feather read_fwf to_pickle"
        " read_clipboard ExcelFile HDFStore ExcelWriter",
        "pandas.core.frame": "DataFrame.to_pickle DataFrame.to_csv",
        "pandas.core.generic": "NDFrame.to_pickle NDFrame.to_csv",
        "sklearn.datasets": "load_files load_svmlight_file dump_svmlight_file fetch_openml",
        "joblib": "dump",
        "joblib.numpy_pickle": "dump",
        "lightgbm.basic": "_TempFile Booster.save_model Dataset.save_binary",
        "xgboost.core": "DMatrix Booster.load_model Booster.save_model",
        "catboost.core": "CatBoost.load_model CatBoost.save_model Pool",
        "pathlib": "Path.write_text Path.write_bytes Path.read_text Path.read_bytes Path.unlink"
        " Path.open",
    },
    _MEMORY: {
        "numpy.lib.stride_tricks": "as_strided DummyArray",
        "numpy.lib._stride_tricks_impl": "as_strided DummyArray",
        "torch._C": "PyTorchFileReader",
    },
    _RUNS: {
        "uuid": "_get_command_stdout _popen _find_mac _ifconfig_getnode _ip_getnode _arp_getnode",
        "numpy.testing._private.utils": "measure",
        "mlflow.projects": "run",
        "xgboost.tracker": "RabitTracker",
        "ctypes.util": "find_library",
    },
    _PROCESS: {
        "builtins": "exit quit",
        "copyreg": "pickle add_extension constructor remove_extension",
    },
}

# Whole packages below which a part is dangerous: what is re-exported under another name.
_PARTS = {
    "os": _RUNS,
    "subprocess": _RUNS,
    "builtins": _ATTRIBUTE,
    "__builtin__": _ATTRIBUTE,
    "__builtins__": _ATTRIBUTE,
    "__globals__": _ATTRIBUTE,
    "__import__": _IMPORTS,
    "__subclasses__": _ATTRIBUTE,
    "__getattribute__": _ATTRIBUTE,
    "__class__": _ATTRIBUTE,
    "__base__": _ATTRIBUTE,
    "__mro__": _ATTRIBUTE,
    "__dict__": _ATTRIBUTE,
    "__code__": _EVALUATES,
    "__loader__": _IMPORTS,
    "__reduce__": _ATTRIBUTE,
    "__reduce_ex__": _ATTRIBUTE,
    "importlib": _IMPORTS,
    "sys": _PROCESS,
    "shutil": _READS,
    "socket": _SOCKETS,
    "ctypes": _MEMORY,
    "pickle": _PICKLE,
    "system": _RUNS,
    "popen": _RUNS,
    "Popen": _RUNS,
}

# What Python 2 calls the modules above.
_OLD = {"__builtin__": "builtins", "copy_reg": "copyreg", "exceptions": "builtins"}


def why_dangerous(name: Global) -> str:
    """Return what harm a name is known to do; empty where none is known."""
    module = _OLD.get(name.module, name.module)
    exact = _single_names().get((module, name.name)) or _single_names().get(
        (module, name.name.partition(".")[0])
    )
    if exact:
        return exact
    modules = _whole_modules()
    parts = module.split(".")
    for end in range(len(parts), 0, -1):
        if found := modules.get(".".join(parts[:end])):
            return found
    for part in (*parts[1:], *name.name.split(".")):
        if found := _PARTS.get(part):
            return f"{found}, by another name"
    return ""


@cache
def _whole_modules() -> dict[str, str]:
    return {name: why for why, names in _MODULES.items() for name in names.split()}


@cache
def _single_names() -> dict[tuple[str, str], str]:
    return {
        (module, name): why
        for why, modules in _NAMES.items()
        for module, names in modules.items()
        for name in names.split()
    }
