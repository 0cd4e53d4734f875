"""Hand the tables that stand in the warehouse before a day to SQLMesh: `python prepare.py PROJECT DAY`.

Its snapshots are made empty, as filled until that day; then the tables of the incremental models take their places by name.
"""

import sys

from sqlmesh import Context


def main(project: str, day: str) -> None:
    """Make the production environment with the stored tables as its snapshots."""
    context = Context(paths=project)
    engine = context.engine_adapter
    stored = [model.name for model in context.models.values() if engine.table_exists(model.name)]
    for name in stored:
        engine.rename_table(name, f"{name}__before")
    context.plan(execution_time=f"{day} 00:00:00", empty_backfill=True, auto_apply=True, no_prompts=True)
    for name in stored:
        snapshot = context.table_name(name, prod=True)
        engine.drop_table(snapshot)
        engine.rename_table(f"{name}__before", snapshot)


if __name__ == "__main__":
    main(*sys.argv[1:])
