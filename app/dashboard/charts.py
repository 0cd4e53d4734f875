"""The dashboard's charts."""

import altair as alt
import pandas as pd

from app.dashboard import figures

KINDS = {"rebate": "#0b5cab", "coop": "#d98a1f"}


def by_month(rows: pd.DataFrame, *, title: str, names: dict[str, str], locale: str) -> alt.Chart:
    """Stacked bars: `amount` by `earning_month` and `earning_type`; `names` translates the types."""
    shown = rows.assign(
        month=[figures.month(month, locale) for month in rows["earning_month"]],
        kind=rows["earning_type"].map(names),
        amount=rows["amount"].astype("float64"),  # for pixels alone
    )
    order = list(dict.fromkeys(shown.sort_values("earning_month")["month"]))
    colours = alt.Scale(domain=[names[kind] for kind in KINDS], range=list(KINDS.values()))
    return (
        alt.Chart(shown[["month", "kind", "amount", "reads"]])
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            x=alt.X("month:O", sort=order, title=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("sum(amount):Q", title=title, axis=alt.Axis(format="~s")),
            color=alt.Color("kind:N", title=None, scale=colours, legend=alt.Legend(orient="top")),
            tooltip=[
                alt.Tooltip("month:O", title=" "),
                alt.Tooltip("kind:N", title="  "),
                alt.Tooltip("reads:N", title="   "),
            ],
        )
        .properties(height=300)
    )
