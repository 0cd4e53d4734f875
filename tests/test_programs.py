"""Rule files: what is refused at load, and how it is said."""

from pathlib import Path

import pytest

import pipeline
from transforms.examples import check
from transforms.programs import load
from transforms.rule_file import RuleFault

GOOD = (pipeline.programs_folder() / "csp-direct-bill.yaml").read_text()


def loaded(folder: Path, text: str) -> list[str]:
    path = folder / "csp-direct-bill.yaml"
    path.write_text(text)
    return check(load(path), path)


@pytest.mark.parametrize("path", sorted(pipeline.programs_folder().glob("*.yaml")), ids=lambda path: path.stem)
def test_every_program_shipped_keeps_its_examples(path):
    assert check(load(path), path) == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("status: active", "status: active\nstatus: draft", "stands twice"),
        ("status: active", "status: alive", "status"),
        ("currency: USD", "currency: UDS", "not in ISO 4217"),
        ("earner: seller\n", "", "earner"),
        ("rate: 0.04", "rate: {2020-01-01: 0.04}", "no rate on some day"),
        ("rate: 0.04", "rate: much", "not a number"),
        ("coop: {2020-01-01: 0.40}", "coop: {2020-01-01: 0.30}", "sum to 1"),
        ("product_family: [azure]", "product_flavour: [azure]", "product_flavour"),
        ("criterion: same_country", "criterion: same_planet", "criterion"),
        ("effective: {from: 2019-01-01}", "effective: {from: 2019-02-30}", "not a number or date"),
        ("measure: revenue", "measure: revenue\n    surprise: 1", "no such key"),
        ("earned: 8.00", "earned: 8.01", "computed [8.00]"),
        ("earner: seller", "? [earner]\n: seller", "a key is one word"),
        ("earner: seller", "earner: &self [*self]", "an anchor holds itself"),
        ("program: csp-direct-bill", "program: other", "name it after its file"),
    ],
)
def test_a_fault_is_refused_with_file_line_key_and_remedy(tmp_path, old, new, says):
    assert old in GOOD
    with pytest.raises(RuleFault, match=r"^csp-direct-bill.yaml:\d+: ") as fault:
        loaded(tmp_path, GOOD.replace(old, new, 1))
    assert says in str(fault.value)
