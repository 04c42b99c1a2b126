import os

# A proxy that answers nobody: the mock is reached without it.
os.environ["http_proxy"] = "http://127.0.0.1:1"

pytest_plugins = ["oauthspec_pytest", "pytester"]
