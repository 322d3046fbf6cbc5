"""How the API is told about: the documentation page, the console, the OpenAPI description, examples in five languages.

All of it is written from `api.registry`; answers shown are kept in `answers.json`, and a test makes them anew.
"""
