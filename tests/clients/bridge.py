"""Lets a test call a published torc-client: one JSON request per line on standard input, one JSON answer per line on standard output.

A request names an operation of the package's API, or one of its helpers, and its arguments; objects become the package's own models.
The package reads every reply into its models, strictly: what does not fit them is an answer with an error, as is a refusal.
"""

import inspect
import json
import sys

import torc
import torc.openapi_client as package
from torc.openapi_client import ApiException


def model_of(annotation):
    """The model class that a parameter wants, if it wants one."""
    return annotation if hasattr(annotation, "from_dict") else None


OWNERS = [getattr(package, word) for word in dir(package) if word.endswith("Api")]
VARIANTS = ("_with_http_info", "_without_preload_content")


def operation_names():
    names = [name for owner in OWNERS for name, _ in inspect.getmembers(owner, inspect.isfunction)]
    return sorted(name for name in names if not name.startswith("_") and not name.endswith(VARIANTS))


def method_of(api, name):
    """An operation of `make_api`'s object; it leaves out some of the package's classes, so these are looked through as well."""
    if hasattr(api, name):
        return getattr(api, name)
    client = package.ApiClient(package.Configuration(host=sys.argv[1]))
    return next(getattr(owner(client), name) for owner in OWNERS if hasattr(owner, name))


def operation(api, name, arguments):
    method = method_of(api, name)
    parameters = inspect.signature(method, eval_str=True).parameters
    given = {}
    for key, value in arguments.items():
        model = model_of(parameters[key].annotation)
        given[key] = value if model is None or value is None else model.from_dict(value)
    return method(**given)


def job_models(api, jobs):
    model = inspect.signature(api.create_job, eval_str=True).parameters["job_model"].annotation
    return [model.from_dict(job) for job in jobs]


HELPERS = {
    "helper_operations": lambda api: operation_names(),
    "helper_create_jobs": lambda api, jobs: torc.create_jobs(api, job_models(api, jobs)),
    "helper_count_jobs": lambda api, count, slice, job: len(torc.create_jobs(api, job_models(api, [job] * count), slice)),
    "helper_iterate": lambda api, name, arguments: list(torc.iter_documents(getattr(api, name), **arguments)),
    "helper_map_function": lambda api, **arguments: torc.map_function_to_jobs(api, **arguments),
}


def plain(value):
    if hasattr(value, "model_dump"):
        # Not the package's own to_dict, which leaves out what clients may not send, run_id among it.
        return plain(value.model_dump(by_alias=True, exclude_none=True))
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return getattr(value, "value", value)


def answer(api, request):
    name, arguments = request["call"], request["arguments"]
    try:
        called = HELPERS[name](api, **arguments) if name in HELPERS else operation(api, name, arguments)
        return {"value": plain(called)}
    except ApiException as refusal:
        return {"status": refusal.status, "body": refusal.body}
    except Exception as fault:  # Whatever the package raises on a reply that it cannot read is the test's to show.
        return {"fault": f"{type(fault).__name__}: {fault}"}


def main():
    api = torc.make_api(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(answer(api, json.loads(line))), flush=True)


main()
