"""Five questions to the current release, worked out: `make notebook`."""

import marimo

app = marimo.App(width="medium", app_title="Five questions to the incentives release")


@app.cell
def _():
    import marimo as mo
    import pandas as pd

    from warehouse import releases

    manifest = releases.current()
    mo.stop(manifest is None, mo.md("Nothing is published yet: `incentives run`, or `make run` for the sample."))
    con = releases.opened(manifest)

    def ask(question, sql):
        """The rows that answer a question, shown below it; decimals stay decimals."""
        found = con.execute(sql).to_arrow_table().to_pandas(types_mapper=pd.ArrowDtype)
        mo.output.replace(mo.vstack([mo.md(f"## {question}"), found]))
        return found

    mo.md(f"# Five questions to the release of {manifest['as_of_date']}")
    return (ask,)


@app.cell
def _(ask):
    earned = ask(
        "1. What was earned, in which program and month, as rebate and as co-op?",
        """
        SELECT earning_month, program, program_currency AS currency, sum(program_rebate) AS rebate,
            sum(program_coop) AS coop, count(DISTINCT partner_id) AS partners
        FROM earnings_monthly GROUP BY ALL ORDER BY ALL
        """,
    )
    return (earned,)


@app.cell
def _(ask):
    ineligible = ask(
        "2. Which revenue earned nothing, for which reason, and how much of it can partners act on?",
        """
        SELECT reason_codes, currency, sum(line_count)::BIGINT AS lines, sum(revenue) AS revenue,
            sum(revenue) FILTER (partner_can_act) AS partners_can_act_on
        FROM ineligible_revenue GROUP BY ALL ORDER BY revenue DESC
        """,
    )
    return (ineligible,)


@app.cell
def _(ask):
    due = ask(
        "3. What is due, on which day, and what waits and why?",
        """
        SELECT due_on, currency, coalesce(reason, 'is paid then') AS reason, count(DISTINCT partner_id) AS partners,
            sum(upcoming) AS upcoming
        FROM upcoming_payments GROUP BY ALL ORDER BY ALL
        """,
    )
    return (due,)


@app.cell
def _(ask):
    almost = ask(
        "4. Which partners are one criterion short of earning, and what can they do?",
        """
        WITH unmet AS (
            FROM eligibility_criteria
            WHERE status IN ('unmet', 'unknown') AND valid_from <= today() AND (valid_to IS NULL OR valid_to > today())
        )
        SELECT partner_name, program, criterion, evidence, what_to_do
        FROM unmet JOIN partners USING (partner_id)
        QUALIFY count(*) OVER (PARTITION BY program, partner_id) = 1
        ORDER BY program, partner_name
        """,
    )
    return (almost,)


@app.cell
def _(ask):
    moved = ask(
        "5. What became of each earning month since its first entries, and by what cause?",
        """
        SELECT earning_month, program_currency AS currency, cause, count(*) AS entries, sum(program_amount) AS amount
        FROM earnings_ledger WHERE earning_month IS NOT NULL GROUP BY ALL ORDER BY ALL
        """,
    )
    return (moved,)


if __name__ == "__main__":
    app.run()
