"""What the recipes of the bank share: a folder of the workspace's own libraries."""
