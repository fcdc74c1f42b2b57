"""Render Blender scenes on AWS Lambda.

Everything here is compiled from Rust; see the stubs for arguments, results and errors.
"""

from ._native import (
    CredentialsError,
    Dependency,
    FarmError,
    FarmSettings,
    Job,
    JobEvent,
    MissingFile,
    Progress,
    StackCheck,
    StackError,
    StackInfo,
    Submission,
    SubmissionEvent,
    UploadProgress,
    __version__,
    new_job_id,
    trace,
)

__all__ = [
    "CredentialsError",
    "Dependency",
    "FarmError",
    "FarmSettings",
    "Job",
    "JobEvent",
    "MissingFile",
    "Progress",
    "StackCheck",
    "StackError",
    "StackInfo",
    "Submission",
    "SubmissionEvent",
    "UploadProgress",
    "__version__",
    "new_job_id",
    "trace",
]
