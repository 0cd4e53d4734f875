"""Payment orders for the bank: ISO 20022 pain.001.001.09, a file for each currency, checked against its schema."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from schwifty import IBAN
from sepaxml import SepaTransfer
from sepaxml.validation import ValidationError

SCHEMA = "pain.001.001.09"


@dataclass(frozen=True)
class Account:
    """Whose bank account it is, and which."""

    name: str
    iban: str

    @property
    def bic(self) -> str | None:
        """The bank's BIC where the registry knows it."""
        found = IBAN(self.iban).bic
        return found.compact if found else None


@dataclass(frozen=True)
class Order:
    """One payment: to whom, how much in major units, by which end-to-end id, and what the payee reads."""

    payment_id: str
    payee: Account
    amount: Decimal
    text: str


def order_file(message_id: str, payer: Account, currency: str, execute_on: date, orders: Sequence[Order]) -> bytes:
    """A file of payment orders in one currency, by whose message id the bank knows it again.

    Raises ValueError when an amount has more than the two decimals that the format has, and ValidationError for what its
    schema does not allow.
    """
    config = {"name": payer.name, "IBAN": IBAN(payer.iban).compact, "batch": True, "currency": currency}
    made = SepaTransfer(config | _bic(payer) | {"domestic": currency != "EUR"}, schema=SCHEMA)
    for order in orders:
        made.add_payment(
            {
                "name": order.payee.name,
                "IBAN": IBAN(order.payee.iban).compact,
                "amount": _hundredths(order),
                "execution_date": execute_on,
                "description": order.text,
                "endtoend_id": order.payment_id,
                **_bic(order.payee),
            }
        )
    return made.export(validate=True).replace(made.msg_id.encode(), message_id.encode())


def unwritable(currency: str, execute_on: date, orders: Sequence[Order]) -> list[str]:
    """The payment ids of the orders that no file can carry, by the payee's name or the amount."""
    try:
        order_file("trial", orders[0].payee, currency, execute_on, orders)
    except (ValueError, ValidationError):
        if len(orders) == 1:
            return [orders[0].payment_id]
        half = len(orders) // 2
        return [one for part in (orders[:half], orders[half:]) for one in unwritable(currency, execute_on, part)]
    return []


def _bic(account: Account) -> dict[str, str]:
    return {"BIC": account.bic} if account.bic else {}


def _hundredths(order: Order) -> int:
    shifted = order.amount * 100
    if shifted != int(shifted):
        raise ValueError(f"payment [{order.payment_id}] of [{order.amount}] has more decimals than {SCHEMA} carries.")
    return int(shifted)
