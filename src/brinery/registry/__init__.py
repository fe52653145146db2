"""The system of record for models: MLflow's registry, behind one small protocol.

`interface` is the protocol, `memory` the fake that tests use, `mlflow` the real one and the only
module that imports MLflow. A version comes into being in one step, `commit`; whatever is killed
before it leaves nothing that anyone sees, and `sweep` clears it away.
"""
