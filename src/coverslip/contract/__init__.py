"""The vocabulary of the HTTP API: models, enumerations, error codes. No I/O; service and clients share it.

The models of API v1 mirror version 1.8.0 of the published document field by field, under the same schema names.
"""
