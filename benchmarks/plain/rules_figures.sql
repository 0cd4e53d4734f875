-- What both sides must agree on, to the cent: name and figure.
SELECT concat_ws(' ', lever, bracket, currency, held_by) AS name, concat_ws(' ', count(*), sum(base_minor), sum(earning_minor),
    sum(rebate_minor), sum(coop_minor), sum(program_earning_minor), sum(program_rebate_minor), sum(program_coop_minor),
    sum(position), sum(rate), sum(unit_amount), count(DISTINCT earning_month)) AS figure
FROM staging.derived.earnings GROUP BY lever, bracket, currency, held_by ORDER BY name
