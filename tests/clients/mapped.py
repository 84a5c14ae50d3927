"""A function that torc-client maps over inputs, one job each, and another that gathers what these returned."""


def double(job_name, inputs):
    return {"job": job_name, "twice": 2 * inputs["value"]}


def total(outputs):
    return {"total": sum(output["twice"] for output in outputs)}
