pytest_plugins = ["oauthspec_pytest"]
