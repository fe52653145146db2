"""What a recipe of a plugin asks: roles and forms are not here, and each name says what is."""

from __future__ import annotations

from brinery_shims.unsupported import absent

__getattr__ = absent(
    "dataiku.customrecipe",
    "dataiku.recipe.get_input_names() and get_output_names(), which know no roles",
    get_recipe_config="constants of the script and brinery run SCRIPT --set NAME=value",
    get_plugin_config="dataiku.get_custom_variables()",
    get_recipe_resource="files beside the script",
)
