"""The command as people use it: what it answers, what it says of a mistake, and its exit code."""

import json
import re
import shutil
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
import typer
from typer.testing import CliRunner

import pipeline
import rulebook
from app import checked, export, programs
from app.cli import app
from expectations import gate
from tests.deliveries import land, land_world
from transforms.rule_file import RuleFault
from warehouse import files, intake


def commands(group: Any, *before: str) -> Iterator[Any]:
    """Each command's words, and the lines of its examples."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *before, name)
        else:
            examples = command.help[command.help.index("Example") :].splitlines()
            yield pytest.param((*before, name), examples, id=" ".join((*before, name)))


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.output


@pytest.mark.parametrize(("words", "examples"), commands(typer.main.get_command(app)))
def test_help_shows_examples_as_they_are_typed(words, examples):
    code, output = run(*words, "--help")
    assert code == 0
    assert [line.strip() for line in examples if line.strip() not in output] == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--feed", "gossip", "--date", "2022-03-25"], "no feed [gossip]"),
        (["--feed", "users", "--date", "2022-03-25", "--source", "fax"], "no source [fax]"),
        (["--feed", "users", "--date", "2022-03-25", "--mode", "sideways"], "no mode [sideways]"),
        (["--feed", "users", "--date", "2022-03-25", "--part", "3"], "write it as 1/2"),
        (["--feed", "users", "--date", "2022-03-25", "--set", "nonsense"], "not name=value"),
        (["--feed", "users", "--date", "2022-03-25", "--set", "customer="], "have no value"),
        (["--feed", "users"], "--feed and --date"),
        (["--feed", "users", "--date", "25.3.2022"], "2022"),
    ],
)
def test_a_wrong_word_is_said_and_nothing_lands(home, tmp_path, words, says):
    path = tmp_path / "users.csv"
    path.write_text("user_email\n")
    code, output = run("land", str(path), *words)
    assert code == 2 and says in " ".join(output.replace("│", " ").split())
    assert not (home / "landing").exists() or not list((home / "landing").iterdir())


def test_a_delivery_under_the_id_of_another_that_waits_is_said_and_leaves_that_as_it_is(home, tmp_path):
    waits = home / "landing" / land("users", [{"partner_id": "1000001"}])
    other = shutil.copytree(waits, tmp_path / "elsewhere" / waits.name)
    assert CliRunner().invoke(app, ["land", str(other)]).exit_code == 0  # the same again
    (other / "manifest.json").write_text((other / "manifest.json").read_text() + " ")
    fault = CliRunner().invoke(app, ["land", str(other)]).exception
    assert isinstance(fault, LookupError) and f"another delivery [{waits.name}] waits" in str(fault)
    assert [path.name for path in (home / "landing").iterdir()] == [waits.name]


def test_the_version_is_told_that_runs_are_recorded_with(home):
    code, output = run("--version")
    assert code == 0 and output.startswith(f"partner-incentives {pipeline.ENGINE_VERSION}, ")


def test_a_file_name_that_is_not_plain_is_refused(home, tmp_path):
    path = tmp_path / "my file.csv"
    path.write_text("user_email\n")
    code, output = run("land", str(path), "--feed", "users", "--date", "2022-03-25")
    assert code == 2 and "rename them" in " ".join(output.replace("│", " ").split())


def test_a_missing_rule_file_is_a_wrong_word(home):
    assert run("programs", "check", "none.yaml")[0] == 2


def test_a_faulty_rule_file_is_named_with_its_line(home, tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("program: x\nstatus: alive\n")
    code, output = run("programs", "check", str(path), "--json")
    assert code == 1 and json.loads(output)["faults"][0]["file"] == "x.yaml"


def test_what_nobody_foresaw_in_a_rule_file_is_a_fault_of_it_beside_those_of_the_others(home, tmp_path):
    """A rule file that is a folder."""
    (tmp_path / "a.yaml").mkdir()
    (tmp_path / "x.yaml").write_text("program: x\n")
    code, output = run("programs", "check", str(tmp_path), "--json")
    faults = json.loads(output)["faults"]
    assert code == 1 and {fault["file"] for fault in faults} == {path.name for path in tmp_path.glob("*.yaml")}
    assert faults[0]["value"] == "IsADirectoryError" and "in read_text" in "".join(faults[0]["trace"])


def test_a_rule_file_named_yml_is_a_fault_of_its_folder(home, one_program):
    (one_program / "lost.yml").write_text(next(one_program.glob("*.yaml")).read_text())
    says = "lost.yml:1: file [.yml]: rule files are named .yaml; rename it to lost.yaml"
    code, output = run("programs", "check", str(one_program))
    assert code == 1 and says in output
    with pytest.raises(RuleFault, match=re.escape(says)):
        rulebook.programs()


def test_an_export_that_needs_more_memory_says_what_to_set(first_day, tmp_path, monkeypatch):
    def short(*_, **__):
        raise duckdb.OutOfMemoryException("could not allocate")

    monkeypatch.setattr(export, "export", short)
    done = CliRunner().invoke(app, ["export", "earnings", "--out", str(tmp_path / "earnings.csv")])
    assert isinstance(done.exception, pipeline.ResourceSetting) and "INCENTIVES_MEMORY_MIB" in str(done.exception)


def test_files_become_answers(home):
    land_world()
    land("transactions", [{"transaction_id": "t1"}, {"transaction_id": "t2", "revenue": "x"}])
    code, output = run("run", "--json")
    assert code == 0 and json.loads(output)[0]["release_id"] == "2021-03-23-01"
    asked = run(
        "query", "SELECT sum(rebate) AS rebate FROM earnings_monthly WHERE program = 'csp-indirect-reseller'", "--json"
    )
    assert asked == (0, '[\n  {\n    "rebate": "2.400"\n  }\n]\n')
    assert json.loads(run("quarantine", "list", "--json")[1])[0]["rules_broken"] == "type:revenue"
    assert run("status", "--now", "2021-03-24T06:00:00")[0] == 0
    assert run("status", "--now", "2021-04-24T06:00:00")[0] == 1


def test_a_rule_file_is_run_again_once_it_or_the_software_has_changed(home, tmp_path, monkeypatch):
    path, ran = tmp_path / "csp-direct-bill.yaml", []
    sound = (rulebook.programs_folder() / path.name).read_text()
    monkeypatch.setattr(programs, "_each", lambda files, each=programs._each: ran.extend(files) or each(files))

    def check(text: str, *words: str) -> tuple[int, int]:
        path.write_text(text)
        ran.clear()
        code, output = run("programs", "check", str(path), "--json", *words)
        assert [row["examples"] for row in json.loads(output)["checked"]] == [3]
        return code, len(ran)

    wrong = sound.replace("rate: 0.", "rate: 0.9", 1)
    assert [check(text) for text in (sound, sound, wrong, wrong, sound)] == [(0, 1), (0, 0), (1, 1), (1, 1), (0, 0)]
    assert check(sound, "--again") == (0, 1)
    (home / checked.FILE).write_text("cut off")
    assert [check(text) for text in (sound, sound)] == [(0, 1), (0, 0)]
    monkeypatch.setattr(checked, "_engine", lambda: "another version")
    assert check(sound) == (0, 1)


def test_a_rule_file_that_is_not_sound_any_more_is_forgotten(home, monkeypatch):
    path = rulebook.programs_folder() / "csp-direct-bill.yaml"
    assert run("programs", "check", str(path))[0] == 0
    monkeypatch.setattr(programs, "_tried", lambda files: [[RuleFault(path.name, 1, "a", "b", "c")] for _ in files])
    assert [run("programs", "check", str(path), *words)[0] for words in ((), ("--again",), ())] == [0, 1, 1]


def test_a_rule_file_that_is_edited_while_it_is_checked_is_not_taken_for_sound(home, tmp_path, monkeypatch):
    path, each = tmp_path / "csp-direct-bill.yaml", programs._each
    sound = (rulebook.programs_folder() / path.name).read_text()
    wrong = sound.replace("rate: 0.", "rate: 0.9", 1)
    path.write_text(wrong)
    with monkeypatch.context() as edited:
        edited.setattr(programs, "_each", lambda files: path.write_text(sound) and each(files))
        assert run("programs", "check", str(path))[0] == 0
    path.write_text(wrong)
    assert run("programs", "check", str(path))[0] == 1


def test_rule_files_are_checked_without_a_home_that_can_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("INCENTIVES_HOME", str(tmp_path / "file" / "home"))
    assert run("programs", "check", str(rulebook.programs_folder() / "csp-direct-bill.yaml"))[0] == 0


def test_of_many_rule_files_each_is_told_as_it_is_alone(home, tmp_path):
    """Programs that differ in figures, stacks, days or currency, or whose examples differ or cannot be worked out."""
    source = (rulebook.programs_folder() / "csp-direct-bill.yaml").read_text()
    source = source.replace(
        "      agreements:", "      enrolments: [{partner_id: p1, program: csp-direct-bill}]\n      agreements:"
    )
    both = source.replace("[office365, ", "[azure, office365, ").replace("product_segment: [commercial], ", "")
    stacked = both.replace("rate: 0.04\n", "rate: 0.04\n    stack: {group: one, take: TAKE}\n")
    texts = [
        source,
        source.replace("rate: 0.04\n", "rate: 0.05\n", 1),
        source.replace("currency: USD", "currency: EUR"),
        source.replace("{from: 2019-01-01}", "{from: 2019-01-01, to: 2020-06-01}"),
        source.replace("earned: 8.00", "earned: 8.01"),
        source.replace("revenue: 100.00}\n    expect: {earned: 8", "revenue: 1e11}\n    expect: {earned: 8"),
        both,
        stacked.replace("TAKE", "first").replace("rate: 0.04", "rate: 0.02", 1),
        stacked.replace("TAKE", "highest").replace("rate: 0.04", "rate: 0.02", 1),
    ]
    for number, text in enumerate(texts):
        (tmp_path / f"many-{number}.yaml").write_text(
            text.replace("program: csp-direct-bill", f"program: many-{number}")
        )
    told = json.loads(run("programs", "check", str(tmp_path), "--again", "--json")[1])
    files = sorted(tmp_path.glob("*.yaml"))
    alone = [json.loads(run("programs", "check", str(path), "--again", "--json")[1]) for path in files]
    assert told == {part: [one for of in alone for one in of[part]] for part in ("checked", "faults")}
    assert len(told["checked"]) == len(files)
    assert {fault["file"] for fault in told["faults"]} == {path.name for path in files[1:]} - {
        "many-2.yaml",
        "many-8.yaml",
    }


@pytest.mark.parametrize("given", ["1GiB", "-1", "0", "", "２０４８"])
@pytest.mark.parametrize("name", ["INCENTIVES_MEMORY_MIB", "INCENTIVES_THREADS"])
def test_a_setting_that_cannot_be_used_is_said(home, monkeypatch, name, given):
    land_world()
    monkeypatch.setenv(name, given)
    with pytest.raises(pipeline.ResourceSetting, match=rf"{name} is \[{given}\]; write a whole number"):
        pipeline.ingest()
    assert pipeline.landed()


@pytest.mark.parametrize(("place", "name"), [(files, "_csv"), (intake, "stage"), (gate, "suite_of")])
def test_too_little_memory_is_said_and_the_delivery_waits(home, monkeypatch, place, name):
    def short(*_):
        raise duckdb.OutOfMemoryException("could not allocate")

    land_world()
    monkeypatch.setattr(place, name, short)
    with pytest.raises(
        pipeline.ResourceSetting, match=r"\[ingest\] needs more memory .* gives \[2048\]: set it higher"
    ):
        pipeline.ingest()
    assert len(pipeline.landed()) == 9


def test_a_folder_that_does_not_exist_is_said_before_any_work(home):
    for words in (["export", "journal", "--out", "/nowhere/j.csv"], ["backup", "/nowhere/b.tar.gz"]):
        code, output = run(*words)
        assert code == 2 and "folder [/nowhere] does not exist" in " ".join(output.replace("│", " ").split())


def test_an_act_without_a_name_is_refused(home):
    done = CliRunner().invoke(app, ["close", "2022-03", "--by", " "])
    assert isinstance(done.exception, LookupError) and "name of who does it" in str(done.exception)
