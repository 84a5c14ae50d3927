"""A job that adds jobs while it runs, through torc-client: two generations, then it records that it is done."""

from torc import Orchestrator, SpawnJobModel

LAST_GENERATION = 2

here = Orchestrator.from_env(lineage_fallback="search")
generation = here.generation
if generation == LAST_GENERATION:
    here.converge(state={"generations": generation})
else:
    work = SpawnJobModel(name=f"work_{generation}", command="true")
    again = SpawnJobModel(name=f"next_{generation}", command=f"python {__file__}", depends_on=[work.name])
    here.spawn([work, again], state={"generation": generation})
