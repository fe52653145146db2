"""The pickled model becomes a version of the saved model `clf`, evaluated on `bank_test`."""

import pickle

import dataiku

FOLDER = ""
TARGET = "y"

project = dataiku.api_client().get_default_project()
there = {model["name"]: model["id"] for model in project.list_saved_models()}
if "clf" in there:
    saved_model = project.get_saved_model(there["clf"])
else:
    saved_model = project.create_mlflow_pyfunc_model("clf", "BINARY_CLASSIFICATION")

with dataiku.Folder(FOLDER).get_download_stream("/pipeline.pkl") as stream:
    pipeline = pickle.load(stream)

extension = project.get_mlflow_extension()
with project.setup_mlflow(project.get_managed_folder(FOLDER)) as mlflow:
    mlflow.set_experiment("conversion")
    with mlflow.start_run() as run:
        mlflow.sklearn.log_model(pipeline, artifact_path="model")
        extension.set_run_inference_info(
            run.info.run_id,
            "BINARY_CLASSIFICATION",
            classes=list(pipeline.classes_),
            target=TARGET,
        )

# The block is over, and MLflow of this process points elsewhere: the run is found all the same.
handler = extension.deploy_run_model(
    run.info.run_id, saved_model.id, version_id="v01", evaluation_dataset="bank_test"
)
figures = saved_model.get_version_details(handler.version_id).get_performance_metrics()
print(f"clf@{handler.version_id}: AUC {figures['auc']:.3f}, F1 {figures['f1']:.3f}")
