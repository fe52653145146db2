"""Explain a pickled model with SHAP: `explain_shap.py PICKLE OUTPUT`.

The pickle holds the model, the background and the rows; the contributions are saved as `OUTPUT`,
and the seconds that they took are printed.
"""

import pickle
import sys
import time
from pathlib import Path

import numpy as np
import shap

model, background, rows = pickle.loads(Path(sys.argv[1]).read_bytes())
began = time.perf_counter()
explainer = shap.TreeExplainer(model, data=background, feature_perturbation="interventional")
found = np.asarray(explainer.shap_values(rows, check_additivity=False))
seconds = time.perf_counter() - began
# Of two classes both are explained.
np.save(sys.argv[2], found[..., 1] if found.ndim > rows.ndim else found)
print(seconds)
