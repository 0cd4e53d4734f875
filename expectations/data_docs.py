"""Data Docs: every suite as a page, and the current release validated against those of its tables."""

import shutil
from contextlib import nullcontext
from pathlib import Path

import great_expectations as gx
from great_expectations.data_context import set_context

from expectations.context import Context
from expectations.gate import open_source, suite_of
from warehouse.tables import AUDIT, BOOKS, DERIVED, FEEDS, PUBLISHED

SITE = "partner_incentives"


def build(folder: Path, release: Path | None, held: set[str]) -> None:
    """Write the site anew, its first page index.html; with a release's database, results for the tables it has too."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    set_context(context := Context())
    context.add_data_docs_site(SITE, _site(folder))
    for table in (*FEEDS.values(), *BOOKS.values(), *DERIVED.values(), *AUDIT.values()):
        context.suites.add(suite_of(table, table.layer))
    with open_source(context, release) if release else nullcontext() as source:
        for table in PUBLISHED.values():
            suite = context.suites.add(suite_of(table, "main"))
            if source and table.name in held:  # a release of an older version may lack some
                asset = source.add_table_asset(table.name, table_name=table.name, schema_name="main")
                whole = asset.add_batch_definition_whole_table("whole")
                context.validation_definitions.add(
                    gx.ValidationDefinition(name=table.name, data=whole, suite=suite)
                ).run(result_format="SUMMARY")
        context.build_data_docs(site_names=[SITE])


def _site(place: Path) -> dict:
    folder = str(place).replace("$", r"\$")  # GX fills in what follows a `$`
    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": folder},
    }
