"""Two frameworks in one model: an XGBoost classifier behind a scikit-learn scaler, on iris."""

import pickle

import dataiku
import pandas as pd
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

TARGET = "species"
PARAMS = {"n_estimators": 25, "max_depth": 3, "n_jobs": 1}

project = dataiku.api_client().get_default_project()
folder = project.get_managed_folder("")
extension = project.get_mlflow_extension()

iris = load_iris()
flowers = pd.DataFrame(iris.data, columns=[name[:-5] for name in iris.feature_names])
columns = list(flowers.columns)
flowers[TARGET] = iris.target_names[iris.target]
train, test = train_test_split(flowers, test_size=0.3, random_state=5, stratify=flowers[TARGET])
dataiku.Dataset("iris_test").write_with_schema(test)

scaler = StandardScaler().fit(train[columns].to_numpy())
classifier = XGBClassifier(**PARAMS)
classifier.fit(scaler.transform(train[columns].to_numpy()), train[TARGET])
for name, part in (("scaler", scaler), ("classifier", classifier)):
    with open(f"{name}.pkl", "wb") as stream:
        pickle.dump(part, stream)

with project.setup_mlflow(folder) as mlflow:

    class Wrapped(mlflow.pyfunc.PythonModel):
        """Scales, and answers with the probability of each class."""

        def load_context(self, context):
            import pickle

            with open(context.artifacts["scaler"], "rb") as stream:
                self.scaler = pickle.load(stream)
            with open(context.artifacts["classifier"], "rb") as stream:
                self.classifier = pickle.load(stream)

        def predict(self, context, model_input):
            values = model_input[columns].to_numpy()
            return self.classifier.predict_proba(self.scaler.transform(values))

    mlflow.set_experiment("iris")
    with mlflow.start_run() as run:
        mlflow.log_params(PARAMS)
        mlflow.pyfunc.log_model(
            artifact_path="wrapped",
            python_model=Wrapped(),
            artifacts={"scaler": "scaler.pkl", "classifier": "classifier.pkl"},
        )
        extension.set_run_inference_info(
            run.info.run_id, "MULTICLASS", classes=list(classifier.classes_), target=TARGET
        )

saved_model = project.create_mlflow_pyfunc_model("iris", "MULTICLASS")
handler = extension.deploy_run_model(
    run.info.run_id, saved_model.id, evaluation_dataset="iris_test", version_id="v01"
)
figures = saved_model.get_version_details("v01").get_performance_metrics()
print(f"iris@{handler.version_id}: accuracy {figures['accuracy']:.3f}")
