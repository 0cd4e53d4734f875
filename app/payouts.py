"""`incentives payouts`: plan, propose, approve, send, and follow payments."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from app.output import REFUSED, AsJson, print_json, print_rows, print_table, say

app = typer.Typer(no_args_is_help=True, help="Payments: plan, propose, approve, send, follow.")
On = Annotated[datetime, typer.Option("--on", formats=["%Y-%m-%d"], help="Day of the payment cycle.")]
By = Annotated[str, typer.Option(help="Who does it.")]
Batch = Annotated[str, typer.Argument(help="Such as 20220515-1.")]
Shown = Annotated[str, typer.Option("--hash", help="The batch's hash, or its first 12 digits, as `show` prints it.")]
PLAN = ("partner_id", "program", "earning_type", "balance", "payment", "withheld", "sales tax", "payout", "reason")
FIGURES = ("balance", "payment", "withheld", "sales tax", "payout")


@app.command()
def plan(on: On, as_json: AsJson = False) -> None:
    """What a payment cycle would pay, and why it would not pay the rest; nothing is kept.

    \b
    Example: incentives payouts plan --on 2022-05-15
    """
    import payouts
    from transforms.reasons import REASONS

    rows = []
    for row in payouts.plan(on.date()).to_dict("records"):
        code = row["reason_code"]
        made = _amounts(row, as_json) | {"reason": f"{code}: {REASONS[code].text}" if code else ""}
        rows.append({name: made[name] for name in PLAN})
    print_rows(rows, as_json, FIGURES)


@app.command()
def propose(on: On, by: By, as_json: AsJson = False) -> None:
    """Propose all that is due as one batch, which reserves it. Somebody else approves it.

    \b
    Example: incentives payouts propose --on 2022-05-15 --by anna
    """
    import payouts

    _tell(payouts.propose(on.date(), by), as_json)


@app.command("list")
def list_batches(as_json: AsJson = False) -> None:
    """Every batch: what it pays, who proposed it, what was decided, whether it is sent.

    \b
    Example: incentives payouts list
    """
    import payouts

    print_rows([_batch(row) for row in payouts.batches()], as_json)


@app.command()
def show(batch: Batch, as_json: AsJson = False) -> None:
    """A batch, payment by payment, and where each stands.

    \b
    Example: incentives payouts show 20220515-1
    """
    import payouts

    rows = []
    for row in payouts.payments_of(batch):
        made = _amounts(row, as_json)
        rows.append({name: made[name] for name in ("payment_id", *PLAN[:3], *PLAN[4:8], "payment_status", "status_on")})
    found = payouts.batch_of(batch)
    if as_json:
        print_json(found | {"payments": rows})
        return
    print_table([_batch(found)])
    say(f"hash {found['batch_hash']}\n")
    print_table(rows, FIGURES)


@app.command()
def approve(batch: Batch, by: By, shown: Shown, note: str = "", as_json: AsJson = False) -> None:
    """Approve a batch as it was shown; not by who proposed it.

    \b
    Example: incentives payouts approve 20220515-1 --hash 3f0a11c2b7d4 --by ben
    """
    import payouts

    _tell(payouts.decide(batch, "approved", by, shown, note), as_json)


@app.command()
def reject(batch: Batch, by: By, shown: Shown, note: str = "", as_json: AsJson = False) -> None:
    """Reject a batch: what it reserved is free for the next one.

    \b
    Example: incentives payouts reject 20220515-1 --hash 3f0a11c2b7d4 --by ben --note "wait for the credit notes"
    """
    import payouts

    _tell(payouts.decide(batch, "rejected", by, shown, note), as_json)


@app.command()
def send(batch: Batch, as_json: AsJson = False) -> None:
    """Put an approved batch's payment orders into outbox/ of the home, once.

    INCENTIVES_PAYER_NAME and INCENTIVES_PAYER_IBAN say from which account.

    \b
    Example: incentives payouts send 20220515-1
    """
    import remittance

    files = [str(path) for path in remittance.send(batch, remittance.payer(os.environ))]
    if as_json:
        print_json({"batch_id": batch, "files": files})
    else:
        say("\n".join(f"wrote {path}" for path in files) or f"batch {batch} is in the bank's hands already")


@app.command()
def bank(
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="pain.002, camt.053, camt.054, pacs.004.")
    ],
    as_json: AsJson = False,
) -> None:
    """Take in what the bank says of payments. Exit 1 when it names one that is not ours or not sent, or another amount.

    \b
    Example: incentives payouts bank pickup/*.xml
    """
    import remittance
    from banking.messages import Unreadable

    try:
        rows = remittance.receive(files)
    except Unreadable as fault:
        raise LookupError(str(fault)) from None
    print_rows(rows, as_json)
    raise typer.Exit(REFUSED if any(row["trouble"] for row in rows) else 0)


def _tell(batch: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(batch)
        return
    print_table([_batch(batch)])
    say(f"hash {batch['batch_hash']}")


def _batch(row: dict[str, Any]) -> dict[str, Any]:
    payout = ", ".join(f"{amount:,} {currency}" for currency, amount in row["payouts"].items())
    named = {name: row[name] for name in ("batch_id", "cycle_on", "payments")}
    decided = {"approval": row["approval"] or "waits", "decided by": row["decided_by"]}
    return named | {"payout": payout, "proposed by": row["proposed_by"], **decided, "sent": row["is_sent"]}


def _amounts(row: dict[str, Any], as_json: bool) -> dict[str, Any]:
    """A row's amounts with their currencies: as people read them, or as JSON has them, an amount and a currency."""
    from pandas import isna

    from transforms.adjustments import major

    def shown(column: str, currency: str) -> Any:
        amount, unit = major(int(row[column]), row[currency]), row[currency]
        return {"amount": amount, "currency": unit} if as_json else f"{amount:,} {unit}"

    columns = {"payment": "payment_minor", "withheld": "withheld_minor", "sales tax": "sales_tax_minor"}
    made = {name: shown(column, "currency") for name, column in columns.items()}
    balance = {"balance": shown("due_minor", "currency")} if "due_minor" in row else {}
    made["payout"] = None if isna(row["payout_minor"]) else shown("payout_minor", "payout_currency")
    since = {"status_on": f"{row['status_on']:%Y-%m-%d}"} if "status_on" in row else {}
    return row | balance | made | since
